"""Every endpoint of document 001 for schedules, playback, zones and devices, and 000's promises.

Each is called as the document writes it: unversioned, below ``/api/``.
"""

import asyncio
from typing import Any
from uuid import UUID

import httpx2
from sqlmodel import select

from support.live import hear, say, serving, watching
from support.music import add_folder, add_zone
from support.wishes import add_announcement
from support.world import World
from sync2gear_platform.kit.web import policies
from sync2gear_platform.schedules.tables import Schedule

ENDPOINTS = """\
GET /schedules/
POST /schedules/
GET /schedules/{id}/
PATCH /schedules/{id}/
DELETE /schedules/{id}/
POST /schedules/{id}/toggle/
GET /zones/
POST /zones/
GET /zones/{id}/
PATCH /zones/{id}/
DELETE /zones/{id}/
GET /devices/
POST /devices/register/
GET /devices/{id}/
PATCH /devices/{id}/
DELETE /devices/{id}/
POST /devices/{id}/volume/
GET /playback/state/
POST /playback/play/
POST /playback/pause/
POST /playback/resume/
POST /playback/next/
POST /playback/previous/
POST /playback/volume/
POST /playback/seek/
"""
"""As the tables of document 001 list them."""


class Caller:
    """Calls as the document writes them, and notes what was called."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self._http = http
        self.called: set[str] = set()

    async def __call__(self, endpoint: str, id_: str = "", **body: Any) -> Any:
        method, _, path = endpoint.partition(" ")
        url = f"/api{path.replace('{id}', id_)}"
        more = {"json": body} if body else {}
        async with asyncio.timeout(30):
            answer = await self._http.request(method, url, **more)
            while answer.status_code == 409 and answer.json()["code"] == "about_to_begin":
                await asyncio.sleep(0.05)
                answer = await self._http.request(method, url, **more)
        assert answer.is_success, (endpoint, answer.text)
        self.called.add(endpoint)
        return answer.json() if answer.content else None


async def test_every_endpoint_works_as_document_001_has_it(world: World) -> None:
    tenant = await world.tenant()
    call = Caller(tenant.http)
    folder = str(await add_folder(world, tenant, ("One", "Two", "Three")))
    said = await add_announcement(world, tenant, "Offer")
    zone, hall = await places(call)
    await devices(call, zone["id"])
    await schedules(world, call, zone["id"], folder, said)
    await playback(call, [zone["id"], hall["id"]], folder)
    await call("DELETE /zones/{id}/", hall["id"])
    assert call.called == set(ENDPOINTS.splitlines())


async def places(call: Caller) -> tuple[dict[str, Any], dict[str, Any]]:
    """Zones, with the document's fields."""
    zone = await call("POST /zones/", name="Bar", description="Downstairs", default_volume=40)
    hall = await call("POST /zones/", name="Hall")
    assert hall["default_volume"] == 70
    changed = await call("PATCH /zones/{id}/", zone["id"], default_volume=55, is_active=True)
    assert changed["default_volume"] == 55
    assert (await call("GET /zones/{id}/", zone["id"]))["description"] == "Downstairs"
    assert [one["name"] for one in (await call("GET /zones/"))["results"]] == ["Bar", "Hall"]
    return zone, hall


async def devices(call: Caller, zone: str) -> None:
    made = await call("POST /devices/register/", name="Left", hardware_id="hw-1", zone_id=zone)
    device = made["device"]["id"] if "device" in made else made["id"]
    assert (await call("GET /devices/"))["results"][0]["id"] == device
    shown = await call("GET /devices/{id}/", device)
    assert (shown["is_online"], shown["zone_id"]) == (False, zone)
    assert (await call("PATCH /devices/{id}/", device, name="Right"))["name"] == "Right"
    assert (await call("POST /devices/{id}/volume/", device, volume=33))["volume"] == 33
    await call("DELETE /devices/{id}/", device)


