"""Attacks on signing in: what survives a new password, what is guessed, what comes at once."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import text, update
from sqlmodel import col, select

from support.mail import inbox, link_of, run_jobs
from support.world import PASSWORD, Tenant, World
from sync2gear_platform.identity import jobs as identity_jobs
from sync2gear_platform.identity import rules
from sync2gear_platform.identity import service as identity
from sync2gear_platform.identity.tables import ApiToken, Session, User
from sync2gear_platform.notifications import jobs as mail

NEW = "a much better battery staple"
LOGIN = "/api/v1/auth/login/"
CHANGE = "/api/v1/auth/change-password/"
WAITING = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


async def secret_mailed_to(world: World, email: str) -> str:
    """The secret of the newest link that was mailed to ``email``."""
    office = mail.open_office(world.settings, world.db)
    blueprints = {
        "identity": identity_jobs.blueprint(world.db, world.settings.public_url),
        "notifications": mail.blueprint(office),
    }
    await run_jobs(world, blueprints)
    return link_of((await inbox(world, email))[0]).partition("#token=")[2]


def code_of(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize("how", ["changed", "reset"])
async def test_a_new_password_ends_the_links_that_a_thief_asked_for(world: World, how: str) -> None:
    tenant = await world.tenant()
    asked = {"email": "thief@evil.test", "password": PASSWORD}
    assert (await tenant.http.post("/api/v1/auth/me/email/", json=asked)).status_code == 202
    stolen = await secret_mailed_to(world, "thief@evil.test")
    anybody = await world.http()
    if how == "changed":
        body = {"current_password": PASSWORD, "new_password": NEW}
        assert (await tenant.http.post(CHANGE, json=body)).status_code == 200
    else:
        await anybody.post("/api/v1/auth/password-reset/", json={"email": tenant.email})
        mine = {"token": await secret_mailed_to(world, tenant.email), "new_password": NEW}
        confirm = "/api/v1/auth/password-reset/confirm/"
        assert (await anybody.post(confirm, json=mine)).status_code == 204
    late = await anybody.post("/api/v1/auth/me/email/confirm/", json={"token": stolen})
    assert code_of(late) == (422, "bad_link")
    mine = {"email": tenant.email, "password": NEW}
    assert (await anybody.post(LOGIN, json=mine)).status_code == 200


async def test_the_old_password_is_not_guessed_with_a_stolen_session(world: World) -> None:
    tenant = await world.tenant()
    wrong = {"current_password": "not the one", "new_password": NEW}
    for _ in range(rules.PER_PAIR):
        assert code_of(await tenant.http.post(CHANGE, json=wrong)) == (403, "wrong_password")
    right = {"current_password": PASSWORD, "new_password": NEW}
    refused = await tenant.http.post(CHANGE, json=right)
    assert code_of(refused) == (429, "too_many_attempts")


async def guess(world: World, email: str, addresses: Sequence[str]) -> list[int]:
    found = []
    for address in addresses:
        http = await world.http(address=address)
        answer = await http.post(LOGIN, json={"email": email, "password": "not the one"})
        found.append(answer.status_code)
    return found


async def test_all_addresses_of_one_ipv6_line_count_as_one(world: World) -> None:
    tenant = await world.tenant()
    line = [f"2001:db8:0:1::{n:x}" for n in range(1, rules.PER_PAIR + 2)]
    found = await guess(world, tenant.email, line)
    assert found == [401] * rules.PER_PAIR + [429]
    assert await guess(world, tenant.email, ["2001:db8:0:2::1"]) == [401]


async def test_the_owner_s_ipv6_line_stays_familiar(world: World) -> None:
    tenant = await world.tenant()
    at_home = await world.http(address="2001:db8:0:9::1")
    right = {"email": tenant.email, "password": PASSWORD}
    assert (await at_home.post(LOGIN, json=right)).status_code == 200
    await guess(world, tenant.email, [f"192.0.2.{n}" for n in range(rules.PER_ACCOUNT + 1)])
    elsewhere = await world.http(address="2001:db8:0:8::1")
    assert (await elsewhere.post(LOGIN, json=right)).status_code == 429
    later = await world.http(address="2001:db8:0:9:aaaa::7")
    assert (await later.post(LOGIN, json=right)).status_code == 200


async def test_a_token_for_one_place_can_do_nothing_to_the_whole_client(world: World) -> None:
    tenant = await world.tenant()
    zone = await tenant.make("/zones/", name="Bar")
    wanted = {"name": "Till", "zone_id": zone["id"], "permissions": ["zones.read", "users.write"]}
    refused = await tenant.http.post("/api/v1/tokens/", json=wanted)
    assert code_of(refused) == (422, "not_in_a_place")
    wanted["permissions"] = ["zones.read", "music.read"]
    made = await tenant.make("/tokens/", **wanted)
    async with world.ctx() as ctx:  # one that was made before this was refused
        more = [*made["permissions"], "users.read"]
        await ctx.db.execute(update(ApiToken).values(permissions=more))
    http = await world.http(made["token"])
    assert len((await http.get("/api/v1/zones/")).json()["results"]) == 1
    assert (await http.get("/api/v1/music/folders/")).status_code == 200
    assert (await http.get("/api/v1/users/")).status_code == 403


async def test_a_token_s_end_can_be_read_back(world: World) -> None:
    tenant = await world.tenant()
    body = {"name": "x", "permissions": ["zones.read"]}
    late = {**body, "expires_at": "9999-12-31T23:59:59-12:00"}
    assert (await tenant.http.post("/api/v1/tokens/", json=late)).status_code == 422
    await tenant.make("/tokens/", **body, expires_at="2999-12-31T23:59:59-12:00")
    assert len((await tenant.read("/tokens/"))["results"]) == 1


async def test_what_is_no_text_and_no_origin_is_refused(world: World) -> None:
    tenant = await world.tenant()
    http = await world.http()
    half = b'{"email": "a@x.test", "password": "\\ud800"}'
    json = {"Content-Type": "application/json"}
    assert (await http.post(LOGIN, content=half, headers=json)).status_code == 422
    half = b'{"current_password": "\\ud800", "new_password": "\\ud800"}'
    assert (await tenant.http.post(CHANGE, content=half, headers=json)).status_code == 422
    body = {"email": tenant.email, "password": PASSWORD, "session": "cookie"}
    answer = await http.post(LOGIN, json=body, headers={"Origin": "http://["})
    assert code_of(answer) == (403, "csrf_failed")


async def browsers(world: World, tenant: Tenant, count: int) -> list[httpx2.AsyncClient]:
    """Browsers of the same person, each with its cookie and its page's token."""
    found = []
    for _ in range(count):
        http = await world.http()
        body = {"email": tenant.email, "password": PASSWORD, "session": "cookie"}
        answer = await http.post(LOGIN, json=body)
        http.cookies.clear()
        http.headers["Cookie"] = answer.headers["set-cookie"].split(";")[0]
        http.headers["X-CSRFToken"] = answer.json()["csrf_token"]
        found.append(http)
    return found


