"""Use cases of channels: making and changing them, their lines and the order of these.

What follows from a change (zones that play it) is for the domains above to do: they follow the
noun ``channel`` (``kit/events.py``), which is told before a channel goes.
"""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from psycopg import errors as pg
from sqlalchemy import func
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from sync2gear_platform.audit import service as audit
from sync2gear_platform.channels import rules
from sync2gear_platform.channels.tables import Channel, ChannelItem
from sync2gear_platform.kit import events, rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import NotFound
from sync2gear_platform.library import uses
from sync2gear_platform.library.tables import Folder, Track

SUBJECTS: Final = ("track_id", "folder_id", "announcement_id", "inner_channel_id")
"""The columns of which one says what a line is."""


async def create(ctx: Ctx, values: dict[str, Any]) -> Channel:
    """A new channel without lines."""
    held = select(func.count()).where(col(Channel.client_id) == ctx.client_id)
    if (await ctx.db.execute(held)).scalar_one() >= rules.MAX_CHANNELS:
        raise rules.TooManyChannels
    row = rows.new(ctx, Channel, **values)
    await ctx.db.flush()
    audit.record(ctx, "channel.create", "channel", row.id, after=values)
    await events.changed(ctx, "channel", row.id)
    return row


async def update(
    ctx: Ctx, channel_id: UUID, values: dict[str, Any], if_match: str | None
) -> Channel:
    """Change how a channel plays, or the turns of its pattern."""
    row = await rows.find(ctx, Channel, channel_id, lock=True)
    rows.match(row, if_match)
    if "pattern" in values:
        values = {**values, "pattern": [str(turn) for turn in values["pattern"]]}
        lines = await items(ctx, channel_id)
        rules.check_pattern(values["pattern"], (line.id for line in lines if not line.between))
    before = rows.change(ctx, row, values)
    await ctx.db.flush()
    audit.record(ctx, "channel.update", "channel", row.id, before=before, after=values)
    await events.changed(ctx, "channel", row.id)
    return row


async def remove(ctx: Ctx, channel_id: UUID, if_match: str | None, *, force: bool = False) -> None:
    """Remove a channel with its lines, and the lines of others that it is.

    Without ``force``, refused while a channel or a schedule uses it, or a zone plays it by hand:
    there it plays on.
    """
    row = await rows.find(ctx, Channel, channel_id, lock=True)
    rows.match(row, if_match)
    if not force:
        await uses.refuse(ctx, "channel", channel_id)
    audit.record(ctx, "channel.delete", "channel", row.id, before=row.model_dump(mode="json"))
    await events.changed(ctx, "channel", row.id)
    await ctx.db.delete(row)
    await ctx.db.flush()


async def items(ctx: Ctx, channel_id: UUID) -> Sequence[ChannelItem]:
    """The lines of a channel in their order."""
    found = select(ChannelItem).where(
        col(ChannelItem.client_id) == ctx.client_id, col(ChannelItem.channel_id) == channel_id
    )
    return (await ctx.db.exec(found.order_by(col(ChannelItem.position), col(ChannelItem.id)))).all()


async def add_item(ctx: Ctx, channel_id: UUID, values: dict[str, Any]) -> ChannelItem:
    """A new line at the end of a channel."""
    await _take_turns(ctx, values)
    channel = await rows.find(ctx, Channel, channel_id, lock=True)
    lines = await items(ctx, channel_id)
    if len(lines) >= rules.MAX_ITEMS:
        raise rules.TooManyItems
    await _check(ctx, channel_id, None, values)
    position = max((line.position for line in lines), default=0) + 1
    row = rows.new(ctx, ChannelItem, channel_id=channel_id, position=position, **values)
    await _flush(ctx)
    audit.record(ctx, "channel.add_item", "channel", channel_id, after=row.described())
    await _touched(ctx, channel)
    return row


async def update_item(
    ctx: Ctx, channel_id: UUID, item_id: UUID, values: dict[str, Any], if_match: str | None
) -> ChannelItem:
    """Change a line, also into another thing; one that is no longer in turn leaves the pattern."""
    await _take_turns(ctx, values)
    channel, row = await _item(ctx, channel_id, item_id)
    rows.match(row, if_match)
    if any(values.get(name) is not None for name in SUBJECTS):
        values = {**dict.fromkeys(SUBJECTS), **values}
    values = {k: v for k, v in values.items() if k not in SUBJECTS or getattr(row, k) != v}
    await _check(ctx, channel_id, row, values)
    before = rows.change(ctx, row, values)
    await _flush(ctx)
    audit.record(ctx, "channel.update_item", "channel", channel_id, before=before, after=values)
    await _touched(ctx, channel, without=row.id if row.between else None)
    return row


