"""Small rules of domains: what an archive is, and document 001's words of a schedule's time."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

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
