"""Texts with variables: every ``{{name}}`` filled strictly, as the language writes it.

No language of templates is used on texts that clients write: what is not a name in two pairs of
braces is words, and what cannot be filled is refused.
"""

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Final, Literal
from xml.sax.saxutils import escape

from babel import Locale, UnknownLocaleError
from babel.dates import format_time
from babel.numbers import format_decimal

from sync2gear_platform.kit.errors import Refusal

BUILT_IN: Final = frozenset({"venue", "local_time", "minutes_to_closing"})
"""Variables that we fill: where it is said, what time it is there, how long it is open."""

CLOSING: Final = "closing_time"
"""The variable that ``minutes_to_closing`` counts to; a template that counts declares it."""

MAX_VALUE: Final = 500
"""Characters that a text may declare for one of its values."""

Value = str | int | float
Type = Literal["text", "number", "time", "choice"]

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_HOLE: Final = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_TIME: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_NUMBER: Final = re.compile(r"-?\d{1,12}(\.\d{1,6})?")
_HALF_A_DAY: Final = 12 * 60


class TemplateFault(Refusal):
    """This text or what it is to be filled with does not fit; ``variable`` says where."""

    code = "template_invalid"


@dataclass(frozen=True, slots=True)
class Variable:
    """What a template may be filled with; ``default`` stands where nothing is given."""

    name: str
    type: Type = "text"
    required: bool = True
    default: str = ""
    max_length: int = 100
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """Where and when a text is said: ``now`` is the local time of ``venue``."""

    venue: str
    now: datetime


def holes(text: str) -> list[str]:
    """The names in ``text``; :class:`TemplateFault` for braces that are none."""
    return [name for is_hole, name in _pieces(text) if is_hole]


def _pieces(text: str) -> Iterator[tuple[bool, str]]:
    at = 0
    for found in _HOLE.finditer(text):
        yield False, _words(text[at : found.start()])
        if not _NAME.fullmatch(found[1]):
            raise TemplateFault(
                f"{found[0][:60]!r} is no variable: small letters, digits and _ in {{{{ }}}}.",
                code="template_syntax",
            )
        yield True, found[1]
        at = found.end()
    yield False, _words(text[at:])


def _words(text: str) -> str:
    if "{" in text or "}" in text:
        detail = "Braces stand in pairs around a variable, and nowhere else."
        raise TemplateFault(detail, code="template_syntax")
    return text


def check(texts: Mapping[str, str], variables: Sequence[Variable]) -> None:
    """Refuse a template that could not be said: names, languages and defaults."""
    declared = {v.name: v for v in variables}
    if len(declared) != len(variables):
        raise TemplateFault("A variable is declared twice.", code="variable_twice")
    for variable in variables:
        if not _NAME.fullmatch(variable.name) or variable.name in BUILT_IN:
            raise _fault("variable_name", variable.name, "cannot be the name of a variable")
        if (variable.type == "choice") != bool(variable.choices):
            raise _fault("variable_choices", variable.name, "has choices if it is one, else none")
        if variable.default:
            _read(variable, variable.default)
    for language, text in texts.items():
        _locale(language)
        for name in holes(text):
            if name not in declared and name not in BUILT_IN:
                raise _fault("variable_unknown", name, "is not declared")
            counts = name == "minutes_to_closing"
            if counts and (CLOSING not in declared or declared[CLOSING].type != "time"):
                detail = f"needs a variable {CLOSING} of type time"
                raise _fault("variable_missing", name, detail)


def fill(
    text: str,
    language: str,
    variables: Sequence[Variable],
    values: Mapping[str, Value],
    scene: Scene,
    *,
    markup: bool = False,
) -> str:
    """``text`` with every variable said as ``language`` does; in ``markup`` values are words only.

    Raises :class:`TemplateFault` for a value that is missing, unknown or does not fit.
    """
    declared = {v.name: v for v in variables}
    for name in values:
        if name not in declared:
            raise _fault("variable_unknown", name, "is not a variable of this text")
    known = {name: _value(variable, values) for name, variable in declared.items()}
    locale = _locale(language)
    said: list[str] = []
    for is_hole, piece in _pieces(text):
        if not is_hole:
            said.append(piece)
            continue
        value = _built_in(piece, known, scene) if piece in BUILT_IN else known.get(piece)
        if value is None:
            raise _fault("variable_unknown", piece, "is not declared")
        words = _spoken(value, locale)
        said.append(escape(words, {'"': "&quot;", "'": "&apos;"}) if markup else words)
    return "".join(said)


def _value(variable: Variable, values: Mapping[str, Value]) -> str | int | float | time:
    given = values.get(variable.name, "")
    if given == "":
        if variable.default == "":
            if variable.required:
                raise _fault("variable_missing", variable.name, "is needed")
            return ""
        given = variable.default
    return _read(variable, given)


def _read(variable: Variable, given: Value) -> str | int | float | time:
    """A value of a variable's type; raises :class:`TemplateFault`."""
    if isinstance(given, bool):
        raise _fault("variable_invalid", variable.name, "is neither true nor false")
    if variable.type == "number":
        return _number(variable.name, given)
    text = " ".join("".join(map(_clean, str(given))).split())
    if variable.type == "time":
        found = _TIME.fullmatch(text)
        if found is None:
            raise _fault("variable_invalid", variable.name, "is a time such as 18:30")
        return time(int(found[1]), int(found[2]))
    if variable.type == "choice" and text not in variable.choices:
        listed = ", ".join(variable.choices)
        raise _fault("variable_invalid", variable.name, f"is one of: {listed}")
    if len(text) > variable.max_length:
        detail = f"has at most {variable.max_length} characters"
        raise _fault("variable_too_long", variable.name, detail)
    return text


def _number(name: str, given: Value) -> int | float:
    if isinstance(given, str):
        if not _NUMBER.fullmatch(given.strip()):
            raise _fault("variable_invalid", name, "is a number such as 12 or 0.5")
        given = float(given) if "." in given else int(given)
    if not math.isfinite(given) or abs(given) >= 10**12:
        raise _fault("variable_invalid", name, "is a number of at most twelve digits")
    return given


def _built_in(name: str, known: Mapping[str, Value | time], scene: Scene) -> Value | time:
    if name == "venue":
        return scene.venue
    if name == "local_time":
        return scene.now.time()
    closing = known.get(CLOSING)
    if not isinstance(closing, time):
        raise _fault("variable_missing", CLOSING, "is needed")
    # On the clock on the wall: what is more than half a day ahead is over.
    now = scene.now.hour * 60 + scene.now.minute
    left = (closing.hour * 60 + closing.minute - now) % (24 * 60)
    if left > _HALF_A_DAY:
        raise _fault("closing_over", CLOSING, "is over")
    return left


def _spoken(value: Value | time, locale: Locale) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, time):
        return " ".join(str(format_time(value, "short", locale=locale)).split())
    return " ".join(str(format_decimal(value, locale=locale)).split())


def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        detail = f"{language[:40]!r} is no language that is known here."
        raise TemplateFault(detail, code="language_unknown") from None


def _clean(character: str) -> str:
    return " " if unicodedata.category(character) in {"Cc", "Cs", "Cn", "Co"} else character


def _fault(code: str, name: str, detail: str) -> TemplateFault:
    return TemplateFault(f"{name[:60]} {detail}.", code=code, variable=name[:60])
