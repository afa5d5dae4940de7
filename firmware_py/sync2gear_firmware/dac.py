"""When a card's frames are heard: a line through its delay reports. Pure.

Cards count frames on a crystal of their own, up to 100 ppm off, and say only roughly how much they
hold. A sound card's driver errs by some microseconds; a sound server's reports (measured with
PulseAudio) wander by some hundred, alike for a second or two, and just after the card was opened
they are wrong by 12 ms, which falls to a third every few seconds. So the line is a regression
over two minutes, with Gaussian priors on the crystal's rate and on what is fading, which distrusts
outliers (weights of Cauchy); reports so close together that they err alike count as one.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

WINDOW: Final = 120e6
"""Microseconds of reports that the line goes through."""
SURE: Final = 500_000
"""Microseconds of reports after which the line may be relied on."""
_POINT = 250_000
"""Microseconds of reports whose mean is a point."""
_ALIKE = 6
"""Points in a row that err alike."""
_ODD = 8000.0
_ODD_IN_A_ROW = 10
_RISING = 5e6
"""Microseconds after its opening for which a sound server's reports follow no rule."""
_FADES = 4e6
"""Microseconds in which their error falls to a third from then on."""
_EARLY = 12_000.0
"""By how many microseconds they err then."""
_STEPS = ((4, 20.0), (16, 5.0))
"""So many points that all are off by so many times their usual error, and alike, are a step."""
_LEAST_STEP = 300.0
_LEAST_NOISE = 30.0
_RATE = 50e-6
_BELIEF = np.diag([0.0, 1.0, 1.0])

_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Heard:
    """Frame ``frame`` is heard at local microsecond ``at``, each later one ``each`` after."""

    frame: int
    at: float
    each: float

    def when(self, frame: int) -> float:
        """Local microseconds at which ``frame`` of the card is heard."""
        return self.at + (frame - self.frame) * self.each


class Dac:
    """The model of one opened card of ``rate`` frames a second; reports come in order of frames."""

    def __init__(self, rate: int) -> None:
        self._each = 1e6 / rate
        self._points = np.empty((2, 0))  # frame and heard, against the first report
        self._zero = (0, 0.0)
        self._point: list[tuple[float, float]] = []
        self._odd: list[tuple[int, float]] = []
        self._noise = _LEAST_NOISE
        self._age = 0.0
        self.line: Heard | None = None
        self.steps = 0
        """How often the card lost or gained frames."""

    @property
    def sure(self) -> bool:
        """Whether the line may be relied on."""
        return self.line is not None and self._age >= SURE

    def add(self, frame: int, heard: float) -> None:
        """The card says that ``frame`` will be heard at local microsecond ``heard``."""
        if self.line is None and not self._point:
            self._zero = (frame, heard)
        age = heard - self._zero[1]
        off = 0.0 if self.line is None else abs(heard - self.line.when(frame))
        if off > _ODD and off > _ODD + float(_fading(age)):
            self._odd.append((frame, heard))
            if len(self._odd) == _ODD_IN_A_ROW:
                # they agree: the card lost or gained frames, so that what was before says nothing
                self.steps += 1
                self._begin_anew()
            return
        self._odd.clear()
        self._age = age
        self._point.append((frame - self._zero[0], age))
        if self.line is None or age - self._point[0][1] >= _POINT:
            self._take()

    def _begin_anew(self) -> None:
        reports, self._odd, self._point = self._odd, [], []
        self._points, self._zero = np.empty((2, 0)), reports[0]
        self._point = [(f - self._zero[0], h - self._zero[1]) for f, h in reports]
        self._age = self._point[-1][1]
        self._take()

    def _take(self) -> None:
        """The reports since the last point are one."""
        points = np.column_stack([self._points, np.mean(self._point, axis=0)])
        self._point = []
        age = points[1, -1]
        oldest = max(age - WINDOW, _RISING if age > 1.5 * _RISING else -WINDOW)
        self._points = points[:, points[1] >= oldest]
        self._follow()
        self._fit()

    def _follow(self) -> None:
        """Where the latest points agree that the card lost frames, move those before along.

        So the crystal is not forgotten, and the line need not wait until they leave the window.
        """
        frame, heard = self._points
        line, zero = self.line, self._zero
        if line is None:
            return
        for n, times in _STEPS:
            whens = line.at + (frame[-n:] + (zero[0] - line.frame)) * line.each - zero[1]
            off = heard[-n:] - whens
            step = float(np.median(off))
            least = max(_LEAST_STEP, times * self._noise) + float(_fading(heard[-n:][0]))
            if len(heard) > n and abs(step) > least and np.all(np.sign(step) * off > least / 2):
                heard[:-n] += step
                self.steps += 1
                return

    def _fit(self) -> None:
        frame, heard = self._points
        x = (frame - frame[-1]) * self._each
        y = heard - heard[-1] - x  # offset + rate error * x + what fades
        terms = np.stack([np.ones(len(x)), x * _RATE, _fading(heard)])
        noise, weight = _LEAST_NOISE, np.ones(len(x))
        found = np.zeros(3)
        for _ in range(3):
            weighed = terms * (weight / (_ALIKE * noise**2))
            found = np.linalg.solve(weighed @ terms.T + _BELIEF, weighed @ y)
            off = y - found @ terms
            noise = _usual(off)
            weight = 1 / (1 + (off / (3 * noise)) ** 2)  # those of Cauchy
        self._noise = noise
        level, rate = float(found[0]), float(found[1]) * _RATE
        zero_frame, zero_heard = self._zero
        at = zero_heard + float(heard[-1] + level)
        # the means of frames are no whole ones
        whole = int(frame[-1])
        each = self._each * (1 + rate)
        self.line = Heard(zero_frame + whole, at + (whole - float(frame[-1])) * each, each)


def _usual(off: _Floats) -> float:
    """The error of points that err alike, in microseconds: 1.48 times the median, a sigma."""
    first = len(off) % _ALIKE if len(off) >= _ALIKE else 0
    groups = off[first:].reshape(-1, min(_ALIKE, len(off))).mean(1)
    return max(_LEAST_NOISE, 1.48 * float(np.median(abs(groups))))


def _fading(age: float | _Floats) -> _Floats:
    """By how many microseconds a sound server's report may err so long after the first one."""
    fading: _Floats = _EARLY * np.exp(np.minimum(0.0, _RISING - np.asarray(age)) / _FADES)
    return fading