async def schedules(world: World, call: Caller, zone: str, folder: str, said: str) -> None:
    """Schedules with every field of the document's model; ``[]`` of days is every day."""
    sent = {
        "name": "Offers", "type": "announcement", "content_type": "announcement",
        "announcement": said, "mode": "interval", "interval_type": "time",
        "interval_minutes": 15, "start_time": "09:00", "end_time": "17:00",
        "days_of_week": [0, 1, 6], "zones": [zone], "priority": 7, "is_active": True,
    }  # fmt: skip
    made = await call("POST /schedules/", **sent)
    renamed = {"announcement": "announcement_id", "zones": "zone_ids"}
    times = {"start_time": "09:00:00", "end_time": "17:00:00"}
    assert {name: made[renamed.get(name, name)] for name in sent} == {**sent, **times}
    overnight = await call(
        "POST /schedules/", name="Night", type="music", content_type="folder", folder=folder,
        mode="timeline", start_time="22:00", end_time="06:00", days_of_week=[], zones=[zone],
    )  # fmt: skip
    assert (overnight["folder_id"], overnight["interval_type"]) == (folder, None)
    changed = await call("PATCH /schedules/{id}/", made["id"], interval_type="tracks")
    assert (changed["interval_type"], changed["interval_minutes"]) == ("tracks", 15)
    assert (await call("POST /schedules/{id}/toggle/", made["id"]))["is_active"] is False
    assert (await call("GET /schedules/{id}/", made["id"]))["is_active"] is False
    listed = (await call("GET /schedules/"))["results"]
    assert [one["name"] for one in listed] == ["Night", "Offers"]
    await call("DELETE /schedules/{id}/", made["id"])
    async with world.ctx() as ctx:
        rows = (await ctx.db.exec(select(Schedule))).all()
    assert [row.name for row in rows] == ["Night"]


async def playback(call: Caller, zones: list[str], folder: str) -> None:
    """Every control, of one zone and of several at once, as it was seen or not at all."""
    both = {"zone_ids": zones}
    played = await call("POST /playback/play/", folder_id=folder, shuffle=True, **both)
    assert [one["status"] for one in played["results"]] == ["playing"] * 2
    assert all(one["shuffle"] for one in played["results"])
    for verb, status in (
        ("pause", "paused"), ("resume", "playing"), ("next", "playing"), ("previous", "playing"),
    ):  # fmt: skip
        views = await call(f"POST /playback/{verb}/", **both)
        assert [one["status"] for one in views["results"]] == [status] * 2, verb
    await call("POST /playback/seek/", position_millis=90_000, **both)
    views = await call("POST /playback/volume/", volume=12, **both)
    seen = {one["zone_id"]: one["rev"] for one in views["results"]}
    http = call._http
    stale = await http.post(
        "/api/playback/pause/", json={"zone_id": zones[0], "rev": seen[zones[0]] - 1}
    )
    assert (stale.status_code, stale.json()["code"]) == (409, "rev_conflict")
    await call("POST /playback/pause/", zone_id=zones[0], rev=seen[zones[0]])
    state = {one["zone_id"]: one for one in (await call("GET /playback/state/"))["results"]}
    assert [state[zone]["status"] for zone in zones] == ["paused", "playing"]
    one = state[zones[1]]
    assert (one["volume"], one["folder_id"], one["music"]["title"] != "") == (12, folder, True)
    foreign = await http.post(
        "/api/playback/pause/", json={"zone_ids": [zones[1], str(UUID(int=9))]}
    )
    assert foreign.status_code == 404
    again = {one["zone_id"]: one for one in (await call("GET /playback/state/"))["results"]}
    assert again[zones[1]]["status"] == "playing", "all of them or none"


async def test_the_socket_of_document_001_is_there_for_each_zone(world: World) -> None:
    paths = {path for method, path, _ in policies(world.app) if method == "WEBSOCKET"}
    assert paths == {"/ws/playback/", "/ws/playback/{zone_id}/"}
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    async with serving(world) as url, watching(url, tenant, zone) as socket:
        first = await hear(socket)
        assert [one["zone_id"] for one in first["zones"]] == [zone]
        await say(socket, type="command", id="1", command="volume", body={"volume": 9})
        told = [await hear(socket), await hear(socket)]
        assert {one["type"] for one in told} == {"zone", "done"}
