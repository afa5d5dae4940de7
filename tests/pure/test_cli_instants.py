"""Instants as people say them, by the clock of a venue."""

import contextlib
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync2gear_cli.instants import day, parse, past

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2027, 3, 3, 9, 30, tzinfo=UTC)
"""A Wednesday, half past ten in Berlin."""


def local(words: str, *, now: datetime = NOW, base: datetime | None = None) -> str:
    found = parse(words, BERLIN, now, base)
    assert found.tzinfo is UTC
    return f"{found.astimezone(BERLIN):%a %d.%m. %H:%M:%S}"


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("now", "Wed 03.03. 10:30:00"),
        ("today", "Wed 03.03. 10:30:00"),
        ("today 9:00", "Wed 03.03. 09:00:00"),
        ("14:00", "Wed 03.03. 14:00:00"),
        ("10:30", "Wed 03.03. 10:30:00"),
        ("10:29:59", "Thu 04.03. 10:29:59"),
        ("9", "Thu 04.03. 09:00:00"),
        ("9 am", "Thu 04.03. 09:00:00"),
        ("at 2:30pm", "Wed 03.03. 14:30:00"),
        ("12 am", "Thu 04.03. 00:00:00"),
        ("noon", "Wed 03.03. 12:00:00"),
        ("midnight", "Thu 04.03. 00:00:00"),
        ("tomorrow", "Thu 04.03. 00:00:00"),
        ("Tomorrow  at noon", "Thu 04.03. 12:00:00"),
        ("sat 14:00", "Sat 06.03. 14:00:00"),
        ("Saturday at 2 pm", "Sat 06.03. 14:00:00"),
        ("wed 10:30", "Wed 03.03. 10:30:00"),
        ("wed 10:00", "Wed 10.03. 10:00:00"),
        ("we", "Wed 10.03. 00:00:00"),
        ("tue", "Tue 09.03. 00:00:00"),
        ("2027-03-05", "Fri 05.03. 00:00:00"),
        ("2027-03-05 9:15", "Fri 05.03. 09:15:00"),
        ("2027-03-05 at noon", "Fri 05.03. 12:00:00"),
        ("2027-03-05T14:00", "Fri 05.03. 14:00:00"),
        ("2027-03-05t14:00:07Z", "Fri 05.03. 15:00:07"),
        ("2027-03-05 14:00+05:30", "Fri 05.03. 09:30:00"),
        ("in 2 hours", "Wed 03.03. 12:30:00"),
        ("+90m", "Wed 03.03. 12:00:00"),
        ("in 1 week", "Wed 10.03. 10:30:00"),
        ("+30s", "Wed 03.03. 10:30:30"),
    ],
)
def test_words_mean_an_instant_of_the_venue(words: str, meant: str) -> None:
    assert local(words) == meant


@pytest.mark.parametrize(
    "words",
    [
        "", "soon", "25:00", "14:60", "13 pm", "0 am", "sat noonish", "s 14:00", "2027-02-30",
        "2027-02-30T10:00", "2027-13-01T10:00", "24", "9999-12-31T23:59-10:00",
        "in two hours", "yesterday", "٣:00",
    ],
)  # fmt: skip
def test_what_is_no_instant_is_refused(words: str) -> None:
    with pytest.raises(ValueError, match=r"no time|no date|no such|far away"):
        parse(words, BERLIN, NOW)


def test_the_end_of_time_is_refused() -> None:
    last = datetime(9999, 12, 31, 20, tzinfo=UTC)
    for words in ("in 9 hours", "tomorrow", "12:00", "fri"):
        with pytest.raises(ValueError, match="far away"):
            parse(words, BERLIN, last)


def test_an_end_is_sought_from_the_beginning_on() -> None:
    base = parse("sat 22:00", BERLIN, NOW)
    assert local("2:00", base=base) == "Sun 07.03. 02:00:00"
    assert local("sat 21:00", base=base) == "Sat 13.03. 21:00:00"
    assert local("in 2 hours", base=base) == "Sun 07.03. 00:00:00"
    assert local("tomorrow 9:00", base=base) == "Thu 04.03. 09:00:00"


