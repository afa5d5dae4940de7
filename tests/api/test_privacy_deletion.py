"""Asking to be deleted: the days of grace, ways back, and what may not be left behind."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from support.mail import inbox
from support.privacy import ask, exists, let_time_pass, purge
from support.world import PASSWORD, Tenant, World

ME, CLIENT = "/auth/me/deletion/", "/client/deletion/"


async def my_id(tenant: Tenant) -> str:
    return str((await tenant.read("/auth/me/"))["user"]["id"])


async def employee(world: World, tenant: Tenant, role: str = "viewer") -> Tenant:
    """Somebody else of the client."""
    http = await world.colleague(tenant, role)
    me = (await http.get("/api/v1/auth/me/")).json()["user"]
    return Tenant(tenant.id, me["email"], http)


async def test_a_person_is_deleted_after_the_days_of_grace_and_not_before(world: World) -> None:
    tenant = await world.tenant()
    kim = await employee(world, tenant)
    user = await my_id(kim)
    told = await ask(kim.http, ME)
    due = datetime.fromisoformat(told["due_at"])
    assert timedelta(days=29) < due - datetime.now(UTC) <= timedelta(days=30)
    [letter] = await inbox(world, kim.email)
    assert letter.mail.template == "account_deletion_requested"
    assert (await ask(kim.http, ME))["due_at"] == told["due_at"], "the first date stands"
    assert (await kim.read(ME))["deletion"]["final"] is False
    assert (await kim.read("/zones/"))["results"] == [], "nothing has changed"
    assert await purge(world) == 0
    await let_time_pass(world, 29)
    assert await purge(world) == 0
    assert await exists(world, "users", user)
    await let_time_pass(world, 2)
    assert await purge(world) == 1
    assert not await exists(world, "users", user)
    assert (await kim.http.get("/api/v1/auth/me/")).status_code == 401
    assert await purge(world) == 0
    assert (await tenant.read("/users/"))["results"][0]["email"] == tenant.email


@pytest.mark.parametrize("way", ["delete", "sign in"])
async def test_a_person_may_stay_after_all(world: World, way: str) -> None:
    kim = await employee(world, await world.tenant())
    user = await my_id(kim)
    await ask(kim.http, ME)
    if way == "delete":
        assert (await kim.http.delete(f"/api/v1{ME}")).status_code == 204
    else:
        await world.token(kim.email)
    assert (await kim.read(ME))["deletion"] is None
    assert (await kim.http.delete(f"/api/v1{ME}")).status_code == 404
    await let_time_pass(world)
    assert await purge(world) == 0
    assert await exists(world, "users", user)


async def test_going_to_another_client_is_no_sign_in(world: World) -> None:
    tenant, other = await world.tenant(), await world.tenant("Other")
    kim = await employee(world, tenant)
    made = await other.http.post("/api/v1/invitations/", json={"email": kim.email,
                                                               "role": "viewer"})  # fmt: skip
    assert made.status_code == 201, made.text
    [letter] = await inbox(world, kim.email)
    token = letter.letter.text.split("#token=")[1].split()[0].rstrip(")")
    joined = await (await world.http()).post(
        "/api/v1/auth/invitations/accept/", json={"token": token}
    )
    assert joined.status_code == 204, joined.text
    await ask(kim.http, ME)
    moved = await kim.http.post("/api/v1/auth/switch/", json={"client_id": str(other.id)})
    assert moved.status_code == 200, moved.text
    there = await world.http(moved.json()["access"])
    assert (await there.get(f"/api/v1{ME}")).json()["deletion"] is not None


async def test_signing_in_when_it_is_too_late_changes_nothing(world: World) -> None:
    kim = await employee(world, await world.tenant())
    user = await my_id(kim)
    await ask(kim.http, ME)
    await let_time_pass(world)
    late = await world.http(await world.token(kim.email))
    answer = await late.delete(f"/api/v1{ME}")
    assert (answer.status_code, answer.json()["code"]) == (409, "deletion_final")
    assert await purge(world) == 1
    assert not await exists(world, "users", user)


async def test_the_last_manager_hands_over_first(world: World) -> None:
    tenant = await world.tenant()
    refused = await tenant.http.post(f"/api/v1{ME}", json={"password": PASSWORD})
    assert (refused.status_code, refused.json()["code"]) == (409, "last_manager")
    deputy = await employee(world, tenant, "client")
    await ask(tenant.http, ME)
    # the deputy is demoted meanwhile: nobody would be left
    async with world.ctx() as ctx:
        await ctx.db.execute(
            text("UPDATE users SET is_active = false WHERE email = :email"),
            {"email": deputy.email},
        )
    await let_time_pass(world)
    assert await purge(world) == 0
    assert await exists(world, "users", await my_id(tenant)), "it waits for a manager"


async def test_the_last_administrator_stays(world: World) -> None:
    one = await world.staff("admin")
    body = {"password": PASSWORD}
    refused = await one.post(f"/api/v1{ME}", json=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "last_admin")
    support = await world.staff("staff")
    assert (await support.post(f"/api/v1{ME}", json=body)).is_success
    other = await world.staff("admin")
    assert (await one.post(f"/api/v1{ME}", json=body)).is_success
    assert (await other.post(f"/api/v1{ME}", json=body)).is_success, "one of them goes first"
    await let_time_pass(world)
    assert await purge(world) == 2
    async with world.ctx() as ctx:
        left = await ctx.db.execute(text("SELECT staff_role FROM users"))
        assert left.scalars().all() == ["admin"]


async def test_the_password_is_asked_for(world: World) -> None:
    tenant = await world.tenant()
    kim = await employee(world, tenant)
    for http, path in ((kim.http, ME), (tenant.http, CLIENT)):
        wrong = await http.post(f"/api/v1{path}", json={"password": "wrong password"})
        assert (wrong.status_code, wrong.json()["code"]) == (403, "wrong_password")
        none = await http.post(f"/api/v1{path}", json={})
        assert none.status_code == 422
        assert (await http.get(f"/api/v1{path}")).json()["deletion"] is None
    viewer = await kim.http.post(f"/api/v1{CLIENT}", json={"password": PASSWORD})
    assert viewer.status_code == 403
    assert (await kim.http.delete(f"/api/v1{CLIENT}")).status_code == 403


async def test_during_the_days_of_grace_a_client_goes_on_and_can_be_kept(world: World) -> None:
    tenant = await world.tenant("Acme")
    deputy = await employee(world, tenant, "client")
    await ask(tenant.http, CLIENT)
    for one in (tenant, deputy):
        [letter] = await inbox(world, one.email)
        assert letter.mail.template == "client_deletion_requested"
        assert "Acme" in letter.letter.subject
    await tenant.make("/zones/", name="Still here")
    await tenant.make("/privacy/exports/")
    assert await world.token(deputy.email)
    await let_time_pass(world, 29)
    assert await purge(world) == 0
    assert (await deputy.http.delete(f"/api/v1{CLIENT}")).status_code == 204
    await let_time_pass(world)
    assert await purge(world) == 0
    assert (await tenant.read("/zones/"))["results"][0]["name"] == "Still here"
    actions = [e["action"] for e in (await tenant.read("/audit/"))["results"]]
    assert {"deletion.request", "deletion.cancel"} <= set(actions)


async def test_a_client_that_is_due_cannot_be_kept(world: World) -> None:
    tenant = await world.tenant()
    await ask(tenant.http, CLIENT)
    await let_time_pass(world)
    answer = await tenant.http.delete(f"/api/v1{CLIENT}")
    assert (answer.status_code, answer.json()["code"]) == (409, "deletion_final")
    assert await purge(world) == 1
    assert not await exists(world, "clients", tenant.id)


async def test_who_deletes_the_client_may_go_with_it(world: World) -> None:
    tenant = await world.tenant()
    await ask(tenant.http, CLIENT)
    user = await my_id(tenant)
    await ask(tenant.http, ME)
    await let_time_pass(world)
    assert await purge(world) == 2
    assert not await exists(world, "users", user)


async def test_what_an_operator_took_out_of_sight_is_purged_after_its_grace(
    world: World,
) -> None:
    gone, back = await world.tenant("Gone"), await world.tenant("Back")
    async with world.ctx() as ctx:
        await ctx.db.execute(text("UPDATE clients SET deleted_at = now()"))
    assert await purge(world) == 0
    await let_time_pass(world)
    async with world.ctx() as ctx:
        await ctx.db.execute(
            text("UPDATE clients SET deleted_at = NULL WHERE id = :id"), {"id": back.id}
        )
    assert await purge(world) == 1
    assert not await exists(world, "clients", gone.id)
    assert await exists(world, "clients", back.id)
