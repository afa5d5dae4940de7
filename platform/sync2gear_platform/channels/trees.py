"""Channels read with all that they contain, and built into values: rows in, ``model`` out."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, cast
from uuid import UUID

from sqlalchemy.orm import aliased
from sqlmodel import col, select

from sync2gear_broker.units import FRAME_RATE, frames_from_millis
from sync2gear_platform.channels import model
from sync2gear_platform.channels.model import Apart, Inline, Item, Piece
from sync2gear_platform.channels.rules import MAX_DEPTH
from sync2gear_platform.channels.tables import Channel, ChannelItem
from sync2gear_platform.kit.context import Ctx

PiecesOf = Callable[[ChannelItem], tuple[Piece, ...]]
"""The pieces of a line that is a track, a folder or an announcement."""


@dataclass(frozen=True, slots=True)
class Tree:
    """Channels by id, and the lines of each in order; all that they contain is there too."""

    channels: Mapping[UUID, Channel] = field(default_factory=dict)
    lines: Mapping[UUID, Sequence[ChannelItem]] = field(default_factory=dict)

    def items(self) -> Iterable[ChannelItem]:
        """Every line of every channel."""
        return (line for lines in self.lines.values() for line in lines)


async def read(ctx: Ctx, channel_ids: Collection[UUID]) -> Tree:
    """These channels and those in them, in two queries; those that are not here are left out."""
    if not channel_ids:
        return Tree()
    inside = (
        select(col(Channel.id).label("id"))
        .where(col(Channel.client_id) == ctx.client_id, col(Channel.id).in_(channel_ids))
        .cte("inside", recursive=True)
    )
    line = aliased(ChannelItem)
    # UNION, not UNION ALL: it ends also where channels would contain each other.
    inside = inside.union(
        select(line.inner_channel_id).where(
            line.client_id == ctx.client_id,
            line.channel_id == inside.c.id,
            line.inner_channel_id.is_not(None),  # type: ignore[union-attr]  # a column here
        )
    )
    within = select(inside.c.id)
    channels = await ctx.db.exec(
        select(Channel).where(col(Channel.client_id) == ctx.client_id, col(Channel.id).in_(within))
    )
    by_id = {channel.id: channel for channel in channels}
    lines: dict[UUID, list[ChannelItem]] = {channel_id: [] for channel_id in by_id}
    found = (
        select(ChannelItem)
        .where(col(ChannelItem.client_id) == ctx.client_id, col(ChannelItem.channel_id).in_(within))
        .order_by(col(ChannelItem.position), col(ChannelItem.id))
    )
    for item in await ctx.db.exec(found):
        lines[item.channel_id].append(item)
    return Tree(by_id, lines)


def build(tree: Tree, channel_id: UUID, pieces_of: PiecesOf) -> model.Channel:
    """A channel as a value; a channel in it is the pieces of all its lines, each once."""
    row, lines = tree.channels[channel_id], tree.lines[channel_id]
    items = tuple(
        Item(
            str(line.id),
            _pieces(tree, line, pieces_of),
            line.weight,
            cast("Literal['given', 'shuffled']", line.order),
        )
        for line in lines
        if not line.between
    )
    inlines = tuple(
        Inline(
            str(line.id),
            _pieces(tree, line, pieces_of),
            line.after_tracks,
            line.after_minutes * 60 * FRAME_RATE,
        )
        for line in lines
        if line.between
    )
    known = {item.id for item in items}
    return model.Channel(
        id=str(row.id),
        items=items,
        mode=cast("Literal['ordered', 'rotated']", row.mode),
        inlines=inlines,
        apart=Apart(row.artist_apart, row.title_apart, row.again_hours * 3600 * FRAME_RATE),
        pattern=tuple(turn for turn in row.pattern if turn in known),
        hourly=row.hourly,
        loop=row.loop,
        crossfade=frames_from_millis(row.crossfade_millis),
    )


def of_folder(folder_id: UUID, pieces: tuple[Piece, ...]) -> model.Channel:
    """A folder as a channel of its own: its tracks in their order, over and over."""
    item = Item(str(folder_id), pieces, order="given")
    return model.Channel(str(folder_id), (item,), mode="ordered", apart=Apart(0, 0, 0))


def _pieces(
    tree: Tree, line: ChannelItem, pieces_of: PiecesOf, depth: int = 1
) -> tuple[Piece, ...]:
    if line.inner_channel_id is None:
        return pieces_of(line)
    if depth >= MAX_DEPTH:
        return ()
    inner = tree.lines.get(line.inner_channel_id, ())
    found = (_pieces(tree, one, pieces_of, depth + 1) for one in inner if not one.between)
    return tuple({piece.id: piece for pieces in found for piece in pieces}.values())
