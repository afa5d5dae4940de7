"""Which channels use tracks, folders, announcements and other channels."""

from collections.abc import Collection
from uuid import UUID

from sqlmodel import col, select

from sync2gear_platform.channels.tables import Channel, ChannelItem
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.library.uses import MOST, Kind, Use

_COLUMNS = {
    "track": ChannelItem.track_id,
    "folder": ChannelItem.folder_id,
    "announcement": ChannelItem.announcement_id,
    "channel": ChannelItem.inner_channel_id,
}


async def uses(ctx: Ctx, kind: Kind, subjects: Collection[UUID]) -> list[Use]:
    """The channels that have such a line."""
    holding = select(ChannelItem.channel_id).where(
        col(ChannelItem.client_id) == ctx.client_id, col(_COLUMNS[kind]).in_(subjects)
    )
    found = (
        select(Channel)
        .where(col(Channel.client_id) == ctx.client_id, col(Channel.id).in_(holding))
        .order_by(col(Channel.name), col(Channel.id))
        .limit(MOST)
    )
    return [Use("channel", row.id, row.name) for row in await ctx.db.exec(found)]
