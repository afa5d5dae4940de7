"""Music that people choose: as a programme of its own, and what is read from its block again."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sync2gear_broker import timeline
from sync2gear_broker.messages import Block, Media, Programme, ZoneState, sha256_hex
from sync2gear_broker.timeline.music import cycle_of
from sync2gear_platform.kit.errors import Refusal
from sync2gear_platform.playback import engine

_WHICH: Final = "."
"""Between what people chose and which choice it was, in the source of a block."""


KINDS: Final = frozenset({"channel", "folder", "tracks"})
"""What people choose."""


class NotChosen(Refusal):
    """Schedules play here, and their channels say in which order: choose music first."""

    kind = "conflict"
    code = "not_chosen"


@dataclass(frozen=True, slots=True)
class End:
    """When what people chose gives way: at a frame, or ``whole`` once it is over.

    That is reckoned to be at the frame ``at``, and waited for until ``latest``, or for ever.
    """

    at: int
    whole: bool = False
    latest: int | None = None


def programme_of(
    media: Sequence[Media],
    *,
    source: str,
    at: int,
    seed: int | None = None,
    crossfade: int = 0,
    once: bool = False,
) -> Programme:
    """One block that plays ``media`` in order from frame ``at`` on and loops, or does so ``once``.

    With a ``seed`` the order is shuffled. Media that occur twice are listed once.
    """
    distinct = list({m.sha256: m for m in media}.values())
    place = {m.sha256: index for index, m in enumerate(distinct)}
    items = [place[m.sha256] for m in media]
    if seed is not None:
        random.Random(seed).shuffle(items)  # noqa: S311 - an order of songs, not a secret
    block = Block(
        id=f"b{at}", source=source, at=at, items=tuple(items), crossfade=crossfade, once=once
    )
    return Programme(media=tuple(distinct), blocks=(block,))


def end_of(made: Programme, until: int | None) -> End | None:
    """When a list gives way: at ``until``, and what is heard once, when it has been heard."""
    block = made.blocks[0]
    over = block.at + cycle_of(made, block).length
    if block.once and (until is None or over < until):
        return End(over, whole=True, latest=until)
    return None if until is None else End(until)


def limit(blocks: Sequence[Block], block: Block, at: int) -> int | None:
    """When after ``at`` another one of ``blocks`` has the music in any case."""
    for one in blocks:
        latest: int | None = one.at
        if one.follows:
            latest = one.at + one.max_wait if one.when == "wait" else None
        if one.at > block.at and latest is not None and latest > at:
            return latest
    return None


def joined(
    chosen: Programme,
    programmes: engine.Programmes,
    state: ZoneState,
    end: End | None = None,
) -> Programme:
    """``chosen``, and then what the zone would play: from the next block on, or from ``end`` on.

    What is planned to be announced stays. From ``end`` on the block in force reads its own
    position, as if nobody had chosen anything.
    """
    held = [programmes[r.sha256] for r in state.programmes if r.sha256 in programmes]
    if not held:
        return chosen
    plan, since = held[-1], chosen.blocks[0].at
    if end is not None and end.whole and end.latest is None:
        after = limit(plan.blocks, chosen.blocks[0], since)
        end = None if after is not None and after <= end.at else end
    later = [b for b in plan.blocks if b.at > (since if end is None else end.at)]
    if end is not None:
        position = timeline.music_at(timeline.settle(programmes, state), end.at)
        block = next((b for b in plan.blocks if position and b.id == position.block), None)
        if block is not None and position is not None:
            moved = {"at": end.at, "pos": position.pos, "begin": "continue", **_waiting(block, end)}
            later = [b for b in later if b.id != block.id]
            later.insert(0, block.model_copy(update=moved))
    if not chosen.blocks[0].once:
        later = [b for b in later if not b.follows]  # what it would wait for never ends
    media = {m.sha256: m for m in chosen.media}
    wanted = {index for block in later for index in block.items}
    wanted |= {event.media for event in plan.events}
    for index in sorted(wanted):
        media.setdefault(plan.media[index].sha256, plan.media[index])
    place = {sha256: index for index, sha256 in enumerate(media)}
    at = [place.get(m.sha256, 0) for m in plan.media]
    return Programme(
        media=tuple(media.values()),
        blocks=(
            *chosen.blocks,
            *(b.model_copy(update={"items": tuple(at[i] for i in b.items)}) for b in later),
        ),
        events=tuple(e.model_copy(update={"media": at[e.media]}) for e in plan.events),
    )


def _waiting(block: Block, end: End) -> dict[str, object]:
    """How a block waits for music that is heard once, or waits no more."""
    if not end.whole:
        return {"whole": False, "when": "cut", "max_wait": 0} if block.whole else {}
    if end.latest is None:
        return {"whole": True, "when": "next", "max_wait": 0}
    return {"whole": True, "when": "wait", "max_wait": end.latest - end.at}


def reordered(
    programmes: engine.Programmes,
    state: ZoneState,
    media: Sequence[Media],
    at: int,
    seed: int | None,
) -> Programme:
    """The music that people chose in another order from ``at`` on; what plays goes on.

    ``media`` in the order given, which a ``seed`` shuffles.
    """
    engine.musical(state)
    position = timeline.music_at(timeline.settle(programmes, state), at)
    if position is None or not (is_chosen(position.block) or is_kind(position.source)):
        raise NotChosen
    rest = [m for m in media if m.sha256 != position.media.sha256]
    if seed is not None or len(rest) == len(media):
        chosen = programme_of(rest or [position.media], source=position.source, at=at, seed=seed)
        order = [position.media, *(chosen.media[i] for i in chosen.blocks[0].items)]
        order = order if rest else order[:1]
    else:
        order = list(media)
    index = next(i for i, m in enumerate(order) if m.sha256 == position.media.sha256)
    block = next(b for p in programmes.values() for b in p.blocks if b.id == position.block)
    return _from_within(order, index, position, at, block.crossfade, once=block.once)


def _from_within(
    media: Sequence[Media],
    index: int,
    position: timeline.MusicPosition,
    at: int,
    crossfade: int,
    *,
    once: bool,
) -> Programme:
    """A list of which ``index`` goes on at ``at`` from where it stands."""
    made = programme_of(media, source=position.source, at=at, crossfade=crossfade, once=once)
    start = timeline.item_reading(made, made.blocks[0], index)
    block = made.blocks[0].model_copy(update={"pos": start + position.offset})
    return made.model_copy(update={"blocks": (block,)})


@dataclass(frozen=True, slots=True)
class Standing:
    """Where music that people chose stands, in its list of ``media``.

    ``end`` is when what has the music ends by itself, ``until`` when other music begins whatever
    is left of it; ``crossfade`` in frames.
    """

    position: timeline.MusicPosition
    media: tuple[Media, ...]
    end: int
    until: int | None
    crossfade: int

    @property
    def current(self) -> Media:
        """What has the music."""
        return self.position.media


def standing(
    programmes: engine.Programmes, state: ZoneState, at: int, what: tuple[str, UUID]
) -> Standing | None:
    """Where the music stands at ``at``; ``None`` where it is not what people chose, or nothing."""
    plan = _ruling(programmes, state, at)
    position = timeline.music_at(timeline.settle(programmes, state), at)
    if plan is None or position is None or named(position.source) != what:
        return None
    block = next(block for block in plan.blocks if block.id == position.block)
    media = tuple(plan.media[index] for index in block.items)
    until = limit(plan.blocks, block, at)
    end = at + position.length - position.offset
    return Standing(position, media, end, until, block.crossfade)


def returns(
    programmes: engine.Programmes, state: ZoneState, at: int, what: tuple[str, UUID]
) -> int | None:
    """When after ``at`` what people chose has the music again."""
    plan = _ruling(programmes, state, at)
    later = (b.at for b in plan.blocks if b.at > at and named(b.source) == what) if plan else ()
    return next(iter(later), None)


def to_be_heard(
    programmes: engine.Programmes, state: ZoneState, at: int
) -> set[tuple[str, UUID | None]]:
    """What people chose of which something is planned to be heard from ``at`` on."""
    known = [programmes[ref.sha256] for ref in state.programmes if ref.sha256 in programmes]
    found = set()
    for plan in known[-1:]:
        for block in (one for one in plan.blocks if is_kind(one.source)):
            ends = [limit(plan.blocks, block, block.at)]
            if block.once:
                ends.append(block.at + cycle_of(plan, block).length - block.pos)
            if all(end is None or end > at for end in ends):
                found.add(named(block.source))
    return found


def _ruling(programmes: engine.Programmes, state: ZoneState, at: int) -> Programme | None:
    held = (r.sha256 for r in reversed(state.programmes) if r.from_ <= at)
    return next((programmes[sha256] for sha256 in held if sha256 in programmes), None)


def listed(
    here: Standing,
    media: Sequence[Media],
    index: int,
    at: int,
    crossfade: int,
    *,
    once: bool = False,
) -> Programme:
    """What people chose as another list from ``at`` on, of which ``index`` is what plays then."""
    return _from_within(media, index, here.position, at, crossfade, once=once)


def put_in(
    here: Standing, media: Sequence[Media], seed: int | None = None
) -> tuple[list[Media], int]:
    """A list in which what plays has its place, and which that is; with a ``seed`` it is shuffled.

    What is not in it any more goes on before whatever came next and still is.
    """
    hashes = [one.sha256 for one in media]
    if seed is not None:
        rest = [one for one in media if one.sha256 != here.current.sha256]
        random.Random(seed).shuffle(rest)  # noqa: S311 - an order of songs, not a secret
        mine = next((m for m in media if m.sha256 == here.current.sha256), here.current)
        return [mine, *rest], 0
    if here.current.sha256 in hashes:
        return list(media), hashes.index(here.current.sha256)
    coming = (one.sha256 for one in here.media[here.position.index + 1 :])
    place = next((hashes.index(one) for one in coming if one in hashes), len(hashes))
    return [*media[:place], here.current, *media[place:]], place


def digest(media: Sequence[Media]) -> str:
    """Names a list of music by its content and order."""
    return sha256_hex(b"".join(one.model_dump_json().encode() for one in media))


def chosen(programmes: engine.Programmes, state: ZoneState, at: int) -> list[Media]:
    """The music of the block that has it at ``at``, each piece once, as people gave it."""
    engine.musical(state)
    position = timeline.music_at(timeline.settle(programmes, state), at)
    blocks = [(p, b) for p in programmes.values() for b in p.blocks]
    for programme, block in blocks:
        if position is not None and block.id == position.block:
            return [programme.media[index] for index in sorted(set(block.items))]
    raise engine.AboutToBegin


def is_chosen(block: str) -> bool:
    """Whether people chose the music of a block, by its id: those of schedules name theirs."""
    return block.startswith("b") and block[1:].isdecimal()


def source_of(kind: str, id_: UUID | None = None) -> str:
    """The source of a block of music that people choose: what it is, and which one."""
    return kind if id_ is None else f"{kind}:{id_}"


def told_apart(block: Block) -> str:
    """The source of a block that people chose, which it shares with no other choice of the same."""
    return f"{block.source.partition(_WHICH)[0]}{_WHICH}{block.id}"


def is_kind(source: str) -> bool:
    """Whether people chose the music of a block, by its source: those of schedules have no kind."""
    return source.partition(_WHICH)[0].partition(":")[0] in KINDS


def named(source: str) -> tuple[str, UUID | None]:
    """What people chose, by the source of its block, be it told apart or not."""
    kind, _, id_ = source.partition(_WHICH)[0].partition(":")
    return kind, UUID(id_) if id_ else None
