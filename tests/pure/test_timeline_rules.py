"""The timeline by example: what a person reading the contract would expect to hear."""

from typing import Any

import pytest

from support.strategies import ZONE, media
from sync2gear_broker import timeline
from sync2gear_broker.messages import (
    Anchor,
    Block,
    Emergency,
    Event,
    LiveEvent,
    OpenEvent,
    Programme,
    ProgrammeRef,
    Window,
    ZoneState,
)
from sync2gear_broker.messages.zone import MAX_OPEN

A, B = f"{1:064x}", f"{2:064x}"
SONG, TUNE, WORD, CALL = media(1, 100), media(2, 60), media(3, 20), media(4, 30)


def programme(*events: Event, blocks: tuple[Block, ...] = (), **block: Any) -> Programme:
    usual = {"id": "day", "source": "s", "at": 0, "items": (0, 1), **block}
    return Programme(
        media=(SONG, TUNE, WORD, CALL),
        blocks=blocks or (Block.model_validate(usual),),
        events=events,
    )


def event(key: str, start: int, word: int = 2, **fields: Any) -> Event:
    return Event.model_validate({"id": key, "start": start, "media": word, **fields})


def live(key: str, start: int, **fields: Any) -> LiveEvent:
    return LiveEvent.model_validate({"id": key, "start": start, "media": WORD, **fields})


def state(**fields: Any) -> ZoneState:
    usual = {
        "zone": ZONE,
        "epoch": 1,
        "rev": 1,
        "programmes": (ProgrammeRef(sha256=A, from_=0),),
        "anchor": Anchor(at=0, block="day", pos=0),
    }
    return ZoneState.model_validate({**usual, **fields})


def story(settled: timeline.Settled, end: int, start: int = 0) -> list[tuple[int, int, str, int]]:
    """[(start, end, what, offset)]: events and emergencies by id, music by its media's number."""
    return [
        (
            one.start,
            one.end,
            str(int(one.media.sha256, 16)) if one.role == "music" else one.item,
            one.offset,
        )
        for one in timeline.segments(settled, start, end)
    ]


def gains(settled: timeline.Settled, t: int) -> list[float]:
    return [voice.gain_a for voice in timeline.sounding_at(settled, t).voices]


def test_an_announcement_interrupts_and_the_music_resumes_where_it_stopped() -> None:
    settled = timeline.settle({A: programme(event("hello", 40))}, state())
    assert story(settled, 200) == [
        (0, 40, "1", 0),
        (40, 60, "hello", 0),
        (60, 120, "1", 40),
        (120, 180, "2", 0),
        (180, 200, "1", 0),
    ]
    here = timeline.music_at(settled, 50)
    assert here is not None
    assert (here.block, here.source, here.pos, here.running) == ("day", "s", 40, False)
    voice = timeline.sounding_at(settled, 70).voices[0]
    assert (voice.begins, voice.ends) == (0, 120)
    assert timeline.sounding_at(settled, 30).voices[0].ends == 120


def test_a_crossfade_shortens_each_item_by_what_it_shares_with_the_next() -> None:
    settled = timeline.settle({A: programme(crossfade=20)}, state())
    assert story(settled, 240) == [
        (0, 100, "1", 0),
        (80, 140, "2", 0),
        (120, 220, "1", 0),
        (200, 240, "2", 0),
    ]
    assert gains(settled, 85) == pytest.approx([0.75, 0.25])
    short = timeline.settle({A: programme(crossfade=500)}, state())
    assert story(short, 101)[1][0] == 70  # half of the shorter one


def test_a_pause_in_a_crossfade_freezes_both_voices() -> None:
    settled = timeline.settle({A: programme(event("hello", 90), crossfade=20)}, state())
    assert gains(settled, 89) == pytest.approx([0.55, 0.45])
    assert [v.item for v in timeline.sounding_at(settled, 95).voices] == ["hello"]
    assert gains(settled, 110) == pytest.approx([0.5, 0.5])