def test_clocks_that_change() -> None:
    before = datetime(2027, 3, 27, 12, tzinfo=UTC)
    assert local("sun 2:30", now=before) == "Sun 28.03. 03:30:00"
    autumn = datetime(2027, 10, 30, 12, tzinfo=UTC)
    first = parse("sun 2:30", BERLIN, autumn)
    assert first == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
    assert parse("+1h", BERLIN, first) == datetime(2027, 10, 31, 1, 30, tzinfo=UTC)


@given(st.text(max_size=40), st.sampled_from(["Europe/Berlin", "Pacific/Apia", "UTC"]))
def test_any_words_mean_an_instant_or_are_refused(words: str, zone: str) -> None:
    with contextlib.suppress(ValueError):
        assert parse(words, ZoneInfo(zone), NOW).tzinfo is UTC


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("now", "Wed 03.03. 10:30:00"),
        ("today", "Wed 03.03. 00:00:00"),
        ("yesterday", "Tue 02.03. 00:00:00"),
        ("Yesterday at 2 pm", "Tue 02.03. 14:00:00"),
        ("9:00", "Wed 03.03. 09:00:00"),
        ("14:00", "Tue 02.03. 14:00:00"),
        ("noon", "Tue 02.03. 12:00:00"),
        ("sat 14:00", "Sat 27.02. 14:00:00"),
        ("wed", "Wed 03.03. 00:00:00"),
        ("thursday", "Thu 25.02. 00:00:00"),
        ("2 hours ago", "Wed 03.03. 08:30:00"),
        ("3d ago", "Sun 28.02. 10:30:00"),
        ("2027-02-01", "Mon 01.02. 00:00:00"),
        ("2027-02-01 9:15", "Mon 01.02. 09:15:00"),
        ("2027-02-01T14:00", "Mon 01.02. 14:00:00"),
        ("2027-02-01T14:00Z", "Mon 01.02. 15:00:00"),
    ],
)
def test_words_mean_an_instant_behind_us(words: str, meant: str) -> None:
    found = past(words, NOW, BERLIN)
    assert found.tzinfo is UTC
    assert f"{found.astimezone(BERLIN):%a %d.%m. %H:%M:%S}" == meant


def test_without_a_venue_it_goes_by_this_machine() -> None:
    assert past("2027-02-01T14:00", NOW) == datetime(2027, 2, 1, 14).astimezone()
    assert past("2027-02-01", NOW) == datetime(2027, 2, 1).astimezone()


@pytest.mark.parametrize(
    "words",
    [
        "",
        "last week",
        "25:00",
        "tomorrow",
        "2027-02-30",
        "2027-02-30T10:00",
        "9999-12-31T23:59-10:00",
    ],
)
def test_what_is_no_instant_behind_us_is_refused(words: str) -> None:
    with pytest.raises(ValueError, match=r"no time; say \"yesterday\"|far away"):
        past(words, NOW, BERLIN)


def test_days_behind_us() -> None:
    here = NOW.astimezone(BERLIN)
    found = [f"{day(words, here):%d.%m.}" for words in ("today", "yesterday", "sat", "2027-01-09")]
    assert found == ["03.03.", "02.03.", "27.02.", "09.01."]
    with pytest.raises(ValueError, match="is no day; say 2027-12-24"):
        day("spring", here)


@given(st.text(max_size=40), st.sampled_from(["Europe/Berlin", "Pacific/Apia", "UTC"]))
def test_any_words_mean_an_instant_behind_us_or_are_refused(words: str, zone: str) -> None:
    with contextlib.suppress(ValueError):
        assert past(words, NOW, ZoneInfo(zone)).tzinfo is UTC
