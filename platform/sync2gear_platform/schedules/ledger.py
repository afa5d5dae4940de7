"""What is kept beside a programme: how it came about, for people and for the next compile."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Literal
from uuid import UUID

from pydantic import TypeAdapter

from sync2gear_broker.messages import Block
from sync2gear_platform.channels.model import Channel, Piece
from sync2gear_platform.channels.rotation import Memory, Pick
from sync2gear_platform.schedules.calls import Call, Dropped
from sync2gear_platform.schedules.course import Pause
from sync2gear_platform.schedules.given import VERSION, Facts, Stretch, Why
from sync2gear_platform.schedules.layers import Claim
from sync2gear_platform.schedules.model import (
    AfterTracks,
    Begin,
    Message,
    Quiet,
    Schedule,
    Timing,
)

FOREVER: Final = 1 << 62

BASE: Final = Schedule(
    UUID(int=0xBA5E), "", Timing(), channel=UUID(int=0xBA5E), priority=-1, begin="continue"
)
"""Music that people chose for as long as no schedule wants any."""

HAND: Final = Schedule(UUID(int=0xA4D), "", Timing(), channel=UUID(int=0xA4D), priority=102)
"""Music that people chose instead of what is scheduled, for a while."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A block as it was worked out; ``pieces`` and ``lines`` are indexes into the ledger's.

    ``block`` is without its items. ``music`` names what its channel was (:func:`music_digest`).
    """

    schedule: UUID
    block: Block
    end: int
    pieces: tuple[int, ...]
    lines: tuple[int, ...]
    music: str
    on_end: Begin = "continue"
    left: tuple[int, int] | None = None
    delay: int = 0


@dataclass(frozen=True, slots=True)
class Missing:
    """An announcement that a limit keeps from being heard."""

    id: str
    at: int
    schedule: UUID
    name: str
    reason: Dropped


@dataclass(frozen=True, slots=True)
class Ledger:
    """A programme's own account of itself.

    ``memories`` and ``cut`` are of the instant at which the first block began, ``pauses`` since
    then and ``starts`` (by schedule) of the day before the programme; ``base`` and ``hand`` are
    music that people chose.
    """

    pieces: tuple[Piece, ...] = ()
    lines: tuple[str, ...] = ()
    blocks: tuple[Kept, ...] = ()
    memories: Mapping[str, Memory] = field(default_factory=dict)
    cut: Mapping[str, tuple[Pick, int]] = field(default_factory=dict)
    starts: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    pauses: tuple[Pause, ...] = ()
    base: Channel | None = None
    hand: Channel | None = None
    why: Mapping[str, Why] = field(default_factory=dict)
    dropped: tuple[Missing, ...] = ()
    version: int = VERSION

    def stretch(self, kept: Kept) -> Stretch:
        """A block with all that it is made of."""
        pieces = tuple(self.pieces[index] for index in kept.pieces)
        block = kept.block.model_copy(update={"items": tuple(range(len(pieces))) or (0,)})
        lines = tuple(self.lines[index] for index in kept.lines)
        return Stretch(
            kept.schedule, block, kept.end, pieces, lines, kept.on_end, kept.left, kept.delay
        )


_ledgers: Final = TypeAdapter(Ledger)
_channels: Final = TypeAdapter(Channel)
_spoken: Final = TypeAdapter(tuple[tuple[Schedule, Message], ...])
_schedules: Final = TypeAdapter(tuple[Schedule, ...])
_messages: Final = TypeAdapter(dict[UUID, Message])
_quiet: Final = TypeAdapter(tuple[Quiet, ...])
_claims: Final = TypeAdapter(tuple[Claim, ...])
Days = dict[UUID, list[str]]
_days: Final = TypeAdapter(Days)


def packed(ledger: Ledger) -> bytes:
    """A ledger as it is stored: JSON."""
    return _ledgers.dump_json(ledger)


def unpacked(body: bytes) -> Ledger:
    """A ledger that was stored."""
    return _ledgers.validate_json(body)


class Digests:
    """Names facts by their content; those of channels that many zones share are made once."""

    def __init__(self) -> None:
        self._channels: dict[int, tuple[Channel, bytes]] = {}

    def channel(self, channel: Channel) -> bytes:
        """The digest of one channel."""
        known = self._channels.get(id(channel))
        if known is None:
            digest = sha256(_channels.dump_json(channel)).digest()
            known = self._channels[id(channel)] = channel, digest
        return known[1]

    def music(self, facts: Facts, channel: Channel) -> str:
        """All that decides over the pieces of a channel here: itself, and what comes between."""
        between = []
        for schedule in facts.schedules:
            message = facts.messages.get(schedule.message or UUID(int=0))
            if isinstance(schedule.timing.when, AfterTracks) and message is not None:
                between.append((schedule, message))
        whole = sha256(self.channel(channel))
        if between:
            whole.update(_spoken.dump_json(tuple(between)))
        return whole.hexdigest()[:16]

    def alone(self, channel: Channel) -> str:
        """The same where nothing comes between."""
        return sha256(self.channel(channel)).hexdigest()[:16]

    def facts(self, facts: Facts) -> str:
        """All that a zone's sound follows from; which zone it is does not count."""
        named = _named(facts)
        days: Days = {
            calendar: sorted(day.isoformat() for day in found)
            for calendar, found in sorted(facts.calendars.days.items())
            if calendar in named
        }
        messages = {key: one for key, one in sorted(facts.messages.items()) if key in named}
        whole = sha256(f"{VERSION} {facts.tz}".encode())
        whole.update(_schedules.dump_json(_sorted(facts.schedules)))
        whole.update(_messages.dump_json(messages))
        whole.update(_days.dump_json(days))
        whole.update(_claims.dump_json(facts.chosen) + _quiet.dump_json(facts.quiet))
        for key, channel in sorted(facts.channels.items()):
            if key in named:
                whole.update(key.bytes + self.channel(channel))
        return whole.hexdigest()


def _named(facts: Facts) -> set[UUID | None]:
    """What the schedules of a zone name: facts may hold what other zones need."""
    found: set[UUID | None] = set()
    for schedule in facts.schedules:
        timing = schedule.timing
        found |= {schedule.channel, schedule.message, *timing.days.only, *timing.days.never}
        found |= {special.calendar for special in timing.specials}
    return found


def _sorted(schedules: Iterable[Schedule]) -> tuple[Schedule, ...]:
    return tuple(sorted(schedules, key=lambda schedule: schedule.id))


def missing(calls: Sequence[Call]) -> tuple[Missing, ...]:
    """The calls that a limit dropped, as they are kept."""
    return tuple(
        Missing(call.id, call.at, call.schedule.id, call.schedule.name, call.dropped)
        for call in calls
        if call.dropped is not None
    )


Source = Literal["schedule", "base", "hand"]


def source_of(schedule: UUID) -> Source:
    """Whether a block is a schedule's or people's own."""
    if schedule == BASE.id:
        return "base"
    return "hand" if schedule == HAND.id else "schedule"
