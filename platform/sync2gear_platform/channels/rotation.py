"""A channel's music piece by piece: whose turn it is, and what must not come again so soon.

Pure and repeatable: the same channel, seed and memory give the same pieces, whoever asks. A shuffle
sorts by digests of the pieces' ids, so that one piece more leaves the order of the others alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import islice
from typing import Final

from sync2gear_platform.channels.model import Channel, Inline, Item, Piece

REMEMBERED: Final = 200
"""Pieces of music that a memory holds: more than any wish for distance asks."""

AHEAD: Final = 40
"""How many pieces may be passed over for the sake of distance."""

Fits = Callable[[Piece], bool]
Close = tuple[bool, bool, bool, bool]


@dataclass(frozen=True, slots=True)
class Heard:
    """A piece of music that was played, and when it began."""

    piece: str
    artists: tuple[str, ...]
    title: str
    at: int


@dataclass(frozen=True, slots=True)
class Bag:
    """How far an item is: ``index`` of round ``round``, but for those that were ``passed`` over."""

    round: int = 0
    index: int = 0
    passed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Memory:
    """What a rotation has to know of what came before.

    ``turns`` counts pieces, ``claims`` are the items' to the next turn, ``bags`` how far
    each is, ``since`` the tracks and frames of music since each inline, ``hour`` that of the last
    piece. A channel whose items are others than before goes on with what fits.
    """

    turns: int = 0
    hour: int = -1
    claims: Mapping[str, int] = field(default_factory=dict)
    bags: Mapping[str, Bag] = field(default_factory=dict)
    since: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    heard: tuple[Heard, ...] = ()


@dataclass(frozen=True, slots=True)
class Pick:
    """What comes next, the line of the channel that asked for it, and the memory after it."""

    piece: Piece
    line: str
    memory: Memory


class Rotation:
    """One channel under one seed; it keeps nothing but the orders that it has worked out."""

    def __init__(self, channel: Channel, seed: str) -> None:
        self.channel = channel
        self._seed = seed
        self._pieces = {piece.id: piece for item in channel.items for piece in item.pieces}
        self._orders: dict[tuple[str, int], list[Piece]] = {}

    def next_piece(
        self,
        memory: Memory,
        at: int,
        *,
        hour: int = 0,
        fits: Fits = lambda _: True,
        more: tuple[Inline, ...] = (),
    ) -> Pick | None:
        """The piece that begins at frame ``at``; ``None`` where nothing fits or the list is over.

        ``hour`` numbers the hours of the clock, ``fits`` says what may be played then, ``more`` are
        announcements that others want between the tracks.
        """
        inlines = (*self.channel.inlines, *more)
        for inline in inlines:
            spoken = _inline(inline, memory, fits)
            if spoken is not None:
                return spoken
        anew = self.channel.hourly and hour != memory.hour
        memory = replace(memory, hour=hour, turns=0 if anew else memory.turns)
        turns = _whole if self.channel.mode == "ordered" else _turns
        for item, claims in turns(self.channel, memory):
            drawn = self._draw(item, memory, at, fits)
            if drawn is None:
                continue
            piece, bag = drawn
            after = self._after(memory, item.id, claims, bag, piece, at, inlines)
            return Pick(piece, item.id, after)
        return None

    def followed(
        self,
        memory: Memory,
        piece: Piece,
        line: str,
        at: int,
        *,
        hour: int = 0,
        fits: Fits = lambda _: True,
        more: tuple[Inline, ...] = (),
    ) -> Pick:
        """``piece``, which ``line`` asked for at frame ``at``, and the memory after it.

        The memory is that of :meth:`next_piece` where it would have given this piece; otherwise,
        in a channel that was changed since, what still fits of it.
        """
        inlines = (*self.channel.inlines, *more)
        item = next((item for item in self.channel.items if item.id == line), None)
        if item is None and piece.media.kind == "announcement":
            return Pick(piece, line, _spoken(memory, line))
        anew = self.channel.hourly and hour != memory.hour
        memory = replace(memory, hour=hour, turns=0 if anew else memory.turns)
        turns = _whole if self.channel.mode == "ordered" else _turns
        ahead = {one.id: claims for one, claims in turns(self.channel, memory)}
        claims = ahead.get(line, memory.claims)
        bag = Bag() if item is None else self._drawn(item, memory, piece, fits)
        return Pick(piece, line, self._after(memory, line, claims, bag, piece, at, inlines))

    def _after(
        self,
        memory: Memory,
        line: str,
        claims: Mapping[str, int],
        bag: Bag,
        piece: Piece,
        at: int,
        inlines: tuple[Inline, ...],
    ) -> Memory:
        heard = Heard(piece.id, piece.artists, piece.title, at)
        return replace(
            memory,
            turns=memory.turns + 1,
            claims=claims,
            bags={**memory.bags, line: bag},
            since={i.id: _counted(memory.since.get(i.id, (0, 0)), piece) for i in inlines},
            heard=(*memory.heard, heard)[-REMEMBERED:],
        )

    def _drawn(self, item: Item, memory: Memory, piece: Piece, fits: Fits) -> Bag:
        """The item's bag once ``piece`` was taken; untouched where it could not be taken."""
        bag = memory.bags.get(item.id, Bag())
        for here in (bag, Bag(bag.round + 1)):
            waiting = self._waiting(item, here, fits)
            chosen = next((one for one in waiting if one.id == piece.id), None)
            if chosen is not None:
                return _without(here, self._order(item, here.round), chosen, waiting)
        return bag

    def _draw(self, item: Item, memory: Memory, at: int, fits: Fits) -> tuple[Piece, Bag] | None:
        """The first piece of the item that is far enough from those like it, else the least close.

        Those passed over come first the next time: each is played once in a round.
        """
        bag = memory.bags.get(item.id, Bag())
        close = _closeness(self.channel, item, memory, at)
        for here in (bag, Bag(bag.round + 1)):
            waiting = self._waiting(item, here, fits)
            if waiting:
                free = (piece for piece in waiting if not any(close(piece)))
                chosen = next(free, None) or min(waiting, key=close)
                return chosen, _without(here, self._order(item, here.round), chosen, waiting)
        return None

    def _waiting(self, item: Item, bag: Bag, fits: Fits) -> list[Piece]:
        """The pieces among which an item may choose, those that were passed over first."""
        order = self._order(item, bag.round)
        passed = [p for p in map(self._pieces.get, bag.passed) if p is not None and fits(p)]
        coming = islice(filter(fits, islice(order, bag.index, None)), AHEAD)
        return [*passed, *coming][: 1 if item.order == "given" else AHEAD]

    def _order(self, item: Item, round_: int) -> list[Piece]:
        """An item's pieces in their order of one round."""
        if item.order == "given":
            return list(item.pieces)
        if (item.id, round_) not in self._orders:

            def digest(piece: Piece) -> bytes:
                return sha256(f"{self._seed}:{item.id}:{round_}:{piece.id}".encode()).digest()

            self._orders[item.id, round_] = sorted(item.pieces, key=digest)
        return self._orders[item.id, round_]


