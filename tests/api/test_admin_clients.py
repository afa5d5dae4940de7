"""The installation's clients: made, changed, suspended, deleted and restored by its own people."""

import base64
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from sqlalchemy import event, text

from support.mail import inbox, link_of
from support.world import PASSWORD, Tenant, World

CLIENTS = "/api/v1/admin/clients/"
NOBODY = str(UUID(int=7))


async def actions(world: World, client_id: str | UUID | None) -> list[str]:
    """What a client's trail (or the installation's) says was done, in order."""
    statement = text(
        "SELECT action FROM audit_entries WHERE client_id IS NOT DISTINCT FROM :id ORDER BY id"
    )
    async with world.db.system() as session:
        return [row[0] for row in await session.execute(statement, {"id": client_id})]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "clients/"),
        ("POST", "clients/"),
        ("GET", f"clients/{NOBODY}/"),
        ("PATCH", f"clients/{NOBODY}/"),
        ("DELETE", f"clients/{NOBODY}/"),
        ("POST", f"clients/{NOBODY}/restore/"),
        ("GET", "users/"),
        ("POST", "users/"),
        ("GET", f"users/{NOBODY}/"),
        ("PATCH", f"users/{NOBODY}/"),
        ("DELETE", f"users/{NOBODY}/"),
        ("POST", f"users/{NOBODY}/restore/"),
        ("GET", "stats/"),
        ("GET", "devices/"),
    ],
)
async def test_staff_may_read_and_only_admins_change(world: World, method: str, path: str) -> None:
    tenant = await world.tenant()
    asked: dict[str, int] = {}
    for who, http in (
        ("anonymous", await world.http()),
        ("manager", tenant.http),
        ("staff", await world.staff("staff")),
        ("admin", await world.staff("admin")),
    ):
        answer = await http.request(method, f"/api/v1/admin/{path}", json={})
        asked[who] = answer.status_code
    known = 404 if "-" in path else 200  # an unknown id
    assert asked.pop("anonymous") == 401
    assert asked.pop("manager") == 403
    assert asked.pop("staff") == (known if method == "GET" else 403)
    assert asked == {"admin": 422 if method == "POST" and "restore" not in path else known}


async def test_a_client_is_made_with_its_limits_and_its_manager_is_invited(world: World) -> None:
    admin = await world.staff()
    body = {
        "name": "Bakery",
        "email": "office@bakery.example",
        "subscription_tier": "enterprise",
        "subscription_start": "2026-01-01",
        "subscription_end": "2099-12-31",
        "max_devices": 2,
        "max_storage_gb": 3,
        "premium_features": {"voices": ["en", "de"], "support": {"hours": 24}},
        "manager_email": "kim@bakery.example",
    }
    key = {"Idempotency-Key": "make-the-bakery"}
    made = await admin.post(CLIENTS, json=body, headers=key)
    assert made.status_code == 201, made.text
    again = await admin.post(CLIENTS, json=body, headers=key)
    assert again.json() == made.json()
    shown = made.json()
    assert shown["standing"] == "active"
    assert {k: shown[k] for k in body if k != "manager_email"} == {
        k: v for k, v in body.items() if k != "manager_email"
    }
    [letter] = await inbox(world, "kim@bakery.example")
    token = link_of(letter).rpartition("token=")[2]
    anonymous = await world.http()
    joined = await anonymous.post(
        "/api/v1/auth/invitations/accept/",
        json={"token": token, "name": "Kim", "password": PASSWORD},
    )
    assert joined.status_code == 204, joined.text
    kim = await world.http(await world.token("kim@bakery.example"))
    me = (await kim.get("/api/v1/auth/me/")).json()
    assert (me["role"], me["client"]["name"]) == ("client", "Bakery")
    assert (await actions(world, shown["id"]))[:2] == ["client.create", "invitation.create"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"max_devices": -1},
        {"subscription_tier": "gold"},
        {"subscription_status": "sleeping"},
        {"subscription_start": "2026-02-01", "subscription_end": "2026-01-01"},
        {"premium_features": {"x": "y" * 9000}},
        {"premium_features": {"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}}},
        {"premium_features": [1]},
        {"deleted_at": "2026-01-01T00:00:00Z"},
    ],
)
async def test_what_no_client_can_be_is_refused(world: World, wrong: dict[str, Any]) -> None:
    admin = await world.staff()
    tenant = await world.tenant()
    for answer in (
        await admin.post(CLIENTS, json={"name": "New", **wrong}),
        await admin.patch(f"{CLIENTS}{tenant.id}/", json=wrong),
    ):
        assert answer.status_code == 422, answer.text
    assert [c["name"] for c in (await admin.get(CLIENTS)).json()["results"]] == ["Acme"]


