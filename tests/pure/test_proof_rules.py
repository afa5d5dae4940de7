"""What was planned of a settled timeline, and what events and silence make of it."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync2gear_broker import timeline
from sync2gear_broker.messages import (
    Anchor,
    Block,
    Emergency,
    Event,
    LiveEvent,
    Media,
    Programme,
    ProgrammeRef,
    Window,
    ZoneState,
)
from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.kit.clock import frames_of
from sync2gear_platform.library.rules import isrc_of
from sync2gear_platform.proof import reports, rules, spans
from sync2gear_platform.proof.reckoning import QUIET, covered
from sync2gear_platform.proof.reports import Column, Row
from sync2gear_platform.proof.rules import Place, Planned, Reign, Speaker, Told, Verdict
from sync2gear_platform.proof.spans import BadDays, Span
from sync2gear_platform.schedules.ledger import BASE, HAND

SECOND = FRAME_RATE
ZONE = UUID(int=7)
T0 = 1_000_000 * SECOND
LONG = 100 * T0
A, B, C = (UUID(int=n) for n in (1, 2, 3))


def media(n: int, seconds: int, kind: str = "music") -> Media:
    return Media.model_validate(
        {"sha256": f"{n:064x}", "bytes": 1, "frames": seconds * SECOND, "kind": kind}
    )


SONGS = (media(1, 100), media(2, 200), media(3, 300))
VOICE = media(9, 10, "announcement")


def call(name: str, at: int, **more: object) -> Event:
    return Event.model_validate({"id": name, "start": T0 + at * SECOND, "media": 3, **more})


def settled(*events: Event, songs: tuple[Media, ...] = SONGS, **state: object) -> timeline.Settled:
    block = Block(id="b1", source="s", at=T0, items=tuple(range(len(songs))))
    programme = Programme(media=(*songs, VOICE), blocks=(block,), events=events)
    sha256 = programme.sha256()
    whole = ZoneState.model_validate(
        {
            "zone": str(ZONE), "epoch": 1, "rev": 1,
            "programmes": [ProgrammeRef.model_validate({"sha256": sha256, "from": T0})],
            "anchor": Anchor(at=T0, block="b1", pos=0), **state,
        }
    )  # fmt: skip
    return timeline.settle({sha256: programme}, whole)


def told(
    found: tuple[list[Planned], int],
) -> list[tuple[str, int, int, int, str]]:
    return [
        (
            one.media.sha256[-1],
            (one.begins - T0) // SECOND,
            (one.ends - T0) // SECOND,
            one.frames // SECOND,
            one.silenced,
        )
        for one in found[0]
    ]


def window(a: int, b: int, one: timeline.Settled) -> tuple[list[Planned], int]:
    return rules.planned([Reign(T0, LONG, one)], T0 + a * SECOND, T0 + b * SECOND)


def test_what_begins_in_a_window_and_is_over_in_it_is_told_and_the_rest_later() -> None:
    found, since = window(0, 250, settled())
    assert told((found, since)) == [("1", 0, 100, 100, "")]
    assert since == T0 + 100 * SECOND
    assert told(window(100, 650, settled())) == [("2", 100, 300, 200, ""), ("3", 300, 600, 300, "")]
    assert told(window(50, 350, settled())) == [("2", 100, 300, 200, "")], "what began before"
    assert rules.planned([], T0, T0 + SECOND) == ([], T0 + SECOND)
    before = rules.planned(
        [Reign(T0, T0 + 50 * SECOND, settled())], T0 + 90 * SECOND, T0 + 99 * SECOND
    )
    assert before == ([], T0 + 99 * SECOND)


def test_a_pause_is_part_of_the_piece_that_it_stops() -> None:
    one = settled(call("c", 40))
    assert told(window(0, 120, one)) == [("1", 0, 110, 100, ""), ("9", 40, 50, 10, "")]
    found, since = window(0, 45, one)
    assert told((found, since)) == []
    assert since == T0, "both go on"
    found, since = window(0, 50, one)
    assert told((found, since)) == [("9", 40, 50, 10, "")]
    assert since == T0, "the music waits for its end"
    assert [p.name for p in window(0, 120, one)[0]][1] == "c"


def test_what_sounds_for_a_day_is_told_as_it_stands() -> None:
    song = media(1, 3 * 86_400)
    one = settled(songs=(song, SONGS[1]))
    day = 86_400
    assert window(0, day - 1, one) == ([], T0)
    found, since = window(0, day, one)
    assert told((found, since)) == [("1", 0, day, day, "")]
    assert since == T0 + day * SECOND
    assert window(day, 2 * day, one)[0] == []


def test_states_that_follow_one_another_are_one_account() -> None:
    first = settled(call("c", 40))
    later = settled(call("c", 40), hold=Window.model_validate({"from": T0 + 70 * SECOND}))
    reigns = [Reign(T0, T0 + 60 * SECOND, first), Reign(T0 + 60 * SECOND, LONG, later)]
    found, since = rules.planned(reigns, T0, T0 + 500 * SECOND)
    assert told((found, since)) == [("9", 40, 50, 10, "")]
    assert since == T0, "people paused it, and may go on"


def test_what_the_plan_lets_not_be_heard_says_why() -> None:
    stop = Window.model_validate({"from": T0 + 30 * SECOND, "until": T0 + 60 * SECOND})
    one = settled(
        call("stopped", 40), call("late", 205, late_by=0), call("long", 203), stopped=stop
    )
    silent = [line for line in told(window(0, 700, one)) if line[4]]
    assert silent == [("9", 40, 50, 10, "stopped"), ("9", 205, 215, 10, "late")]


def test_an_emergency_is_one_piece_however_many_rounds_it_goes() -> None:
    alarm = Emergency(gen=3, active=True, start=T0 + 20 * SECOND, end=T0 + 55 * SECOND, media=VOICE)
    found = [one for one in window(0, 400, settled(emergency=alarm))[0] if one.item[0] == "e"]
    assert [(one.name, one.frames // SECOND) for one in found] == [("emergency:3", 35)]


def test_live_calls_are_told_by_their_own_name() -> None:
    live = LiveEvent(id=UUID(int=5).hex, start=T0 + 10 * SECOND, media=VOICE)
    found = [one for one in window(0, 400, settled(live=(live,)))[0] if one.media == VOICE]
    assert [one.name for one in found] == [UUID(int=5).hex]


@given(cut=st.integers(1, 1499), at=st.integers(0, 1400), stop=st.integers(0, 1400))
def test_looking_twice_tells_what_looking_once_does(cut: int, at: int, stop: int) -> None:
    hold = Window.model_validate({"from": T0 + stop * SECOND, "until": T0 + (stop + 20) * SECOND})
    one = settled(call("c", at), call("d", 700), hold=hold)
    whole, since = window(0, 1500, one)
    first, middle = window(0, cut, one)
    second, end = rules.planned([Reign(T0, LONG, one)], middle, T0 + 1500 * SECOND)
    assert end == since
    assert {piece.name: piece for piece in (*first, *second)} == {p.name: p for p in whole}


@pytest.mark.parametrize(
    ("item", "source", "schedule"),
    [
        ("emergency:4", "emergency", None),
        (C.hex, "call", None),
        ("b123", "hand", None),
        (f"{HAND.id.hex}.5", "hand", None),
        (f"{BASE.id.hex}.5", "base", None),
        (f"{C.hex}.77", "schedule", C),
        ("strange", "hand", None),
    ],
)
def test_the_name_of_an_item_says_what_put_it_there(
    item: str, source: str, schedule: UUID | None
) -> None:
    assert rules.source_of(item) == (source, schedule)
    assert rules.id_of(ZONE, item) == rules.id_of(ZONE, item) != rules.id_of(A, item)


def event(kind: str = "started", at: int = 0, device: UUID = A, **more: object) -> Told:
    values = {"media_kind": "music", "item": "b1", "sha256": "s", "planned": 0, **more}
    return Told(device=device, kind=kind, at=at, **values)  # type: ignore[arg-type]


def judged(
    *events: Told, there: tuple[UUID, ...] = (A,), silenced: str = "", **known: Speaker
) -> Verdict:
    speakers = {A: known.get("a", Speaker()), B: known.get("b", Speaker())}
    return rules.verdict(
        0, 100 * SECOND, silenced, there=there, told=events, speakers=speakers, now=200 * SECOND
    )


TOLD_ALL = Speaker(covered=100 * SECOND + rules.GRACE)


def test_one_audible_speaker_is_enough_and_the_first_one_says_whether_it_was_late() -> None:
    ends = event("finished", 100 * SECOND, frames=100 * SECOND)
    assert judged(event(), ends) == Verdict("played", "", 0, 100 * SECOND, 1)
    assert judged(event(at=2 * SECOND)) == Verdict("late", "", 2 * SECOND, 0, 1)
    both = judged(event(at=2 * SECOND), event(at=10, device=B), there=(A, B))
    assert both == Verdict("played", "", 10, 0, 2)
    twice = judged(
        event(), event("finished", 9, frames=9), event(at=50), event("finished", 90, frames=4)
    )
    assert twice.heard == 13
    assert judged(event(), silenced="stopped").outcome == "played", "what was heard was heard"


def test_a_piece_is_missed_only_if_every_speaker_says_so() -> None:
    muted = event(audible=False)
    lacking = event("missed", device=B, reason="not_held")
    assert judged(muted) == Verdict("missed", "muted")
    assert judged(muted, lacking, there=(A, B)) == Verdict("missed", "muted")
    assert judged(lacking, there=(A, B)) == Verdict("pending")
    assert judged(lacking, there=(A, B), a=TOLD_ALL) == Verdict("missed", "no_media")
    assert judged(a=TOLD_ALL) == Verdict("missed", "no_report")
    assert judged(event("missed", reason="")) == Verdict("missed", "not_played")
    assert judged(there=()) == Verdict("missed", "no_speaker")
    assert judged(silenced="priority") == Verdict("missed", "priority")


def test_what_is_lost_is_unknown_and_not_missed() -> None:
    lost = ((90 * SECOND, 120 * SECOND),)
    assert judged(a=Speaker(TOLD_ALL.covered, lost)) == Verdict("unknown", "gap")
    assert (
        judged(a=Speaker(TOLD_ALL.covered, ((101 * SECOND, 120 * SECOND),))).reason == "no_report"
    )
    assert judged(a=Speaker(gone=True)) == Verdict("unknown", "gone")
    assert judged(there=(C,)) == Verdict("unknown", "gone"), "it has no account any more"
    late = rules.verdict(
        0, 1, "", there=(A,), told=(), speakers={A: Speaker()}, now=rules.GIVE_UP + 2
    )
    assert late == Verdict("unknown", "never_told")
    assert judged(there=(A, B), a=Speaker(gone=True)) == Verdict("pending")


def test_events_find_their_lines_also_after_a_pause_and_others_are_left() -> None:
    first = Place(uuid4(), "b1", "s", 0, 100, exact=True)
    again = Place(uuid4(), "b1", "s", 300, 400, exact=True)
    spoken = Place(uuid4(), "c", "v", 50, 60, exact=False)
    events = [
        event(planned=0), event(planned=40), event(planned=300), event(planned=200),
        event(item="c", sha256="v", planned=49), event(item="c", sha256="other", planned=50),
    ]  # fmt: skip
    found, rest = rules.sorted_out([again, spoken, first], events)
    assert found == {first.id: events[:2], again.id: [events[2]], spoken.id: [events[4]]}
    assert rest == [events[3], events[5]]


def test_a_quiet_connected_speaker_has_told_everything() -> None:
    now = datetime(2027, 1, 1, tzinfo=UTC)
    quiet = frames_of(now - QUIET)
    assert covered(now, online=True, last=5, spoke=None) == quiet
    assert covered(now, online=True, last=5, spoke=now - timedelta(minutes=3)) == quiet
    assert covered(now, online=True, last=5, spoke=now) == 5
    assert covered(now, online=False, last=5, spoke=None) == 5


def day(text: str) -> date:
    return date.fromisoformat(text)


def test_days_are_a_week_unless_said() -> None:
    today = day("2027-03-10")
    assert spans.span_of(None, None, today) == Span(day("2027-03-04"), today)
    assert spans.span_of(day("2027-04-01"), None, today) == Span(
        day("2027-04-01"), day("2027-04-01")
    )
    for first, last in (("2027-03-02", "2027-03-01"), ("2007-03-02", "2027-03-01")):
        with pytest.raises(BadDays):
            spans.span_of(day(first), day(last), today)


def test_whole_months_are_told_from_days() -> None:
    def split(first: str, last: str) -> tuple[str, list[str]]:
        months, edges = spans.split(Span(day(first), day(last)))
        named = f"{months.first:%m}-{months.last:%m}" if months else ""
        return named, [f"{e.first:%m%d}-{e.last:%m%d}" for e in edges]

    assert split("2027-02-01", "2027-02-28") == ("02-02", [])
    assert split("2027-01-15", "2027-03-31") == ("02-03", ["0115-0131"])
    assert split("2027-01-15", "2027-04-02") == ("02-03", ["0115-0131", "0401-0402"])
    assert split("2027-01-15", "2027-02-10") == ("", ["0115-0210"])
    assert split("2027-12-01", "2028-01-01") == ("12-12", ["0101-0101"])


def test_rows_fill_the_columns_of_reports() -> None:
    span = Span(day("2027-01-01"), day("2027-01-31"))
    row = Row("w", "Song", "Who", "", "", 3725 * SECOND, 10 * SECOND, 4, 2, "Bar", "Clara")
    keys = tuple(reports.FITTING["work"] | reports.FITTING["play"] | {"zone"})
    cells = dict(zip(keys, reports.filled([Column(k, "") for k in keys], span)(row), strict=True))
    assert cells == {
        "title": "Song", "artist": "Who", "composer": "Clara", "album": "", "isrc": "",
        "work": "w", "plays": 4,
        "zones": 2, "zone": "Bar", "duration": "1:02:05", "duration_seconds": 3725, "seconds": 10,
        "day": "", "time": "", "source": "", "manner": "", "blank": "",
        "period_from": "2027-01-01", "period_to": "2027-01-31",
    }  # fmt: skip
    at = frames_of(datetime(2027, 1, 1, 23, 30, tzinfo=UTC))
    one = row._replace(at=at, tz="Europe/Berlin")
    assert reports.filled([Column("day", ""), Column("time", "")], span)(one) == [
        "2027-01-02", "00:30:00",
    ]  # fmt: skip
    gone = reports.of_own("Ours", A, "work", [{"key": "gone", "heading": "G"}])
    assert gone.columns == (Column("blank", "G"),)
    for template in reports.BUILT_IN.values():
        assert {column.key for column in template.columns} <= reports.FITTING[template.grain]


def test_an_isrc_is_one_or_nothing() -> None:
    assert isrc_of(" de-a12-27-00001 ") == "DEA122700001"
    assert isrc_of("DEA1227000011") == isrc_of("nothing") == ""
