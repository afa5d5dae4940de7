"""REST bodies of what schedules share: calendars, day-parts and levels of priority."""

from datetime import date, time
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from sync2gear_platform.kit.fields import In, Name, Out, Text
from sync2gear_platform.schedules.rules import MAX_DAYS
from sync2gear_platform.schedules.schemas import Clock, Priority

DayName = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=255, pattern=r"^[^\x00-\x1f]*$")
]


class DayIn(In):
    """A day of a calendar, and what it is called."""

    day: Annotated[date, Field(ge=date(1970, 1, 1), le=date(2200, 12, 31))]
    name: DayName = ""


def _once(given: list[DayIn]) -> list[DayIn]:
    found = {one.day: one for one in given}
    return [found[day] for day in sorted(found)]


Days = Annotated[list[DayIn], Field(max_length=MAX_DAYS), AfterValidator(_once)]


class CalendarIn(In):
    """A new calendar: named days, each once."""

    name: Name
    description: Text = ""
    days: Days = []


class CalendarPatch(In):
    """What may change of a calendar; ``days`` as a whole."""

    name: Name = ""
    description: Text = ""
    days: Days = []


class CalendarSummaryOut(Out):
    """A calendar without its days; ``size`` is how many they are."""

    name: str
    description: str
    size: int


class CalendarOut(Out):
    """A calendar with its days, rising."""

    name: str
    description: str
    days: list[DayIn]


class SkippedOut(BaseModel):
    """An event of a file that was left out."""

    name: str
    code: Literal["cancelled", "rule_unsupported", "too_long", "no_date"]


class ImportedOut(BaseModel):
    """What an import made of a file: the calendar now, how many days are new, what was left out."""

    calendar: CalendarOut
    new: int
    skipped: list[SkippedOut]


class DayPartIn(In):
    """A new day-part; an end at or before the start is on the next day, equal ones a whole day."""

    name: Name
    start_time: Clock
    end_time: Clock


class DayPartPatch(In):
    """What may change of a day-part; schedules that use it follow."""

    name: Name = ""
    start_time: Clock = time(0)
    end_time: Clock = time(0)


class DayPartOut(Out):
    """A day-part."""

    name: str
    start_time: time
    end_time: time


class PriorityLevelIn(In):
    """A new level: a name for a priority."""

    name: Name
    priority: Priority


class PriorityLevelPatch(In):
    """What may change of a level; schedules that have it follow."""

    name: Name = ""
    priority: Priority = 0


class PriorityLevelOut(Out):
    """A level of priority."""

    name: str
    priority: int


class ScheduleUseOut(BaseModel):
    """A schedule that uses something."""

    id: UUID
    name: str
    type: str
    is_active: bool