def test_the_old_block_fades_out_before_the_new_one_begins() -> None:
    blocks = (
        Block(id="day", source="s", at=0, items=(0,), crossfade=10),
        Block(id="night", source="t", at=50, pos=7, items=(1,)),
    )
    settled = timeline.settle({A: programme(blocks=blocks)}, state())
    assert story(settled, 80) == [(0, 50, "1", 0), (50, 80, "2", 7)]
    assert gains(settled, 39) == gains(settled, 50) == [1.0]
    assert gains(settled, 45) == pytest.approx([0.5])


def test_a_block_has_the_music_from_its_frame_on_or_never() -> None:
    blocks = (
        Block(id="day", source="s", at=0, items=(0,)),
        Block(id="night", source="t", at=50, items=(1,)),
    )
    settled = timeline.settle({A: programme(blocks=blocks)}, state())
    assert timeline.taken_over(settled, "night", 0) == 50
    assert timeline.taken_over(settled, "night", 60) == 60
    assert timeline.taken_over(settled, "day", 60) is None
    assert timeline.taken_over(settled, "nobody's", 0) is None


def test_a_duck_lowers_the_music_along_its_fades() -> None:
    hello = event("hello", 40, mode="duck", duck=-2000, fade_in=10, fade_out=10)
    settled = timeline.settle({A: programme(hello)}, state())
    assert gains(settled, 30) == [1.0]
    assert gains(settled, 35) == pytest.approx([0.55])
    assert gains(settled, 50) == pytest.approx([0.1, 1.0])
    assert gains(settled, 65) == pytest.approx([0.55])
    assert timeline.next_change_after(settled, 0) == 30
    assert timeline.next_change_after(settled, 61) == 70


def test_a_mix_leaves_the_music_alone() -> None:
    hello = event("hello", 40, mode="mix", fade_in=10, gain=-2000)
    settled = timeline.settle({A: programme(hello)}, state())
    assert gains(settled, 45) == pytest.approx([1.0, 0.1])


@pytest.mark.parametrize(
    ("when", "wait", "begins"),
    [("cut", 0, 40), ("next", 0, 100), ("wait", 30, 70), ("wait", 90, 100)],
)
def test_soft_starts_wait_for_the_next_item(when: str, wait: int, begins: int) -> None:
    hello = event("hello", 40, when=when, max_wait=wait)
    (result,) = timeline.outcomes(timeline.settle({A: programme(hello)}, state()))
    assert (result.began, result.end, result.state) == (begins, begins + 20, "played")


def test_a_held_zone_is_a_boundary_and_announcements_still_sound() -> None:
    hello = event("hello", 40, when="next")
    settled = timeline.settle({A: programme(hello)}, state(hold=Window(from_=50)))
    assert story(settled, 200) == [(0, 50, "1", 0), (50, 70, "hello", 0)]
    assert timeline.next_change_after(settled, 70) is None


def test_a_hold_lasts_across_blocks() -> None:
    blocks = (
        Block(id="day", source="s", at=0, items=(0,)),
        Block(id="night", source="t", at=50, pos=7, items=(1,)),
    )
    held = state(hold=Window(from_=40, until=60))
    settled = timeline.settle({A: programme(blocks=blocks)}, held)
    assert story(settled, 80) == [(0, 40, "1", 0), (60, 80, "2", 7)]
    here = timeline.music_at(settled, 55)
    assert here is not None
    assert (here.block, here.pos, here.running) == ("night", 7, False)


def test_equal_priorities_queue_and_a_higher_one_cuts() -> None:
    plan = programme(
        event("a", 40), event("b", 45), event("c", 70, priority=90), event("d", 72, priority=10)
    )
    settled = timeline.settle({A: plan}, state())
    assert story(settled, 130)[1:-1] == [
        (40, 60, "a", 0),
        (60, 70, "b", 0),
        (70, 90, "c", 0),
        (90, 110, "d", 0),
    ]
    assert [(o.id, o.state, o.reason) for o in timeline.outcomes(settled)] == [
        ("a", "played", ""),
        ("b", "cut", "priority"),
        ("c", "played", ""),
        ("d", "played", ""),
    ]


