"""REST bodies of schedules."""

import re
from datetime import date, time
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    Field,
    model_validator,
)
from pydantic import StringConstraints as Chars

from sync2gear_platform.kit.fields import In, Name, Out

_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?")


def _read(given: Any) -> Any:
    if isinstance(given, time):
        return given
    if not isinstance(given, str) or not _CLOCK.fullmatch(given):
        raise ValueError("a time of the venue's clock such as 09:30 or 19:45:30")
    return given


Clock = Annotated[time, BeforeValidator(_read)]
Flag = Annotated[bool, Field(strict=True)]
Priority = Annotated[int, Field(strict=True, ge=0, le=100)]
Weekday = Annotated[int, Field(strict=True, ge=0, le=6)]
Fade = Annotated[int, Field(strict=True, ge=0, le=15_000)]
Within = Annotated[int, Field(strict=True, ge=0, le=24 * 3_600_000)]
Begin = Literal["restart", "continue", "next"]
Type = Literal["music", "announcement"]
Tag = Annotated[
    str, Chars(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]*$")
]


def _once(given: list[Any]) -> list[Any]:
    return sorted(set(given))


def _first(given: list[Any]) -> list[Any]:
    return list(dict.fromkeys(given))


Ids = Annotated[list[UUID], Field(max_length=500), AfterValidator(_first)]
Tags = Annotated[list[Tag], Field(max_length=50), AfterValidator(_first)]
CalendarIds = Annotated[list[UUID], Field(max_length=20), AfterValidator(_first)]
Weekdays = Annotated[list[Weekday], Field(max_length=7), AfterValidator(_once)]


Recurrence = Annotated[
    str, Chars(strip_whitespace=True, to_upper=True, max_length=200, pattern=r"^[A-Za-z0-9=;,+-]*$")
]
"""A rule of RFC 5545 (RRULE) without COUNT and UNTIL; empty for none."""


class AtIn(In):
    """At these times."""

    kind: Literal["at"]
    times: Annotated[list[Clock], Field(min_length=1, max_length=200), AfterValidator(_once)]


class MinutesIn(In):
    """At these minutes of each hour of the span."""

    kind: Literal["minutes"]
    minutes: Annotated[
        list[Annotated[int, Field(strict=True, ge=0, le=59)]],
        Field(min_length=1, max_length=60),
        AfterValidator(_once),
    ]


class EveryIn(In):
    """Every so many minutes from the span's begin on; ``anchored`` goes by the clock's hands."""

    kind: Literal["every"]
    minutes: Annotated[int, Field(strict=True, ge=1, le=1440)]
    anchored: Flag = True


class AfterTracksIn(In):
    """After every so many tracks of music."""

    kind: Literal["after_tracks"]
    tracks: Annotated[int, Field(strict=True, ge=1, le=1000)]


class ShareIn(In):
    """For so many seconds of each hour of the span, spread evenly: a share of voice."""

    kind: Literal["share"]
    seconds_per_hour: Annotated[int, Field(strict=True, ge=1, le=3600)]


When = Annotated[AtIn | MinutesIn | EveryIn | AfterTracksIn | ShareIn, Field(discriminator="kind")]


class StartIn(In):
    """How an announcement takes the zone. ``late_by_millis`` null: it is never too late.

    ``duck`` and ``gain`` are in hundredths of dB. Of music only ``mode`` and ``max_wait_millis``
    count: it begins at once, with the end of the song that plays, or waits for that so long.
    """

    mode: Literal["cut", "next", "wait"] = "cut"
    max_wait_millis: Within = 0
    late_by_millis: Within | None = 60_000
    mix: Literal["pause", "duck", "mix"] = "pause"
    duck: Annotated[int, Field(strict=True, ge=-6_000, le=0)] = -1500
    fade_in_millis: Fade = 0
    fade_out_millis: Fade = 0
    gain: Annotated[int, Field(strict=True, ge=-4_000, le=600)] = 0
    on_cut: Literal["drop", "restart"] = "drop"


class LimitsIn(In):
    """How much of an announcement a zone hears; 0 asks nothing. ``group`` shares ``min_gap``."""

    max_per_hour: Annotated[int, Field(strict=True, ge=0, le=60)] = 0
    min_gap_millis: Within = 0
    group: Annotated[
        str, Chars(strip_whitespace=True, max_length=64, pattern=r"^[^\x00-\x1f]*$")
    ] = ""


