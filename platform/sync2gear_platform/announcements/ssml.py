"""The part of SSML that may be said: read with limits, and written anew for each engine.

What stands here is the whole of what an engine is given: nothing of the original text passes but
words and values that were understood (W3C SSML 1.1, the elements that :data:`ALLOWED` names).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from sync2gear_platform.kit.errors import Refusal

MAX_CHARACTERS: Final = 20_000
MAX_ELEMENTS: Final = 500
MAX_DEPTH: Final = 12
MAX_BREAK: Final = 10_000
"""Milliseconds of one pause."""

MAX_BREAKS: Final = 60_000
"""Milliseconds of all pauses together."""

STRENGTHS: Final = {
    "none": 0, "x-weak": 100, "weak": 250, "medium": 500, "strong": 750, "x-strong": 1000,
}  # fmt: skip
"""Milliseconds of a pause that is only said to be strong; ``medium`` where nothing is said."""

_TIME: Final = re.compile(r"(\d{1,5}(?:\.\d{1,3})?)(ms|s)")
_RATE: Final = re.compile(r"x-slow|slow|medium|fast|x-fast|default|(?:2[0-9]|[3-9]\d|1\d\d|200)%")
_PITCH: Final = re.compile(
    r"x-low|low|medium|high|x-high|default|[+-](?:1[0-2]|\d)(?:\.\d)?st|[+-][1-5]?\d%"
)
_VOLUME: Final = re.compile(
    r"silent|x-soft|soft|medium|loud|x-loud|default|\+[0-6](?:\.\d)?dB|-(?:[12]?\d)(?:\.\d)?dB"
)
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
_FORMAT: Final = re.compile(r"[a-z0-9:+-]{1,20}")
_SAY_AS: Final = re.compile(
    r"characters|spell-out|cardinal|number|ordinal|fraction|unit|date|time|telephone|digits"
)
_LEVEL: Final = re.compile(r"strong|moderate|none|reduced")
_STRENGTH: Final = re.compile("|".join(STRENGTHS))
_WORDS: Final = re.compile(r"[^\x00-\x1f\x7f]{1,200}")
IPA: Final = re.compile(
    "[a-zæçðøħŋœβθχ\u01c0-\u01c3\u0250-\u02ff\u0300-\u036f\u1d00-\u1dff\u2c71"
    "\u2016\u203f\u207f\u2190-\u2193\u2197\u2198\ua71b\ua71c.| -]{1,200}"
)
"""What the International Phonetic Alphabet is written with (its chart of 2020)."""

_ALPHABET: Final = re.compile("ipa")
_VERSION: Final = re.compile(r"1\.[01]")
_NAMESPACE: Final = re.compile(r"http://www\.w3\.org/2001/10/synthesis")

ALLOWED: Final[Mapping[str, Mapping[str, re.Pattern[str]]]] = {
    "speak": {"version": _VERSION, "xml:lang": _LANGUAGE, "xmlns": _NAMESPACE},
    "p": {},
    "s": {},
    "break": {"time": _TIME, "strength": _STRENGTH},
    "prosody": {"rate": _RATE, "pitch": _PITCH, "volume": _VOLUME},
    "emphasis": {"level": _LEVEL},
    "say-as": {"interpret-as": _SAY_AS, "format": _FORMAT},
    "sub": {"alias": _WORDS},
    "phoneme": {"alphabet": _ALPHABET, "ph": IPA},
    "lang": {"xml:lang": _LANGUAGE},
}
"""Elements, their attributes, and what these may say."""

NEEDED: Final = {
    "say-as": ("interpret-as",), "sub": ("alias",), "phoneme": ("alphabet", "ph"),
    "lang": ("xml:lang",),
}  # fmt: skip
WITHOUT_ELEMENTS: Final = frozenset({"break", "sub", "say-as", "phoneme"})
"""What holds words at most."""

DROPPED: Final = frozenset({"version", "xmlns"})
"""Attributes that are understood and mean nothing here."""


class BadMarkup(Refusal):
    """This is not the SSML that is understood here: docs/announcements.md lists it."""

    code = "ssml_invalid"


@dataclass(slots=True)
class Element:
    """An element with its attributes, and what stands in it: texts and elements."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: "list[Element | str]" = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Markup:
    """SSML that was understood; ``canonical`` is its one spelling."""

    root: Element
    canonical: str


def parse(text: str) -> Markup:
    """``text`` understood; :class:`BadMarkup` with the place of what is not."""
    if len(text) > MAX_CHARACTERS:
        raise BadMarkup(f"SSML has at most {MAX_CHARACTERS} characters.", code="ssml_too_large")
    root = _Reader().read(text)
    if not any(words.strip() for words in spoken(root)):
        raise BadMarkup("There is nothing to say between the tags.", code="text_empty")
    return Markup(root, write(root))


