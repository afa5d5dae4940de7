"""Rows of schedules, of where and on which days they hold, and of what many of them share."""

from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, Sequence, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from sync2gear_platform.kit.db import Owned, belongs_to, by_client, document, moment, owned

marks = Sequence("zone_compile_mark_seq", metadata=SQLModel.metadata)


class Calendar(Owned, table=True):
    """Named days: ``days`` are documents ``{"day": "2027-12-24", "name": "..."}``, rising, once."""

    __tablename__ = "calendars"
    __table_args__ = owned(UniqueConstraint("client_id", "name"))

    name: str = Field(max_length=255)
    description: str = Field(default="", max_length=2000)
    days: list[dict[str, str]] = document(default_factory=list)


class DayPart(Owned, table=True):
    """A named stretch of the day that many schedules share, by the venue's clock."""

    __tablename__ = "day_parts"
    __table_args__ = owned(UniqueConstraint("client_id", "name"))

    name: str = Field(max_length=255)
    start_time: time
    end_time: time


class PriorityLevel(Owned, table=True):
    """A named priority. Four are made with the client, by a trigger; they may be changed."""

    __tablename__ = "priority_levels"
    __table_args__ = owned(
        UniqueConstraint("client_id", "name"),
        CheckConstraint("priority BETWEEN 0 AND 100", name="priority"),
    )

    name: str = Field(max_length=255)
    priority: int


class Schedule(Owned, table=True):
    """One wish (``model.Schedule``); what is shared is named, where it holds are targets.

    A level goes before ``priority``, a day-part before the times. ``when`` is null for music;
    ``start`` and ``limits`` are documents as ``schemas.py`` has them. What it plays may be gone:
    then it is not heard.
    """

    __tablename__ = "schedules"
    __table_args__ = owned(
        by_client("schedules", "name", "id"),
        by_client("schedules", "channel_id"),
        by_client("schedules", "folder_id"),
        by_client("schedules", "announcement_id"),
        belongs_to("channels", "channel_id", ondelete="SET NULL"),
        belongs_to("folders", "folder_id", ondelete="SET NULL"),
        belongs_to("announcements", "announcement_id", ondelete="SET NULL"),
        belongs_to("day_parts", "day_part_id", ondelete="RESTRICT"),
        belongs_to("priority_levels", "priority_level_id", ondelete="RESTRICT"),
        CheckConstraint("type IN ('music', 'announcement')", name="type"),
        CheckConstraint("priority BETWEEN 0 AND 100", name="priority"),
        CheckConstraint("first_date <= last_date", name="dates"),
        CheckConstraint("recurrence = '' OR first_date IS NOT NULL", name="recurrence"),
        CheckConstraint(
            "num_nonnulls(channel_id, folder_id, announcement_id) <= 1", name="one_content"
        ),
        CheckConstraint("(type = 'music') = (\"when\" IS NULL)", name="when"),
    )

    name: str = Field(max_length=255)
    type: str = Field(max_length=16)
    is_active: bool = Field(default=True)
    priority: int = Field(default=30)
    priority_level_id: UUID | None = None
    channel_id: UUID | None = None
    folder_id: UUID | None = None
    announcement_id: UUID | None = None
    day_part_id: UUID | None = None
    start_time: time = Field(default=time(0))
    end_time: time = Field(default=time(0))
    days_of_week: list[int] = document(default_factory=list)
    first_date: date | None = None
    last_date: date | None = None
    recurrence: str = Field(default="", max_length=200)
    when: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    gap: str = Field(default="shift_forward", max_length=16)
    fold: str = Field(default="first", max_length=8)
    begin: str = Field(default="next", max_length=8)
    on_end: str = Field(default="continue", max_length=8)
    start: dict[str, Any] = document(default_factory=dict)
    limits: dict[str, Any] = document(default_factory=dict)
    created_by: UUID | None = None


class ScheduleTarget(Owned, table=True):
    """Where a schedule holds, or (``excluded``) does not: the client, or one place or tag of it."""

    __tablename__ = "schedule_targets"
    __table_args__ = owned(
        by_client("schedule_targets", "schedule_id"),
        by_client("schedule_targets", "zone_id"),
        by_client("schedule_targets", "floor_id"),
        by_client("schedule_targets", "location_id"),
        belongs_to("schedules", "schedule_id"),
        belongs_to("locations", "location_id"),
        belongs_to("floors", "floor_id"),
        belongs_to("zones", "zone_id"),
        CheckConstraint("scope IN ('client', 'location', 'floor', 'zone', 'tag')", name="scope"),
        CheckConstraint(
            "(scope = 'location') = (location_id IS NOT NULL)"
            " AND (scope = 'floor') = (floor_id IS NOT NULL)"
            " AND (scope = 'zone') = (zone_id IS NOT NULL)"
            " AND (scope = 'tag') = (tag <> '') AND NOT (scope = 'client' AND excluded)",
            name="subject",
        ),
    )

    schedule_id: UUID
    scope: str = Field(max_length=8)
    excluded: bool = Field(default=False)
    location_id: UUID | None = None
    floor_id: UUID | None = None
    zone_id: UUID | None = None
    tag: str = Field(default="", max_length=100)


