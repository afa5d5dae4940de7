"""Reads of the library for screens."""

from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select

from sync2gear_platform.kit import rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.paging import Page, Window, page
from sync2gear_platform.library.schemas import (
    FolderOut,
    ImportItemOut,
    ImportOut,
    TrackOut,
)
from sync2gear_platform.library.tables import Folder, Import, ImportItem, Track


def _folders(ctx: Ctx) -> Any:
    contents = (
        select(
            col(Track.folder_id),
            func.count().label("tracks"),
            func.sum(col(Track.duration_millis)).label("duration_millis"),
        )
        .where(col(Track.client_id) == ctx.client_id)
        .group_by(col(Track.folder_id))
        .subquery()
    )
    return (
        select(Folder, contents.c.tracks, contents.c.duration_millis)
        .outerjoin(contents, contents.c.folder_id == col(Folder.id))
        .where(col(Folder.client_id) == ctx.client_id)
    )


def _folder(row: Any) -> FolderOut:
    folder, tracks, duration = row
    shown = FolderOut.model_validate(folder)
    return shown.model_copy(update={"tracks": tracks or 0, "duration_millis": int(duration or 0)})


async def folders(ctx: Ctx, window: Window, kind: str | None) -> Page[FolderOut]:
    """The client's folders, by name."""
    statement = _folders(ctx)
    if kind is not None:
        statement = statement.where(col(Folder.type) == kind)
    return await page(
        ctx,
        window,
        statement,
        keys={"name": col(Folder.name), "created_at": col(Folder.created_at)},
        default="name",
        tiebreak=col(Folder.id),
        search=(Folder.name, Folder.description),
        shape=_folder,
    )


async def folder(ctx: Ctx, row: Folder) -> FolderOut:
    """One folder with what it holds."""
    found = await ctx.db.execute(_folders(ctx).where(col(Folder.id) == row.id))
    return _folder(found.one())


async def tracks(ctx: Ctx, window: Window, folder_id: UUID | None) -> Page[TrackOut]:
    """The client's tracks by title, or those of one folder in its order."""
    statement = select(Track).where(col(Track.client_id) == ctx.client_id)
    if folder_id is not None:
        await rows.find(ctx, Folder, folder_id)
        statement = statement.where(col(Track.folder_id) == folder_id)
    return await page(
        ctx,
        window,
        statement,
        keys={
            "position": col(Track.position),
            "title": col(Track.title),
            "artist": col(Track.artist),
            "album": col(Track.album),
            "duration_millis": col(Track.duration_millis),
            "created_at": col(Track.created_at),
        },
        default="title" if folder_id is None else "position",
        tiebreak=col(Track.id),
        search=(Track.title, Track.artist, Track.album, Track.genre, Track.filename),
        shape=lambda row: TrackOut.model_validate(row[0]),
    )


async def imports(ctx: Ctx, window: Window) -> Page[ImportOut]:
    """The client's imports, the newest first."""
    return await page(
        ctx,
        window,
        select(Import).where(col(Import.client_id) == ctx.client_id),
        keys={"created_at": col(Import.created_at)},
        default="-created_at",
        tiebreak=col(Import.id),
        search=(Import.source,),
        shape=lambda row: ImportOut.model_validate(row[0]),
    )


async def import_items(
    ctx: Ctx, window: Window, import_id: UUID, outcome: str | None
) -> Page[ImportItemOut]:
    """What became of each file of an import, in the order in which they were read."""
    await rows.find(ctx, Import, import_id)
    statement = select(ImportItem).where(
        col(ImportItem.client_id) == ctx.client_id, col(ImportItem.import_id) == import_id
    )
    if outcome is not None:
        statement = statement.where(col(ImportItem.outcome) == outcome)
    return await page(
        ctx,
        window,
        statement,
        keys={"created_at": col(ImportItem.created_at), "name": col(ImportItem.name)},
        default="created_at",
        tiebreak=col(ImportItem.id),
        search=(ImportItem.name, ImportItem.code),
        shape=lambda row: ImportItemOut.model_validate(row[0]),
    )
