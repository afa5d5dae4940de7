/* LD_PRELOAD: the clocks of a process run off: S2G_DRIFT is "PPM SECONDS". Wall time stays. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double ppm, ahead;
static int (*real_gettime)(clockid_t, struct timespec *);

__attribute__((constructor)) static void begin(void) {
    real_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    const char *said = getenv("S2G_DRIFT");
    if (said) sscanf(said, "%lf %lf", &ppm, &ahead);
}

static int drifts(clockid_t clock) {
    return clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME || clock == CLOCK_MONOTONIC_RAW;
}

static void put(struct timespec *at, long long nanos) {
    at->tv_sec = nanos / 1000000000;
    at->tv_nsec = nanos % 1000000000;
}

static long long nanos(const struct timespec *at) {
    return at->tv_sec * 1000000000LL + at->tv_nsec;
}

int clock_gettime(clockid_t clock, struct timespec *at) {
    if (!real_gettime) real_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real_gettime(clock, at);
    if (!failed && drifts(clock)) {
        long long t = nanos(at);
        put(at, t + (long long)(t * ppm * 1e-6) + (long long)(ahead * 1e9));
    }
    return failed;
}

/* Whoever waits until an instant means one of the clock that it was shown. */
static struct timespec back(clockid_t clock, const struct timespec *until) {
    struct timespec at = *until;
    if (drifts(clock)) put(&at, (long long)((nanos(until) - ahead * 1e9) / (1 + ppm * 1e-6)));
    return at;
}

int pthread_cond_clockwait(pthread_cond_t *c, pthread_mutex_t *m, clockid_t clock,
                           const struct timespec *until) {
    static int (*real)(pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "pthread_cond_clockwait");
    struct timespec at = back(clock, until);
    return real(c, m, clock, &at);
}

/* Python's lock waits like this. glibc notes a condition's clock in this bit. */
int pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *until) {
    return pthread_cond_clockwait(c, m, c->__data.__wrefs & 2 ? CLOCK_MONOTONIC : CLOCK_REALTIME, until);
}

int sem_clockwait(sem_t *s, clockid_t clock, const struct timespec *until) {
    static int (*real)(sem_t *, clockid_t, const struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "sem_clockwait");
    struct timespec at = back(clock, until);
    return real(s, clock, &at);
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *until, struct timespec *rest) {
    static int (*real)(clockid_t, int, const struct timespec *, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_nanosleep");
    struct timespec at = flags & TIMER_ABSTIME ? back(clock, until) : *until;
    return real(clock, flags, &at, rest);
}
