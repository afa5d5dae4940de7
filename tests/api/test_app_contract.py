"""What holds for every operation of the API, read off its own description."""

import re
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI

from support.world import World
from sync2gear_platform.identity.rules import KNOWN, permissions
from sync2gear_platform.kit.web import policies, require_policies

PUBLIC = {
    ("POST", "/api/v1/auth/login/"),
    ("POST", "/api/v1/auth/refresh/"),
    ("POST", "/api/v1/auth/signup/"),
    ("POST", "/api/v1/auth/signup/confirm/"),
    ("POST", "/api/v1/auth/password-reset/"),
    ("POST", "/api/v1/auth/password-reset/confirm/"),
    ("POST", "/api/v1/auth/me/email/confirm/"),
    ("POST", "/api/v1/auth/oidc/otp/"),
    ("GET", "/api/v1/auth/oidc/"),
    ("POST", "/api/v1/auth/invitations/preview/"),
    ("POST", "/api/v1/auth/invitations/accept/"),
    ("GET", "/api/v1/csrf/"),
    ("GET", "/api/v1/health/"),
    ("GET", "/api/v1/health/ready/"),
}

WITHOUT_PROVIDER = {
    ("GET", "/api/v1/auth/oidc/login/"),
    ("GET", "/api/v1/auth/oidc/callback/"),
}
"""Public where there is a sign-in provider."""


def operations(app: FastAPI) -> list[tuple[str, str, dict[str, Any]]]:
    """``(method, path, operation)`` of the description."""
    return [
        (method.upper(), path, operation)
        for path, methods in app.openapi()["paths"].items()
        for method, operation in methods.items()
    ]


def filled(path: str) -> str:
    """``path`` with an unknown id in every place."""
    return re.sub(r"\{(\w+)\}", lambda m: "0" * 64 if "sha" in m.group(1) else str(uuid4()), path)


async def test_anonymous_people_reach_nothing_but_what_is_public(world: World) -> None:
    http = await world.http()
    seen = operations(world.app)
    assert len(seen) > 40
    for method, path, _ in seen:
        answer = await http.request(method, filled(path), json={})
        if (method, path) in PUBLIC:
            assert answer.status_code in {200, 202, 422}, path
        elif (method, path) in WITHOUT_PROVIDER:
            assert (answer.status_code, answer.json()["code"]) == (404, "oidc_off")
        else:
            assert answer.status_code == 401, (method, path, answer.text)
            assert answer.json()["code"] == "session_ended"
            assert answer.headers["content-type"] == "application/problem+json"


async def test_unknown_ids_and_empty_bodies_are_never_a_bug(world: World) -> None:
    tenant = await world.tenant()
    for method, path, _ in operations(world.app):
        for body in ({}, [], {"name": None}, {"zone_id": str(uuid4())}):
            answer = await tenant.http.request(method, filled(path), json=body)
            assert answer.status_code < 500, (method, path, body, answer.text)
            if answer.status_code >= 400:
                problem = answer.json()
                assert problem["code"], (method, path)
                assert problem["trace"] == answer.headers["x-request-id"]


async def test_every_role_gets_403_exactly_where_the_matrix_says(world: World) -> None:
    tenant = await world.tenant()
    declared = {
        (m, p): policy for m, p, policy in policies(world.app) if m not in {"HEAD", "WEBSOCKET"}
    }
    for role in ("viewer", "floor", "technician"):
        http = await world.colleague(tenant, role)
        for (method, path), policy in declared.items():
            if path.endswith(("/auth/logout/", "/media/signed/{token}/")):
                continue  # the second refuses whoever it is: the address is the permission
            answer = await http.request(method, filled(path), json={})
            may = policy in permissions(role) | {"public"}
            refused = answer.status_code == 403
            assert refused != may, (role, method, path, policy, answer.status_code)


async def test_a_route_without_a_policy_fails_the_start(world: World) -> None:
    app = FastAPI()

    @app.get("/forgotten/")
    async def forgotten() -> None:
        """Nobody said who may."""

    with pytest.raises(RuntimeError, match=r"GET /forgotten/: None"):
        require_policies(app, KNOWN)
    require_policies(world.app, KNOWN)


async def test_the_documentation_is_served_without_any_other_host(world: World) -> None:
    http = await world.http()
    for page in ("/api/docs/", "/api/redoc/", "/api/docs", "/api/redoc"):
        answer = await http.get(page)
        assert answer.status_code == 200
        for url in re.findall(r"""(?:src|href)=["']([^"']+)""", answer.text):
            assert url.startswith(("/", "data:")), url
            assert (await http.get(url)).status_code == 200, url
    description = (await http.get("/api/openapi.json")).json()
    assert description["openapi"].startswith("3.1")


async def test_bodies_and_headers_have_limits(world: World) -> None:
    tenant = await world.tenant()
    large = b'{"name": "' + b"x" * 1_100_000 + b'"}'
    answer = await tenant.http.post(
        "/api/v1/zones/", content=large, headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")

    async def chunks() -> Any:
        for _ in range(12):
            yield b"x" * 100_000

    answer = await tenant.http.post("/api/v1/zones/", content=chunks())
    assert answer.status_code == 413
    deep = b"[" * 50_000 + b"]" * 50_000
    answer = await tenant.http.post(
        "/api/v1/zones/", content=deep, headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


async def test_a_database_that_is_gone_answers_503_and_heals(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = await world.tenant()
    engine = world.db.engine
    await engine.dispose()
    url = engine.url.set(port=1)
    from sqlalchemy.ext.asyncio import create_async_engine

    dead = create_async_engine(url)
    monkeypatch.setattr(world.db, "engine", dead)
    answer = await tenant.http.get("/api/v1/zones/")
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert answer.headers["retry-after"] == "2"
    await dead.dispose()
    monkeypatch.setattr(world.db, "engine", engine)
    assert (await tenant.http.get("/api/v1/zones/")).status_code == 200


async def test_the_pages_of_the_dashboard_are_served_with_a_strict_policy(world: World) -> None:
    http: httpx2.AsyncClient = await world.http()
    answer = await http.get("/")
    if answer.status_code == 404:
        pytest.fail("the dashboard is not built: run `make setup`")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert (await http.get("/zones/anything")).text == answer.text
    assert (await http.get("/api/v1/nothing/")).status_code == 404
    assert (await http.get("/api/v1/nothing/")).json()["code"] == "not_found"
    assert "/root" not in (await http.get("/../../etc/passwd")).text
