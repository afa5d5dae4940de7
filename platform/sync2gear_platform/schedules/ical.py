"""Days out of iCalendar files (RFC 5545), which come from strangers: what is in them, and what not.

Sizes, numbers and walks are bounded; what cannot be understood is left out and said so.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Final, Literal, cast

from icalendar import Calendar, Event, vRecur
from icalendar.error import BrokenCalendarProperty

from sync2gear_platform.kit.errors import Refusal
from sync2gear_platform.schedules.recurrence import MAX_STEPS, Budget, Frequency, Rule, days

MAX_BYTES: Final = 400_000
"""A file that is read in about a second."""

MAX_EVENTS: Final = 5_000
MAX_LENGTH: Final = 366
"""Days of one event."""

MAX_NAME: Final = 255
_FREQUENCIES: Final = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_PARTS: Final = frozenset(
    {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYMONTH", "BYMONTHDAY", "BYDAY", "BYSETPOS", "WKST"}
)

Reason = Literal["cancelled", "rule_unsupported", "too_long", "no_date"]


class BadCalendar(Refusal):
    """This is no calendar that can be read: send iCalendar (RFC 5545) in UTF-8, up to 400 KB."""

    code = "bad_calendar"


class BadRecurrence(Refusal):
    """Say a recurrence as RFC 5545 does, as FREQ=WEEKLY;INTERVAL=2; it ends on the last date."""

    code = "recurrence_unsupported"


@dataclass(frozen=True, slots=True)
class Found:
    """The days of a file with their names, and the events that were left out, with the reason."""

    days: dict[date, str]
    skipped: list[tuple[str, Reason]]


class _Left(Exception):  # noqa: N818 - not an error: an event that is left out
    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def read(data: bytes, first: date, last: date, steps: int = MAX_STEPS) -> Found:
    """The days of a file that lie within [first, last]; of times only their day counts.

    ``steps`` is how many days its rules may look at together.
    Raises :class:`BadCalendar`, and ``recurrence.TooMuch`` where working them out takes too long.
    """
    if len(data) > MAX_BYTES or data.upper().count(b"BEGIN:") > MAX_EVENTS:
        raise BadCalendar
    try:
        whole = Calendar.from_ical(data)
        events = [one for one in whole.walk("VEVENT") if isinstance(one, Event)]
    # What a parser of strangers' text may stumble over: it is their text that is wrong.
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise BadCalendar from error
    found: dict[date, str] = {}
    skipped: list[tuple[str, Reason]] = []
    budget = Budget(steps)
    for event in events:
        name = " ".join(str(event.get("SUMMARY", "")).split())[:MAX_NAME]
        try:
            for day in _days(event, first, last, budget):
                found.setdefault(day, name)
        except _Left as left:
            skipped.append((name, left.reason))
    return Found(found, skipped)


@lru_cache(maxsize=1024)
def recurrence(text: str) -> Rule:
    """The rule that a schedule's recurrence says; :class:`BadRecurrence` where it is none."""
    try:
        rule = _rule(vRecur.from_ical(text))
    except (_Left, ValueError) as error:
        raise BadRecurrence from error
    if rule.count is not None or rule.until is not None:
        raise BadRecurrence
    return rule


def _days(event: Event, first: date, last: date, budget: Budget) -> Iterator[date]:
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        raise _Left("cancelled")
    start, length = _stretch(event)
    begins = [start, *_listed(event, "RDATE")]
    rules = event.get("RRULE")
    for rule in rules if isinstance(rules, list) else [rules]:
        if rule is not None:
            early = max(date.min + timedelta(MAX_LENGTH), first) - timedelta(length)
            begins += days(_rule(rule), start, early, last, budget)
    without = set(_listed(event, "EXDATE"))
    for begin in dict.fromkeys(begins):
        if begin in without:
            continue
        budget.spend(length)
        for number in range(length):
            day = begin + timedelta(number)
            if first <= day <= last:
                yield day


def _stretch(event: Event) -> tuple[date, int]:
    """The first day of an event, and how many it has."""
    begin, end = _moment(event, "DTSTART"), _moment(event, "DTEND")
    if begin is None:
        raise _Left("no_date")
    if end is None:
        lasts = _said(event.get("DURATION"), "dt")
        if isinstance(lasts, timedelta):
            if abs(lasts) > timedelta(MAX_LENGTH):
                raise _Left("too_long")
            end = begin + lasts
    length = 1
    if end is not None:
        ends = _date(end)
        # The end is not part of it: at midnight the day before is the last.
        inside = isinstance(end, datetime) and end.timetz().replace(tzinfo=None) > time(0)
        length = max(1, (ends - _date(begin)).days + inside)
    if length > MAX_LENGTH:
        raise _Left("too_long")
    if not date(1900, 1, 1) <= _date(begin) <= date(2200, 1, 1):
        raise _Left("no_date")
    return _date(begin), length


def _moment(event: Event, name: str) -> date | datetime | None:
    found = _said(event.get(name), "dt")
    return found if isinstance(found, date) else None


def _said(value: Any, name: str) -> Any:
    """What a property says; ``None`` for one that is none, or cannot be understood."""
    try:
        return getattr(value, name, None)
    except BrokenCalendarProperty:
        return None


def _date(moment: date) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _listed(event: Event, name: str) -> list[date]:
    """The days of a list of dates, which may stand on several lines."""
    given = event.get(name)
    listed: list[date] = []
    for line in given if isinstance(given, list) else [given]:
        for one in _said(line, "dts") or ():
            value = one.dt[0] if isinstance(one.dt, tuple) else one.dt
            if isinstance(value, date):
                listed.append(_date(value))
    return listed[:MAX_EVENTS]


def _rule(given: Any) -> Rule:
    try:
        parts = {str(name).upper(): value for name, value in given.items()}
        if not set(parts) <= _PARTS:
            raise _Left("rule_unsupported")
        frequency = str(parts["FREQ"][0]).upper()
        until = parts.get("UNTIL", [None])[0]
        rule = Rule(
            frequency=cast("Frequency", frequency),
            interval=int(parts.get("INTERVAL", [1])[0]),
            count=int(parts["COUNT"][0]) if "COUNT" in parts else None,
            until=None if until is None else _date(until),
            months=frozenset(int(one) for one in parts.get("BYMONTH", ())),
            month_days=tuple(int(one) for one in parts.get("BYMONTHDAY", ())),
            weekdays=tuple(_weekday(str(one)) for one in parts.get("BYDAY", ())),
            positions=tuple(int(one) for one in parts.get("BYSETPOS", ())),
            week_start=_weekday(str(parts.get("WKST", ["MO"])[0]))[1],
        )
    # Of a rule that is none the parts are missing, or are no numbers.
    except (
        AttributeError, KeyError, IndexError, TypeError, ValueError, BrokenCalendarProperty,
    ) as error:  # fmt: skip
        raise _Left("rule_unsupported") from error
    fits = (
        frequency in _FREQUENCIES
        and 1 <= rule.interval <= 1000
        and rule.months <= set(range(1, 13))
        and all(1 <= abs(day) <= 31 for day in rule.month_days)
        and all(abs(ordinal) <= 53 for ordinal, _ in rule.weekdays)
    )
    if not fits:
        raise _Left("rule_unsupported")
    return rule


def _weekday(given: str) -> tuple[int, int]:
    """``-1FR`` as (-1, 4)."""
    name = given.strip().upper()
    return int(name[:-2] or 0), _WEEKDAYS.index(name[-2:])
