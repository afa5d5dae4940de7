"""Whoever is confined to places, from end to end: what it sees, does and cannot do."""

from typing import Any
from uuid import UUID

from support.music import add_zone
from support.world import Tenant, World
from sync2gear_platform.identity.tables import Client


async def register(http: Any, hardware: str, **more: Any) -> Any:
    body = {"name": hardware, "hardware_id": hardware, **more}
    return await http.post("/api/v1/devices/register/", json=body)


async def test_floor_staff_of_one_zone_see_and_control_that_zone_only(world: World) -> None:
    tenant = await world.tenant()
    mine, other = await add_zone(tenant, "Bar"), await add_zone(tenant, "Lobby")
    for zone in (mine, other):
        made = await register(tenant.http, f"hw {zone}", zone_id=zone)
        assert made.status_code == 201
    floor = await world.colleague(tenant, "floor", ("zone", UUID(mine)))
    for path in ("/zones/", "/playback/state/"):
        found = (await floor.get(f"/api/v1{path}", params={"count": True})).json()
        assert [zone["name"] for zone in found["results"]] == ["Bar"]
        assert found.get("count", 1) == 1
    assert (await floor.get("/api/v1/devices/")).status_code == 403, "no business of floor staff"
    said = {"text": "Last orders.", "zone_ids": [mine]}
    assert (await floor.post("/api/v1/announcements/say/", json=said)).status_code == 202
    loud = await floor.post("/api/v1/playback/volume/", json={"zone_id": mine, "volume": 30})
    assert loud.json()["results"][0]["volume"] == 30
    for zones in ([other], [mine, other]):
        said = {"text": "Last orders.", "zone_ids": zones}
        assert (await floor.post("/api/v1/announcements/say/", json=said)).status_code == 404
        quiet = {"zone_ids": zones, "volume": 1}
        assert (await floor.post("/api/v1/playback/volume/", json=quiet)).status_code == 404
    state = await tenant.read("/playback/state/")
    assert {zone["name"]: zone["volume"] for zone in state["results"]} == {"Bar": 30, "Lobby": 70}


async def at(tenant: Tenant, name: str) -> tuple[str, str]:
    """A location and a zone in it."""
    location = str((await tenant.make("/locations/", name=name))["id"])
    return location, str((await tenant.make("/zones/", name=name, location_id=location))["id"])


async def test_a_technician_of_one_location_registers_and_revokes_there_only(
    world: World,
) -> None:
    tenant = await world.tenant()
    (here, zone), (_, elsewhere) = await at(tenant, "North"), await at(tenant, "South")
    technician = await world.colleague(tenant, "technician", ("location", UUID(here)))
    made = await register(technician, "hw-1", zone_id=zone)
    assert made.status_code == 201, made.text
    beyond = await register(technician, "hw-2", zone_id=elsewhere)
    assert (beyond.status_code, beyond.json()["code"]) == (404, "not_found")
    nowhere = await register(technician, "hw-3")
    assert (nowhere.status_code, nowhere.json()["code"]) == (403, "out_of_reach")
    theirs = (await register(tenant.http, "hw-4", zone_id=elsewhere)).json()["device"]["id"]
    for method in ("GET", "PATCH", "DELETE"):
        answer = await technician.request(method, f"/api/v1/devices/{theirs}/", json={})
        assert answer.status_code == 404
    mine = f"/api/v1/devices/{made.json()['device']['id']}/"
    moved = await technician.patch(mine, json={"zone_id": elsewhere})
    assert moved.status_code == 404
    listed = (await technician.get("/api/v1/devices/", params={"count": True})).json()
    assert ([d["name"] for d in listed["results"]], listed["count"]) == (["hw-1"], 1)
    assert (await technician.delete(mine)).status_code == 204
    assert (await technician.get(mine)).status_code == 404


async def test_the_plan_counts_the_devices_of_the_whole_client(world: World) -> None:
    tenant = await world.tenant()
    (here, zone), (_, elsewhere) = await at(tenant, "North"), await at(tenant, "South")
    technician = await world.colleague(tenant, "technician", ("location", UUID(here)))
    async with world.ctx() as ctx:
        (await ctx.db.get_one(Client, tenant.id)).max_devices = 2
    for name in ("hw-1", "hw-2"):
        assert (await register(tenant.http, name, zone_id=elsewhere)).status_code == 201
    full = await register(technician, "hw-3", zone_id=zone)
    assert (full.status_code, full.json()["code"]) == (409, "device_limit")
