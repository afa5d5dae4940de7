"""People of all clients and of the installation; the last administrator; statistics and devices."""

import asyncio
import csv
import io
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import text

from support.mail import inbox, link_of
from support.world import PASSWORD, World
from sync2gear_platform.admin import local
from sync2gear_platform.kit.errors import Refusal
from sync2gear_platform.library import uploads
from sync2gear_platform.library.tus import Wish

USERS = "/api/v1/admin/users/"
NOBODY = str(UUID(int=7))


async def me(http: httpx2.AsyncClient) -> dict[str, Any]:
    answer: dict[str, Any] = (await http.get("/api/v1/auth/me/")).json()
    return answer


async def choose_password(world: World, url: str) -> int:
    """Follow a link to a first password; the status of the answer."""
    anonymous = await world.http()
    body = {"token": url.rpartition("token=")[2], "new_password": PASSWORD}
    answer = await anonymous.post("/api/v1/auth/password-reset/confirm/", json=body)
    return answer.status_code


async def test_a_person_gets_a_letter_and_nobody_else_knows_its_password(world: World) -> None:
    admin, tenant = await world.staff(), await world.tenant("Bakery")
    zone = await tenant.make("/zones/", name="Bar")
    for body, role in (
        ({"staff_role": "staff"}, "staff"),
        ({"client_id": str(tenant.id), "role": "client"}, "client"),
        ({"client_id": str(tenant.id), "role": "floor", "zone_id": zone["id"]}, "floor"),
    ):
        email = f"{role}@people.example"
        body = {**body, "email": email, "name": role.title()}
        made = await admin.post(USERS, json=body, headers={"Idempotency-Key": email})
        assert made.status_code == 201, made.text
        again = await admin.post(USERS, json=body, headers={"Idempotency-Key": email})
        assert again.json() == made.json()
        [letter] = await inbox(world, email)
        assert await choose_password(world, link_of(letter)) == 204
        assert await choose_password(world, link_of(letter)) == 422, "the link works once"
        person = await me(await world.http(await world.token(email)))
        assert person["role"] == role
        clients = [seat["client"] for seat in made.json()["clients"]]
        assert clients == ([] if role == "staff" else ["Bakery"])
    taken = await admin.post(USERS, json=body)
    assert (taken.status_code, taken.json()["code"]) == (409, "email_taken")


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({}, 422),
        ({"staff_role": "client"}, 422),
        ({"staff_role": "admin", "role": "client"}, 422),
        ({"staff_role": "admin", "zone_id": NOBODY}, 422),
        ({"client_id": NOBODY}, 422),
        ({"client_id": NOBODY, "role": "client"}, 404),
        ({"client_id": "own", "role": "admin"}, 422),
        ({"client_id": "own", "role": "device"}, 422),
        ({"client_id": "own", "role": "floor", "zone_id": NOBODY}, 409),
        ({"staff_role": "admin", "password": PASSWORD}, 422),
    ],
)
async def test_nobody_is_made_who_belongs_nowhere(
    world: World, wrong: dict[str, str], status: int
) -> None:
    admin, tenant = await world.staff(), await world.tenant()
    if wrong.get("client_id") == "own":
        wrong = {**wrong, "client_id": str(tenant.id)}
    body = {"email": "new@people.example", "name": "New", **wrong}
    assert (await admin.post(USERS, json=body)).status_code == status
    found = (await admin.get(USERS, params={"search": "new@people"})).json()["results"]
    assert found == []
    assert await inbox(world, "new@people.example") == []


async def test_who_is_disabled_or_deleted_is_out_at_once_and_can_come_back(world: World) -> None:
    admin, tenant = await world.staff(), await world.tenant()
    user_id = (await me(tenant.http))["user"]["id"]
    where = f"{USERS}{user_id}/"
    read = await admin.get(where)
    disabled = await admin.patch(
        where, json={"is_active": False}, headers={"If-Match": read.headers["etag"]}
    )
    assert disabled.status_code == 200
    assert (await tenant.http.get("/api/v1/zones/")).status_code == 401
    stale = await admin.patch(
        where, json={"is_active": True}, headers={"If-Match": read.headers["etag"]}
    )
    assert stale.status_code == 412
    await admin.patch(where, json={"is_active": True})
    assert (await tenant.http.get("/api/v1/zones/")).status_code == 401, "that session has ended"
    http = await world.http(await world.token(tenant.email))
    assert (await admin.delete(where)).status_code == 204
    assert (await http.get("/api/v1/zones/")).status_code == 401
    login = {"email": tenant.email, "password": PASSWORD}
    anonymous = await world.http()
    assert (await anonymous.post("/api/v1/auth/login/", json=login)).status_code == 401
    assert (await admin.patch(where, json={"name": "X"})).json()["code"] == "deleted"
    assert (await admin.delete(where)).json()["code"] == "deleted"
    gone = (await admin.get(USERS, params={"deleted": True})).json()["results"]
    assert [one["id"] for one in gone] == [user_id]
    assert (await admin.post(f"{where}restore/")).json()["deleted_at"] is None
    assert (await admin.post(f"{where}restore/")).json()["code"] == "not_deleted"
    back = await world.http(await world.token(tenant.email))
    told = (await back.get("/api/v1/audit/", params={"subject_id": user_id})).json()["results"]
    assert [one["action"] for one in reversed(told)] == [
        "user.create", "user.update", "user.update", "user.delete", "user.restore",
    ]  # fmt: skip


