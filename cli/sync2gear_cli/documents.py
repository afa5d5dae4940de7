"""YAML documents, read with suspicion: sizes, depths, and where each thing stands."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from sync2gear_cli.failures import Failure

MAX_BYTES: Final = 1_000_000
MAX_DEPTH: Final = 20
MAX_VALUES: Final = 100_000
"""Values of one document, each as often as its anchor is referred to."""

Place = tuple[str | int, ...]

_NULL: Final = re.compile(r"~|null|Null|NULL|")
_BOOL: Final = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT: Final = re.compile(r"[-+]?(0|[1-9][0-9]{0,18})")
_FLOAT: Final = re.compile(r"[-+]?[0-9]{1,18}\.[0-9]{1,18}")
_PLAIN: Final = "tag:yaml.org,2002:str"


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says, and the line and column (from 1) at which each of its things stands."""

    name: str
    values: dict[str, Any]
    marks: Mapping[Place, tuple[int, int]]

    def at(self, place: Place) -> str:
        """``file:line:column`` of the innermost thing on the way to ``place`` that stands here."""
        while place not in self.marks:
            place = place[:-1]
        line, column = self.marks[place]
        return f"{self.name}:{line}:{column}"


class _Loader(yaml.SafeLoader):
    """Reads text, not meanings: what is a number or a date, :func:`_meant` decides."""

    yaml_implicit_resolvers: dict[str, Any] = {}


def load(path: Path) -> Document:
    """The document in a file; Failure ``document_invalid`` with line and column, or why not."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror}", "not_readable") from None
    return parse(data, path.name)


def parse(data: bytes, name: str) -> Document:
    """As :func:`load`, from bytes."""
    if len(data) > MAX_BYTES:
        raise _wrong(name, 1, 1, f"a document has at most {MAX_BYTES:,} bytes: split it")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _wrong(name, line, 1, "this is not UTF-8") from None
    try:
        _check(text, name)
        node = _Loader(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise _wrong(name, line, column, error.problem or str(error.context)) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _wrong(name, line, 1, "a character that YAML does not allow") from None
    reading = _Reading(name)
    if not isinstance(node, MappingNode):
        raise _wrong(name, 1, 1, "a document is names with values, such as `document: shops`")
    values = reading.value(node, ())
    return Document(name, values, reading.marks)


def _check(text: str, name: str) -> None:
    """Refuse what is too deep or too much before anything is built, and tags of others."""
    depth = count = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.ScalarEvent):
            count += 1
        why = ""
        if depth > MAX_DEPTH or count > MAX_VALUES:
            why = f"this is too {'deep' if depth > MAX_DEPTH else 'much'}"
        elif getattr(event, "tag", None) not in {None, "!"}:
            why = "tags (!) mean nothing here"
        if why and event.start_mark is not None:
            raise _wrong(name, event.start_mark.line + 1, event.start_mark.column + 1, why)


class _Reading:
    """Builds values from nodes and remembers where they stand."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._left = MAX_VALUES
        self.marks: dict[Place, tuple[int, int]] = {}

    def value(self, node: Node, place: Place) -> Any:
        """What ``node`` says."""
        self._left -= 1
        if self._left < 0 or len(place) > MAX_DEPTH:
            raise self._wrong(node, "this is too much: anchors multiply what they name")
        self.marks.setdefault(place, (node.start_mark.line + 1, node.start_mark.column + 1))
        if isinstance(node, ScalarNode):
            return _meant(node)
        if isinstance(node, SequenceNode):
            return [self.value(one, (*place, n)) for n, one in enumerate(node.value)]
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key, inner in node.value:
            if not isinstance(key, ScalarNode):
                raise self._wrong(key, "a name is a word, not a list")
            if key.value == "<<" and key.style is None:
                merged |= self._merged(inner, place)
                continue
            if key.value in found:
                raise self._wrong(key, f"{key.value!r} stands here twice")
            here = (*place, key.value)
            self.marks[here] = (key.start_mark.line + 1, key.start_mark.column + 1)
            found[key.value] = self.value(inner, here)
        return {**merged, **found}

    def _merged(self, node: Node, place: Place) -> dict[str, Any]:
        if isinstance(node, SequenceNode):
            found: dict[str, Any] = {}
            for one in reversed(node.value):
                found |= self._merged(one, place)
            return found
        if not isinstance(node, MappingNode):
            raise self._wrong(node, "<< takes an anchor of names with values")
        values: dict[str, Any] = self.value(node, place)
        return values

    def _wrong(self, node: Node, why: str) -> Failure:
        return _wrong(self._name, node.start_mark.line + 1, node.start_mark.column + 1, why)


def _meant(node: ScalarNode) -> Any:
    """A plain word as JSON would have it; times and dates stay words, quoted ones anyway."""
    text = str(node.value)
    if node.style is not None or node.tag != _PLAIN:
        return text
    if _NULL.fullmatch(text):
        return None
    if _BOOL.fullmatch(text):
        return text.lower() == "true"
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _wrong(name: str, line: int, column: int, why: str) -> Failure:
    return Failure(f"{name}:{line}:{column}: {why}", "document_invalid")


def dump(values: dict[str, Any]) -> str:
    """A document as YAML that :func:`parse`, and others, read as it is."""
    return str(yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=100))
