"""Compiling: what a zone plays goes on unheard, whoever compiles when; and what people chose."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from support.strategies import media
from sync2gear_broker import timeline
from sync2gear_broker.messages import Programme, ProgrammeRef, Window, ZoneState
from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.channels.model import Apart, Channel, Inline, Item, Piece
from sync2gear_platform.playback import choices, engine
from sync2gear_platform.schedules import compiling
from sync2gear_platform.schedules.compiling import DAY, Playing, compile_zone, free_from
from sync2gear_platform.schedules.layers import BREADTHS
from sync2gear_platform.schedules.ledger import BASE, HAND, Digests, packed, unpacked
from sync2gear_platform.schedules.model import (
    AfterTracks,
    At,
    Days,
    Every,
    Limits,
    Message,
    Minutes,
    Quiet,
    Schedule,
    Span,
    Start,
    Timing,
)
from sync2gear_platform.schedules.occurrences import frame_of
from sync2gear_platform.schedules.resolver import Facts

MINUTE = 60 * FRAME_RATE
HOUR = 60 * MINUTE
ZONE = UUID(int=1)
POP, JAZZ, CALL = UUID(int=10), UUID(int=11), UUID(int=20)
QUICK = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
LONGER = (pytest.mark.soak, pytest.mark.timeout(3600))


def at(day: int, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    """A frame of March 2027, whose first day is a Monday."""
    return frame_of(datetime(2027, 3, day, hour, minute, second, tzinfo=UTC))


def songs(first: int, count: int, minutes: int = 3) -> tuple[Piece, ...]:
    return tuple(
        Piece(f"t{n}", media(n, minutes * MINUTE + (n % 7) * 1000), (f"a{n % 5}",))
        for n in range(first, first + count)
    )


def voice(number: int, seconds: int = 20) -> Piece:
    return Piece(f"v{number}", media(number, seconds * FRAME_RATE, "announcement"))


CHANNELS = {
    POP: Channel(
        str(POP),
        (Item("pop", songs(100, 40)), Item("new", songs(160, 9), weight=2)),
        apart=Apart(artist=2),
        crossfade=5 * FRAME_RATE,
    ),
    JAZZ: Channel(
        str(JAZZ), (Item("jazz", songs(200, 30)),), inlines=(Inline("i", (voice(7),), 5),)
    ),
}
MESSAGES = {CALL: Message(CALL, ((voice(1), 1), (voice(2, 45), 2)))}


def music(number: int, channel: UUID, start: time, end: time, **more: Any) -> Schedule:
    return Schedule(UUID(int=number), f"s{number}", Timing(Span(start, end)), channel, **more)


def say(number: int, timing: Timing, **more: Any) -> Schedule:
    return Schedule(UUID(int=number), f"s{number}", timing, message=CALL, **more)


def facts(*schedules: Schedule, **more: Any) -> Facts:
    return Facts(ZONE, UTC, schedules, more.get("channels", CHANNELS), MESSAGES)


SHOP = facts(
    music(1, POP, time(0), time(0), priority=10),
    music(2, JAZZ, time(12), time(13)),
    music(3, POP, time(18), time(20), begin="continue"),
    say(4, Timing(when=Every(20))),
    say(5, Timing(Span(time(10), time(11)), when=AfterTracks(4))),
)


@dataclass
class Zone:
    """A zone whose documents a test writes as the platform does."""

    playing: Playing = field(
        default_factory=lambda: Playing(ZoneState(zone=str(ZONE), epoch=1, rev=1), {})
    )

    def compile(self, given_: Facts, now: int, days: int = 3, **more: Any) -> compiling.Compiled:
        found = compile_zone(given_, self.playing, now, now + days * DAY, **more)
        assert found is not None
        sha256 = found.programme.sha256()
        held = {**self.playing.programmes, sha256: found.programme}
        state = timeline.rebase(held, self.playing.state, now - 1)
        if state.anchor is None:
            state = engine.play(state, found.programme, sha256, now - 1)
        else:
            ruling = tuple(r for r in state.programmes if r.from_ < now)[-1:]
            ref = ProgrammeRef(sha256=sha256, from_=now)
            state = state.model_copy(update={"programmes": (*ruling, ref)})
        ledger = unpacked(packed(found.ledger))
        assert ledger == found.ledger
        self.playing = Playing(state, held, ledger)
        return found

    def choose(self, pieces: Sequence[Piece], now: int, until: int | None = None) -> None:
        """Let people choose music, as playback does: until a block of the plan, or for good."""
        state = timeline.rebase(self.playing.programmes, self.playing.state, now)
        chosen = choices.programme_of([p.media for p in pieces], source="tracks", at=now)
        if until is not None:
            old = self.playing.programmes[state.programmes[-1].sha256]
            chosen = joined(chosen, old, until)
        held = {**self.playing.programmes, chosen.sha256(): chosen}
        state = engine.play(state, chosen, chosen.sha256(), now)
        self.playing = replace(self.playing, state=state, programmes=held)

    def sounds(self, start: int, end: int) -> list[tuple[Any, ...]]:
        settled = timeline.settle(self.playing.programmes, self.playing.state)
        return plan_of(settled, start, end)


def joined(chosen: Programme, old: Programme, until: int) -> Programme:
    media_ = (*chosen.media, *old.media)
    shift = len(chosen.media)
    blocks = (
        b.model_copy(update={"items": tuple(i + shift for i in b.items)})
        for b in old.blocks
        if b.at >= until
    )
    events = (e.model_copy(update={"media": e.media + shift}) for e in old.events)
    return Programme(media=media_, blocks=(*chosen.blocks, *blocks), events=tuple(events))


def plan_of(settled: timeline.Settled, start: int, end: int) -> list[tuple[Any, ...]]:
    """What sounds, frame by frame, without the seams that nobody hears."""
    found = [
        [(v.media.sha256, v.offset - p.start, v.role) for v in p.voices] + [p.start]
        for p in timeline.plan(settled, start, end)
    ]
    joined_: list[tuple[Any, ...]] = []
    for *voices, since in found:
        if not joined_ or joined_[-1][0] != voices:
            joined_.append((voices, since))
    return joined_


@pytest.mark.parametrize(("days", "examples"), [(2, 6), pytest.param(4, 200, marks=LONGER)])
def test_compiling_again_at_any_instant_changes_nothing_that_sounds(
    days: int, examples: int
) -> None:
    @settings(max_examples=examples, deadline=None, phases=QUICK)
    @given(st.integers(0, (days - 1) * 86_400 - 1), st.integers(0, 86_400))
    def check(second: int, later: int) -> None:
        zone = Zone()
        first = zone.compile(SHOP, at(1), days=days)
        settled = timeline.settle(zone.playing.programmes, zone.playing.state)
        now = at(1) + second * FRAME_RATE
        zone.compile(SHOP, now, days=days)
        again = min(now + later * FRAME_RATE, first.until)
        zone.compile(SHOP, again, days=days)
        assert zone.sounds(again, first.until) == plan_of(settled, again, first.until)

    check()


minute_of_day = st.integers(0, 1439)
spans_ = st.builds(
    lambda a, b: Span(time(a // 60, a % 60), time(b // 60, b % 60)), minute_of_day, minute_of_day
)


@st.composite
def shops(draw: st.DrawFn) -> Facts:
    found = [music(9, POP, time(0), time(0), priority=1)] if draw(st.booleans()) else []
    begins = st.sampled_from(["restart", "continue", "next"])
    for number in range(draw(st.integers(0, 3))):
        days = Days(draw(st.frozensets(st.integers(0, 6), max_size=4)))
        found.append(
            Schedule(
                UUID(int=100 + number), f"m{number}", Timing(draw(spans_), days),
                channel=draw(st.sampled_from([POP, JAZZ])),
                priority=draw(st.sampled_from([10, 20])), breadth=draw(st.sampled_from(BREADTHS)),
                begin=draw(begins), on_end=draw(begins),
                start=Start(draw(st.sampled_from(["cut", "next", "wait"])), max_wait=70_000),
            )
        )  # fmt: skip
    for number in range(draw(st.integers(0, 3))):
        when = st.sampled_from(
            [At((time(9, 1), time(17, 59))), Minutes((7,)), Every(95), AfterTracks(6)]
        )
        limits = Limits(draw(st.sampled_from([0, 1])), draw(st.sampled_from([0, 7_200_000])), "g")
        start = Start(draw(st.sampled_from(["cut", "next"])), mix="pause")
        found.append(
            say(200 + number, Timing(draw(spans_), when=draw(when)), limits=limits, start=start)
        )
    hours = st.builds(Quiet, spans_, st.just(Days()), st.booleans())
    return replace(facts(*found), quiet=tuple(draw(st.lists(hours, max_size=1))))


@pytest.mark.parametrize(("days", "examples"), [(2, 10), pytest.param(3, 300, marks=LONGER)])
def test_whatever_is_scheduled_a_second_compile_is_not_heard(days: int, examples: int) -> None:
    @settings(max_examples=examples, deadline=None, phases=QUICK)
    @given(shops(), st.integers(0, (days - 1) * 86_400 - 1))
    def check(given_: Facts, second: int) -> None:
        zone = Zone()
        zone.choose(songs(300, 5), at(1))
        first = zone.compile(given_, at(1, 0, 1), days=days)
        alone = zone.playing
        now = free_from(alone, at(1, 0, 2) + second * FRAME_RATE)
        zone.compile(given_, now, days=days)
        settled = timeline.settle(alone.programmes, alone.state)
        assert zone.sounds(now, first.until) == plan_of(settled, now, first.until)

    check()


def blocks(compiled: compiling.Compiled, until: int) -> list[tuple[str, int]]:
    """Which schedule's blocks begin before ``until``, and when."""
    known = {BASE.id.hex: "base", HAND.id.hex: "hand"}
    found = []
    for block in compiled.programme.blocks:
        name = block.id.split(".")[0]
        number = str(int(name, 16)) if len(name) == 32 else name[0]
        found.append((known.get(name, number), block.at))
    return [one for one in found if one[1] < until]