def test_an_event_that_was_cut_may_begin_again_however_late() -> None:
    plan = programme(
        event("a", 40, on_cut="restart", late_by=0), event("b", 50, 3, priority=90, late_by=0)
    )
    settled = timeline.settle({A: plan}, state())
    assert story(settled, 110)[1:-1] == [(40, 50, "a", 0), (50, 80, "b", 0), (80, 100, "a", 0)]
    assert [(o.id, o.began, o.state) for o in timeline.outcomes(settled)] == [
        ("a", 80, "played"),
        ("b", 50, "played"),
    ]


def test_an_event_that_has_not_sounded_waits_rather_than_being_cut() -> None:
    plan = programme(
        event("pausing", 100, priority=10),
        event("higher", 105, when="next", priority=90),
        event("taker", 110, mode="mix"),
    )  # the taker lets the music go on, which stands at a boundary, which releases the higher one
    settled = timeline.settle({A: plan}, state())
    assert [(o.id, o.began, o.end, o.state) for o in timeline.outcomes(settled)] == [
        ("pausing", 100, 110, "cut"),
        ("higher", 110, 130, "played"),
        ("taker", 130, 150, "played"),
    ]


def test_an_event_that_comes_too_late_is_dropped() -> None:
    plan = programme(event("a", 40), event("b", 45, late_by=14), event("c", 46, late_by=14))
    results = timeline.outcomes(timeline.settle({A: plan}, state()))
    assert [(o.id, o.state, o.reason, o.began) for o in results] == [
        ("a", "played", "", 40),
        ("b", "dropped", "late", None),
        ("c", "played", "", 60),
    ]


def test_a_stopped_zone_is_silent_and_its_events_are_missed() -> None:
    plan = programme(event("a", 40), event("b", 55), event("c", 45, when="next"), event("d", 80))
    settled = timeline.settle({A: plan}, state(stopped=Window(from_=50, until=80)))
    assert story(settled, 110) == [
        (0, 40, "1", 0),
        (40, 50, "a", 0),
        (80, 100, "d", 0),
        (100, 110, "1", 40),
    ]
    assert [(o.id, o.state, o.reason) for o in timeline.outcomes(settled)] == [
        ("a", "cut", "stopped"),
        ("c", "missed", "stopped"),
        ("b", "missed", "stopped"),
        ("d", "played", ""),
    ]


def test_the_emergency_is_above_everything_and_loops() -> None:
    alarm = Emergency(gen=7, active=True, start=50, end=100, media=CALL)
    zone = state(
        emergency=alarm, stopped=Window(from_=60, until=110), hold=Window(from_=0, until=5)
    )
    settled = timeline.settle({A: programme(event("a", 45))}, zone)
    assert story(settled, 120) == [
        (5, 45, "1", 0),
        (45, 50, "a", 0),
        (50, 80, "emergency:7", 0),
        (80, 100, "emergency:7", 0),
        (110, 120, "1", 40),
    ]
    assert [(o.id, o.state, o.reason) for o in timeline.outcomes(settled)] == [
        ("a", "cut", "emergency")
    ]


def test_events_wait_for_the_end_of_an_emergency_or_for_ever() -> None:
    plan = programme(event("a", 40), event("b", 41, late_by=5), event("c", 60, on_cut="restart"))
    alarm = Emergency(gen=1, active=True, start=30, media=CALL)
    zone = state(emergency=alarm, live=(live("l", 35, end=90),))
    results = timeline.outcomes(timeline.settle({A: plan}, zone))
    assert [(o.id, o.state) for o in results] == [
        ("l", "cancelled"),
        ("a", "waiting"),
        ("b", "dropped"),
        ("c", "waiting"),
    ]


