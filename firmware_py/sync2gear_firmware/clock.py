"""The zone clock as this device knows it: a line fitted through four-timestamp exchanges.

Times are microseconds: ``local`` ones of the device's monotonic clock, ``platform`` ones since the
epoch. Pure: every reading is an argument. The exchange is that of RFC 5905 section 8.

Each exchange bounds the offset from both sides, by the delays there and back. What a way takes
beyond its least is taken to be exponential; the line is the mean over all slopes by their
likelihood, with a Gaussian prior: half-way between the two bounds that fit best. A bound is the
mean of the fastest one in a hundred, but of eight at least, for now and then a message overtakes
what delays all others.
Jitter makes the line less sure and does not move it, however unlike the two ways are, so long as
their least delays are alike.
"""

from dataclasses import dataclass, replace
from math import floor
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from sync2gear_broker.units import FRAME_RATE, frames_from_micros

READY: Final = 12
"""Exchanges after which an estimator is trusted."""
SYNCED_FOR: Final = 30_000_000
"""Without an exchange for this long a trusted clock is in holdover."""

_BRISK_ASKS, _BRISK_EVERY = 2400, 50_000
_FAST_ASKS = 20
_UNANSWERED = 4
_EVERY = 1_000_000
_UNSURE = 100.0
_KEPT = 2400
_FITTED_FOR, _FITTED_LATER, _SPANS = 200_000, 900_000, 60
_LATEST = 60
_WINDOW = 600_000_000
_SILENT = 5_000_000
_MAX_DELAY = 5_000_000
_STEP = 1000
_SLOPE_PRIOR = 50e-6
_SLOPE_LIMIT = 500e-6
_SLOPES = 45
_FASTEST, _FEWEST = 0.01, 8
_LEAST = 5.0
_USABLE = 10.0
_NEGLIGIBLE = 1e-4
_WANDER = 1e-6

_Floats = NDArray[np.float64]
_Pair = tuple[_Floats, _Floats]


@dataclass(frozen=True, slots=True)
class Sample:
    """One exchange: its middle on the local clock, the offset it shows and its path delay."""

    at: int
    offset: int
    delay: int


@dataclass(frozen=True, slots=True)
class Line:
    """platform = local + offset + slope * (local - at).

    In microseconds, ``spread`` is the offset's standard deviation and ``error`` allows also for the
    two ways being unlike; ``drift`` is the slope's standard deviation.
    """

    src: str
    at: int
    offset: float
    slope: float = 0.0
    error: float = 0.0
    spread: float = 0.0
    drift: float = 10e-6

    def platform(self, local: int) -> int:
        """Platform time at ``local``, whole microseconds."""
        whole = int(self.offset)
        return local + whole + int(self.offset - whole + self.slope * (local - self.at))

    def position(self, local: float) -> tuple[int, float]:
        """Where the zone clock is at ``local``: a frame and the part of the next, in [0, 1).

        Apart, for a float of so many frames is no finer than a hundredth of one.
        """
        whole, offset = int(local), int(self.offset)
        micros = local - whole + self.offset - offset + self.slope * (local - self.at)
        frame, over = divmod((whole + offset) * FRAME_RATE, 1_000_000)
        part = (over + micros * FRAME_RATE) / 1e6
        down = floor(part)
        return frame + down, part - down

    def frame_at(self, local: int) -> int:
        """The frame of the zone clock at ``local``; never before the epoch."""
        return max(0, frames_from_micros(self.platform(local)))


@dataclass(frozen=True, slots=True)
class Estimator:
    """The exchanges with one ``src`` and the line through them."""

    src: str
    samples: tuple[Sample, ...] = ()
    line: Line | None = None


@dataclass(frozen=True, slots=True)
class Clock:
    """The estimators heard of late, newest first, and the line in force, if any is trusted."""

    estimators: tuple[Estimator, ...] = ()
    line: Line | None = None
    heard: int | None = None


