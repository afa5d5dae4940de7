"""Limits, shares of voice and soft starts, against the rules read literally and slowly."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.venue import DAY, HOUR, MINUTE, ZONE, songs, voice
from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.channels.model import Channel, Item
from sync2gear_platform.schedules.layers import BREADTHS
from sync2gear_platform.schedules.model import (
    At,
    Every,
    Limits,
    Message,
    Minutes,
    Schedule,
    Share,
    Span,
    Start,
    Timing,
    When,
)
from sync2gear_platform.schedules.occurrences import frame_of, moment_of
from sync2gear_platform.schedules.resolver import Facts, History, Stretch, resolve

CHANNELS = {UUID(int=n): Channel(str(n), (Item("a", songs(1000 * n, 30)),)) for n in (1, 2, 3)}
MESSAGES = {UUID(int=30 + n): Message(UUID(int=30 + n), ((voice(n), 1),)) for n in range(3)}
BEGIN = frame_of(datetime(2027, 3, 13, 18, tzinfo=UTC))
ZONES = ("UTC", "Europe/Berlin", "Asia/Kolkata")
"""Where no clock jumps in these days: test_schedule_times.py is about that."""

whens: st.SearchStrategy[When] = st.one_of(
    st.just(At((time(9, 1), time(17, 59), time(23, 50)))),
    st.builds(
        Minutes, st.lists(st.integers(0, 59), min_size=1, max_size=6, unique=True).map(tuple)
    ),
    st.builds(Every, st.integers(4, 90)),
    st.builds(Share, st.integers(10, 600)),
)


@st.composite
def calls(draw: st.DrawFn) -> tuple[Schedule, ...]:
    """Announcements with limits, some of them in one group."""
    return tuple(
        Schedule(
            UUID(int=200 + number), f"a{number}", Timing(when=draw(whens)),
            message=draw(st.sampled_from(sorted(MESSAGES))),
            priority=draw(st.sampled_from([10, 20])),
            breadth=draw(st.sampled_from(BREADTHS)),
            limits=Limits(
                draw(st.integers(0, 3)),
                draw(st.sampled_from([0, 60_000, 600_000, 5_400_000])),
                draw(st.sampled_from(["", "g", "h"])),
            ),
        )
        for number in range(draw(st.integers(1, 4)))
    )  # fmt: skip


def wanted(schedule: Schedule, tz: ZoneInfo, end: int) -> Iterator[int]:
    """When a schedule would begin had it no limits, by looking at the clock each minute."""
    when = schedule.timing.when
    if isinstance(when, Share):
        unlimited = Schedule(schedule.id, "", schedule.timing, message=schedule.message)
        found = resolve(Facts(ZONE, tz, (unlimited,), {}, MESSAGES), History(), BEGIN, end)
        yield from (event.start for event, _ in found.events)
        return
    for minute in range(BEGIN, end, MINUTE):
        local = moment_of(minute).astimezone(tz)
        if isinstance(when, At):
            due = local.time() in when.times
        elif isinstance(when, Minutes):
            due = local.minute in when.minutes
        else:
            assert isinstance(when, Every)
            due = (local.hour * 60 + local.minute) % when.minutes == 0
        if due:
            yield minute


def literal(given_: Sequence[Schedule], tz: ZoneInfo, end: int) -> list[tuple[int, UUID, str]]:
    """Every wish in order with why it is not heard, by asking all that was heard before."""

    def rank(schedule: Schedule) -> tuple[int, int, UUID]:
        return -schedule.priority, BREADTHS.index(schedule.breadth), schedule.id

    def clock_hour(frame: int) -> tuple[object, ...]:
        local = moment_of(frame).astimezone(tz)
        return local.date(), local.hour, local.utcoffset()

    wishes = sorted(
        ((at, schedule) for schedule in given_ for at in wanted(schedule, tz, end)),
        key=lambda wish: (wish[0], rank(wish[1])),
    )
    heard: list[tuple[int, Schedule]] = []
    found = []
    for at, schedule in wishes:
        limits = schedule.limits
        mine = [t for t, other in heard if other is schedule]
        group = [t for t, other in heard if limits.group and other.limits.group == limits.group]
        gap = limits.min_gap * FRAME_RATE // 1000
        this_hour = [t for t in mine if clock_hour(t) == clock_hour(at)]
        why = ""
        if any(at - t < gap for t in mine):
            why = "min_gap"
        elif any(at - t < gap for t in group):
            why = "group_gap"
        elif limits.max_per_hour and len(this_hour) >= limits.max_per_hour:
            why = "max_per_hour"
        else:
            heard.append((at, schedule))
        found.append((at, schedule.id, why))
    return found


def check_limits(given_: Sequence[Schedule], zone: str, hours: int) -> None:
    tz, end = ZoneInfo(zone), BEGIN + hours * HOUR
    found = resolve(Facts(ZONE, tz, tuple(given_), {}, MESSAGES), History(), BEGIN, end)
    ours = [(e.start, UUID(e.id.split(".")[0]), "") for e, _ in found.events]
    ours += [(call.at, call.schedule.id, call.dropped or "") for call in found.dropped]
    assert sorted(ours) == sorted(literal(given_, tz, end))


@settings(max_examples=25, deadline=None)
@given(calls(), st.sampled_from(ZONES))
def test_limits_are_what_asking_all_that_was_heard_finds(
    given_: tuple[Schedule, ...], zone: str
) -> None:
    check_limits(given_, zone, 12)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@settings(max_examples=300, deadline=None)
@given(calls(), st.sampled_from(ZONES))
def test_limits_of_days_are_what_asking_all_that_was_heard_finds(
    given_: tuple[Schedule, ...], zone: str
) -> None:
    check_limits(given_, zone, 30)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3600), st.integers(0, 1 << 64), st.integers(0, 2))
def test_a_share_has_its_seconds_in_each_hour_at_equal_distances(
    seconds: int, id_: int, message: int
) -> None:
    lasts = MESSAGES[UUID(int=30 + message)].variants[0][0].media.frames // FRAME_RATE
    share = Schedule(UUID(int=id_), "", Timing(when=Share(seconds)), message=UUID(int=30 + message))
    found = resolve(
        Facts(ZONE, ZoneInfo("UTC"), (share,), {}, MESSAGES), History(), BEGIN, BEGIN + 3 * HOUR
    )
    starts = [event.start for event, _ in found.events]
    each = len(starts) // 3
    assert each * lasts >= min(seconds, 3600 - lasts, 60 * lasts), "no less than was asked for"
    assert (each - 1) * lasts < seconds, "and no more often than that takes"
    assert [
        sum(BEGIN + h * HOUR <= t < BEGIN + (h + 1) * HOUR for t in starts) for h in range(3)
    ] == [each] * 3
    gaps = [b - a for a, b in pairwise(starts)]
    assert not gaps or max(gaps) - min(gaps) <= FRAME_RATE, "a second at most, of rounding"


@st.composite
def parts(draw: st.DrawFn) -> tuple[Schedule, ...]:
    """Day-parts of music that meet, overlap or leave holes, and take over softly or at once."""
    return tuple(
        Schedule(
            UUID(int=100 + number), f"m{number}",
            Timing(Span(time(draw(st.integers(0, 23))), time(draw(st.integers(0, 23)), 30))),
            channel=UUID(int=draw(st.integers(1, 3))), priority=draw(st.sampled_from([10, 20])),
            start=Start(
                mode=draw(st.sampled_from(["cut", "next", "wait"])),
                max_wait=draw(st.sampled_from([0, 30_000, 100_000, 600_000])),
            ),
        )
        for number in range(draw(st.integers(1, 5)))
    )  # fmt: skip


def ends(stretch: Stretch, since: int) -> int:
    """The first frame from ``since`` on at which a song of a stretch begins."""
    at = stretch.block.at + stretch.delay - stretch.block.pos
    while True:
        for piece in stretch.pieces:
            if at >= max(since, stretch.block.at + stretch.delay):
                return at
            at += piece.media.frames


def check_soft(given_: Sequence[Schedule], days: int) -> int:
    """Each block begins where its words say; how many of them had to wait."""
    shop = Facts(ZONE, ZoneInfo("Europe/Berlin"), tuple(given_), CHANNELS)
    found = resolve(shop, History(), BEGIN, BEGIN + days * DAY)
    starts = {schedule.id: schedule.start for schedule in given_}
    waited = 0
    for before, after in pairwise(found.music):
        start, at = starts[after.schedule], after.block.at
        expected = 0 if start.mode == "cut" else ends(before, at) - at
        if start.mode == "wait":
            expected = min(expected, start.max_wait * FRAME_RATE // 1000)
        assert after.delay == expected, (before.block.id, after.block.id)
        waited += expected > 0
    return waited


@settings(max_examples=25, deadline=None)
@given(parts())
def test_music_that_waits_begins_with_the_first_song_after_its_time(
    given_: tuple[Schedule, ...],
) -> None:
    check_soft(given_, 2)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@settings(max_examples=300, deadline=None)
@given(parts())
def test_music_that_waits_for_a_week_begins_with_the_first_song_after_its_time(
    given_: tuple[Schedule, ...],
) -> None:
    check_soft(given_, 7)


def test_there_is_something_to_wait_for() -> None:
    soft = Start(mode="next")
    day = Schedule(UUID(int=1), "day", Timing(), channel=UUID(int=1), priority=10)
    noon = Timing(Span(time(12), time(13)))
    lunch = Schedule(UUID(int=2), "noon", noon, channel=UUID(int=2), priority=20, start=soft)
    assert check_soft((day, lunch), 3) == 3