@pytest.mark.parametrize(
    "latch",
    [
        Emergency(gen=1, active=True, start=0),
        Emergency(gen=1, active=False, start=0, media=CALL),
        Emergency(gen=1, active=True, start=9, end=9, media=CALL),
    ],
)
def test_a_latch_that_cannot_sound_does_not_silence_the_zone(latch: Emergency) -> None:
    settled = timeline.settle({A: programme()}, state(emergency=latch))
    assert story(settled, 50) == [(0, 50, "1", 0)]


def test_a_programme_takes_over_at_its_from_and_the_same_block_goes_on() -> None:
    zone = state(
        programmes=(ProgrammeRef(sha256=A, from_=0), ProgrammeRef(sha256=B, from_=40)),
        anchor=Anchor(at=0, block="day", pos=5),
    )
    old, same = programme(event("a", 45)), programme(event("b", 50))
    settled = timeline.settle({A: old, B: same}, zone)
    assert story(settled, 80) == [(0, 50, "1", 5), (50, 70, "b", 0), (70, 80, "1", 55)]
    other = programme(id="other", at=30)
    settled = timeline.settle({A: old, B: other}, zone)
    assert story(settled, 60) == [(0, 40, "1", 5), (40, 60, "1", 10)]
    alone = timeline.settle({A: old}, zone)
    assert story(alone, 60) == [(0, 45, "1", 5), (45, 60, "a", 0)]


def test_before_the_first_programme_rules_nothing_sounds_but_live_events() -> None:
    zone = state(programmes=(ProgrammeRef(sha256=A, from_=50),), live=(live("l", 20, when="next"),))
    settled = timeline.settle({A: programme()}, zone)
    assert story(settled, 60) == [(20, 40, "l", 0), (50, 60, "1", 50)]
    assert timeline.music_at(settled, 30) is None
    assert timeline.item_start(settled, 30, 1) is None
    rebased = timeline.rebase({A: programme()}, zone, 30)
    assert story(timeline.settle({A: programme()}, rebased), 60, 30)[0] == (30, 40, "l", 10)


def test_an_override_lasts_to_its_end_and_then_the_block_reads_its_own_position() -> None:
    blocks = (
        Block(id="day", source="s", at=0, items=(0,), crossfade=10),
        Block(id="night", source="t", at=50, items=(1,)),
    )
    plan = programme(event("a", 60), blocks=blocks)
    zone = state(anchor=Anchor(at=20, block="night", pos=3, until=90))
    settled = timeline.settle({A: plan}, zone)
    assert story(settled, 100) == [
        (20, 60, "2", 3),
        (60, 80, "a", 0),
        (80, 90, "2", 43),
        (90, 100, "2", 20),
    ]
    by_default = state(anchor=Anchor(at=20, block="night", pos=3))
    settled = timeline.settle({A: plan}, by_default)
    assert story(settled, 60) == [(20, 50, "2", 3), (50, 60, "2", 0)]
    over = state(anchor=Anchor(at=20, block="night", pos=3, until=10, paused=4))
    assert story(timeline.settle({A: plan}, over), 30) == [(20, 30, "1", 16)]
    gone = state(anchor=Anchor(at=20, block="gone", pos=3, until=90))
    assert story(timeline.settle({A: plan}, gone), 30) == [(20, 30, "1", 20)]


@pytest.mark.parametrize("when", ["next", "wait"])
def test_music_put_by_hand_goes_on_where_its_block_comes_softly(when: str) -> None:
    blocks = (
        Block(id="day", source="s", at=0, items=(0,)),
        Block(id="night", source="t", at=50, items=(0, 1), when=when, max_wait=10, crossfade=8),
    )
    plan = {A: programme(event("a", 60), blocks=blocks)}
    zone = state(anchor=Anchor(at=20, block="night", pos=3))
    expected = [(20, 60, "1", 3), (60, 80, "a", 0), (80, 137, "1", 43), (129, 140, "2", 0)]
    assert story(timeline.settle(plan, zone), 140) == expected
    assert gains(timeline.settle(plan, zone), 49) == [1.0]
    for t in range(20, 140):
        later = timeline.settle(plan, timeline.rebase(plan, zone, t))
        assert story(later, 140, t) == story(timeline.settle(plan, zone), 140, t)