class SpecialIn(In):
    """Days of a calendar with hours of their own; without hours nothing happens on them."""

    calendar_id: UUID
    start_time: Clock | None = None
    end_time: Clock | None = None

    @model_validator(mode="after")
    def _whole(self) -> "SpecialIn":
        if (self.start_time is None) != (self.end_time is None):
            raise ValueError("hours have a begin and an end")
        return self


class ExceptionsIn(In):
    """Where a schedule does not hold, although a target says so."""

    location_ids: Ids = []
    floor_ids: Ids = []
    zone_ids: Ids = []
    tags: Tags = []


class _Said(In):
    """What schedules say, new ones and changes alike; document 001's names are taken too."""

    is_active: Flag = True
    priority: Priority = 30
    priority_level_id: UUID | None = None
    channel_id: UUID | None = Field(
        default=None, validation_alias=AliasChoices("channel_id", "channel")
    )
    folder_id: UUID | None = Field(
        default=None, validation_alias=AliasChoices("folder_id", "folder")
    )
    announcement_id: UUID | None = Field(
        default=None, validation_alias=AliasChoices("announcement_id", "announcement")
    )
    content_type: Literal["channel", "folder", "announcement"] | None = None
    day_part_id: UUID | None = None
    start_time: Clock = time(0)
    end_time: Clock = time(0)
    days_of_week: Weekdays = []
    first_date: date | None = None
    last_date: date | None = None
    recurrence: Recurrence = ""
    only_calendar_ids: CalendarIds = []
    never_calendar_ids: CalendarIds = []
    special_days: Annotated[list[SpecialIn], Field(max_length=20)] = []
    when: When | None = None
    mode: Literal["interval", "timeline"] | None = None
    interval_type: Literal["tracks", "time"] | None = None
    interval_minutes: Annotated[int, Field(strict=True, ge=1, le=1000)] | None = None
    gap: Literal["skip", "shift_forward"] = "shift_forward"
    fold: Literal["first", "both"] = "first"
    begin: Begin = "next"
    on_end: Begin = "continue"
    start: StartIn = StartIn()
    limits: LimitsIn = LimitsIn()
    everywhere: Flag = False
    location_ids: Ids = []
    floor_ids: Ids = []
    zone_ids: Ids = Field(default=[], validation_alias=AliasChoices("zone_ids", "zones"))
    tags: Tags = []
    exceptions: ExceptionsIn = ExceptionsIn()

    def values(self) -> dict[str, Any]:
        """What was really named, as use cases take it: documents as they are kept."""
        given = self.model_dump(exclude_unset=True, exclude={"start", "limits", "when"})
        for name in ("start", "limits", "when"):
            if name in self.model_fields_set:
                document: BaseModel | None = getattr(self, name)
                given[name] = None if document is None else document.model_dump(mode="json")
        return given


class ScheduleIn(_Said):
    """A new schedule: what (``channel_id``, ``folder_id`` or ``announcement_id``), when and where.

    Without hours it is all day, without days every day. A level goes before ``priority``.
    """

    name: Name
    type: Type


class SchedulePatch(_Said):
    """What may change of a schedule; of targets and calendars each list is set as a whole."""

    name: Name = ""
    type: Type = "music"


class ScheduleOut(Out):
    """A schedule. ``effective_priority`` is the level's, if it has one.

    ``content_type``, ``mode`` and the interval say it in document 001's words. ``content_name`` is
    what it plays is called; empty where that is gone.
    """

    name: str
    type: Type
    is_active: bool
    priority: int
    priority_level_id: UUID | None
    effective_priority: int
    content_type: Literal["channel", "folder", "announcement"] | None
    content_name: str
    channel_id: UUID | None
    folder_id: UUID | None
    announcement_id: UUID | None
    day_part_id: UUID | None
    start_time: time
    end_time: time
    days_of_week: list[int]
    first_date: date | None
    last_date: date | None
    recurrence: str
    only_calendar_ids: list[UUID]
    never_calendar_ids: list[UUID]
    special_days: list[SpecialIn]
    when: When | None
    mode: Literal["interval", "timeline"]
    interval_type: Literal["tracks", "time"] | None
    interval_minutes: int | None
    gap: Literal["skip", "shift_forward"]
    fold: Literal["first", "both"]
    begin: Begin
    on_end: Begin
    start: StartIn
    limits: LimitsIn
    everywhere: bool
    location_ids: list[UUID]
    floor_ids: list[UUID]
    zone_ids: list[UUID]
    tags: list[str]
    exceptions: ExceptionsIn
