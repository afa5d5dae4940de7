"""The description of every operation says how it refuses; what it says elsewhere agrees.

That each refusal which a test comes to is declared is seen to by ``support/declared.py``.
"""

import re
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from support import declared
from support.world import World
from sync2gear_platform.kit.web import PROBLEM, policies

TABLE = Path(__file__).parents[2] / "docs" / "refusals.md"

Operation = tuple[str, str, dict[str, Any], dict[str, frozenset[str]]]


def described(app: FastAPI) -> list[Operation]:
    """``(method, path, operation, codes of each status)``."""
    description = app.openapi()
    shared = description["components"]["responses"]
    return [
        (
            method.upper(),
            path,
            operation,
            {s: declared.codes_of(r, shared) for s, r in operation["responses"].items()},
        )
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    ]


def takes(operation: dict[str, Any], name: str) -> bool:
    """Whether an operation has a parameter of this name."""
    return any(one["name"].lower() == name for one in operation.get("parameters", ()))


async def test_who_may_and_what_is_sent_decide_how_it_is_refused(world: World) -> None:
    policy = {(method, path): declared for method, path, declared in policies(world.app)}
    operations = described(world.app)
    assert len(operations) > 250
    for method, path, operation, codes in operations:
        said = f"{method} {path}: {codes}"
        public = policy[method, path] == "public"
        assert "rate_limited" in codes["429"], said
        assert public or codes["401"] >= {"session_ended", "device_unknown"}, said
        assert public or codes["403"] >= {"forbidden", "client_suspended"}, said
        assert ("too_large" in codes.get("413", ())) or method in {"GET", "DELETE"}, said
        body = operation.get("requestBody", {}).get("content", {})
        has_input = bool(operation.get("parameters") or "application/json" in body)
        assert ("invalid_request" in codes.get("422", ())) or not has_input, said
        if method == "GET":
            assert "csrf_failed" not in codes.get("403", ()), said


async def test_what_the_code_can_come_to_agrees_with_the_parameters(world: World) -> None:
    """Two readings of each operation: its signature, and all that it calls."""
    for method, path, operation, codes in described(world.app):
        said = f"{method} {path}: {codes}"
        matched = takes(operation, "if-match")
        assert matched == ("stale" in codes.get("412", ())), said
        once = takes(operation, "idempotency-key")
        assert once == ("idempotency_mismatch" in codes.get("422", ())), said
        assert once == ("idempotency_in_progress" in codes.get("409", ())), said
        assert takes(operation, "cursor") <= ("bad_cursor" in codes.get("422", ())), said
        by_id = re.search(r"\{\w+_id\}", path) is not None
        assert by_id <= bool(codes.get("404")), said


async def test_the_table_has_every_code(world: World) -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d{3}) \| (.*) \|$", TABLE.read_text("utf-8"), re.MULTILINE)
    told = {(code, status) for code, status, _ in rows}
    for *_, codes in described(world.app):
        for status, some in codes.items():
            assert {(code, status) for code in some} <= told
    silent = {code for code, _, says in rows if not says.strip()}
    assert silent <= {"too_large", "too_slow"}, "every code says what to do"


async def test_a_refusal_looks_as_the_description_says(world: World) -> None:
    tenant = await world.tenant()
    problem = world.app.openapi()["components"]["schemas"]["Problem"]
    answer = await tenant.http.post("/api/v1/zones/", json={"name": 7})
    assert answer.headers["content-type"] == PROBLEM
    assert set(problem["required"]) <= set(answer.json())
    assert set(answer.json()) <= set(problem["properties"])
    one = answer.json()["errors"][0]
    assert set(one) == set(problem["properties"]["errors"]["items"]["required"])
    assert "HTTPValidationError" not in str(world.app.openapi())


async def test_a_refusal_that_is_not_declared_fails_a_test(world: World) -> None:
    """What keeps the others honest."""
    http = await world.http()
    answer = await http.get("/api/v1/zones/")
    request = answer.request
    odd = httpx2.Response(
        409, json={"code": "unheard_of"}, headers={"content-type": PROBLEM}, request=request
    )
    with pytest.raises(AssertionError, match="GET /api/v1/zones/ does not declare 409 unheard_of"):
        await declared.check(world.app, odd)
