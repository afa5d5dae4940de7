"""Music that is heard once: to its end, whatever pauses it, and then what waits for that."""

from typing import Any

import pytest

from support.strategies import ZONE, media
from sync2gear_broker import timeline
from sync2gear_broker.messages import (
    Anchor,
    Block,
    Event,
    LiveEvent,
    Programme,
    ProgrammeRef,
    Window,
    ZoneState,
)

NAME = f"{1:064x}"
SHOW, TUNE, REST, WORD = media(1, 100), media(2, 60), media(3, 1000), media(4, 20)
OVER = 160
MUSIC = {SHOW.sha256: "show", TUNE.sha256: "tune", REST.sha256: "rest"}


def blocks(*rest: dict[str, Any], **show: Any) -> tuple[Block, ...]:
    usual = {"id": "show", "source": "s", "at": 0, "items": (0, 1), "once": True, **show}
    waits = {"id": "rest", "source": "r", "items": (2,), "when": "next", "whole": True}
    following = [{**waits, "at": OVER, **one} for one in rest]
    return tuple(Block.model_validate(one) for one in (usual, *following))


def programme(*following: dict[str, Any], events: tuple[Event, ...] = (), **show: Any) -> Programme:
    return Programme(
        media=(SHOW, TUNE, REST, WORD), blocks=blocks(*following, **show), events=events
    )


def settled(made: Programme, at: int = 0, **fields: Any) -> timeline.Settled:
    """The zone as it is, and as one that joins at ``at`` reads it."""
    return timeline.settle({NAME: made}, rebased(made, at, **fields))


def rebased(made: Programme, at: int, **fields: Any) -> ZoneState:
    """Its state, as it is written at ``at``."""
    usual = {
        "zone": ZONE,
        "epoch": 1,
        "rev": 1,
        "programmes": (ProgrammeRef(sha256=NAME, from_=0),),
        "anchor": Anchor(at=0, block="show", pos=0),
    }
    return timeline.rebase({NAME: made}, ZoneState.model_validate({**usual, **fields}), at)


def music(found: timeline.Settled, end: int, start: int = 0) -> list[tuple[int, int, str, int]]:
    """[(start, end, what, offset)] of the music that is heard."""
    return [
        (one.start, one.end, MUSIC[one.media.sha256], one.offset)
        for one in timeline.segments(found, start, end)
        if one.role == "music"
    ]


def test_it_is_heard_to_its_end_and_then_there_is_silence() -> None:
    found = settled(programme(crossfade=20))
    assert music(found, 2000) == [(0, 100, "show", 0), (80, 140, "tune", 0)], "and no seam to fade"
    assert timeline.sounding_at(found, 139).voices[0].gain_a == pytest.approx(1)
    here = timeline.music_at(found, 1000)
    assert here is not None
    assert (here.silent, here.pos) == (True, 140)
    assert timeline.next_change_after(found, 139) == 140
    assert timeline.next_change_after(found, 140) is None


@pytest.mark.parametrize("at", [0, 50, 130, 150, 165, 175, 190, 250])
def test_what_waits_for_it_is_heard_when_it_is_over_whatever_paused_it(at: int) -> None:
    made = programme({}, {"id": "next", "at": 900, "items": (1,), "when": "cut"})
    held = {"hold": Window(from_=60, until=70), "stopped": Window(from_=150, until=155)}
    call = LiveEvent(id="call", start=152, media=WORD, late_by=0)
    said = LiveEvent(id="said", start=120, media=WORD)
    found = settled(made, at, live=(said, call), **held)
    over = OVER + 10 + 5 + 20
    heard = [(0, 60, "show", 0), (70, 110, "show", 60), (110, 120, "tune", 0)]
    heard += [(140, 150, "tune", 10), (155, over, "tune", 20), (over, 900, "rest", 0)]
    heard += [(900, 960, "tune", 0)]
    expected = [
        (max(start, at), end, what, offset + max(start, at) - start)
        for start, end, what, offset in heard
        if end > at
    ]
    assert music(found, 960, at) == expected


