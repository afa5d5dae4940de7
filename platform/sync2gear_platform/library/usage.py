"""What a client stores: by kind, how many and how large, and how much room is left."""

from sqlalchemy import ColumnElement, exists, func
from sqlmodel import col, select

from sync2gear_platform.identity.tables import Client
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.library.schemas import Kind, StoredOut, StoredUsageOut
from sync2gear_platform.library.shelving import GIGABYTE
from sync2gear_platform.library.tables import Cover, Media, Track, Upload


async def usage(ctx: Ctx) -> StoredUsageOut:
    """What counts against the client's limit: exactly what ``shelving.stored`` counts."""
    tracked = exists().where(
        col(Track.client_id) == col(Media.client_id), col(Track.sha256) == col(Media.sha256)
    )
    kinds: dict[Kind, StoredOut] = {
        "music": await _held(ctx, Media, Media.bytes, tracked),
        "other": await _held(ctx, Media, Media.bytes, ~tracked),
        "covers": await _held(ctx, Cover, Cover.bytes),
        "uploads": await _held(ctx, Upload, Upload.reserved, col(Upload.reserved) > 0),
    }
    client = await ctx.db.get_one(Client, ctx.client_id)
    return StoredUsageOut(
        bytes=sum(kind.bytes for kind in kinds.values()),
        files=sum(kind.files for kind in kinds.values()),
        limit=client.max_storage_gb * GIGABYTE,
        kinds=kinds,
    )


async def _held(
    ctx: Ctx, table: type[Media | Cover | Upload], size: int, *where: ColumnElement[bool]
) -> StoredOut:
    statement = select(func.count(), func.coalesce(func.sum(size), 0)).where(
        col(table.client_id) == ctx.client_id, *where
    )
    files, held = (await ctx.db.execute(statement)).one()
    return StoredOut(files=files, bytes=int(held))
