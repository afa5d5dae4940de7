"""What may be said: the text that a voice is given, what a list calls it, and which voice fits."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.announcements.ports import Prosody, Voice

MAX_TEXT: Final = 5000
"""Characters of one announcement."""

AT_ONCE: Final = 300
"""Characters that are spoken while the request waits; a worker speaks what is longer and new."""

MAX_SPOKEN: Final = 600 * FRAME_RATE
"""The longest spoken announcement: ten minutes, in frames of 48 kHz."""

DEFAULT_LANGUAGE: Final = "en"

VERSION: Final = 1
"""Raised when the same words are to be rendered anew, because an adapter speaks differently."""

_LANGUAGE: Final = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{2}))?(?![A-Za-z0-9])")

_UNSPEAKABLE: Final = frozenset({"Cc", "Cs", "Cn", "Co"})


def spoken(text: str) -> str:
    """``text`` as a voice is given it: lines stay, control characters and stray halves do not."""
    lines = ("".join(map(_spoken, line)).split() for line in text.splitlines())
    return "\n".join(" ".join(words) for words in lines if words)


def _spoken(character: str) -> str:
    return " " if unicodedata.category(character) in _UNSPEAKABLE else character


def title_of(text: str) -> str:
    """What an announcement is called when nobody said: its first words."""
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:59].rsplit(" ", 1)[0] + "…"


def language_of(voice: str) -> str:
    """The language that a voice's name begins with, as most names do; empty where it does not."""
    found = _LANGUAGE.match(voice)
    if found is None:
        return ""
    return found[1].lower() + (f"-{found[2].upper()}" if found[2] else "")


def fitting(voices: Sequence[Voice], language: str) -> str:
    """The voice for ``language``: one that is named so, the first of it, or of its first part."""
    wanted = language.casefold()
    first = wanted.partition("-")[0]

    def distance(voice: Voice) -> tuple[bool, ...]:
        own = voice.language.casefold()
        return voice.id.casefold() != wanted, own != wanted, own != first

    same = [v for v in voices if v.language.casefold().partition("-")[0] == first]
    return min(same, key=distance).id if same else ""


def cache_key(said: str, voice: str, prosody: Prosody, kind: str) -> str:
    """What makes two renderings the same; hexadecimal. ``said`` is canonical."""
    parts = json.dumps([VERSION, kind, voice, prosody.document(), said], sort_keys=True)
    return hashlib.sha256(parts.encode()).hexdigest()


def month_of(moment: datetime) -> date:
    """The first day of the month by which budgets are counted: in UTC, as providers bill."""
    return month_of_day(moment.date())


def month_of_day(day: date) -> date:
    """The first day of the month of ``day``."""
    return day.replace(day=1)
