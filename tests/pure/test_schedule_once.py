"""A channel that is played once: each time its span begins, and then others have the music."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

from support.strategies import media
from sync2gear_broker import timeline
from sync2gear_broker.messages import ZoneState
from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.channels.model import Channel, Item, Piece
from sync2gear_platform.schedules import dry_run
from sync2gear_platform.schedules.compiling import DAY, Playing, compile_zone
from sync2gear_platform.schedules.ledger import packed, unpacked
from sync2gear_platform.schedules.model import Every, Message, Schedule, Span, Timing
from sync2gear_platform.schedules.occurrences import frame_of
from sync2gear_platform.schedules.resolver import Facts

ONCE, POP, JAZZ, CALL = (UUID(int=n) for n in (1001, 1002, 1003, 1004))


def at(day: int, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    return frame_of(datetime(2027, 3, day, hour, minute, second, tzinfo=UTC))


def piece(name: str, minutes: int, kind: Any = "music") -> Piece:
    number = int.from_bytes(name.encode())
    return Piece(name, media(number, minutes * 60 * FRAME_RATE, kind))


def listed(id_: UUID, names: str, *, loop: bool = True) -> Channel:
    pieces = tuple(piece(name, 10) for name in names)
    return Channel(str(id_), (Item(names, pieces, order="given"),), mode="ordered", loop=loop)


CHANNELS = {
    ONCE: listed(ONCE, "abc", loop=False),
    POP: listed(POP, "pq"),
    JAZZ: listed(JAZZ, "j"),
}
MESSAGES = {CALL: Message(CALL, ((piece("v", 1, "announcement"), 1),))}
NAMES = {piece(name, 10).media.sha256: name for name in "abcpqj"}


def music(number: int, channel: UUID, since: int = 0, until: int = 0, **more: Any) -> Schedule:
    timing = Timing(Span(time(since), time(until)))
    return Schedule(UUID(int=number), f"s{number}", timing, channel, **more)


def facts(*schedules: Schedule) -> Facts:
    return Facts(UUID(int=1), UTC, schedules, CHANNELS, MESSAGES)


@dataclass
class Zone:
    """A zone whose programmes take over at once."""

    playing: Playing = field(
        default_factory=lambda: Playing(ZoneState(zone=str(UUID(int=1)), epoch=1, rev=1), {})
    )

    def compile(self, given: Facts, now: int) -> None:
        found = compile_zone(given, self.playing, now, now + 3 * DAY)
        assert found is not None
        state = dry_run.forecast.swapped(self.playing, found, now, now)
        held = {**self.playing.programmes, found.sha256: found.programme}
        self.playing = Playing(state, held, unpacked(packed(found.ledger)))

    def hears(self, start: int, minutes: int, step: int = 5) -> str:
        """What has the music in the middle of each ``step`` minutes; a dot for silence."""
        settled = timeline.settle(self.playing.programmes, self.playing.state)
        found = []
        for minute in range(0, minutes, step):
            here = timeline.music_at(settled, start + (60 * minute + 30 * step) * FRAME_RATE)
            assert here is not None
            found.append("." if here.silent else NAMES[here.media.sha256])
        return "".join(found)


def test_then_whoever_comes_next_has_the_music_until_it_is_asked_for_again() -> None:
    given = facts(music(1, ONCE, 9, 12), music(2, POP, priority=10))
    zone = Zone()
    zone.compile(given, at(1, 8))
    heard = zone.hears(at(1, 9), 60)
    assert heard[:6] == "aabbcc"
    assert set(heard[6:]) <= {"p", "q"}
    for minute in (10, 25, 40, 55):
        zone.compile(given, at(1, 9, minute))
        assert zone.hears(at(1, 9, minute), 60 - minute) == heard[minute // 5 :]
    for day in (2, 3):
        zone.compile(given, at(day, 5))
        assert zone.hears(at(day, 9), 60)[:6] == "aabbcc", "each day its span begins"


def test_where_nobody_wants_the_music_there_is_silence_and_announcements() -> None:
    say = Schedule(UUID(int=9), "call", Timing(when=Every(20)), message=CALL)
    given = facts(music(1, ONCE, 9, 10), say)
    zone = Zone()
    zone.compile(given, at(1, 8, 59))
    heard = zone.hears(at(1, 9), 90, 1)
    assert heard == "a" * 11 + "b" * 11 + "c" * 10 + "." * 58, "calls move the list"
    for minute in (21, 31, 45):
        zone.compile(given, at(1, 9, minute))
        assert zone.hears(at(1, 9, minute), 90 - minute, 1) == heard[minute:]
    assert zone.hears(at(2, 9), 20) == "aabb"


def test_what_is_interrupted_goes_on_and_is_not_heard_twice() -> None:
    given = facts(
        music(1, ONCE, 9, 18, on_end="continue"),
        music(2, POP, priority=10),
        Schedule(UUID(int=3), "s3", Timing(Span(time(9, 15), time(9, 25))), JAZZ, priority=90),
    )
    zone = Zone()
    zone.compile(given, at(1, 8))
    heard = zone.hears(at(1, 9), 60)
    assert heard[:8] == "aabjjbcc"
    assert set(heard[8:]) <= {"p", "q"}
    zone.compile(given, at(1, 9, 20))
    assert zone.hears(at(1, 9, 20), 40) == heard[4:]
