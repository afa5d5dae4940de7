"""Compiling: what a zone plays in the next days, so that what it plays now goes on unheard."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final
from uuid import UUID

from sync2gear_broker import timeline
from sync2gear_broker.messages import Block, Media, Programme, ZoneState
from sync2gear_broker.messages.base import sha256_hex
from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.channels.model import Channel, Piece
from sync2gear_platform.channels.rotation import Memory, Pick
from sync2gear_platform.kit.errors import Refusal
from sync2gear_platform.schedules.course import Pause
from sync2gear_platform.schedules.handed import Chosen, begun_by, lasting, over_by, taken_up
from sync2gear_platform.schedules.ledger import (
    BASE,
    FOREVER,
    HAND,
    Digests,
    Kept,
    Ledger,
    missing,
)
from sync2gear_platform.schedules.quiet import SILENCE, silent_block
from sync2gear_platform.schedules.resolver import (
    Facts,
    History,
    Resolved,
    Spoken,
    Stretch,
    Why,
    programme_of,
    resolve,
)
from sync2gear_platform.schedules.retold import Retold, past_of

DAY: Final = 24 * 3600 * FRAME_RATE
WHOLE: Final = 7 * DAY
"""How far a programme reaches."""

LEAST: Final = 2 * DAY
"""How far it reaches at the least: so long a zone plays its plan without the platform."""

MAX_BLOCKS: Final = 5_000
MAX_EVENTS: Final = 50_000
MAX_MEDIA: Final = 50_000
MAX_BYTES: Final = 16 * 1024 * 1024
"""Of a programme; speakers take twice as much."""


class ProgrammeTooLarge(Refusal):
    """Two days of these schedules are more than one programme may hold: ask for less."""

    code = "programme_too_large"


@dataclass(frozen=True, slots=True)
class Playing:
    """What a zone plays: its documents, and the ledger of what was compiled for it last."""

    state: ZoneState
    programmes: Mapping[str, Programme]
    ledger: Ledger | None = None


@dataclass(frozen=True, slots=True)
class Compiled:
    """A programme up to the frame ``until``, with its account and what it was made from.

    ``body`` is its spelling, which ``sha256`` names.
    """

    programme: Programme
    body: bytes
    ledger: Ledger
    until: int
    music: tuple[Stretch, ...]
    resolved: Resolved

    @property
    def sha256(self) -> str:
        """The programme's name."""
        return sha256_hex(self.body)


def compile_zone(
    facts: Facts,
    playing: Playing,
    now: int,
    until: int,
    *,
    digests: Digests | None = None,
    by_hand: bool = True,
) -> Compiled | None:
    """The programme of ``facts`` for the frames [now, until), or for less where it is too large.

    Where the block that has the music at ``now`` is still to have it, it is the programme's first,
    as it was: swapping changes nothing that sounds. It goes on where nobody wants the music, unless
    the schedule is gone that asked for it: then what people chose for such times, or silence, as
    before the first music that a zone ever has. Where there are only announcements they are heard
    in silence; ``None`` where there is nothing at all.
    ``by_hand`` false ends what people chose instead of what is scheduled.
    """
    digests = digests or Digests()
    before = _before(facts, playing, now, digests, by_hand=by_hand)
    for end in _ends(now, until):
        resolved = resolve(before.facts, before.history, now, end)
        music = resolved.music
        if resolved.before is not None:
            music = (resolved.before, *music)
        elif before.alone is not None and not (music and music[0].block.at <= now):
            until = music[0].block.at if music else FOREVER
            music = (_silent(now, until) if before.ended else before.alone, *music)
        elif before.alone is None and music and music[0].block.at > now:
            until = music[0].block.at  # nothing is heard before its time
            music = (_silent(now, until) if before.would is None else before.would, *music)
        if not music and resolved.events:
            music = (_silent(now, FOREVER),)
        spare = None if resolved.events else _spare(facts, playing, now)
        mute = all(stretch.block.silent for stretch in music)
        if not music or (mute and spare is None and not resolved.events):
            return None
        if not _fits(music, resolved.events):
            continue
        programme = programme_of(music, resolved.events, *([] if spare is None else [spare]))
        body = programme.canonical()
        if len(body) <= MAX_BYTES:
            ledger = _ledger(before, music, resolved, digests)
            return Compiled(programme, body, ledger, end, music, resolved)
    raise ProgrammeTooLarge


def _silent(start: int, end: int) -> Stretch:
    """Nobody has the music."""
    return Stretch(SILENCE.id, silent_block(start), end, (), ())


