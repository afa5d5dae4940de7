"""Schedules over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from sync2gear_platform.kit import rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.idempotency import Remembering, once
from sync2gear_platform.kit.paging import Listing, Page
from sync2gear_platform.kit.web import allow
from sync2gear_platform.schedules import queries, service
from sync2gear_platform.schedules.queries import ScheduleFilter
from sync2gear_platform.schedules.schemas import ScheduleIn, ScheduleOut, SchedulePatch
from sync2gear_platform.schedules.tables import Schedule

router = APIRouter(prefix="/api/v1/schedules", tags=["schedules"], route_class=Remembering)

Read = Annotated[Ctx, allow("schedules.read")]
Write = Annotated[Ctx, allow("schedules.write")]
Create = Annotated[Ctx, once("schedules.write")]


@router.get("/")
async def list_schedules(
    ctx: Read, window: Listing, asked: Annotated[ScheduleFilter, Depends()]
) -> Page[ScheduleOut]:
    """List schedules."""
    return await queries.schedules(ctx, window, asked)


@router.post("/", status_code=201)
async def create_schedule(ctx: Create, body: ScheduleIn, response: Response) -> ScheduleOut:
    """Make a schedule."""
    return await _shown(ctx, await service.create(ctx, body.values()), response)


@router.get("/{schedule_id}/")
async def get_schedule(ctx: Read, schedule_id: UUID, response: Response) -> ScheduleOut:
    """Read a schedule."""
    return await _shown(ctx, await rows.find(ctx, Schedule, schedule_id), response)


@router.patch("/{schedule_id}/")
async def update_schedule(
    ctx: Write,
    schedule_id: UUID,
    body: SchedulePatch,
    response: Response,
    if_match: rows.IfMatch = None,
) -> ScheduleOut:
    """Change a schedule."""
    row = await service.update(ctx, schedule_id, body.values(), if_match)
    return await _shown(ctx, row, response)


@router.delete("/{schedule_id}/", status_code=204)
async def delete_schedule(ctx: Write, schedule_id: UUID, if_match: rows.IfMatch = None) -> None:
    """Remove a schedule."""
    await service.remove(ctx, schedule_id, if_match)


@router.post("/{schedule_id}/toggle/")
async def toggle_schedule(
    ctx: Create, schedule_id: UUID, response: Response, if_match: rows.IfMatch = None
) -> ScheduleOut:
    """Switch a schedule on or off, whichever it is not."""
    return await _shown(ctx, await service.toggle(ctx, schedule_id, if_match), response)


async def _shown(ctx: Ctx, row: Schedule, response: Response) -> ScheduleOut:
    rows.tagged(response, row)
    return await queries.schedule(ctx, row)
