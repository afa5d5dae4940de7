"""Music that people chose, as the channel of a schedule that nobody wrote."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

from sync2gear_broker.messages import Block, Programme
from sync2gear_broker.timeline.music import cycle_of
from sync2gear_platform.channels.model import Channel, Item, Piece
from sync2gear_platform.playback import choices
from sync2gear_platform.schedules.course import Pause
from sync2gear_platform.schedules.layers import Claim
from sync2gear_platform.schedules.ledger import BASE, FOREVER, HAND, Digests, Kept, Ledger


@dataclass(frozen=True, slots=True)
class Chosen:
    """Music that people chose: for as long as no schedule wants any, and instead of them."""

    base: Channel | None
    hand: Channel | None
    until: int | None

    @property
    def channels(self) -> dict[UUID, Channel]:
        """They, by the ids that their schedules name."""
        found = {BASE.id: self.base, HAND.id: self.hand if self.until else None}
        return {key: channel for key, channel in found.items() if channel is not None}

    def claims(self, now: int) -> tuple[Claim, ...]:
        """What these schedules want from ``now`` on."""
        base = () if self.base is None else (Claim(0, FOREVER, BASE),)
        if self.hand is None or self.until is None or self.until <= now:
            return base
        return (*base, Claim(0, self.until, HAND))


def taken_up(
    ledger: Ledger, ruling: Programme, block: Block, now: int, digests: Digests
) -> tuple[Kept, Ledger, Chosen]:
    """A block that no ledger knows: people chose it, until the next one or for good.

    For good instead of a schedule that has no other block, or for as long as none wants any music.
    What is heard once is never for good; what people chose before for such times is heard after it.
    """
    pieces = tuple(Piece(str(n), ruling.media[i]) for n, i in enumerate(block.items))
    anew = ledger.base is not None and block.source == ledger.base.id  # that choice, listed anew
    channel = Channel(
        block.source if anew else choices.told_apart(block),
        (Item("", pieces, order="given"),),
        mode="ordered",
        loop=not block.once,
        crossfade=block.crossfade,
    )
    after = choices.limit(ruling.blocks, block, now)
    instead = _instead(ledger, block)
    is_base = not block.once and (anew or (after is None and not instead))
    schedule = BASE if is_base else HAND
    first = len(ledger.pieces)
    kept = Kept(
        schedule=schedule.id,
        block=block.model_copy(update={"source": channel.id, "items": (0,)}),
        end=FOREVER if after is None else after,
        pieces=tuple(range(first, first + len(pieces))),
        lines=(len(ledger.lines),) * len(pieces),
        music=digests.alone(channel),
    )
    chosen = Chosen(ledger.base or _earlier(ruling, block), channel, after or FOREVER)
    if is_base:
        chosen = Chosen(channel, None, None)
    grown = replace(ledger, pieces=(*ledger.pieces, *pieces), lines=(*ledger.lines, ""))
    return kept, grown, chosen


def lasting(ledger: Ledger, kept: Kept, now: int) -> int:
    """Until when people have chosen a block that the ledger knows."""
    if kept.block.once:  # it may end before, by itself
        return choices.limit([one.block for one in ledger.blocks], kept.block, now) or FOREVER
    # where nothing comes after it, it ends with the programme only because that does
    return FOREVER if kept is ledger.blocks[-1] else kept.end


def begun_by(kept: Kept, now: int, pos: int) -> Kept:
    """A block whose music stands at ``pos``: with one that was over sooner it began sooner."""
    if kept.block.at <= now:
        return kept
    begun = now - (pos - kept.block.pos)
    return replace(kept, block=kept.block.model_copy(update={"at": begun}), delay=0)


def over_by(block: Block, ruling: Programme, pos: int, now: int, pauses: Iterable[Pause]) -> int:
    """When a block that is heard once is over, unless people pause it: it stands at ``pos``."""
    over = now + cycle_of(ruling, block).length - pos
    for at, frames in sorted(pauses):
        if now <= at < over:
            over += frames
    return over


def _earlier(ruling: Programme, block: Block) -> Channel | None:
    """What people chose before, for good, and is heard again after music that is heard once."""
    last = ruling.blocks[-1]
    if not block.once or not last.follows or not choices.is_kind(last.source):
        return None
    pieces = tuple(Piece(str(n), ruling.media[i]) for n, i in enumerate(last.items))
    return Channel(
        choices.told_apart(last),
        (Item("", pieces, order="given"),),
        mode="ordered",
        crossfade=last.crossfade,
    )


def _instead(ledger: Ledger, block: Block) -> bool:
    """Whether a schedule would have the music where this block begins."""
    begun = [kept for kept in ledger.blocks if kept.block.at <= block.at]
    return bool(begun) and begun[-1].schedule != BASE.id and not begun[-1].block.silent
