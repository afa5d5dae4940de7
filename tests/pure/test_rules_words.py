"""Small rules of all domains, each with what it refuses."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import pytest

from sync2gear_broker import topics
from sync2gear_platform.announcements import rules as announcements
from sync2gear_platform.announcements.ports import Prosody
from sync2gear_platform.channels import rules as channels
from sync2gear_platform.fleet import rules as fleet
from sync2gear_platform.identity import rules as identity
from sync2gear_platform.library import rules as library
from sync2gear_platform.notifications import rules as notifications
from sync2gear_platform.privacy import rules as privacy
from sync2gear_platform.schedules import rules as schedules

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("state", "made", "told"),
    [
        ("ready", timedelta(days=1), "ready"),
        ("ready", privacy.KEPT, "expired"),
        ("running", timedelta(hours=1), "running"),
        ("running", privacy.STUCK, "failed"),
        ("failed", timedelta(hours=1), "failed"),
    ],
)
def test_an_archive_expires_and_one_that_is_written_for_ever_has_failed(
    state: str, made: timedelta, told: str
) -> None:
    created = NOW - made
    assert privacy.state_of(state, created, created + privacy.KEPT, NOW) == told


@pytest.mark.parametrize(
    ("purging", "due", "final"),
    [(None, NOW, True), (None, NOW + timedelta(hours=1), False), (NOW, NOW + privacy.KEPT, True)],
)
def test_a_deletion_is_final_once_it_is_due_or_has_begun(
    purging: datetime | None, due: datetime, final: bool
) -> None:
    assert privacy.is_final(due, purging, NOW) is final


@pytest.mark.parametrize(
    ("values", "now", "when"),
    [
        ({"mode": "timeline", "start_time": time(9)}, {"type": "announcement"}, ["09:00:00"]),
        ({"interval_type": "tracks", "interval_minutes": 4}, {"type": "announcement"}, 4),
        ({"interval_minutes": 7}, {"when": {"kind": "after_tracks", "tracks": 4}}, 7),
    ],
)
def test_the_words_of_document_001_are_understood(
    values: dict[str, Any], now: dict[str, Any], when: object
) -> None:
    said = schedules.translated(values, now)["when"]
    assert when in said.values()
    assert "mode" not in values


@pytest.mark.parametrize(
    ("values", "now", "refusal"),
    [
        ({"mode": "timeline", "when": {"kind": "at"}}, {}, schedules.TwoWords),
        ({"mode": "timeline", "interval_minutes": 5}, {}, schedules.TwoWords),
        ({"mode": "interval"}, {"when": None}, schedules.HalfAnInterval),
        ({"interval_type": "time"}, {"when": None}, schedules.HalfAnInterval),
        (
            {"type": "music", "interval_type": "time", "interval_minutes": 5},
            {},
            schedules.WrongWhen,
        ),
    ],
)
def test_half_of_an_interval_or_two_words_for_one_thing_are_refused(
    values: dict[str, Any], now: dict[str, Any], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        schedules.translated(values, now)


def test_of_words_that_are_not_document_001s_nothing_is_made() -> None:
    assert schedules.translated({"name": "Morning"}, {}) == {"name": "Morning"}
    assert schedules.interval_of({"kind": "every", "minutes": 20}) == ("time", 20)
    by_time = {"interval_type": "time", "interval_minutes": 20}
    made = schedules.translated(by_time, {"type": "announcement"})["when"]
    assert made == {"kind": "every", "minutes": 20, "anchored": True}


def schedule(**more: Any) -> dict[str, Any]:
    """What a schedule of music says."""
    return {"type": "music", "channel_id": "c", "everywhere": True, **more}


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"folder_id": "f"}, schedules.WrongContent),
        ({"channel_id": None}, schedules.WrongContent),
        ({"channel_id": None, "announcement_id": "a"}, schedules.WrongContent),
        ({"when": {"kind": "at", "times": ["09:00"]}}, schedules.WrongWhen),
        (
            {"first_date": NOW.date(), "last_date": NOW.date() - timedelta(days=1)},
            schedules.DatesTurned,
        ),
        ({"recurrence": "FREQ=DAILY;INTERVAL=2"}, schedules.NoFirstDate),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(
    wrong: dict[str, Any], refusal: type[Exception]
) -> None:
    schedules.check(schedule(), is_new=True)
    schedules.check(schedule(recurrence="FREQ=DAILY", first_date=NOW.date()), is_new=True)
    with pytest.raises(refusal):
        schedules.check(schedule(**wrong), is_new=True)


def test_a_schedule_whose_content_is_gone_stays() -> None:
    schedules.check(schedule(channel_id=None), is_new=False)


def test_channels_nest_four_deep_and_never_in_a_circle() -> None:
    a, b, c, d, e = (uuid4() for _ in range(5))
    channels.check_nesting({a: {b}, b: {c}, c: {d}}, a)
    for inside in ({a: {a}}, {a: {b}, b: {c}, c: {a}}):
        with pytest.raises(channels.ChannelInItself):
            channels.check_nesting(inside, a)
    for middle in (a, c, d):
        with pytest.raises(channels.ChannelsTooDeep):
            channels.check_nesting({a: {b}, b: {c}, c: {d}, d: {e}}, middle)
    # a circle elsewhere is not this channel's
    channels.check_nesting({b: {c}, c: {b}}, a)


def test_an_order_and_a_pattern_name_the_lines_that_there_are() -> None:
    one, two = uuid4(), uuid4()
    channels.check_order([two, one], [one, two])
    for wrong in ([one], [one, one], [one, uuid4()]):
        with pytest.raises(channels.WrongItems):
            channels.check_order(wrong, [one, two])
    channels.check_pattern([str(one), str(one)], [one, two])
    with pytest.raises(channels.UnknownTurn):
        channels.check_pattern([str(uuid4())], [one])


def test_a_secret_is_known_by_its_hash_alone() -> None:
    hashed = fleet.hash_secret("secret", b"salt of twelve")
    assert fleet.verify_secret("secret", hashed)
    assert not fleet.verify_secret("Secret", hashed)
    rest = hashed.removeprefix("$7$101$")
    for wrong in ("", "$6$101$" + rest, "$7$many$" + rest, "$7$101$%%%$" + rest.split("$")[1]):
        assert not fleet.verify_secret("secret", wrong)


def test_what_an_announcement_is_called_and_kept_by() -> None:
    assert announcements.title_of("  We close\nsoon. ") == "We close soon."
    long = announcements.title_of(
        "We are closing in ten minutes, dear customers, please come again"
    )
    assert long == "We are closing in ten minutes, dear customers, please come…"
    keys = {
        announcements.cache_key(said, voice, Prosody(rate=rate), "text")
        for said in ("a", "b")
        for voice in ("de", "en")
        for rate in (100, 120)
    }
    assert len(keys) == 8
    assert announcements.month_of(NOW) == NOW.date()


def test_small_words_of_other_domains() -> None:
    assert identity.is_confinable("zones.read")
    assert not identity.is_confinable("users.write")
    unfit = library.Unfit("silent")
    assert (unfit.code, str(unfit)) == ("silent", library.REASONS["silent"])
    assert notifications.verdict("recipient", 550) == "dead"
    assert notifications.verdict("other", 550) == "again"
    assert notifications.verdict("data", 451) == "again"
    assert privacy.due_at(NOW, 30) == NOW + timedelta(days=30)
    client = str(uuid4())
    assert topics.zones_filter(client) == f"s2g/1/{client}/_z/#"
