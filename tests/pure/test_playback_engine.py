"""What commands make of a zone's document: laws of the playback engine."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync2gear_broker import timeline
from sync2gear_broker.messages import (
    Anchor,
    Event,
    LiveEvent,
    Media,
    OpenEvent,
    Programme,
    ProgrammeRef,
    Window,
    ZoneState,
    sha256_hex,
)
from sync2gear_broker.messages.zone import MAX_PROGRAMMES
from sync2gear_broker.units import FRAME_RATE, frames_from_millis
from sync2gear_platform.playback import choices, engine, rules

ZONE = "00000000-0000-4000-8000-000000000001"
NOW = 1_000_000_000
LEAD = 12_000
S = FRAME_RATE


def media(name: str, seconds: float = 100, kind: Any = "music") -> Media:
    return Media(
        sha256=sha256_hex(name.encode()), bytes=1000, frames=int(seconds * S), kind=kind, title=name
    )


SONGS = [media("one"), media("two"), media("three")]


def idle() -> ZoneState:
    return ZoneState(zone=ZONE, epoch=1, rev=1)


def playing(at: int = NOW, **more: Any) -> tuple[dict[str, Programme], ZoneState]:
    """A zone whose three songs began at ``at``."""
    programme = choices.programme_of(SONGS, source="s", at=at, **more)
    programmes = {programme.sha256(): programme}
    return programmes, engine.play(idle(), programme, programme.sha256(), at)


def live(name: str, start: int, seconds: float = 5, **more: Any) -> LiveEvent:
    return LiveEvent(id=name, start=start, media=media(name, seconds, "announcement"), **more)


def sounds(programmes: dict[str, Programme], state: ZoneState, t: int) -> set[tuple[str, int]]:
    """``(title, offset)`` of what sounds at ``t``."""
    piece = timeline.sounding_at(timeline.settle(programmes, state), t)
    return {(v.media.title, v.offset) for v in piece.voices}


def test_a_programme_lists_each_song_once_and_loops_them_in_order() -> None:
    programme = choices.programme_of([*SONGS, SONGS[0]], source="s", at=NOW, crossfade=S)
    assert len(programme.media) == 3
    assert programme.blocks[0].items == (0, 1, 2, 0)
    assert programme.blocks[0].crossfade == S
    assert (programme.blocks[0].at, programme.blocks[0].source) == (NOW, "s")


@given(st.integers(0, 2**32))
def test_shuffling_is_the_same_for_the_same_seed_and_loses_nothing(seed: int) -> None:
    songs = [media(str(n)) for n in range(20)]
    a = choices.programme_of(songs, source="s", at=NOW, seed=seed)
    assert a == choices.programme_of(songs, source="s", at=NOW, seed=seed)
    assert sorted(a.blocks[0].items) == list(range(20))


def test_music_begins_on_its_frame_and_not_before() -> None:
    programme = choices.programme_of(SONGS, source="s", at=NOW + LEAD)
    programmes = {programme.sha256(): programme}
    state = engine.play(idle(), programme, programme.sha256(), NOW)
    assert sounds(programmes, state, NOW + LEAD - 1) == set()
    assert sounds(programmes, state, NOW + LEAD) == {("one", 0)}


def test_other_music_takes_over_on_its_frame_and_ends_pause_and_stop() -> None:
    programmes, state = playing()
    now = NOW + 10 * S
    for close in (engine.pause, engine.stop):
        silent = close(engine.opened(programmes, state, now), now)
        other = choices.programme_of([media("new")], source="n", at=now + LEAD)
        both = {**programmes, other.sha256(): other}
        after = engine.play(silent, other, other.sha256(), now)
        assert sounds(both, after, now + LEAD - 1) == set()
        assert sounds(both, after, now + LEAD) == {("new", 0)}
    after = engine.play(engine.opened(programmes, state, now), other, other.sha256(), now)
    assert sounds(both, after, now + LEAD - 1) == {("one", 10 * S + LEAD - 1)}


def test_of_music_chosen_twice_in_a_moment_the_later_choice_rules() -> None:
    programmes, state = playing()
    now = NOW + 10 * S
    state = engine.opened(programmes, state, now)
    for name in ("first", "second", "third"):
        now += 10
        other = choices.programme_of([media(name)], source="n", at=now + LEAD)
        programmes[other.sha256()] = other
        state = engine.play(engine.opened(programmes, state, now), other, other.sha256(), now)
        assert len(state.programmes) == 2
    assert sounds(programmes, state, now + LEAD) == {("third", 0)}
    assert sounds(programmes, state, now + LEAD - 1) == {("one", 10 * S + LEAD + 30 - 1)}


def test_music_chosen_a_moment_ago_does_not_wait_for_the_plan_that_was_made_with_it() -> None:
    programmes, state = playing()
    now = NOW + 10 * S
    state = engine.opened(programmes, state, now)
    other = choices.programme_of([media("new")], source="n", at=now + LEAD)
    programmes[other.sha256()] = other
    state = engine.play(state, other, other.sha256(), now)
    plan = choices.programme_of([media("planned")], source="p", at=now + LEAD + 1)
    programmes[plan.sha256()] = plan
    after = engine.swap(state, plan, plan.sha256(), now + 1, now + 60 * S, now + LEAD + 1)
    assert sounds(programmes, after, now + LEAD - 1) == {("one", 10 * S + LEAD - 1)}
    assert sounds(programmes, after, now + LEAD) == {("new", 0)}
    late = engine.swap(after, plan, plan.sha256(), now + 2, now + 61 * S, now + 3)
    assert len(late.programmes) == 2, "a plan that waits gives way to a newer one"
    crowded = engine.swap(after, plan, plan.sha256(), now + 1, now + 62 * S, now + 61 * S)
    assert [ref.from_ for ref in crowded.programmes[1:]] == [now + 60 * S, now + 62 * S]
    assert len(crowded.programmes) <= MAX_PROGRAMMES, "as many as a document holds"


def test_the_first_music_keeps_what_is_said_and_what_waits() -> None:
    state = idle()
    state = engine.announce(state, live("first", NOW, 5))
    state = engine.announce(state, live("second", NOW + 10, 5))
    state = engine.announce(state, live("over", NOW - 60 * S, 5))
    now = NOW + S
    programme = choices.programme_of(SONGS, source="s", at=now + LEAD)
    programmes = {programme.sha256(): programme}
    after = engine.play(engine.opened({}, state, now), programme, programme.sha256(), now)
    for t in (now, now + LEAD, NOW + 5 * S - 1):
        assert ("first", t - NOW) in sounds(programmes, after, t)
    assert sounds(programmes, after, NOW + 5 * S) == {("second", 0)}
    assert sounds(programmes, after, NOW + 10 * S) == {("one", 0)}


def test_music_chosen_anew_before_the_first_began_keeps_what_is_said() -> None:
    state = engine.announce(idle(), live("voice", NOW, 20))
    now, programmes = NOW + S, {}
    for name in ("a", "b"):
        programme = choices.programme_of([media(name)], source="s", at=now + 2 * S)
        programmes[programme.sha256()] = programme
        state = engine.opened(programmes, state, now)
        state = engine.play(state, programme, programme.sha256(), now)
        now += S
    assert sounds(programmes, state, now) == {("voice", now - NOW)}
    assert sounds(programmes, state, NOW + 20 * S) == {("b", 0)}


@given(st.integers(0, 290 * S), st.integers(0, 50 * S), st.integers(0, 50 * S))
def test_a_pause_keeps_the_very_frame(before: int, length: int, after: int) -> None:
    programmes, state = playing()
    at = NOW + before
    state = engine.pause(engine.opened(programmes, state, at - min(before, 100)), at)
    state = engine.resume(engine.opened(programmes, state, at), at + length)
    plain = sounds(*playing(), at + after)
    assert sounds(programmes, state, at + length + after) == plain
    if length:
        assert sounds(programmes, state, at) == set()


def test_a_pause_that_crosses_a_resume_stays_a_pause() -> None:
    programmes, state = playing()
    state = engine.pause(state, NOW + S)
    state = engine.resume(state, NOW + 2 * S)
    assert state.hold == Window(from_=NOW + S, until=NOW + 2 * S)
    assert engine.resume(state, NOW + 3 * S).hold == state.hold, "an earlier end stands"
    state = engine.pause(state, NOW + 3 * S)
    assert state.hold == Window(from_=NOW + S)
    assert engine.resume(state, NOW + S).hold is None
    assert sounds(programmes, state, NOW + 4 * S) == set()


def test_stop_silences_announcements_too_and_resume_brings_the_music_back() -> None:
    programmes, state = playing()
    state = engine.announce(engine.stop(state, NOW + S), live("voice", NOW + 2 * S))
    assert sounds(programmes, state, NOW + 3 * S) == set()
    state = engine.resume(engine.opened(programmes, state, NOW + 4 * S), NOW + 5 * S)
    assert sounds(programmes, state, NOW + 5 * S) == {("one", S)}


def test_skipping_forward_and_back() -> None:
    programmes, state = playing()
    now = NOW + 10 * S
    for want in ("two", "three", "one"):
        at = now + LEAD
        state = engine.skip_forward(programmes, engine.opened(programmes, state, now), now, at)
        assert sounds(programmes, state, now) == sounds(programmes, state, at - 1) == set()
        assert sounds(programmes, state, at) == {(want, 0)}
        now = at + S
    at = now + LEAD
    state = engine.skip_back(programmes, engine.opened(programmes, state, now), now, at)
    assert sounds(programmes, state, at) == {("three", 0)}, "just begun: the one before"
    now = at + 4 * S
    at = now + LEAD
    state = engine.skip_back(programmes, engine.opened(programmes, state, now), now, at)
    assert sounds(programmes, state, at) == {("three", 0)}, "well under way: from its beginning"


def test_skipping_under_an_announcement_moves_only_the_music() -> None:
    programmes, state = playing()
    state = engine.announce(state, live("voice", NOW + 10 * S, 5))
    now = NOW + 12 * S
    opened = engine.opened(programmes, state, now)
    state = engine.skip_forward(programmes, opened, now, now + LEAD)
    for t in (now, now + LEAD, NOW + 15 * S - 1):
        assert sounds(programmes, state, t) == {("voice", t - NOW - 10 * S)}
    assert sounds(programmes, state, NOW + 15 * S) == {("two", 0)}


def test_skipping_in_a_pause_stays_in_it_and_keeps_its_end() -> None:
    programmes, state = playing()
    now = NOW + 10 * S
    state = engine.opened(programmes, state, now)
    held = engine.pause(state, now)
    moved = engine.skip_forward(programmes, held, now, now + LEAD)
    assert moved.hold == Window(from_=now)
    later = engine.opened(programmes, engine.resume(moved, now + S), now + 5)
    again = engine.skip_forward(programmes, later, now + 5, now + LEAD)
    assert again.hold == Window(from_=now, until=now + S)
    assert sounds(programmes, again, now + S) == {("three", 0)}
    coming = engine.pause(state, now + LEAD)
    moved = engine.skip_forward(programmes, coming, now, now + LEAD)
    assert moved.hold == Window(from_=now)


@given(st.integers(0, 99), st.integers(0, 250))
def test_seeking_puts_the_item_on_the_frame(second: int, when: int) -> None:
    programmes, state = playing()
    now = NOW + when * S
    at = now + LEAD
    title = next(iter(sounds(programmes, state, now)))[0]
    opened = engine.opened(programmes, state, now)
    after = engine.seek(programmes, opened, now, at, second * S)
    assert sounds(programmes, after, at) == {(title, second * S)}
    with pytest.raises(engine.SeekBeyondEnd):
        engine.seek(programmes, opened, now, at, 100 * S)


def test_a_cancelled_announcement_stops_and_the_music_does_not_jump() -> None:
    programmes, state = playing()
    state = engine.announce(state, live("voice", NOW + 10 * S, 20))
    at = NOW + 15 * S
    state = engine.cancel(programmes, engine.opened(programmes, state, at), "voice", at + LEAD)
    assert sounds(programmes, state, at + LEAD - 1) == {("voice", 5 * S + LEAD - 1)}
    assert sounds(programmes, state, at + LEAD) == {("one", 10 * S)}
    again = engine.cancel(programmes, state, "voice", at + 2 * LEAD)
    assert again == state, "an earlier end stands"


def test_cancelling_before_it_began_leaves_the_music_alone() -> None:
    programmes, state = playing()
    state = engine.announce(state, live("voice", NOW + 10 * S, 20))
    state = engine.cancel(programmes, state, "voice", NOW + S)
    assert sounds(programmes, state, NOW + 12 * S) == {("one", 12 * S)}


def test_a_planned_announcement_is_skipped_once() -> None:
    voice = media("planned", 5, "announcement")
    plain = choices.programme_of(SONGS, source="s", at=NOW)
    events = tuple(Event(id=f"e{n}", start=NOW + (20 + n) * S, media=3) for n in range(66))
    programme = plain.model_copy(update={"media": (*plain.media, voice), "events": events})
    programmes = {programme.sha256(): programme}
    state = engine.play(idle(), programme, programme.sha256(), NOW)
    state = engine.cancel(programmes, state, "e0", NOW + S)
    assert state.skip == ("e0",)
    with pytest.raises(engine.NoSuchEvent):
        engine.cancel(programmes, state, "e0", NOW + S)
    for n in range(1, 64):
        state = engine.cancel(programmes, state, f"e{n}", NOW + S)
    with pytest.raises(engine.StateTooLarge):
        engine.cancel(programmes, state, "e64", NOW + S)


def test_a_planned_announcement_under_way_is_ended_where_it_is_listed() -> None:
    programmes, state = playing()
    assert state.anchor is not None
    entry = OpenEvent(id="e", began=NOW, cue=live("e", NOW, 20))
    state = state.model_copy(update={"anchor": state.anchor.model_copy(update={"open": (entry,)})})
    assert sounds(programmes, state, NOW + S) == {("e", S)}
    state = engine.cancel(programmes, state, "e", NOW + 2 * S)
    assert sounds(programmes, state, NOW + 2 * S) == {("one", 0)}


def test_what_is_not_there_can_not_be_cancelled() -> None:
    programmes, state = playing()
    for some, documents in ((state, programmes), (idle(), {})):
        with pytest.raises(engine.NoSuchEvent):
            engine.cancel(documents, some, "nothing", NOW)


def test_cancelling_in_a_zone_without_music() -> None:
    state = engine.cancel({}, engine.announce(idle(), live("v", NOW)), "v", NOW + S)
    assert sounds({}, state, NOW + S - 1) == {("v", S - 1)}
    assert sounds({}, state, NOW + S) == set()


@pytest.mark.parametrize(
    "command",
    [
        lambda p, s: engine.pause(s, NOW),
        lambda p, s: engine.resume(s, NOW),
        lambda p, s: engine.stop(s, NOW),
        lambda p, s: engine.skip_forward(p, s, NOW, NOW),
        lambda p, s: engine.skip_back(p, s, NOW, NOW),
        lambda p, s: engine.seek(p, s, NOW, NOW, 0),
    ],
)
def test_a_zone_without_music_refuses_what_needs_it(
    command: Callable[[dict[str, Programme], ZoneState], ZoneState],
) -> None:
    with pytest.raises(engine.NothingToPlay):
        command({}, idle())
    anchor = Anchor(at=NOW, block="b", pos=0)
    with pytest.raises(engine.NothingToPlay):
        command({}, idle().model_copy(update={"anchor": anchor}))


def test_music_that_has_not_begun_can_not_be_skipped() -> None:
    programme = choices.programme_of(SONGS, source="s", at=NOW + LEAD)
    state = engine.play(idle(), programme, programme.sha256(), NOW)
    programmes = {programme.sha256(): programme}
    for command in (engine.skip_forward, engine.skip_back):
        with pytest.raises(engine.AboutToBegin):
            command(programmes, state, NOW, NOW + LEAD)
    with pytest.raises(engine.AboutToBegin):
        engine.seek(programmes, state, NOW, NOW + LEAD, 0)


def playing_at(programme: Programme) -> tuple[dict[str, Programme], ZoneState]:
    """A zone whose chosen music, begun at ``NOW``, gave way to ``programme`` at once."""
    digest = programme.sha256()
    return {digest: programme}, engine.play(idle(), programme, digest, programme.blocks[0].at)


def test_what_people_choose_gives_way_to_the_plan_where_that_is_by_then() -> None:
    programmes, state = playing()
    (plan,) = programmes.values()
    offer = Event(id="offer", start=NOW + 200 * S, media=1)
    plan = plan.model_copy(update={"events": (offer,)})
    programmes, state = playing_at(plan)
    other = choices.programme_of([media("four")], source="t", at=NOW + 10 * S)
    until = NOW + 150 * S
    assert choices.joined(other, {}, idle()) == other
    for_good = choices.joined(other, programmes, state)
    assert [b.id for b in for_good.blocks] == [other.blocks[0].id], "it has no next block"
    assert [m.title for m in for_good.media] == ["four", "two"], "and what is announced stays"
    back = choices.joined(other, programmes, state, choices.End(until))
    assert [b.at for b in back.blocks] == [NOW + 10 * S, until]
    shown = playing_at(back)
    assert "four" in {title for title, _ in sounds(*shown, NOW + 20 * S)}
    assert ("two", 50 * S) in sounds(*shown, until), "where it would be by then"
    early = choices.programme_of([media("four")], source="t", at=NOW - 10 * S)
    before = choices.joined(early, programmes, state, choices.End(NOW - S))
    assert [b.at for b in before.blocks] == [NOW - 10 * S, NOW], "nothing was in force by then"


@pytest.mark.parametrize("seed", [None, 7])
def test_another_order_begins_after_what_plays(seed: int | None) -> None:
    programmes, state = playing()
    at = NOW + 30 * S
    made = choices.reordered(programmes, state, SONGS, at, seed)
    assert ("one", 30 * S) in sounds(*playing_at(made), at), "what plays goes on"
    assert {m.title for m in made.media} == {"one", "two", "three"}
    after = {t for second in (80, 180, 280) for t, _ in sounds(*playing_at(made), at + second * S)}
    assert after == {"one", "two", "three"}


def test_another_order_without_what_plays_and_of_one_song() -> None:
    programmes, state = playing()
    made = choices.reordered(programmes, state, [media("four")], NOW + S, None)
    assert [m.title for m in made.media] == ["one", "four"]
    alone = choices.programme_of(SONGS[:1], source="s", at=NOW)
    made = choices.reordered(*playing_at(alone), SONGS[:1], NOW + S, 3)
    assert [m.title for m in made.media] == ["one"]


def test_what_a_schedule_plays_is_not_put_in_another_order() -> None:
    (programme,) = playing()[0].values()
    block = programme.blocks[0].model_copy(update={"id": "schedule-1"})
    zone = playing_at(programme.model_copy(update={"blocks": (block,)}))
    with pytest.raises(choices.NotChosen):
        choices.reordered(*zone, SONGS, NOW + S, 1)


def test_music_that_has_not_begun_has_no_pieces_to_tell() -> None:
    programmes, state = playing()
    assert [piece.title for piece in choices.chosen(programmes, state, NOW + FRAME_RATE)]
    with pytest.raises(engine.AboutToBegin):
        choices.chosen(programmes, state, NOW - FRAME_RATE)


def test_volume_keeps_the_mute_unless_told() -> None:
    state = engine.volume(idle(), 30, mute=True)
    assert (state.volume, state.mute) == (30, True)
    assert engine.volume(state, 40).mute is True
    assert engine.volume(state, 40, mute=False).mute is False


def test_twelve_announcements_are_enough() -> None:
    state = idle()
    for n in range(12):
        state = engine.announce(state, live(f"e{n}", NOW + n))
    with pytest.raises(engine.TooManyLiveEvents):
        engine.announce(state, live("e12", NOW))


@pytest.mark.parametrize("title", ["x", "x" * 60, "x" * 200, "\N{BELL}" * 200])
def test_a_zone_full_of_announcements_can_still_be_stopped_and_cleared(title: str) -> None:
    programmes, state = playing()
    with suppress(engine.StateTooLarge):
        for n in range(12):
            event = live(f"{n:032}", NOW + n)
            voice = event.media.model_copy(update={"title": title})
            state = engine.announce(state, event.model_copy(update={"media": voice}))
    now = NOW + S  # one sounds, the others wait: the anchor lists them all
    state = engine.opened(programmes, state, now)
    state = engine.stop(engine.pause(state, now + 1), now + 2)
    for event in state.live:
        state = engine.cancel(programmes, state, event.id, now + 3)
    assert len(engine.closed(state, (2**31, 2**40)).live) == len(state.live) >= 5


def test_a_document_carries_its_version_and_has_a_size() -> None:
    assert engine.closed(idle(), (2, 9)).version == (2, 9)
    crowded = idle()
    for n in range(12):
        name = f"{'e' * 50}{n}"
        event = live(name, NOW)
        voice = event.media.model_copy(update={"title": "ä" * 200, "artist": "ö" * 200})
        event = event.model_copy(update={"media": voice})
        crowded = crowded.model_copy(update={"live": (*crowded.live, event)})
    with pytest.raises(engine.StateTooLarge):
        engine.closed(crowded, (1, 1))


COMMANDS = st.lists(
    st.tuples(
        st.sampled_from(
            ["play", "pause", "resume", "stop", "next", "back", "seek", "say", "cancel", "volume"]
        ),
        st.integers(0, 40 * S),
    ),
    max_size=12,
)


@given(COMMANDS)
def test_nothing_that_a_command_does_changes_what_sounds_before_it(
    commands: list[tuple[str, int]],
) -> None:
    programmes, state = playing()
    now = NOW
    for number, (verb, wait) in enumerate(commands):
        now += wait
        before = engine.opened(programmes, state, now)
        try:
            state, at = _done(programmes, before, verb, now, number)
        except (engine.NoSuchEvent, engine.AboutToBegin, engine.TooManyLiveEvents):
            state, at = before, now
        assert len(state.programmes) <= 3
        moments = [now, (now + at) // 2, at - 1] if at > now else []
        if verb == "play":  # music chosen a moment ago and not begun yet is not heard any more
            moments = [t for t in moments if all(r.from_ > t for r in before.programmes[1:])]
        ending = {"pause": before.hold, "stop": before.stopped}.get(verb)
        if ending is not None:  # a window that was about to end does not
            moments = [t for t in moments if t < (ending.until or t + 1)]
        for t in moments:
            assert sounds(programmes, state, t) == sounds(programmes, before, t), verb
        state = engine.closed(state, (1, number + 2))


def _done(
    programmes: dict[str, Programme], state: ZoneState, verb: str, now: int, number: int
) -> tuple[ZoneState, int]:
    """The state after ``verb``, and the frame from which it holds."""
    at = now + LEAD
    match verb:
        case "play":
            programme = choices.programme_of([media(f"p{number}")], source="p", at=at)
            programmes[programme.sha256()] = programme
            return engine.play(state, programme, programme.sha256(), now), at
        case "say":
            return engine.announce(state, live(f"e{number}", at)), at
        case "cancel":
            return engine.cancel(programmes, state, f"e{number - 1}", at), at
        case "next":
            return engine.skip_forward(programmes, state, now, at), now
        case "back":
            return engine.skip_back(programmes, state, now, at), now
        case "seek":
            return engine.seek(programmes, state, now, at, S), now
        case "volume":
            return engine.volume(state, 10), now
        case "stop":
            return engine.stop(state, at), at
        case "pause":
            return engine.pause(state, at), at
        case _:
            return engine.resume(state, at), at


def test_of_two_calls_the_first_asked_for_is_the_first_heard() -> None:
    soon = NOW + frames_from_millis(900)
    state = engine.announce(idle(), live("long", soon, seconds=40))
    assert engine.in_turn(state, NOW, NOW + 1, priority=50) == soon + 1, "its file takes longer"
    assert engine.in_turn(state, NOW, soon + 7, priority=50) == soon + 7
    assert engine.in_turn(state, NOW, NOW + 1, priority=60) == NOW + 1, "more urgent"
    assert engine.in_turn(state, soon, soon + 1, priority=50) == soon + 1, "it sounds already"
    taken_back = engine.cancel({}, state, "long", NOW + 2)
    assert engine.in_turn(taken_back, NOW, NOW + 1, priority=50) == NOW + 1
    later = engine.announce(idle(), live("put-off", NOW + 30 * FRAME_RATE))
    assert engine.in_turn(later, NOW, NOW + 1, priority=50) == NOW + 1
    assert engine.in_turn(idle(), NOW, NOW + 1, priority=50) == NOW + 1


def test_the_lead_grows_with_what_must_be_fetched_and_has_an_end() -> None:
    cached = rules.lead([rules.Need(10**9, cached=True)])
    leads = [rules.lead([rules.Need(n, cached=False)]) for n in (0, 10**6, 10**7, 10**12)]
    unmeasured = rules.PUBLISH_MILLIS + rules.UNKNOWN_AHEAD_MILLIS
    assert rules.lead([]) == cached == frames_from_millis(unmeasured)
    assert all(a < b for a, b in pairwise([cached, *leads]))
    assert leads[-1] == frames_from_millis(rules.MAX_LEAD_MILLIS)


def test_a_programme_whose_document_is_missing_is_left_alone() -> None:
    programmes, state = playing()
    lost = ProgrammeRef(sha256=sha256_hex(b"lost"), from_=NOW + S)
    state = state.model_copy(update={"programmes": (*state.programmes, lost)})
    with pytest.raises(engine.NoSuchEvent):
        engine.cancel(programmes, state, "nothing", NOW)
    assert sounds(programmes, state, NOW + 2 * S) == {("one", 2 * S)}


def test_the_lead_is_what_the_slowest_connected_speaker_has_measured() -> None:
    assert rules.lead([], ahead=30) == frames_from_millis(rules.PUBLISH_MILLIS + 30)
    assert rules.lead([], ahead=30) < rules.lead([], ahead=300) < rules.lead([], ahead=9000)
    assert rules.lead([], ahead=9000) == frames_from_millis(rules.MAX_LEAD_MILLIS)
    more = frames_from_millis(rules.ZONE_MILLIS * 99)
    assert rules.lead([], ahead=30, zones=100) == rules.lead([], ahead=30) + more


def test_a_lead_counts_from_the_request_but_not_over_the_time_of_rendering() -> None:
    asked = datetime(2027, 3, 1, 9, tzinfo=UTC)
    looked_up, spoken = asked + timedelta(milliseconds=15), asked + timedelta(seconds=2)
    assert rules.counted_from(asked, looked_up) == asked
    assert rules.counted_from(asked, spoken) == spoken


def test_what_plays_has_its_place_in_a_list_that_was_edited() -> None:
    folder = UUID(int=5)
    source = choices.source_of("folder", folder)
    assert (source, choices.source_of("tracks")) == (f"folder:{folder}", "tracks")
    programme = choices.programme_of(SONGS, source=source, at=NOW, crossfade=S)
    programmes, state = playing_at(programme)
    at = NOW + S
    here = choices.standing(programmes, state, at, ("folder", folder))
    assert here is not None
    assert (here.current, here.until, here.crossfade) == (SONGS[0], None, S)
    assert here.end == at + here.position.length - here.position.offset
    assert choices.standing(programmes, state, at, ("folder", UUID(int=6))) is None
    assert choices.standing({}, state, at, ("folder", folder)) is None
    assert choices.returns(programmes, state, at, ("folder", folder)) is None
    assert choices.returns({}, state, at, ("folder", folder)) is None
    new = media("new")
    assert choices.put_in(here, [new, *SONGS]) == ([new, *SONGS], 1)
    assert choices.put_in(here, [new, *SONGS[1:]]) == ([new, SONGS[0], *SONGS[1:]], 1)
    assert choices.put_in(here, [new]) == ([new, SONGS[0]], 1)
    shuffled, index = choices.put_in(here, [new, *SONGS], seed=3)
    assert (shuffled[0], index) == (SONGS[0], 0)
    assert sorted(m.sha256 for m in shuffled) == sorted(m.sha256 for m in [new, *SONGS])
    assert choices.put_in(here, [new], seed=3) == ([SONGS[0], new], 0)
    made = choices.listed(here, [new, *SONGS], 1, at, 0)
    assert made.blocks[0].pos == new.frames + here.position.offset
    names = [choices.digest(order) for order in ([new, *SONGS], [*SONGS, new], SONGS)]
    assert len(set(names)) == 3
    block = made.blocks[0]
    assert choices.named(choices.told_apart(block)) == ("folder", folder)
    assert choices.named("tracks") == ("tracks", None)
    assert [choices.is_kind(name) for name in (source, "tracks", folder.hex)] == [True, True, False]


def test_a_list_that_is_played_once_ends_when_it_is_over() -> None:
    made = [
        choices.programme_of(SONGS[:n], source="tracks", at=NOW, once=once)
        for n, once in ((1, True), (2, True), (2, False))
    ]
    over = NOW + SONGS[0].frames
    twice = over + SONGS[1].frames
    assert [choices.end_of(one, None) for one in made] == [
        choices.End(over, whole=True),
        choices.End(twice, whole=True),
        None,
    ]
    assert [choices.end_of(one, over + 1) for one in made] == [
        choices.End(over, whole=True, latest=over + 1),
        choices.End(over + 1),
        choices.End(over + 1),
    ]


def test_what_comes_after_a_list_that_is_played_once_waits_for_its_end() -> None:
    programmes, state = playing()
    (plan,) = programmes.values()
    once = choices.programme_of(SONGS[:1], source="tracks", at=NOW + S, once=True)
    over = NOW + S + SONGS[0].frames
    limits: list[int | None] = []
    for until in (None, over + 7):
        made = choices.joined(once, programmes, state, choices.end_of(once, until))
        first, then = made.blocks
        assert (first.once, then.id, then.at, then.follows) == (True, plan.blocks[0].id, over, True)
        limits.append(choices.limit(made.blocks, first, NOW))
        looped = choices.programme_of(SONGS[:1], source="tracks", at=NOW + 2 * S)
        held = {made.sha256(): made}
        again = state.model_copy(
            update={"programmes": (ProgrammeRef(sha256=made.sha256(), from_=NOW),)}
        )
        assert choices.joined(looped, held, again).blocks == looped.blocks, "for good then"
        cut = choices.joined(looped, held, again, choices.End(over + 9)).blocks[1]
        assert (cut.at, cut.follows) == (over + 9, False)
    assert limits == [None, over + 7]
    assert choices.limit(plan.blocks, plan.blocks[0], NOW) is None


def test_what_people_chose_is_named_for_as_long_as_it_is_to_be_heard() -> None:
    folder, channel = UUID(int=7), UUID(int=8)
    programmes, state = playing()
    assert choices.to_be_heard(programmes, state, NOW) == set(), "a source of nobody's"
    assert choices.to_be_heard({}, state, NOW) == set()
    over = NOW + SONGS[0].frames
    for source, once, until, end in (
        (choices.source_of("folder", folder), False, None, None),
        (choices.source_of("channel", channel), False, over + 7, over + 7),
        (choices.source_of("channel", channel), True, None, over),
        (choices.source_of("tracks"), True, over - 1, over - 1),
    ):
        made = choices.programme_of(SONGS[:1], source=source, at=NOW, once=once)
        begun = playing(NOW - S)
        joined = choices.joined(made, *begun, choices.end_of(made, until))
        found = {joined.sha256(): joined}
        known = engine.play(begun[1], joined, joined.sha256(), NOW - S)
        assert choices.to_be_heard(found, known, NOW) == {choices.named(source)}
        later = over + 100 if end is None else end
        assert choices.to_be_heard(found, known, later - 1) == {choices.named(source)}
        assert bool(choices.to_be_heard(found, known, later)) == (end is None)