def _spare(facts: Facts, playing: Playing, now: int) -> Media | None:
    """Anything that a zone may sound, or its programme has, for silence to last by."""
    for schedule in facts.schedules:
        channel = facts.channels.get(schedule.channel or UUID(int=0))
        message = facts.messages.get(schedule.message or UUID(int=0))
        music = (p for item in channel.items for p in item.pieces) if channel else ()
        spoken = (*(p for p, _ in message.variants), message.evergreen) if message else ()
        for piece in chain(music, spoken):
            if piece is not None:
                return piece.media
    ruling = _ruling(playing, now)
    return None if ruling is None else ruling.media[0]


def free_from(playing: Playing, at: int) -> int:
    """The frame ``at``, or if music waits then for the end of what plays, the one after that.

    A programme that took over meanwhile would know neither of the two as they are.
    """
    ruling = _ruling(playing, at)
    begun = [block for block in ruling.blocks if block.at <= at] if ruling else []
    if not begun or begun[-1].when == "cut" or begun[-1].follows:
        return at
    block = begun[-1]
    anchor = timeline.rebase(playing.programmes, playing.state, at).anchor
    if anchor is None or anchor.block == block.id or anchor.until is not None:
        return at
    if anchor.paused != at - block.at:
        return at
    settled = timeline.settle(playing.programmes, playing.state)
    taken = timeline.taken_over(settled, block.id, at)
    return at if taken is None else taken + 1


def _ends(now: int, until: int) -> Iterator[int]:
    """Where a programme may end: as far as asked, or half of it, but never below the least."""
    span = until - now
    while span > LEAST:
        yield now + span
        span //= 2
    yield now + min(LEAST, until - now)


def _fits(music: Sequence[Stretch], events: Sequence[Spoken]) -> bool:
    heard = {p.media.sha256 for s in music for p in s.pieces} | {m.sha256 for _, m in events}
    return len(music) <= MAX_BLOCKS and len(events) <= MAX_EVENTS and len(heard) <= MAX_MEDIA


@dataclass(frozen=True, slots=True)
class _Before:
    """Where a compile begins: all that was, as far as it matters.

    ``begun`` holds memories and cuts as they were when the running block began, or the one
    ``over`` which people chose it (with the digest of its music); ``alone`` is the running block,
    which goes on where nobody else wants the music, unless it has ``ended`` with its schedule;
    ``would`` is what would go on there in place of what people chose, which they have ended.
    ``why`` is what was said of earlier blocks.
    """

    facts: Facts
    history: History
    begun: tuple[Mapping[str, Memory], Mapping[str, tuple[Pick, int]]]
    starts: Mapping[str, tuple[int, ...]]
    pauses: tuple[Pause, ...]
    base: Channel | None
    hand: Channel | None
    now: int
    alone: Stretch | None
    ended: bool
    over: tuple[Stretch, str] | None
    would: Stretch | None
    why: Mapping[str, Why]


def _before(
    facts: Facts, playing: Playing, now: int, digests: Digests, *, by_hand: bool
) -> _Before:
    ledger = playing.ledger or Ledger()
    state = timeline.rebase(playing.programmes, playing.state, now)
    ruling = _ruling(playing, now)
    chosen = Chosen(ledger.base, ledger.hand, None)
    kept = position = None
    if ruling is not None and state.anchor is not None:
        position = _position(playing.programmes, state, now)
        block = _block(ruling, position, now)
        kept = next((k for k in ledger.blocks if k.block.id == block.id), None)
        if kept is None and not (block.silent or (position and position.silent)):
            kept, ledger, chosen = taken_up(ledger, ruling, block, now, digests)
        elif kept is not None and kept.schedule == HAND.id:
            chosen = replace(chosen, until=lasting(ledger, kept, now))
        if kept is not None and position is not None:
            kept = begun_by(kept, now, position.pos)
    over, would = _overridden(ledger, kept), None
    if kept is not None and kept.schedule == HAND.id and not by_hand:
        kept, chosen = None, replace(chosen, until=None)
        over, would = None, over
    known = replace(
        facts,
        channels={**facts.channels, **chosen.channels},
        chosen=chosen.claims(now),
    )
    past = Retold(known, ledger, ruling, now)
    seen = chosen.until or now
    if over is not None:
        if ruling is not None and position is not None and chosen.hand and not chosen.hand.loop:
            seen = min(
                seen, over_by(_block(ruling, position, now), ruling, position.pos, now, past.pauses)
            )
        past.roll(until=over.block.at, seen=seen)
    begun = dict(past.memories), dict(past.cut)
    past.roll(
        until=now if kept is None else kept.block.at,
        seen=seen,
        since=0 if over is None else over.block.at,
    )
    if over is None:
        begun = dict(past.memories), dict(past.cut)
    last, running = None, None
    if kept is not None:
        last, running = past.running(kept, position, digests)
    history = History(
        memories=past.memories,
        cut=past.cut,
        past=past_of(known, past.starts),
        last=last,
        state=state if last else None,
        events=_open(playing.programmes, state, now) if last else (),
        running=running,
    )
    ended = last is not None and not _asked(facts, last)
    return _Before(
        facts=known,
        history=history,
        begun=begun,
        starts=past.starts,
        pauses=tuple(past.pauses),
        base=chosen.base,
        hand=chosen.hand if chosen.until else None,
        now=now,
        alone=last,
        ended=ended,
        over=None if over is None else (ledger.stretch(over), over.music),
        would=None if would is None else _still_asked(facts, ledger.stretch(would)),
        why=ledger.why,
    )


