"""What is planned, over HTTP: back to the schedule, forecasts and dry runs."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.idempotency import Remembering, once
from sync2gear_platform.kit.web import allow
from sync2gear_platform.playback import queries
from sync2gear_platform.playback.schemas import Target, Views, ZoneView
from sync2gear_platform.schedules import by_hand, dry_run, forecast, publishing
from sync2gear_platform.schedules.plan_schemas import (
    ChannelPlayIn,
    ConflictOut,
    DryRunIn,
    DryRunOut,
    ForecastOut,
    ZoneDifferenceOut,
)

router = APIRouter(prefix="/api/v1", tags=["schedules"], route_class=Remembering)

Read = Annotated[Ctx, allow("playback.read")]
Moment = Annotated[AwareDatetime | None, Query()]


@router.post("/playback/schedule/")
async def back_to_schedule(ctx: Annotated[Ctx, once("playback.control")], body: Target) -> Views:
    """Play what is scheduled again: what people chose instead, a pause and a stop end."""
    return Views(results=await back(ctx, body))


async def back(ctx: Ctx, body: Target) -> list[ZoneView]:
    """The same as a command of the WebSocket."""
    await publishing.back(ctx, body.zones, body.rev)
    return await queries.views(ctx, body.zones, ctx.frame)


@router.post("/playback/channel/")
async def play_channel(ctx: Annotated[Ctx, once("playback.control")], body: ChannelPlayIn) -> Views:
    """Play a channel instead of what is scheduled."""
    return Views(results=await put_on(ctx, body))


async def put_on(ctx: Ctx, body: ChannelPlayIn) -> list[ZoneView]:
    """The same as a command of the WebSocket."""
    return await by_hand.play(
        ctx, zone_ids=body.zones, channel_id=body.channel_id, until=body.until, rev=body.rev
    )


@router.get("/zones/{zone_id}/forecast/")
async def zone_forecast(
    ctx: Read,
    zone_id: UUID,
    at: Moment = None,
    from_: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    to: Moment = None,
) -> ForecastOut:
    """What a zone will sound, and why: ``at`` an instant, or ``from`` and ``to``; else an hour."""
    if at is not None:
        from_, to = at, at + timedelta(seconds=1)
    start, end = forecast.frames(ctx, from_, to)
    return ForecastOut.of(await forecast.of_zone(ctx, zone_id, start, end))


@router.post("/schedules/dry-run/")
async def try_changes(ctx: Annotated[Ctx, allow("schedules.write")], body: DryRunIn) -> DryRunOut:
    """What would be heard otherwise if schedules were changed so; nothing is changed."""
    ends = body.to
    if ends is None:
        ends = (body.from_ or ctx.now) + timedelta(days=1)
    start, end = forecast.frames(ctx, body.from_, ends)
    changes = [change.meant() for change in body.changes]
    found = await dry_run.run(ctx, changes, body.zone_ids, start, end)
    return DryRunOut(
        results=[ZoneDifferenceOut.of(zone, lines) for zone, lines in found.zones.items()],
        conflicts=[ConflictOut.of(one) for one in found.conflicts],
    )