class _Reader:
    """expat with everything refused that is not asked for: no DTD, so no entity but XML's five."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._words
        self._parser.StartDoctypeDeclHandler = self._no_doctype
        self._parser.ProcessingInstructionHandler = self._no_instruction
        self._open: list[Element] = []
        self._root: Element | None = None
        self._elements = 0
        self._silence = 0

    def read(self, text: str) -> Element:
        try:
            self._parser.Parse(text.encode("utf-8"), True)
        except expat.ExpatError as error:
            reason = expat.ErrorString(error.code)
            raise BadMarkup(
                f"This is no XML: {reason}.", line=error.lineno, column=error.offset
            ) from None
        except UnicodeEncodeError:
            raise BadMarkup("There is half a character in it.") from None
        if self._root is None:
            raise BadMarkup("There is no element.")
        return self._root

    def _refuse(self, code: str, detail: str) -> BadMarkup:
        line, column = self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber
        return BadMarkup(detail, code=code, line=line, column=column)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > MAX_ELEMENTS or len(self._open) >= MAX_DEPTH:
            detail = f"At most {MAX_ELEMENTS} elements, {MAX_DEPTH} deep."
            raise self._refuse("ssml_too_deep", detail)
        allowed = ALLOWED.get(name)
        if allowed is None or (name == "speak") != (not self._open):
            detail = f"{name[:40]} cannot stand here; there are {', '.join(ALLOWED)}."
            raise self._refuse("ssml_element", detail)
        if self._open and self._open[-1].name in WITHOUT_ELEMENTS:
            detail = f"{self._open[-1].name} holds no elements."
            raise self._refuse("ssml_element", detail)
        for key, value in attributes.items():
            if key not in allowed:
                raise self._refuse("ssml_attribute", f"{name} has no attribute {key[:40]}.")
            if not allowed[key].fullmatch(value):
                raise self._refuse("ssml_value", f"{name} cannot have {key}={value[:40]!r}.")
        for needed in NEEDED.get(name, ()):
            if needed not in attributes:
                raise self._refuse("ssml_attribute", f"{name} needs {needed}.")
        element = Element(name, {k: v for k, v in attributes.items() if k not in DROPPED})
        self._silence += pause_of(element) if name == "break" else 0
        if self._silence > MAX_BREAKS or (name == "break" and pause_of(element) > MAX_BREAK):
            detail = f"A pause has at most {MAX_BREAK} ms, all of them {MAX_BREAKS}."
            raise self._refuse("ssml_value", detail)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self._root = element
        self._open.append(element)

    def _end(self, name: str) -> None:
        element = self._open.pop()
        if name == "phoneme" and not "".join(spoken(element)).strip():
            detail = "phoneme holds the word, for voices that cannot speak phonemes."
            raise self._refuse("ssml_element", detail)

    def _words(self, data: str) -> None:
        children = self._open[-1].children
        if self._open[-1].name == "break" and data.strip():
            raise self._refuse("ssml_element", "break holds nothing.")
        if children and isinstance(children[-1], str):
            children[-1] += data
        else:
            children.append(data)

    def _no_doctype(self, *_: object) -> None:
        raise self._refuse("ssml_doctype", "No document type and no entities are taken.")

    def _no_instruction(self, *_: object) -> None:
        raise self._refuse("ssml_element", "No processing instructions are taken.")


def pause_of(element: Element) -> int:
    """The milliseconds of a ``break``."""
    if found := _TIME.fullmatch(element.attributes.get("time", "")):
        return round(float(found[1]) * (1000 if found[2] == "s" else 1))
    return STRENGTHS[element.attributes.get("strength", "medium")]


def spoken(element: Element) -> Iterator[str]:
    """The words that are heard, piece by piece."""
    if element.name == "sub":
        yield element.attributes["alias"]
        return
    for child in element.children:
        if isinstance(child, str):
            yield child
        else:
            yield from spoken(child)


def without_phonemes(element: Element) -> Element:
    """``element``, or the words of a ``phoneme``: for engines that speak words only."""
    if element.name != "phoneme":
        return element
    words = " ".join("".join(spoken(element)).split())
    return Element("sub", {"alias": words}, element.children)


def plain(markup: Markup) -> str:
    """The words alone."""
    return " ".join("".join(spoken(markup.root)).split())


def write(root: Element, rename: Callable[[Element], Element] = lambda e: e) -> str:
    """SSML text of ``root``; ``rename`` puts an element into an engine's own words."""
    return "".join(_written(root, rename))


def _written(element: Element, rename: Callable[[Element], Element]) -> Iterator[str]:
    element = rename(element)
    attributes = "".join(f" {k}={quoteattr(v)}" for k, v in sorted(element.attributes.items()))
    if not element.children:
        yield f"<{element.name}{attributes}/>"
        return
    yield f"<{element.name}{attributes}>"
    for child in element.children:
        if isinstance(child, str):
            yield escape(" ".join(child.split(" ")))
        else:
            yield from _written(child, rename)
    yield f"</{element.name}>"


def pieces(markup: Markup) -> list[str | int]:
    """For an engine without SSML: texts, and the milliseconds of silence between them."""
    found: list[str | int] = []
    for piece in _pieces(markup.root):
        if isinstance(piece, int) and (not found or isinstance(found[-1], int)):
            before = found.pop() if found else 0
            found.append(piece + (before if isinstance(before, int) else 0))
        elif isinstance(piece, str) and found and isinstance(found[-1], str):
            found[-1] += piece
        else:
            found.append(piece)
    tidy = [" ".join(p.split()) if isinstance(p, str) else p for p in found]
    return [piece for piece in tidy if piece]


def _pieces(element: Element) -> Iterator[str | int]:
    if element.name == "break":
        yield pause_of(element)
    elif element.name == "sub":
        yield element.attributes["alias"]
    elif element.attributes.get("interpret-as") in {"characters", "spell-out", "digits"}:
        yield " ".join("".join(spoken(element)).strip())
    else:
        for child in element.children:
            if isinstance(child, str):
                yield child
            else:
                yield from _pieces(child)
        if element.name in {"p", "s"}:
            yield "\n"
