"""From schedules to a programme: a pure fold over time, the same for compile, forecast and explain.

``resolve`` takes what was before and gives what is after, so that two halves of a stretch say what
the whole says. How far music has come when announcements pause it is read with the one
implementation of the timeline.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, tzinfo
from functools import partial
from typing import Final
from uuid import UUID

from sync2gear_broker import timeline
from sync2gear_broker.messages import (
    Anchor,
    Block,
    Event,
    Media,
    Programme,
    ProgrammeRef,
    ZoneState,
)
from sync2gear_broker.units import FRAME_RATE, frames_from_millis
from sync2gear_platform.channels.model import Channel, Inline, Piece
from sync2gear_platform.channels.rotation import Memory, Pick, Rotation
from sync2gear_platform.schedules.calls import Call, Past, calls, hour_of
from sync2gear_platform.schedules.layers import Beaten, Reign, claims, reigns
from sync2gear_platform.schedules.model import (
    AfterTracks,
    Begin,
    Calendars,
    Message,
    Schedule,
)
from sync2gear_platform.schedules.occurrences import moment_of, spans

VERSION: Final = 1
"""Of the rules below: what was resolved by other ones is told apart in its explanation."""

MAX_ITEMS: Final = 5_000
"""Items of one block; longer ones loop."""

Spoken = tuple[Event, Media]
"""An announcement with what is heard; its index into a programme's media is set there."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that one zone's sound follows from, but for what was heard before."""

    zone: UUID
    tz: tzinfo
    schedules: tuple[Schedule, ...]
    channels: Mapping[UUID, Channel]
    messages: Mapping[UUID, Message] = field(default_factory=dict)
    calendars: Calendars = field(default_factory=Calendars)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A block of music with what it is made of; ``lines`` say which line asked for each item.

    ``on_end`` is how the music goes on that this one took the zone from.
    """

    schedule: UUID
    block: Block
    end: int
    pieces: tuple[Piece, ...]
    lines: tuple[str, ...]
    on_end: Begin = "continue"


@dataclass(frozen=True, slots=True)
class History:
    """What was heard before: each channel's memory and, by channel, the piece that was cut off.

    ``last`` is the music in force and ``state`` the zone's at that instant, with the announcements
    that sound or wait, which are ``events``.
    """

    memories: Mapping[str, Memory] = field(default_factory=dict)
    cut: Mapping[str, tuple[Pick, int]] = field(default_factory=dict)
    past: Past = field(default_factory=Past)
    last: Stretch | None = None
    state: ZoneState | None = None
    events: tuple[Spoken, ...] = ()


@dataclass(frozen=True, slots=True)
class Why:
    """Why something sounds: the schedule that put it there, and those it beat."""

    schedule: UUID
    name: str
    rivals: tuple[tuple[UUID, str, Beaten], ...] = ()
    version: int = VERSION


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a zone hears in a stretch of time; between stretches of music nobody wants any."""

    music: tuple[Stretch, ...]
    events: tuple[Spoken, ...]
    dropped: tuple[Call, ...]
    why: Mapping[str, Why]
    after: History


def resolve(facts: Facts, history: History, start: int, end: int) -> Resolved:
    """What ``facts`` make of the frames [start, end), after ``history``."""
    spoken = [s for s in facts.schedules if s.message in facts.messages]
    timed, past = calls(spoken, facts.calendars, facts.tz, history.past, start, end)
    why: dict[str, Why] = {}
    events = list(history.events)
    for call in timed:
        event = _event(facts, call)
        if call.dropped is None and event is not None:
            events.append(event)
            why[call.id] = Why(call.schedule.id, call.schedule.name)
    band = _Band(facts, history, events, (start, end))
    musical = [s for s in facts.schedules if s.channel in facts.channels]
    wanted = claims(musical, facts.calendars, facts.tz, start, end)
    for reign in reigns(wanted, start, end):
        stretch = band.play(reign)
        if stretch is not None:
            rivals = tuple((s.id, s.name, lost) for s, lost in reign.rivals)
            why[stretch.block.id] = Why(reign.schedule.id, reign.schedule.name, rivals)
    return Resolved(
        music=tuple(band.music),
        events=tuple(e for e in events if e[0].start >= start),
        dropped=tuple(call for call in timed if call.dropped is not None),
        why=why,
        after=band.after(past, end),
    )


def _event(facts: Facts, call: Call) -> Spoken | None:
    """The announcement of a call, as a programme holds it; its media's index is set later."""
    message = facts.messages[call.schedule.message or UUID(int=0)]
    piece = message.chosen(_day(call.at, facts.tz), call.at)
    if piece is None:
        return None
    start = call.schedule.start
    late = start.late_by
    event = Event(
        id=call.id,
        start=call.at,
        when=start.mode,
        max_wait=frames_from_millis(start.max_wait),
        late_by=None if late is None else frames_from_millis(late),
        mode=start.mix,
        duck=start.duck,
        fade_in=frames_from_millis(start.fade_in),
        fade_out=frames_from_millis(start.fade_out),
        gain=start.gain + piece.media.gain,
        priority=call.schedule.priority,
        on_cut=start.on_cut,
        media=0,
    )
    return event, piece.media