def test_base_music_fills_what_no_schedule_wants() -> None:
    zone = Zone()
    zone.choose(songs(300, 5), at(1, 8))
    shop = facts(music(1, POP, time(9), time(10)), say(4, Timing(when=Minutes((30,)))))
    compiled = zone.compile(shop, at(1, 8, 1))
    assert blocks(compiled, at(2)) == [("b", at(1, 8)), ("1", at(1, 9)), ("base", at(1, 10))]
    assert compiled.programme.blocks[0].items == (0, 1, 2, 3, 4)
    assert [e.start for e in compiled.programme.events][:2] == [at(1, 8, 30), at(1, 9, 30)]


def test_a_zone_without_schedules_of_music_keeps_what_people_chose() -> None:
    zone, shop = Zone(), facts(say(4, Timing(when=Every(60))))
    zone.choose(songs(300, 5), at(1, 8))
    before = zone.playing.programmes[zone.playing.state.programmes[-1].sha256].blocks[0]
    for day in (1, 4, 12):
        (block,) = zone.compile(shop, at(day, 9)).programme.blocks
        assert (block.id, block.at, block.items) == (before.id, before.at, before.items)


def test_nothing_is_compiled_where_nothing_can_be_played() -> None:
    assert compile_zone(facts(), Zone().playing, at(1), at(3)) is None


