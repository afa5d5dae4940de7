"""Conflicts of schedules, and schedules as calendars that other programs read, over HTTP."""

from datetime import timedelta
from typing import Annotated, cast
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel
from sqlmodel import col, select

from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.fields import In, Name, Out
from sync2gear_platform.kit.idempotency import Remembering, once
from sync2gear_platform.kit.paging import Listing, Page, page
from sync2gear_platform.kit.web import allow, public
from sync2gear_platform.schedules import conflicts, facts, feeds
from sync2gear_platform.schedules.occurrences import frame_of
from sync2gear_platform.schedules.plan_schemas import ConflictOut
from sync2gear_platform.schedules.tables import ScheduleFeed
from sync2gear_platform.settings import Settings
from sync2gear_platform.sites import service as sites

router = APIRouter(prefix="/api/v1/schedules", tags=["schedules"], route_class=Remembering)

Read = Annotated[Ctx, allow("schedules.read")]
Write = Annotated[Ctx, allow("schedules.write")]
Create = Annotated[Ctx, once("schedules.write")]
MAX_ZONES = 1_000


class ConflictsOut(BaseModel):
    """Conflicts, the earliest first; ``truncated``: there are more zones or conflicts."""

    results: list[ConflictOut]
    truncated: bool


class FeedIn(In):
    """A new feed, of one zone or of the client."""

    name: Name
    zone_id: UUID | None = None


class FeedOut(Out):
    """A feed; its address was shown once."""

    name: str
    zone_id: UUID | None


class NewFeedOut(FeedOut):
    """A new feed with its address, which nobody is shown again."""

    url: str


@router.get("/conflicts/")
async def list_conflicts(
    ctx: Read,
    zone_id: Annotated[UUID | None, Query()] = None,
    floor_id: Annotated[UUID | None, Query()] = None,
    location_id: Annotated[UUID | None, Query()] = None,
    days: Annotated[int, Query(ge=1, le=62)] = 14,
) -> ConflictsOut:
    """List schedules of one priority and breadth that meet in the coming days."""
    zone_ids = await sites.zones_in(ctx, location_id=location_id, floor_id=floor_id)
    if zone_id is not None:
        zone = await sites.zone(ctx, zone_id)
        zone_ids = [one for one in zone_ids if one == zone.id]
    known = await facts.outline(ctx, zone_ids[:MAX_ZONES])
    end = ctx.now + timedelta(days=days)
    found = conflicts.conflicts(known.values(), ctx.frame, frame_of(end))
    return ConflictsOut(
        results=[ConflictOut.of(one) for one in found[: conflicts.MOST]],
        truncated=len(zone_ids) > MAX_ZONES or len(found) > conflicts.MOST,
    )


@router.get("/feeds/")
async def list_feeds(ctx: Read, window: Listing) -> Page[FeedOut]:
    """List the feeds of schedules."""
    return await page(
        ctx,
        window,
        select(ScheduleFeed).where(col(ScheduleFeed.client_id) == ctx.client_id),
        keys={"name": col(ScheduleFeed.name), "created_at": col(ScheduleFeed.created_at)},
        default="name",
        tiebreak=col(ScheduleFeed.id),
        search=(ScheduleFeed.name,),
        shape=lambda row: FeedOut.model_validate(row[0]),
    )


@router.post("/feeds/", status_code=201)
async def create_feed(ctx: Create, request: Request, body: FeedIn) -> NewFeedOut:
    """Make a feed; its address is shown this once."""
    row, token = await feeds.create(ctx, body.model_dump())
    settings = cast("Settings", request.app.state.settings)
    url = f"{settings.public_url.rstrip('/')}/api/v1/schedules/feed/{token}/"
    return NewFeedOut.model_validate({**row.model_dump(), "url": url})


@router.delete("/feeds/{feed_id}/", status_code=204)
async def revoke_feed(ctx: Write, feed_id: UUID) -> None:
    """Revoke a feed: its address finds nothing any more."""
    await feeds.revoke(ctx, feed_id)


@router.get("/feed/{token}/", response_class=Response, include_in_schema=False)
async def read_feed(
    ctx: Annotated[Ctx, public()], token: Annotated[str, Path(min_length=1, max_length=100)]
) -> Response:
    """A schedule as a calendar, for whoever has its address."""
    return Response(await feeds.written(ctx, token), media_type="text/calendar; charset=utf-8")
