"""What makes two tracks "the same artist" or "the same title", and when a track may be played.

Facts for whoever puts tracks in an order; pure, so that a forecast and its execution agree.
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from typing import Final, Literal, Protocol

MAX_WORDS: Final = 64
"""The most words of a track that a search knows."""

MAX_WORD: Final = 32
"""Characters of a word beyond which it is cut: searches are by beginnings."""

_LETTERS: Final = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "æ": "ae",
        "œ": "oe",
        "\u0131": "i",
        "ħ": "h",
    }
)
"""Letters that Unicode does not take apart into a base and an accent."""

_GUESTS: Final = re.compile(r"\b(?:feat|ft|featuring|with|pres|presents|vs|versus)\b\.?|[;/,]")
_BRACKETS: Final = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_VERSION: Final = re.compile(
    r"\s-\s.*\b(?:remaster(?:ed)?|live|mono|stereo|version|edit|mix|remix|demo|acoustic)\b.*$"
)

Unplayable = Literal["not_yet_valid", "no_longer_valid", "not_in_region", "online_only"]


def folded(text: str) -> str:
    """``text`` without case and accents, so that "BJÖRK", "Bjork" and "björk" are one."""
    # A piece of text can grow when it is taken apart: accents go before anything is compared.
    parts = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(c for c in parts if not unicodedata.combining(c))
    return kept.translate(_LETTERS)


def words(*texts: str) -> list[str]:
    """The distinct words of some texts in order, folded; what is neither letter nor digit parts."""
    found: dict[str, None] = {}
    for text in texts:
        spaced = "".join(c if c.isalnum() else " " for c in folded(text))
        for word in spaced.split():
            found[word[:MAX_WORD]] = None
            if len(found) >= MAX_WORDS:
                return list(found)
    return list(found)


def _key(text: str) -> str:
    return " ".join(words(text))


def artist_keys(artist: str) -> list[str]:
    """Who is heard: the artist and each guest, folded; "Simon & Garfunkel" stays one."""
    parts = _GUESTS.split(folded(artist))
    keys: dict[str, None] = {}
    for part in parts:
        key = _key(_BRACKETS.sub(" ", part)) or _key(part)
        if key:
            keys[key.removeprefix("the ") or key] = None
    return list(keys)


def title_key(title: str) -> str:
    """What piece it is: folded, without brackets and versions ("- Remastered 2009", "(Live)")."""
    text = folded(title)
    bare = _VERSION.sub("", _BRACKETS.sub(" ", text))
    return _key(bare) or _key(text)


class Licensed(Protocol):
    """What of a track says when and where it may be played."""

    valid_from: date | None
    valid_until: date | None
    regions: list[str]
    offline_allowed: bool


def unplayable(
    track: Licensed, *, on: date, region: str = "", offline: bool = False
) -> Unplayable | None:
    """Why ``track`` may not be played on a day of the venue's calendar, or ``None``.

    ``region`` is an ISO 3166-1 country ("" where the venue does not say: then it is not asked);
    ``offline``: whether the speaker has to keep it to play it.
    """
    if track.valid_from is not None and on < track.valid_from:
        return "not_yet_valid"
    if track.valid_until is not None and on > track.valid_until:
        return "no_longer_valid"
    if region and track.regions and region not in track.regions:
        return "not_in_region"
    if offline and not track.offline_allowed:
        return "online_only"
    return None


def far_enough(keys: Iterable[str], recent: Iterable[Iterable[str]], apart: int) -> bool:
    """Whether none of ``keys`` is among those of the ``apart`` newest of ``recent`` plays."""
    mine = set(keys)
    newest = list(recent)[-apart:] if apart > 0 else []
    return all(mine.isdisjoint(played) for played in newest)