async def remove_item(ctx: Ctx, channel_id: UUID, item_id: UUID, if_match: str | None) -> None:
    """Remove a line, also from the pattern."""
    channel, row = await _item(ctx, channel_id, item_id)
    rows.match(row, if_match)
    audit.record(ctx, "channel.remove_item", "channel", channel_id, before=row.described())
    await ctx.db.delete(row)
    await ctx.db.flush()
    await _touched(ctx, channel, without=item_id)


async def reorder(
    ctx: Ctx, channel_id: UUID, item_ids: Sequence[UUID], if_match: str | None
) -> Channel:
    """Put all lines of a channel into this order."""
    channel = await rows.find(ctx, Channel, channel_id, lock=True)
    rows.match(channel, if_match)
    lines = {line.id: line for line in await items(ctx, channel_id)}
    rules.check_order(item_ids, lines)
    for position, item_id in enumerate(item_ids, start=1):
        if lines[item_id].position != position:
            rows.change(ctx, lines[item_id], {"position": position})
    await ctx.db.flush()
    after = {"items": [str(item_id) for item_id in item_ids]}
    audit.record(ctx, "channel.reorder", "channel", channel_id, after=after)
    await _touched(ctx, channel)
    return channel


async def _item(ctx: Ctx, channel_id: UUID, item_id: UUID) -> tuple[Channel, ChannelItem]:
    channel = await rows.find(ctx, Channel, channel_id, lock=True)
    row = await rows.find(ctx, ChannelItem, item_id, lock=True)
    if row.channel_id != channel_id:
        raise NotFound("There is no such channelitem here.", code="not_found")
    return channel, row


async def _touched(ctx: Ctx, channel: Channel, without: UUID | None = None) -> None:
    """A channel's lines have changed: it is another version, and ``without`` has no turn."""
    pattern = [turn for turn in channel.pattern if turn != str(without)]
    rows.change(ctx, channel, {"pattern": pattern} if pattern != channel.pattern else {})
    await ctx.db.flush()
    await events.changed(ctx, "channel", channel.id)


async def _check(
    ctx: Ctx, channel_id: UUID, row: ChannelItem | None, values: dict[str, Any]
) -> None:
    """Refuse a line that is not one thing, or one that is not here, or a circle of channels."""
    now = {name: values.get(name, getattr(row, name, None)) for name in SUBJECTS}
    if sum(subject is not None for subject in now.values()) != 1:
        raise rules.OneSubject
    if values.get("track_id") is not None:
        await rows.find(ctx, Track, values["track_id"])
    if values.get("folder_id") is not None:
        await rows.find(ctx, Folder, values["folder_id"])
    inner_id = values.get("inner_channel_id")
    if inner_id is not None:
        await rows.find(ctx, Channel, inner_id)
        await _nest(ctx, channel_id, row.id if row else None, inner_id)


async def _take_turns(ctx: Ctx, values: dict[str, Any]) -> None:
    """Where channels nest: two at once could go round in a circle."""
    if values.get("inner_channel_id") is not None:
        await rows.take_turns(ctx, "channels")


async def _nest(ctx: Ctx, channel_id: UUID, item_id: UUID | None, inner_id: UUID) -> None:
    edges = select(
        col(ChannelItem.id), col(ChannelItem.channel_id), col(ChannelItem.inner_channel_id)
    ).where(
        col(ChannelItem.client_id) == ctx.client_id, col(ChannelItem.inner_channel_id).is_not(None)
    )
    inside: dict[UUID, set[UUID]] = {channel_id: {inner_id}}
    for id_, outer, inner in (await ctx.db.execute(edges)).all():
        if id_ != item_id and inner is not None:
            inside.setdefault(outer, set()).add(inner)
    rules.check_nesting(inside, channel_id)


async def _flush(ctx: Ctx) -> None:
    """Write a line; what it names above this domain (an announcement) only the key knows."""
    try:
        async with ctx.db.begin_nested():
            await ctx.db.flush()
    except IntegrityError as error:
        if isinstance(error.orig, pg.ForeignKeyViolation):
            raise NotFound("There is no such announcement here.", code="not_found") from error
        raise
