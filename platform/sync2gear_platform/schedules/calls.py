"""Which announcements a zone hears when, and which it does not: limits of number and distance."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Final, Literal

from sync2gear_broker.units import FRAME_RATE, frames_from_millis
from sync2gear_platform.schedules.layers import rank
from sync2gear_platform.schedules.model import Calendars, Schedule
from sync2gear_platform.schedules.occurrences import moment_of, points

MEMORY: Final = 24 * 3600 * FRAME_RATE
"""For how long a start counts against a limit; no gap is longer."""

Dropped = Literal["max_per_hour", "min_gap", "group_gap", "quiet_hours"]


@dataclass(frozen=True, slots=True)
class Call:
    """One announcement of a schedule at a frame; ``dropped``: why the zone does not hear it."""

    at: int
    schedule: Schedule
    dropped: Dropped | None = None

    @property
    def id(self) -> str:
        """Its name in programmes and proofs of play: the same whenever it is worked out."""
        return f"{self.schedule.id.hex}.{self.at // FRAME_RATE}"


@dataclass(frozen=True, slots=True)
class Past:
    """When the zone heard what: frames of starts by schedule, and by group, rising."""

    schedules: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    groups: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def calls(
    schedules: Iterable[Schedule],
    calendars: Calendars,
    zone: tzinfo,
    past: Past,
    start: int,
    end: int,
    hush: Callable[[int], bool] = lambda _: False,
) -> tuple[list[Call], Past]:
    """The announcements of [start, end) in order, dropped ones among them; and the past after it.

    First come, first heard; of those at one frame the one that ranks higher. ``hush`` says at which
    frames nothing is announced.
    """
    ranked = sorted(schedules, key=rank)
    wanted = sorted(
        (point.at, place)
        for place, schedule in enumerate(ranked)
        for point in points(schedule.timing, calendars, zone, start, end)
    )
    alone = {key: list(starts) for key, starts in past.schedules.items()}
    grouped = {key: list(starts) for key, starts in past.groups.items()}
    found = []
    for at, place in wanted:
        schedule = ranked[place]
        mine = alone.setdefault(schedule.id.hex, [])
        limits = schedule.limits
        others = grouped.setdefault(limits.group, []) if limits.group else []
        dropped = "quiet_hours" if hush(at) else _refusal(schedule, zone, mine, others, at)
        found.append(Call(at, schedule, dropped))
        if dropped is None:
            mine.append(at)
            if limits.group:
                others.append(at)
    return found, Past(_recent(alone, end), _recent(grouped, end))


def _refusal(
    schedule: Schedule, zone: tzinfo, mine: Sequence[int], others: Sequence[int], at: int
) -> Dropped | None:
    limits = schedule.limits
    gap = frames_from_millis(limits.min_gap)
    if gap and mine and at - mine[-1] < gap:
        return "min_gap"
    if gap and others and at - others[-1] < gap:
        return "group_gap"
    most = limits.max_per_hour
    if most and len(mine) >= most and mine[-most] >= hour_of(at, zone):
        return "max_per_hour"
    return None


def hour_of(frame: int, zone: tzinfo) -> int:
    """The frame at which the hour of the wall clock began in which ``frame`` lies."""
    return hour_by(frame, moment_of(frame).astimezone(zone))


def hour_by(frame: int, local: datetime) -> int:
    """The same where it is known what the clock on the wall shows then."""
    passed = local.minute * 60 + local.second
    return frame - frame % FRAME_RATE - passed * FRAME_RATE


def _recent(starts: Mapping[str, Sequence[int]], now: int) -> dict[str, tuple[int, ...]]:
    return {k: kept for k, v in starts.items() if (kept := tuple(t for t in v if now - t < MEMORY))}
