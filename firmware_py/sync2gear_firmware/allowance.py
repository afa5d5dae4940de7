"""What a speaker may take of its shop's network, how fast and when; and what it must be given."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_DAY: Final = 24 * 60
_WINDOW: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


def window(text: str) -> tuple[int, int] | None:
    """``22:00-06:00`` as minutes of the day, "" as None; ``ValueError`` on anything else."""
    if not text:
        return None
    found = _WINDOW.fullmatch(text)
    if found is None:
        raise ValueError("must be HH:MM-HH:MM")
    a, b, c, d = (int(part) for part in found.groups())
    return 60 * a + b, 60 * c + d


def within(minute: int, hours: tuple[int, int] | None) -> bool:
    """Whether a minute of the day lies in ``hours``, which may go over midnight; None: always."""
    if hours is None:
        return True
    begin, end = hours
    return (minute - begin) % _DAY < (end - begin) % _DAY or begin == end


def zone_of(name: str) -> ZoneInfo | None:
    """The time zone ``name``; None, which is the machine's own, where it is "" or unknown here."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        return None


class TooSlow(Exception):  # noqa: N818 - said of a server, not of us
    """A server gives so little that it is better given up for now."""


@dataclass(slots=True)
class Allowance:
    """At most ``rate`` bytes a second (0: any), and only within ``hours`` of the day in ``zone``
    (None: the machine's).

    A server that gives less than ``least`` bytes a second over ``patience`` seconds is given up for
    now. At a fifth of what the slowest mobile line carries (GPRS, 5 kB/s) a song takes an hour and
    a half: it is needed sooner, and what another server or the next attempt gives is not. ``wall``
    gives seconds since 1970, ``monotonic`` seconds since whenever. One thread uses it.
    """

    rate: int = 0
    hours: tuple[int, int] | None = None
    zone: ZoneInfo | None = None
    least: int = 1024
    patience: float = 60.0
    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    _free_at: float = field(default=0.0, init=False)

    def open(self) -> bool:
        """Whether it is one of the hours."""
        local = datetime.fromtimestamp(self.wall(), self.zone)
        return within(60 * local.hour + local.minute, self.hours)

    def steady(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """``chunks`` as they come; ``TooSlow`` after too few. What their reader takes its time for
        is not the server's fault.
        """
        waited, taken = 0.0, 0
        while True:
            began = self.monotonic()
            chunk = next(chunks, None)
            if chunk is None:
                return
            waited += self.monotonic() - began
            taken += len(chunk)
            if waited >= self.patience:
                if taken < self.least * waited:
                    raise TooSlow("too_slow")
                waited, taken = 0.0, 0
            yield chunk

    def pause(self, taken: int) -> float:
        """How many seconds to wait after ``taken`` bytes so that the rate is kept."""
        if self.rate == 0:
            return 0.0
        now = self.monotonic()
        self._free_at = max(self._free_at, now) + taken / self.rate
        return self._free_at - now
