"""The music of a zone as it is worked out: which pieces, and where each block leaves off."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from sync2gear_broker import timeline
from sync2gear_broker.messages import (
    Anchor,
    Block,
    LiveEvent,
    Media,
    Programme,
    ProgrammeRef,
    ZoneState,
)
from sync2gear_broker.units import FRAME_RATE, MAX_SAFE_INTEGER, frames_from_millis
from sync2gear_platform.channels.model import Channel
from sync2gear_platform.channels.rotation import Memory, Pick, Rotation
from sync2gear_platform.schedules.asking import Betweens, asked_at, between
from sync2gear_platform.schedules.calls import Past
from sync2gear_platform.schedules.course import Course, Pause
from sync2gear_platform.schedules.given import Facts, History, Running, Spoken, Stretch
from sync2gear_platform.schedules.layers import Reign
from sync2gear_platform.schedules.model import Begin
from sync2gear_platform.schedules.quiet import Hush, silent_block

NAMELESS: Final = "0" * 64
"""Of documents that nobody but the timeline reads, at once: a digest would only take time."""

MAX_ITEMS: Final = 5_000
"""Items of one block; longer ones loop."""

LONGEST_WAIT: Final = 3 * 3600 * FRAME_RATE
"""For how long music is looked at whose end other music waits for."""


_NOTHING: Final = Media(sha256=NAMELESS, bytes=1, frames=FRAME_RATE)
"""What a silent block lasts by in documents in which nothing sounds."""


def programme_of(
    music: Sequence[Stretch], events: Sequence[Spoken], spare: Media = _NOTHING
) -> Programme:
    """The document of these blocks and announcements; raises where there is no block at all.

    ``spare`` is what silence lasts by where nothing is heard in all of the document.
    """
    heard = [piece.media for stretch in music for piece in stretch.pieces]
    media = {m.sha256: m for m in (*heard, *(m for _, m in events))} or {spare.sha256: spare}
    place = {sha256: index for index, sha256 in enumerate(media)}
    blocks = (
        s.block.model_copy(update={"items": tuple(place[p.media.sha256] for p in s.pieces) or (0,)})
        for s in music
    )
    return Programme(
        media=tuple(media.values()),
        blocks=tuple(blocks),
        events=tuple(e.model_copy(update={"media": place[m.sha256]}) for e, m in events),
    )


@dataclass(frozen=True, slots=True)
class Leaving:
    """A block that is left: what was drawn for it, and the channel's memory before that."""

    channel: str
    picks: Sequence[Pick]
    earlier: Memory | None = None


def leave(
    memories: dict[str, Memory],
    cut: dict[str, tuple[Pick, int]],
    leaving: Leaving,
    index: int,
    into: int,
) -> None:
    """Remember that the music stands ``into`` frames in a piece: what has not begun is not heard.

    An ``index`` behind the last piece: all of them were heard to their end, and none was cut off.
    """
    picks, channel = leaving.picks, leaving.channel
    begun = index if into > 0 else index - 1
    if begun >= 0:
        memories[channel] = picks[begun].memory
    elif leaving.earlier is not None:
        memories[channel] = leaving.earlier
    if index < len(picks):
        cut[channel] = (picks[index], into)
    else:
        cut.pop(channel, None)


