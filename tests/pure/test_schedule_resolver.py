"""From schedules to what is heard: laws of the resolver, and an oracle that looks every minute."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, tzinfo
from itertools import pairwise
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from support.strategies import media
from sync2gear_broker import timeline
from sync2gear_broker.messages import Anchor, ProgrammeRef, ZoneState
from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.channels.model import Channel, Inline, Item, Piece
from sync2gear_platform.schedules.layers import BREADTHS
from sync2gear_platform.schedules.model import (
    AfterTracks,
    At,
    Days,
    Every,
    Limits,
    Message,
    Minutes,
    Schedule,
    Span,
    Start,
    Timing,
)
from sync2gear_platform.schedules.occurrences import frame_of, moment_of
from sync2gear_platform.schedules.resolver import (
    Facts,
    History,
    Resolved,
    Spoken,
    Stretch,
    programme_of,
    resolve,
)

MINUTE = 60 * FRAME_RATE
HOUR = 60 * MINUTE
DAY = 24 * HOUR
ZONE = UUID(int=1)
POP, JAZZ, CALL = UUID(int=10), UUID(int=11), UUID(int=20)
Heard = list[tuple[str, int, int, int]]


def at(day: int, hour: int = 0, minute: int = 0) -> int:
    """A frame of March 2027, whose first day is a Monday."""
    return frame_of(datetime(2027, 3, day, hour, minute, tzinfo=UTC))


def songs(first: int, count: int, minutes: int = 3) -> tuple[Piece, ...]:
    """Songs of rising numbers; their lengths are odd, so that borders fall inside them."""
    return tuple(
        Piece(f"t{n}", media(n, minutes * MINUTE + (n % 7) * 1000))
        for n in range(first, first + count)
    )


def voice(number: int, seconds: int = 20) -> Piece:
    return Piece(f"v{number}", media(number, seconds * FRAME_RATE, "announcement"))


CHANNELS = {
    POP: Channel(str(POP), (Item("pop", songs(100, 40)),)),
    JAZZ: Channel(
        str(JAZZ), (Item("jazz", songs(200, 30)),), inlines=(Inline("i", (voice(7),), 5),)
    ),
}
MESSAGES = {
    CALL: Message(CALL, ((voice(1), 1),)),
    UUID(int=21): Message(UUID(int=21), ((voice(2, 45), 1), (voice(3), 2))),
}


def music(
    number: int, channel: UUID, start: time, end: time, *, days: Days | None = None, **more: Any
) -> Schedule:
    timing = Timing(span=Span(start, end), days=days or Days())
    return Schedule(UUID(int=number), f"s{number}", timing, channel=channel, **more)


def say(number: int, timing: Timing, **more: Any) -> Schedule:
    return Schedule(UUID(int=number), f"s{number}", timing, message=CALL, **more)


def facts(*schedules: Schedule, tz: tzinfo = UTC) -> Facts:
    return Facts(ZONE, tz, schedules, CHANNELS, MESSAGES)


def heard(stretches: Sequence[Stretch], events: Sequence[Spoken], start: int, end: int) -> Heard:
    """What sounds as (what, since, until, offset), without seams that nobody hears."""
    found: Heard = []
    if not stretches:
        return found
    programme = programme_of(stretches, events)
    first = stretches[0].block
    ref = ProgrammeRef(sha256=programme.sha256(), from_=first.at)
    anchor = Anchor(at=first.at, block=first.id, pos=first.pos)
    state = ZoneState(zone=str(ZONE), epoch=1, rev=1, programmes=(ref,), anchor=anchor)
    settled = timeline.settle({programme.sha256(): programme}, state)
    wanted = [(max(start, s.block.at), min(end, s.end)) for s in stretches]
    for one in (one for a, b in wanted for one in timeline.segments(settled, a, b)):
        what, offset = one.media.sha256[-3:], one.offset
        last = found[-1] if found else None
        if (
            last
            and last[0] == what
            and last[2] == one.start
            and last[3] + last[2] - last[1] == offset
        ):
            found[-1] = (what, last[1], one.end, last[3])
        else:
            found.append((what, one.start, one.end, offset))
    return found


def played(resolved: Resolved, start: int, end: int) -> Heard:
    return heard(resolved.music, resolved.events, start, end)


def test_day_parts_follow_one_another_and_each_goes_on_where_it_was_left() -> None:
    shop = facts(
        music(1, POP, time(0), time(0), priority=10),
        music(2, JAZZ, time(12), time(13), priority=30),
    )
    found = resolve(shop, History(), at(1), at(3))
    assert [(s.block.at, s.end, s.block.source) for s in found.music] == [
        (at(1), at(1, 12), str(POP)),
        (at(1, 12), at(1, 13), str(JAZZ)),
        (at(1, 13), at(2, 12), str(POP)),
        (at(2, 12), at(2, 13), str(JAZZ)),
        (at(2, 13), at(3), str(POP)),
    ]
    sounds = played(found, at(1), at(3))
    before = next(one for one in sounds if one[2] == at(1, 12))
    after = next(one for one in sounds if one[1] == at(1, 13))
    assert (after[0], after[3]) == (before[0], before[3] + before[2] - before[1])
    why = found.why[found.music[1].block.id]
    assert why.name == "s2"
    assert [(name, lost) for _, name, lost in why.rivals] == [("s1", "priority")]


def test_rivals_are_those_that_wanted_the_music_at_the_time_that_is_asked_for() -> None:
    shop = facts(
        music(1, POP, time(0), time(0), priority=30),
        music(2, JAZZ, time(12), time(13), priority=10),
        music(3, JAZZ, time(0), time(0), priority=20),
    )
    found = resolve(shop, History(), at(1), at(3))
    (block,) = (stretch.block.id for stretch in found.music)
    why = found.why[block]
    assert len(why.rivals) == len(why.wanted) == 3, "one of them on two days"

    def names(start: int, end: int) -> list[str]:
        return [name for _, name, _ in why.between(start, end).rivals]

    assert names(at(1, 9), at(1, 12)) == ["s3"]
    assert names(at(2, 12, 30), at(2, 14)) == ["s3", "s2"]
    assert names(at(1), at(3)) == ["s3", "s2"]
    told_before = replace(why, wanted=())
    assert told_before.between(at(1, 9), at(1, 12)).rivals == why.rivals[:2]


def test_on_end_says_how_interrupted_music_goes_on() -> None:
    def first_after(on_end: str) -> tuple[str, int]:
        shop = facts(
            music(1, POP, time(0), time(0), priority=10),
            music(2, JAZZ, time(12), time(13), on_end=on_end),
        )
        found = resolve(shop, History(), at(1), at(2))
        one = next(one for one in played(found, at(1), at(2)) if one[1] == at(1, 13))
        return one[0], one[3]

    sounds = played(
        resolve(facts(music(1, POP, time(0), time(0))), History(), at(1), at(2)), at(1), at(2)
    )
    cut = next(n for n, one in enumerate(sounds) if one[1] < at(1, 12) <= one[2])
    assert first_after("continue") == (sounds[cut][0], at(1, 12) - sounds[cut][1])
    assert first_after("next") == (sounds[cut + 1][0], 0)
    assert first_after("restart")[1] == 0


def test_announcements_pause_the_music_and_it_is_known_how_far_it_came() -> None:
    shop = facts(
        music(1, POP, time(9), time(10)),
        music(2, JAZZ, time(10), time(11)),
        music(3, POP, time(11), time(12), begin="continue"),
        say(4, Timing(span=Span(time(9), time(10)), when=Every(10))),
    )
    found = resolve(shop, History(), at(1, 9), at(1, 12))
    assert len(found.events) == 6
    sounds = played(found, at(1, 9), at(1, 12))
    pop = [one for one in sounds if one[0] != "001" and one[1] < at(1, 10)]
    assert sum(end - start for _, start, end, _ in pop) == HOUR - 6 * 20 * FRAME_RATE
    resumed = next(one for one in sounds if one[1] == at(1, 11))
    last = pop[-1]
    assert (resumed[0], resumed[3]) == (last[0], last[3] + last[2] - last[1])


def test_after_every_four_tracks_while_a_schedule_wants_it() -> None:
    shop = facts(
        music(1, POP, time(0), time(0)),
        say(2, Timing(span=Span(time(10), time(12)), when=AfterTracks(4))),
    )
    found = resolve(shop, History(), at(1), at(2))
    lines = list(zip(found.music[0].lines, found.music[0].pieces, strict=True))
    spoken = [n for n, (line, _) in enumerate(lines) if line == UUID(int=2).hex]
    assert spoken
    assert all(b - a == 5 for a, b in pairwise(spoken))
    sounds = [one for one in played(found, at(1), at(2)) if one[0] == "001"]
    assert len(sounds) == len(spoken)
    assert all(at(1, 10) <= one[1] < at(1, 12) for one in sounds)


def test_limits_drop_and_say_so() -> None:
    base = music(1, POP, time(0), time(0))
    often = say(2, Timing(when=Minutes((0, 5, 10, 30))), limits=Limits(max_per_hour=2))
    spaced = say(3, Timing(when=Minutes((1, 7, 31))), limits=Limits(min_gap=10 * 60_000, group="g"))
    also = say(
        4, Timing(when=Minutes((2,))), limits=Limits(min_gap=60 * 1000, group="g"), priority=40
    )
    found = resolve(facts(base, often, spaced, also), History(), at(1, 9), at(1, 10))
    minutes = {(e.id.split(".")[0][-1], (e.start - at(1, 9)) // MINUTE) for e, _ in found.events}
    assert minutes == {("2", 0), ("2", 5), ("3", 1), ("4", 2), ("3", 31)}
    dropped = {(c.schedule.id.int, (c.at - at(1, 9)) // MINUTE, c.dropped) for c in found.dropped}
    assert dropped == {(2, 10, "max_per_hour"), (2, 30, "max_per_hour"), (3, 7, "min_gap")}


def test_variants_come_in_their_shares_and_evergreens_when_nothing_else_may() -> None:
    chosen = [
        MESSAGES[UUID(int=21)].chosen(datetime(2027, 3, 1, tzinfo=UTC).date(), n)
        for n in range(3000)
    ]
    counts = [sum(p is not None and p.id == name for p in chosen) for name in ("v2", "v3")]
    assert sum(counts) == 3000
    assert 850 < counts[0] < 1150
    old = replace(voice(5), valid_until=datetime(2026, 1, 1, tzinfo=UTC).date())
    assert Message(CALL, ((old, 1),), voice(6)).chosen(
        datetime(2027, 3, 1, tzinfo=UTC).date(), 1
    ) == voice(6)
    assert Message(CALL, ((old, 1),)).chosen(datetime(2027, 3, 1, tzinfo=UTC).date(), 1) is None


QUICK = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)

minute_of_day = st.integers(0, 1439)
spans_ = st.builds(
    lambda a, b: Span(time(a // 60, a % 60), time(b // 60, b % 60)), minute_of_day, minute_of_day
)
days_ = st.builds(Days, st.frozensets(st.integers(0, 6), max_size=4))


@st.composite
def schedules(draw: st.DrawFn) -> tuple[Schedule, ...]:
    found = []
    for number in range(draw(st.integers(1, 4))):
        timing = Timing(span=draw(spans_), days=draw(days_))
        found.append(
            Schedule(
                UUID(int=100 + number), f"m{number}", timing,
                channel=draw(st.sampled_from([POP, JAZZ])),
                priority=draw(st.sampled_from([10, 20])),
                breadth=draw(st.sampled_from(BREADTHS)),
                begin=draw(st.sampled_from(["restart", "continue", "next"])),
                on_end=draw(st.sampled_from(["restart", "continue", "next"])),
            )
        )  # fmt: skip
    for number in range(draw(st.integers(0, 3))):
        when = draw(
            st.sampled_from(
                [At((time(9, 1), time(17, 59))), Minutes((7,)), Every(95), AfterTracks(6)]
            )
        )
        timing = Timing(span=draw(spans_), days=draw(days_), when=when)
        limits = Limits(
            draw(st.sampled_from([0, 1])),
            draw(st.sampled_from([0, 7_200_000])),
            draw(st.sampled_from(["", "g"])),
        )
        start = Start(
            mode=draw(st.sampled_from(["cut", "next"])),
            mix=draw(st.sampled_from(["pause", "duck"])),
        )
        found.append(
            Schedule(
                UUID(int=200 + number), f"a{number}", timing,
                message=draw(st.sampled_from(sorted(MESSAGES))),
                priority=draw(st.sampled_from([10, 20])), limits=limits, start=start,
            )
        )  # fmt: skip
    return tuple(found)


@settings(max_examples=15, deadline=None, phases=QUICK)
@given(schedules(), st.integers(1, 20))
def test_two_halves_say_what_the_whole_says(given_: tuple[Schedule, ...], hour: int) -> None:
    check_halves(given_, hour, 1)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@settings(max_examples=300, deadline=None, phases=QUICK)
@given(schedules(), st.integers(1, 40))
def test_two_halves_of_days_say_what_the_whole_says(
    given_: tuple[Schedule, ...], hour: int
) -> None:
    check_halves(given_, hour, 2)


def check_halves(given_: tuple[Schedule, ...], hour: int, days: int) -> None:
    """Cut where nobody speaks: half an hour after announcements may begin at the latest."""
    shop = facts(*given_)
    a, b, c = at(1), at(1, 0, 34) + (hour - 1) * HOUR, at(1 + days)
    whole = resolve(shop, History(), a, c)
    first = resolve(shop, History(), a, b)
    then = resolve(shop, first.after, b, c)
    assert [*first.events, *then.events] == [*whole.events]
    assert [*first.dropped, *then.dropped] == [*whole.dropped]
    both = (*first.music, *(_renamed(s) for s in then.music))
    assert heard(both, whole.events, a, c) == played(whole, a, c)


def _renamed(stretch: Stretch) -> Stretch:
    """A stretch that goes on in another half begins a block of its own."""
    return replace(stretch, block=stretch.block.model_copy(update={"id": f"{stretch.block.id}.b"}))


@settings(max_examples=30, deadline=None)
@given(schedules(), st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]))
def test_who_has_the_music_is_who_a_look_every_minute_finds(
    given_: tuple[Schedule, ...], zone: str
) -> None:
    """The rule set read literally, at each minute of two days over a change of the clocks."""
    tz = ZoneInfo(zone)
    start = frame_of(datetime(2027, 3, 13, 18, tzinfo=UTC))
    end = start + 2 * DAY
    found = resolve(facts(*given_, tz=tz), History(), start, end)
    mine = [s for s in given_ if s.channel is not None]
    for minute in range(start, end, 10 * MINUTE):
        local = moment_of(minute).astimezone(tz)
        best = None
        for schedule in mine:
            span, days = schedule.timing.span, schedule.timing.days
            today, yesterday = local.weekday(), (local.weekday() - 1) % 7
            clock = local.time()
            overnight = span.end <= span.start
            on = (not days.weekdays or today in days.weekdays) and (
                clock >= span.start if overnight else span.start <= clock < span.end
            )
            late = (
                overnight and (not days.weekdays or yesterday in days.weekdays) and clock < span.end
            )
            if not (on or late):
                continue
            key = (-schedule.priority, BREADTHS.index(schedule.breadth), schedule.id.int)
            if best is None or key < best[0]:
                best = (key, schedule)
        ours = next((s for s in found.music if s.block.at <= minute < s.end), None)
        expected = best[1].id.hex if best else None
        assert (ours.block.id.split(".")[0] if ours else None) == expected, local