def from_frame(frame: int, local: int) -> Line:
    """An untrusted line on which ``local`` is ``frame``: to play on from a saved position."""
    return Line("", local, float(-(-frame * 1_000_000 // FRAME_RATE) - local))


def observe(clock: Clock, src: str, t1: int, t2: int, t3: int, t4: int) -> Clock:
    """The clock after an exchange: ``t1``, ``t4`` local, ``t2``, ``t3`` platform microseconds.

    An impossible exchange (negative or absurd delay) changes nothing.
    """
    delay = (t4 - t1) - (t3 - t2)
    if not (0 <= delay <= _MAX_DELAY and t3 >= t2 and t1 <= t4):
        return clock
    sample = Sample((t1 + t4) // 2, ((t2 - t1) + (t3 - t4)) // 2, delay)
    old = next((e for e in clock.estimators if e.src == src), Estimator(src))
    new = _add(old, sample)
    others = tuple(e for e in clock.estimators if e.src != src)[:2]
    line, heard = clock.line, clock.heard
    silent = heard is None or t4 - heard > _SILENT
    if line is None or line.src == src or silent:
        if len(new.samples) >= READY:
            line = new.line
        if line is not None and line.src == src:
            heard = t4
    return Clock((new, *others), line, heard)


def quality(clock: Clock, local: int) -> Literal["none", "holdover", "synced"]:
    """How far the clock can be trusted at ``local``."""
    if clock.line is None:
        return "none"
    fresh = clock.heard is not None and local - clock.heard <= SYNCED_FOR
    return "synced" if fresh else "holdover"


def next_ask(clock: Clock, asked: int, answered: int) -> int:
    """Microseconds from the ``asked``-th exchange to the next: often at first and while unsure.

    Whom nobody answers asks seldom: so a thousand speakers that boot at once do not keep each
    other waiting.
    """
    if asked - answered >= _UNANSWERED:
        return _EVERY
    unsure = clock.line is not None and clock.line.spread > _UNSURE
    brisk = asked < _FAST_ASKS or (asked < _BRISK_ASKS and unsure)
    return _BRISK_EVERY if brisk else _EVERY


def slowest(clock: Clock) -> int | None:
    """The 95th percentile of the last exchanges' round trips in microseconds, once trusted.

    A one-way trip is at most as long as its round trip, however unlike the two ways are.
    """
    latest = clock.estimators[0].samples[-_LATEST:] if clock.estimators else ()
    if len(latest) < READY:
        return None
    return sorted(s.delay for s in latest)[len(latest) * 95 // 100]


def error_millis(clock: Clock, local: int) -> float | None:
    """A bound of the error at ``local`` in milliseconds; it grows while nothing is heard."""
    if clock.line is None:
        return None
    age = max(0, local - clock.line.at)
    return round((clock.line.error + 2 * clock.line.drift * age) / 1000, 3)


def _add(estimator: Estimator, sample: Sample) -> Estimator:
    samples = (*estimator.samples, sample)[-_KEPT:]
    if sample.at - samples[0].at > _WINDOW:
        samples = tuple(s for s in samples if sample.at - s.at <= _WINDOW)
    line = estimator.line
    if line is not None and _stepped(line, samples[-READY:]):
        samples = samples[-READY:]
    elif line is not None and len(samples) > READY and sample.at - line.at < _fitted_for(samples):
        return replace(estimator, samples=samples)  # one more says little that is new
    return replace(estimator, samples=samples, line=_fit(estimator.src, samples))


def _fitted_for(samples: tuple[Sample, ...]) -> int:
    """Microseconds for which a line through these stays in force: of many, one more says little."""
    span = samples[-1].at - samples[0].at
    return max(_FITTED_FOR, min(span // _SPANS, _FITTED_LATER))


def _stepped(line: Line, latest: tuple[Sample, ...]) -> bool:
    """Whether the latest exchanges agree that one of the two clocks was stepped."""
    if len(latest) < READY:
        return False
    apart = [s.at + s.offset - line.platform(s.at) for s in latest]
    bounds = [_STEP + s.delay // 2 for s in latest]
    pairs = list(zip(apart, bounds, strict=True))
    return all(a > b for a, b in pairs) or all(a < -b for a, b in pairs)


def _fit(src: str, samples: tuple[Sample, ...]) -> Line:
    table = np.array([(s.at, s.offset, s.delay / 2) for s in samples])
    # what waited out an outage bounds nothing, and would pass for how slow the network is
    table = table[table[:, 2] <= _USABLE * np.median(table[:, 2])]
    last, n = samples[-1], len(table)
    at = table[:, 0] - last.at
    over = table[:, 1] - last.offset + table[:, 2]  # the offset lies below each of these
    under = table[:, 1] - last.offset - table[:, 2]  # and above each of these
    few = max(1, min(_FEWEST, n // 2), round(n * _FASTEST))
    rank = (few + 1) / 2
    means = over.mean(), under.mean(), at.mean()
    uppers, lowers = (at, over), (at, under)
    low, high = -_SLOPE_LIMIT, _SLOPE_LIMIT
    while True:
        slopes = np.linspace(low, high, _SLOPES)[:, None]
        ceiling = _least(uppers[1] - slopes * uppers[0], few)
        bottom = -_least(slopes * lowers[0] - lowers[1], few)
        slopes = slopes[:, 0]
        there = np.maximum(_LEAST, means[0] - slopes * means[2] - ceiling)
        back = np.maximum(_LEAST, bottom - means[1] + slopes * means[2])
        likely = -n * np.log(there * back) - 0.5 * (slopes / _SLOPE_PRIOR) ** 2
        weights = np.exp(likely - likely.max())
        good = np.flatnonzero(weights > _NEGLIGIBLE)
        if good[-1] - good[0] > _SLOPES // 3:
            break  # it may have two peaks: what counts is not how many slopes are likely
        low, high = slopes[max(0, good[0] - 1)], slopes[min(_SLOPES - 1, good[-1] + 1)]
        uppers = _reaching(*uppers, low, high, 1, few)
        lowers = _reaching(*lowers, low, high, -1, few)
    weights /= weights.sum()
    # the k-th least of n excesses stands some k n-ths of their mean above the least delay itself
    offsets = (ceiling - rank * there / n + bottom + rank * back / n) / 2
    offset, slope = float(weights @ offsets), float(weights @ slopes)
    wide = weights @ (offsets - offset) ** 2 + rank * weights @ (there**2 + back**2) / (2 * n) ** 2
    steep = weights @ (slopes - slope) ** 2
    spread, drift = float(wide**0.5), float(steep**0.5)
    error = min(s.delay for s in samples) / 2 + spread
    return Line(src, last.at, last.offset + offset, slope, error, spread, drift + _WANDER)


def _least(bounds: _Floats, few: int) -> _Floats:
    """The mean of the ``few`` least of each row."""
    mean: _Floats = np.partition(bounds, few - 1)[:, :few].mean(1)
    return mean


def _reaching(at: _Floats, bound: _Floats, low: float, high: float, sign: int, few: int) -> _Pair:
    """The points that may be of the tightest ``few`` at a slope between ``low`` and ``high``."""
    first, last = sign * (bound - low * at), sign * (bound - high * at)
    tight = np.minimum(first, last) <= np.partition(np.maximum(first, last), few - 1)[few - 1]
    return at[tight], bound[tight]