def test_music_chosen_by_hand_lasts_until_the_next_block_also_when_compiled_again() -> None:
    zone = Zone()
    zone.compile(SHOP, at(1, 9))
    zone.choose(songs(300, 5), at(1, 11), until=at(1, 12))
    sounds = []
    for minute in (5, 40):
        compiled = zone.compile(SHOP, at(1, 11, minute))
        assert blocks(compiled, at(1, 13)) == [("b", at(1, 11)), ("2", at(1, 12))]
        sounds.append(zone.sounds(at(1, 11, 41), at(1, 13)))
    assert sounds[0] == sounds[1]
    compiled = zone.compile(SHOP, at(1, 12, 10))
    assert blocks(compiled, at(1, 13, 30)) == [("2", at(1, 12)), ("1", at(1, 13))]


def test_music_chosen_instead_of_a_schedule_without_end_stays_until_people_go_back() -> None:
    all_day = facts(music(1, POP, time(0), time(0)))
    zone = Zone()
    zone.compile(all_day, at(1, 9))
    mine = songs(300, 5)
    zone.choose(mine, at(1, 11))
    for day in range(1, 12):
        found = zone.compile(all_day, at(day, 12))
        assert [kept.schedule for kept in found.ledger.blocks][-1] == HAND.id
        heard = timeline.music_at(timeline.settle(*of(zone)), at(day, 13))
        assert heard is not None
        assert heard.media in [piece.media for piece in mine]
    back = zone.compile(all_day, at(12), by_hand=False)
    assert [name for name, _ in blocks(back, at(13))] == ["1"]


