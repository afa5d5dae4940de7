"""Documents of channels and schedules as values: what they mean, and how two states differ.

An object is a mapping in the document's words. Where it refers to another, it holds that one's id,
or :func:`made` of one that the same document makes.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from sync2gear_platform.schedules.rules import PRIORITIES

Noun = Literal["priority_level", "day_part", "calendar", "channel", "schedule"]
Action = Literal["create", "change", "adopt", "remove"]
Path = tuple[str | int, ...]

SECTIONS: Final[Mapping[Noun, str]] = {
    "priority_level": "priority_levels",
    "day_part": "day_parts",
    "calendar": "calendars",
    "channel": "channels",
    "schedule": "schedules",
}
"""Nouns in the order in which they are made, and where a document names them."""

REFS: Final[Mapping[str, str]] = {
    "level": "priority_level", "day_part": "day_part", "calendar": "calendar",
    "only_calendars": "calendar", "never_calendars": "calendar",
    "channel": "channel", "folder": "folder", "announcement": "announcement", "track": "track",
    "locations": "location", "floors": "floor", "zones": "zone",
}  # fmt: skip
"""Fields that refer to something, and to what."""

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SETS: Final = ("only_calendars", "never_calendars", "locations", "floors", "zones", "tags")
_DEEP: Final = ("start", "limits", "exceptions")


@dataclass(frozen=True, slots=True)
class Named:
    """An object that a document names, and where it stands there."""

    noun: Noun
    name: str
    values: Mapping[str, Any]
    path: Path = ()


@dataclass(frozen=True, slots=True)
class Held:
    """An object that is there."""

    id: UUID
    values: Mapping[str, Any]
    adopted: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of an object: ``old`` is none for a new one, ``new`` for one that goes."""

    action: Action
    noun: Noun
    name: str
    id: UUID | None = None
    old: Mapping[str, Any] | None = None
    new: Mapping[str, Any] | None = None
    path: Path = ()


def made(noun: str, name: str) -> str:
    """How an object that the document makes is referred to: ids are not known before."""
    return f"+{noun}/{name}"


def settled(noun: Noun, values: Mapping[str, Any]) -> dict[str, Any]:
    """An object with all that says the same said one way: sets sorted, defaults that depend."""
    found = dict(values)
    if noun == "schedule":
        found = {k: sorted(set(v)) if k in _SETS else v for k, v in found.items()}
        found["exceptions"] = {k: sorted(set(v)) for k, v in found["exceptions"].items()}
        found["days"] = sorted(set(found["days"]), key=DAYS.index)
        if found["day_part"] is not None:
            found["start_time"] = found["end_time"] = "00:00:00"
        if found["level"] is not None:
            found["priority"] = None
        elif found["priority"] is None:
            found["priority"] = PRIORITIES[found["type"]]
    return found


def mapped(values: Any, give: Callable[[str, str, Path], str], path: Path = ()) -> Any:
    """``values`` with ``give(noun, reference, path)`` in place of each reference."""
    if isinstance(values, list):
        return [mapped(one, give, (*path, n)) for n, one in enumerate(values)]
    if not isinstance(values, dict):
        return values
    found: dict[str, Any] = {}
    for field, value in values.items():
        noun, here = REFS.get(field), (*path, field)
        if noun is not None and isinstance(value, str):
            found[field] = give(noun, value, here)
        elif (
            noun is not None and isinstance(value, list) and all(isinstance(v, str) for v in value)
        ):
            found[field] = [give(noun, one, (*here, n)) for n, one in enumerate(value)]
        else:
            found[field] = mapped(value, give, here)
    return found


def references(values: Any) -> set[tuple[str, str]]:
    """All ``(noun, reference)`` of an object."""
    found: set[tuple[str, str]] = set()

    def note(noun: str, ref: str, _: Path) -> str:
        found.add((noun, ref))
        return ref

    mapped(values, note)
    return found


def changes(
    wanted: Sequence[Named], held: Mapping[tuple[Noun, str], Held], leaving: Sequence[Change]
) -> list[Change]:
    """What has to become of what, in the order of ``wanted``; then what leaves."""
    found = []
    for one in wanted:
        here = held.get((one.noun, one.name))
        values = settled(one.noun, one.values)
        if here is None:
            found.append(Change("create", one.noun, one.name, new=values, path=one.path))
        elif here.adopted or settled(one.noun, here.values) != values:
            action: Action = "adopt" if here.adopted else "change"
            old = settled(one.noun, here.values)
            found.append(Change(action, one.noun, one.name, here.id, old, values, one.path))
    return [*found, *leaving]


def fields(change: Change, usual: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """``(field, old, new)`` of what changes; of a new object what is not ``usual``."""
    if change.new is None:
        return []
    if change.old is None:
        before = flat(usual)
        return [
            (name, None, value)
            for name, value in flat(change.new).items()
            if name != "name" and value is not None and before.get(name) != value
        ]
    before, after = flat(change.old), flat(change.new)
    return [(k, before.get(k), v) for k, v in after.items() if before.get(k) != v]


def flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """An object with the parts of ``start`` and the like as fields of their own."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if name in _DEEP:
            found |= {f"{name}.{part}": inner for part, inner in value.items()}
        else:
            found[name] = value
    return found


def trimmed(values: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    """An object without what is usual anyway; its name stays."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict) and isinstance(usual.get(name), dict):
            if kept := trimmed(value, usual[name]):
                found[name] = kept
        elif name == "name" or name not in usual or usual[name] != value:
            found[name] = value
    return found


def digest(document: str, found: Sequence[Change]) -> str:
    """What names these changes of what stood then: others, or of another state, are named else."""
    told = [
        [c.action, c.noun, c.name, str(c.id), None if c.old is None else dict(c.old),
         None if c.new is None else dict(c.new)]
        for c in found
    ]  # fmt: skip
    body = json.dumps([document, told], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(body.encode()).hexdigest()


def lines(old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> list[int | None]:
    """For each new line of a channel the old one that it goes on as: of one subject, in order.

    A line that stays keeps its place in the rotation, whatever else changes.
    """
    free: dict[tuple[Any, ...], list[int]] = {}
    for number, one in enumerate(old):
        free.setdefault(_subject(one), []).append(number)
    return [free[_subject(o)].pop(0) if free.get(_subject(o)) else None for o in new]


def _subject(line: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(line[name] for name in ("track", "folder", "announcement", "channel"))


def outermost_first(going: Sequence[str], inside: Mapping[str, set[str]]) -> list[str]:
    """Channels that go, those before others in which these are; ``inside`` has no circles."""
    left, found = list(going), []
    while left:
        held = {inner for one in left for inner in inside.get(one, ())}
        free = [one for one in left if one not in held]
        found += free
        left = [one for one in left if one in held]
    return found
