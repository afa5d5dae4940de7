"""REST bodies of documents: channels, schedules and what these share, with names for references."""

from datetime import date, datetime, time
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator
from pydantic import StringConstraints as Chars

from sync2gear_platform.channels.rules import MAX_ITEMS, MAX_PATTERN
from sync2gear_platform.channels.schemas import After, ChannelIn, Flag, Order, Weight
from sync2gear_platform.kit.fields import In, Name
from sync2gear_platform.schedules import document_rules as rules
from sync2gear_platform.schedules.dry_run import MAX_ZONES
from sync2gear_platform.schedules.plan_schemas import ZoneDifferenceOut
from sync2gear_platform.schedules.schemas import (
    Begin,
    Clock,
    LimitsIn,
    Priority,
    Recurrence,
    StartIn,
    Tags,
    Type,
    When,
)
from sync2gear_platform.schedules.shared_schemas import CalendarIn, DayPartIn, PriorityLevelIn

Ref = Annotated[str, Chars(strip_whitespace=True, min_length=1, max_length=255)]
"""A name where only one has it, or an id."""

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Refs = Annotated[list[Ref], Field(max_length=500)]
Calendars = Annotated[list[Ref], Field(max_length=20)]
MAX_OBJECTS: Final = 500
"""The most objects of one document."""


class LineDoc(In):
    """A line of a channel: one of ``track``, ``folder``, ``announcement``, ``channel``."""

    track: Ref | None = None
    folder: Ref | None = None
    announcement: Ref | None = None
    channel: Ref | None = None
    weight: Weight = 1
    order: Order = "shuffled"
    after_tracks: After = 0
    after_minutes: After = 0


class ChannelDoc(ChannelIn):
    """A channel with its lines; ``pattern`` counts them from 1."""

    items: Annotated[list[LineDoc], Field(max_length=MAX_ITEMS)] = []
    pattern: Annotated[
        list[Annotated[int, Field(strict=True, ge=1, le=MAX_ITEMS)]], Field(max_length=MAX_PATTERN)
    ] = []

    @model_validator(mode="after")
    def _turns(self) -> "ChannelDoc":
        if self.pattern and max(self.pattern) > len(self.items):
            raise ValueError("pattern names a line that is not there")
        return self


class SpecialDoc(In):
    """Days of a calendar with hours of their own, or none."""

    calendar: Ref
    start_time: Clock | None = None
    end_time: Clock | None = None


class PlacesDoc(In):
    """Places and tags by name."""

    locations: Refs = []
    floors: Refs = []
    zones: Refs = []
    tags: Tags = []


class ScheduleDoc(In):
    """A schedule as in ``ScheduleIn``, with names; what is left out is as if it were new."""

    name: Name
    type: Type
    is_active: Flag = True
    priority: Priority | None = None
    level: Ref | None = None
    channel: Ref | None = None
    folder: Ref | None = None
    announcement: Ref | None = None
    day_part: Ref | None = None
    start_time: Clock = time(0)
    end_time: Clock = time(0)
    days: Annotated[list[Day], Field(max_length=7)] = []
    first_date: date | None = None
    last_date: date | None = None
    recurrence: Recurrence = ""
    only_calendars: Calendars = []
    never_calendars: Calendars = []
    special_days: Annotated[list[SpecialDoc], Field(max_length=20)] = []
    when: When | None = None
    gap: Literal["skip", "shift_forward"] = "shift_forward"
    fold: Literal["first", "both"] = "first"
    begin: Begin = "next"
    on_end: Begin = "continue"
    start: StartIn = StartIn()
    limits: LimitsIn = LimitsIn()
    everywhere: Flag = False
    locations: Refs = []
    floors: Refs = []
    zones: Refs = []
    tags: Tags = []
    exceptions: PlacesDoc = PlacesDoc()

    @model_validator(mode="after")
    def _said_once(self) -> "ScheduleDoc":
        if self.level is not None and self.priority is not None:
            raise ValueError("a schedule has a level or a priority, not both")
        if self.day_part is not None and {"start_time", "end_time"} & self.model_fields_set:
            raise ValueError("a schedule has a day_part or hours of its own, not both")
        return self


class DocumentIn(In):
    """What ``document``, its name, says there is: 500 objects at most, each name once a noun."""

    document: Annotated[
        str, Chars(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]*$")
    ]
    priority_levels: list[PriorityLevelIn] = []
    day_parts: list[DayPartIn] = []
    calendars: list[CalendarIn] = []
    channels: list[ChannelDoc] = []
    schedules: list[ScheduleDoc] = []

    @model_validator(mode="after")
    def _of_a_size(self) -> "DocumentIn":
        if sum(len(getattr(self, section)) for section in rules.SECTIONS.values()) > MAX_OBJECTS:
            raise ValueError("a document has at most 500 objects: split it")
        return self

    def values(self) -> list[rules.Named]:
        """Its objects in the order in which they are made, each with where it stands."""
        found = []
        for noun, section in rules.SECTIONS.items():
            for number, one in enumerate(getattr(self, section)):
                values = rules.settled(noun, one.model_dump(mode="json"))
                found.append(rules.Named(noun, values["name"], values, (section, number)))
        return found


class _Sent(In):
    document: DocumentIn
    adopt: Flag = False


class PlanIn(_Sent):
    """What would be applied, and where and when to listen; left out: a day, its first zones.

    ``adopt`` takes over what has a name of the document's and belongs to none.
    """

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    zone_ids: Annotated[list[UUID], Field(min_length=1, max_length=MAX_ZONES)] | None = None
    from_: Annotated[AwareDatetime | None, Field(alias="from")] = None
    to: AwareDatetime | None = None


class ApplyIn(_Sent):
    """What is to be there; ``If-Match`` takes the ``digest`` of a plan."""


class FieldOut(BaseModel):
    """A field that changes; parts of ``start`` and the like have a dot in their names."""

    field: str
    old: Any
    new: Any


class ChangeOut(BaseModel):
    """What becomes of one object; ``id`` is null for one that is new."""

    action: Literal["create", "change", "adopt", "remove"]
    noun: rules.Noun
    name: str
    id: UUID | None
    fields: list[FieldOut]


class AppliedOut(BaseModel):
    """What was done; nothing where all was so already."""

    document: str
    digest: str
    changes: list[ChangeOut]
    unchanged: int


class PlannedOut(AppliedOut):
    """What would be done, and what would be heard otherwise in [``starts_at``, ``ends_at``).

    ``zone_count``: how many zones are worked out anew; ``audible`` is of twenty at most.
    """

    starts_at: datetime
    ends_at: datetime
    zone_count: int
    audible: list[ZoneDifferenceOut]


class DocumentOut(BaseModel):
    """A document of what is there, without what is usual anyway."""

    document: dict[str, Any]