def test_what_waits_begins_sooner_where_it_is_over_sooner_and_is_not_begun_again() -> None:
    made = programme({"pos": 7}, {"id": "next", "at": 500, "items": (1,), "when": "cut"})
    skipped = Anchor(at=30, block="show", pos=OVER - 5, fresh=OVER - 5)
    for at in (30, 36, 100, OVER, 300):
        found = settled(made, at, anchor=skipped)
        heard = [(30, 35, "tune", 55), (35, 500, "rest", 7), (500, 560, "tune", 0)]
        assert music(found, 560, at) == [
            (max(start, at), end, what, offset + max(start, at) - start)
            for start, end, what, offset in heard
            if end > at
        ]


def test_what_waits_for_so_long_at_most_waits_no_longer() -> None:
    made = programme({"when": "wait", "max_wait": 40})
    held = Window(from_=100, until=130)
    assert music(settled(made, hold=held), 300)[-1] == (190, 300, "rest", 0)
    longer = held.model_copy(update={"until": 300})
    assert music(settled(made, hold=longer), 310) == [(0, 100, "show", 0), (300, 310, "rest", 0)]


def test_a_border_that_waits_for_songs_does_not_wait_for_the_whole() -> None:
    made = programme({"at": 50, "whole": False})
    assert music(settled(made), 200) == [(0, 100, "show", 0), (100, 200, "rest", 0)]


def test_the_silence_after_it_is_a_boundary_and_announcements_are_heard_in_it() -> None:
    soft = Event(id="soft", start=30, when="next", media=3)
    late = Event(id="late", start=400, when="next", media=3)
    made = programme(events=(soft, late))
    found = settled(made)
    spoken = [
        (one.item, one.start) for one in timeline.segments(found, 0, 500) if one.role != "music"
    ]
    assert spoken == [("soft", 100), ("late", 400)]


def test_silence_that_was_planned_once_is_not_waited_for() -> None:
    made = programme({"at": 50}, silent=True)
    assert music(settled(made), 200) == [(50, 200, "rest", 0)]


def test_a_block_that_waited_at_a_boundary_begins_when_the_call_before_it_is_taken_back() -> None:
    made = programme({"at": 30, "whole": False}, once=False)
    call = LiveEvent(id="call", start=0, media=SHOW)
    assert music(settled(made, live=(call,)), 150) == [(100, 150, "rest", 0)]
    state = rebased(made, 40, live=(call,))
    taken_back = timeline.cancel({NAME: made}, state, "call", 40)
    assert music(timeline.settle({NAME: made}, taken_back), 150, 40) == [(40, 150, "rest", 0)]


@pytest.mark.parametrize("at", [10, 12, 60, 99, 100, 150])
def test_a_pause_that_is_longer_than_the_block_is_old_means_that_it_was_never_heard(
    at: int,
) -> None:
    made = programme({"at": 5, "whole": False}, once=False)
    anchor = Anchor(at=10, block="show", pos=10, paused=7)
    heard = [(10, 100, "show", 10), (100, 200, "rest", 0)]
    joined = music(settled(made, at, anchor=anchor), 200, at)
    assert [
        (max(a, at), b, what, off + max(0, at - a)) for a, b, what, off in heard if b > at
    ] == joined


def test_a_block_of_the_same_name_and_another_beginning_is_another() -> None:
    later = f"{2:064x}"
    plans = {NAME: programme(), later: programme(at=40)}
    refs = (ProgrammeRef(sha256=NAME, from_=0), ProgrammeRef(sha256=later, from_=50))
    state = rebased(plans[NAME], 0, programmes=refs)
    for at in (0, 30, 50, 70):
        found = timeline.settle(plans, timeline.rebase(plans, state, at))
        heard = music(found, 100, at)
        assert heard[-1] == (max(50, at), 100, "show", max(50, at) - 40)
