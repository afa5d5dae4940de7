"""A channel that is played once: each time its span begins, and then others have the music."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

from support.strategies import media
from sync2gear_broker import timeline
from sync2gear_broker.messages import Window, ZoneState
from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.channels.model import Channel, Item, Piece
from sync2gear_platform.playback import choices, engine
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

    def compile(self, given: Facts, now: int, *, by_hand: bool = True) -> None:
        found = compile_zone(given, self.playing, now, now + 3 * DAY, by_hand=by_hand)
        assert found is not None
        state = dry_run.forecast.swapped(self.playing, found, now, now)
        held = {**self.playing.programmes, found.sha256: found.programme}
        self.playing = Playing(state, held, unpacked(packed(found.ledger)))

    def choose(self, names: str, now: int, until: int | None = None, *, once: bool = True) -> None:
        """People play these pieces."""
        pieces = [piece(name, 10).media for name in names]
        made = choices.programme_of(pieces, source="tracks", at=now, once=once)
        held, state = self.playing.programmes, self.playing.state
        joined = choices.joined(made, held, state, choices.end_of(made, until))
        asked = now - FRAME_RATE
        state = timeline.rebase(held, state, asked)
        state = engine.play(state, joined, joined.sha256(), asked)
        self.playing = replace(
            self.playing, state=state, programmes={**held, joined.sha256(): joined}
        )

    def pause(self, now: int, until: int) -> None:
        """People let the music stand still."""
        held = self.playing.state.model_copy(update={"hold": Window(from_=now, until=until)})
        self.playing = replace(self.playing, state=held)

    def skip(self, now: int) -> None:
        """People want to hear the next piece."""
        held = self.playing.programmes
        state = timeline.rebase(held, self.playing.state, now)
        state = engine.skip_forward(held, state, now, now)
        self.playing = replace(self.playing, state=state)

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


def test_a_pause_by_hand_puts_its_end_off_and_whatever_is_compiled_meanwhile() -> None:
    for given in (
        facts(music(1, ONCE, 9, 12), music(2, POP, priority=10)),
        facts(music(1, ONCE, 9, 12)),
    ):
        zone = Zone()
        zone.compile(given, at(1, 8))
        after = set("pq") if len(given.schedules) > 1 else {"."}
        zone.pause(at(1, 9, 5), at(1, 9, 20))
        for minute in (0, 10, 22, 35, 43):
            if minute:
                zone.compile(given, at(1, 9, minute))
            heard = zone.hears(at(1, 9, minute), 60 - minute, 1)
            expected = "a" * 25 + "b" * 10 + "c" * 10
            assert heard[: 45 - minute] == expected[minute:]
            assert set(heard[45 - minute :]) <= after


def test_by_hand_it_is_heard_once_to_its_end_and_then_the_plan_or_nothing() -> None:
    base, plan = facts(), facts(music(2, POP, 8, 22))
    later = facts(music(2, POP, 18, 22))
    for given, start, then in ((base, None, "."), (plan, at(1, 8), "pq"), (later, at(1, 8), ".")):
        zone = Zone()
        if start is not None:
            zone.compile(given, start)
        zone.choose("abc", at(1, 9))
        for pause, minute in ((None, 2), (5, 12), (None, 37), (None, 55)):
            if pause is not None:
                zone.pause(at(1, 9, pause), at(1, 9, pause + 15))
            if start is not None:
                zone.compile(given, at(1, 9, minute))
            over = 45 if minute > 5 else 30
            heard = zone.hears(at(1, 9, minute), 60 - minute, 1)
            own = ("a" * (over - 20) + "b" * 10 + "c" * 10)[minute:]
            assert heard[: len(own)] == own
            assert set(heard[len(own) :]) <= set(then)
        assert zone.hears(at(1, 19), 10) in (".." if given is base else "pp", "qq", "pq", "qp")


def test_by_hand_it_gives_way_to_the_next_block_and_at_the_time_that_people_gave() -> None:
    given = facts(music(2, POP, 8, 10), music(3, JAZZ, 10, 12))
    zone = Zone()
    zone.compile(given, at(1, 8))
    zone.choose("abc", at(1, 9, 45))
    zone.compile(given, at(1, 9, 46))
    assert zone.hears(at(1, 9, 46), 24, 1) == "a" * 9 + "b" * 5 + "j" * 10
    zone = Zone()
    zone.compile(given, at(1, 8))
    zone.choose("ab", at(1, 8, 30), until=at(1, 9))
    zone.pause(at(1, 8, 35), at(1, 8, 50))
    for minute in (31, 36, 55):
        zone.compile(given, at(1, 8, minute))
        heard = zone.hears(at(1, 8, minute), 62 - minute, 1)
        assert heard[: 60 - minute] == ("a" * 25 + "b" * 5)[minute - 30 :]
        assert set(heard[60 - minute :]) <= {"p", "q"}, "no later than that"


def test_what_people_chose_for_good_is_heard_again_after_it() -> None:
    zone = Zone()
    zone.choose("j", at(1, 8), once=False)
    zone.choose("ab", at(1, 9))
    assert zone.hears(at(1, 9), 30) == "aabbjj"
    given = facts(music(2, POP, 18, 22))
    zone.compile(given, at(1, 9, 5))
    assert zone.hears(at(1, 9, 5), 30) == "abbjjj"
    zone.compile(given, at(1, 9, 25))
    assert zone.hears(at(1, 9, 25), 30) == "jjjjjj"
    assert zone.hears(at(1, 23), 10) == "jj"


def test_what_is_skipped_to_its_end_gives_way_sooner_and_compiling_changes_nothing() -> None:
    given = facts(music(2, POP, 8, 22), music(3, JAZZ, 9, 10, priority=10))
    zone = Zone()
    zone.compile(given, at(1, 8))
    zone.choose("abc", at(1, 9))
    zone.compile(given, at(1, 9, 1))
    for _ in range(3):
        zone.skip(at(1, 9, 4))
    heard = zone.hears(at(1, 9, 5), 60, 1)
    assert set(heard) <= {"p", "q"}
    for minute in (10, 20, 40):
        zone.compile(given, at(1, 9, minute))
        assert zone.hears(at(1, 9, minute), 65 - minute, 1) == heard[minute - 5 :]
    other = facts(*given.schedules, music(4, JAZZ, 9, 10, priority=90))
    zone.compile(other, at(1, 9, 45))
    assert zone.hears(at(1, 9, 45), 15) == "jjj"


def test_back_to_the_schedule_between_two_is_as_if_nobody_had_chosen_anything() -> None:
    given = facts(music(2, POP, 8, 10), music(3, JAZZ, 12, 14))
    for back in (at(1, 10, 40), at(1, 10, 55)):
        zone, untouched = Zone(), Zone()
        for one in (zone, untouched):
            one.compile(given, at(1, 8))
        zone.choose("abc", at(1, 10, 30), once=False)
        if back > at(1, 10, 50):
            zone.compile(given, at(1, 10, 50))
        zone.compile(given, back, by_hand=False)
        minutes = (at(1, 12, 20) - back) // FRAME_RATE // 60
        assert zone.hears(back, minutes) == untouched.hears(back, minutes)
        zone.compile(given, at(1, 11, 10))
        assert zone.hears(at(1, 11, 10), 70) == untouched.hears(at(1, 11, 10), 70)
    gone = facts(given.schedules[1])
    zone.choose("abc", at(1, 11, 20), once=False)
    zone.compile(gone, at(1, 11, 25), by_hand=False)
    assert zone.hears(at(1, 11, 25), 45) == "......." + "jj", "nor of a schedule that is gone"


def test_back_to_the_schedule_before_the_first_one_is_silence_or_what_was_chosen_for_good() -> None:
    given = facts(music(2, POP, 18, 22))
    for base in (False, True):
        zone = Zone()
        if base:
            zone.choose("j", at(1, 7), once=False)
        zone.compile(given, at(1, 8))
        zone.choose("abc", at(1, 9), until=at(1, 11))
        zone.compile(given, at(1, 9, 5))
        zone.compile(given, at(1, 9, 10), by_hand=False)
        assert zone.hears(at(1, 9, 10), 60) == ("j" if base else ".") * 12
        assert set(zone.hears(at(1, 18), 60)) == {"p", "q"}