def _still_asked(facts: Facts, stretch: Stretch) -> Stretch | None:
    return stretch if _asked(facts, stretch) else None


def _asked(facts: Facts, last: Stretch) -> bool:
    """Whether whoever asked for this music is still there: a schedule, or people."""
    if last.block.silent or last.schedule in {BASE.id, HAND.id}:
        return True
    return any(s.id == last.schedule and s.channel is not None for s in facts.schedules)


def _overridden(ledger: Ledger, kept: Kept | None) -> Kept | None:
    """The block that would have the music had nobody chosen any instead."""
    if kept is None or kept.schedule != HAND.id:
        return None
    earlier = [k for k in ledger.blocks if k.block.at < kept.block.at and k.schedule != HAND.id]
    return earlier[-1] if earlier else None


def _ruling(playing: Playing, now: int) -> Programme | None:
    """The programme in force at ``now``."""
    held = [
        playing.programmes[ref.sha256]
        for ref in playing.state.programmes
        if ref.from_ <= now and ref.sha256 in playing.programmes
    ]
    return held[-1] if held else None


def _position(
    programmes: Mapping[str, Programme], state: ZoneState, now: int
) -> timeline.MusicPosition | None:
    """Where the music stands at ``now``, to which the state is rebased: the rest is not walked."""
    so_far = {
        sha256: one.model_copy(update={"events": tuple(e for e in one.events if e.start <= now)})
        for sha256, one in programmes.items()
    }
    return timeline.music_at(timeline.settle(so_far, state), now)


def _block(ruling: Programme, position: timeline.MusicPosition | None, now: int) -> Block:
    """The block that has the music at ``now``."""
    name = position.block if position else ""
    found = next((block for block in ruling.blocks if block.id == name), None)
    return found or next((b for b in reversed(ruling.blocks) if b.at <= now), ruling.blocks[0])


def _open(programmes: Mapping[str, Programme], state: ZoneState, now: int) -> tuple[Spoken, ...]:
    """The planned announcements that sound or wait at ``now``."""
    waiting = {entry.id for entry in state.anchor.open} if state.anchor else set()
    found = {
        event.id: (event, programme.media[event.media])
        for programme in programmes.values()
        for event in programme.events
        if event.id in waiting and event.start < now
    }
    return tuple(found.values())


def _ledger(
    before: _Before, music: Sequence[Stretch], resolved: Resolved, digests: Digests
) -> Ledger:
    """The account of these blocks, each piece and line written once."""
    pieces: dict[Piece, int] = {}
    lines: dict[str, int] = {}
    channels = {channel.id: channel for channel in before.facts.channels.values()}
    goes_on = before.alone is not None and music[0].block.id == before.alone.block.id
    over = before.over if goes_on else None
    blocks = []
    for stretch in (*(() if over is None else (over[0],)), *music):
        channel = channels.get(stretch.block.source)
        digest = "" if channel is None else digests.music(before.facts, channel)
        blocks.append(
            Kept(
                schedule=stretch.schedule,
                block=stretch.block.model_copy(update={"items": (0,)}),
                end=stretch.end,
                pieces=tuple(pieces.setdefault(p, len(pieces)) for p in stretch.pieces),
                lines=tuple(lines.setdefault(line, len(lines)) for line in stretch.lines),
                music=over[1] if over and stretch is over[0] else digest,
                on_end=stretch.on_end,
                left=stretch.left,
                delay=stretch.delay,
            )
        )
    history = before.history
    memories, cut = before.begun if goes_on else (history.memories, history.cut)
    since = blocks[0].block.at
    # of music that goes on although nobody has asked for it since, or waits to be followed
    known = {b.block.id: before.why[b.block.id] for b in blocks if b.block.id in before.why}
    return Ledger(
        pieces=tuple(pieces),
        lines=tuple(lines),
        blocks=tuple(blocks),
        memories=memories,
        cut=cut,
        starts=before.starts,
        pauses=tuple(p for p in before.pauses if since <= p[0] < before.now),
        base=before.base,
        hand=before.hand,
        why={**known, **resolved.why},
        dropped=missing(resolved.dropped),
    )