def test_an_override_ends_with_the_programme_that_has_its_block() -> None:
    night = Block(id="night", source="t", at=500, items=(1,))
    day = Block(id="day", source="s", at=0, items=(0,))
    zone = state(
        programmes=(ProgrammeRef(sha256=A, from_=0), ProgrammeRef(sha256=B, from_=40)),
        anchor=Anchor(at=20, block="night", pos=3, until=90),
    )
    plans = {A: programme(blocks=(day, night)), B: programme()}
    assert story(timeline.settle(plans, zone), 60) == [(20, 40, "2", 3), (40, 60, "1", 40)]
    plans[B] = plans[A].model_copy(update={"events": (event("a", 50),)})
    assert story(timeline.settle(plans, zone), 60)[0] == (20, 50, "2", 3)


def test_an_override_that_ends_where_the_block_stands_changes_nothing() -> None:
    zone = state(anchor=Anchor(at=20, block="day", pos=20, until=50))
    settled = timeline.settle({A: programme(crossfade=10)}, zone)
    assert timeline.next_change_after(settled, 20) == 90
    assert gains(settled, 45) == [1.0]


def test_what_was_put_by_hand_begins_without_the_tail_of_its_predecessor() -> None:
    plan = {A: programme(crossfade=20)}
    settled = timeline.settle(plan, state())
    block, pos = timeline.item_start(settled, 30, 1) or ("", 0)
    assert (block, pos) == ("day", 80)
    assert timeline.item_start(settled, 30, -1) == ("day", 0)
    zone = state(anchor=Anchor(at=30, block=block, pos=pos, fresh=pos))
    jumped = timeline.settle(plan, zone)
    assert story(jumped, 40) == [(30, 40, "2", 0)]
    assert gains(jumped, 30) == [1.0]
    going_on = timeline.settle(plan, state(anchor=Anchor(at=30, block=block, pos=pos)))
    assert [one[2] for one in story(going_on, 40)] == ["1", "2"]


def test_a_zone_without_music_plays_live_events() -> None:
    empty = state(programmes=(), anchor=None, live=(live("a", 10), live("b", 15, when="wait")))
    settled = timeline.settle({}, empty)
    assert story(settled, 60) == [(10, 30, "a", 0), (30, 50, "b", 0)]
    assert timeline.rebase({}, empty, 40) == empty
    later = timeline.rebase({}, empty, 60)
    assert later.live == ()
    assert timeline.cancel({}, empty, "b", 35).live[1].end == 35


def test_cancelling_ends_the_voice_and_the_music_resumes_without_a_jump() -> None:
    plan = {A: programme(event("a", 40), event("b", 90))}
    zone = timeline.cancel(plan, state(), "a", 50)
    assert story(timeline.settle(plan, zone), 100, 50) == [(50, 90, "1", 40), (90, 100, "b", 0)]
    at_once = timeline.settle(plan, timeline.cancel(plan, state(), "a", 40))
    assert story(at_once, 90, 40) == [(40, 90, "1", 40)]
    zone = timeline.cancel(plan, zone, "b", 60)
    assert zone.skip == ("b",)
    (result,) = timeline.outcomes(timeline.settle(plan, zone))
    assert (result.state, result.reason) == ("cancelled", "skipped")
    assert timeline.rebase(plan, zone, 95).skip == ()
    assert timeline.rebase({}, zone, 95).skip == ("b",)
    timed = state(live=(live("l", 10, end=15), live("m", 20, end=20)))
    results = timeline.outcomes(timeline.settle({A: programme()}, timed))
    assert [(o.id, o.began, o.end, o.state) for o in results] == [
        ("l", 10, 15, "cancelled"),
        ("m", None, None, "cancelled"),
    ]


