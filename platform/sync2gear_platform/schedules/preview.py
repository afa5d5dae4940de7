"""What a channel would play: its next pieces from nothing heard on, and what it leaves out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sync2gear_broker.messages import Media
from sync2gear_platform.channels import stock, trees
from sync2gear_platform.channels.model import Channel, Inline, Item, Piece
from sync2gear_platform.channels.rotation import Memory, Rotation
from sync2gear_platform.channels.tables import Channel as Row
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.schedules import facts, speech
from sync2gear_platform.schedules.asking import reading_of
from sync2gear_platform.schedules.calls import hour_of
from sync2gear_platform.schedules.occurrences import frame_of

MAX_PIECES: Final = 200


@dataclass(frozen=True, slots=True)
class Turn:
    """A piece, the line that asked for it, and the frame at which it begins."""

    piece: Piece
    line: UUID
    at: int


async def upcoming(
    ctx: Ctx, channel_id: UUID, at: datetime, zone: ZoneInfo, country: str, count: int
) -> list[Turn]:
    """The first ``count`` pieces of a channel at an instant, somewhere where that is the time."""
    build = await built(ctx, channel_id)
    return turns(build(country), frame_of(at), zone, str(channel_id), min(count, MAX_PIECES))


async def built(ctx: Ctx, channel_id: UUID) -> Callable[[str], Channel]:
    """A channel with all that it holds, as it may be played in a country."""
    await rows.find(ctx, Row, channel_id)
    tree = await trees.read(ctx, [channel_id])
    lines = list(tree.items())
    named = {
        name: {getattr(line, name) for line in lines} - {None}
        for name in ("track_id", "folder_id", "announcement_id")
    }
    stocked = await stock.take(ctx, named["track_id"], named["folder_id"])
    spoken = await speech.take(ctx, named["announcement_id"], named["folder_id"])

    def build(country: str) -> Channel:
        return trees.build(
            tree, channel_id, lambda line: facts.line_pieces(stocked, spoken, line, country)
        )

    return build


def turns(
    channel: Channel,
    at: int,
    zone: ZoneInfo,
    seed: str,
    most: int,
    end: int | None = None,
    memory: Memory | None = None,
) -> list[Turn]:
    """A channel's next pieces from the frame ``at`` on: ``most`` of them, or to the frame ``end``.

    Pure: the same arguments, the same pieces. ``zone`` is the venue's clock, ``memory`` what was
    heard of the channel before.
    """
    rotation, memory = Rotation(channel, seed), memory or Memory()
    found: list[Turn] = []
    while len(found) < most and (end is None or at < end):
        pick = rotation.next_piece(memory, at, **_asked(at, zone))
        if pick is None:
            break
        found.append(Turn(pick.piece, UUID(pick.line), at))
        frames = pick.piece.media.frames
        memory, at = pick.memory, at + frames - min(channel.crossfade, frames // 2)
    return found


def heard(
    channel: Channel, zone: ZoneInfo, seed: str, played: Sequence[tuple[Media, int]]
) -> Memory:
    """The memory of a channel of which these were played, each from its frame on.

    What is in the channel no more is passed over.
    """
    rotation, memory = Rotation(channel, seed), Memory()
    asking: list[Item | Inline] = [*channel.inlines, *channel.items]
    lines = {piece.media.sha256: (piece, line.id) for line in asking for piece in line.pieces}
    for media, at in played:
        if media.sha256 in lines:
            piece, line = lines[media.sha256]
            memory = rotation.followed(memory, piece, line, at, **_asked(at, zone)).memory
    return memory


def _asked(at: int, zone: ZoneInfo) -> dict[str, Any]:
    """What a rotation is asked with at a frame."""
    day, minute = reading_of(at, zone)
    return {"hour": hour_of(at, zone), "fits": partial(Piece.is_valid, on=day, minute=minute)}
