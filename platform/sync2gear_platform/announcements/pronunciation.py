"""How a client wants its words pronounced: replaced whole, the longest first, never in a tag."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

_SAID_ALREADY: Final = frozenset({"sub", "say-as", "phoneme"})
"""Elements that say themselves how their words are spoken."""

_TAG: Final = re.compile(
    r"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<(?P<end>/?)\s*(?P<name>[\w:-]+)"
    r"(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>",
    re.DOTALL,
)
_ENTITY: Final = r"&(?:#\w+|\w+);"


@dataclass(frozen=True, slots=True)
class Entry:
    """``word`` is said as ``replacement``; without a ``language`` in every one."""

    word: str
    replacement: str
    language: str = ""
    match_case: bool = False


def applied(text: str, entries: Iterable[Entry], language: str, *, markup: bool = False) -> str:
    """``text`` as it is to be spoken in ``language``; what was replaced is not replaced again."""
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
        return written(ordered[found.lastindex - 1].replacement)

    return words.sub(replacement, text)


def _normal(word: str) -> str:
    return unicodedata.normalize("NFC", word)