async def unused_for_minutes(world: World) -> None:
    """Let the next request of every session be one that is remembered."""
    async with world.ctx() as ctx:
        before = col(Session.last_used_at) - timedelta(minutes=3)
        await ctx.db.execute(update(Session).values(last_used_at=before))


async def test_who_ends_all_sessions_and_who_uses_one_do_not_wait_for_each_other(
    world: World,
) -> None:
    tenant = await world.tenant()
    (http,) = await browsers(world, tenant, 1)
    await unused_for_minutes(world)
    async with world.ctx() as ctx:
        mine = select(User).where(col(User.email) == tenant.email).with_for_update()
        user = (await ctx.db.exec(mine)).one()
        body = {"client_id": str(tenant.id)}
        asked = asyncio.create_task(http.post("/api/v1/auth/switch/", json=body))
        for _ in range(200):
            if (await ctx.db.execute(WAITING)).scalar_one():
                break
            await asyncio.sleep(0.05)
        await identity.end_sessions(ctx, user.id)
    # neither died of the other (503): the switch comes too late
    assert (await asked).status_code == 404
    assert (await http.get("/api/v1/auth/me/")).status_code == 401


async def test_of_changes_to_one_version_of_oneself_one_wins(world: World) -> None:
    tenant = await world.tenant()
    tag = (await tenant.http.get("/api/v1/auth/me/")).headers["etag"]
    asked = [
        tenant.http.patch("/api/v1/auth/me/", json={"name": f"N{n}"}, headers={"If-Match": tag})
        for n in range(5)
    ]
    found = [answer.status_code for answer in await asyncio.gather(*asked)]
    assert sorted(found) == [200, 412, 412, 412, 412]


async def test_switching_makes_a_sign_in_last_no_longer(world: World) -> None:
    tenant = await world.tenant()
    (http,) = await browsers(world, tenant, 1)
    async with world.ctx() as ctx:
        soon = ctx.now + timedelta(hours=1)
        browser = col(Session.kind) == "browser"
        await ctx.db.execute(update(Session).where(browser).values(expires_at=soon))
    answer = await http.post("/api/v1/auth/switch/", json={"client_id": str(tenant.id)})
    assert answer.status_code == 200
    assert int(answer.headers["set-cookie"].partition("Max-Age=")[2].partition(";")[0]) <= 3600
    async with world.ctx() as ctx:
        kept = (await ctx.db.exec(select(Session).where(col(Session.kind) == "browser"))).all()
    assert {one.expires_at for one in kept} == {soon}


async def test_two_switches_at_once_leave_one_session(world: World) -> None:
    tenant = await world.tenant()
    asked = [
        tenant.http.post("/api/v1/auth/switch/", json={"client_id": str(tenant.id)})
        for _ in range(3)
    ]
    found = sorted(answer.status_code for answer in await asyncio.gather(*asked))
    assert found == [200, 401, 401]


async def test_somebody_deleted_is_no_manager_who_is_left(world: World) -> None:
    tenant = await world.tenant()
    await world.colleague(tenant, "client")
    me = (await tenant.read("/auth/me/"))["user"]["id"]
    async with world.ctx() as ctx:
        other = col(User.email) != tenant.email
        await ctx.db.execute(update(User).where(other).values(deleted_at=ctx.now))
    answer = await tenant.http.delete(f"/api/v1/users/{me}/")
    assert code_of(answer) == (409, "last_manager")


async def test_an_address_is_found_as_the_database_folds_it(world: World) -> None:
    tenant = await world.tenant()
    email = "ΟΔΟΣ@example.test"  # Python ends the word with another sigma than PostgreSQL
    async with world.ctx() as ctx:
        made = await identity.create_user(
            ctx, world.passwords, client_id=tenant.id, email=email, name="Odos",
            password=PASSWORD, role="viewer",
        )  # fmt: skip
    assert made.email == email
    assert await world.token(email)
    assert await world.token("οδοσ@example.test")
