"""The zone clock as this device knows it: a line fitted through four-timestamp exchanges.

Times are microseconds: ``local`` ones of the device's monotonic clock, ``platform`` ones since the
epoch. Pure: every reading is an argument. The exchange is that of RFC 5905 section 8; the fit is
weighted least squares in which an exchange counts the less the more its delay exceeds the least
one, with a Gaussian prior on the slope.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal

from sync2gear_broker.units import FRAME_RATE, frames_from_micros

READY: Final = 12
"""Exchanges after which an estimator is trusted."""
SYNCED_FOR: Final = 30_000_000
"""Without an exchange for this long a trusted clock is in holdover."""

_KEPT = 240
_LATEST = 60
_WINDOW = 600_000_000
_SILENT = 5_000_000
_MAX_DELAY = 5_000_000
_STEP = 20_000
_SLOPE_PRIOR = 30e-6
_SLOPE_LIMIT = 500e-6
_NOISE = 20.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One exchange: its middle on the local clock, the offset it shows and its path delay."""

    at: int
    offset: int
    delay: int


@dataclass(frozen=True, slots=True)
class Line:
    """platform = local + offset + slope * (local - at); ``error`` is a bound in microseconds."""

    src: str
    at: int
    offset: float
    slope: float = 0.0
    error: float = 0.0

    def platform(self, local: int) -> int:
        """Platform time at ``local``, whole microseconds."""
        whole = int(self.offset)
        return local + whole + int(self.offset - whole + self.slope * (local - self.at))

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


def slowest(clock: Clock) -> int | None:
    """The 95th percentile of the last exchanges' round trips in microseconds, once trusted.

    A one-way trip is at most as long as its round trip, however unlike the two ways are.
    """
    latest = clock.estimators[0].samples[-_LATEST:] if clock.estimators else ()
    if len(latest) < READY:
        return None
    return sorted(s.delay for s in latest)[len(latest) * 95 // 100]


def error_millis(clock: Clock, local: int) -> float | None:
    """A bound of the error at ``local`` in milliseconds, growing by 10 ppm in holdover."""
    if clock.line is None:
        return None
    age = max(0, local - clock.line.at)
    return round((clock.line.error + 10e-6 * age) / 1000, 3)


def _add(estimator: Estimator, sample: Sample) -> Estimator:
    samples = (*estimator.samples, sample)[-_KEPT:]
    samples = tuple(s for s in samples if sample.at - s.at <= _WINDOW)
    if estimator.line is not None and _stepped(estimator.line, samples[-READY:]):
        samples = samples[-READY:]
    return replace(estimator, samples=samples, line=_fit(estimator.src, samples))


def _stepped(line: Line, latest: tuple[Sample, ...]) -> bool:
    """Whether the latest exchanges agree that one of the two clocks was stepped."""
    if len(latest) < READY:
        return False
    apart = [s.at + s.offset - line.platform(s.at) for s in latest]
    bounds = [_STEP + s.delay // 2 for s in latest]
    pairs = list(zip(apart, bounds, strict=True))
    return all(a > b for a, b in pairs) or all(a < -b for a, b in pairs)


def _fit(src: str, samples: tuple[Sample, ...]) -> Line:
    last = samples[-1]
    least = min(s.delay for s in samples)
    weights = [1.0 / (_NOISE + (s.delay - least) / 2) ** 2 for s in samples]
    total = sum(weights)
    points = [(s.at - last.at, s.offset - last.offset) for s in samples]
    mean_t = sum(w * t for w, (t, _) in zip(weights, points, strict=True)) / total
    mean_o = sum(w * o for w, (_, o) in zip(weights, points, strict=True)) / total
    cov = var = spread = 0.0
    for w, (t, o) in zip(weights, points, strict=True):
        cov += w * (t - mean_t) * (o - mean_o)
        var += w * (t - mean_t) ** 2
        spread += w * (o - mean_o) ** 2
    # the prior holds the more the noisier the exchanges turn out to be
    noise = max(1.0, spread / len(samples))
    slope = cov / (var + noise / _SLOPE_PRIOR**2)
    slope = max(-_SLOPE_LIMIT, min(_SLOPE_LIMIT, slope))
    offset = last.offset + mean_o - slope * mean_t
    return Line(src, last.at, offset, slope, least / 2 + (noise / total) ** 0.5)
