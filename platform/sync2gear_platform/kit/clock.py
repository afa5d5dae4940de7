"""Platform time: follows the machine's wall clock, is never stepped, only slewed."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sync2gear_broker.units import frames_from_micros, micros_from_frames

MAX_SLEW_PPM = 500
"""How much faster or slower than true platform time may run, as in ntpd's kernel discipline."""


def slewed(value: int, target: int, elapsed: int) -> int:
    """Platform time after ``elapsed`` microseconds: on ``target``, or as near as slewing allows.

    ``value`` is platform time one ``elapsed`` ago, ``target`` the wall clock now; all microseconds.
    """
    limit = elapsed * MAX_SLEW_PPM // 1_000_000
    free = value + elapsed
    return free + max(-limit, min(limit, target - free))


class Clock:
    """A clock that a wall clock stepped by an operator or NTP cannot tear."""

    def __init__(
        self,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._monotonic_ns = monotonic_ns
        self._wall_ns = wall_ns
        self._last = monotonic_ns() // 1000
        self._value = wall_ns() // 1000

    def micros(self) -> int:
        """Microseconds since the Unix epoch, never running backwards."""
        now = self._monotonic_ns() // 1000
        self._value = slewed(self._value, self._wall_ns() // 1000, now - self._last)
        self._last = now
        return self._value

    def frames(self) -> int:
        """The zone clock: frames of 48 kHz since the Unix epoch."""
        return frames_from_micros(self.micros())

    def now(self) -> datetime:
        """The same instant as an aware UTC datetime."""
        return datetime.fromtimestamp(self.micros() / 1_000_000, UTC)


def micros_of(moment: datetime) -> int:
    """Microseconds since the Unix epoch of an aware datetime."""
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def frames_of(moment: datetime) -> int:
    """The zone-clock frame at an aware datetime."""
    return frames_from_micros(micros_of(moment))


def moment_of(frames: int) -> datetime:
    """The aware UTC datetime of a frame of the zone clock."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros_from_frames(frames))
