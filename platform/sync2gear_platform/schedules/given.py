"""What a zone's sound follows from, and what it comes to: the values of the resolver."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import Final
from uuid import UUID

from sync2gear_broker.messages import Block, Event, Media, ZoneState
from sync2gear_platform.channels.model import Channel, Piece
from sync2gear_platform.channels.rotation import Memory, Pick
from sync2gear_platform.schedules.calls import Call, Past
from sync2gear_platform.schedules.layers import Beaten, Claim
from sync2gear_platform.schedules.model import Begin, Calendars, Message, Quiet, Schedule

VERSION: Final = 2
"""Of the rules below: what was resolved by other ones is told apart in its explanation."""

Spoken = tuple[Event, Media]
"""An announcement with what is heard; its index into a programme's media is set there."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that one zone's sound follows from, but for what was heard before.

    ``chosen`` is music that people asked for beside the schedules, with channels like theirs;
    ``quiet`` are the zone's quiet hours.
    """

    zone: UUID
    tz: tzinfo
    schedules: tuple[Schedule, ...]
    channels: Mapping[UUID, Channel]
    messages: Mapping[UUID, Message] = field(default_factory=dict)
    calendars: Calendars = field(default_factory=Calendars)
    chosen: tuple[Claim, ...] = ()
    quiet: tuple[Quiet, ...] = ()


@dataclass(frozen=True, slots=True)
class Stretch:
    """A block of music with what it is made of; ``lines`` say which line asked for each item.

    ``on_end`` is how the music goes on that this one took the zone from, ``left`` the piece at
    which its music stood at ``end`` and how far into it, where it had begun. ``delay`` are the
    frames for which it waits for the music before it, as far as is known.
    """

    schedule: UUID
    block: Block
    end: int
    pieces: tuple[Piece, ...]
    lines: tuple[str, ...]
    on_end: Begin = "continue"
    left: tuple[int, int] | None = None
    delay: int = 0


@dataclass(frozen=True, slots=True)
class Running:
    """The block that has the music when a stretch of time begins, and how it may go on.

    ``picks`` are of its pieces, of which the first ``kept`` stay; the music stands ``into`` frames
    in piece ``index``. ``grows``: more of them are drawn; a block that does not only loops.
    """

    stretch: Stretch
    picks: tuple[Pick, ...]
    kept: int
    index: int
    into: int
    grows: bool = True


@dataclass(frozen=True, slots=True)
class History:
    """What was heard before: each channel's memory and, by channel, the piece that was cut off.

    ``last`` is the music in force and ``state`` the zone's at that instant, with the announcements
    that sound or wait, which are ``events``. ``running`` is ``last`` where its block may go on:
    otherwise music that goes on begins a block of its own.
    """

    memories: Mapping[str, Memory] = field(default_factory=dict)
    cut: Mapping[str, tuple[Pick, int]] = field(default_factory=dict)
    past: Past = field(default_factory=Past)
    last: Stretch | None = None
    state: ZoneState | None = None
    events: tuple[Spoken, ...] = ()
    running: Running | None = None


@dataclass(frozen=True, slots=True)
class Why:
    """Why something sounds: the schedule that put it there, and those it beat.

    ``wanted`` says in which frames [start, end) each rival wanted it too (an account of before
    does not). ``message`` is the announcement that the schedule asked for, ``sound`` what is heard
    of it.
    """

    schedule: UUID
    name: str
    rivals: tuple[tuple[UUID, str, Beaten], ...] = ()
    version: int = VERSION
    message: UUID | None = None
    sound: str = ""
    wanted: tuple[tuple[int, int], ...] = ()

    def between(self, start: int, end: int) -> "Why":
        """The same for the frames [start, end): the rivals of that time, each once."""
        wanted = self.wanted or ((start, end),) * len(self.rivals)
        there = {
            rival[0]: rival
            for rival, (begins, ends) in zip(self.rivals, wanted, strict=True)
            if begins < end and ends > start
        }
        return replace(self, rivals=tuple(there.values()), wanted=())


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a zone hears in a stretch of time; between stretches of music nobody wants any.

    ``before``: what had the music when it began, where that goes on until a song ends.
    """

    music: tuple[Stretch, ...]
    events: tuple[Spoken, ...]
    dropped: tuple[Call, ...]
    why: Mapping[str, Why]
    after: History
    before: Stretch | None = None
