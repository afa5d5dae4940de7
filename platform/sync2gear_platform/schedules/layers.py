"""Which schedule has a zone's music when, and which ones it beat."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from itertools import pairwise
from typing import Final, Literal

from sync2gear_platform.schedules.model import Breadth, Calendars, Schedule
from sync2gear_platform.schedules.occurrences import spans

BREADTHS: Final[tuple[Breadth, ...]] = ("zone", "tag", "floor", "location", "client")

Beaten = Literal["priority", "breadth", "weekly", "younger"]
"""What a rival lost by: it is less important, for more places, for any week, or made later."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A schedule that wants the music from ``start`` to ``end``."""

    start: int
    end: int
    schedule: Schedule


@dataclass(frozen=True, slots=True)
class Rival:
    """A schedule that wanted the music in the frames [start, end) too, and what it lost by."""

    schedule: Schedule
    lost: Beaten
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Reign:
    """Frames [start, end) in which one schedule has the music; ``begins``: with a span of its own.

    ``rivals`` wanted it meanwhile, each once for every stretch in which it did.
    """

    start: int
    end: int
    schedule: Schedule
    begins: bool
    rivals: tuple[Rival, ...] = ()


def rank(schedule: Schedule) -> tuple[int, int, bool, int]:
    """The order in which schedules win: the least one does.

    By priority, then the narrower target, then days of the calendar over days of any week, then
    the older one (ids rise with time).
    """
    days = schedule.timing.days
    dated = days.rule is not None and days.rule.frequency in {"MONTHLY", "YEARLY"}
    weekly = not dated and not days.only and (days.first is None or days.last is None)
    return -schedule.priority, BREADTHS.index(schedule.breadth), weekly, schedule.id.int


def beaten_by(rival: Schedule, winner: Schedule) -> Beaten:
    """What decided between two."""
    reasons: tuple[Beaten, ...] = ("priority", "breadth", "weekly", "younger")
    pairs = zip(reasons, rank(rival), rank(winner), strict=True)
    return next(reason for reason, theirs, ours in pairs if theirs != ours)


def claims(
    schedules: Iterable[Schedule], calendars: Calendars, zone: tzinfo, start: int, end: int
) -> list[Claim]:
    """The spans of music schedules that touch [start, end); those that meet are one.

    A schedule of all day, every day, does not begin again at midnight.
    """
    found: list[Claim] = []
    for schedule in schedules:
        mine: list[Claim] = []
        for span in spans(schedule.timing, calendars, zone, start, end):
            if mine and span.start <= mine[-1].end:
                mine[-1] = Claim(mine[-1].start, max(mine[-1].end, span.end), schedule)
            else:
                mine.append(Claim(span.start, span.end, schedule))
        found += mine
    return found


def reigns(wanted: Sequence[Claim], start: int, end: int) -> list[Reign]:
    """Who has the music in [start, end), in order; where nobody wants it there is none."""
    edges = {start, end} | {e for c in wanted for e in (c.start, c.end) if start < e < end}
    cuts = sorted(edges)
    coming = deque(sorted(wanted, key=lambda c: c.start))
    here: list[Claim] = []
    found: list[Reign] = []
    for a, b in pairwise(cuts):
        while coming and coming[0].start <= a:
            here.append(coming.popleft())
        here = sorted((c for c in here if c.end > a), key=lambda c: rank(c.schedule))
        if not here:
            continue
        best = here[0]
        last = found[-1] if found else None
        begins = best.start == a
        rivals = [Rival(c.schedule, beaten_by(c.schedule, best.schedule), a, b) for c in here[1:]]
        if last and last.end == a and last.schedule.id == best.schedule.id and not begins:
            whole = _longer(last.rivals, rivals)
            found[-1] = Reign(last.start, b, last.schedule, last.begins, whole)
            continue
        found.append(Reign(a, b, best.schedule, begins, tuple(rivals)))
    return found


def _longer(rivals: Sequence[Rival], more: Sequence[Rival]) -> tuple[Rival, ...]:
    """Rivals and those of the stretch after; who wanted it in both did so in one."""
    on = {one.schedule.id: one for one in more}
    joined = [
        replace(one, end=on.pop(one.schedule.id).end)
        if one.schedule.id in on and on[one.schedule.id].start == one.end
        else one
        for one in rivals
    ]
    return (*joined, *on.values())
