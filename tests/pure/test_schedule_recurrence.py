"""Days that recur, compared with another implementation; and files of strangers."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from dateutil.rrule import DAILY, MONTHLY, WEEKLY, YEARLY, rrule, weekday
from hypothesis import given
from hypothesis import strategies as st

from sync2gear_platform.schedules import ical
from sync2gear_platform.schedules.recurrence import Budget, Rule, TooMuch, days

FREQUENCIES = {"DAILY": DAILY, "WEEKLY": WEEKLY, "MONTHLY": MONTHLY, "YEARLY": YEARLY}
FIRST, LAST = date(2026, 1, 1), date(2028, 12, 31)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    frequency = draw(st.sampled_from(sorted(FREQUENCIES)))
    ordinals = st.sampled_from([0, 1, 2, -1, 5] if frequency in {"MONTHLY", "YEARLY"} else [0])
    bounded = draw(st.sampled_from(["count", "until", ""]))
    return Rule(
        frequency=frequency,  # type: ignore[arg-type]  # of the keys above
        interval=draw(st.integers(1, 5)),
        count=draw(st.integers(1, 40)) if bounded == "count" else None,
        until=draw(st.dates(FIRST, LAST)) if bounded == "until" else None,
        months=draw(st.frozensets(st.integers(1, 12), max_size=3)),
        month_days=()
        if frequency == "WEEKLY"
        else tuple(draw(st.lists(st.sampled_from([1, 13, 29, 31, -1, -30]), max_size=2))),
        weekdays=tuple(draw(st.lists(st.tuples(ordinals, st.integers(0, 6)), max_size=3))),
        week_start=draw(st.sampled_from([0, 6])),
    )


@given(rules(), st.dates(date(2020, 1, 1), date(2027, 12, 31)))
def test_days_are_those_of_another_implementation(rule: Rule, start: date) -> None:
    ordinal = any(n for n, _ in rule.weekdays)
    if ordinal and rule.month_days:
        return  # which of a month's weekdays are counted then, implementations disagree on
    asked: dict[str, Any] = {"count": rule.count} if rule.count else {}
    if not rule.count:
        asked["until"] = datetime.combine(rule.until or LAST, datetime.min.time())
    theirs = rrule(
        FREQUENCIES[rule.frequency],
        dtstart=datetime.combine(start, datetime.min.time()),
        interval=rule.interval,
        bymonth=sorted(rule.months) or None,
        bymonthday=rule.month_days or None,
        byweekday=[weekday(day, n or None) for n, day in rule.weekdays] or None,
        wkst=rule.week_start,
        **asked,
    )
    expected = []
    for one in theirs:
        if one.date() > LAST:
            break
        if one.date() >= FIRST:
            expected.append(one.date())
    assert list(days(rule, start, FIRST, LAST, Budget())) == expected


def test_a_rule_that_never_fits_ends() -> None:
    never = Rule("DAILY", months=frozenset({2}), month_days=(30,), count=5)
    assert list(days(never, date(1900, 1, 1), FIRST, LAST, Budget())) == []
    with pytest.raises(TooMuch):
        list(days(never, date(1900, 1, 1), FIRST, LAST, Budget(1000)))


def file(*events: str) -> bytes:
    bodies = "".join(f"BEGIN:VEVENT\r\n{one}\r\nEND:VEVENT\r\n" for one in events)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{bodies}END:VCALENDAR\r\n".encode()


def read(*events: str) -> tuple[list[str], list[tuple[str, str]]]:
    found = ical.read(file(*events), FIRST, LAST)
    return [day.isoformat() for day in sorted(found.days)], list(found.skipped)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("DTSTART;VALUE=DATE:20270101", ["2027-01-01"]),
        ("DTSTART;VALUE=DATE:20270101\r\nDTEND;VALUE=DATE:20270103", ["2027-01-01", "2027-01-02"]),
        ("DTSTART:20270101T220000Z\r\nDTEND:20270102T020000Z", ["2027-01-01", "2027-01-02"]),
        ("DTSTART:20270101T220000Z\r\nDTEND:20270102T000000Z", ["2027-01-01"]),
        ("DTSTART;TZID=Europe/Berlin:20270101T230000\r\nDURATION:PT2H",
         ["2027-01-01", "2027-01-02"]),
        ("DTSTART;VALUE=DATE:20100501\r\nRRULE:FREQ=YEARLY",
         ["2026-05-01", "2027-05-01", "2028-05-01"]),
        ("DTSTART;VALUE=DATE:20100501\r\nRRULE:FREQ=YEARLY\r\nEXDATE;VALUE=DATE:20270501",
         ["2026-05-01", "2028-05-01"]),
        ("DTSTART;VALUE=DATE:20260525\r\nRRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO;COUNT=2",
         ["2026-05-25", "2027-05-31"]),
        ("DTSTART;VALUE=DATE:20270105\r\nRDATE;VALUE=DATE:20270107,20270109",
         ["2027-01-05", "2027-01-07", "2027-01-09"]),
        ("DTSTART;VALUE=DATE:20270129\r\nRRULE:FREQ=MONTHLY;BYDAY=MO,FR;BYSETPOS=-1;COUNT=2",
         ["2027-01-29", "2027-02-26"]),
        ("DTSTART;VALUE=DATE:19800101", []),
    ],
)  # fmt: skip
def test_days_of_a_file(event: str, expected: list[str]) -> None:
    assert read(f"SUMMARY:x\r\n{event}") == (expected, [])


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ("DTSTART;VALUE=DATE:20270101\r\nSTATUS:CANCELLED", "cancelled"),
        ("DTSTART;VALUE=DATE:20270101\r\nRRULE:FREQ=SECONDLY", "rule_unsupported"),
        ("DTSTART;VALUE=DATE:20270101\r\nRRULE:FREQ=DAILY;BYHOUR=1", "rule_unsupported"),
        ("DTSTART;VALUE=DATE:20270101\r\nRRULE:FREQ=DAILY;INTERVAL=0", "rule_unsupported"),
        ("DTSTART;VALUE=DATE:20270101\r\nRRULE:FREQ=YEARLY;BYMONTH=99", "rule_unsupported"),
        ("DTSTART;VALUE=DATE:20270101\r\nRRULE:nonsense", "rule_unsupported"),
        ("DTSTART;VALUE=DATE:20260101\r\nDTEND;VALUE=DATE:20280101", "too_long"),
        ("DTSTART;VALUE=DATE:20260101\r\nDURATION:P99999999D", "too_long"),
        ("DTSTART:99999999", "no_date"),
        ("DTSTART;VALUE=DATE:00010101", "no_date"),
        ("DESCRIPTION:no date at all", "no_date"),
    ],
)
def test_what_is_not_understood_is_left_out_and_said(event: str, reason: str) -> None:
    good = "SUMMARY:good\r\nDTSTART;VALUE=DATE:20270606"
    assert read(f"SUMMARY:bad one\r\n{event}", good) == (["2027-06-06"], [("bad one", reason)])


@pytest.mark.parametrize(
    "data",
    [b"", b"nothing", b"\xff\xfe\x00", b"BEGIN:VCALENDAR", b"END:VCALENDAR", b"x" * 400_001,
     b"BEGIN:VEVENT\r\n" * 5_001],
)  # fmt: skip
def test_no_calendar_is_refused(data: bytes) -> None:
    with pytest.raises(ical.BadCalendar):
        ical.read(data, FIRST, LAST)


def test_a_file_that_would_take_for_ever_is_refused() -> None:
    slow = "DTSTART;VALUE=DATE:19000101\r\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=2"
    assert ical.read(file(slow), FIRST, LAST, 100_000).days == {}
    with pytest.raises(TooMuch):
        ical.read(file(*[slow] * 3), FIRST, LAST, 100_000)


@given(st.binary(max_size=300), st.integers(0, 200), st.integers(0, 20))
def test_strangers_text_never_breaks_it(noise: bytes, at: int, cut: int) -> None:
    whole = file("SUMMARY:x\r\nDTSTART;VALUE=DATE:20270101\r\nRRULE:FREQ=YEARLY;COUNT=3")
    for data in (noise, whole[:at] + noise + whole[at + cut :]):
        try:
            found = ical.read(data, FIRST, LAST)
        except ical.BadCalendar:
            continue
        assert all(FIRST <= day <= LAST for day in found.days)
        assert len(found.days) <= (LAST - FIRST) // timedelta(1) + 1