async def test_people_are_found_over_all_clients(world: World) -> None:
    admin, one, two = await world.staff(), await world.tenant("One"), await world.tenant("Two")
    await world.colleague(one, "viewer")

    async def emails(**wanted: str) -> list[str]:
        found = (await admin.get(USERS, params=wanted)).json()["results"]
        return [person["email"] for person in found]

    own = (await me(admin))["user"]["email"]
    assert {own, one.email, two.email} < set(await emails())
    assert await emails(staff="true") == [own]
    assert len(await emails(client_id=str(one.id))) == 2
    assert await emails(client_id=str(two.id)) == [two.email]
    assert await emails(search=two.email[:12].upper()) == [two.email]
    [shown] = (await admin.get(USERS, params={"search": two.email})).json()["results"]
    assert shown["clients"] == [
        {"client_id": str(two.id), "client": "Two", "is_active": True, "roles": ["client"]}
    ]
    assert shown["last_used_at"] is not None
    assert "password" not in str(shown)


async def test_a_demoted_administrator_rules_no_more(world: World) -> None:
    admin, other = await world.staff(), await world.staff()
    where = f"{USERS}{(await me(other))['user']['id']}/"
    assert (await admin.patch(where, json={"staff_role": None})).json()["staff_role"] is None
    assert (await other.get("/api/v1/admin/stats/")).status_code == 401


@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("DELETE", None),
        ("PATCH", {"is_active": False}),
        ("PATCH", {"staff_role": "staff"}),
        ("PATCH", {"staff_role": None}),
    ],
)
async def test_the_last_administrator_stays_whoever_asks_at_once(
    world: World, method: str, body: dict[str, Any] | None
) -> None:
    admins = [await world.staff() for _ in range(3)]
    await world.staff("staff")
    places = [f"{USERS}{(await me(one))['user']['id']}/" for one in admins]
    answers = await asyncio.gather(
        *(one.request(method, place, json=body)
          for one, place in zip(admins, [*places[1:], places[0]], strict=True))
    )  # fmt: skip
    done = [one for one in answers if one.is_success]
    assert len(done) < 3, "the three removed one another"
    async with world.db.system() as session:
        left = await session.execute(text(
            "SELECT count(*) FROM users WHERE staff_role = 'admin' AND is_active"
            " AND deleted_at IS NULL"
        ))  # fmt: skip
        assert left.scalar_one() == 3 - len(done) >= 1
    for one, place in zip(admins, places, strict=True):
        alone = await one.request(method, place, json=body)
        if alone.status_code == 409:
            assert alone.json()["code"] == "last_admin"
            return
    pytest.fail("the last administrator removed itself")


async def test_the_first_administrator_chooses_its_password_by_a_link_of_the_command(
    world: World,
) -> None:
    link = await local.create_admin(world.settings, "root@people.example", "Root")
    assert link.url.startswith("http://platform.test/password-reset#token=")
    assert await choose_password(world, link.url) == 204
    root = await world.http(await world.token("root@people.example"))
    assert (await root.get("/api/v1/admin/clients/")).status_code == 200
    again = await local.create_admin(world.settings, "root@people.example", "Root")
    assert await choose_password(world, again.url) == 204, "a way back in"
    tenant = await world.tenant()
    promoted = await local.create_admin(world.settings, tenant.email, "")
    assert await choose_password(world, promoted.url) == 204
    assert (await root.get("/api/v1/admin/stats/")).status_code == 401, "the password changed"
    root = await world.http(await world.token("root@people.example"))
    user_id = (await me(root))["user"]["id"]
    await (await world.staff()).patch(f"{USERS}{user_id}/", json={"is_active": False})
    with pytest.raises(Refusal, match="disabled"):
        await local.create_admin(world.settings, "root@people.example", "Root")