def test_an_event_goes_on_when_its_programme_is_gone() -> None:
    plans = {A: programme(event("a", 40, 3)), B: programme(event("a", 300))}
    zone = state(programmes=(ProgrammeRef(sha256=A, from_=0), ProgrammeRef(sha256=B, from_=50)))
    rebased = timeline.rebase(plans, zone, 60)
    assert [ref.sha256 for ref in rebased.programmes] == [B]
    assert rebased.anchor is not None
    assert rebased.anchor.open[0].cue is not None
    settled = timeline.settle({B: plans[B]}, rebased)
    assert story(settled, 80, 60) == [(60, 70, "a", 20), (70, 80, "1", 40)]
    assert story(settled, 310, 300)[0] == (300, 310, "a", 0)


def test_whatever_open_says_there_is_one_voice() -> None:
    entries = (
        OpenEvent(id="a", began=10),
        OpenEvent(id="b", began=12),
        OpenEvent(id="b", wait="voice"),
        OpenEvent(id="a", wait="again", cue=live("a", 0, priority=99)),
        OpenEvent(id="unknown", began=3),
        OpenEvent(id="c", began=500, wait="voice"),
    )
    plan = {A: programme(event("a", 10), event("b", 11), event("c", 12))}
    zone = state(anchor=Anchor(at=20, block="day", pos=0, open=entries))
    assert story(timeline.settle(plan, zone), 80, 20) == [
        (20, 30, "a", 10),
        (30, 50, "b", 0),
        (50, 70, "c", 0),
        (70, 80, "1", 0),
    ]


def test_the_same_event_of_a_newer_programme_is_not_taken_twice() -> None:
    zone = state(
        programmes=(ProgrammeRef(sha256=A, from_=0), ProgrammeRef(sha256=B, from_=45)),
    )
    first = programme(event("a", 40), event("b", 42, late_by=3), event("c", 43, when="next"))
    second = programme(event("a", 50), event("b", 55), event("c", 58))
    settled = timeline.settle({A: first, B: second}, zone)
    assert story(settled, 200)[1:] == [
        (40, 60, "a", 0),
        (60, 80, "b", 0),
        (80, 140, "1", 40),
        (140, 160, "c", 0),
        (160, 200, "2", 0),
    ]


def test_a_newer_version_of_a_hopeless_event_takes_its_place() -> None:
    zone = state(
        programmes=(ProgrammeRef(sha256=A, from_=0), ProgrammeRef(sha256=B, from_=25)),
    )
    first = programme(event("a", 10, when="wait", max_wait=20, late_by=5))
    second = programme(event("a", 30, when="wait", max_wait=5))
    results = timeline.outcomes(timeline.settle({A: first, B: second}, zone))
    assert [(o.start, o.state, o.began) for o in results] == [
        (10, "dropped", None),
        (30, "played", 35),
    ]


def test_an_unknown_open_event_is_nothing() -> None:
    anchor = Anchor(at=5, block="day", pos=0, open=(OpenEvent(id="unknown", began=3),))
    lost = state(programmes=(), anchor=anchor)
    assert story(timeline.settle({}, lost), 50) == []


def test_a_command_s_lead_sounds_as_before() -> None:
    plan = {A: programme(event("a", 40), crossfade=20)}
    old = timeline.settle(plan, state())
    at = timeline.rebase(plan, state(), 50)
    assert at.anchor is not None
    hand = at.anchor.model_copy(update={"pos": 80, "fresh": 80})
    new = timeline.settle(plan, at.model_copy(update={"anchor": hand}))
    assert story(new, 70) == [(50, 60, "a", 10), (60, 70, "2", 0)]
    both = timeline.splice(old, new, 30)
    assert story(both, 70, 30) == [(30, 40, "1", 30), (40, 60, "a", 0), (60, 70, "2", 0)]
    assert timeline.splice(None, new, 30) is new
    assert timeline.splice(old, new, 50) is new
    assert timeline.splice(new, new, 30) is new


