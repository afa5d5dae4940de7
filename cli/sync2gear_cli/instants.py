"""Instants as people say them: "now", "tomorrow 9:00", "sat 14:00", by a venue's clock."""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

WORDS: Final = 'say "now", "14:00", "tomorrow 9:00", "sat 14:00", "in 2 hours" or 2027-12-24T14:00'
"""What may be said, for whoever said something else."""

PAST: Final = 'say "yesterday", "sat 14:00", "2 hours ago", 2027-12-24 or 2027-12-24T14:00'
"""The same of what is behind us."""

_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NAMED: Final = {"noon": time(12), "midnight": time(0)}
_CLOCK: Final = re.compile(
    r"(\d{1,2})(?::([0-5]\d)(?::([0-5]\d))?)?(?:\s*(am|pm))?", re.ASCII | re.IGNORECASE
)
_AHEAD: Final = re.compile(
    r"(?:in\s+|\+)(\d{1,5})\s*(s|m|min|h|d|w|seconds?|minutes?|hours?|days?|weeks?)", re.ASCII
)
_AGO: Final = re.compile(
    r"(\d{1,5})\s*(s|m|min|h|d|w|seconds?|minutes?|hours?|days?|weeks?)\s+ago", re.ASCII
)
_BACK: Final = {"today": 0, "yesterday": 1}
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_ISO: Final = re.compile(r"\d{4}-\d{2}-\d{2}[t ]\d{2}:.*", re.ASCII)


def parse(words: str, zone: tzinfo, now: datetime, base: datetime | None = None) -> datetime:
    """The instant (UTC) that ``words`` mean by the clock of ``zone``; ``ValueError`` where none.

    A time alone and a day of the week mean the first one from ``base`` on (which is ``now``), and
    "in 2 hours" so long after it; "now", "today" and "tomorrow" go by ``now``. A time that the
    clock skips in spring is as much later as the clock was put forward; one that comes twice in
    autumn is the first. Both instants have an offset.
    """
    said = " ".join(words.split()).casefold().removeprefix("at ")
    base = now if base is None else base
    try:
        if said == "now":
            return now.astimezone(UTC)
        if ahead := _AHEAD.fullmatch(said):
            return base.astimezone(UTC) + timedelta(**{_UNITS[ahead[2][0]]: int(ahead[1])})
        if _ISO.fullmatch(said):
            return _written(said, zone)
        return _by_day(said, words, zone, now.astimezone(zone), base.astimezone(zone))
    except OverflowError:
        raise ValueError(f"{words!r} is too far away") from None


def past(words: str, now: datetime, zone: tzinfo | None = None) -> datetime:
    """The instant (UTC) behind us that ``words`` mean by the clock of ``zone``, or of this machine.

    A day is its midnight; a time alone and a day of the week are the last ones; a written instant
    is what it says. ``ValueError`` where they mean none.
    """
    said = " ".join(words.split()).casefold()
    try:
        if said == "now":
            return now.astimezone(UTC)
        if ago := _AGO.fullmatch(said):
            return now.astimezone(UTC) - timedelta(**{_UNITS[ago[2][0]]: int(ago[1])})
        if _ISO.fullmatch(said):
            return _written(said, zone)
        here = now.astimezone(zone)
        if said in _NAMED or _CLOCK.fullmatch(said):
            at = _clock(said, words)
            found = _instant(here.date(), at, zone)
            return found if found <= now else _instant(here.date() - timedelta(days=1), at, zone)
        named, _, rest = said.partition(" ")
        clock = _clock(rest.removeprefix("at "), words) if rest else time(0)
        return _instant(day(named, here), clock, zone)
    except OverflowError:
        raise ValueError(f"{words!r} is too far away") from None
    except ValueError:
        raise ValueError(f"{words!r} is no time; {PAST}") from None


def day(words: str, here: datetime) -> date:
    """The day that ``words`` mean, seen from ``here``: its date, "yesterday", the last "sat"."""
    said = words.strip().casefold()
    if said in _BACK:
        return here.date() - timedelta(days=_BACK[said])
    for number, name in enumerate(_DAYS):
        if len(said) >= 2 and name.startswith(said):
            return here.date() - timedelta(days=(here.weekday() - number) % 7)
    try:
        return date.fromisoformat(said)
    except ValueError:
        raise ValueError(f'{words!r} is no day; say 2027-12-24, "today", "sat"') from None


def _written(said: str, zone: tzinfo | None) -> datetime:
    """An instant of ISO 8601; without an offset it is the venue's."""
    try:
        given = datetime.fromisoformat(said.upper())
    except ValueError:
        raise ValueError(f"{said!r} is no date and time; {WORDS}") from None
    if given.tzinfo is None and zone is not None:
        given = given.replace(tzinfo=zone)
    return given.astimezone(UTC)


def _by_day(said: str, words: str, zone: tzinfo, now: datetime, base: datetime) -> datetime:
    """An instant of a day that has a name or a number, or of the first one that fits."""
    if said in _NAMED or _CLOCK.fullmatch(said):
        return _first(base.date(), 1, _clock(said, words), zone, base)
    day, _, rest = said.partition(" ")
    at = _clock(rest.removeprefix("at "), words) if rest else time(0)
    if day == "today":
        return _instant(now.date(), at, zone) if rest else now.astimezone(UTC)
    if day == "tomorrow":
        return _instant(now.date() + timedelta(days=1), at, zone)
    for number, name in enumerate(_DAYS):
        if len(day) >= 2 and name.startswith(day):
            ahead = timedelta(days=(number - base.weekday()) % 7)
            return _first(base.date() + ahead, 7, at, zone, base)
    try:
        return _instant(date.fromisoformat(day), at, zone)
    except ValueError:
        raise ValueError(f"{words!r} is no time; {WORDS}") from None


def _first(day: date, step: int, at: time, zone: tzinfo, base: datetime) -> datetime:
    """That time of the day, or ``step`` days later where it is over at ``base``."""
    found = _instant(day, at, zone)
    return found if found >= base else _instant(day + timedelta(days=step), at, zone)


def _clock(said: str, words: str) -> time:
    """A time of the day: ``14:00``, ``14:00:30``, ``9``, ``2 pm``, ``noon``."""
    if said in _NAMED:
        return _NAMED[said]
    found = _CLOCK.fullmatch(said)
    if found is None:
        raise ValueError(f"{words!r} is no time; {WORDS}")
    hour, half = int(found[1]), found[4]
    if half is not None:
        if not 1 <= hour <= 12:
            raise ValueError(f"{words!r}: there is no such hour")
        hour = hour % 12 + (12 if half == "pm" else 0)
    if hour > 23:
        raise ValueError(f"{words!r}: there is no such hour")
    return time(hour, int(found[2] or 0), int(found[3] or 0))


def _instant(day: date, at: time, zone: tzinfo | None) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)