def test_music_chosen_for_good_that_is_listed_anew_stays_so_after_schedules() -> None:
    day = facts(music(1, POP, time(9), time(17)))
    zone = Zone()
    folder = UUID(int=77)
    state = zone.playing.state
    chosen = choices.programme_of(
        [p.media for p in songs(300, 5)], source=f"folder:{folder}", at=at(1, 6)
    )
    state = engine.play(state, chosen, chosen.sha256(), at(1, 6))
    zone.playing = Playing(state, {chosen.sha256(): chosen})
    zone.compile(day, at(1, 7))
    what, now = ("folder", folder), at(1, 18)
    zone.compile(day, at(1, 17, 30))
    programmes, state = zone.playing.programmes, engine.opened(*of(zone), now)
    assert choices.returns(programmes, state, now, what) == at(2, 17)
    assert choices.standing(programmes, state, at(2, 10), what) is None
    here = choices.standing(programmes, state, now, what)
    assert here is not None
    assert here.until == at(2, 9)
    assert here.current in here.media
    others = [p.media for p in songs(400, 4)]
    listed, index = choices.put_in(here, others)
    assert (index, listed) == (4, [*others, here.current]), "it is not of the new list"
    made = choices.listed(here, others, 0, now, 0)
    made = choices.joined(made, programmes, state)
    held = {**programmes, made.sha256(): made}
    state = engine.swap(state, made, made.sha256(), now - 1, now)
    zone.playing = replace(zone.playing, state=state, programmes=held)
    for days, hour in ((1, 19), (2, 8), (2, 12), (2, 18), (3, 20)):
        zone.compile(day, at(days, hour))
        heard = timeline.music_at(timeline.settle(*of(zone)), at(days, hour, 30))
        assert heard is not None
        assert (heard.media in others) == (hour != 12)
        assert choices.is_kind(heard.source) == (hour != 12)


def of(zone: Zone) -> tuple[Any, ZoneState]:
    return zone.playing.programmes, zone.playing.state


def test_back_to_the_schedule_goes_on_as_if_nobody_had_chosen() -> None:
    zone = Zone()
    zone.compile(SHOP, at(1, 9))
    untouched = zone.playing
    zone.choose(songs(300, 5), at(1, 11), until=at(1, 12))
    zone.compile(SHOP, at(1, 11, 10), by_hand=False)
    settled = timeline.settle(untouched.programmes, untouched.state)
    expected = timeline.music_at(settled, at(1, 11, 10))
    found = timeline.music_at(
        timeline.settle(zone.playing.programmes, zone.playing.state), at(1, 11, 10)
    )
    assert expected is not None
    assert found is not None
    assert (found.media, found.offset) == (expected.media, expected.offset)


def test_a_schedule_that_is_made_now_has_the_music_now_and_the_rest_goes_on_after_it() -> None:
    zone = Zone()
    zone.compile(SHOP, at(1, 9))
    now = at(1, 9, 30, 7)
    found = zone.compile(
        replace(SHOP, schedules=(*SHOP.schedules, music(7, JAZZ, time(9), time(10), priority=99))),
        now,
    )
    assert blocks(found, at(1, 11)) == [("7", now), ("1", at(1, 10))]
    assert found.ledger.why[found.programme.blocks[0].id].name == "s7"
    gone = zone.compile(SHOP, at(1, 9, 45))
    assert blocks(gone, at(1, 11)) == [("1", at(1, 9, 45))]


def test_a_new_track_comes_after_the_one_that_is_playing() -> None:
    zone = Zone()
    first = zone.compile(SHOP, at(1, 9))
    pop = CHANNELS[POP]
    more = replace(pop, items=(replace(pop.items[0], pieces=songs(100, 60)), pop.items[1]))
    then = zone.compile(replace(SHOP, channels={**CHANNELS, POP: more}), at(1, 9, 30))
    old, new = first.programme, then.programme
    heard = [[p.media[i].sha256 for i in p.blocks[0].items] for p in (old, new)]
    assert (new.blocks[0].id, new.blocks[0].at) == (old.blocks[0].id, old.blocks[0].at)
    same = next(n for n, pair in enumerate(zip(*heard, strict=False)) if pair[0] != pair[1])
    assert 10 <= same <= 20
    assert {media(n, 1).sha256 for n in range(140, 160)} & set(heard[1])


