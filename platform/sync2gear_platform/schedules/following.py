"""Which zones a change elsewhere is heard in: through channels and schedules, up to the zones.

Subscribed to in the composition roots (``kit/events.py``). What is gone cannot be asked who played
it: then all zones of the client are worked out anew, which changes nothing where nothing changed.
"""

from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, or_
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from sync2gear_platform.announcements.tables import Announcement
from sync2gear_platform.announcements.text_tables import Variant
from sync2gear_platform.channels.tables import ChannelItem
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.db import widened
from sync2gear_platform.library.tables import Folder
from sync2gear_platform.playback.tables import ZonePlayback
from sync2gear_platform.schedules import changes, facts
from sync2gear_platform.schedules.tables import Schedule
from sync2gear_platform.sites.tables import Zone

NOUNS: Final = frozenset(
    {
        "folder",
        "tracks",
        "announcement",
        "sound",
        "channel",
        "zone placed",
        "zone chosen",
        "location placed",
    }
)  # fmt: skip


async def follow(ctx: Ctx, noun: str, subject: UUID) -> None:
    """Mark the zones whose sound may follow from this change."""
    match noun:
        case "zone placed" | "zone chosen":
            changes.changed(ctx, [subject])
        case "location placed":
            zones = select(Zone.id).where(
                col(Zone.client_id) == ctx.client_id, col(Zone.location_id) == subject
            )
            changes.changed(ctx, (await ctx.db.exec(zones)).all())
        case "sound" | "joined":
            await of_schedules(ctx, await _naming(ctx, col(Schedule.type) == "announcement"))
            await of_channels(ctx, col(ChannelItem.announcement_id).is_not(None))
        case "channel":
            await of_channels(ctx, channel_ids=[subject])
        case "folder":
            await _folder(ctx, subject)
        case "tracks":
            await _tracks(ctx)
        case _:
            await _announcement(ctx, subject)


async def of_schedules(ctx: Ctx, schedule_ids: Collection[UUID]) -> None:
    """Mark the zones for which any of these schedules is meant."""
    if schedule_ids:
        changes.changed(ctx, await facts.zones_of(ctx, schedule_ids))


async def of_channels(
    ctx: Ctx, lines: ColumnElement[bool] | None = None, channel_ids: Collection[UUID] = ()
) -> None:
    """Mark the zones that play these channels, or any that has such a line, wherever within."""
    mine = col(ChannelItem.channel_id).in_(channel_ids)
    around = (
        select(col(ChannelItem.channel_id).label("id"))
        .where(
            col(ChannelItem.client_id) == ctx.client_id,
            mine if lines is None else or_(lines, mine),
        )
        .cte("around", recursive=True)
    )
    line = aliased(ChannelItem)
    around = around.union(
        select(col(line.channel_id)).where(
            col(line.client_id) == ctx.client_id, col(line.inner_channel_id) == around.c.id
        )
    )
    await _by_hand(
        ctx,
        or_(
            col(ZonePlayback.channel_id).in_(select(around.c.id)),
            col(ZonePlayback.channel_id).in_(channel_ids),
        ),
    )
    playing = or_(
        col(Schedule.channel_id).in_(select(around.c.id)), col(Schedule.channel_id).in_(channel_ids)
    )
    await of_schedules(ctx, await _naming(ctx, playing))


async def _by_hand(ctx: Ctx, condition: ColumnElement[bool]) -> None:
    """Mark the zones for which people chose such music last."""
    found = select(ZonePlayback.zone_id).where(
        col(ZonePlayback.client_id) == ctx.client_id, condition
    )
    async with widened(ctx.db):
        zones = (await ctx.db.exec(found)).all()
    changes.changed(ctx, zones)


async def _naming(ctx: Ctx, condition: ColumnElement[bool]) -> Collection[UUID]:
    """The active schedules that meet a condition."""
    found = select(Schedule.id).where(
        col(Schedule.client_id) == ctx.client_id, col(Schedule.is_active).is_(True), condition
    )
    return (await ctx.db.exec(found)).all()


async def _is_here(ctx: Ctx, table: type[Any], subject: UUID) -> bool:
    found = select(table.id).where(col(table.client_id) == ctx.client_id, table.id == subject)
    return (await ctx.db.exec(found)).first() is not None


async def _folder(ctx: Ctx, folder_id: UUID) -> None:
    if not await _is_here(ctx, Folder, folder_id):
        changes.changed(ctx, None)
        return
    await _by_hand(ctx, col(ZonePlayback.folder_id) == folder_id)
    await of_schedules(ctx, await _naming(ctx, col(Schedule.folder_id) == folder_id))
    await of_channels(ctx, col(ChannelItem.folder_id) == folder_id)
    await _tracks(ctx)


async def _tracks(ctx: Ctx) -> None:
    """Tracks changed: whoever names one, or a folder whose rules may choose others now."""
    smart = select(Folder.id).where(
        col(Folder.client_id) == ctx.client_id, col(Folder.rules).is_not(None)
    )
    await _by_hand(ctx, col(ZonePlayback.folder_id).in_(smart))
    await of_schedules(ctx, await _naming(ctx, col(Schedule.folder_id).in_(smart)))
    await of_channels(
        ctx, or_(col(ChannelItem.track_id).is_not(None), col(ChannelItem.folder_id).in_(smart))
    )


async def _announcement(ctx: Ctx, announcement_id: UUID) -> None:
    """An announcement changed, or what it is a variant of, or a folder in which it lies."""
    if not await _is_here(ctx, Announcement, announcement_id):
        changes.changed(ctx, None)
        return
    messages = select(Variant.announcement_id).where(
        col(Variant.client_id) == ctx.client_id, col(Variant.sound_id) == announcement_id
    )
    spoken = select(Folder.id).where(
        col(Folder.client_id) == ctx.client_id, col(Folder.type) == "announcement"
    )
    heard = await _naming(
        ctx,
        or_(
            col(Schedule.announcement_id) == announcement_id,
            col(Schedule.announcement_id).in_(messages),
        ),
    )
    await of_schedules(ctx, heard)
    await of_channels(
        ctx,
        or_(
            col(ChannelItem.announcement_id) == announcement_id,
            col(ChannelItem.announcement_id).in_(messages),
            col(ChannelItem.folder_id).in_(spoken),
        ),
    )
