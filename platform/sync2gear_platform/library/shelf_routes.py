"""The library over HTTP: many tracks at once, smart folders, playlists."""

from typing import Annotated, Literal
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Body, Query, Response
from sqlmodel import col

from sync2gear_platform.kit import rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.idempotency import Remembering, once
from sync2gear_platform.kit.paging import Listing, Page, page
from sync2gear_platform.kit.web import allow
from sync2gear_platform.library import playlist_import, playlists, service, smart
from sync2gear_platform.library.schemas import (
    BulkDeleteIn,
    BulkIn,
    BulkOut,
    LineOut,
    PlaylistOut,
    SmartIn,
    TrackOut,
)
from sync2gear_platform.library.tables import Folder, Track

router = APIRouter(prefix="/api/v1/music", tags=["music"], route_class=Remembering)

Read = Annotated[Ctx, allow("music.read")]
Write = Annotated[Ctx, allow("music.write")]
Create = Annotated[Ctx, once("music.write")]


@router.post("/files/bulk/")
async def change_tracks(ctx: Write, body: BulkIn) -> BulkOut:
    """Change many tracks alike, all of them or none."""
    found = await service.update_tracks(ctx, body.track_ids, rows.given(body.changes))
    return BulkOut(tracks=len(found))


@router.post("/files/bulk-delete/")
async def delete_tracks(ctx: Write, body: BulkDeleteIn) -> BulkOut:
    """Remove many tracks, all of them or none."""
    return BulkOut(tracks=await service.remove_tracks(ctx, body.track_ids, force=body.force))


@router.post("/smart/preview/")
async def preview_rules(ctx: Read, window: Listing, body: SmartIn) -> Page[TrackOut]:
    """What a smart folder with these rules would hold now."""
    folder = Folder(
        client_id=ctx.client_id,
        name="",
        rules=body.rules.model_dump(exclude_none=True),
        order=body.order,
        most=body.most,
        created_at=ctx.now,
        updated_at=ctx.now,
    )
    return await page(
        ctx,
        window,
        smart.preview(ctx, folder),
        keys=smart.KEYS,
        default=body.order,
        tiebreak=col(Track.id),
        shape=lambda row: TrackOut.model_validate(row[0]),
    )


@router.get("/folders/{folder_id}/export/", response_class=Response)
async def export_folder(
    ctx: Read,
    folder_id: UUID,
    kind: Annotated[Literal["m3u8", "xspf"], Query(alias="format")] = "m3u8",
) -> Response:
    """A folder as a playlist for other programs."""
    name, text = await playlist_import.export(ctx, folder_id, kind)
    named = f"attachment; filename=\"playlist.{kind}\"; filename*=UTF-8''{quote(name)}.{kind}"
    return Response(
        text,
        media_type=playlists.MEDIA_TYPES[kind],
        headers={"Content-Disposition": named},
    )


@router.post("/folders/{folder_id}/import/")
async def import_playlist(
    ctx: Create,
    folder_id: UUID,
    data: Annotated[bytes, Body(media_type="application/octet-stream")],
) -> PlaylistOut:
    """Put the tracks that a playlist (M3U8 or XSPF) names at the end of a folder."""
    lines = await playlist_import.read_into(ctx, folder_id, data)
    return PlaylistOut(
        matched=sum(line.outcome == "matched" for line in lines),
        results=[LineOut.model_validate(line, from_attributes=True) for line in lines],
    )
