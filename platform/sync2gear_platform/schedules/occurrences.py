"""From a schedule's words to instants: its spans and its starts in a stretch of time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

from sync2gear_broker.units import frames_from_micros, micros_from_frames
from sync2gear_platform.kit import local_time
from sync2gear_platform.schedules import recurrence
from sync2gear_platform.schedules.model import (
    AfterTracks,
    At,
    Calendars,
    Days,
    Every,
    Minutes,
    Paced,
    Share,
    Span,
    Timing,
)

LOOK_BACK: Final = timedelta(days=3)
"""How far before a stretch a day may begin whose span or jump reaches into it."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, order=True)
class Occurrence:
    """The frames [start, end) of a span, and the day to which it belongs."""

    start: int
    end: int
    day: date


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """A frame at which an announcement is to begin, and the day to which it belongs."""

    at: int
    day: date


def frame_of(instant: datetime) -> int:
    """The frame of the zone clock at an instant."""
    return frames_from_micros((instant - _EPOCH) // _MICRO)


def moment_of(frame: int) -> datetime:
    """The instant (UTC) of a frame."""
    return _EPOCH + micros_from_frames(frame) * _MICRO


def spans(
    timing: Timing, calendars: Calendars, zone: tzinfo, start: int, end: int
) -> list[Occurrence]:
    """The spans that touch the frames [start, end), in order, as long as they are (not cut)."""
    found = []
    for day, span in _days(timing, calendars, zone, start, end):
        begins, ends = _edges(day, span, zone)
        if begins < ends and begins < end and ends > start:
            found.append(Occurrence(begins, ends, day))
    return sorted(found)


def points(timing: Timing, calendars: Calendars, zone: tzinfo, start: int, end: int) -> list[Point]:
    """The frames of [start, end) at which the schedule starts something, in order, each once."""
    when = timing.when
    if when is None or isinstance(when, AfterTracks | Share):
        return []
    found: dict[int, Point] = {}
    for day, span in _days(timing, calendars, zone, start, end):
        if isinstance(when, Every) and not when.anchored:
            frames = list(_elapsed(day, span, zone, when.minutes))
        else:
            frames = _frames(timing, _readings(when, day, span), _bounds(day, span), zone)
        for frame in frames:
            if start <= frame < end:
                found.setdefault(frame, Point(frame, day))
    return sorted(found.values())


def _frames(
    timing: Timing, readings: Iterator[datetime], within: tuple[datetime, datetime], zone: tzinfo
) -> list[int]:
    """The frames of these readings; on all but two days of the year that is a difference."""
    offset = local_time.steady(*within, zone)
    if offset is not None:
        epoch = _EPOCH.replace(tzinfo=None) + offset
        return [frames_from_micros((local - epoch) // _MICRO) for local in readings]
    return [
        frame_of(instant)
        for local in readings
        for instant in local_time.instants(local, zone, gap=timing.gap, fold=timing.fold)
    ]


def _days(
    timing: Timing, calendars: Calendars, zone: tzinfo, start: int, end: int
) -> Iterator[tuple[date, Span]]:
    """The days that may reach into [start, end) and on which the schedule is, with their spans."""
    day = (moment_of(start) - LOOK_BACK).astimezone(zone).date()
    last = (moment_of(end) + timedelta(days=1)).astimezone(zone).date()
    recurring = _recurring(timing.days, day, last)
    while day <= last:
        span = _span_on(timing, calendars, day) if recurring is None or day in recurring else None
        if span is not None:
            yield day, span
        day += timedelta(days=1)


def _span_on(timing: Timing, calendars: Calendars, day: date) -> Span | None:
    """The schedule's span of ``day``: its own, that of a special day, or none."""
    if not _in_days(timing.days, calendars, day):
        return None
    for special in timing.specials:
        if calendars.has(special.calendar, day):
            return special.span
    return timing.span


def _recurring(days: Days, first: date, last: date) -> set[date] | None:
    """The days of a recurrence within [first, last]; ``None`` where there is no rule."""
    if days.rule is None or days.first is None:
        return None
    return set(recurrence.days(days.rule, days.first, first, last, recurrence.Budget()))


def _in_days(days: Days, calendars: Calendars, day: date) -> bool:
    return (
        (not days.weekdays or day.weekday() in days.weekdays)
        and (days.first is None or day >= days.first)
        and (days.last is None or day <= days.last)
        and (not days.only or any(calendars.has(c, day) for c in days.only))
        and not any(calendars.has(c, day) for c in days.never)
    )


def _bounds(day: date, span: Span) -> tuple[datetime, datetime]:
    """The readings of the wall clock at which the span of ``day`` begins and ends."""
    begins = datetime.combine(day, span.start)
    ends = datetime.combine(day, span.end)
    return begins, ends if span.end > span.start else ends + timedelta(days=1)


def _edges(day: date, span: Span, zone: tzinfo) -> tuple[int, int]:
    begins, ends = _bounds(day, span)
    return frame_of(local_time.edge(begins, zone)), frame_of(local_time.edge(ends, zone))


def _readings(when: At | Minutes | Every | Paced, day: date, span: Span) -> Iterator[datetime]:
    """The readings of the wall clock at which the schedule starts, on one day's span."""
    begins, ends = _bounds(day, span)
    if isinstance(when, At):
        for moment in when.times:
            yield from _inside(datetime.combine(day, moment), begins, ends)
    elif isinstance(when, Minutes):
        yield from _hourly([minute * 60 for minute in when.minutes], begins, ends)
    elif isinstance(when, Paced):
        yield from _hourly(when.seconds, begins, ends)
    else:
        local = begins
        while local < ends:
            yield local
            local += timedelta(minutes=when.minutes)


def _hourly(seconds: Sequence[int], begins: datetime, ends: datetime) -> Iterator[datetime]:
    """These seconds of each hour from one reading to before another."""
    hour = begins.replace(minute=0, second=0, microsecond=0)
    while hour < ends:
        for second in seconds:
            if begins <= hour + timedelta(seconds=second) < ends:
                yield hour + timedelta(seconds=second)
        hour += timedelta(hours=1)


def _inside(local: datetime, begins: datetime, ends: datetime) -> Iterator[datetime]:
    """``local``, or the same time of the day after, where the span reaches there."""
    for reading in (local, local + timedelta(days=1)):
        if begins <= reading < ends:
            yield reading


def _elapsed(day: date, span: Span, zone: tzinfo, minutes: int) -> Iterator[int]:
    begins, ends = _edges(day, span, zone)
    yield from range(begins, ends, frames_from_micros(minutes * 60_000_000))