def programme_of(music: Sequence[Stretch], events: Sequence[Spoken]) -> Programme:
    """The document of these blocks and announcements; raises where there is no music at all."""
    heard = [piece.media for stretch in music for piece in stretch.pieces]
    media = {m.sha256: m for m in (*heard, *(m for _, m in events))}
    place = {sha256: index for index, sha256 in enumerate(media)}
    blocks = (
        s.block.model_copy(update={"items": tuple(place[p.media.sha256] for p in s.pieces)})
        for s in music
    )
    return Programme(
        media=tuple(media.values()),
        blocks=tuple(blocks),
        events=tuple(e.model_copy(update={"media": place[m.sha256]}) for e, m in events),
    )


class _Band:
    """The music of a zone as it is worked out, stretch after stretch."""

    def __init__(
        self, facts: Facts, history: History, events: list[Spoken], stretch: tuple[int, int]
    ) -> None:
        self.facts = facts
        self.events = events
        self.music: list[Stretch] = []
        self._memories = dict(history.memories)
        self._cut = dict(history.cut)
        self._last, self._state = history.last, history.state
        self._rotations: dict[str, Rotation] = {}
        self._between = list(_between(facts, *stretch))

    def play(self, reign: Reign) -> Stretch | None:
        """One reign's block; ``None`` where its channel has nothing that fits."""
        channel = self.facts.channels[reign.schedule.channel or UUID(int=0)]
        begin = _begin(reign, self._last)
        earlier = self._memories.get(channel.id, Memory())
        picks, offset = self._picks(channel, reign, begin)
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
        )
        stretch = Stretch(
            reign.schedule.id,
            block,
            reign.end,
            tuple(p.piece for p in picks),
            tuple(p.line for p in picks),
            reign.schedule.on_end,
        )
        self.music.append(stretch)
        self._take_over(stretch)
        position = timeline.music_at(self._settled(reign.end), reign.end)
        if position is not None:
            index, into = position.index, position.offset
            begun = index if into > 0 else index - 1
            self._memories[channel.id] = picks[begun].memory if begun >= 0 else earlier
            self._cut[channel.id] = (picks[index], into)
        return stretch

    def after(self, past: Past, end: int) -> History:
        """What whoever goes on from ``end`` has to know."""
        if self._state is not None:
            self._state = self._rebased(end)
        waiting = self._open()
        events = tuple(e for e in self.events if e[0].id in waiting)
        return History(self._memories, self._cut, past, self._last, self._state, events)

    def _take_over(self, stretch: Stretch) -> None:
        """From its first frame on ``stretch`` has the music; what is announced goes on."""
        block = stretch.block
        anchor = Anchor(at=block.at, block=block.id, pos=block.pos)
        if self._state is not None and self._state.anchor is not None:
            state = self._rebased(block.at)
            if state.anchor is not None:
                anchor = anchor.model_copy(update={"open": state.anchor.open})
        self._last = stretch
        self._state = ZoneState(zone=str(self.facts.zone), epoch=1, rev=1, anchor=anchor)

    def _documents(self, until: int) -> tuple[dict[str, Programme], ZoneState]:
        """The music in force and what is announced before ``until``, as documents."""
        state, last = self._state, self._last
        if state is None or state.anchor is None or last is None:
            raise ValueError("there is no music yet")
        since, waiting = state.anchor.at, self._open()
        events = [e for e in self.events if since <= e[0].start < until or e[0].id in waiting]
        programme = programme_of([last], events)
        sha256 = programme.sha256()
        ref = ProgrammeRef(sha256=sha256, from_=last.block.at)
        return {sha256: programme}, state.model_copy(update={"programmes": (ref,)})

    def _settled(self, until: int) -> timeline.Settled:
        return timeline.settle(*self._documents(until))

    def _rebased(self, at: int) -> ZoneState:
        return timeline.rebase(*self._documents(at), at)

    def _open(self) -> set[str]:
        anchor = self._state.anchor if self._state else None
        return {entry.id for entry in anchor.open} if anchor else set()

    def _picks(self, channel: Channel, reign: Reign, begin: Begin) -> tuple[list[Pick], int]:
        """Pieces for as long as the reign lasts, and how far the first one has come."""
        memory = self._memories.get(channel.id, Memory())
        if begin == "restart":
            memory = Memory(heard=memory.heard)
        picks: list[Pick] = []
        offset, at = 0, reign.start
        if begin == "continue" and channel.id in self._cut:
            pick, offset = self._cut[channel.id]
            picks, memory, at = [pick], pick.memory, at - offset + _lasts(channel, pick)
        rotation = self._rotations.setdefault(channel.id, Rotation(channel, channel.id))
        while at < reign.end and len(picks) < MAX_ITEMS:
            fits = partial(Piece.is_valid, on=_day(at, self.facts.tz))
            more = tuple(inline for a, b, inline in self._between if a <= at < b)
            hour = hour_of(at, self.facts.tz)
            next_pick = rotation.next_piece(memory, at, hour=hour, fits=fits, more=more)
            if next_pick is None:
                break
            picks.append(next_pick)
            memory, at = next_pick.memory, at + _lasts(channel, next_pick)
        return picks, offset


