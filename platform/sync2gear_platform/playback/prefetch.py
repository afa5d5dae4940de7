"""What a client's speakers fetch before anybody asks: one list, published to each of them."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from sync2gear_broker import topics
from sync2gear_broker.messages import Prefetch, PrefetchItem, canonical_json
from sync2gear_broker.messages.device import MAX_PREFETCH
from sync2gear_broker.topics import Address
from sync2gear_platform.kit import outbox, revisions
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.relay import Projection
from sync2gear_platform.library.tables import Media
from sync2gear_platform.playback.tables import Play, PlayZone, PrefetchList
from sync2gear_platform.sites.tables import Device

MAX_BYTES: Final = 64 * 1024 * 1024
"""Of all files of a list: ten minutes of speech are 20 MB, and a speaker has music to keep."""

RECENT: Final = 200
"""Plays that are looked at to learn what is heard again and again."""


def fits(chosen: Mapping[str, int], sha256: str, size: int) -> bool:
    """Whether one more file finds room on a list (hash -> bytes) that does not hold it yet."""
    room = MAX_BYTES - sum(chosen.values())
    return sha256 not in chosen and len(chosen) < MAX_PREFETCH and size <= room


async def heard_lately(ctx: Ctx) -> Sequence[Media]:
    """What was announced lately exactly as it was heard, chimes included; the latest first.

    What its people have removed since is not here any more.
    """
    recent = (
        select(Play.id, Play.created_at)
        .where(col(Play.client_id) == ctx.client_id, col(Play.announcement_id).is_not(None))
        .order_by(col(Play.created_at).desc(), col(Play.id).desc())
        .limit(RECENT)
        .subquery()
    )
    lately = (
        select(PlayZone.sha256, func.max(recent.c.created_at).label("at"))
        .join(recent, recent.c.id == col(PlayZone.play_id))
        .where(col(PlayZone.client_id) == ctx.client_id)
        .group_by(col(PlayZone.sha256))
        .subquery()
    )
    statement = (
        select(Media)
        .join(lately, lately.c.sha256 == col(Media.sha256))
        .where(col(Media.client_id) == ctx.client_id)
        .order_by(lately.c.at.desc(), col(Media.sha256))
        .limit(MAX_PREFETCH)
    )
    return (await ctx.db.exec(statement)).all()


async def publish(ctx: Ctx, chosen: Mapping[str, int]) -> bool:
    """Make ``chosen`` (hash -> bytes, the likeliest first) the list; whether that changed it."""
    epoch, rev = await revisions.next_version(ctx)
    empty = Prefetch(epoch=epoch, rev=rev).model_dump(mode="json", by_alias=True)
    first = {
        "client_id": ctx.client_id, "epoch": epoch, "rev": rev, "document": empty,
        "updated_at": ctx.now,
    }  # fmt: skip
    await ctx.db.execute(insert(PrefetchList).values(first).on_conflict_do_nothing())
    locked = select(PrefetchList).where(col(PrefetchList.client_id) == ctx.client_id)
    row = (await ctx.db.exec(locked.with_for_update())).one()
    items = tuple(PrefetchItem(sha256=sha256, bytes=size) for sha256, size in chosen.items())
    if row.document["items"] == [item.model_dump(mode="json") for item in items]:
        return False
    row.epoch, row.rev = await revisions.next_version(ctx)
    row.document = Prefetch(epoch=row.epoch, rev=row.rev, items=items).model_dump(
        mode="json", by_alias=True
    )
    row.updated_at = ctx.now
    await ctx.db.flush()
    devices = await ctx.db.exec(
        select(Device.id).where(
            col(Device.client_id) == ctx.client_id, col(Device.revoked_at).is_(None)
        )
    )
    ids = {"client": str(ctx.client_id)}
    outbox.dirty(
        ctx, *(topics.build(topics.DEVICE_PREFETCH, **ids, device=str(d)) for d in devices)
    )
    return True


async def read(db: AsyncSession, addresses: Sequence[Address]) -> Mapping[Address, bytes]:
    """The list of each speaker's client; an empty one where there is none, to replace another's."""
    wanted = {UUID(a.device): a for a in addresses if a.device}
    statement = (
        select(Device, PrefetchList)
        .outerjoin(PrefetchList, col(PrefetchList.client_id) == col(Device.client_id))
        .where(col(Device.id).in_(wanted), col(Device.revoked_at).is_(None))
    )
    return {
        wanted[device.id]: _copy(device, row)
        for device, row in (await db.exec(statement)).all()
        if wanted[device.id].client == str(device.client_id)
    }


def _copy(device: Device, row: PrefetchList | None) -> bytes:
    """The client's list, newer than any that this machine heard before it was registered here."""
    own = device.config_epoch, device.config_rev
    if row is None:
        return Prefetch(epoch=own[0], rev=own[1]).canonical()
    epoch, rev = max((row.epoch, row.rev), own)
    return canonical_json({**row.document, "epoch": epoch, "rev": rev})


async def everything(db: AsyncSession) -> Sequence[Address]:
    """Every speaker that has an account."""
    statement = select(Device.client_id, Device.id).where(col(Device.revoked_at).is_(None))
    found = await db.exec(statement)
    return [Address(topics.DEVICE_PREFETCH, client=str(c), device=str(d)) for c, d in found]


PROJECTION = Projection(topics.DEVICE_PREFETCH, read, everything)
