"""Covers of tracks and folders: kept once by content in sizes, and shown."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from sync2gear_platform.audit import service as audit
from sync2gear_platform.kit import events, rows
from sync2gear_platform.kit.blobs import Blobs
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import NotFound
from sync2gear_platform.kit.ids import uuid7
from sync2gear_platform.library import rules
from sync2gear_platform.library.shelving import QuotaExceeded, guard, room_left
from sync2gear_platform.library.tables import Cover, Folder, Track

MAX_BYTES: Final = 10_000_000
"""Of a picture that is sent."""

Covered = type[Track] | type[Folder]
"""What may have a cover."""


async def keep(ctx: Ctx, blobs: Blobs, images: Sequence[bytes]) -> UUID:
    """The cover whose sizes are ``images`` (one for each of ``rules.COVER_SIDES``), for a row that
    this transaction gives it to. Raises :class:`QuotaExceeded`.
    """
    digests = [sha256(image).hexdigest() for image in images]
    # Before the digests are guarded: whoever imports does it in this order too.
    room = await room_left(ctx)
    await guard(ctx, digests)
    for digest, image in zip(digests, images, strict=True):
        if await blobs.size(digest) is None:
            async with blobs.stage(image) as staged:
                await staged.keep()
    known = select(Cover.id).where(
        col(Cover.client_id) == ctx.client_id, col(Cover.large) == digests[-1]
    )
    total = sum(map(len, images))
    if (await ctx.db.exec(known)).first() is None and total > room:
        raise QuotaExceeded
    values = {
        "id": uuid7(),
        "client_id": ctx.client_id,
        "version": 1,
        "created_at": ctx.now,
        "updated_at": ctx.now,
        "bytes": total,
        **dict(zip(("small", "medium", "large"), digests, strict=True)),
    }
    # One that is there is touched, so that housekeeping does not forget it meanwhile.
    statement = (
        insert(Cover)
        .values(values)
        .on_conflict_do_update(index_elements=["client_id", "large"], set_={"updated_at": ctx.now})
    )
    return (await ctx.db.execute(statement.returning(col(Cover.id)))).scalar_one()


async def keep_embedded(ctx: Ctx, blobs: Blobs, images: Sequence[bytes] | None) -> UUID | None:
    """The cover that a file brought along; ``None`` where it has none, or no room is left."""
    if images is None:
        return None
    try:
        return await keep(ctx, blobs, images)
    except QuotaExceeded:
        return None


async def put(
    ctx: Ctx, blobs: Blobs, table: Covered, row_id: UUID, images: Sequence[bytes]
) -> None:
    """Give a track or a folder this cover."""
    await rows.find(ctx, table, row_id)
    cover_id = await keep(ctx, blobs, images)  # before the row's lock, as imports do it
    await _change(ctx, await rows.find(ctx, table, row_id, lock=True), cover_id)


async def remove(ctx: Ctx, table: Covered, row_id: UUID) -> None:
    """Take the cover of a track or a folder away; ``NotFound`` where there is none."""
    row = await rows.find(ctx, table, row_id, lock=True)
    if row.cover_id is None:
        raise _none()
    await _change(ctx, row, None)


async def _change(ctx: Ctx, row: Any, cover_id: UUID | None) -> None:
    before = rows.change(ctx, row, {"cover_id": cover_id})
    await ctx.db.flush()
    noun = row.__tablename__.removesuffix("s")
    audit.record(ctx, f"{noun}.update", noun, row.id, before=before, after={"cover_id": cover_id})
    folder_id = row.folder_id if isinstance(row, Track) else row.id
    if folder_id is not None:
        await events.changed(ctx, "folder", folder_id)


async def of(ctx: Ctx, table: Covered, row_id: UUID) -> Cover:
    """The cover of a track or a folder; ``NotFound`` where there is none."""
    row = await rows.find(ctx, table, row_id)
    if row.cover_id is None:
        raise _none()
    return await rows.find(ctx, Cover, row.cover_id)


def digest_of(cover: Cover, side: int) -> str:
    """The smallest size that fills ``side`` pixels, or the largest there is."""
    sizes = zip(rules.COVER_SIDES, (cover.small, cover.medium, cover.large), strict=True)
    return next((digest for pixels, digest in sizes if pixels >= side), cover.large)


def _none() -> NotFound:
    return NotFound("There is no cover here.", code="not_found")
