"""Every refusal that a test comes to is one that the API's description declares."""

import re
from collections.abc import Mapping
from typing import Any

import httpx2
from fastapi import FastAPI

from sync2gear_platform.kit.web import PROBLEM, canonical

Known = list[tuple[re.Pattern[str], str, Mapping[str, frozenset[str]]]]

_known: Known = []


def known(app: FastAPI) -> Known:
    """Pattern of the path, method, and the codes of each status; read once for all tests."""
    if not _known:
        description = app.openapi()
        components = description["components"]["responses"]
        for path, methods in description["paths"].items():
            pattern = re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)))
            for method, operation in methods.items():
                said = {s: codes_of(r, components) for s, r in operation["responses"].items()}
                _known.append((pattern, method.upper(), said))
        _known.sort(key=lambda one: one[0].pattern.count("[^/]+"))  # /zones/all/ before {zone_id}
        app.openapi_schema = None  # it may be planted with more before it is asked for
    return _known


def codes_of(response: Mapping[str, Any], components: Mapping[str, Any]) -> frozenset[str]:
    """The codes of one answer of the description; of one that is no problem there are none."""
    if "$ref" in response:
        response = components[response["$ref"].rpartition("/")[2]]
    schema = response.get("content", {}).get(PROBLEM, {}).get("schema", {})
    return frozenset(
        code for part in schema.get("allOf", ()) for code in _codes(part.get("properties", {}))
    )


def _codes(properties: Mapping[str, Any]) -> list[str]:
    found: list[str] = properties.get("code", {}).get("enum", [])
    return found


async def check(app: FastAPI, answer: httpx2.Response) -> None:
    """Fail for a problem that its operation does not declare."""
    if answer.headers.get("content-type", "") != PROBLEM or answer.request.method == "HEAD":
        return
    await answer.aread()
    code, status = answer.json()["code"], answer.status_code
    path = canonical(answer.request.url.path)
    for pattern, method, said in known(app):
        if method == answer.request.method and pattern.fullmatch(path):
            told = said.get(str(status), frozenset())
            assert code in told | BEYOND, f"{method} {path} does not declare {status} {code}"
            return


BEYOND = frozenset({"internal", "url_too_long", "headers_too_large"})
"""What any request can come to, and no operation declares."""
