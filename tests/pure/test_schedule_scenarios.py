"""The scenarios of docs/scheduling.md: what a shop asks for, and what it hears."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from support.strategies import media
from sync2gear_broker import timeline
from sync2gear_broker.messages import Anchor, ProgrammeRef, Window, ZoneState
from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.channels.model import Channel, Item, Piece
from sync2gear_platform.schedules import ical
from sync2gear_platform.schedules.model import (
    At,
    Calendars,
    Days,
    Every,
    Message,
    Schedule,
    Span,
    Special,
    Start,
    Timing,
)
from sync2gear_platform.schedules.occurrences import frame_of, moment_of
from sync2gear_platform.schedules.resolver import Facts, History, Resolved, programme_of, resolve

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = 60 * FRAME_RATE
DAY, NIGHT, XMAS = UUID(int=10), UUID(int=11), UUID(int=12)
CLOSING, OFFER, FIRE_DOOR = UUID(int=20), UUID(int=21), UUID(int=22)
HOLIDAYS, ADVENT = UUID(int=30), UUID(int=31)


def channel(number: UUID, first: int) -> Channel:
    songs = tuple(Piece(f"t{n}", media(n, 3 * MINUTE + n * 100)) for n in range(first, first + 30))
    return Channel(str(number), (Item("songs", songs),))


def message(number: UUID, seconds: int) -> Message:
    voice = Piece(f"v{number.int}", media(number.int, seconds * FRAME_RATE, "announcement"))
    return Message(number, ((voice, 1),))


FACTS = Facts(
    UUID(int=1),
    BERLIN,
    (),
    {DAY: channel(DAY, 100), NIGHT: channel(NIGHT, 200), XMAS: channel(XMAS, 300)},
    {CLOSING: message(CLOSING, 15), OFFER: message(OFFER, 20), FIRE_DOOR: message(FIRE_DOOR, 10)},
    Calendars({HOLIDAYS: frozenset({date(2027, 12, 24)}), ADVENT: frozenset()}),
)
ALL_DAY = Schedule(UUID(int=100), "day", Timing(), channel=DAY, priority=10, breadth="client")


def at(month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    return frame_of(datetime(2027, month, day, hour, minute, tzinfo=BERLIN))


def plan(first: int, last: int, *schedules: Schedule, history: History | None = None) -> Resolved:
    return resolve(replace(FACTS, schedules=schedules), history or History(), first, last)


def clock(frame: int) -> str:
    return moment_of(frame).astimezone(BERLIN).strftime("%d.%m. %H:%M")


def called(found: Resolved, seconds: int | None = None) -> list[str]:
    return [
        clock(event.start)
        for event, media_ in found.events
        if seconds is None or media_.frames == seconds * FRAME_RATE
    ]


def programme(found: Resolved) -> list[tuple[str, str, str]]:
    names = {str(DAY): "day", str(NIGHT): "night", str(XMAS): "xmas"}
    return [(clock(s.block.at), clock(s.end), names[s.block.source]) for s in found.music]


def outcomes(found: Resolved, **state: object) -> dict[str, tuple[str, str]]:
    """What becomes of each announcement where the zone has this state: its word, and why."""
    document = programme_of(found.music, found.events)
    first = document.blocks[0]
    zone = ZoneState(
        zone=str(FACTS.zone),
        epoch=1,
        rev=1,
        programmes=(ProgrammeRef(sha256=document.sha256(), from_=first.at),),
        anchor=Anchor(at=first.at, block=first.id, pos=first.pos),
    ).model_copy(update=state)
    settled = timeline.settle({document.sha256(): document}, zone)
    return {clock(o.start): (o.state, o.reason) for o in timeline.outcomes(settled)}


def test_closing_calls_sound_on_their_very_frames_in_the_middle_of_songs() -> None:
    calls = Schedule(
        UUID(int=1), "closing", Timing(when=At((time(19, 45), time(19, 55)))), message=CLOSING
    )
    found = plan(at(3, 1), at(3, 3), ALL_DAY, calls)
    assert called(found) == ["01.03. 19:45", "01.03. 19:55", "02.03. 19:45", "02.03. 19:55"]
    assert [e.start for e, _ in found.events][:2] == [at(3, 1, 19, 45), at(3, 1, 19, 55)]
    assert set(outcomes(found).values()) == {("played", "")}


def test_every_twenty_minutes_between_nine_and_five() -> None:
    offers = Schedule(
        UUID(int=1),
        "offers",
        Timing(span=Span(time(9), time(17)), days=Days(frozenset(range(6))), when=Every(20)),
        message=OFFER,
    )
    found = called(plan(at(3, 6), at(3, 9), ALL_DAY, offers))  # Saturday to Monday
    assert found[:4] == ["06.03. 09:00", "06.03. 09:20", "06.03. 09:40", "06.03. 10:00"]
    assert found[23:25] == ["06.03. 16:40", "08.03. 09:00"]
    assert len(found) == 48


def test_a_christmas_week_takes_the_day_parts_over() -> None:
    evening = Schedule(
        UUID(int=1), "evening", Timing(span=Span(time(18), time(22))), channel=NIGHT, priority=10
    )
    week = Days(first=date(2027, 12, 20), last=date(2027, 12, 26))
    xmas = Schedule(
        UUID(int=2), "christmas", Timing(span=Span(time(8), time(20)), days=week),
        channel=XMAS, priority=10,
    )  # fmt: skip
    found = plan(at(12, 19, 12), at(12, 21), ALL_DAY, evening, xmas)
    assert programme(found) == [
        ("19.12. 12:00", "19.12. 18:00", "day"),
        ("19.12. 18:00", "19.12. 22:00", "night"),
        ("19.12. 22:00", "20.12. 08:00", "day"),
        ("20.12. 08:00", "20.12. 20:00", "xmas"),
        ("20.12. 20:00", "20.12. 22:00", "night"),
        ("20.12. 22:00", "21.12. 00:00", "day"),
    ]
    [why] = [found.why[s.block.id] for s in found.music if s.block.source == str(XMAS)]
    assert [(name, lost) for _, name, lost in why.rivals] == [
        ("day", "breadth"), ("evening", "weekly"),
    ]  # fmt: skip
    [late] = [found.why[s.block.id] for s in found.music if clock(s.block.at) == "20.12. 20:00"]
    assert late.name == "evening"


def test_the_first_saturday_of_each_month_takes_the_evening_over() -> None:
    saturdays = Timing(span=Span(time(18), time(22)), days=Days(frozenset({5})))
    firsts = Days(first=date(2027, 1, 1), rule=ical.recurrence("FREQ=MONTHLY;BYDAY=1SA"))
    evening = Schedule(UUID(int=1), "evening", saturdays, channel=NIGHT, priority=10)
    party = Schedule(
        UUID(int=2), "party", replace(saturdays, days=firsts), channel=XMAS, priority=10
    )
    found = programme(plan(at(3, 1), at(3, 15), ALL_DAY, evening, party))
    assert [one for one in found if one[2] != "day"] == [
        ("06.03. 18:00", "06.03. 22:00", "xmas"),
        ("13.03. 18:00", "13.03. 22:00", "night"),
    ]


def test_a_hotel_lobby_has_its_night_over_midnight_and_over_the_change_of_the_clock() -> None:
    nights = Timing(span=Span(time(22), time(6)), days=Days(frozenset({4, 5})))
    lobby = Schedule(UUID(int=1), "night", nights, channel=NIGHT, priority=20)
    found = plan(at(3, 26, 12), at(3, 29, 12), ALL_DAY, lobby)
    assert programme(found) == [
        ("26.03. 12:00", "26.03. 22:00", "day"),
        ("26.03. 22:00", "27.03. 06:00", "night"),
        ("27.03. 06:00", "27.03. 22:00", "day"),
        ("27.03. 22:00", "28.03. 06:00", "night"),
        ("28.03. 06:00", "29.03. 12:00", "day"),
    ]
    short = found.music[3]
    assert short.end - short.block.at == 7 * 60 * MINUTE, "the night of the change is short"


def test_a_holiday_has_hours_of_its_own() -> None:
    hours = Timing(
        span=Span(time(9), time(20)),
        specials=(Special(HOLIDAYS, Span(time(9), time(14))),),
    )
    late = Schedule(
        UUID(int=1), "closing", replace(hours, when=At((time(19, 45),))), message=CLOSING
    )
    holiday = replace(hours, when=At((time(13, 45),)), days=Days(only=frozenset({HOLIDAYS})))
    early = Schedule(UUID(int=2), "closing early", holiday, message=CLOSING)
    found = plan(at(12, 23), at(12, 26), ALL_DAY, late, early)
    assert called(found) == ["23.12. 19:45", "24.12. 13:45", "25.12. 19:45"]


def test_of_two_priorities_the_higher_cuts_and_equal_ones_wait_for_each_other() -> None:
    noon = Timing(when=At((time(12),)))
    offer = Schedule(UUID(int=1), "offer", noon, message=OFFER, priority=30)
    closing = Schedule(UUID(int=2), "closing", noon, message=CLOSING, priority=30)
    door = Schedule(
        UUID(int=3), "door", noon, message=FIRE_DOOR, priority=60,
        start=Start(late_by=None),
    )  # fmt: skip
    found = plan(at(3, 1), at(3, 2), ALL_DAY, offer, closing, door)
    document = programme_of(found.music, found.events)
    first = document.blocks[0]
    state = ZoneState(
        zone=str(FACTS.zone), epoch=1, rev=1,
        programmes=(ProgrammeRef(sha256=document.sha256(), from_=first.at),),
        anchor=Anchor(at=first.at, block=first.id, pos=0),
    )  # fmt: skip
    settled = timeline.settle({document.sha256(): document}, state)
    spoken = [
        (one.media.frames // FRAME_RATE, (one.start - at(3, 1, 12)) // FRAME_RATE)
        for one in timeline.segments(settled, at(3, 1, 11, 59), at(3, 1, 12, 2))
        if one.role == "event"
    ]
    assert spoken == [(10, 0), (20, 10), (15, 30)]


def test_what_an_outage_made_late_is_missed_and_said_so() -> None:
    calls = Schedule(
        UUID(int=1),
        "closing",
        Timing(when=At((time(19, 45), time(19, 55), time(20, 5)))),
        message=CLOSING,
        start=Start(late_by=60_000),
    )
    found = plan(at(3, 1, 12), at(3, 1, 22), ALL_DAY, calls)
    stopped = Window(from_=at(3, 1, 19, 50), until=at(3, 1, 20))
    assert outcomes(found, stopped=stopped) == {
        "01.03. 19:45": ("played", ""),
        "01.03. 19:55": ("missed", "stopped"),
        "01.03. 20:05": ("played", ""),
    }


def test_a_plan_for_another_time_zone_is_another_plan() -> None:
    calls = Schedule(UUID(int=1), "noon", Timing(when=At((time(12),))), message=CLOSING)
    start = datetime(2027, 3, 1, tzinfo=UTC)
    there = replace(FACTS, tz=ZoneInfo("America/New_York"), schedules=(ALL_DAY, calls))
    found = resolve(there, History(), frame_of(start), frame_of(start + timedelta(days=1)))
    assert [moment_of(e.start) for e, _ in found.events] == [start + timedelta(hours=17)]
