"""What time of the day it is: the platform's, as soon as it is known, else the machine's own.

The machine's clock may show 1970, or be stepped by hours while music plays. Nothing that sounds
depends on it; certificates and the hours for downloads do.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from sync2gear_firmware import machine
from sync2gear_firmware.clock import Line

log = logging.getLogger(__name__)

_STEP: Final = 1_000_000
_NAP: Final = 100_000
"""What is shorter than this is the two clocks read one after the other."""


@dataclass(slots=True)
class Wall:
    """``wall`` is the machine's clock in seconds since 1970; ``local`` and ``asleep`` are its
    monotonic clock and what that counted while the machine was suspended, in microseconds.
    """

    wall: Callable[[], float] = time.time
    local: Callable[[], int] = machine.local
    asleep: Callable[[], int] = machine.asleep
    disciplined: Callable[[], bool] = machine.disciplined
    _line: Line | None = field(default=None, init=False)
    _before: float | None = field(default=None, init=False)
    _slept: int | None = field(default=None, init=False)

    def follow(self, line: Line) -> None:
        """The platform's time lies on ``line``; one from a saved frame is no time of the day."""
        if not line.src:
            return
        first, self._line = self._line is None, line
        off = self.off()
        if first and off is not None and abs(off) >= _STEP / 1000:
            # who reads the log finds out what its stamps until now stand for
            log.warning("clock.wall_differs millis=%.0f ntp=%s", off, self.disciplined())

    def platform(self) -> float | None:
        """The platform's time in seconds since 1970, None before it was first known."""
        return None if self._line is None else self._line.platform(self.local()) / 1e6

    def now(self) -> float:
        """The best that is known, in seconds since 1970."""
        platform = self.platform()
        return self.wall() if platform is None else platform

    def doubted(self) -> bool:
        """Whether the machine's clock is an hour off the platform's, and no NTP server's either."""
        platform = self.platform()
        return (
            platform is not None and abs(self.wall() - platform) > 3600 and not self.disciplined()
        )

    def off(self) -> float | None:
        """By how many milliseconds the machine's clock is ahead of the platform's, if known."""
        platform = self.platform()
        return None if platform is None else round((self.wall() - platform) * 1000, 1)

    def look(self) -> int:
        """For how many microseconds the machine slept since the last look; logs a stepped clock."""
        ahead = self.wall() * 1e6 - self.local()
        before, self._before = self._before, ahead
        if before is not None and abs(ahead - before) >= _STEP:
            log.warning("clock.wall_stepped millis=%.0f", (ahead - before) / 1000)
        slept = self.asleep()
        last, self._slept = self._slept, slept
        return slept - last if last is not None and slept - last >= _NAP else 0
