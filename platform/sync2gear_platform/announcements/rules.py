"""What may be said: the text that a voice is given, and what a list calls it."""

import unicodedata
from typing import Final

from sync2gear_broker.units import FRAME_RATE

MAX_TEXT: Final = 5000
"""Characters of one announcement."""

MAX_SPOKEN: Final = 600 * FRAME_RATE
"""The longest spoken announcement: ten minutes, in frames of 48 kHz."""

DEFAULT_VOICE: Final = "en"

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
