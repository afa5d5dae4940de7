"""Schedules as values: what somebody asks for, without rows and without places."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time
from hashlib import sha256
from itertools import accumulate
from typing import Literal
from uuid import UUID

from sync2gear_platform.channels.model import Piece
from sync2gear_platform.kit.local_time import Fold, Gap
from sync2gear_platform.schedules.recurrence import Rule

Breadth = Literal["zone", "tag", "floor", "location", "client"]
"""How wide a schedule's target is; the narrower one wins where priorities are equal."""


Begin = Literal["restart", "continue", "next"]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the day [start, end); it belongs to the day on which it begins.

    An ``end`` at or before ``start`` is on the following day; equal ones are a whole day.
    """

    start: time = time(0)
    end: time = time(0)


@dataclass(frozen=True, slots=True)
class Days:
    """On which days something happens, by the date on which it begins.

    ``weekdays``: 0 is Monday, none means every day. ``first`` and ``last`` are both included.
    ``only`` and ``never`` name calendars: days that are in one of ``only``, if there are any, and
    in none of ``never``. Of a ``rule`` they are days too: it is counted from ``first`` on, and so
    needs it.
    """

    weekdays: frozenset[int] = frozenset()
    first: date | None = None
    last: date | None = None
    only: frozenset[UUID] = frozenset()
    never: frozenset[UUID] = frozenset()
    rule: Rule | None = None


@dataclass(frozen=True, slots=True)
class Special:
    """Days of a calendar that have hours of their own; no ``span``: nothing happens on them."""

    calendar: UUID
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class At:
    """At these times of the day."""

    times: tuple[time, ...]


@dataclass(frozen=True, slots=True)
class Minutes:
    """At these minutes (0 to 59) of each hour of the span."""

    minutes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Every:
    """Every so many minutes from the span's beginning on.

    ``anchored`` reads the clock on the wall (09:00, 09:20, ...); otherwise the time that has passed
    counts, also over a change of the clocks.
    """

    minutes: int
    anchored: bool = True


@dataclass(frozen=True, slots=True)
class AfterTracks:
    """After every so many tracks of music while the span lasts."""

    tracks: int


@dataclass(frozen=True, slots=True)
class Share:
    """For so many seconds of each hour of the span, evenly (``share.py`` says when)."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Paced:
    """At these seconds (0 to 3599) of each hour of the span: what a share comes to."""

    seconds: tuple[int, ...]


When = At | Minutes | Every | AfterTracks | Share | Paced | None
"""What starts an announcement; ``None`` for music, which the span itself starts and ends."""


@dataclass(frozen=True, slots=True)
class Timing:
    """When a schedule wants to be heard, by the venue's clock."""

    span: Span = Span()
    days: Days = Days()
    specials: tuple[Special, ...] = ()
    when: When = None
    gap: Gap = "shift_forward"
    fold: Fold = "first"


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours in which nothing that is planned is announced; without ``music`` none plays either."""

    span: Span
    days: Days = Days()
    music: bool = True


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of an announcement a zone hears; 0 asks nothing.

    ``max_per_hour`` counts hours of the clock, ``min_gap`` is in milliseconds from start to start,
    also between the announcements of one ``group``.
    """

    max_per_hour: int = 0
    min_gap: int = 0
    group: str = ""


@dataclass(frozen=True, slots=True)
class Start:
    """How an announcement takes the zone; durations in milliseconds.

    Of music only ``mode`` and ``max_wait`` count: whether it waits for the end of what plays.
    ``late_by``: after which it is dropped and recorded as missed; null waits for ever.
    """

    mode: Literal["cut", "next", "wait"] = "cut"
    max_wait: int = 0
    late_by: int | None = 60_000
    mix: Literal["pause", "duck", "mix"] = "pause"
    duck: int = -1500
    fade_in: int = 0
    fade_out: int = 0
    gain: int = 0
    on_cut: Literal["drop", "restart"] = "drop"


@dataclass(frozen=True, slots=True)
class Schedule:
    """One wish: ``channel`` for music, ``message`` for an announcement.

    ``priority`` is 0 to 100. ``begin`` is where a channel's music goes on when its span begins
    again: ``restart`` from the top, ``continue`` where it was cut off, ``next`` one item later;
    ``on_end`` says the same of the music that this schedule took the zone from.
    """

    id: UUID
    name: str
    timing: Timing
    channel: UUID | None = None
    message: UUID | None = None
    priority: int = 30
    breadth: Breadth = "zone"
    begin: Begin = "next"
    on_end: Begin = "continue"
    start: Start = Start()
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class Message:
    """An announcement with its variants; ``evergreen`` is heard when no other one is valid.

    Of those valid on a day one is chosen for each time, in shares of their weights.
    """

    id: UUID
    variants: tuple[tuple[Piece, int], ...]
    evergreen: Piece | None = None

    def chosen(self, on: date, at: int, minute: int = 0) -> Piece | None:
        """The variant for the frame ``at``, that minute of that day; the same for whoever asks."""
        valid = [(p, weight) for p, weight in self.variants if p.is_valid(on, minute)]
        total = sum(weight for _, weight in valid)
        if total <= 0:
            return self.evergreen
        drawn = int.from_bytes(sha256(f"{self.id}:{at}".encode()).digest()[:8]) % total
        sums = accumulate(weight for _, weight in valid)
        return next(p for (p, _), below in zip(valid, sums, strict=True) if drawn < below)


@dataclass(frozen=True, slots=True)
class Calendars:
    """Named sets of days by id."""

    days: Mapping[UUID, frozenset[date]] = field(default_factory=dict)

    def has(self, calendar: UUID, day: date) -> bool:
        """Whether ``day`` is in the calendar; one that is gone has no days."""
        return day in self.days.get(calendar, frozenset())
