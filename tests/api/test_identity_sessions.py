"""Sessions: cookies and tokens, how they are renewed, and how they end."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import update
from sqlmodel import col, select

from support.world import PASSWORD, Tenant, World
from sync2gear_platform.identity import jobs as identity_jobs
from sync2gear_platform.identity.tables import Session, SignInAttempt, User
from sync2gear_platform.kit.db import enter_system

COOKIE = "__Host-s2g"
NEW = "a much better battery staple"


async def sign_in(world: World, email: str, password: str = PASSWORD, **more: Any) -> Any:
    http = await world.http()
    answer = await http.post(
        "/api/v1/auth/login/", json={"email": email, "password": password, **more}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def browser(world: World, email: str, **more: Any) -> tuple[httpx2.AsyncClient, str]:
    """A browser with a session, and its CSRF token."""
    http = await world.http()
    answer = await http.post(
        "/api/v1/auth/login/",
        json={"email": email, "password": PASSWORD, "session": "cookie", **more},
        headers={"Origin": "http://platform.test"},
    )
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["access"] is None
    assert body["refresh"] is None
    kept = answer.headers["set-cookie"]
    assert kept.startswith(f"{COOKIE}=s2c_")
    for part in ("HttpOnly", "Path=/", "SameSite=strict", "Secure"):
        assert part in kept
    assert "Domain" not in kept
    http.cookies.clear()
    http.headers["Cookie"] = kept.split(";")[0]
    return http, body["csrf_token"]


async def test_a_browser_changes_things_only_with_its_page_s_token(world: World) -> None:
    tenant = await world.tenant()
    http, token = await browser(world, tenant.email)
    assert (await http.get("/api/v1/zones/")).status_code == 200
    made = {"json": {"name": "Bar"}}
    for headers in (
        {},
        {"X-CSRFToken": "x"},
        {"X-CSRFToken": token, "Origin": "https://evil.test"},
        {"X-CSRFToken": token, "Origin": "null"},
    ):
        answer = await http.post("/api/v1/zones/", **made, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed"), headers
    good = {"X-CSRFToken": token, "Origin": "http://platform.test"}
    assert (await http.post("/api/v1/zones/", **made, headers=good)).status_code == 201
    assert (await http.get("/api/v1/csrf/")).json() == {"csrf_token": token}
    other, _ = await browser(world, tenant.email)
    assert (await other.post("/api/v1/zones/", **made, headers=good)).status_code == 403
    assert (await (await world.http()).get("/api/v1/csrf/")).json() == {"csrf_token": None}


async def test_a_foreign_page_cannot_sign_a_browser_in(world: World) -> None:
    tenant = await world.tenant()
    http = await world.http()
    answer = await http.post(
        "/api/v1/auth/login/",
        json={"email": tenant.email, "password": PASSWORD, "session": "cookie"},
        headers={"Origin": "https://evil.test"},
    )
    assert answer.json()["code"] == "csrf_failed"
    assert "set-cookie" not in answer.headers


async def test_logging_out_ends_a_browser_and_a_token_at_once(world: World) -> None:
    tenant = await world.tenant()
    http, token = await browser(world, tenant.email)
    answer = await http.post("/api/v1/auth/logout/", headers={"X-CSRFToken": token})
    assert answer.status_code == 204
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert (await http.get("/api/v1/auth/user/")).status_code == 401
    body = await sign_in(world, tenant.email)
    mine = await world.http(body["access"])
    assert (await mine.post("/api/v1/auth/logout/")).status_code == 204
    assert (await mine.get("/api/v1/auth/me/")).status_code == 401
    again = await mine.post("/api/v1/auth/refresh/", json={"refresh": body["refresh"]})
    assert again.json()["code"] == "session_ended"
    assert (await tenant.http.get("/api/v1/auth/me/")).status_code == 200


@pytest.mark.parametrize("what", ["forged", "of another kind", "of nobody"])
async def test_a_cookie_that_is_none_is_refused(world: World, what: str) -> None:
    tenant = await world.tenant()
    http, _ = await browser(world, tenant.email)
    kept = http.headers["Cookie"]
    refresh = (await sign_in(world, tenant.email))["refresh"]
    http.headers["Cookie"] = {
        "forged": kept[:-3] + "xyz",
        "of another kind": f"{COOKIE}={refresh.replace('s2r', 's2c')}",
        "of nobody": f"{COOKIE}=s2c_{'0' * 32}_{'x' * 43}",
    }[what]
    assert (await http.get("/api/v1/zones/")).status_code == 401


async def test_an_idle_browser_is_forgotten_and_a_used_one_is_not(world: World) -> None:
    tenant = await world.tenant()
    http, _ = await browser(world, tenant.email)
    other, _ = await browser(world, tenant.email, remember=True)
    day = timedelta(hours=25)
    async with world.ctx() as ctx:
        await ctx.db.execute(update(Session).values(last_used_at=col(Session.last_used_at) - day))
    assert (await http.get("/api/v1/zones/")).status_code == 401
    assert (await other.get("/api/v1/zones/")).status_code == 200
    async with world.ctx() as ctx:
        remembered = (
            await ctx.db.exec(select(Session).where(col(Session.idle_seconds) > 100_000))
        ).all()
        kept = [s for s in remembered if s.kind == "browser"]
    assert world.clock.now() - kept[0].last_used_at < timedelta(minutes=1), "its use is remembered"


async def test_refresh_tokens_are_rotated(world: World) -> None:
    tenant = await world.tenant()
    first = await sign_in(world, tenant.email)
    http = await world.http()
    second = await http.post("/api/v1/auth/refresh/", json={"refresh": first["refresh"]})
    assert second.status_code == 200
    body = second.json()
    assert body["refresh"] != first["refresh"]
    assert second.headers["cache-control"] == "no-store"
    mine = await world.http(body["access"])
    assert (await mine.get("/api/v1/zones/")).status_code == 200
    third = await http.post("/api/v1/auth/refresh/", json={"refresh": body["refresh"]})
    assert third.status_code == 200
    async with world.ctx() as ctx:
        kept = (await ctx.db.exec(select(Session.secret_hash, Session.previous_hash))).all()
    written = {value for row in kept for value in row}
    for token in (first["refresh"], body["refresh"], third.json()["refresh"]):
        assert token not in written
        assert token.rpartition("_")[2] not in written


async def test_an_old_refresh_token_ends_its_whole_family(world: World) -> None:
    tenant = await world.tenant()
    first = await sign_in(world, tenant.email)
    http = await world.http()
    tokens = [first["refresh"]]
    for _ in range(2):
        answer = await http.post("/api/v1/auth/refresh/", json={"refresh": tokens[-1]})
        tokens.append(answer.json()["refresh"])
        access = answer.json()["access"]
    stolen = await http.post("/api/v1/auth/refresh/", json={"refresh": tokens[0]})
    assert (stolen.status_code, stolen.json()["code"]) == (401, "refresh_reused")
    newest = await http.post("/api/v1/auth/refresh/", json={"refresh": tokens[-1]})
    assert newest.json()["code"] == "session_ended"
    assert (await (await world.http(access)).get("/api/v1/zones/")).status_code == 401
    assert (await tenant.http.get("/api/v1/zones/")).status_code == 200, "another family"
    entries = await tenant.read("/audit/", action="session.reuse")
    assert [e["operation"] for e in entries["results"]] == ["warning"]


async def test_the_predecessor_is_good_for_ten_seconds_only(world: World) -> None:
    tenant = await world.tenant()
    first = await sign_in(world, tenant.email)
    http = await world.http()
    answers = [
        await http.post("/api/v1/auth/refresh/", json={"refresh": first["refresh"]})
        for _ in range(2)
    ]
    assert answers[0].json()["refresh"] == answers[1].json()["refresh"]
    async with world.ctx() as ctx:
        late = timedelta(seconds=11)
        await ctx.db.execute(update(Session).values(rotated_at=col(Session.rotated_at) - late))
    late_one = await http.post("/api/v1/auth/refresh/", json={"refresh": first["refresh"]})
    assert late_one.json()["code"] == "refresh_reused"


async def test_fifty_refreshes_at_once_leave_one_family_with_one_successor(world: World) -> None:
    tenant = await world.tenant()
    first = await sign_in(world, tenant.email)
    http = await world.http()
    answers = await asyncio.gather(
        *(http.post("/api/v1/auth/refresh/", json={"refresh": first["refresh"]}) for _ in range(50))
    )
    assert {a.status_code for a in answers} == {200}
    successors = {a.json()["refresh"] for a in answers}
    assert len(successors) == 1
    on = await http.post("/api/v1/auth/refresh/", json={"refresh": successors.pop()})
    assert on.status_code == 200


async def test_a_changed_password_ends_every_other_session(world: World) -> None:
    tenant = await world.tenant()
    other = await world.http((await sign_in(world, tenant.email))["access"])
    http, token = await browser(world, tenant.email)
    path, headers = "/api/v1/auth/change-password/", {"X-CSRFToken": token}
    wrong = {"current_password": "not mine at all", "new_password": NEW}
    refused = await http.post(path, json=wrong, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "wrong_password")
    weak = {"current_password": PASSWORD, "new_password": "short"}
    assert (await http.post(path, json=weak, headers=headers)).json()["code"] == "weak_password"
    right = {"current_password": PASSWORD, "new_password": NEW}
    done = await http.post(path, json=right, headers=headers)
    assert done.status_code == 200, done.text
    assert (await http.get("/api/v1/zones/")).status_code == 401, "the old secret is void"
    http.headers["Cookie"] = done.headers["set-cookie"].split(";")[0]
    assert (await http.get("/api/v1/zones/")).status_code == 200
    for ended in (other, tenant.http):
        assert (await ended.get("/api/v1/zones/")).status_code == 401
    await sign_in(world, tenant.email, NEW)


async def test_a_person_sees_and_ends_its_own_sessions_only(world: World) -> None:
    tenant, stranger = await world.tenant(), await world.tenant()
    http, _ = await browser(world, tenant.email)
    found = (await tenant.read("/auth/sessions/"))["results"]
    assert sorted(s["kind"] for s in found) == ["browser", "token"]
    assert [s["kind"] for s in found if s["current"]] == ["token"]
    one = next(s["id"] for s in found if s["kind"] == "browser")
    path = f"/api/v1/auth/sessions/{one}/"
    assert (await stranger.http.delete(path)).status_code == 404
    assert (await tenant.http.delete(path)).status_code == 204
    assert (await tenant.http.delete(path)).status_code == 404
    assert (await http.get("/api/v1/zones/")).status_code == 401


async def test_disabling_a_person_ends_it_everywhere_at_once(world: World) -> None:
    tenant = await world.tenant()
    async with world.ctx() as ctx:
        user = (await ctx.db.exec(select(User).where(col(User.email) == tenant.email))).one()
        user.is_active = False
    assert (await tenant.http.get("/api/v1/zones/")).status_code == 401
    answer = await (await world.http()).post(
        "/api/v1/auth/login/", json={"email": tenant.email, "password": PASSWORD}
    )
    assert answer.json()["code"] == "wrong_login"


async def guess(http: httpx2.AsyncClient, email: str, password: str = "a wrong guess") -> int:
    answer = await http.post("/api/v1/auth/login/", json={"email": email, "password": password})
    return answer.status_code


@pytest.mark.parametrize("known", [True, False])
async def test_guessing_is_stopped_alike_for_known_and_unknown(world: World, known: bool) -> None:
    tenant = await world.tenant()
    email = tenant.email if known else "nobody@example.test"
    http = await world.http(address="203.0.113.9")
    codes = await asyncio.gather(*(guess(http, email) for _ in range(30)))
    assert sorted(codes) == [401] * 10 + [429] * 20
    assert await guess(http, email, PASSWORD) == 429


async def test_an_attacker_elsewhere_does_not_lock_the_owner_out(world: World) -> None:
    tenant = await world.tenant()
    home = await world.http(address="192.0.2.1")
    assert await guess(home, tenant.email, PASSWORD) == 200
    for number in range(8):
        attacker = await world.http(address=f"203.0.113.{number}")
        await asyncio.gather(*(guess(attacker, tenant.email) for _ in range(10)))
    stranger = await world.http(address="198.51.100.7")
    assert await guess(stranger, tenant.email, PASSWORD) == 429, "the account is under attack"
    assert await guess(home, tenant.email, PASSWORD) == 200, "its owner is at home"
    other = await world.tenant()
    assert await guess(stranger, other.email, PASSWORD) == 200


async def test_the_clean_up_forgets_what_ended_long_ago(world: World) -> None:
    tenant = await world.tenant()
    old = timedelta(days=100)
    async with world.ctx() as ctx:
        await ctx.db.execute(
            update(Session).values(
                ended_at=ctx.now - old, expires_at=ctx.now - old, end_reason="logout"
            )
        )
        await ctx.db.execute(update(SignInAttempt).values(at=ctx.now - old))
    await sign_in(world, tenant.email)
    async with world.ctx() as ctx:
        await identity_jobs.clean_up(ctx)
    async with world.ctx() as ctx:
        assert len((await ctx.db.exec(select(Session.id))).all()) == 1
        assert len((await ctx.db.exec(select(SignInAttempt.id))).all()) == 1


async def test_one_person_serves_several_clients_and_switches_by_name(world: World) -> None:
    bakery, bar = await world.tenant("Bakery"), await world.tenant("Bar")
    stranger = await world.tenant("Stranger")
    await join(world, bakery, bar)
    await bakery.make("/zones/", name="Oven")
    body = await sign_in(world, bakery.email)
    assert [c["name"] for c in body["clients"]] == ["Bakery", "Bar"]
    http = await world.http(body["access"])
    for unknown in (str(stranger.id), str(UUID(int=1)), None):
        answer = await http.post("/api/v1/auth/switch/", json={"client_id": unknown})
        assert answer.status_code == 404
    moved = await http.post("/api/v1/auth/switch/", json={"client_id": str(bar.id)})
    assert moved.json()["client"]["name"] == "Bar"
    assert moved.json()["role"] == "viewer"
    assert (await http.get("/api/v1/zones/")).status_code == 401, "the old session has ended"
    there = await world.http(moved.json()["access"])
    assert (await there.get("/api/v1/zones/")).json()["results"] == []
    for trail, action in ((bar, "session.begin"), (bakery, "session.end")):
        entries = (await trail.read("/audit/", action=action))["results"]
        assert bakery.email in {e["actor"]["label"] for e in entries}, action
    again = await sign_in(world, bakery.email)
    assert again["client"]["name"] == "Bar", "where it was last"
    named = await sign_in(world, bakery.email, client_id=str(bakery.id))
    assert named["client"]["name"] == "Bakery"


async def join(world: World, person: Tenant, elsewhere: Tenant) -> None:
    """Make the manager of ``person`` a viewer of ``elsewhere`` as well."""
    from sync2gear_platform.identity import service

    async with world.ctx(elsewhere.id) as ctx:
        await enter_system(ctx.db)
        user = await service.find_user(ctx, person.email)
        assert user is not None
        await service.join(ctx, user, role="viewer")


async def test_a_page_that_shows_another_client_is_told(world: World) -> None:
    bakery, bar = await world.tenant("Bakery"), await world.tenant("Bar")
    await join(world, bakery, bar)
    http, token = await browser(world, bakery.email)
    stale = {"X-Client": str(bar.id), "X-CSRFToken": token}
    answer = await http.post("/api/v1/zones/", json={"name": "Oven"}, headers=stale)
    assert (answer.status_code, answer.json()["code"]) == (409, "client_switched")
    fresh = {"X-Client": str(bakery.id), "X-CSRFToken": token}
    assert (
        await http.post("/api/v1/zones/", json={"name": "Oven"}, headers=fresh)
    ).status_code == 201


@pytest.mark.parametrize(("role", "may_write"), [("staff", False), ("admin", True)])
async def test_sync2gear_s_own_people_look_at_a_client_and_it_is_written_down(
    world: World, role: str, may_write: bool
) -> None:
    tenant = await world.tenant("Bakery")
    staff = await world.staff(role)
    me = (await staff.get("/api/v1/auth/me/")).json()
    assert me["client"] is None
    assert "admin.read" in me["permissions"]
    nowhere = await staff.get("/api/v1/zones/")
    assert (nowhere.status_code, nowhere.json()["code"]) == (409, "no_client")
    moved = await staff.post("/api/v1/auth/switch/", json={"client_id": str(tenant.id)})
    assert moved.json()["viewing"] is True
    assert not any(p.startswith("admin.") for p in moved.json()["permissions"])
    there = await world.http(moved.json()["access"])
    assert (await there.get("/api/v1/zones/")).status_code == 200
    answer = await there.post("/api/v1/zones/", json={"name": "Oven"})
    assert answer.status_code == (201 if may_write else 403)
    begun = (await tenant.read("/audit/", action="session.begin"))["results"]
    assert [e["after"]["viewing"] for e in begun].count(True) == 1
    back = await there.post("/api/v1/auth/switch/", json={"client_id": None})
    assert back.json()["client"] is None
