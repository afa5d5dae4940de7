"""Headers, sizes, depths and methods at the edge, and who may call from another origin."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import APIRouter
from pydantic import ValidationError

from support.services import PostgresServer
from support.world import World, cloned_database, make_settings
from sync2gear_platform.kit import guard
from sync2gear_platform.kit.guard import MAX_DEPTH, depth_of
from sync2gear_platform.kit.web import unguarded
from sync2gear_platform.settings import Settings

EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.fixture
async def public(postgres: PostgresServer, tmp_path: Path) -> AsyncIterator[World]:
    """An installation that people reach by https, and a page of another origin that it allows."""
    with cloned_database(postgres) as (admin_url, app_url):
        settings = make_settings(
            tmp_path,
            app_url,
            admin_url,
            public_url="https://sound.example",
            cors_origins="https://till.example, http://localhost:5173",
        )
        async with World.open(settings) as opened:
            yield opened


async def test_every_answer_tells_browsers_to_be_careful(public: World) -> None:
    http, acme = await public.http(), await public.tenant()
    answers = [
        await acme.http.get("/api/v1/zones/"),
        await http.get("/api/v1/zones/"),
        await http.get("/api/v1/nowhere/"),
        await http.get("/"),
        await http.get("/api/docs/"),
        await http.get("/api/openapi.json"),
        await http.request("TRACE", "/api/v1/zones/"),
        await http.post("/api/v1/zones/", content=b"x" * 2_000_000),
    ]
    assert [a.status_code for a in answers] == [200, 401, 404, 200, 200, 200, 405, 413]
    for answer in answers:
        for name, value in EVERYWHERE.items():
            assert answer.headers[name] == value, answer.url
        assert answer.headers.get_list("content-security-policy") != []
        assert len(answer.headers.get_list("content-security-policy")) == 1
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        assert answer.headers["permissions-policy"].startswith("microphone=(self), camera=()")
        assert "server" not in answer.headers
    assert answers[0].headers["cache-control"] == "no-store"
    assert answers[3].headers["cache-control"] == "no-cache"


async def test_without_https_no_browser_is_told_to_insist_on_it(world: World) -> None:
    http = await world.http()
    assert "strict-transport-security" not in (await http.get("/api/v1/health/")).headers


async def test_a_bug_is_answered_with_its_trace_and_the_same_headers(world: World) -> None:
    router = APIRouter()

    @router.get("/api/v1/bug/", dependencies=[unguarded()])
    async def bug() -> None:
        raise ZeroDivisionError("a secret in a message")

    world.app.router.routes.insert(0, router.routes[0])
    answer = await (await world.http()).get("/api/v1/bug/")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert answer.headers["x-request-id"] == answer.json()["trace"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "secret" not in answer.text


async def test_pages_of_documentation_allow_exactly_their_own_scripts(world: World) -> None:
    http = await world.http()
    for page in ("/api/docs/", "/api/redoc/", "/api/docs/oauth2-redirect/"):
        answer = await http.get(page)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        script = next(part for part in policy.split("; ") if part.startswith("script-src"))
        assert "unsafe" not in script
        if "<script>" in answer.text:
            assert "'sha256-" in script, page


async def test_only_allowed_origins_may_call_and_no_cookie_comes_along(public: World) -> None:
    http, acme = await public.http(), await public.tenant()
    asking = {
        "Origin": "https://till.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, content-type, idempotency-key",
    }
    preflight = await http.options("/api/v1/zones/", headers=asking)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "https://till.example"
    assert preflight.headers["access-control-max-age"] == "7200"
    assert "Origin" in preflight.headers["vary"]
    assert "access-control-allow-credentials" not in preflight.headers
    answer = await acme.http.get("/api/v1/zones/", headers={"Origin": "https://till.example"})
    assert answer.headers["access-control-allow-origin"] == "https://till.example"
    assert "RateLimit" in answer.headers["access-control-expose-headers"]
    for other in ("https://evil.example", "https://till.example.evil.example", "null"):
        foreign = await http.options("/api/v1/zones/", headers={**asking, "Origin": other})
        assert foreign.status_code == 400
        assert "access-control-allow-origin" not in foreign.headers
        plain = await acme.http.get("/api/v1/zones/", headers={"Origin": other})
        assert "access-control-allow-origin" not in plain.headers


async def test_without_a_list_no_other_origin_may_call(world: World) -> None:
    http = await world.http()
    answer = await http.get("/api/v1/health/", headers={"Origin": "https://till.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "wrong",
    [
        {"cors_origins": "*"},
        {"cors_origins": "https://till.example/"},
        {"cors_origins": "till.example"},
        {"trusted_proxies": "everybody"},
        {"trusted_proxies": "10.0.0.1/8"},
        {"rate_reads": "many"},
        {"rate_reads": "0/minute"},
        {"rate_reads": "5/fortnight"},
    ],
)
def test_settings_that_would_open_a_door_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings(env="dev", **wrong)


async def refused(world: World, **request: Any) -> tuple[int, str]:
    http = await world.http()
    answer = await http.request(**{"method": "GET", "url": "/api/v1/health/", **request})
    return answer.status_code, answer.json().get("code", "")


async def test_addresses_headers_and_methods_have_limits(world: World) -> None:
    long = "/api/v1/health/?q=" + "x" * 9000
    assert await refused(world, url=long) == (414, "url_too_long")
    assert await refused(world, headers={"X": "y" * 40_000}) == (431, "headers_too_large")
    many = [(f"X-{n}", "y") for n in range(200)]
    assert await refused(world, headers=many) == (431, "headers_too_large")
    assert await refused(world, method="BREW") == (405, "method_not_allowed")
    assert await refused(world, method="TRACE") == (405, "method_not_allowed")
    assert await refused(world, method="DELETE") == (405, "method_not_allowed")


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


async def test_json_is_as_deep_as_the_limit_and_no_deeper(world: World) -> None:
    acme = await world.tenant()
    headers = {"Content-Type": "application/json"}

    async def post(body: bytes) -> httpx2.Response:
        return await acme.http.post("/api/v1/zones/", content=body, headers=headers)

    assert (await post(nested(MAX_DEPTH))).status_code == 422
    answer = await post(nested(MAX_DEPTH + 1))
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert str(MAX_DEPTH) in answer.json()["detail"]
    flat = json.dumps({"name": "[" * 50 + '"' + "{" * 50}).encode()
    assert (await post(flat)).status_code == 201


def test_depth_is_counted_outside_of_text() -> None:
    assert depth_of(b"[]" * 100) == 1
    assert depth_of(nested(40)) > MAX_DEPTH
    assert depth_of(json.dumps(["]" * 50 + '"[' * 50, [[]] * 40]).encode()) == 3
    assert depth_of(b'"' + b"[" * 50) > MAX_DEPTH  # a text without an end is none
    assert depth_of(b"{}") <= MAX_DEPTH


async def test_a_body_that_never_ends_is_given_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.05)
    acme = await world.tenant()
    released = asyncio.Event()

    async def dripping() -> AsyncIterator[bytes]:
        yield b'{"name": '
        async with asyncio.timeout(5):
            await released.wait()
        yield b'"x"}'

    answer = await acme.http.post("/api/v1/zones/", content=dripping())
    released.set()
    assert (answer.status_code, answer.json()["code"]) == (408, "too_slow")
