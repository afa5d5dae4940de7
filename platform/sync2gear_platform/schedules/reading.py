"""Rows of schedules as values: what the database holds is what ``model`` says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any, cast
from uuid import UUID

from sync2gear_platform.kit.local_time import Fold, Gap
from sync2gear_platform.schedules import ical
from sync2gear_platform.schedules.model import (
    AfterTracks,
    At,
    Begin,
    Breadth,
    Days,
    Every,
    Limits,
    Minutes,
    Quiet,
    Schedule,
    Share,
    Span,
    Special,
    Start,
    Timing,
    When,
)
from sync2gear_platform.schedules.places import Target
from sync2gear_platform.schedules.tables import DayPart, ScheduleCalendar, ScheduleTarget
from sync2gear_platform.schedules.tables import Schedule as Row


@dataclass(frozen=True, slots=True)
class Wish:
    """A schedule's row with what it shares, where it holds, and its calendars in their order."""

    row: Row
    day_part: DayPart | None
    level: int | None
    targets: tuple[Target, ...]
    calendars: tuple[ScheduleCalendar, ...]


def schedule_of(wish: Wish, breadth: Breadth) -> Schedule:
    """The schedule as it is meant for a zone that is named so narrowly."""
    row = wish.row
    span = wish.day_part or row
    return Schedule(
        id=row.id,
        name=row.name,
        timing=Timing(
            span=Span(span.start_time, span.end_time),
            days=Days(
                weekdays=frozenset(row.days_of_week),
                first=row.first_date,
                last=row.last_date,
                rule=ical.recurrence(row.recurrence) if row.recurrence else None,
                only=_named(wish.calendars, "only"),
                never=_named(wish.calendars, "never"),
            ),
            specials=tuple(_special(one) for one in wish.calendars if one.part == "special"),
            when=when_of(row.when),
            gap=cast("Gap", row.gap),
            fold=cast("Fold", row.fold),
        ),
        channel=row.channel_id or row.folder_id,
        message=row.announcement_id,
        priority=row.priority if wish.level is None else wish.level,
        breadth=breadth,
        begin=cast("Begin", row.begin),
        on_end=cast("Begin", row.on_end),
        start=start_of(row.start),
        limits=limits_of(row.limits),
    )


def target_of(row: ScheduleTarget) -> Target:
    """A target as a value."""
    subject: UUID | str = row.location_id or row.floor_id or row.zone_id or row.tag
    return Target(cast("Any", row.scope), subject, row.excluded)


def when_of(document: Mapping[str, Any] | None) -> When:
    """What starts an announcement, from its document."""
    if document is None:
        return None
    match document["kind"]:
        case "at":
            return At(tuple(time.fromisoformat(one) for one in document["times"]))
        case "minutes":
            return Minutes(tuple(document["minutes"]))
        case "every":
            return Every(document["minutes"], document["anchored"])
        case "share":
            return Share(document["seconds_per_hour"])
        case _:
            return AfterTracks(document["tracks"])


def start_of(document: Mapping[str, Any]) -> Start:
    """How an announcement takes the zone, from its document; what it does not say is usual."""
    names = {f"{name}_millis": name for name in ("max_wait", "late_by", "fade_in", "fade_out")}
    return Start(**{names.get(key, key): value for key, value in document.items()})


def quiet_of(documents: Sequence[Mapping[str, Any]]) -> tuple[Quiet, ...]:
    """Quiet hours, from their documents; what one does not say is usual."""
    return tuple(
        Quiet(
            Span(time.fromisoformat(one["start_time"]), time.fromisoformat(one["end_time"])),
            Days(frozenset(one.get("days_of_week", ()))),
            one.get("music", True),
        )
        for one in documents
    )


def limits_of(document: Mapping[str, Any]) -> Limits:
    """How much is heard, from its document."""
    names = {"min_gap_millis": "min_gap"}
    return Limits(**{names.get(key, key): value for key, value in document.items()})


def _named(parts: Sequence[ScheduleCalendar], part: str) -> frozenset[UUID]:
    return frozenset(one.calendar_id for one in parts if one.part == part)


def _special(row: ScheduleCalendar) -> Special:
    if row.start_time is None or row.end_time is None:
        return Special(row.calendar_id)
    return Special(row.calendar_id, Span(row.start_time, row.end_time))
