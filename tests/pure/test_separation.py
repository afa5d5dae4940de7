"""Which tracks count as the same artist or title, and when one may be played."""

import unicodedata
from dataclasses import dataclass, field
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync2gear_platform.library import separation
from sync2gear_platform.library.separation import artist_keys, folded, title_key, unplayable, words


@pytest.mark.parametrize(
    ("text", "plain"),
    [("BJÖRK", "bjork"), ("Sigur Rós", "sigur ros"), ("Straße", "strasse"), ("Mø", "mo"),
     ("Łódź", "lodz"), ("ﬁne", "fine"), ("İstanbul", "istanbul")],
)  # fmt: skip
def test_case_and_accents_do_not_matter(text: str, plain: str) -> None:
    assert folded(text) == plain
    assert folded(unicodedata.normalize("NFD", text)) == plain


@given(st.text(max_size=40))
def test_folding_twice_is_folding_once_for_words(text: str) -> None:
    once = words(text)
    assert words(" ".join(once)) == once
    assert all(1 <= len(word) <= separation.MAX_WORD for word in once)


@pytest.mark.parametrize(
    ("artist", "keys"),
    [
        ("Daft Punk feat. Pharrell Williams", ["daft punk", "pharrell williams"]),
        ("Queen & David Bowie", ["queen david bowie"]),
        ("The Beatles", ["beatles"]),
        ("A-ha", ["a ha"]),
        ("Moby (ft. Mylène Farmer)", ["moby", "mylene farmer"]),
        ("Miles Davis; John Coltrane", ["miles davis", "john coltrane"]),
        ("", []),
        ("!!!", []),
    ],
)
def test_artists_are_known_by_each_who_is_heard(artist: str, keys: list[str]) -> None:
    assert artist_keys(artist) == keys


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Heroes", "Héroes (Live at Montreux)"),
        ("Here Comes the Sun", "Here Comes The Sun - Remastered 2009"),
        ("Angie", "ANGIE [Mono]"),
    ],
)
def test_versions_of_a_title_are_the_same_title(one: str, other: str) -> None:
    assert title_key(one) == title_key(other) != ""


def test_a_title_of_brackets_alone_keeps_them() -> None:
    assert title_key("(Untitled)") == "untitled"


@dataclass
class Licence:
    """A track's rights."""

    valid_from: date | None = None
    valid_until: date | None = None
    regions: list[str] = field(default_factory=list)
    offline_allowed: bool = True


def test_a_track_is_played_within_its_days_and_where_it_may() -> None:
    day = date(2026, 12, 1)
    advent = Licence(date(2026, 12, 1), date(2026, 12, 24), ["DE", "AT"])
    assert unplayable(advent, on=day) is None
    assert unplayable(advent, on=date(2026, 12, 24), region="DE") is None
    assert unplayable(advent, on=date(2026, 11, 30)) == "not_yet_valid"
    assert unplayable(advent, on=date(2026, 12, 25)) == "no_longer_valid"
    assert unplayable(advent, on=day, region="FR") == "not_in_region"
    assert unplayable(Licence(offline_allowed=False), on=day, offline=True) == "online_only"
    assert unplayable(Licence(offline_allowed=False), on=day) is None


def test_artists_are_apart_as_many_plays_as_asked() -> None:
    recent = [["queen"], ["abba"], ["moby", "mylene farmer"]]
    assert separation.far_enough(["queen"], recent, 2)
    assert not separation.far_enough(["queen"], recent, 3)
    assert not separation.far_enough(["mylene farmer"], recent, 1)
    assert separation.far_enough(["queen"], recent, 0)
