"""What happens in a zone, read off its views: what began and ended, and nothing twice."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sync2gear_platform.playback.happenings import Story

ZONE = "z"
SHA = "a" * 64


def segment(role: str, item: str, start: int, end: int, offset: int = 0, **more: Any) -> Any:
    return {
        "role": role, "item": item, "sha256": SHA, "title": item, "artist": "", "kind": "music",
        "start": start, "end": end, "offset": offset, "duration": 100, **more,
    }  # fmt: skip


def view(frame: int, *segments: Any, until: int = 1000, rev: int = 1, **more: Any) -> Any:
    return {
        "zone_id": ZONE, "epoch": 1, "rev": rev, "frame": frame, "until": until,
        "status": "playing", "volume": 50, "mute": False, "shuffle": False, "folder_id": None,
        "segments": list(segments), **more,
    }  # fmt: skip


def told(happened: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(one["kind"], one["frame"]) for one in happened]


INTERRUPTED = (
    segment("music", "a", 0, 40),
    segment("event", "call", 40, 60),
    segment("music", "a", 60, 120, 40),
    segment("music", "b", 120, 220),
)


def test_tracks_and_announcements_begin_and_end() -> None:
    story = Story(0)
    assert story.learn(view(0, *INTERRUPTED)) == []
    assert story.next() == 40
    assert story.passed(39) == []
    happened = story.passed(130)
    assert told(happened) == [
        ("track_ended", 40), ("announcement_began", 40), ("announcement_ended", 60),
        ("track_resumed", 60), ("track_ended", 120), ("track_started", 120),
    ]  # fmt: skip
    assert [one.get("whole") for one in happened] == [False, None, False, None, True, None]
    assert [one["position"] for one in happened] == [40, 0, 20, 40, 100, 0]
    assert happened[0]["title"] == "a"
    assert story.passed(130) == []
    assert story.next() == 220


def test_a_command_is_a_change_of_state_and_of_what_sounds() -> None:
    story = Story(0)
    story.learn(view(0, *INTERRUPTED))
    paused = story.learn(view(10, rev=2, status="paused"))
    assert told(paused) == [("state_changed", 10), ("track_ended", 10)]
    assert paused[0] == {
        "kind": "state_changed", "zone_id": ZONE, "frame": 10, "rev": 2, "status": "paused",
    }  # fmt: skip
    again = story.learn(view(20, segment("music", "a", 30, 120, 10), rev=3))
    assert told(again) == [("state_changed", 20)]
    assert told(story.passed(30)) == [("track_resumed", 30)]
    louder = story.learn(view(32, segment("music", "a", 32, 120, 12), rev=4, volume=9))
    assert told(louder) == [("state_changed", 32)], "what goes on is not told again"
    sought = story.learn(view(40, segment("music", "a", 40, 120, 0), rev=5, volume=9))
    assert told(sought) == [("track_ended", 40), ("track_started", 40)]


def test_an_older_view_changes_nothing() -> None:
    story = Story(0)
    story.learn(view(0, *INTERRUPTED, rev=5))
    assert story.learn(view(1, rev=4)) == []
    assert told(story.passed(40)) == [("track_ended", 40), ("announcement_began", 40)]


def test_where_a_view_ends_it_is_read_on() -> None:
    story = Story(0)
    story.learn(view(0, segment("music", "a", 0, 50), until=50))
    assert story.next() == 50
    assert story.passed(60) == [], "it may go on after the end of the view"
    assert story.ended() == [ZONE]
    assert story.next() is None
    assert story.learn(view(60, segment("music", "a", 60, 100, 60))) == []
    assert story.ended() == []
    assert told(story.passed(100)) == [("track_ended", 100)]
    story.forget([ZONE])
    assert (story.next(), story.passed(2000)) == (None, [])


def test_an_emergency_is_told_apart() -> None:
    story = Story(0)
    story.learn(view(0))
    began = story.learn(view(5, segment("emergency", "e", 5, 90), rev=2))
    assert told(began) == [("emergency_began", 5)]
    assert told(story.learn(view(20, rev=3))) == [("emergency_ended", 20)]


@given(st.lists(st.integers(1, 300), max_size=12))
def test_however_often_one_looks_the_same_is_told(frames: list[int]) -> None:
    whole, looked = Story(0), Story(0)
    for story in (whole, looked):
        story.learn(view(0, *INTERRUPTED))
    seen = [one for frame in sorted(frames) for one in looked.passed(frame)]
    assert [*seen, *looked.passed(300)] == whole.passed(300)
