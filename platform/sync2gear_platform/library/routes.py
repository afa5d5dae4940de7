"""The library over HTTP: folders, tracks and imports."""

from typing import Annotated, Literal, cast
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from sync2gear_platform.jobs.app import defer
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.idempotency import Remembering, once
from sync2gear_platform.kit.paging import Listing, Page
from sync2gear_platform.kit.web import allow
from sync2gear_platform.library import delivery, folders, jobs, queries, service
from sync2gear_platform.library.filters import TrackFilter
from sync2gear_platform.library.schemas import (
    FolderIn,
    FolderOut,
    FolderPatch,
    ImportIn,
    ImportItemOut,
    ImportOut,
    ReorderIn,
    TrackOut,
    TrackPatch,
)
from sync2gear_platform.library.tables import Folder, Import, Track
from sync2gear_platform.settings import Settings

router = APIRouter(prefix="/api/v1", tags=["music"], route_class=Remembering)

Read = Annotated[Ctx, allow("music.read")]
Write = Annotated[Ctx, allow("music.write")]
Create = Annotated[Ctx, once("music.write")]


@router.get("/music/folders/")
async def list_folders(
    ctx: Read,
    window: Listing,
    kind: Annotated[Literal["music", "announcement"] | None, Query(alias="type")] = None,
    parent_id: Annotated[UUID | None, Query()] = None,
) -> Page[FolderOut]:
    """List folders."""
    return await queries.folders(ctx, window, kind, parent_id)


@router.post("/music/folders/", status_code=201)
async def create_folder(ctx: Create, body: FolderIn, response: Response) -> FolderOut:
    """Make a folder."""
    row = await folders.create(ctx, body.model_dump(exclude_none=True))
    rows.tagged(response, row)
    return await queries.folder(ctx, row)


@router.get("/music/folders/{folder_id}/")
async def get_folder(ctx: Read, folder_id: UUID, response: Response) -> FolderOut:
    """Read a folder."""
    row = await rows.find(ctx, Folder, folder_id)
    rows.tagged(response, row)
    return await queries.folder(ctx, row)


@router.patch("/music/folders/{folder_id}/")
async def update_folder(
    ctx: Write,
    folder_id: UUID,
    body: FolderPatch,
    response: Response,
    if_match: rows.IfMatch = None,
) -> FolderOut:
    """Change a folder."""
    values = rows.given(body)
    if body.rules is not None:
        values["rules"] = body.rules.model_dump(exclude_none=True)
    row = await folders.update(ctx, folder_id, values, if_match)
    rows.tagged(response, row)
    return await queries.folder(ctx, row)


@router.delete("/music/folders/{folder_id}/", status_code=204)
async def delete_folder(
    ctx: Write,
    folder_id: UUID,
    force: Annotated[bool, Query()] = False,
    if_match: rows.IfMatch = None,
) -> None:
    """Remove a folder. While something uses it (409 ``in_use``), only with ``force``."""
    await folders.remove(ctx, folder_id, if_match, force=force)


@router.post("/music/folders/{folder_id}/reorder/")
async def reorder_folder(
    ctx: Write,
    folder_id: UUID,
    body: ReorderIn,
    response: Response,
    if_match: rows.IfMatch = None,
) -> FolderOut:
    """Put a folder's tracks in order."""
    row = await folders.reorder(ctx, folder_id, body.track_ids, if_match)
    rows.tagged(response, row)
    return await queries.folder(ctx, row)


@router.get("/music/files/")
async def list_tracks(
    ctx: Read, window: Listing, asked: Annotated[TrackFilter, Depends()]
) -> Page[TrackOut]:
    """List tracks."""
    return await queries.tracks(ctx, window, asked)


@router.get("/music/search/")
async def search_tracks(
    ctx: Read, window: Listing, _: Annotated[str, Query(alias="search", min_length=1)]
) -> Page[TrackOut]:
    """Search tracks by beginnings of words in title, artist, album, genre and file name."""
    return await queries.tracks(ctx, window, TrackFilter())


@router.get("/music/files/{track_id}/")
async def get_track(ctx: Read, track_id: UUID, response: Response) -> TrackOut:
    """Read a track."""
    row = await rows.find(ctx, Track, track_id)
    rows.tagged(response, row)
    return TrackOut.model_validate(row)


@router.patch("/music/files/{track_id}/")
async def update_track(
    ctx: Write,
    track_id: UUID,
    body: TrackPatch,
    response: Response,
    if_match: rows.IfMatch = None,
) -> TrackOut:
    """Change a track."""
    row = await service.update_track(ctx, track_id, rows.given(body), if_match)
    rows.tagged(response, row)
    return TrackOut.model_validate(row)


@router.delete("/music/files/{track_id}/", status_code=204)
async def delete_track(
    ctx: Write,
    track_id: UUID,
    force: Annotated[bool, Query()] = False,
    if_match: rows.IfMatch = None,
) -> None:
    """Remove a track. While something uses it (409 ``in_use``), only with ``force``."""
    await service.remove_track(ctx, track_id, if_match, force=force)


@router.post("/music/imports/", status_code=202)
async def create_import(ctx: Create, request: Request, body: ImportIn) -> ImportOut:
    """Read a folder of the server's import folder into the library."""
    settings = cast("Settings", request.app.state.settings)
    row = await service.begin_import(ctx, settings.import_dir, folder=body.folder, name=body.name)
    await defer(
        ctx,
        jobs.IMPORT,
        lock=f"import {ctx.client_id}",
        import_id=str(row.id),
        folder=body.folder,
    )
    return ImportOut.model_validate(row)


@router.get("/music/imports/")
async def list_imports(ctx: Read, window: Listing) -> Page[ImportOut]:
    """List imports, the newest first."""
    return await queries.imports(ctx, window)


@router.get("/music/imports/{import_id}/")
async def get_import(ctx: Read, import_id: UUID) -> ImportOut:
    """Read an import."""
    return ImportOut.model_validate(await rows.find(ctx, Import, import_id))


@router.get("/music/imports/{import_id}/items/")
async def list_import_items(
    ctx: Read,
    window: Listing,
    import_id: UUID,
    outcome: Annotated[Literal["imported", "duplicate", "rejected"] | None, Query()] = None,
) -> Page[ImportItemOut]:
    """List what became of each file of an import."""
    return await queries.import_items(ctx, window, import_id, outcome)


@router.get("/music/files/{track_id}/audio/", response_class=Response)
async def hear_track(ctx: Read, track_id: UUID, request: Request) -> Response:
    """The audio of a track, whole or in a range."""
    track = await rows.find(ctx, Track, track_id)
    return await delivery.deliver(request, await service.media(ctx, track.sha256))
