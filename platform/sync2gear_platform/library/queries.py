"""Reads of the library for screens."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select

from sync2gear_platform.kit import rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.paging import Page, Window, page
from sync2gear_platform.library import filters, smart
from sync2gear_platform.library.filters import TrackFilter
from sync2gear_platform.library.schemas import (
    FolderOut,
    ImportItemOut,
    ImportOut,
    TrackOut,
    UploadOut,
)
from sync2gear_platform.library.tables import Folder, Import, ImportItem, Track, Upload


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
    if folder.rules is not None:
        return shown
    return shown.model_copy(update={"tracks": tracks or 0, "duration_millis": int(duration or 0)})


async def folders(
    ctx: Ctx, window: Window, kind: str | None, parent_id: UUID | None = None
) -> Page[FolderOut]:
    """The client's folders by name, or those directly in one; smart ones are not counted."""
    statement = _folders(ctx)
    if parent_id is not None:
        statement = statement.where(col(Folder.parent_id) == parent_id)
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
    if row.rules is None:
        found = await ctx.db.execute(_folders(ctx).where(col(Folder.id) == row.id))
        return _folder(found.one())
    held = smart.choice(ctx, row).subquery()
    counted = select(func.count(), func.sum(held.c.duration_millis)).select_from(held)
    tracks, duration = (await ctx.db.execute(counted)).one()
    return FolderOut.model_validate(row).model_copy(
        update={"tracks": tracks, "duration_millis": int(duration or 0)}
    )


async def tracks(ctx: Ctx, window: Window, asked: TrackFilter) -> Page[TrackOut]:
    """The client's tracks by title, or those of one folder in its order."""
    statement = select(Track).where(
        col(Track.client_id) == ctx.client_id, *filters.conditions(ctx, asked)
    )
    default = "title"
    if asked.folder_id is not None:
        folder = await rows.find(ctx, Folder, asked.folder_id)
        default = folder.order if folder.rules else "position"
        if folder.rules:
            statement = statement.where(smart.chosen(ctx, folder))
        elif asked.subfolders:
            statement = statement.where(col(Track.folder_id).in_(filters.below(ctx, folder.id)))
        else:
            statement = statement.where(col(Track.folder_id) == folder.id)
    indexes = await filters.prepare(ctx, window.search) if window.search else {}
    return await page(
        ctx,
        window,
        statement,
        keys=smart.KEYS,
        default=default,
        tiebreak=col(Track.id),
        search=lambda needle: filters.matching(ctx, needle),
        late=bool(window.search),
        indexes=indexes if asked == TrackFilter() else {},
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


async def uploads(
    ctx: Ctx, window: Window, purposes: tuple[str, ...], state: str | None
) -> Page[UploadOut]:
    """The client's uploads for these purposes, the newest first."""
    statement = select(Upload).where(
        col(Upload.client_id) == ctx.client_id, col(Upload.purpose).in_(purposes)
    )
    if state is not None:
        statement = statement.where(col(Upload.state) == state)
    return await page(
        ctx,
        window,
        statement,
        keys={"created_at": col(Upload.created_at), "filename": col(Upload.filename)},
        default="-created_at",
        tiebreak=col(Upload.id),
        search=(Upload.filename, Upload.title),
        shape=lambda row: UploadOut.model_validate(row[0]),
    )


async def some_uploads(ctx: Ctx, ids: Collection[UUID]) -> list[UploadOut]:
    """Those of ``ids`` that are here, the newest first; at most 200."""
    statement = select(Upload).where(
        col(Upload.client_id) == ctx.client_id, col(Upload.id).in_(ids)
    )
    rows_ = await ctx.db.exec(statement.order_by(col(Upload.id).desc()).limit(200))
    return [UploadOut.model_validate(row) for row in rows_]
