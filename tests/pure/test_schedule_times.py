"""When a schedule happens: every policy at every jump of the clock, against counting minutes."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.kit.local_time import Fold, Gap, edge
from sync2gear_platform.schedules import ical
from sync2gear_platform.schedules.model import (
    At,
    Calendars,
    Days,
    Every,
    Minutes,
    Span,
    Special,
    Timing,
    When,
)
from sync2gear_platform.schedules.occurrences import frame_of, moment_of, points, spans

MINUTE = 60 * FRAME_RATE
HOLIDAYS = UUID(int=1)
YEARS = {
    "Europe/Berlin": (2026, 2028),
    "America/New_York": (2026, 2028),
    "Asia/Kolkata": (2027, 2029),
    "Australia/Lord_Howe": (2026, 2028),
    "Pacific/Apia": (2010, 2012),
    "UTC": (2027, 2029),
}
"""Two years of each, a leap day and the day that Samoa left out among them."""

JUMPS = {
    "Europe/Berlin": (date(2026, 3, 29), date(2026, 10, 25)),
    "America/New_York": (date(2026, 3, 8), date(2026, 11, 1)),
    "Australia/Lord_Howe": (date(2026, 10, 4), date(2026, 4, 5)),
    "Pacific/Apia": (date(2011, 12, 30), date(2011, 4, 2)),
}


def minutes_of(first: datetime, last: datetime) -> Iterator[datetime]:
    """Every minute, as UTC counts them."""
    while first < last:
        yield first
        first += timedelta(minutes=1)


def fired(timing: Timing, zone: str, first: datetime, last: datetime) -> list[datetime]:
    found = points(timing, Calendars(), ZoneInfo(zone), frame_of(first), frame_of(last))
    return [moment_of(point.at) for point in found]


def counted(
    times: set[time], gap: Gap, fold: Fold, zone: str, first: datetime, last: datetime
) -> list[datetime]:
    """The same by looking at a clock on the wall each minute, and at its jumps."""
    tz = ZoneInfo(zone)
    found = set()
    for instant in minutes_of(first - timedelta(days=2), last):
        local = instant.astimezone(tz)
        if local.time() in times and (fold == "both" or local.fold == 0):
            found.add(instant)
        before = (instant - timedelta(minutes=1)).astimezone(tz)
        jump = local.replace(tzinfo=None) - before.replace(tzinfo=None) - timedelta(minutes=1)
        if gap == "shift_forward" and jump > timedelta(0):
            left_out = before.replace(tzinfo=None) + timedelta(minutes=1)
            for passed in range(int(jump / timedelta(minutes=1))):
                if (left_out + timedelta(minutes=passed)).time() in times:
                    found.add(instant + timedelta(minutes=passed))
    return sorted(instant for instant in found if first <= instant < last)


def check_zone(zone: str, first: datetime, last: datetime, rng: random.Random) -> None:
    every_minute = Timing(when=Minutes(tuple(range(60))), gap="skip", fold="both")
    assert fired(every_minute, zone, first, last) == list(minutes_of(first, last))
    chosen = {time(rng.randrange(24), rng.randrange(60)) for _ in range(4)}
    chosen |= {time(0), time(2, 15), time(2, 30), time(23, 59)}
    for gap in ("skip", "shift_forward"):
        for fold in ("first", "both"):
            timing = Timing(when=At(tuple(chosen)), gap=gap, fold=fold)
            expected = counted(chosen, gap, fold, zone, first, last)
            assert fired(timing, zone, first, last) == expected, (gap, fold)


@pytest.mark.parametrize("zone", YEARS)
@pytest.mark.parametrize("which", [0, 1])
def test_around_a_jump_each_policy_fires_as_the_clock_on_the_wall_says(
    zone: str, which: int
) -> None:
    day = JUMPS.get(zone, (date(2028, 2, 29), date(2028, 12, 31)))[which]
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    check_zone(zone, noon - timedelta(days=2), noon + timedelta(days=2), random.Random(which))


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("zone", YEARS)
def test_over_two_years_of_minutes_each_policy_fires_as_written(zone: str) -> None:
    first, last = YEARS[zone]
    begin, end = datetime(first, 1, 1, tzinfo=UTC), datetime(last, 1, 1, tzinfo=UTC)
    check_zone(zone, begin, end, random.Random(7))


def test_by_default_a_skipped_time_is_an_hour_later_and_a_repeated_one_comes_once() -> None:
    berlin, half_past_two = ZoneInfo("Europe/Berlin"), Timing(when=At((time(2, 30),)))

    def local(day: int, month: int) -> list[str]:
        first = datetime(2026, month, day, tzinfo=UTC) - timedelta(hours=2)
        found = fired(half_past_two, "Europe/Berlin", first, first + timedelta(hours=24))
        return [instant.astimezone(berlin).isoformat() for instant in found]

    assert local(29, 3) == ["2026-03-29T03:30:00+02:00"]
    assert local(25, 10) == ["2026-10-25T02:30:00+02:00"]


def at_utc(day: int, hour: int, minute: int = 0) -> int:
    return frame_of(datetime(2027, 3, day, hour, minute, tzinfo=UTC))


def starts(timing: Timing, first: int, last: int, calendars: Calendars | None = None) -> list[str]:
    found = points(timing, calendars or Calendars(), UTC, at_utc(first, 0), at_utc(last, 0))
    return [moment_of(point.at).strftime("%d %H:%M") for point in found]


def test_a_span_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    """1 March 2027 is a Monday."""
    nights = Timing(span=Span(time(22), time(2)), days=Days(frozenset({0})), when=Every(60))
    assert starts(nights, 1, 9) == [
        "01 22:00", "01 23:00", "02 00:00", "02 01:00",
        "08 22:00", "08 23:00",
    ]  # fmt: skip
    late = Timing(span=Span(time(22), time(2)), when=At((time(1, 30), time(22, 30))))
    assert starts(late, 2, 3) == ["02 01:30", "02 22:30"]


def test_no_weekdays_mean_every_day_and_the_last_day_counts() -> None:
    timing = Timing(when=At((time(9),)), days=Days(first=date(2027, 3, 2), last=date(2027, 3, 4)))
    assert starts(timing, 1, 9) == ["02 09:00", "03 09:00", "04 09:00"]


def days_in(text: str, weekdays: frozenset[int], last: date | None = None) -> list[date]:
    """The days of 2027 of a schedule that recurs from Friday, the first of January, on."""
    days = Days(weekdays, date(2027, 1, 1), last, rule=ical.recurrence(text))
    first, end = datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
    timing = Timing(when=At((time(12),)), days=days)
    return [moment.date() for moment in fired(timing, "UTC", first, end)]


@given(
    st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    st.integers(1, 6),
    st.frozensets(st.integers(0, 6), max_size=3),
    st.one_of(st.none(), st.dates(date(2027, 1, 1), date(2027, 12, 31))),
)
def test_a_recurrence_leaves_the_days_on_which_all_agree(
    frequency: str, interval: int, weekdays: frozenset[int], last: date | None
) -> None:
    text = f"FREQ={frequency};INTERVAL={interval}"
    theirs = rrulestr(text, dtstart=datetime(2027, 1, 1, tzinfo=UTC)).between(
        datetime(2026, 12, 31, tzinfo=UTC), datetime(2027, 12, 31, tzinfo=UTC), inc=True
    )
    assert days_in(text, weekdays, last) == [
        moment.date()
        for moment in theirs
        if (not weekdays or moment.weekday() in weekdays)
        and (last is None or moment.date() <= last)
    ]


def test_every_second_week_and_the_first_monday_of_a_month() -> None:
    every = "MO,TU,WE,TH,FR,SA,SU"
    mondays = days_in(f"FREQ=WEEKLY;INTERVAL=2;BYDAY={every}", frozenset({0}))
    assert mondays[:3] == [date(2027, 1, 11), date(2027, 1, 25), date(2027, 2, 8)]
    firsts = ",".join(f"1{day}" for day in every.split(","))
    assert days_in(f"FREQ=MONTHLY;BYDAY={firsts}", frozenset({0}))[:3] == [
        date(2027, 1, 4), date(2027, 2, 1), date(2027, 3, 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["FREQ=HOURLY", "FREQ=DAILY;COUNT=3", "FREQ=DAILY;UNTIL=20270301", "FREQ=DAILY;BYHOUR=1",
     "INTERVAL=2", "FREQ", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;BYDAY=XX", "=;="],
)  # fmt: skip
def test_what_no_recurrence_of_days_is_is_refused(text: str) -> None:
    with pytest.raises(ical.BadRecurrence):
        ical.recurrence(text)


def test_special_days_have_hours_of_their_own_or_none() -> None:
    calendars = Calendars({HOLIDAYS: frozenset({date(2027, 3, 3)})})
    closing = Timing(span=Span(time(8), time(20)), when=Minutes((55,)))
    short = Timing(
        span=closing.span, when=closing.when, specials=(Special(HOLIDAYS, Span(time(8), time(10))),)
    )
    closed = Timing(span=closing.span, when=closing.when, specials=(Special(HOLIDAYS),))
    only = Timing(when=At((time(12),)), days=Days(only=frozenset({HOLIDAYS})))
    never = Timing(when=At((time(12),)), days=Days(never=frozenset({HOLIDAYS})))
    assert starts(short, 3, 4, calendars) == ["03 08:55", "03 09:55"]
    assert starts(closed, 3, 4, calendars) == []
    assert starts(only, 1, 9, calendars) == ["03 12:00"]
    assert starts(never, 2, 5, calendars) == ["02 12:00", "04 12:00"]


def test_every_twenty_minutes_by_the_wall_or_by_what_has_passed() -> None:
    """In Lord Howe the clock goes half an hour forward on 4 October 2026, at two."""
    first = datetime(2026, 10, 3, 14, 30, tzinfo=UTC)
    zone = ZoneInfo("Australia/Lord_Howe")

    def local(anchored: bool) -> list[str]:
        timing = Timing(span=Span(time(1), time(4)), when=Every(45, anchored=anchored), gap="skip")
        found = fired(timing, "Australia/Lord_Howe", first, first + timedelta(hours=4))
        return [instant.astimezone(zone).strftime("%H:%M") for instant in found]

    assert local(anchored=True) == ["01:00", "01:45", "02:30", "03:15"]
    assert local(anchored=False) == ["01:00", "01:45", "03:00", "03:45"]


whens: st.SearchStrategy[When] = st.one_of(
    st.lists(st.times().map(lambda t: t.replace(microsecond=0)), min_size=1, max_size=3).map(
        lambda times: At(tuple(times))
    ),
    st.lists(st.integers(0, 59), min_size=1, max_size=3).map(lambda m: Minutes(tuple(m))),
    st.builds(Every, st.integers(1, 600), anchored=st.booleans()),
)
timings = st.builds(
    Timing,
    span=st.builds(
        Span, st.times().map(lambda t: t.replace(microsecond=0, second=0)),
        st.times().map(lambda t: t.replace(microsecond=0, second=0)),
    ),
    days=st.builds(Days, st.frozensets(st.integers(0, 6))),
    when=whens,
    gap=st.sampled_from(["skip", "shift_forward"]),
    fold=st.sampled_from(["first", "both"]),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(timings, st.sampled_from(sorted(JUMPS)), st.integers(0, 1), st.data())
def test_what_happens_does_not_depend_on_where_somebody_cuts_the_time(
    timing: Timing, zone: str, which: int, data: st.DataObject
) -> None:
    day = JUMPS[zone][which]
    noon = frame_of(datetime(day.year, day.month, day.day, 12, tzinfo=UTC))
    a, c = noon - 2880 * MINUTE, noon + 2880 * MINUTE
    b = data.draw(st.integers(a, c))
    tz, none = ZoneInfo(zone), Calendars()
    whole = points(timing, none, tz, a, c)
    assert points(timing, none, tz, a, b) + points(timing, none, tz, b, c) == whole
    stretches = spans(timing, none, tz, a, c)
    assert set(spans(timing, none, tz, a, b)) | set(spans(timing, none, tz, b, c)) == set(stretches)
    for point in whole:  # nothing starts outside its span, unless the clock moved it
        local = moment_of(point.at).astimezone(tz).replace(tzinfo=None)
        assert edge(datetime.combine(point.day, timing.span.start), tz) <= moment_of(point.at), (
            local
        )


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(JUMPS)), st.integers(0, 1), st.integers(0, 1439), st.integers(1, 1439)
)
def test_spans_that_meet_on_the_clock_meet_in_fact(
    zone: str, which: int, start: int, length: int
) -> None:
    """A day that is cut in two has no hole and no overlap, on whichever day."""

    def at(minute: int) -> time:
        return time(minute % 1440 // 60, minute % 60)

    tz, day = ZoneInfo(zone), JUMPS[zone][which]
    noon = frame_of(datetime(day.year, day.month, day.day, 12, tzinfo=UTC))
    a, c = noon - 2880 * MINUTE, noon + 2880 * MINUTE
    one = Timing(span=Span(at(start), at(start + length)))
    other = Timing(span=Span(at(start + length), at(start)))
    both = sorted([*spans(one, Calendars(), tz, a, c), *spans(other, Calendars(), tz, a, c)])
    assert both[0].start <= a
    assert both[-1].end >= c
    assert all(x.end == y.start for x, y in pairwise(both))