async def make_history(world: World) -> tuple[str, str]:
    """Two clients: one with music, plays and a device online, and one that did nothing."""
    busy, idle = await world.tenant("=Busy"), await world.tenant("Idle")
    zone = await busy.make("/zones/", name="Bar")
    device = await busy.make("/devices/register/", name="one", hardware_id="h1", zone_id=zone["id"])
    await busy.make("/devices/register/", name="two", hardware_id="h2")
    device_id = device["device"]["id"]
    async with world.ctx() as ctx:
        values = {"client": busy.id, "device": device_id, "zone": zone["id"], "sha": "a" * 64}
        await ctx.db.execute(text(
            "INSERT INTO media (client_id, sha256, bytes, frames, codec, gain, created_at)"
            " VALUES (:client, :sha, 1000, 48000, 'flac', 0, now())"), values)  # fmt: skip
        await ctx.db.execute(text(
            "INSERT INTO device_presence (device_id, client_id, online, firmware_version)"
            " VALUES (:device, :client, true, '1.2')"), values)  # fmt: skip
        for number, (kind, media, hours) in enumerate((
            ("started", "music", 1), ("finished", "music", 1), ("started", "music", 48),
            ("started", "announcement", 2), ("missed", "music", 3), ("started", "music", 24 * 20),
        )):  # fmt: skip
            await ctx.db.execute(text(
                "INSERT INTO play_events (id, client_id, device_id, log, seq, kind, zone_id, item,"
                " sha256, media_kind, at_frame, planned_frame, frames, audible, reason,"
                " received_at) VALUES (gen_random_uuid(), :client, :device, :device, :seq, :kind,"
                " :zone, 'x', :sha, :media, 0, 0, 0, true, '', now() - :hours * interval '1 hour')"
            ), {**values, "seq": number, "kind": kind, "media": media, "hours": hours})  # fmt: skip
    return str(busy.id), str(idle.id)


async def test_the_statistics_count_what_there_is(world: World) -> None:
    admin = await world.staff("staff")
    busy, idle = await make_history(world)
    await (await world.staff()).delete(f"/api/v1/admin/clients/{(await world.tenant()).id}/")
    await world.app.state.usage.flush(world.db)
    stats = (await admin.get("/api/v1/admin/stats/")).json()
    assert stats["clients"] == {"active": 2, "suspended": 0, "cancelled": 0, "deleted": 1}
    assert stats["users"] == {"total": 5, "active": 5, "staff": 2}
    assert stats["devices"] == {"total": 2, "online": 1}
    top = [{"client_id": busy, "client": "=Busy", "bytes": 1000}]
    assert stats["storage"] == {"bytes": 1000, "top": top}
    # what is on its way takes room as well
    async with world.ctx(UUID(idle)) as ctx:
        await uploads.create(ctx, Wish("track", "a.mp3", 3000))
    stats = (await admin.get("/api/v1/admin/stats/")).json()
    ranked = [(one["client_id"], one["bytes"]) for one in stats["storage"]["top"]]
    assert (stats["storage"]["bytes"], ranked) == (4000, [(idle, 3000), (busy, 1000)])
    assert stats["plays_24h"] == {"music": 1, "announcements": 1, "missed": 1}
    assert stats["plays_7d"] == {"music": 2, "announcements": 1, "missed": 1}
    asked = {one["client_id"]: one["requests"] for one in stats["api_7d"]["top"]}
    assert asked[busy] > asked[idle] > 0
    assert stats["api_7d"]["total"]["requests"] == sum(asked.values())


async def test_every_clients_devices_are_listed_with_their_status(world: World) -> None:
    admin = await world.staff("staff")
    _, idle = await make_history(world)

    async def listed(**wanted: str) -> list[dict[str, Any]]:
        found = await admin.get("/api/v1/admin/devices/", params=wanted)
        results: list[dict[str, Any]] = found.json()["results"]
        return results

    assert [(one["name"], one["is_online"]) for one in await listed()] == [
        ("one", True), ("two", False),
    ]  # fmt: skip
    [up] = await listed(online="true")
    assert (up["client"], up["zone"], up["firmware_version"]) == ("=Busy", "Bar", "1.2")
    assert [one["name"] for one in await listed(online="false")] == ["two"]
    assert await listed(client_id=idle) == []
    assert [one["name"] for one in await listed(search="busy", page_size="1")] == ["one"]


async def test_the_report_tells_of_each_client_what_it_used(world: World) -> None:
    await make_history(world)
    await world.app.state.usage.flush(world.db)
    table = list(csv.DictReader(io.StringIO(await local.report(world.settings, None, None, "csv"))))
    assert [row["client"] for row in table] == ["'=Busy", "Idle"], "no spreadsheet calculates it"
    assert [int(row["music"]) for row in table] == [3, 0]
    assert (table[0]["devices"], table[0]["online"], table[0]["storage_bytes"]) == (
        "2",
        "1",
        "1000",
    )
    day = world.clock.now().date()
    plain = await local.report(world.settings, day, day, "text")
    assert plain.startswith(f"{day} to {day} (UTC)")
    with pytest.raises(Refusal, match="after the last"):
        await local.report(world.settings, day.replace(year=2999), day, "csv")
