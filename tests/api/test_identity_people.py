"""People of a client: members, roles with places, invitations, API tokens, sign-up and reset."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from sqlalchemy import update
from sqlmodel import col, select

from support.mail import inbox, link_of
from support.world import PASSWORD, Tenant, World
from sync2gear_platform.identity import rules
from sync2gear_platform.identity.tables import Client, Invitation, Ticket, User

NEW = "a much better battery staple"


async def mailed(world: World, to: str) -> list[Any]:
    """The letters to an address, after the jobs that ask for them."""
    return await inbox(world, to)


def secret_of(letter: Any) -> str:
    return link_of(letter).partition("#token=")[2]


async def signed_in(world: World, email: str, password: str = PASSWORD) -> httpx2.AsyncClient:
    answer = await (await world.http()).post(
        "/api/v1/auth/login/", json={"email": email, "password": password}
    )
    assert answer.status_code == 200, answer.text
    return await world.http(answer.json()["access"])


SIGNUP = {
    "email": "kim@bakery.test", "password": PASSWORD, "name": "Kim", "company": "Bakery",
    "locale": "de", "timezone": "Europe/Berlin",
}  # fmt: skip


async def test_a_stranger_signs_up_a_client_by_a_mailed_link(world: World) -> None:
    http = await world.http()
    asked = await http.post("/api/v1/auth/signup/", json=SIGNUP)
    assert asked.status_code == 202, asked.text
    async with world.ctx() as ctx:
        assert (await ctx.db.exec(select(Client.id))).all() == [], "nothing before the link"
    (letter,) = await mailed(world, SIGNUP["email"])
    secret = secret_of(letter)
    path = "/api/v1/auth/signup/confirm/"
    unknown = {"token": "x" * 43, "password": PASSWORD}
    assert (await http.post(path, json=unknown)).json()["code"] == "bad_link"
    # Who owns the address but did not ask does not know the password, and uses nothing up.
    stranger = await http.post(path, json={"token": secret, "password": "not what was asked with"})
    assert (stranger.status_code, stranger.json()["code"]) == (403, "wrong_password")
    mine = {"token": secret, "password": PASSWORD}
    done = await asyncio.gather(*(http.post(path, json=mine) for _ in range(5)))
    assert sorted(a.status_code for a in done) == [201] + [422] * 4
    body = next(a.json() for a in done if a.status_code == 201)
    assert (body["client"]["name"], body["role"]) == ("Bakery", "client")
    assert body["user"]["locale"] == "de"
    inside = await world.http(body["access"])
    assert (await inside.get("/api/v1/locations/")).status_code == 200
    await signed_in(world, SIGNUP["email"])


async def test_known_and_unknown_addresses_answer_alike(world: World) -> None:
    tenant = await world.tenant()
    http = await world.http()
    for path, body in (
        ("signup", SIGNUP),
        ("password-reset", {}),
    ):
        answers = []
        for email in (tenant.email, "nobody@example.test"):
            answer = await http.post(f"/api/v1/auth/{path}/", json={**body, "email": email})
            answers.append((answer.status_code, answer.json()))
        assert answers[0] == answers[1]
        assert answers[0][0] == 202
    letters = await mailed(world, tenant.email)
    assert {one.mail.template for one in letters} == {"signup_known", "password_reset"}
    strangers = await mailed(world, "nobody@example.test")
    assert [one.mail.template for one in strangers] == ["signup_confirm"]


async def test_signing_up_can_be_closed(world: World) -> None:
    world.app.state.settings.signup = "closed"
    answer = await (await world.http()).post("/api/v1/auth/signup/", json=SIGNUP)
    assert (answer.status_code, answer.json()["code"]) == (403, "signup_closed")


async def test_a_forgotten_password_is_chosen_anew_and_every_session_ends(world: World) -> None:
    tenant = await world.tenant()
    http = await world.http()
    for _ in range(2):
        await http.post("/api/v1/auth/password-reset/", json={"email": tenant.email.upper()})
    second, first = await mailed(world, tenant.email)
    assert "platform.test/password-reset#token=" in link_of(first)
    path = "/api/v1/auth/password-reset/confirm/"
    weak = await http.post(path, json={"token": secret_of(first), "new_password": "short"})
    assert weak.json()["code"] == "weak_password"
    body = {"token": secret_of(first), "new_password": NEW}
    answers = await asyncio.gather(*(http.post(path, json=body) for _ in range(5)))
    assert sorted(a.status_code for a in answers) == [204] + [422] * 4
    assert (await tenant.http.get("/api/v1/zones/")).status_code == 401
    other = await http.post(path, json={"token": secret_of(second), "new_password": NEW})
    assert other.json()["code"] == "bad_link", "one reset voids the others"
    await signed_in(world, tenant.email, NEW)
    told = await mailed(world, tenant.email)
    assert told[0].mail.template == "password_changed"


async def test_a_link_ends_and_the_database_does_not_hold_it(world: World) -> None:
    tenant = await world.tenant()
    http = await world.http()
    await http.post("/api/v1/auth/password-reset/", json={"email": tenant.email})
    (letter,) = await mailed(world, tenant.email)
    async with world.ctx() as ctx:
        ticket = (await ctx.db.exec(select(Ticket))).one()
        assert secret_of(letter) not in str(ticket.model_dump())
        ticket.expires_at = ctx.now - timedelta(seconds=1)
    answer = await http.post(
        "/api/v1/auth/password-reset/confirm/",
        json={"token": secret_of(letter), "new_password": NEW},
    )
    assert answer.json()["code"] == "bad_link"


async def invite(tenant: Tenant, email: str, role: str, **place: str) -> httpx2.Response:
    body = {"email": email, "role": role, **place}
    return await tenant.http.post("/api/v1/invitations/", json=body)


async def test_a_colleague_joins_by_invitation(world: World) -> None:
    tenant = await world.tenant("Bakery")
    zone = await tenant.make("/zones/", name="Bar")
    await tenant.make("/zones/", name="Kitchen")
    for _ in range(2):
        answer = await invite(tenant, "sam@example.test", "floor", zone_id=zone["id"])
        assert answer.status_code == 201, answer.text
    assert len((await tenant.read("/invitations/"))["results"]) == 1, "the newer one replaces"
    newer, older = await mailed(world, "sam@example.test")
    assert "Bakery" in newer.letter.subject
    http = await world.http()
    preview = "/api/v1/auth/invitations/preview/"
    assert (await http.post(preview, json={"token": secret_of(older)})).status_code == 422
    offer = (await http.post(preview, json={"token": secret_of(newer)})).json()
    assert offer == {
        "client": "Bakery", "email": "sam@example.test", "role": "floor",
        "title": "Floor staff", "known": False,
    }  # fmt: skip
    accept = "/api/v1/auth/invitations/accept/"
    bare = await http.post(accept, json={"token": secret_of(newer)})
    assert bare.json()["code"] == "name_and_password_needed"
    body = {"token": secret_of(newer), "name": "Sam", "password": NEW}
    assert (await http.post(accept, json=body)).status_code == 204
    assert (await http.post(accept, json=body)).json()["code"] == "bad_link"
    sam = await signed_in(world, "sam@example.test", NEW)
    seen = (await sam.get("/api/v1/zones/")).json()["results"]
    assert [z["name"] for z in seen] == ["Bar"]
    me = (await sam.get("/api/v1/auth/me/")).json()
    assert me["confined"]["playback.control"] == [zone["id"]]
    assert (await invite(tenant, "sam@example.test", "viewer")).json()["code"] == "already_member"


async def test_an_invitation_is_revoked_foreign_or_too_old(world: World) -> None:
    tenant, stranger = await world.tenant(), await world.tenant()
    made = (await invite(tenant, "sam@example.test", "viewer")).json()
    (letter,) = await mailed(world, "sam@example.test")
    path = f"/api/v1/invitations/{made['id']}/"
    assert (await stranger.http.delete(path)).status_code == 404
    async with world.ctx() as ctx:
        expiry = ctx.now - timedelta(seconds=1)
        await ctx.db.execute(update(Invitation).values(expires_at=expiry))
    preview = "/api/v1/auth/invitations/preview/"
    http = await world.http()
    assert (await http.post(preview, json={"token": secret_of(letter)})).status_code == 422
    assert (await tenant.http.delete(path)).status_code == 204
    assert (await tenant.http.delete(path)).status_code == 404
    foreign = await stranger.make("/zones/", name="Theirs")
    for zone in (foreign["id"], str(uuid4())):
        answer = await invite(tenant, "ann@example.test", "floor", zone_id=zone)
        assert (answer.status_code, answer.json()["code"]) == (409, "reference")
    for role in ("admin", "staff", "device", "nonsense"):
        assert (await invite(tenant, "a@example.test", role)).json()["code"] == "unknown_role"


async def test_who_is_known_elsewhere_joins_without_a_new_password(world: World) -> None:
    bakery, bar = await world.tenant("Bakery"), await world.tenant("Bar")
    await invite(bakery, bar.email, "viewer")
    (letter,) = await mailed(world, bar.email)
    http = await world.http()
    accept = "/api/v1/auth/invitations/accept/"
    assert (await http.post(accept, json={"token": secret_of(letter)})).status_code == 204
    me = await bar.read("/auth/me/")
    assert {c["name"] for c in me["clients"]} == {"Bakery", "Bar"}


async def test_roles_change_at_once_and_one_manager_remains(world: World) -> None:
    tenant = await world.tenant()
    helper = await world.colleague(tenant, "viewer")
    me = (await tenant.read("/auth/me/"))["user"]["id"]
    other = (await helper.get("/api/v1/auth/me/")).json()["user"]["id"]
    assert (await helper.post("/api/v1/zones/", json={"name": "Bar"})).status_code == 403
    path = f"/api/v1/users/{other}/"
    found = await tenant.http.get(path)
    assert found.json()["roles"][0]["role"] == "viewer"
    promoted = await tenant.http.patch(
        path, json={"roles": [{"role": "client"}]}, headers={"If-Match": found.headers["etag"]}
    )
    assert promoted.status_code == 200, promoted.text
    assert (await helper.post("/api/v1/zones/", json={"name": "Bar"})).status_code == 201
    stale = await tenant.http.patch(
        path, json={"is_active": False}, headers={"If-Match": found.headers["etag"]}
    )
    assert stale.status_code == 412
    mine = f"/api/v1/users/{me}/"
    both = await asyncio.gather(
        tenant.http.delete(path), helper.delete(mine), return_exceptions=False
    )
    assert sorted(a.status_code for a in both) in ([204, 401], [204, 409], [204, 403])
    left = tenant if both[0].status_code == 204 else None
    http = tenant.http if left else helper
    alone = mine if left else path
    for change in (
        http.delete(alone),
        http.patch(alone, json={"roles": []}),
        http.patch(alone, json={"is_active": False}),
        http.patch(alone, json={"roles": [{"role": "client", "zone_id": str(uuid4())}]}),
    ):
        answer = await change
        assert answer.status_code == 409, answer.text
        assert answer.json()["code"] in {"last_manager", "reference"}


async def test_somebody_who_is_kept_out_is_out_at_once(world: World) -> None:
    tenant, stranger = await world.tenant(), await world.tenant()
    helper = await world.colleague(tenant, "viewer")
    other = (await helper.get("/api/v1/auth/me/")).json()["user"]["id"]
    path = f"/api/v1/users/{other}/"
    assert (await stranger.http.get(path)).status_code == 404
    assert (await stranger.http.patch(path, json={"is_active": False})).status_code == 404
    assert (await tenant.http.patch(path, json={"is_active": False})).status_code == 200
    assert (await helper.get("/api/v1/zones/")).status_code == 401
    assert (await tenant.http.patch(path, json={"is_active": True})).status_code == 200
    assert (await helper.get("/api/v1/zones/")).status_code == 200
    assert (await tenant.http.delete(path)).status_code == 204
    assert (await helper.get("/api/v1/zones/")).status_code == 401
    names = [u["email"] for u in (await tenant.read("/users/"))["results"]]
    assert names == [tenant.email]


async def test_a_role_goes_with_its_place_and_never_becomes_wider(world: World) -> None:
    tenant = await world.tenant()
    zone = await tenant.make("/zones/", name="Bar")
    await tenant.make("/zones/", name="Kitchen")
    floor = await world.colleague(tenant, "floor", ("zone", UUID(zone["id"])))
    assert len((await floor.get("/api/v1/zones/")).json()["results"]) == 1
    assert (await tenant.http.delete(f"/api/v1/zones/{zone['id']}/")).status_code == 204
    assert (await floor.get("/api/v1/zones/")).status_code == 403


async def token(tenant: Tenant, *permissions: str, **more: Any) -> httpx2.Response:
    body = {"name": "Till", "permissions": list(permissions), **more}
    return await tenant.http.post("/api/v1/tokens/", json=body)


async def test_a_token_does_what_it_names_and_no_more(world: World) -> None:
    tenant, stranger = await world.tenant(), await world.tenant()
    zone = await tenant.make("/zones/", name="Bar")
    other = await tenant.make("/zones/", name="Kitchen")
    answer = await token(tenant, "zones.read", "playback.control", zone_id=zone["id"])
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["token"].startswith("s2t_")
    assert "token" not in (await tenant.read("/tokens/"))["results"][0]
    program = await world.http(made["token"])
    seen = (await program.get("/api/v1/zones/")).json()["results"]
    assert [z["id"] for z in seen] == [zone["id"]]
    for zone_id, expected in ((zone["id"], 200), (other["id"], 404), (str(uuid4()), 404)):
        body = {"zone_id": zone_id, "volume": 20}
        said = await program.post("/api/v1/playback/volume/", json=body)
        assert said.status_code == expected, zone_id
    assert (await program.get("/api/v1/devices/")).status_code == 403
    assert (await program.get("/api/v1/auth/me/")).status_code == 403
    path = f"/api/v1/tokens/{made['id']}/"
    assert (await stranger.http.delete(path)).status_code == 404
    assert (await tenant.http.delete(path)).status_code == 204
    assert (await program.get("/api/v1/zones/")).status_code == 401
    actions = [e["action"] for e in (await tenant.read("/audit/"))["results"]]
    assert {"token.create", "token.revoke"} <= set(actions)


async def test_a_token_ends_with_its_time_its_maker_and_its_maker_s_rights(world: World) -> None:
    tenant = await world.tenant()
    soon = world.clock.now() + timedelta(hours=1)
    past = world.clock.now() - timedelta(hours=1)
    late = await token(tenant, "zones.read", expires_at=past.isoformat())
    assert late.json()["code"] == "expires_in_the_past"
    made = (await token(tenant, "zones.write", expires_at=soon.isoformat())).json()
    program = await world.http(made["token"])
    assert (await program.post("/api/v1/zones/", json={"name": "Bar"})).status_code == 201
    await world.colleague(tenant, "client")
    me = (await tenant.read("/auth/me/"))["user"]["id"]
    path = f"/api/v1/users/{me}/"
    down = await tenant.http.patch(path, json={"roles": [{"role": "viewer"}]})
    assert down.status_code == 200
    assert (await program.post("/api/v1/zones/", json={"name": "B"})).status_code == 403
    async with world.ctx() as ctx:
        user = (await ctx.db.exec(select(User).where(col(User.id) == UUID(me)))).one()
        user.is_active = False
    assert (await program.post("/api/v1/zones/", json={"name": "C"})).status_code == 401


@pytest.mark.parametrize(
    "permissions", [["admin.read"], ["device.fetch"], ["self"], ["privacy.erase"], ["nonsense"]]
)
async def test_nobody_gives_a_token_what_no_token_may_have(
    world: World, permissions: list[str]
) -> None:
    tenant = await world.tenant()
    assert (await token(tenant, *permissions)).json()["code"] == "not_yours_to_give"


async def test_a_token_makes_no_tokens(world: World) -> None:
    tenant = await world.tenant()
    made = (await token(tenant, "tokens.write", "tokens.read")).json()
    program = await world.http(made["token"])
    body = {"name": "More", "permissions": ["tokens.read"]}
    answer = await program.post("/api/v1/tokens/", json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "only_people")
    assert (await program.get("/api/v1/tokens/")).status_code == 200


async def test_a_profile_and_a_client_are_kept_by_their_owners(world: World) -> None:
    tenant = await world.tenant("Bakery")
    body = {"name": "Kim", "phone": "+49 30 1234", "timezone": "Europe/Berlin", "locale": "de"}
    changed = await tenant.http.patch("/api/v1/auth/me/", json=body)
    assert changed.json()["user"] | body == changed.json()["user"]
    stale = await tenant.http.patch("/api/v1/auth/me/", json=body, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    for wrong in ({"timezone": "Mars/Base"}, {"locale": "x"}, {"phone": "call me"}, {"role": "a"}):
        assert (await tenant.http.patch("/api/v1/auth/me/", json=wrong)).status_code == 422
    profile = await tenant.http.get("/api/v1/client/")
    assert profile.json()["subscription_status"] == "active"
    named = await tenant.http.patch(
        "/api/v1/client/", json={"name": "Baker's"}, headers={"If-Match": profile.headers["etag"]}
    )
    assert named.json()["name"] == "Baker's"
    raised = await tenant.http.patch("/api/v1/client/", json={"max_devices": 1000})
    assert raised.status_code == 422, "limits are the operator's"
    viewer = await world.colleague(tenant, "viewer")
    assert (await viewer.patch("/api/v1/client/", json={"name": "x"})).status_code == 403


async def test_the_roles_that_later_modules_need_are_data(world: World) -> None:
    tenant = await world.tenant()
    found = {r["role"]: r for r in (await tenant.read("/roles/"))["results"]}
    assert set(found) == set(rules.MEMBER_ROLES)
    named = {
        "viewer", "client_user", "dispatcher", "technician", "facility_manager", "mp_reporter",
        "mp_operator", "mp_verifier", "mp_coordinator", "tenant_admin", "auditor",
    }  # fmt: skip
    assert named <= set(found)
    for role in sorted(found):
        http = await world.colleague(tenant, role)
        me = (await http.get("/api/v1/auth/me/")).json()
        assert me["permissions"] == sorted({*found[role]["permissions"], "self"}), role