def test_music_goes_on_when_its_channel_is_gone() -> None:
    zone = Zone()
    zone.compile(SHOP, at(1, 9))
    sounds = zone.sounds(at(1, 9, 30), at(1, 11, 30))
    zone.compile(replace(SHOP, channels={}), at(1, 9, 30))
    zone.compile(replace(SHOP, channels={}), at(1, 9, 40))
    music_ = [s for s in zone.sounds(at(1, 9, 41), at(1, 10)) if len(s[0]) == 1]
    assert music_
    assert {m for one in music_ for m, *_ in one[0]} <= {m for one in sounds for m, *_ in one[0]}


def test_music_ends_with_the_last_schedule_that_asked_for_it() -> None:
    zone = Zone()
    zone.compile(SHOP, at(1, 9))
    calls = facts(*SHOP.schedules[3:4])
    gone = zone.compile(calls, at(1, 9, 30, 7))
    assert [(b.silent, b.at) for b in gone.programme.blocks] == [(True, at(1, 9, 30, 7))]
    heard = [v[2] for voices, _ in zone.sounds(at(1, 9, 31), at(1, 11)) for v in voices]
    assert heard == ["event"] * 4, "what is announced is heard as before"
    nothing = zone.compile(facts(), at(1, 9, 50))
    again = zone.compile(facts(), at(1, 10))
    assert nothing.programme.blocks == again.programme.blocks == gone.programme.blocks
    assert [voices for voices, _ in zone.sounds(at(1, 10, 1), at(1, 12))] == [[]]


def test_after_a_schedule_that_is_gone_it_is_silent_until_another_one_begins() -> None:
    zone = Zone()
    zone.compile(SHOP, at(1, 9))
    evening = zone.compile(facts(SHOP.schedules[2]), at(1, 9, 30))
    assert [(b.silent, b.at) for b in evening.programme.blocks][:2] == [
        (True, at(1, 9, 30)), (False, at(1, 18)),
    ]  # fmt: skip
    other = zone.compile(facts(SHOP.schedules[2]), at(1, 20, 30))
    assert not other.programme.blocks[0].silent, "its music goes on: the schedule is there"


def test_after_a_schedule_that_is_gone_comes_what_people_chose_for_such_times() -> None:
    zone = Zone()
    zone.choose(songs(300, 5), at(1, 8))
    shop = facts(music(1, POP, time(9), time(12)), say(4, Timing(when=Minutes((30,)))))
    zone.compile(shop, at(1, 8, 1))
    compiled = zone.compile(facts(shop.schedules[1]), at(1, 10))
    assert blocks(compiled, at(2)) == [("base", at(1, 10))]


def test_a_programme_that_is_too_large_reaches_less_far_but_never_less_than_two_days(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(compiling, "MAX_BLOCKS", 10)
    found = compile_zone(SHOP, Zone().playing, at(1), at(1) + compiling.WHOLE)
    assert found is not None
    assert found.until == at(1) + compiling.LEAST
    monkeypatch.setattr(compiling, "MAX_BLOCKS", 3)
    with pytest.raises(compiling.ProgrammeTooLarge):
        compile_zone(SHOP, Zone().playing, at(1), at(1) + compiling.WHOLE)


def test_a_pause_moves_the_rest_and_the_music_goes_on_where_it_stood() -> None:
    zone = Zone()
    zone.compile(SHOP, at(1, 9))
    held = Window(from_=at(1, 9, 10), until=at(1, 9, 40))
    zone.playing = replace(zone.playing, state=zone.playing.state.model_copy(update={"hold": held}))
    before = zone.sounds(at(1, 9, 41), at(1, 12))
    zone.compile(SHOP, at(1, 9, 41))
    assert zone.sounds(at(1, 9, 41), at(1, 12)) == before


def test_facts_are_named_by_what_they_say() -> None:
    digests = Digests()
    other = replace(SHOP, zone=UUID(int=2), schedules=tuple(reversed(SHOP.schedules)))
    assert digests.facts(SHOP) == digests.facts(other)
    changed = replace(SHOP, schedules=SHOP.schedules[1:])
    assert digests.facts(SHOP) != digests.facts(changed)
