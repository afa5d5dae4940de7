"""Playback over HTTP: commands, what sounds now, proof of play, and programmes for speakers."""

import asyncio
import gzip
from dataclasses import asdict
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Path, Query, Response
from pydantic import AwareDatetime
from sqlmodel import col, select

from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import NotFound
from sync2gear_platform.kit.idempotency import Remembering, once
from sync2gear_platform.kit.paging import Listing, Page, page
from sync2gear_platform.kit.web import allow
from sync2gear_platform.playback import history, queries, queue, service
from sync2gear_platform.playback.schemas import (
    CancelIn,
    PlayEventOut,
    PlayIn,
    QueueEntryOut,
    QueueOut,
    QueuesOut,
    SeekIn,
    ShuffleIn,
    StateOut,
    StopIn,
    Target,
    Views,
    VolumeIn,
)
from sync2gear_platform.playback.tables import PlayEventRow, ProgrammeRow

router = APIRouter(prefix="/api/v1", tags=["playback"], route_class=Remembering)

Control = Annotated[Ctx, allow("playback.control")]
Once = Annotated[Ctx, once("playback.control")]


@router.post("/playback/play/")
async def play(ctx: Once, body: PlayIn) -> Views:
    """Play a folder or tracks; without either, resume."""
    results = await service.play(
        ctx,
        zone_ids=body.zones,
        folder_id=body.folder_id,
        track_ids=body.track_ids,
        shuffle=body.shuffle,
        crossfade_millis=body.crossfade_millis,
        until=body.until,
        rev=body.rev,
    )
    return Views(results=results)


@router.post("/playback/shuffle/")
async def shuffle(ctx: Once, body: ShuffleIn) -> Views:
    """Let the music that people chose go on in another order."""
    results = await service.shuffle(ctx, zone_ids=body.zones, shuffle=body.shuffle, rev=body.rev)
    return Views(results=results)


@router.post("/playback/pause/")
async def pause(ctx: Control, body: Target) -> Views:
    """Pause the music."""
    return Views(results=await service.pause(ctx, zone_ids=body.zones, rev=body.rev))


@router.post("/playback/resume/")
async def resume(ctx: Control, body: Target) -> Views:
    """Let the music go on."""
    return Views(results=await service.resume(ctx, zone_ids=body.zones, rev=body.rev))


@router.post("/playback/stop/")
async def stop(ctx: Control, body: StopIn) -> Views:
    """Silence the zone, announcements included."""
    results = await service.stop(ctx, zone_ids=body.zones, until=body.until, rev=body.rev)
    return Views(results=results)


@router.post("/playback/next/")
async def skip_forward(ctx: Once, body: Target) -> Views:
    """Go to the next item."""
    return Views(results=await service.skip_forward(ctx, zone_ids=body.zones, rev=body.rev))


@router.post("/playback/previous/")
async def skip_back(ctx: Once, body: Target) -> Views:
    """Begin the item again, or go to the one before it."""
    return Views(results=await service.skip_back(ctx, zone_ids=body.zones, rev=body.rev))


@router.post("/playback/seek/")
async def seek(ctx: Control, body: SeekIn) -> Views:
    """Go to a position in what is playing."""
    results = await service.seek(
        ctx, zone_ids=body.zones, position_millis=body.position_millis, rev=body.rev
    )
    return Views(results=results)


@router.post("/playback/volume/")
async def volume(ctx: Control, body: VolumeIn) -> Views:
    """Set the volume, and mute or unmute."""
    results = await service.set_volume(
        ctx, zone_ids=body.zones, volume=body.volume, mute=body.mute, rev=body.rev
    )
    return Views(results=results)


@router.post("/playback/cancel/")
async def cancel(ctx: Control, body: CancelIn) -> Views:
    """Cancel an announcement."""
    return Views(results=await service.cancel(ctx, zone_id=body.zone_id, event_id=body.event_id))


@router.get("/playback/queue/")
async def show_queue(
    ctx: Annotated[Ctx, allow("playback.read")], zone_id: Annotated[UUID | None, Query()] = None
) -> QueuesOut:
    """What is announced now and waits, in one zone or in all that announce something."""
    found = await queries.scores(ctx, None if zone_id is None else [zone_id])
    shown = []
    for score in found:
        entries = queue.entries(score, ctx.frame)
        if entries or zone_id is not None:
            told = [QueueEntryOut(**asdict(entry)) for entry in entries]
            shown.append(QueueOut(zone_id=score.zone.id, name=score.zone.name, entries=told))
    return QueuesOut(frame=ctx.frame, results=shown)


@router.post("/playback/queue/clear/")
async def clear_queue(ctx: Control, body: Target) -> Views:
    """End every announcement, those that wait included."""
    return Views(results=await queue.clear(ctx, body.zones, body.rev))


@router.get("/playback/state/")
async def state(
    ctx: Annotated[Ctx, allow("playback.read")],
    zone_id: Annotated[UUID | None, Query()] = None,
    at: Annotated[AwareDatetime | None, Query()] = None,
) -> StateOut:
    """What sounds now and next, in one zone or in all; or ``at`` any instant of a week around."""
    zone_ids = None if zone_id is None else [zone_id]
    if at is None:
        return StateOut(frame=ctx.frame, results=await queries.views(ctx, zone_ids, ctx.frame))
    frame = history.frame_at(ctx, at)
    return StateOut(frame=frame, results=await history.views_at(ctx, zone_ids, frame))


@router.get("/playback/events/")
async def events(
    ctx: Annotated[Ctx, allow("playback.read")],
    window: Listing,
    zone_id: Annotated[UUID | None, Query()] = None,
    device_id: Annotated[UUID | None, Query()] = None,
) -> Page[PlayEventOut]:
    """The proof of play, the latest first."""
    statement = select(PlayEventRow).where(col(PlayEventRow.client_id) == ctx.client_id)
    if zone_id is not None:
        statement = statement.where(col(PlayEventRow.zone_id) == zone_id)
    if device_id is not None:
        statement = statement.where(col(PlayEventRow.device_id) == device_id)
    return await page(
        ctx,
        window,
        statement,
        keys={
            "received_at": col(PlayEventRow.received_at),
            "at_frame": col(PlayEventRow.at_frame),
        },
        default="-received_at",
        tiebreak=col(PlayEventRow.id),
        search=(PlayEventRow.item, PlayEventRow.sha256),
        shape=lambda row: PlayEventOut.model_validate(row[0]),
    )


@router.get("/programmes/{sha256}/", response_class=Response)
async def programme(
    ctx: Annotated[Ctx, allow("device.fetch")],
    sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$")],
    accept_encoding: Annotated[str, Header()] = "",
    if_none_match: Annotated[str, Header()] = "",
) -> Response:
    """A programme of this device's client, as canonical JSON named by its hash."""
    statement = select(ProgrammeRow.body).where(
        col(ProgrammeRow.client_id) == ctx.client_id, col(ProgrammeRow.sha256) == sha256
    )
    body = (await ctx.db.exec(statement)).one_or_none()
    if body is None:
        raise NotFound("There is no such programme here.")
    headers = {
        "ETag": f'"{sha256}"',
        "Cache-Control": "private, max-age=31536000, immutable",
        "Vary": "Accept-Encoding",
    }
    if sha256 in if_none_match:
        return Response(status_code=304, headers=headers)
    if "gzip" in accept_encoding:
        body, headers["Content-Encoding"] = await asyncio.to_thread(gzip.compress, body, 6), "gzip"
    return Response(body, media_type="application/json", headers=headers)
