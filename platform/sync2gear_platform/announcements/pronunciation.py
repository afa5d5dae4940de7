"""How a client wants its words pronounced: replaced whole, the longest first, never in a tag."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from sync2gear_platform.announcements import rules

_SAID_ALREADY: Final = frozenset({"sub", "say-as", "phoneme"})
"""Elements that say themselves how their words are spoken."""

MAX_PHONEMES: Final = 400
"""Elements that a plain text becomes at most: SSML has 500."""

_TAG: Final = re.compile(
    r"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<(?P<end>/?)\s*(?P<name>[\w:-]+)"
    r"(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>",
    re.DOTALL,
)
_ENTITY: Final = r"&(?:#\w+|\w+);"


@dataclass(frozen=True, slots=True)
class Entry:
    """``word`` is said as ``replacement``, by voices that can as ``ipa``; without a ``language`` in
    every one.
    """

    word: str
    replacement: str
    language: str = ""
    match_case: bool = False
    ipa: str = ""


@dataclass(frozen=True, slots=True)
class Worded:
    """A text with its words as they are said; ``markup``: it is SSML."""

    text: str
    markup: bool


def worded(text: str, entries: Iterable[Entry], language: str, *, markup: bool) -> Worded:
    """``text`` as it is to be spoken in ``language``; words with phonemes in it make it SSML.

    Beyond :data:`MAX_PHONEMES` of them the words are said as their replacements.
    """
    known = list(entries)
    if markup:
        return Worded(applied(text, known, language, markup=True), markup=True)
    if any(e.ipa and _fits(e.language, language) for e in known):
        lines = [escape(line) for line in rules.spoken(text).splitlines()]
        inside = "".join(f"<p>{line}</p>" for line in lines) if len(lines) > 1 else "".join(lines)
        said = applied(f"<speak>{inside}</speak>", known, language, markup=True)
        if "<phoneme " in said and said.count("<p") <= MAX_PHONEMES:
            return Worded(said, markup=True)
    return Worded(applied(text, known, language), markup=False)


def applied(text: str, entries: Iterable[Entry], language: str, *, markup: bool = False) -> str:
    """``text`` with its words replaced; what was replaced is not replaced again."""
    fitting = [e for e in entries if _fits(e.language, language)]
    if not fitting:
        return text
    text = unicodedata.normalize("NFC", text)
    if not markup:
        return _replaced(text, fitting)
    written: list[str] = []
    at = within = 0
    for tag in _TAG.finditer(text):
        words = text[at : tag.start()]
        written += [words if within else _replaced(words, fitting, markup=True), tag[0]]
        if tag["name"] in _SAID_ALREADY and not tag[0].endswith("/>"):
            within = max(0, within + (-1 if tag["end"] else 1))
        at = tag.end()
    return "".join([*written, _replaced(text[at:], fitting, markup=True)])


def _fits(own: str, language: str) -> bool:
    own, language = own.casefold(), language.casefold()
    return own in {"", language} or language.startswith(f"{own}-")


def _replaced(text: str, entries: Sequence[Entry], *, markup: bool = False) -> str:
    def written(words: str) -> str:
        return escape(unicodedata.normalize("NFC", words)) if markup else words

    def rank(entry: Entry) -> tuple[int, bool, bool]:
        return -len(entry.word), not entry.language, not entry.match_case

    # The longest word, then the one for this very language, then the one that minds case.
    ordered = sorted(entries, key=rank)
    one_of = [
        f"({'' if e.match_case else '(?i:'}{re.escape(written(_normal(e.word)))}"
        f"{'' if e.match_case else ')'})"
        for e in ordered
    ]
    words = re.compile(rf"(?<!\w)(?:{'|'.join(one_of)})(?!\w)|{_ENTITY}")

    def replacement(found: re.Match[str]) -> str:
        if found.lastindex is None:
            return found[0]
        entry = ordered[found.lastindex - 1]
        said = written(entry.replacement)
        if entry.ipa and markup:
            return f'<phoneme alphabet="ipa" ph={quoteattr(entry.ipa)}>{said}</phoneme>'
        return said

    return words.sub(replacement, text)


def _normal(word: str) -> str:
    return unicodedata.normalize("NFC", word)
