"""Music that people chose, as the channel of a schedule that nobody wrote."""

from dataclasses import dataclass, replace
from uuid import UUID

from sync2gear_broker.messages import Block, Programme
from sync2gear_platform.channels.model import Channel, Item, Piece
from sync2gear_platform.playback import choices
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
    """
    pieces = tuple(Piece(str(n), ruling.media[i]) for n, i in enumerate(block.items))
    anew = ledger.base is not None and block.source == ledger.base.id  # that choice, listed anew
    channel = Channel(
        block.source if anew else choices.told_apart(block),
        (Item("", pieces, order="given"),),
        mode="ordered",
        crossfade=block.crossfade,
    )
    after = next((b.at for b in ruling.blocks if b.at > max(now, block.at)), None)
    instead = _instead(ledger, block)
    is_base = anew or (after is None and not instead)
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
    chosen = Chosen(ledger.base, channel, after or FOREVER)
    if is_base:
        chosen = Chosen(channel, None, None)
    grown = replace(ledger, pieces=(*ledger.pieces, *pieces), lines=(*ledger.lines, ""))
    return kept, grown, chosen


def _instead(ledger: Ledger, block: Block) -> bool:
    """Whether a schedule would have the music where this block begins."""
    begun = [kept for kept in ledger.blocks if kept.block.at <= block.at]
    return bool(begun) and begun[-1].schedule != BASE.id and not begun[-1].block.silent
