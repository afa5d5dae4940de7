"""Reads of schedules for screens."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from sqlalchemy import ColumnElement, and_, exists, or_
from sqlmodel import col, select

from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.paging import Page, Window, page
from sync2gear_platform.schedules import names, rules, service, uses
from sync2gear_platform.schedules.schemas import ScheduleOut
from sync2gear_platform.schedules.shared_schemas import ScheduleUseOut
from sync2gear_platform.schedules.tables import PriorityLevel, Schedule, ScheduleTarget
from sync2gear_platform.sites import service as sites
from sync2gear_platform.sites.tables import Zone

Id = Annotated[UUID | None, Query()]


@dataclass(frozen=True, slots=True)
class ScheduleFilter:
    """Parameters of a list of schedules; a place: those that hold in a zone there."""

    type: Annotated[Literal["music", "announcement"] | None, Query()] = None
    is_active: Annotated[bool | None, Query()] = None
    zone_id: Id = None
    floor_id: Id = None
    location_id: Id = None
    channel_id: Id = None
    folder_id: Id = None
    announcement_id: Id = None
    day_part_id: Id = None
    priority_level_id: Id = None


async def schedules(ctx: Ctx, window: Window, asked: ScheduleFilter) -> Page[ScheduleOut]:
    """The client's schedules."""
    statement = select(Schedule).where(col(Schedule.client_id) == ctx.client_id)
    for name in (
        "type", "is_active", "channel_id", "folder_id", "announcement_id", "day_part_id",
        "priority_level_id",
    ):  # fmt: skip
        value = getattr(asked, name)
        if value is not None:
            statement = statement.where(col(getattr(Schedule, name)) == value)
    if asked.zone_id is not None:
        zone = await sites.zone(ctx, asked.zone_id)
        statement = statement.where(holding_in([zone.id]))
    if asked.floor_id is not None or asked.location_id is not None:
        inside = await sites.zones_in(ctx, location_id=asked.location_id, floor_id=asked.floor_id)
        statement = statement.where(holding_in(inside))
    found = await page(
        ctx,
        window,
        statement,
        keys={
            "name": col(Schedule.name),
            "priority": col(Schedule.priority),
            "created_at": col(Schedule.created_at),
        },
        default="name",
        tiebreak=col(Schedule.id),
        search=(Schedule.name,),
        shape=lambda row: row[0],
    )
    shown = await several(ctx, found.results)
    return Page(results=shown, next=found.next, previous=found.previous, count=found.count)


def holding_in(zones: Sequence[UUID]) -> ColumnElement[bool]:
    """Schedules that are meant for any of these zones: a target names it and no exception does."""
    naming = or_(
        col(ScheduleTarget.scope) == "client",
        col(ScheduleTarget.location_id) == col(Zone.location_id),
        col(ScheduleTarget.floor_id) == col(Zone.floor_id),
        col(ScheduleTarget.zone_id) == col(Zone.id),
        and_(
            col(ScheduleTarget.scope) == "tag",
            col(Zone.tags).op("?", is_comparison=True)(col(ScheduleTarget.tag)),
        ),
    )
    named = (
        exists()
        .where(col(ScheduleTarget.schedule_id) == col(Schedule.id), naming)
        .correlate(Schedule, Zone)
    )
    return (
        exists()
        .where(
            col(Zone.id).in_(zones),
            named.where(col(ScheduleTarget.excluded).is_(False)),
            ~named.where(col(ScheduleTarget.excluded).is_(True)),
        )
        .correlate(Schedule)
    )


async def schedule(ctx: Ctx, row: Schedule) -> ScheduleOut:
    """One schedule as it is shown."""
    return (await several(ctx, [row]))[0]


async def several(ctx: Ctx, found: list[Schedule]) -> list[ScheduleOut]:
    """Schedules as they are shown, in six queries."""
    ids = [row.id for row in found]
    targets = await service.targets(ctx, ids)
    calendars = await service.calendars(ctx, ids)
    named = {row.priority_level_id for row in found} - {None}
    levels = select(PriorityLevel.id, PriorityLevel.priority).where(
        col(PriorityLevel.client_id) == ctx.client_id, col(PriorityLevel.id).in_(named)
    )
    priorities: dict[UUID | None, int] = {}
    if named:
        priorities.update((id_, value) for id_, value in (await ctx.db.execute(levels)).all())
    called = await names.of(ctx, found, rules.SUBJECTS)
    return [
        ScheduleOut.model_validate(
            {
                **row.model_dump(),
                "content_name": names.called(row, called, rules.SUBJECTS),
                **_founding(row),
                "effective_priority": priorities.get(row.priority_level_id, row.priority),
                **service.shown_targets(targets.get(row.id, [])),
                **service.shown_calendars(calendars.get(row.id, [])),
            }
        )
        for row in found
    ]


def _founding(row: Schedule) -> dict[str, Any]:
    """A schedule in document 001's words."""
    kind, number = rules.interval_of(row.when)
    named = (name for name in rules.SUBJECTS if getattr(row, name) is not None)
    subject = next(named, None)
    return {
        "content_type": subject.removesuffix("_id") if subject else None,
        "mode": "timeline" if kind is None else "interval",
        "interval_type": kind,
        "interval_minutes": number,
    }


async def using(ctx: Ctx, window: Window, row: uses.Shared) -> Page[ScheduleUseOut]:
    """The schedules that use a calendar, a day-part or a level."""
    statement = select(Schedule).where(col(Schedule.client_id) == ctx.client_id, uses.naming(row))
    return await page(
        ctx,
        window,
        statement,
        keys={"name": col(Schedule.name)},
        default="name",
        tiebreak=col(Schedule.id),
        search=(Schedule.name,),
        shape=lambda found: ScheduleUseOut.model_validate(found[0], from_attributes=True),
    )
