"""Signing in: who gets a session, who does not, and when it ends."""

from datetime import timedelta

import jwt
import pytest

from support.world import PASSWORD, World
from sync2gear_platform.identity import service as identity
from sync2gear_platform.identity.tables import Client
from sync2gear_platform.identity.tokens import Claims
from sync2gear_platform.kit.errors import Refusal


async def test_a_manager_signs_in_and_sees_what_the_role_allows(world: World) -> None:
    tenant = await world.tenant("Bakery")
    me = await tenant.read("/auth/me/")
    assert me["user"]["email"] == tenant.email
    assert me["client"] == {"id": str(tenant.id), "name": "Bakery", "standing": "active"}
    assert me["clients"] == [me["client"]]
    assert me["role"] == "client"
    assert {"zones.write", "playback.control"} <= set(me["permissions"])
    assert "device.fetch" not in me["permissions"]


async def test_unknown_email_and_wrong_password_answer_alike(world: World) -> None:
    tenant = await world.tenant()
    http = await world.http()
    answers = []
    for email, password in ((tenant.email, "wrong password"), ("nobody@example.test", PASSWORD)):
        answer = await http.post("/api/v1/auth/login/", json={"email": email, "password": password})
        body = answer.json()
        body.pop("trace")
        answers.append((answer.status_code, body))
    assert answers[0] == answers[1]
    assert answers[0][0] == 401
    assert answers[0][1]["code"] == "wrong_login"


async def test_raising_the_session_version_ends_every_token_at_once(world: World) -> None:
    tenant = await world.tenant()
    me = await tenant.read("/auth/me/")
    async with world.ctx() as ctx:
        await identity.end_sessions(ctx, me["user"]["id"])
    answer = await tenant.http.get("/api/v1/auth/me/")
    assert answer.status_code == 401
    assert answer.json()["code"] == "session_ended"
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("status", ["suspended", "cancelled", "expired", "not yet"])
async def test_who_does_not_pay_may_look_and_not_change(world: World, status: str) -> None:
    tenant = await world.tenant()
    zone = await tenant.make("/zones/", name="Bar")
    day = world.clock.now().date()
    async with world.ctx() as ctx:
        client = await ctx.db.get_one(Client, tenant.id)
        if status == "expired":
            client.subscription_end = day - timedelta(days=1)
        elif status == "not yet":
            client.subscription_start = day + timedelta(days=1)
        else:
            client.status = status
    assert (await tenant.http.get("/api/v1/zones/")).status_code == 200
    me = await tenant.read("/auth/me/")
    assert me["client"]["standing"] == ("cancelled" if status == "cancelled" else "suspended")
    for method, path, body in (
        ("POST", "/zones/", {"name": "Kitchen"}),
        ("POST", "/playback/volume/", {"zone_id": zone["id"], "volume": 10}),
        ("DELETE", f"/zones/{zone['id']}/", {}),
    ):
        answer = await tenant.http.request(method, f"/api/v1{path}", json=body)
        assert answer.status_code == 403, path
        assert answer.json()["code"] == "client_suspended"
    assert (await tenant.http.patch("/api/v1/auth/me/", json={"name": "Kim"})).status_code == 200


@pytest.mark.parametrize("fault", ["none", "expired", "other_key", "hs256", "truncated", "empty"])
async def test_forged_and_expired_tokens_are_refused(world: World, fault: str) -> None:
    tenant = await world.tenant()
    me = await tenant.read("/auth/me/")
    session = (await tenant.read("/auth/sessions/"))["results"][0]["id"]
    claims = Claims(me["user"]["id"], session, 1)
    signer = world.app.state.signer
    good = signer.sign(claims, world.clock.now())
    body = jwt.decode(good, options={"verify_signature": False})
    token = {
        "none": jwt.encode(body, None, algorithm="none"),
        "expired": signer.sign(claims, world.clock.now() - timedelta(hours=2)),
        "other_key": type(signer)("another secret, just as long as the first").sign(
            claims, world.clock.now()
        ),
        "hs256": jwt.encode(body, "x" * 32, algorithm="HS256"),
        "truncated": good[:-4],
        "empty": "",
    }[fault]
    http = await world.http(token or "x")
    answer = await http.get("/api/v1/auth/me/")
    assert answer.status_code == 401
    assert answer.json()["code"] == "session_ended"
    assert (await (await world.http(good)).get("/api/v1/auth/me/")).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": "a@b.c"},
        {"email": "a@b.c", "password": ""},
        {"email": "a@b.c", "password": "x" * 1000},
        {"email": "x" * 1000, "password": "x"},
        {"email": "a@b.c", "password": "x", "role": "admin"},
        [],
        "text",
    ],
)
async def test_a_login_that_is_none_is_refused_with_a_code(world: World, body: object) -> None:
    http = await world.http()
    answer = await http.post("/api/v1/auth/login/", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "invalid_request"


async def test_a_viewer_may_look_and_not_touch(world: World) -> None:
    tenant = await world.tenant()
    viewer = await world.colleague(tenant, "viewer")
    assert (await viewer.get("/api/v1/zones/")).status_code == 200
    answer = await viewer.post("/api/v1/zones/", json={"name": "Mine"})
    assert answer.status_code == 403
    assert answer.json()["code"] == "forbidden"


async def test_a_weak_password_and_an_unknown_role_are_refused(world: World) -> None:
    tenant = await world.tenant()
    for password, role, code in (
        ("short", "client", "weak_password"),
        (PASSWORD, "device", "unknown_role"),
    ):
        with pytest.raises(Refusal) as refused:
            async with world.ctx() as ctx:
                await identity.create_user(
                    ctx,
                    world.passwords,
                    client_id=tenant.id,
                    email="new@example.test",
                    name="New",
                    password=password,
                    role=role,
                )
        assert refused.value.code == code