class ScheduleCalendar(Owned, table=True):
    """A calendar's part in a schedule: its days only, never, or special with hours of their own."""

    __tablename__ = "schedule_calendars"
    __table_args__ = owned(
        UniqueConstraint("client_id", "schedule_id", "calendar_id", "part"),
        by_client("schedule_calendars", "calendar_id"),
        belongs_to("schedules", "schedule_id"),
        belongs_to("calendars", "calendar_id", ondelete="RESTRICT"),
        CheckConstraint("part IN ('only', 'never', 'special')", name="part"),
        CheckConstraint(
            "(start_time IS NULL) = (end_time IS NULL)"
            " AND (part = 'special' OR start_time IS NULL)",
            name="hours",
        ),
    )

    schedule_id: UUID
    calendar_id: UUID
    part: str = Field(max_length=8)
    position: int = Field(default=0)
    start_time: time | None = None
    end_time: time | None = None


class ScheduleFeed(Owned, table=True):
    """An address at which a zone's, or the client's, schedule is read as a calendar."""

    __tablename__ = "schedule_feeds"
    __table_args__ = owned(
        by_client("schedule_feeds", "name", "id"),
        belongs_to("zones", "zone_id"),
        UniqueConstraint("token_hash"),
    )

    name: str = Field(max_length=255)
    zone_id: UUID | None = None
    token_hash: str = Field(max_length=64)


class ManagedObject(Owned, table=True):
    """What a document owns: ``name`` is what the document calls it, and one id says what it is."""

    __tablename__ = "managed_objects"
    __table_args__ = owned(
        UniqueConstraint("client_id", "document", "noun", "name"),
        UniqueConstraint("client_id", "priority_level_id"),
        UniqueConstraint("client_id", "day_part_id"),
        UniqueConstraint("client_id", "calendar_id"),
        UniqueConstraint("client_id", "channel_id"),
        UniqueConstraint("client_id", "schedule_id"),
        belongs_to("priority_levels", "priority_level_id"),
        belongs_to("day_parts", "day_part_id"),
        belongs_to("calendars", "calendar_id"),
        belongs_to("channels", "channel_id"),
        belongs_to("schedules", "schedule_id"),
        CheckConstraint(
            "(noun = 'priority_level') = (priority_level_id IS NOT NULL)"
            " AND (noun = 'day_part') = (day_part_id IS NOT NULL)"
            " AND (noun = 'calendar') = (calendar_id IS NOT NULL)"
            " AND (noun = 'channel') = (channel_id IS NOT NULL)"
            " AND (noun = 'schedule') = (schedule_id IS NOT NULL)",
            name="subject",
        ),
        CheckConstraint(
            "num_nonnulls(priority_level_id, day_part_id, calendar_id, channel_id, schedule_id)"
            " = 1",
            name="one",
        ),
    )

    document: str = Field(max_length=100)
    noun: str = Field(max_length=16)
    name: str = Field(max_length=255)
    priority_level_id: UUID | None = None
    day_part_id: UUID | None = None
    calendar_id: UUID | None = None
    channel_id: UUID | None = None
    schedule_id: UUID | None = None

    @property
    def subject(self) -> UUID:
        """The id of what it is."""
        found: UUID = getattr(self, f"{self.noun}_id")
        return found


class ZoneCompile(SQLModel, table=True):
    """A zone whose programme has to be worked out anew; ``mark`` rises each time that is said.

    ``failures`` counts how often that failed since, the last time because of ``failure``.
    """

    __tablename__ = "zone_compiles"
    __table_args__ = (
        belongs_to("zones", "zone_id"),
        Index("ix_zone_compiles_wanted_at", "wanted_at"),
    )

    client_id: UUID = Field(primary_key=True, foreign_key="clients.id", ondelete="CASCADE")
    zone_id: UUID = Field(primary_key=True)
    wanted_at: datetime = moment()
    mark: int = Field(sa_type=BigInteger, sa_column_kwargs={"server_default": marks.next_value()})
    failures: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    failure: str = Field(default="", max_length=300, sa_column_kwargs={"server_default": ""})