async def test_a_change_holds_at_once_and_stands_in_the_clients_own_trail(world: World) -> None:
    admin, tenant = await world.staff(), await world.tenant()
    where = f"{CLIENTS}{tenant.id}/"
    etag = (await admin.get(where)).headers["etag"]
    suspend = {"subscription_status": "suspended", "max_devices": 1}
    changed = await admin.patch(where, json=suspend, headers={"If-Match": etag})
    assert changed.status_code == 200
    assert changed.json()["standing"] == "suspended"
    stale = await admin.patch(where, json={"name": "Late"}, headers={"If-Match": etag})
    assert stale.status_code == 412
    refused = await tenant.http.post("/api/v1/zones/", json={"name": "Bar"})
    assert refused.json()["code"] == "client_suspended"
    await admin.patch(where, json={"subscription_status": "active"})
    for number, status in enumerate((201, 409)):
        body = {"name": "one", "hardware_id": f"hardware-{number}"}
        answer = await tenant.http.post("/api/v1/devices/register/", json=body)
        assert answer.status_code == status, "the new limit counts"
    trail = (await tenant.read("/audit/", action="client.update"))["results"]
    assert [entry["after"] for entry in trail][-1] == {"status": "suspended", "max_devices": 1}
    assert "@" in trail[0]["actor"]["label"]


async def test_a_deleted_client_has_no_access_until_it_is_restored(world: World) -> None:
    admin, tenant = await world.staff(), await world.tenant("Gone")
    zone = await tenant.make("/zones/", name="Bar")
    registered = await tenant.make(
        "/devices/register/", name="one", hardware_id="h1", zone_id=zone["id"]
    )
    made = await tenant.make("/tokens/", name="robot", permissions=["zones.read"])
    robot = await world.http(made["token"])
    speaker = await world.http()
    credential = registered["credential"]
    names = f"{credential['client']}/{credential['device']}:{credential['secret']}"
    basic = base64.b64encode(names.encode()).decode()
    fetch = {"Authorization": f"Basic {basic}"}

    async def access() -> list[int]:
        login = {"email": tenant.email, "password": PASSWORD}
        return [
            (await tenant.http.get("/api/v1/zones/")).status_code,
            (await robot.get("/api/v1/zones/")).status_code,
            (await speaker.get("/api/v1/devices/trust/", headers=fetch)).status_code,
            (await (await world.http()).post("/api/v1/auth/login/", json=login)).status_code,
        ]

    assert await access() == [200, 200, 200, 200]
    where = f"{CLIENTS}{tenant.id}/"
    assert (await admin.delete(where)).status_code == 204
    assert await access() == [401, 401, 401, 401]
    listed = (await admin.get(CLIENTS)).json()["results"]
    assert [one["name"] for one in listed] == []
    gone = (await admin.get(CLIENTS, params={"deleted": True})).json()["results"]
    assert [one["name"] for one in gone] == ["Gone"]
    for answer in (await admin.delete(where), await admin.patch(where, json={"name": "X"})):
        assert (answer.status_code, answer.json()["code"]) == (409, "deleted")
    restored = await admin.post(f"{where}restore/")
    assert restored.json()["deleted_at"] is None
    assert await access() == [401, 200, 200, 200], "who was signed in signs in again"
    twice = await admin.post(f"{where}restore/")
    assert (twice.status_code, twice.json()["code"]) == (409, "not_deleted")
    assert [a for a in await actions(world, tenant.id) if a.startswith("client.")] == [
        "client.create", "client.delete", "client.restore",
    ]  # fmt: skip


async def test_clients_are_found_paged_and_filtered(world: World) -> None:
    admin = await world.staff()
    tenants = [await world.tenant(f"Shop {number}") for number in range(5)]
    await admin.patch(f"{CLIENTS}{tenants[3].id}/", json={"subscription_status": "cancelled"})
    await admin.patch(f"{CLIENTS}{tenants[4].id}/", json={"subscription_tier": "professional"})
    seen: list[str] = []
    path: str | None = f"{CLIENTS}?page_size=2&count=true"
    while path:
        answer = (await admin.get(path)).json()
        assert answer["count"] == 5
        seen += [one["name"] for one in answer["results"]]
        path = answer["next"]
    assert seen == [f"Shop {number}" for number in range(5)]

    async def names(**wanted: str) -> list[str]:
        found = (await admin.get(CLIENTS, params=wanted)).json()["results"]
        return [one["name"] for one in found]

    assert await names(search="shop 2") == ["Shop 2"]
    assert await names(subscription_status="cancelled") == ["Shop 3"]
    assert await names(subscription_tier="professional") == ["Shop 4"]


