"""Stretches of days, and which whole months lie in them. Pure."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sync2gear_platform.kit.errors import Refusal

MOST_DAYS: Final = 3700
"""The longest stretch that is summed at once: ten years and a little."""

USUAL_DAYS: Final = 7
DAY: Final = timedelta(days=1)


class BadDays(Refusal):
    """The first day is not after the last, and at most 3,700 days are asked at once."""

    code = "bad_days"


@dataclass(frozen=True, slots=True)
class Span:
    """Days from ``first`` to ``last``, both included."""

    first: date
    last: date


def span_of(first: date | None, last: date | None, today: date) -> Span:
    """The stretch that was asked for: by default a week that ends with ``last``, or today."""
    ends = last or max(today, first or today)
    begins = first or ends - (USUAL_DAYS - 1) * DAY
    if begins > ends or (ends - begins).days >= MOST_DAYS:
        raise BadDays
    return Span(begins, ends)


def split(span: Span) -> tuple[Span | None, tuple[Span, ...]]:
    """The whole months of ``span``, by their first days, and the days at its ends beside them."""
    first = span.first if span.first.day == 1 else month_after(span.first)
    beyond = (span.last + DAY).replace(day=1)
    if first >= beyond:
        return None, (span,)
    edges = (Span(span.first, first - DAY), Span(beyond, span.last))
    last = (beyond - DAY).replace(day=1)
    return Span(first, last), tuple(edge for edge in edges if edge.first <= edge.last)


def month_after(day: date) -> date:
    """The first day of the month after that of ``day``."""
    return (day.replace(day=28) + 4 * DAY).replace(day=1)
