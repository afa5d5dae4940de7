"""What every operation may be refused with, told in the API's description.

What an operation's policy, method and body bring is derived here; what its code can come to was
read off it by ``python -m sync2gear_platform refusals`` (:mod:`.gathering`) into ``refusals.json``.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from typing import Any, Final

from fastapi import FastAPI

from sync2gear_platform.kit.refusals.reading import Reason
from sync2gear_platform.kit.web import PROBLEM, policies, spans_clients

ANYBODY: Final = "public"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
RECOGNISED: Final = "*"
"""In the file: what recognising the sender can come to."""

ALWAYS: Final = frozenset({Reason(429, "rate_limited"), Reason(503, "database_unavailable")})
PARSED: Final = frozenset({Reason(422, "invalid_request"), Reason(422, "data")})
"""Of whatever has parameters or a body."""

ASKED: Final = frozenset({Reason(414, "url_too_long")})
"""Of whatever has something to ask for in its address."""

WITH_BODY: Final = frozenset(
    {Reason(400, "bad_request"), Reason(408, "too_slow"), Reason(413, "too_large")}
)
WRITTEN: Final = frozenset({Reason(409, "conflict"), Reason(409, "reference")})
"""What the database refuses: a repetition, or a reference to what is not there."""

FENCED: Final = frozenset({Reason(403, "out_of_reach")})
"""What the database refuses beyond the places of whoever writes."""

MATCHED: Final = frozenset({Reason(412, "stale")})
"""Asked only by whoever says what it has read."""

COOKIES: Final = frozenset({Reason(403, "csrf_failed")})
"""Asked only of what changes something."""

SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457. `code` is stable and decides what to do; `detail` says it to people; "
    "`trace` finds the request in our logs. 429 and some 503 carry Retry-After.",
    "required": ["type", "title", "status", "code", "detail", "trace"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "trace": {"type": "string"},
        "retry_after": {"type": "integer", "description": "Seconds."},
        "errors": {
            "type": "array",
            "description": "Of `invalid_request`: what is wrong with which field.",
            "items": {
                "type": "object",
                "required": ["field", "code", "message"],
                "properties": {
                    "field": {"type": "string"},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
    },
}

_PHRASED: Final = frozenset(HTTPStatus)

Declared = dict[int, tuple[str, ...]]
"""The codes of each status."""


@cache
def gathered() -> Mapping[str, frozenset[Reason]]:
    """What the code of each operation can come to."""
    text = (files(__name__) / "refusals.json").read_text(encoding="utf-8")
    return {operation: frozenset(parse(said)) for operation, said in json.loads(text).items()}


def parse(said: Iterable[str]) -> Iterable[Reason]:
    """``409 name_taken`` as a reason."""
    for one in said:
        status, _, code = one.partition(" ")
        yield Reason(int(status), code)


def declared(method: str, path: str, policy: str, operation: Mapping[str, Any]) -> Declared:
    """Why ``operation`` may be refused, by status."""
    known = gathered()
    found = ALWAYS | known.get(f"{method} {path}", frozenset())
    if "422" in operation["responses"]:
        found |= PARSED
    if any(one["in"] == "query" for one in operation.get("parameters", ())):
        found |= ASKED
    if method in {"POST", "PUT", "PATCH"}:
        found |= WITH_BODY
    if method not in SAFE:
        found |= WRITTEN
    if policy != ANYBODY:
        found |= known[RECOGNISED]
        if method not in SAFE and not spans_clients(policy):
            found |= FENCED
    if method in SAFE:
        found -= COOKIES
    if not any(one["name"].lower() == "if-match" for one in operation.get("parameters", ())):
        found -= MATCHED
    statuses = sorted({one.status for one in found})
    return {s: tuple(sorted(one.code for one in found if one.status == s)) for s in statuses}


def describe(app: FastAPI, description: dict[str, Any]) -> dict[str, Any]:
    """Add to ``description`` what ``app`` refuses; returns it."""
    known = {(method, path): policy or ANYBODY for method, path, policy in policies(app)}
    said: list[tuple[dict[str, Any], Declared]] = []
    for path, methods in description["paths"].items():
        for name, operation in methods.items():
            method = name.upper()
            policy = known.get((method, path), ANYBODY)
            said.append((operation["responses"], declared(method, path, policy, operation)))
    usual = _usual(codes for _, codes in said)
    components = description.setdefault("components", {})
    components["responses"] = {_title(s): _response(s, codes) for s, codes in usual.items()}
    for responses, by_status in said:
        for status, codes in by_status.items():
            responses[str(status)] = (
                {"$ref": f"#/components/responses/{_title(status)}"}
                if usual[status] == codes
                else _response(status, codes)
            )
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):  # the framework's, never answered
        schemas.pop(name, None)
    schemas["Problem"] = dict(SCHEMA)
    return description


def install(app: FastAPI) -> None:
    """Let the description of ``app`` tell what it refuses."""
    without = app.openapi

    def whole() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = describe(app, without())
        return app.openapi_schema

    app.openapi = whole  # type: ignore[method-assign]  # FastAPI's own way of extending it


def _usual(all_of_them: Iterable[Declared]) -> Declared:
    """For each status the codes that most operations share."""
    counted = Counter((s, codes) for one in all_of_them for s, codes in one.items())
    ordered = sorted(counted, key=lambda one: (counted[one], one))
    return dict(ordered)  # the last of a status counts most


def _phrase(status: int) -> str:
    """What a status is called; those of other protocols (tus: 460) have no name in HTTP."""
    return HTTPStatus(status).phrase if status in _PHRASED else f"Status {status}"


def _title(status: int) -> str:
    return _phrase(status).title().replace(" ", "")


def _response(status: int, codes: tuple[str, ...]) -> dict[str, Any]:
    own = {"properties": {"code": {"type": "string", "enum": list(codes)}}}
    return {
        "description": _phrase(status),
        "content": {
            PROBLEM: {"schema": {"allOf": [{"$ref": "#/components/schemas/Problem"}, own]}}
        },
    }
