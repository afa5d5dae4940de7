"""Which schedules use channels, folders and announcements; and calendars, day-parts and levels."""

from collections.abc import Collection
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import col, select

from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.library.uses import MOST, InUse, Kind, Use
from sync2gear_platform.schedules.tables import (
    Calendar,
    DayPart,
    PriorityLevel,
    Schedule,
    ScheduleCalendar,
)

Shared = Calendar | DayPart | PriorityLevel


async def uses(ctx: Ctx, kind: Kind, subjects: Collection[UUID]) -> list[Use]:
    """The schedules that play such a channel, folder or announcement, be they active or not."""
    if kind == "track":
        return []
    return await _named(ctx, col(getattr(Schedule, f"{kind}_id")).in_(subjects))


def naming(row: Shared) -> ColumnElement[bool]:
    """What schedules meet that use a calendar, a day-part or a level."""
    if isinstance(row, DayPart):
        return col(Schedule.day_part_id) == row.id
    if isinstance(row, PriorityLevel):
        return col(Schedule.priority_level_id) == row.id
    dated = select(ScheduleCalendar.schedule_id).where(
        col(ScheduleCalendar.client_id) == row.client_id,
        col(ScheduleCalendar.calendar_id) == row.id,
    )
    return col(Schedule.id).in_(dated)


async def refuse(ctx: Ctx, row: Shared) -> None:
    """Raise :class:`InUse` where a schedule uses it: what it would mean then, nobody said."""
    users = await _named(ctx, naming(row))
    if users:
        shown: list[dict[str, Any]] = [{**asdict(u), "id": str(u.id)} for u in users]
        raise InUse("Schedules use this: change them first, see ``used_by``.", used_by=shown)


async def _named(ctx: Ctx, condition: ColumnElement[bool]) -> list[Use]:
    found = (
        select(Schedule.id, Schedule.name)
        .where(col(Schedule.client_id) == ctx.client_id, condition)
        .order_by(col(Schedule.name), col(Schedule.id))
        .limit(MOST)
    )
    return [Use("schedule", id_, name) for id_, name in (await ctx.db.execute(found)).all()]