async def count_queries(world: World, http: httpx2.AsyncClient, path: str) -> int:
    """How many statements one GET takes."""
    seen: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        seen.append(statement)

    event.listen(world.db.engine.sync_engine, "before_cursor_execute", note)
    try:
        assert (await http.get(path)).status_code == 200
    finally:
        event.remove(world.db.engine.sync_engine, "before_cursor_execute", note)
    return len(seen)


@pytest.mark.parametrize("path", ["clients/", "users/", "devices/", "stats/"])
async def test_more_clients_take_no_more_queries(world: World, path: str) -> None:
    admin = await world.staff()

    async def one_more() -> Tenant:
        tenant = await world.tenant()
        await tenant.make("/devices/register/", name="one", hardware_id="h1")
        return tenant

    await one_more()
    few = await count_queries(world, admin, f"/api/v1/admin/{path}")
    for _ in range(4):
        await one_more()
    assert await count_queries(world, admin, f"/api/v1/admin/{path}") == few
    assert few <= 20


@pytest.mark.parametrize("role", ["staff", "admin"])
async def test_who_views_a_client_is_written_down_there_and_rules_nothing_meanwhile(
    world: World, role: str
) -> None:
    tenant = await world.tenant("Seen")
    viewer = await world.staff(role)
    switched = await viewer.post("/api/v1/auth/switch/", json={"client_id": str(tenant.id)})
    assert switched.status_code == 200, switched.text
    assert switched.json()["viewing"] is True
    inside = await world.http(switched.json()["access"])
    assert (await inside.get("/api/v1/zones/")).status_code == 200
    changed = await inside.post("/api/v1/zones/", json={"name": "Mine"})
    assert changed.status_code == (201 if role == "admin" else 403)
    for path in ("clients/", "users/", "stats/", "devices/"):
        assert (await inside.get(f"/api/v1/admin/{path}")).status_code == 403
    [entry] = [
        one
        for one in (await tenant.read("/audit/", action="session.begin"))["results"]
        if one["after"]["viewing"]
    ]
    assert entry["subject_type"] == "session"
    assert "@" in entry["actor"]["label"]
    back = await inside.post("/api/v1/auth/switch/", json={"client_id": None})
    outside = await world.http(back.json()["access"])
    assert (await outside.get("/api/v1/admin/clients/")).status_code == 200
    assert (await inside.get("/api/v1/zones/")).status_code == 401, "that view has ended"
    ended = (await tenant.read("/audit/", action="session.end"))["results"]
    assert [one["after"] for one in ended] == [{"reason": "switched"}]


async def test_a_deleted_client_cannot_be_viewed(world: World) -> None:
    admin, tenant = await world.staff(), await world.tenant()
    other = await world.staff("staff")
    await admin.delete(f"{CLIENTS}{tenant.id}/")
    for client_id in (tenant.id, uuid4()):
        answer = await other.post("/api/v1/auth/switch/", json={"client_id": str(client_id)})
        assert answer.status_code == 404


async def test_the_nightly_clean_up_forgets_sessions_that_ended_long_ago(world: World) -> None:
    from sync2gear_platform.identity import jobs

    tenant = await world.tenant()
    await world.token(tenant.email)
    count = text("SELECT count(*) FROM sessions")
    async with world.ctx() as ctx:
        long_ago = ctx.now - jobs.ENDED_KEPT - timedelta(days=1)
        await ctx.db.execute(
            text(
                "UPDATE sessions SET ended_at = :at WHERE id ="
                " (SELECT id FROM sessions ORDER BY created_at DESC LIMIT 1)"
            ),
            {"at": long_ago},
        )
        assert (await ctx.db.execute(count)).scalar_one() == 2
        await jobs.clean_up(ctx)
        assert (await ctx.db.execute(count)).scalar_one() == 1
    assert (await tenant.http.get("/api/v1/auth/me/")).status_code == 200
