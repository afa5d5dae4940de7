"""What a schedule may say, and how document 001's words for it are read."""

from collections.abc import Mapping
from datetime import date, time
from typing import Any, Final

from sync2gear_platform.kit.errors import Refusal

MAX_SCHEDULES: Final = 10_000
"""The most schedules of one client."""

MAX_SHARED: Final = 500
"""The most calendars, and the most day-parts, of one client."""

MAX_LEVELS: Final = 50
MAX_DAYS: Final = 2_000
"""The most days of one calendar."""
PRIORITIES: Final[Mapping[str, int]] = {"music": 30, "announcement": 50}
"""What a schedule's priority is where nobody says."""

SUBJECTS: Final = ("channel_id", "folder_id", "announcement_id")


class TooMany(Refusal):
    """There are too many of these: remove some that nothing uses."""

    kind = "conflict"
    code = "too_many"


class WrongContent(Refusal):
    """Music is a channel or a folder, an announcement is an announcement; one of them."""

    code = "schedule_content"


class WrongWhen(Refusal):
    """An announcement says when it is heard (``when``); music is heard for all of its span."""

    code = "schedule_when"


class DatesTurned(Refusal):
    """A schedule cannot end before it begins."""

    code = "dates_invalid"


class NoFirstDate(Refusal):
    """A recurrence is counted from the schedule's first date: give it one."""

    code = "recurrence_without_first_date"


class TwoSpans(Refusal):
    """A schedule has a day-part or hours of its own, not both."""

    code = "two_spans"


class NoTarget(Refusal):
    """Say where: everywhere, or locations, floors, zones or tags."""

    code = "no_target"


class TwoWords(Refusal):
    """``when`` says it already: leave ``mode`` and the interval away."""

    code = "when_twice"


class HalfAnInterval(Refusal):
    """An interval has a type (``tracks`` or ``time``) and a number."""

    code = "interval_incomplete"


def translated(values: dict[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """``values`` with document 001's mode and interval as ``when``; ``now`` is what stood before.

    An interval by time goes by the clock on the wall. A timeline of music is its span, one of an
    announcement is its start.
    """
    mode, kind, number = (
        values.pop(name, None) for name in ("mode", "interval_type", "interval_minutes")
    )
    if mode is None and kind is None and number is None:
        return values
    if values.get("when") is not None:
        raise TwoWords
    type_ = values.get("type", now.get("type"))
    if mode == "timeline":
        if kind is not None or number is not None:
            raise TwoWords("A timeline has no interval.")
        starts: time = values.get("start_time") or now.get("start_time") or time(0)
        once = {"kind": "at", "times": [starts.isoformat()]}
        return {**values, "when": once if type_ == "announcement" else None}
    before = interval_of(now.get("when"))
    kind, number = kind or before[0], number or before[1]
    if kind is None or number is None:
        raise HalfAnInterval
    if type_ == "music":
        raise WrongWhen
    when = (
        {"kind": "after_tracks", "tracks": number}
        if kind == "tracks"
        else {"kind": "every", "minutes": number, "anchored": True}
    )
    return {**values, "when": when}


def interval_of(when: Mapping[str, Any] | None) -> tuple[str | None, int | None]:
    """Document 001's interval: by ``tracks`` or ``time``, and how many; none where it is none."""
    if when is not None and when["kind"] == "every":
        return "time", when["minutes"]
    if when is not None and when["kind"] == "after_tracks":
        return "tracks", when["tracks"]
    return None, None


def check(schedule: Mapping[str, Any], *, is_new: bool) -> None:
    """Refuse what no schedule can be, from all that it says.

    One whose content is gone stays as it is until somebody gives it another.
    """
    named = [name for name in SUBJECTS if schedule.get(name) is not None]
    fitting = {"announcement_id"} if schedule["type"] == "announcement" else set(SUBJECTS[:2])
    if len(named) > 1 or (is_new and not named) or not set(named) <= fitting:
        raise WrongContent
    if (schedule["type"] == "music") != (schedule.get("when") is None):
        raise WrongWhen
    first: date | None = schedule.get("first_date")
    last: date | None = schedule.get("last_date")
    if first is not None and last is not None and last < first:
        raise DatesTurned
    if schedule.get("recurrence") and first is None:
        raise NoFirstDate
