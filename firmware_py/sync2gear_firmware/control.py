"""Where and how fast an opened card reads the zone so that it is heard on the zone clock. Pure.

Proportional control with a slew limit: so that ears do not notice, the ratio is off by a few parts
in ten thousand at most, and changes by parts in a hundred thousand. What is too far is jumped.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sync2gear_broker.units import FRAME_RATE
from sync2gear_firmware.clock import Line
from sync2gear_firmware.dac import Dac

JUMP: Final = FRAME_RATE * 15 // 1000
"""An error in frames beyond this is taken at once, with a short crossfade."""
NEAR: Final = FRAME_RATE * 2 // 1000
"""An error in frames beyond this is taken at once where sound was broken."""
SETTLING: Final = 4.0
"""Seconds for which it has."""
MOST: Final = 800e-6
"""The correction never exceeds this share of the rate."""
STEP: Final = 20e-6
"""The ratio changes by at most this in 10 ms."""
SECONDS: Final = 3.0
"""The time in which an error shrinks to a third."""

_SURELY = 20.0


@dataclass(frozen=True, slots=True)
class Course:
    """The ratio in force and the correction within it; ``ratio`` None: not begun."""

    ratio: float | None = None
    correction: float = 0.0


def steer(
    course: Course, error: float, natural: float, far: float = JUMP, step: float = STEP
) -> tuple[Course, int]:
    """The course for the next block, and frames to jump before it.

    ``error`` is by how many frames the position lags, more than ``far`` is jumped; ``natural`` the
    ratio that keeps the lag. The ratio changes by at most ``step``.
    """
    jump = 0
    if abs(error) > far:
        jump = round(error)
        error, course = error - jump, Course()
    wanted = _limited(error / (SECONDS * FRAME_RATE), 0.0, MOST)
    correction = _limited(wanted, course.correction, step)
    ratio = natural + correction
    if course.ratio is not None:
        ratio = _limited(ratio, course.ratio, step)
    return Course(ratio, correction), jump


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a block reads: from ``part`` of a frame after ``frame`` on, at ``ratio``.

    ``jump`` is by how many frames it does not begin where the block before ended.
    """

    frame: int
    part: float
    ratio: float
    jump: int


class Pace:
    """The position of one opened card of ``rate`` frames a second.

    ``error`` is by how many frames the last block lagged; ``jumps`` counts what was not smooth.
    """

    def __init__(self, rate: int = FRAME_RATE) -> None:
        self._dac = Dac(rate)
        self._rate = rate
        self._steps = 0
        self._settled = 0
        self._written = 0
        self._course = Course()
        self._frame, self._part = 0, 0.0
        self.error = 0.0
        self.jumps = 0

    @property
    def ratio(self) -> float | None:
        """Frames of the zone in one frame of the card; None before sound begins."""
        return self._course.ratio

    @property
    def next(self) -> float | None:
        """Local microseconds at which the next block is heard; None until that is sure."""
        model = self._dac.line
        return model.when(self._written) if model is not None and self._dac.sure else None

    @property
    def written(self) -> int:
        """Frames that the card was given."""
        return self._written

    def report(self, frame: int, heard: float) -> None:
        """The card says that its ``frame`` is heard at local microsecond ``heard``."""
        self._dac.add(frame, heard)

    def step(
        self, n: int, line: Line | None, trim: int, begin: Callable[[int], bool]
    ) -> Stretch | None:
        """What the next ``n`` frames read.

        ``trim`` are frames by which the output is early. Once the card is known by its reports
        ``begin`` is asked whether sound may begin at a frame; None until it may.
        """
        first = self._written
        self._written += n
        model = self._dac.line
        if line is None or model is None:
            return None
        whole, part = line.position(model.when(first))
        whole += trim
        if self._course.ratio is None:
            if not self._dac.sure or not begin(whole):
                return None
            self._frame, self._part = whole, part
        if self._dac.steps != self._steps:
            self._steps = self._dac.steps
            self._settled = first + round(SETTLING * self._rate)
        self.error = whole - self._frame + part - self._part
        natural = model.each * (1 + line.slope) * FRAME_RATE / 1e6
        # what the clock is not sure of yet is not jumped after
        unsure = _SURELY * line.spread * FRAME_RATE / 1e6
        far = min(JUMP, max(NEAR, unsure)) if first < self._settled else JUMP
        step = STEP * n / (self._rate / 100)
        self._course, jump = steer(self._course, self.error, natural, far, step)
        ratio = self._course.ratio or natural
        self.jumps += jump != 0
        read = Stretch(self._frame + jump, self._part, ratio, jump)
        over = int(self._part + ratio * n)
        self._frame, self._part = read.frame + over, self._part + ratio * n - over
        return read


def _limited(value: float, around: float, by: float) -> float:
    return min(max(value, around - by), around + by)
