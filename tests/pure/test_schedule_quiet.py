"""Silence that is planned, quiet hours, shares of voice, and music that waits for the end."""

from dataclasses import replace
from datetime import UTC, datetime, time
from itertools import pairwise
from typing import Any, Literal
from uuid import UUID

import pytest

from support.strategies import media
from sync2gear_broker import timeline
from sync2gear_broker.messages import ZoneState
from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.channels.model import Channel, Inline, Item, Piece
from sync2gear_platform.playback import choices, engine
from sync2gear_platform.schedules import dry_run
from sync2gear_platform.schedules.compiling import (
    DAY,
    Compiled,
    Playing,
    compile_zone,
    free_from,
)
from sync2gear_platform.schedules.ledger import packed, unpacked
from sync2gear_platform.schedules.model import (
    AfterTracks,
    Days,
    Limits,
    Message,
    Minutes,
    Quiet,
    Schedule,
    Share,
    Span,
    Start,
    Timing,
)
from sync2gear_platform.schedules.occurrences import frame_of, points
from sync2gear_platform.schedules.publishing import Job
from sync2gear_platform.schedules.resolver import Facts
from sync2gear_platform.schedules.share import paced

MINUTE = 60 * FRAME_RATE
HOUR = 60 * MINUTE
POP, JAZZ, CALL = UUID(int=10), UUID(int=11), UUID(int=20)
SONG = 7 * MINUTE


