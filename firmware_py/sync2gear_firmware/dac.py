"""When a card's frames are heard: a line through its delay reports. Pure.

Cards count frames on a crystal of their own, up to 100 ppm off, and say only roughly how much they
hold. The crystal's rate comes from a weighted regression over half a minute that distrusts outliers
(weights of Cauchy), with a Gaussian prior on it; reports so close together that they err alike
count as one. What the card holds comes from the last seconds alone: a sound server loses a
millisecond now and then.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

WINDOW: Final = 30e6
"""Microseconds of reports that the line goes through."""
SURE: Final = 500_000
"""Microseconds of reports after which the line may be relied on."""
_EVERY = 250_000
_ODD = 8000.0
_ODD_IN_A_ROW = 10
_LATELY = 1e6
_EARLY = 5e6
"""Microseconds of the first reports that do not count for long: a sound server's err by 10 ms."""
_SHIFT = 800.0
"""Microseconds that a card loses at once before it counts as a step."""
_PRIOR = 30e-6
_LOOKS = 10e-6
_FLOOR = 20.0
_LEVEL = 3e6
"""Microseconds of reports that say where the line stands; the whole window says how steep it is."""
_ROOM = 8192
_POINTS = 256


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
        self._reports = np.empty((2, _ROOM))  # frame and heard, against the first
        self._first, self._last = 0, 0
        self._zero = (0, 0.0)
        self._odd: list[tuple[int, float]] = []
        self._fitted = 0.0
        self.line: Heard | None = None
        self.steps = 0
        """How often the card lost or gained frames."""

    @property
    def sure(self) -> bool:
        """Whether the line may be relied on."""
        if self.line is None:
            return False
        heard = self._reports[1, self._first : self._last]
        return bool(heard[-1] - heard[0] >= SURE)

    def add(self, frame: int, heard: float) -> None:
        """The card says that ``frame`` will be heard at local microsecond ``heard``."""
        if self.line is not None and abs(heard - self.line.when(frame)) > _ODD:
            self._odd.append((frame, heard))
            if len(self._odd) < _ODD_IN_A_ROW:
                return
            # they agree: the card lost or gained frames, so that what was before says nothing now
            self.steps += 1
            odd, self._odd, self._first, self._last = self._odd, [], 0, 0
            for report in odd:
                self._keep(*report)
            self._fit()
            return
        self._odd.clear()
        self._keep(frame, heard)
        if self.line is None or heard - self._fitted >= _EVERY:
            self._follow()
            self._fit()

    def _keep(self, frame: int, heard: float) -> None:
        if self._last == 0:
            self._zero = (frame, heard)
        if self._last == _ROOM:
            kept = self._reports[:, self._first : self._last]
            self._first, self._last = 0, min(kept.shape[1], _ROOM // 2)
            self._reports[:, : self._last] = kept[:, -self._last :]
        self._reports[:, self._last] = frame - self._zero[0], heard - self._zero[1]
        self._last += 1
        age = float(self._reports[1, self._last - 1])
        oldest = max(age - WINDOW, _EARLY if age > 3 * _EARLY else 0)
        while self._reports[1, self._first] < oldest:
            self._first += 1

    def _follow(self) -> None:
        """Where the reports of a second agree that the card lost frames, move those before along.

        So the crystal is not forgotten, and the line need not wait until they leave the window.
        """
        frame, heard = self._reports[:, self._first : self._last]
        late = int(np.searchsorted(heard, heard[-1] - _LATELY))
        if self.line is None or heard[-1] < 2 * _EARLY:
            return
        line, zero = self.line, self._zero
        whens = line.at + (frame[late:] + (zero[0] - line.frame)) * line.each - zero[1]
        step = float(np.median(heard[late:] - whens))
        agree = np.mean(np.sign(step) * (heard[late:] - whens) > _SHIFT / 2)
        if abs(step) > _SHIFT and agree > 0.9:
            heard[:late] += step
            self.steps += 1

    def _fit(self) -> None:
        frame, heard = self._reports[:, self._first : self._last]
        x = (frame - frame[-1]) * self._each
        y = heard - heard[-1] - x  # offset + rate error * x
        each = len(x) // _POINTS
        if each > 1:  # means of neighbours say as much as they do, in a fraction of the time
            first = len(x) % each
            x, y = x[first:].reshape(-1, each).mean(1), y[first:].reshape(-1, each).mean(1)
        weight = np.ones(len(x))
        alike = max(1.0, len(x) / (1 - x[0] * _LOOKS))
        rate = level = 0.0
        for _ in range(3):
            total = weight.sum()
            mean_x, mean_y = weight @ x / total, weight @ y / total
            dx, dy = x - mean_x, y - mean_y
            sxx, sxy = weight @ (dx * dx), weight @ (dx * dy)
            rest = dy - (sxy / sxx if sxx > 0 else 0.0) * dx
            noise = max(1000.0, weight @ (rest * rest) / total)
            rate = sxy / (sxx + alike * noise / _PRIOR**2)
            level = mean_y - rate * mean_x
            off = y - level - rate * x
            weight = _trust(off)
        # the crystal is known from the whole window, what the card holds from the last seconds: a
        # sound server that lost a millisecond would be half a window out of step otherwise
        late = x >= -_LEVEL
        rest = y[late] - rate * x[late]
        level = float(np.median(rest))
        weight = _trust(rest - level)
        level = float(weight @ rest / weight.sum())
        zero_frame, zero_heard = self._zero
        at = zero_heard + float(heard[-1] + level)
        self.line = Heard(zero_frame + int(frame[-1]), at, self._each * (1 + float(rate)))
        self._fitted = zero_heard + float(heard[-1])


def _trust(off: NDArray[np.float64]) -> NDArray[np.float64]:
    """The weights of Cauchy of reports that are ``off`` the line."""
    spread = 3 * float(np.median(abs(off))) + 2 * _FLOOR
    weights: NDArray[np.float64] = 1 / (1 + (off / spread) ** 2)
    return weights
