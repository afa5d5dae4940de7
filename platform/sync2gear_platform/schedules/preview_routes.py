"""What channels hold and would play, over HTTP: above them, as announcements are heard in them."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import BaseModel

from sync2gear_broker.units import millis_from_frames
from sync2gear_platform.channels import service as channels
from sync2gear_platform.channels.schemas import ItemOut
from sync2gear_platform.channels.tables import Channel
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.idempotency import Remembering
from sync2gear_platform.kit.web import allow
from sync2gear_platform.schedules import names, preview
from sync2gear_platform.schedules.occurrences import moment_of
from sync2gear_platform.sites.tables import Location

router = APIRouter(prefix="/api/v1/channels", tags=["channels"], route_class=Remembering)


class ChannelLineOut(ItemOut):
    """A line of a channel and what it is called."""

    name: str


class ChannelLinesOut(BaseModel):
    """The lines of a channel in their order."""

    results: list[ChannelLineOut]


class TurnOut(BaseModel):
    """A piece that comes: a track or an announcement (``id``), and which line asked for it."""

    id: UUID
    kind: Literal["music", "announcement"]
    title: str
    artist: str
    item_id: UUID
    starts_at: datetime
    duration_millis: int


class PreviewOut(BaseModel):
    """The next pieces of a channel."""

    results: list[TurnOut]


@router.get("/{channel_id}/items/")
async def list_channel_items(
    ctx: Annotated[Ctx, allow("channels.read")], channel_id: UUID
) -> ChannelLinesOut:
    """List the lines of a channel with what each is called; 500 at the most."""
    await rows.find(ctx, Channel, channel_id)
    lines = await channels.items(ctx, channel_id)
    called = await names.of(ctx, lines, channels.SUBJECTS)
    return ChannelLinesOut(
        results=[
            ChannelLineOut.model_validate(
                {**line.model_dump(), "name": names.called(line, called, channels.SUBJECTS)}
            )
            for line in lines
        ]
    )


@router.get("/{channel_id}/preview/")
async def preview_channel(
    ctx: Annotated[Ctx, allow("channels.read")],
    channel_id: UUID,
    count: Annotated[int, Query(ge=1, le=preview.MAX_PIECES)] = 20,
    at: Annotated[datetime | None, Query()] = None,
    location_id: Annotated[UUID | None, Query()] = None,
) -> PreviewOut:
    """List what a channel would play from an instant on, at a location: where licences hold."""
    place = await rows.find(ctx, Location, location_id) if location_id else None
    zone = ZoneInfo(place.timezone) if place else ZoneInfo("UTC")
    moment = (at or ctx.now) if at is None or at.tzinfo else at.replace(tzinfo=zone)
    country = place.country if place else ""
    turns = await preview.upcoming(ctx, channel_id, moment.astimezone(UTC), zone, country, count)
    return PreviewOut(
        results=[
            TurnOut(
                id=UUID(turn.piece.id),
                kind=turn.piece.media.kind,
                title=turn.piece.media.title,
                artist=turn.piece.media.artist,
                item_id=turn.line,
                starts_at=moment_of(turn.at),
                duration_millis=millis_from_frames(turn.piece.media.frames),
            )
            for turn in turns
        ]
    )