def at(day: int, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    return frame_of(datetime(2027, 3, day, hour, minute, second, tzinfo=UTC))


def songs(first: int, count: int) -> tuple[Piece, ...]:
    return tuple(Piece(f"t{n}", media(n, SONG)) for n in range(first, first + count))


def voice(number: int, seconds: int) -> Piece:
    return Piece(f"v{number}", media(number, seconds * FRAME_RATE, "announcement"))


CHANNELS = {
    POP: Channel(
        str(POP), (Item("pop", songs(100, 30)),), inlines=(Inline("i", (voice(7, 10),), 3),)
    ),
    JAZZ: Channel(str(JAZZ), (Item("jazz", songs(200, 30)),)),
}
MESSAGES = {CALL: Message(CALL, ((voice(1, 20), 1),))}


def music(number: int, channel: UUID, since: int = 0, until: int = 0, **more: Any) -> Schedule:
    timing = Timing(Span(time(since), time(until)))
    return Schedule(UUID(int=number), f"s{number}", timing, channel, **more)


def say(number: int, timing: Timing, **more: Any) -> Schedule:
    return Schedule(UUID(int=number), f"s{number}", timing, message=CALL, **more)


def facts(*schedules: Schedule, **more: Any) -> Facts:
    return Facts(UUID(int=1), UTC, schedules, CHANNELS, MESSAGES, **more)


HALF_HOURS = say(9, Timing(when=Minutes((0, 30))))
NIGHT = Quiet(Span(time(22), time(6)), music=False)


class Zone:
    """A zone whose programmes take over as the platform lets them."""

    def __init__(self) -> None:
        self.playing = Playing(ZoneState(zone=str(UUID(int=1)), epoch=1, rev=1), {})

    def compile(self, given: Facts, now: int, days: int = 2) -> Compiled:
        since = free_from(self.playing, now)
        found = compile_zone(given, self.playing, since, since + days * DAY)
        assert found is not None
        state = dry_run.forecast.swapped(self.playing, found, now, since)
        held = {**self.playing.programmes, found.programme.sha256(): found.programme}
        self.playing = Playing(state, held, unpacked(packed(found.ledger)))
        return found

    def settled(self) -> timeline.Settled:
        return timeline.settle(self.playing.programmes, self.playing.state)

    def sounds(self, start: int, end: int) -> list[tuple[str, int, int]]:
        found = timeline.segments(self.settled(), start, end)
        return [(one.role, one.start, one.end) for one in found]


def music_at(zone: Zone, frame: int) -> str:
    """Which channel has the music then; empty for silence."""
    found = timeline.music_at(zone.settled(), frame)
    if found is None or found.silent:
        return ""
    return {str(POP): "pop", str(JAZZ): "jazz"}[found.source]


def test_a_zone_without_music_hears_its_announcements_in_silence() -> None:
    zone, shop = Zone(), facts(HALF_HOURS)
    first = zone.compile(shop, at(1, 8, 10))
    assert [block.silent for block in first.programme.blocks] == [True]
    calls = [("event", at(1, 8, 30), at(1, 8, 30, 20)), ("event", at(1, 9), at(1, 9, 0, 20))]
    assert zone.sounds(at(1, 8, 11), at(1, 9, 10)) == calls
    again = zone.compile(shop, at(1, 8, 45))
    assert again.programme.blocks == first.programme.blocks
    assert zone.sounds(at(1, 8, 50), at(1, 9, 10)) == calls[1:]
    assert compile_zone(facts(), Zone().playing, at(1), at(3)) is None
    assert compile_zone(facts(quiet=(NIGHT,)), Zone().playing, at(1, 23), at(3)) is None


def test_in_silence_no_announcement_waits_for_music_to_end() -> None:
    start = Start(mode="next", late_by=None)
    zone = Zone()
    zone.compile(facts(replace(HALF_HOURS, start=start)), at(1, 8, 10))
    assert zone.sounds(at(1, 8, 11), at(1, 8, 40)) == [
        ("event", at(1, 8, 30), at(1, 8, 30, 20))
    ]  # fmt: skip


def test_a_stop_by_hand_silences_announcements_too_and_a_pause_does_not() -> None:
    zone = Zone()
    zone.compile(facts(HALF_HOURS), at(1, 8, 10))
    playing, now = zone.playing, at(1, 8, 11)
    state = engine.opened(playing.programmes, playing.state, now)
    zone.playing = replace(playing, state=engine.stop(state, now, at(1, 8, 50)))
    assert zone.sounds(now, at(1, 9, 10)) == [("event", at(1, 9), at(1, 9, 0, 20))]
    zone.playing = replace(playing, state=engine.pause(state, now))
    assert len(zone.sounds(now, at(1, 9, 10))) == 2


def test_in_silence_there_is_nothing_to_skip() -> None:
    zone = Zone()
    zone.compile(facts(HALF_HOURS), at(1, 8, 10))
    programmes, now = zone.playing.programmes, at(1, 8, 11)
    state = engine.opened(programmes, zone.playing.state, now)
    with pytest.raises(engine.NoMusicNow):
        engine.skip_forward(programmes, state, now, now)
    with pytest.raises(engine.NoMusicNow):
        engine.seek(programmes, state, now, now, 10 * HOUR)


def test_quiet_hours_keep_planned_announcements_away_and_music_if_they_say_so() -> None:
    late = Quiet(Span(time(20), time(22)))
    between = say(8, Timing(when=AfterTracks(2)))
    shop = facts(music(1, POP), HALF_HOURS, between, quiet=(NIGHT, late))
    zone = Zone()
    found = zone.compile(shop, at(1, 19))
    roles = [
        (segment.media.kind, music_at(zone, segment.start))
        for segment in timeline.segments(zone.settled(), at(1, 20), at(1, 22))
    ]
    assert set(roles) == {("music", "pop")}
    assert zone.sounds(at(1, 22), at(2, 6)) == []
    assert music_at(zone, at(2, 6, 1)) == "pop"
    quiet = [call for call in found.resolved.dropped if call.dropped == "quiet_hours"]
    assert len(quiet) == 2 * (16 + 4)
    job = Job(shop.zone, shop, "", Playing(ZoneState(zone=str(shop.zone), epoch=1, rev=1), {}),
              at(1, 19), 0)  # fmt: skip
    stretches = [
        (one.start, one.end)
        for one in dry_run.heard(job, found, at(1, 19), at(2, 12))
        if one.kind == "music"
    ]
    assert stretches == [(at(1, 19), at(1, 22)), (at(2, 6), at(2, 12))]


def test_music_goes_on_after_a_quiet_night_where_it_was_cut_off() -> None:
    zone, shop = Zone(), facts(music(1, POP), HALF_HOURS, quiet=(NIGHT,))
    zone.compile(shop, at(1, 20))
    before = timeline.music_at(zone.settled(), at(1, 22) - 1)
    after = timeline.music_at(zone.settled(), at(2, 6))
    assert before is not None
    assert after is not None
    assert (after.media, after.offset) == (before.media, before.offset + 1)
    kept = zone.compile(shop, at(2, 1))
    assert kept.programme.blocks[0].at == at(1, 22)
    assert kept.programme.blocks[0].silent
    again = timeline.music_at(zone.settled(), at(2, 6))
    assert (again.media, again.offset) == (after.media, after.offset) if again else False


def test_a_zone_that_is_always_quiet_is_silent_without_anything_to_announce() -> None:
    zone = Zone()
    always = (Quiet(Span(), music=False), Quiet(Span(time(3), time(4)), music=False))
    found = zone.compile(facts(music(1, JAZZ), quiet=always), at(1, 8))
    assert [block.silent for block in found.programme.blocks] == [True]
    assert zone.sounds(at(1, 8), at(2, 20)) == []
    evergreen = replace(MESSAGES[CALL], variants=(), evergreen=voice(4, 5))
    only = replace(facts(HALF_HOURS, quiet=always), messages={CALL: evergreen})
    assert compile_zone(only, Zone().playing, at(1), at(3)) is not None


def test_what_is_not_announced_any_more_is_not_heard_in_silence_either() -> None:
    zone = Zone()
    zone.compile(facts(HALF_HOURS), at(1, 8, 10))
    gone = zone.compile(facts(), at(1, 8, 20))
    assert gone.programme.events == ()
    assert zone.sounds(at(1, 8, 21), at(1, 12)) == []


def test_quiet_hours_are_of_their_weekdays() -> None:
    sundays = Quiet(Span(), Days(frozenset({6})))
    zone = Zone()
    zone.compile(facts(music(1, JAZZ), HALF_HOURS, quiet=(sundays,)), at(6, 22), days=3)
    heard = [one for one in zone.sounds(at(6, 22), at(9)) if one[0] == "event"]
    assert len(heard) == 4 + 48
    assert not [one for one in heard if at(7) <= one[1] < at(8)]


def test_music_chosen_by_hand_is_heard_in_quiet_hours() -> None:
    zone, shop = Zone(), facts(music(1, POP), quiet=(NIGHT,))
    zone.compile(shop, at(1, 20))
    now = at(1, 23)
    state = engine.opened(zone.playing.programmes, zone.playing.state, now)
    chosen = choices.programme_of([p.media for p in songs(300, 3)], source="tracks", at=now + 1)
    made = choices.joined(chosen, zone.playing.programmes, state, choices.End(at(2, 1)))
    assert made.blocks[1].silent
    held = {**zone.playing.programmes, made.sha256(): made}
    zone.playing = replace(
        zone.playing, state=engine.play(state, made, made.sha256(), now), programmes=held
    )
    zone.compile(shop, at(1, 23, 30))
    assert len(zone.sounds(at(1, 23, 40), at(2, 1))) > 5
    assert zone.sounds(at(2, 1), at(2, 6)) == []


@pytest.mark.parametrize(
    ("seconds", "count"), [(60, 3), (61, 4), (3600, 60), (1, 1)]
)  # fmt: skip
def test_a_share_of_voice_is_spread_over_each_hour(seconds: int, count: int) -> None:
    schedule = paced(say(5, Timing(when=Share(seconds))), MESSAGES)
    found = points(schedule.timing, facts().calendars, UTC, at(1, 9), at(1, 12))
    starts = [point.at for point in found]
    assert len(starts) == 3 * count
    gaps = {b - a for a, b in pairwise(starts)}
    assert max(gaps) - min(gaps) <= FRAME_RATE


def test_a_share_goes_by_how_long_the_variants_are_on_the_average() -> None:
    variants = ((voice(1, 10), 1), (voice(2, 40), 2), (voice(3, 600), 0))
    whens = [
        paced(say(5, Timing(when=Share(90))), {CALL: message}).timing.when
        for message in (
            Message(CALL, variants),
            Message(CALL, (), voice(4, 45)),
            Message(CALL, ()),
        )
    ]
    assert [len(getattr(when, "seconds", ())) for when in whens] == [3, 2, 1]
    untouched = say(5, Timing(when=Minutes((3,))))
    assert paced(untouched, MESSAGES) is untouched
    assert points(Timing(when=Share(90)), facts().calendars, UTC, at(1), at(2)) == []


def test_a_share_keeps_to_limits_and_to_the_span() -> None:
    timing = Timing(Span(time(10), time(11)), when=Share(200))
    zone = Zone()
    shop = facts(music(1, JAZZ), say(5, timing, limits=Limits(max_per_hour=4)))
    found = zone.compile(shop, at(1, 8), days=1)
    assert len(found.programme.events) == 4
    assert all(at(1, 10) <= event.start < at(1, 11) for event in found.programme.events)
    assert len(found.resolved.dropped) == 6


def lunch(mode: Literal["cut", "next", "wait"], wait: int = 0) -> Facts:
    start = Start(mode, wait)
    return facts(music(1, JAZZ, priority=10), music(2, POP, 12, 13, start=start, begin="restart"))


def border(zone: Zone, near: int) -> int:
    """The frame near which another channel takes the music."""
    found = timeline.taken_over(zone.settled(), block_of(zone, near), near)
    assert found is not None
    return found


def block_of(zone: Zone, frame: int) -> str:
    programme = zone.playing.programmes[zone.playing.state.programmes[-1].sha256]
    return [block.id for block in programme.blocks if block.at <= frame][-1]


def test_music_of_a_day_part_waits_for_the_end_of_the_song_if_it_is_to() -> None:
    borders = []
    modes: list[tuple[Literal["cut", "next", "wait"], int]] = [
        ("cut", 0), ("next", 0), ("wait", 120_000), ("wait", 600_000)
    ]  # fmt: skip
    for mode, wait in modes:
        zone = Zone()
        zone.compile(lunch(mode, wait), at(1, 11))
        since = border(zone, at(1, 12))
        assert (music_at(zone, since - 1), music_at(zone, since)) == ("jazz", "pop")
        first = timeline.music_at(zone.settled(), since)
        assert first is not None
        assert (first.index, first.offset) == (0, 0)
        borders.append(since - at(1, 12))
    song_ends = SONG - HOUR % SONG
    assert borders == [0, song_ends, 2 * MINUTE, song_ends]


def test_whoever_compiles_while_music_waits_changes_nothing_that_sounds() -> None:
    zone, shop = Zone(), lunch("next")
    zone.compile(shop, at(1, 11))
    alone = zone.settled()
    since = border(zone, at(1, 12))
    for now in (at(1, 11, 50), at(1, 12, 0, 30), since + 5 * MINUTE, at(1, 12, 50)):
        before = zone.playing
        zone.compile(shop, now)
        if now == at(1, 12, 0, 30):
            assert zone.playing.state.programmes[-1].from_ == since + 1
        elif now != at(1, 11, 50):
            assert free_from(before, now) == now
    expected = timeline.segments(alone, at(1, 12, 51), at(1, 15))
    found = timeline.segments(zone.settled(), at(1, 12, 51), at(1, 15))
    assert [(s.media, s.start, s.end) for s in found] == [
        (s.media, s.start, s.end) for s in expected
    ]


def test_music_that_waits_does_not_hear_what_was_chosen_instead_as_its_own_wait() -> None:
    zone, shop = Zone(), lunch("next")
    zone.compile(shop, at(1, 11))
    now = at(1, 11, 59)
    state = engine.opened(zone.playing.programmes, zone.playing.state, now)
    chosen = choices.programme_of([songs(300, 1)[0].media], source="tracks", at=now)
    made = choices.joined(chosen, zone.playing.programmes, state, choices.End(at(1, 12, 30)))
    held = {**zone.playing.programmes, made.sha256(): made}
    zone.playing = replace(
        zone.playing, state=engine.play(state, made, made.sha256(), now), programmes=held
    )
    assert free_from(zone.playing, at(1, 12, 10)) == at(1, 12, 10)


def test_music_that_looped_to_its_end_while_another_waited_goes_on_after_it() -> None:
    """The last song drawn ends where the other one begins: none of it is heard again."""
    zone, shop = Zone(), lunch("next")
    zone.compile(shop, at(1, 11))
    since = border(zone, at(1, 12))
    before = timeline.music_at(zone.settled(), since - 1)
    back = timeline.music_at(zone.settled(), at(1, 13, 1))
    assert before is not None
    assert back is not None
    assert back.source == str(JAZZ)
    assert back.media != before.media
    zone.compile(shop, at(1, 12, 40))
    again = timeline.music_at(zone.settled(), at(1, 13, 1))
    assert again is not None
    assert (again.media, again.offset) == (back.media, back.offset)
