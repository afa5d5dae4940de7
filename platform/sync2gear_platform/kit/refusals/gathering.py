"""Reads off the code what each operation can be refused with, and writes that down.

``refusals.json`` beside this file, for the API's description; a table of all codes, for people.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any, Final

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

import sync2gear_platform
from sync2gear_platform.kit import limits, web
from sync2gear_platform.kit.refusals import ASKED, RECOGNISED
from sync2gear_platform.kit.refusals.reading import Reasons, reasons

FILE: Final = Path(__file__).with_name("refusals.json")
TABLE: Final = "refusals.md"
LEFT_OUT: Final = ("sync2gear_platform.__main__", "sync2gear_platform.migrations")
TOO_LONG: Final = frozenset({"An address has at most 8192 bytes: ask for less at once."})
HEAD: Final = """# Refusals

Generated from the code by `make docs`. What the API refuses it answers as problem+json (RFC 9457)
with one of these codes; they are stable, the words are not. Which of them an operation can come
to stands in its description, `/api/openapi.json`: an upper bound, read off everything that the
operation calls. Beyond the operations: a path that does not exist is 404 `not_found`, a method
that it does not take 405 `method_not_allowed`, headers that are too many or too long 431
`headers_too_large`, a mistake of ours 500 `internal`.

| code | status | what it says |
|---|---|---|
"""


def gather(app: FastAPI) -> dict[str, Reasons]:
    """What the code of every operation in the description of ``app`` can come to."""
    for module in walk_packages(sync2gear_platform.__path__, f"{sync2gear_platform.__name__}."):
        if not module.name.startswith(LEFT_OUT):
            import_module(module.name)  # what an installation loads only where it has a use for it
    described = {
        (method.upper(), path)
        for path, methods in app.openapi()["paths"].items()
        for method in methods
    }
    said = {RECOGNISED: reasons([app.state.edge.authenticate, web.require, limits.charge])}
    for route in iter_route_contexts(app.routes):
        dependant = getattr(route, "dependant", None)
        for method in getattr(route, "methods", None) or ():
            if isinstance(dependant, Dependant) and (method, route.path) in described:
                found = reasons(_calls(dependant), but=[web.open_ctx])
                said[f"{method} {route.path}"] = found
    return {one: said[one] for one in sorted(said)}


def _calls(dependant: Dependant) -> Iterator[Callable[..., Any] | None]:
    yield dependant.call
    for one in dependant.dependencies:
        yield from _calls(one)


def as_json(gathered: Mapping[str, Reasons]) -> str:
    """A line for each operation."""
    lines = [
        f"{json.dumps(one)}: {json.dumps([f'{r.status} {r.code}' for r in sorted(said)])}"
        for one, said in gathered.items()
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def as_table(gathered: Mapping[str, Reasons]) -> str:
    """A line for each code."""
    found: dict[tuple[str, int], set[str]] = {}
    edges = reasons([web.install_problems, web.from_integrity])
    for said in (*gathered.values(), edges, dict.fromkeys(ASKED, TOO_LONG)):
        for reason, says in said.items():
            key = reason.code, reason.status
            found.setdefault(key, set()).update(one for one in says if one)
    lines = [
        f"| `{code}` | {status} | {_cell(found[code, status])} |" for code, status in sorted(found)
    ]
    return HEAD + "\n".join(lines) + "\n"


def _cell(says: Iterable[str]) -> str:
    """What a code says, without what only this documentation's format would read into it."""
    texts = sorted({" ".join(one.split()).replace("|", "/").replace("``", "") for one in says})
    return "<br>".join(texts)


def write(app: FastAPI, docs: Path) -> None:
    """Both, to where they belong."""
    gathered = gather(app)
    FILE.write_text(as_json(gathered), encoding="utf-8")
    (docs / TABLE).write_text(as_table(gathered), encoding="utf-8")
