"""The music clock: which item of which block a reading of it means."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

from sync2gear_broker.messages import Block, Event, Media, Programme, ProgrammeRef


@dataclass(frozen=True, slots=True)
class Slot:
    """Item ``index`` of cycle ``cycle``, begun at clock reading ``start``, ``offset`` frames in."""

    cycle: int
    index: int
    start: int
    offset: int


@dataclass(frozen=True, slots=True)
class Cycle:
    """A block's items laid out on the music clock, one round of ``length`` frames.

    Item i lasts ``frames_i - overlaps[i]``; ``starts[i]`` is where it begins within the round.
    """

    block: Block
    media: tuple[Media, ...]
    overlaps: tuple[int, ...]
    starts: tuple[int, ...]
    length: int

    def locate(self, pos: int) -> Slot:
        """The item that has the music at reading ``pos`` (in a crossfade: the one that comes)."""
        cycle, rest = divmod(pos, self.length)
        index = bisect_right(self.starts, rest) - 1
        return Slot(cycle, index, pos - rest + self.starts[index], rest - self.starts[index])

    def lasts(self, index: int) -> int:
        """Frames from the beginning of item ``index`` to that of the next one."""
        return self.media[index].frames - self.overlaps[index]

    def is_over(self, pos: int) -> bool:
        """Whether music that is heard once is over."""
        return self.block.once and pos >= self.length

    def boundary(self, pos: int) -> int:
        """The first reading from ``pos`` on at which an item begins."""
        slot = self.locate(pos)
        return pos if slot.offset == 0 else slot.start + self.lasts(slot.index)

    def ahead(self, pos: int, *, soft: bool) -> list[int]:
        """For how many frames nothing is decided from ``pos`` on: if ``soft`` at each boundary."""
        if soft:
            return [self.boundary(pos) - pos]
        return [self.length - pos] if self.block.once else []


def cycle_of(programme: Programme, block: Block) -> Cycle:
    """Lay out ``block``: ``overlaps[i] = min(crossfade, frames_i // 2, frames_{i+1} // 2)``.

    Of one that is heard once nothing follows the last item.
    """
    media = tuple(programme.media[index] for index in block.items)
    following = (*media[1:], media[0])
    overlaps = tuple(
        min(block.crossfade, this.frames // 2, after.frames // 2)
        for this, after in zip(media, following, strict=True)
    )
    if block.once:
        overlaps = (*overlaps[:-1], 0)
    starts = [0]
    for item, overlap in zip(media, overlaps, strict=True):
        starts.append(starts[-1] + item.frames - overlap)
    return Cycle(block, media, overlaps, tuple(starts[:-1]), starts[-1])


@dataclass(frozen=True, slots=True)
class Reign:
    """A programme and the frames [start, end) in which it rules."""

    start: int
    end: int
    programme: Programme
    ats: tuple[int, ...]

    def in_force(self, t: int) -> Block:
        """The last block begun by ``t``; before the first one, the first."""
        return self.programme.blocks[max(0, bisect_right(self.ats, t) - 1)]

    def block(self, key: str) -> Block | None:
        """The block of that id, if the programme has it."""
        return next((block for block in self.programme.blocks if block.id == key), None)

    def after(self, block: Block) -> Block | None:
        """The block that begins next after ``block``."""
        following = bisect_right(self.ats, block.at)
        return self.programme.blocks[following] if following < len(self.ats) else None

    def events(self, since: int) -> list[Event]:
        """The events that begin under this programme, from ``since`` on, in any order."""
        low, high = max(since, self.start), self.end
        return [event for event in self.programme.events if low <= event.start < high]


class Schedule:
    """The programmes of a state one after another, with each block laid out once, when needed."""

    def __init__(
        self, programmes: Mapping[str, Programme], refs: tuple[ProgrammeRef, ...], forever: int
    ) -> None:
        held = sorted(
            ((ref.from_, programmes[ref.sha256]) for ref in refs if ref.sha256 in programmes),
            key=lambda pair: pair[0],
        )
        ends = [*(start for start, _ in held[1:]), forever]
        self.reigns = [
            Reign(start, end, programme, tuple(block.at for block in programme.blocks))
            for (start, programme), end in zip(held, ends, strict=False)
            if start < end
        ]
        self._starts = [reign.start for reign in self.reigns]
        self._cycles: dict[tuple[int, str], Cycle] = {}

    def reign(self, t: int) -> Reign | None:
        """Who rules at ``t``: before the first programme's ``from``, nobody."""
        index = bisect_right(self._starts, t) - 1
        return self.reigns[index] if index >= 0 else None

    def cycle(self, reign: Reign, block: Block) -> Cycle:
        """The layout of a block of ``reign``."""
        key = (reign.start, block.id)
        if key not in self._cycles:
            self._cycles[key] = cycle_of(reign.programme, block)
        return self._cycles[key]

    def next_border(self, t: int) -> int | None:
        """The first frame after ``t`` at which another block or programme may take over."""
        index = bisect_right(self._starts, t) - 1
        following = self._starts[index + 1] if index + 1 < len(self._starts) else None
        if index >= 0:
            reign = self.reigns[index]
            after = bisect_right(reign.ats, t)
            if after < len(reign.ats) and reign.ats[after] < reign.end:
                return reign.ats[after]
        return following
