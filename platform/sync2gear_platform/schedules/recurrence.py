"""Days that recur, as RFC 5545 has them (3.3.10), for rules whose parts are days and longer.

Pure, and bounded: every step of a walk is counted, as rules that never fit would walk for ever.
"""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from sync2gear_platform.kit.errors import Refusal

MAX_STEPS: Final = 2_000_000
"""Days that the rules of one file may look at together: a second or two."""

Frequency = Literal["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]


class TooMuch(Refusal):
    """Working out the days of this calendar takes too long: send fewer rules, or the days."""

    code = "calendar_too_large"


@dataclass(slots=True)
class Budget:
    """How many steps are left; shared by all rules of a file."""

    left: int = MAX_STEPS

    def spend(self, steps: int) -> None:
        """Take steps; :class:`TooMuch` where there are no more."""
        self.left -= steps
        if self.left < 0:
            raise TooMuch


@dataclass(frozen=True, slots=True)
class Rule:
    """How days recur. ``weekdays`` are (ordinal, weekday): (2, 0) is the second Monday, 0 every."""

    frequency: Frequency
    interval: int = 1
    count: int | None = None
    until: date | None = None
    months: frozenset[int] = frozenset()
    month_days: tuple[int, ...] = ()
    weekdays: tuple[tuple[int, int], ...] = ()
    positions: tuple[int, ...] = ()
    week_start: int = 0


def days(rule: Rule, start: date, first: date, last: date, budget: Budget) -> Iterator[date]:
    """The days of ``rule`` from ``start`` on that lie within [first, last], rising."""
    end = last if rule.until is None else min(last, rule.until)
    number, cost = 0, _cost(rule)
    for period in _periods(rule, start, first, end):
        budget.spend(cost)
        found = _of_period(rule, start, period)
        for day in found:
            if day < start:
                continue
            number += 1
            if day > end or (rule.count is not None and number > rule.count):
                return
            if day >= first:
                yield day


def _cost(rule: Rule) -> int:
    """How many days are looked at in each period."""
    if rule.frequency == "YEARLY" and (rule.weekdays or rule.month_days) and not rule.months:
        return 366
    months = max(1, len(rule.months)) if rule.frequency == "YEARLY" else 1
    return {"DAILY": 1, "WEEKLY": 7}.get(rule.frequency, 31 * months)


def _periods(rule: Rule, start: date, first: date, end: date) -> Iterator[date]:
    """The first day of each day, week, month or year that the rule looks at, up to ``end``.

    Where it counts, every one from ``start`` on; otherwise those before ``first`` are skipped.
    """
    skip = rule.count is None and first > start
    step = rule.interval
    if rule.frequency in {"DAILY", "WEEKLY"}:
        begin, days_ = start, step
        if rule.frequency == "WEEKLY":
            begin, days_ = start - timedelta((start.weekday() - rule.week_start) % 7), 7 * step
        if skip:
            begin += timedelta(max(0, (first - begin).days // days_ - 1) * days_)
        while begin <= end:
            yield begin
            begin += timedelta(days_)
        return
    months = step if rule.frequency == "MONTHLY" else 12 * step
    at = start.year * 12 + (start.month - 1 if rule.frequency == "MONTHLY" else 0)
    if skip:
        at += max(0, (first.year * 12 + first.month - 1 - at) // months - 1) * months
    while at <= end.year * 12 + end.month - 1:
        yield date(at // 12, at % 12 + 1, 1)
        at += months


def _of_period(rule: Rule, start: date, period: date) -> list[date]:
    """The days of one period, rising."""
    match rule.frequency:
        case "DAILY":
            found = [period] if _fits(rule, period) else []
        case "WEEKLY":
            wanted = {weekday for _, weekday in rule.weekdays} or {start.weekday()}
            week = (period + timedelta(n) for n in range(7))
            found = [
                day
                for day in week
                if day.weekday() in wanted and (not rule.months or day.month in rule.months)
            ]
        case "MONTHLY":
            months = not rule.months or period.month in rule.months
            found = _of_month(rule, start, period) if months else []
        case _:
            found = _of_year(rule, start, period.year)
    if rule.positions:
        chosen = {p - 1 if p > 0 else len(found) + p for p in rule.positions}
        found = [day for index, day in enumerate(found) if index in chosen]
    return found


def _fits(rule: Rule, day: date) -> bool:
    length = calendar.monthrange(day.year, day.month)[1]
    return (
        (not rule.months or day.month in rule.months)
        and (not rule.month_days or not {day.day, day.day - length - 1}.isdisjoint(rule.month_days))
        and (not rule.weekdays or day.weekday() in {weekday for _, weekday in rule.weekdays})
    )


def _of_month(rule: Rule, start: date, month: date) -> list[date]:
    length = calendar.monthrange(month.year, month.month)[1]
    every = [month.replace(day=n) for n in range(1, length + 1)]
    if not rule.month_days and not rule.weekdays:
        return [day for day in every if day.day == start.day]
    if rule.weekdays:
        chosen = _weekdays(rule, every)
        every = [day for day in every if day in chosen]
    if rule.month_days:
        every = [day for day in every if {day.day, day.day - length - 1} & set(rule.month_days)]
    return every


def _of_year(rule: Rule, start: date, year: int) -> list[date]:
    if rule.weekdays and not rule.months and not rule.month_days:
        leap = calendar.isleap(year)
        every = [date(year, 1, 1) + timedelta(n) for n in range(366 if leap else 365)]
        return sorted(_weekdays(rule, every))
    plain = not rule.month_days and not rule.weekdays
    months = rule.months or ({start.month} if plain else range(1, 13))
    found = (_of_month(rule, start, date(year, month, 1)) for month in sorted(months))
    return [day for days_ in found for day in days_]


def _weekdays(rule: Rule, every: list[date]) -> set[date]:
    """Of a month's or a year's days those that are such weekdays, by ordinal or all."""
    found: set[date] = set()
    for ordinal, weekday in rule.weekdays:
        mine = [day for day in every if day.weekday() == weekday]
        if ordinal == 0:
            found |= set(mine)
        elif abs(ordinal) <= len(mine):
            found.add(mine[ordinal - 1 if ordinal > 0 else ordinal])
    return found