def _counted(since: tuple[int, int], piece: Piece) -> tuple[int, int]:
    return since[0] + 1, since[1] + piece.media.frames


def _inline(inline: Inline, memory: Memory, fits: Fits) -> Pick | None:
    """The announcement whose turn it is between two tracks."""
    tracks, frames = memory.since.get(inline.id, (0, 0))
    due = (inline.tracks and tracks >= inline.tracks) or (inline.frames and frames >= inline.frames)
    order = [piece for piece in inline.pieces if fits(piece)] if due else []
    if not order:
        return None
    index = memory.bags.get(inline.id, Bag()).index
    return Pick(order[index % len(order)], inline.id, _spoken(memory, inline.id))


def _spoken(memory: Memory, line: str) -> Memory:
    """The memory after an announcement between two tracks."""
    index = memory.bags.get(line, Bag()).index + 1
    return replace(
        memory,
        bags={**memory.bags, line: Bag(index=index)},
        since={**memory.since, line: (0, 0)},
    )


def _whole(channel: Channel, memory: Memory) -> list[tuple[Item, Mapping[str, int]]]:
    """Item after item, each until it is through; the list again, if it loops."""
    rounds = {item.id: memory.bags.get(item.id, Bag()).round for item in channel.items}
    current = min(rounds.values(), default=0)
    if not channel.loop and current > 0:
        return []
    behind = [item for item in channel.items if rounds[item.id] == current]
    ahead = [item for item in channel.items if channel.loop and rounds[item.id] > current]
    return [(item, memory.claims) for item in (*behind, *ahead)]


def _turns(channel: Channel, memory: Memory) -> list[tuple[Item, Mapping[str, int]]]:
    """The items in the order of their claims (smooth weighted round robin), or by the pattern."""
    items = {
        item.id: item
        for item in channel.items
        if channel.loop or memory.bags.get(item.id, Bag()).round == 0
    }
    if channel.pattern:
        shift = memory.turns % len(channel.pattern)
        turns = (*channel.pattern[shift:], *channel.pattern[:shift])
        return [(items[k], memory.claims) for k in dict.fromkeys(turns) if k in items]
    claims = {k: memory.claims.get(k, 0) + item.weight for k, item in items.items()}
    total = sum(item.weight for item in items.values())
    order = sorted(items, key=lambda k: -claims[k])  # stable: equal claims in the channel's order
    return [(items[k], {**claims, k: claims[k] - total}) for k in order if items[k].weight > 0]


def _without(bag: Bag, order: list[Piece], chosen: Piece, waiting: list[Piece]) -> Bag:
    """The bag after ``chosen`` was taken; a round that is through ends."""
    fitting = {piece.id for piece in waiting}
    passed = [k for k in bag.passed if k in fitting and k != chosen.id]
    index = bag.index
    if chosen.id not in bag.passed:
        while order[index].id != chosen.id:
            if order[index].id in fitting:
                passed.append(order[index].id)
            index += 1
        index += 1
    if index >= len(order) and not passed:
        return Bag(bag.round + 1)
    return Bag(bag.round, index, tuple(passed))


def _closeness(channel: Channel, item: Item, memory: Memory, at: int) -> Callable[[Piece], Close]:
    """How a piece is too close to what was heard, the worst first; all false: far enough."""
    apart = channel.apart
    back = [*reversed(memory.heard)]
    artists = {key for heard in back[: apart.artist] for key in heard.artists}
    titles = {heard.title for heard in back[: apart.title]} - {""}
    # A piece itself keeps away for half a round, so that no seam between rounds repeats it.
    own = {heard.piece for heard in back[: len(item.pieces) // 2]}
    recent = {heard.piece for heard in back if at - heard.at < apart.again} if apart.again else ()
    return lambda piece: (
        piece.id in own,
        piece.title in titles,
        piece.id in recent,
        not artists.isdisjoint(piece.artists),
    )