class Band:
    """The music of a zone as it is worked out, stretch after stretch.

    ``before`` is what had the music at first, where it keeps it because other music waits.
    """

    def __init__(
        self, facts: Facts, history: History, events: list[Spoken], stretch: tuple[int, int]
    ) -> None:
        self.facts = facts
        self.events = sorted(events, key=lambda one: one[0].start)
        self._starts = [event.start for event, _ in self.events]
        self.music: list[Stretch] = []
        self._memories = dict(history.memories)
        self._cut = dict(history.cut)
        self._last, self._state = history.last, history.state
        self._running = history.running
        self.before: Stretch | None = None
        self._rotations: dict[str, Rotation] = {}
        self._between = Betweens(between(facts, *stretch))
        self._pauses = pauses(events)
        self._hush = Hush(facts.quiet, facts.tz, *stretch).covers
        self._leaving: Leaving | None = None
        self._waits: dict[str, object] = {}
        if history.running is not None and history.last is not None:
            channel = history.last.block.source
            self._leaving = Leaving(channel, history.running.picks)

    def rest(self, reign: Reign) -> Stretch:
        """Silence for as long as the reign lasts; what was silent goes on."""
        last = self._last
        goes_on = last is not None and last.block.silent and last.end == reign.start
        if last is not None and goes_on:
            stretch = replace(last, end=reign.end)
            self._last = stretch
        else:
            block = silent_block(reign.start).model_copy(update=self._waits)
            stretch = Stretch(reign.schedule.id, block, reign.end, (), ())
            self._take_over(stretch, reign.start)
        self._running = self._leaving = None
        self._waits = {}
        self.music.append(stretch)
        return stretch

    def gives_way(self, over: int, latest: int) -> None:
        """What has the music is over at the frame ``over``, or later if people pause it meanwhile.

        What comes next waits for that, until ``latest``.
        """
        patience = latest - over
        self._waits = {"whole": True, "when": "next", "max_wait": 0}
        if patience <= MAX_SAFE_INTEGER:
            self._waits |= {"when": "wait", "max_wait": patience}

    def play(self, reign: Reign) -> Stretch | None:
        """One reign's block; ``None`` where its channel has nothing that fits.

        It ends before the reign does where the channel is played once and that is over.
        """
        channel = self.facts.channels[reign.schedule.channel or UUID(int=0)]
        earlier = self._memories.get(channel.id, Memory())
        running, self._running = self._running, None
        if running is not None and _goes_on(running, reign, channel):
            stretch, picks = self._gone_on(running, channel, reign)
            self._last = stretch
        else:
            begun = self._begun(channel, reign)
            if begun is None:
                return None
            stretch, picks = begun
            self._take_over(stretch, reign.start + stretch.delay)
        self._leaving = Leaving(channel.id, picks, earlier)
        self._waits = {}
        end = max(reign.end, reign.start + stretch.delay)
        if not channel.loop:
            end = self._over(stretch, reign.start + stretch.delay, end)
            stretch = self._last = replace(stretch, end=min(end, stretch.end))
        stretch = self._left(stretch, end)
        self.music.append(stretch)
        return stretch

    def _over(self, stretch: Stretch, start: int, end: int) -> int:
        """The frame from which a block would begin from its first item again, before ``end``."""
        settled = self._settled(end)

        def again(at: int) -> bool:
            here = timeline.music_at(settled, at)
            return here is not None and here.block == stretch.block.id and here.cycle > 0

        return start + bisect_left(range(start, end), True, key=again)

    def _left(self, stretch: Stretch, end: int) -> Stretch:
        """A block with the place at which its music stands at ``end``, as is remembered."""
        leaving = self._leaving
        self._forward(end)
        position = timeline.music_at(self._settled(end), end)
        if position is not None and leaving is not None:
            index, into = position.index, position.offset
            if position.cycle and not index and not into:
                index = len(leaving.picks)
            leave(self._memories, self._cut, leaving, index, into)
            return replace(stretch, left=(index, into))
        return stretch

    def _delay(self, reign: Reign, source: str) -> int:
        """For how long a reign's music waits for the end of what plays, as far as is known."""
        start, last = reign.schedule.start, self._last
        if (
            start.mode == "cut"
            or last is None
            or self._state is None
            or last.block.at >= reign.start
        ):
            return 0
        waiting = Block(
            id="waiting",
            source=source,
            at=reign.start,
            items=(0,),
            when=start.mode,
            max_wait=frames_from_millis(start.max_wait),
        )
        held, state = self._documents(reign.start + LONGEST_WAIT)
        known = held[NAMELESS]
        whole = known.model_copy(update={"blocks": (*known.blocks, waiting)})
        settled = timeline.settle({NAMELESS: whole}, state)
        at = timeline.taken_over(settled, waiting.id, reign.start)
        if at is None:
            return 0
        if at > reign.start and self.music:
            self.music[-1] = self._left(self.music[-1], at)
        elif at > reign.start:
            self.before = replace(self._left(last, at), end=at)
        return at - reign.start

    def _begun(self, channel: Channel, reign: Reign) -> tuple[Stretch, list[Pick]] | None:
        """A block of its own for a reign."""
        delay = self._delay(reign, channel.id)
        begin = _begin(reign, self._last)
        picks, offset, last = self._picks(channel, reign, begin, reign.start + delay)
        if not picks:
            return None
        block = Block(
            id=f"{reign.schedule.id.hex}.{reign.start // FRAME_RATE}",
            source=channel.id,
            at=reign.start,
            pos=offset,
            begin=begin,
            items=tuple(range(len(picks))),
            crossfade=channel.crossfade,
            when=reign.schedule.start.mode,
            max_wait=frames_from_millis(reign.schedule.start.max_wait),
            once=last,
        )
        block = block.model_copy(update=self._waits)
        return replace(_stretch(reign, block, picks), delay=delay), picks

    def _gone_on(
        self, running: Running, channel: Channel, reign: Reign
    ) -> tuple[Stretch, list[Pick]]:
        """The running block for as long as the reign lasts: what was heard of it stays."""
        picks = list(running.picks[: running.kept])
        block = running.stretch.block
        if running.grows:
            course = Course(reign.start, channel.crossfade, self._pauses)
            course.step(picks[running.index].piece, running.into)
            for pick in picks[running.index + 1 :]:
                course.step(pick.piece)
            last = self._fill(channel, picks, picks[-1].memory, course, reign.end)
            block = block.model_copy(update={"once": last})
        block = block.model_copy(update={"items": tuple(range(len(picks)))})
        return replace(_stretch(reign, block, picks), delay=running.stretch.delay), picks

    def after(self, past: Past, end: int) -> History:
        """What whoever goes on from ``end`` has to know."""
        if self._state is not None:
            self._state = self._rebased(end)
        waiting = self._open()
        events = tuple(e for e in self.events if e[0].id in waiting)
        return History(self._memories, self._cut, past, self._last, self._state, events)

    def _take_over(self, stretch: Stretch, at: int) -> None:
        """From the frame ``at`` on ``stretch`` has the music; what is announced goes on."""
        block = stretch.block
        anchor = Anchor(at=at, block=block.id, pos=block.pos, paused=at - block.at)
        live: tuple[LiveEvent, ...] = ()
        if self._state is not None and self._state.anchor is not None:
            state = self._rebased(at)
            if state.anchor is not None:
                anchor = anchor.model_copy(update={"open": state.anchor.open})
            live = state.live
        self._last = stretch
        self._state = ZoneState(zone=str(self.facts.zone), epoch=1, rev=1, anchor=anchor, live=live)

    def _documents(self, until: int) -> tuple[dict[str, Programme], ZoneState]:
        """The music in force and what is announced before ``until``, as documents."""
        state, last = self._state, self._last
        if state is None or state.anchor is None or last is None:
            raise ValueError("there is no music yet")
        since, waiting = state.anchor.at, self._open()
        first, last_ = (bisect_left(self._starts, frame) for frame in (since, until))
        events = self.events[first:last_]
        events += [e for e in self.events[:first] if e[0].id in waiting] if waiting else []
        ref = ProgrammeRef(sha256=NAMELESS, from_=last.block.at)
        documents = {NAMELESS: programme_of([last], events)}
        return documents, state.model_copy(update={"programmes": (ref,)})

    def _forward(self, end: int) -> None:
        """Fold all before ``end`` into the state, for good: it is walked through once.

        Not ``end`` itself, at which other music begins to wait for what has it until then.
        """
        if self._state is not None:
            self._state = self._rebased(end - 1)

    def _settled(self, until: int) -> timeline.Settled:
        return timeline.settle(*self._documents(until))

    def _rebased(self, at: int) -> ZoneState:
        return timeline.rebase(*self._documents(at), at)

    def _open(self) -> set[str]:
        anchor = self._state.anchor if self._state else None
        return {entry.id for entry in anchor.open} if anchor else set()

    def _picks(
        self, channel: Channel, reign: Reign, begin: Begin, at: int
    ) -> tuple[list[Pick], int, bool]:
        """Pieces from ``at`` to the reign's end, and how far the first one has come.

        And whether they are all that is left of a channel that is played once.
        """
        memory = self._memories.get(channel.id, Memory())
        if begin == "restart":
            memory = Memory(heard=memory.heard)
        picks: list[Pick] = []
        offset, course = 0, Course(at, channel.crossfade, self._pauses)
        if begin == "continue" and channel.id in self._cut:
            pick, offset = self._cut[channel.id]
            picks, memory = [pick], pick.memory
            course.step(pick.piece, offset)
        last = self._fill(channel, picks, memory, course, reign.end)
        if not picks and reign.begins and begin != "restart" and not channel.loop:
            return self._picks(channel, reign, "restart", at)  # once each time that it is asked for
        return picks, offset, last

    def _fill(
        self, channel: Channel, picks: list[Pick], memory: Memory, course: Course, end: int
    ) -> bool:
        """Draw pieces until ``end``, or as many as a block may hold.

        Whether a channel that is played once has no more than these.
        """
        rotation = self._rotations.setdefault(channel.id, Rotation(channel, channel.id))
        while course.earliest < end and len(picks) < MAX_ITEMS:
            asked = asked_at(self.facts, self._between, course.at, self._hush)
            pick = rotation.next_piece(memory, course.at, **asked)
            if pick is None:
                return not channel.loop
            picks.append(pick)
            memory = pick.memory
            course.step(pick.piece)
        return False


def _stretch(reign: Reign, block: Block, picks: Sequence[Pick]) -> Stretch:
    return Stretch(
        reign.schedule.id,
        block,
        reign.end,
        tuple(p.piece for p in picks),
        tuple(p.line for p in picks),
        reign.schedule.on_end,
    )


def _goes_on(running: Running, reign: Reign, channel: Channel) -> bool:
    """Whether the running block is the reign's: nobody else, and no new span, came between."""
    stretch = running.stretch
    if stretch.schedule != reign.schedule.id or stretch.block.source != channel.id:
        return False
    return stretch.end == reign.start and (not reign.begins or stretch.block.at == reign.start)


def _begin(reign: Reign, before: Stretch | None) -> Begin:
    """Where a reign's music goes on: as its own span says, or whoever interrupted it."""
    if reign.begins:
        return reign.schedule.begin
    taken = before is not None and before.end == reign.start
    if before is not None and taken and before.schedule != reign.schedule.id:
        return before.on_end
    return "continue"


def pauses(events: Sequence[Spoken]) -> list[Pause]:
    """The announcements for which the music stands still, in order."""
    return sorted((e.start, media.frames) for e, media in events if e.mode == "pause")