def test_a_document_holds_a_bounded_number_of_open_events() -> None:
    crowd = programme(*(event(f"e{i}", 40) for i in range(MAX_OPEN + 9)))
    rebased = timeline.rebase({A: crowd}, state(), 50)
    assert rebased.anchor is not None
    assert len(rebased.anchor.open) == MAX_OPEN


def test_nothing_is_known_before_the_anchor() -> None:
    zone = state(anchor=Anchor(at=40, block="day", pos=0))
    settled = timeline.settle({A: programme()}, zone)
    assert story(settled, 50) == [(40, 50, "1", 0)]
    assert settled.start == 40
    assert timeline.rebase({A: programme()}, zone, 30) is zone


def test_segments_stop_at_their_limit() -> None:
    settled = timeline.settle({A: programme()}, state())
    assert len(timeline.segments(settled, 0, 10**9, limit=5)) == 7


def test_music_begins_before_the_first_block_is_due() -> None:
    early = programme(at=50, pos=10)
    zone = state(anchor=Anchor(at=0, block="gone", pos=0))
    assert story(timeline.settle({A: early}, zone), 30) == [(0, 30, "1", 0)]


def test_a_pause_that_is_cut_where_the_next_block_begins_passes_that_boundary() -> None:
    blocks = (
        Block(id="day", source="s", at=0, items=(0,)),
        Block(id="night", source="t", at=60, pos=10, items=(0,)),
    )
    events = (event("first", 50), event("soft", 55, when="next"))
    duck = live("duck", 60, mode="duck", priority=90)
    settled = timeline.settle({A: programme(*events, blocks=blocks)}, state(live=(duck,)))
    spoken = [one for one in story(settled, 140) if one[2] in {"first", "duck", "soft"}]
    assert spoken == [(50, 60, "first", 0), (60, 80, "duck", 0), (80, 100, "soft", 0)]


@pytest.mark.parametrize("step", [0, 1])
def test_a_block_that_waits_for_the_next_song_begins_where_somebody_asks_for_one(step: int) -> None:
    blocks = (
        Block(id="day", source="s", at=0, items=(0, 1)),
        Block(id="late", source="l", at=50, pos=5, items=(1,), when="next"),
    )
    held = {A: programme(blocks=blocks)}
    assert story(timeline.settle(held, state()), 110) == [(0, 100, "1", 0), (100, 110, "2", 5)]
    rebased = timeline.rebase(held, state(), 60)
    asked = timeline.item_start(timeline.settle(held, rebased), 60, step)
    assert asked == ("day", step * 100)
    assert rebased.anchor is not None
    there = {"block": asked[0], "pos": asked[1], "fresh": asked[1]}
    moved = rebased.model_copy(update={"anchor": rebased.anchor.model_copy(update=there)})
    assert story(timeline.settle(held, moved), 80, 60) == [(60, 80, "2", 5)]


def test_the_first_block_begins_at_its_time_where_other_music_was_put_before_it() -> None:
    blocks = (
        Block(id="first", source="s", at=40, items=(1,), when="next"),
        Block(id="later", source="s", at=500, items=(0,)),
    )
    made, early = programme(blocks=blocks), state(anchor=Anchor(at=0, block="later", pos=0))
    expected = [(0, 100, "1", 0), (100, 160, "2", 0)]
    assert story(timeline.settle({A: made}, early), 160) == expected
    there = timeline.rebase({A: made}, early, 40)
    assert story(timeline.settle({A: made}, there), 160, 40) == [(40, 100, "1", 40), expected[1]]