def _begin(reign: Reign, before: Stretch | None) -> Begin:
    """Where a reign's music goes on: as its own span says, or whoever interrupted it."""
    if reign.begins:
        return reign.schedule.begin
    taken = before is not None and before.end == reign.start
    if before is not None and taken and before.schedule != reign.schedule.id:
        return before.on_end
    return "continue"


def _lasts(channel: Channel, pick: Pick) -> int:
    """About how long a piece has the music to itself; its follower is not known yet."""
    frames = pick.piece.media.frames
    return frames - min(channel.crossfade, frames // 2)


def _between(facts: Facts, start: int, end: int) -> Iterator[tuple[int, int, Inline]]:
    """The announcements that schedules want after so many tracks, and when."""
    for schedule in facts.schedules:
        when, message = schedule.timing.when, facts.messages.get(schedule.message or UUID(int=0))
        if not isinstance(when, AfterTracks) or message is None:
            continue
        pieces = tuple(piece for piece, _ in message.variants) or (
            (message.evergreen,) if message.evergreen else ()
        )
        inline = Inline(schedule.id.hex, pieces, tracks=when.tracks)
        for span in spans(schedule.timing, facts.calendars, facts.tz, start, end):
            yield span.start, span.end, inline


def _day(frame: int, zone: tzinfo) -> date:
    return moment_of(frame).astimezone(zone).date()
