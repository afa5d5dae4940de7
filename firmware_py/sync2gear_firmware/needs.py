"""Which media a zone needs on the disk, and when first: an order for downloads. Pure.

Only an order: it counts no pauses and no crossfades, for which `timeline` alone is the law.
"""

from bisect import bisect_right
from collections.abc import Mapping
from itertools import accumulate, pairwise

from sync2gear_broker.messages import Anchor, Block, Media, Prefetch, Programme, ZoneState
from sync2gear_broker.units import FRAME_RATE, MAX_SAFE_INTEGER

HOUR = 3600 * FRAME_RATE


class _Needs:
    """The earliest frame at which each media is needed."""

    def __init__(self) -> None:
        self.first: dict[str, tuple[int, Media]] = {}

    def add(self, frame: int, media: Media) -> None:
        known = self.first.get(media.sha256)
        if known is None or frame < known[0]:
            self.first[media.sha256] = (frame, media)


def needed(
    programmes: Mapping[str, Programme], state: ZoneState, now: int
) -> tuple[tuple[int, Media], ...]:
    """``(frame, media)`` by the first frame from ``now`` on at which each is needed.

    What a person sent and the emergency come before all else, as if needed at frame 0.
    """
    needs = _Needs()
    if state.emergency is not None and state.emergency.media is not None:
        needs.add(0, state.emergency.media)
    for live in state.live:
        needs.add(0, live.media)
    refs = [r for r in state.programmes if r.sha256 in programmes]
    for i, ref in enumerate(refs):
        a = max(now, ref.from_ if i else 0)
        b = refs[i + 1].from_ if i + 1 < len(refs) else MAX_SAFE_INTEGER
        if a < b:
            _programme(needs, programmes[ref.sha256], state.anchor, a, b)
    return tuple(sorted(needs.first.values(), key=lambda n: (n[0], n[1].sha256)))


def coverage(needs: tuple[tuple[int, Media], ...], held: frozenset[str], until: int) -> int:
    """The percentage of the media needed before ``until`` that is held, rounded down."""
    wanted = [media.sha256 for frame, media in needs if frame < until]
    return 100 * sum(sha in held for sha in wanted) // len(wanted) if wanted else 100


def order(
    needs: tuple[tuple[int, Media], ...],
    prefetch: Prefetch | None,
    evergreens: tuple[Media, ...],
    now: int,
) -> tuple[Media, ...]:
    """The media in the order in which the disk should hold it.

    What a person sent, what fills in for anything else, the next hour, what may be announced,
    the rest.
    """
    at_once = [media for frame, media in needs if frame == 0]
    soon = [media for frame, media in needs if frame < now + HOUR]
    later = [media for frame, media in needs if frame >= now + HOUR]
    # of a file that nobody plays yet only the name and the size are known, and no more is needed
    ahead = [
        Media(sha256=item.sha256, bytes=item.bytes, frames=1, kind="announcement")
        for item in (prefetch.items if prefetch is not None else ())
    ]
    first: dict[str, Media] = {}
    for media in (*at_once, *evergreens, *soon, *ahead, *later):
        first.setdefault(media.sha256, media)
    return tuple(first.values())


def fitting(media: tuple[Media, ...], room: int) -> tuple[Media, ...]:
    """As much of ``media``, from its beginning, as fits into ``room`` bytes."""
    ends = accumulate(one.bytes for one in media)
    return tuple(one for one, end in zip(media, ends, strict=True) if end <= room)


def _programme(needs: _Needs, programme: Programme, anchor: Anchor | None, a: int, b: int) -> None:
    for event in programme.events:
        # one that waited may still be sounding an hour after its start
        if a - HOUR <= event.start < b:
            needs.add(max(a, event.start), programme.media[event.media])
    ends = [*(after.at for _, after in pairwise(programme.blocks)), MAX_SAFE_INTEGER]
    for block, end in zip(programme.blocks, ends, strict=True):
        if block.silent:
            continue
        start, stop = max(a, block.at), min(b, end)
        by_hand = anchor is not None and anchor.block == block.id
        if start < stop or by_hand:
            pos = block.pos + start - block.at
            if anchor is not None and by_hand:
                start, stop = a, max(stop, a + 1)
                pos = anchor.pos + max(0, a - anchor.at)
            _block(needs, programme, block, max(0, pos), start, stop)


def _block(
    needs: _Needs, programme: Programme, block: Block, pos: int, start: int, stop: int
) -> None:
    """Once round the items from the one at music-clock ``pos``, which sounds at ``start``."""
    ends: list[int] = []
    for index in block.items:
        ends.append((ends[-1] if ends else 0) + programme.media[index].frames)
    pos %= ends[-1]
    first = bisect_right(ends, pos)
    frame = start
    for k in range(len(block.items)):
        i = (first + k) % len(block.items)
        media = programme.media[block.items[i]]
        needs.add(frame, media)
        frame += ends[i] - pos if k == 0 else media.frames
        if frame >= stop:
            return
