"""Proof of play: what sounds from frame to frame, as started, finished and missed."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sync2gear_broker.messages import Media, sha256_hex
from sync2gear_broker.units import FRAME_RATE
from sync2gear_firmware import plays
from sync2gear_firmware.facts import Play, Record, Sound

ZONE = "z"


def media(name: str, seconds: int = 10) -> Media:
    return Media(sha256=sha256_hex(name.encode()), bytes=1, frames=seconds * FRAME_RATE)


TRACK, NEXT, CALL = media("track"), media("next"), media("call", 2)


def music(offset: int = 0, what: Media = TRACK, slot: int = 0, **more: Any) -> Sound:
    return Sound("music", "b", what, 1000, slot, offset, **more)


def call(offset: int = 0, **more: Any) -> Sound:
    return Sound("event", "e", CALL, 5000, 5000, offset, **more)


class Told:
    """What was told so far."""

    def __init__(self) -> None:
        self.open: tuple[Play, ...] = ()
        self.records: list[Record] = []

    def at(self, frame: int, *sounds: Sound, audible: bool = True, zone: str = ZONE) -> None:
        self.open, records = plays.advance(self.open, frame, sounds, zone=zone, audible=audible)
        self.records += records

    def said(self) -> list[tuple[str, Media, int]]:
        return [(r.kind, r.media, r.frames) for r in self.records]


def test_music_under_an_announcement_is_paused_and_goes_on() -> None:
    told = Told()
    told.at(1000, music())
    told.at(5000, call())
    told.at(5000 + CALL.frames, music(4000))
    told.at(5000 + CALL.frames + TRACK.frames - 4000, music(0, NEXT, TRACK.frames))
    assert told.said() == [
        ("started", TRACK, 0),
        ("started", CALL, 0),
        ("finished", CALL, CALL.frames),
        ("finished", TRACK, TRACK.frames),
        ("started", NEXT, 0),
    ]


def test_music_that_ended_as_an_announcement_began_is_over() -> None:
    told = Told()
    told.at(1000, music())
    told.at(1000 + TRACK.frames, call())
    assert ("finished", TRACK, TRACK.frames) in told.said()


def test_a_stopped_or_skipped_track_is_finished_with_what_was_heard() -> None:
    told = Told()
    told.at(1000, music())
    told.at(3000)
    assert told.said() == [("started", TRACK, 0)]
    told.at(9000, music(0, NEXT, TRACK.frames))
    assert told.said()[1:] == [("finished", TRACK, 2000), ("started", NEXT, 0)]


def test_a_track_that_goes_back_to_its_beginning_is_heard_once_more() -> None:
    told = Told()
    told.at(1000, music())
    told.at(1000 + 5 * FRAME_RATE, music())
    assert told.said() == [
        ("started", TRACK, 0),
        ("finished", TRACK, 5 * FRAME_RATE),
        ("started", TRACK, 0),
    ]


def test_what_is_lacking_is_missed_once_and_what_stands_in_is_told() -> None:
    told = Told()
    stands_in = music(0, NEXT, stand_in=True)
    told.at(1000, music(lacking="not_held"), stands_in)
    told.at(2000, music(1000, lacking="not_held"), stands_in)
    told.at(1000 + TRACK.frames, music(0, media("third"), TRACK.frames))
    assert [(r.kind, r.media, r.reason, r.frames) for r in told.records] == [
        ("started", NEXT, "evergreen", 0),
        ("finished", NEXT, "evergreen", TRACK.frames),
        ("missed", TRACK, "not_held", 0),
        ("started", media("third"), "", 0),
    ]
    missed = told.records[2]
    assert (missed.planned, missed.audible) == (1000, False)


def test_an_announcement_that_arrives_late_is_joined_inside_and_not_missed() -> None:
    told = Told()
    told.at(5000, call(lacking="not_held"))
    told.at(6000, call(1000))
    told.at(5000 + CALL.frames)
    assert [(r.kind, r.at, r.planned, r.frames) for r in told.records] == [
        ("started", 6000, 5000, 0),
        ("finished", 5000 + CALL.frames, 5000, CALL.frames - 1000),
    ]


def test_a_file_that_breaks_midway_is_finished_with_what_was_heard_and_why() -> None:
    told = Told()
    told.at(1000, music())
    told.at(3000, music(2000, lacking="not_held"))
    told.at(1000 + TRACK.frames, music(0, NEXT, TRACK.frames))
    assert [(r.kind, r.frames, r.reason) for r in told.records] == [
        ("started", 0, ""),
        ("finished", 2000, "not_held"),
        ("started", 0, ""),
    ]


def test_what_sounded_before_a_crash_goes_on_or_is_finished_as_far_as_is_known() -> None:
    told = Told()
    told.at(1000, music())
    kept = tuple(plays.interrupted(plays.so_far(p, 3000)) for p in told.open)
    told.open = kept
    told.at(4000, music(3000))
    told.at(5000, music(0, NEXT, TRACK.frames))
    assert told.said() == [("started", TRACK, 0), ("finished", TRACK, 3000), ("started", NEXT, 0)]
    other = Told()
    other.open = kept
    other.at(10**6, music(0, NEXT, TRACK.frames))
    assert other.said()[0] == ("finished", TRACK, 2000)


def test_what_was_told_as_started_is_finished_though_its_file_was_lost_in_a_crash() -> None:
    told = Told()
    told.at(5000, call())
    told.open = tuple(plays.interrupted(p) for p in told.open)  # killed before a frame was counted
    told.at(6000, call(1000, lacking="not_held"))
    told.at(7000, call(2000))
    told.at(8000, call(3000, lacking="not_held"))
    told.at(10**6)
    assert [(r.kind, r.frames, r.reason) for r in told.records] == [
        ("started", 0, ""),
        ("finished", 1000, "not_held"),
    ]
    gone = Told()
    gone.at(5000, call())
    gone.open = tuple(plays.interrupted(p) for p in gone.open)
    gone.at(6000, call(1000, lacking="not_held"))
    gone.at(10**6)
    assert [(r.kind, r.frames) for r in gone.records] == [("started", 0), ("finished", 0)]


def test_a_moved_device_finishes_in_the_old_zone_and_starts_in_the_new() -> None:
    told = Told()
    told.at(1000, music())
    told.at(2000, music(1000), zone="other")
    assert [(r.kind, r.zone) for r in told.records] == [
        ("started", ZONE),
        ("finished", ZONE),
        ("started", "other"),
    ]


def test_what_was_never_audible_says_so() -> None:
    told = Told()
    told.at(1000, music(), audible=False)
    told.at(2000, music(0, NEXT, TRACK.frames), audible=True)
    told.at(3000, music(1000, NEXT, TRACK.frames), audible=False)
    told.at(4000)
    told.at(5000, music(slot=2))
    assert [(r.kind, r.audible) for r in told.records] == [
        ("started", False),
        ("finished", False),
        ("started", True),
        ("finished", True),
        ("started", True),
    ]


@given(st.lists(st.sampled_from(["music", "call", "both", "none", "next"]), max_size=30))
def test_every_start_is_finished_once_and_never_longer_than_it_took(steps: list[str]) -> None:
    told = Told()
    frame, slot = 1000, 0
    for step in steps:
        slot += step == "next"
        track = music(0, TRACK, slot)
        told.at(
            frame,
            *{"music": (track,), "next": (track,), "call": (call(),), "none": ()}.get(
                step, (track, call())
            ),
        )
        frame += FRAME_RATE
    told.at(frame, music(0, NEXT, 99))
    told.at(frame, music(0, TRACK, 100))
    starts = [r for r in told.records if r.kind == "started"]
    ends = [r for r in told.records if r.kind == "finished"]
    assert len(starts) == len(ends) + len(told.open)
    assert sum(r.frames for r in ends) <= 2 * (frame - 1000)
