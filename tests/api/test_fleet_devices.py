"""Devices over REST: registering, changing, revoking, and how a device signs in."""

import asyncio
import subprocess
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from sqlmodel import select

from support.music import add_folder, add_zone
from support.world import Tenant, World
from sync2gear_platform.fleet import rules
from sync2gear_platform.identity.tables import Client
from sync2gear_platform.playback.tables import ProgrammeRow


async def register(tenant: Tenant, hardware: str = "hw-1", **more: Any) -> dict[str, Any]:
    return await tenant.make("/devices/register/", name="Till", hardware_id=hardware, **more)


def basic(credential: dict[str, str]) -> httpx2.BasicAuth:
    return httpx2.BasicAuth(f"{credential['client']}/{credential['device']}", credential["secret"])


async def test_a_registered_device_is_shown_but_its_secret_only_once(world: World) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    made = await register(tenant, zone_id=zone, model="P4")
    device, credential = made["device"], made["credential"]
    assert len(credential["secret"]) == 43
    assert credential["http_url"] == world.settings.public_url
    assert credential["mqtt_url"] == world.settings.mqtt_device_url
    assert (device["is_online"], device["applied"], device["clock"]) == (False, None, "none")
    found = await tenant.read(f"/devices/{device['id']}/")
    assert found == device
    assert credential["secret"] not in str(await tenant.read("/devices/"))
    assert (await tenant.read("/devices/", zone_id=zone))["results"] == [device]
    assert (await tenant.read("/devices/", zone_id=str(uuid4())))["results"] == []


async def test_the_same_hardware_registers_once_and_again_after_it_was_revoked(
    world: World,
) -> None:
    tenant = await world.tenant()
    first = await register(tenant)
    answer = await tenant.http.post(
        "/api/v1/devices/register/", json={"name": "Again", "hardware_id": "hw-1"}
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "hardware_known")
    gone = await tenant.http.delete(f"/api/v1/devices/{first['device']['id']}/")
    assert gone.status_code == 204
    answer = await tenant.http.get(f"/api/v1/devices/{first['device']['id']}/")
    assert answer.status_code == 404
    assert (await tenant.read("/devices/"))["results"] == []
    second = await register(tenant)
    assert second["device"]["id"] == first["device"]["id"], "the same hardware, the same device"
    assert second["credential"]["secret"] != first["credential"]["secret"]


async def test_changing_a_device_guards_against_changes_that_cross(world: World) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    device = (await register(tenant))["device"]
    path = f"/api/v1/devices/{device['id']}/"
    read = await tenant.http.get(path)
    changed = await tenant.http.patch(
        path, json={"name": "Door", "zone_id": zone, "trim_millis": -20},
        headers={"If-Match": read.headers["ETag"]},
    )  # fmt: skip
    assert changed.json() == changed.json() | {"name": "Door", "zone_id": zone, "trim_millis": -20}
    stale = await tenant.http.patch(
        path, json={"name": "Window"}, headers={"If-Match": read.headers["ETag"]}
    )
    assert stale.status_code == 412
    assert read.json()["channels"] == "stereo"
    mono = await tenant.http.patch(path, json={"channels": "mono"})
    assert mono.json()["channels"] == "mono"
    wrong = await tenant.http.patch(path, json={"channels": "both"})
    assert wrong.status_code == 422
    bounds = {"fetch_rate": 250_000, "fetch_window": "22:00-06:00"}
    bounded = await tenant.http.patch(path, json=bounds)
    assert bounded.json() == bounded.json() | bounds
    for bad in ({"fetch_rate": -1}, {"fetch_window": "10pm"}, {"fetch_window": "22:00-24:00"}):
        assert (await tenant.http.patch(path, json=bad)).status_code == 422
    louder = await tenant.http.post(f"{path}volume/", json={"volume": 40})
    assert louder.json()["volume"] == 40
    out = await tenant.http.patch(path, json={"zone_id": None})
    assert out.json()["zone_id"] is None
    assert (await tenant.http.patch(path, json={})).json()["name"] == "Door"


@pytest.mark.parametrize(
    "body",
    [
        {"name": "", "hardware_id": "a"},
        {"name": "a\0b", "hardware_id": "a"},
        {"name": "a" * 256, "hardware_id": "a"},
        {"name": "a"},
        {"name": "a", "hardware_id": "a", "zone_id": "nowhere"},
        {"name": "a", "hardware_id": "a", "secret": "mine"},
    ],
)
async def test_a_bad_registration_is_refused(world: World, body: dict[str, Any]) -> None:
    tenant = await world.tenant()
    answer = await tenant.http.post("/api/v1/devices/register/", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_names_of_any_language_stay_what_they_are(world: World) -> None:
    tenant = await world.tenant()
    made = await tenant.make(
        "/devices/register/", name="Café/+#😀", hardware_id="a/b+c#d;DROP TABLE devices"
    )
    assert made["device"]["name"] == "Café/+#😀"


async def test_a_client_has_as_many_devices_as_its_plan_even_when_all_come_at_once(
    world: World,
) -> None:
    tenant = await world.tenant()
    async with world.ctx() as ctx:
        client = await ctx.db.get_one(Client, tenant.id)
        client.max_devices = 4
    answers = await asyncio.gather(
        *(
            tenant.http.post(
                "/api/v1/devices/register/", json={"name": "d", "hardware_id": f"hw-{n}"}
            )
            for n in range(12)
        )
    )
    codes = [a.status_code for a in answers]
    assert codes.count(201) == 4
    assert {a.json()["code"] for a in answers if a.status_code != 201} == {"device_limit"}


async def test_another_clients_devices_and_zones_do_not_exist(world: World) -> None:
    mine, theirs = await world.tenant("Mine"), await world.tenant("Theirs")
    device = (await register(theirs))["device"]
    zone = await add_zone(theirs)
    path = f"/api/v1/devices/{device['id']}/"
    assert (await mine.http.get(path)).status_code == 404
    assert (await mine.http.patch(path, json={"name": "x"})).status_code == 404
    assert (await mine.http.delete(path)).status_code == 404
    answer = await mine.http.post(
        "/api/v1/devices/register/", json={"name": "d", "hardware_id": "h", "zone_id": zone}
    )
    assert answer.status_code == 404
    own = (await register(mine))["device"]
    answer = await mine.http.patch(f"/api/v1/devices/{own['id']}/", json={"zone_id": zone})
    assert answer.status_code == 404


async def test_a_device_fetches_programmes_of_its_client_until_it_is_revoked(
    world: World,
) -> None:
    mine, theirs = await world.tenant("Mine"), await world.tenant("Theirs")
    zone = await add_zone(mine)
    folder = await add_folder(world, mine, ("One", "Two"))
    await mine.make("/playback/play/", zone_id=zone, folder_id=str(folder))
    async with world.ctx() as ctx:
        row = (await ctx.db.exec(select(ProgrammeRow))).one()
    credential = (await register(mine))["credential"]
    stranger = (await register(theirs))["credential"]
    http = await world.http()
    path = f"/api/v1/programmes/{row.sha256}/"
    for encoding in ("gzip", "identity"):
        answer = await http.get(path, auth=basic(credential), headers={"Accept-Encoding": encoding})
        assert answer.status_code == 200, answer.text
        assert answer.content == row.body, "the bytes that the hash names"
        assert answer.headers.get("Content-Encoding", "identity") == encoding
    again = await http.get(
        path, auth=basic(credential), headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    assert (await http.get(path, auth=basic(stranger))).status_code == 404
    assert (await http.get(path)).status_code == 401
    assert (await mine.http.get(path)).status_code == 403, "people have no business there"
    assert (await http.get("/api/v1/programmes/abc/", auth=basic(credential))).status_code == 422
    wrong = {**credential, "secret": credential["secret"][:-1] + "_"}
    assert (await http.get(path, auth=basic(wrong))).status_code == 401
    crossed = {**credential, "client": stranger["client"]}
    assert (await http.get(path, auth=basic(crossed))).status_code == 401
    answer = await http.get("/api/v1/zones/", auth=basic(credential))
    assert answer.status_code == 403, "a device may fetch and nothing else"
    await mine.http.delete(f"/api/v1/devices/{credential['device']}/")
    answer = await http.get(path, auth=basic(credential))
    assert (answer.status_code, answer.json()["code"]) == (401, "device_unknown")


@pytest.mark.parametrize("status", ["active", "suspended", "cancelled"])
async def test_a_device_signs_in_however_its_client_stands_until_that_is_deleted(
    world: World, status: str
) -> None:
    tenant = await world.tenant()
    credential = (await register(tenant))["credential"]
    http = await world.http()
    unknown = f"/api/v1/programmes/{'0' * 64}/"
    async with world.ctx() as ctx:
        (await ctx.db.get_one(Client, tenant.id)).status = status
    answer = await http.get(unknown, auth=basic(credential))
    assert answer.status_code == 404, "it is recognised, and there is no such programme"
    async with world.ctx() as ctx:
        (await ctx.db.get_one(Client, tenant.id)).deleted_at = ctx.now
    assert (await http.get(unknown, auth=basic(credential))).status_code == 401


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic /////w==", "Basic YQ==", "Basic "])
async def test_a_broken_authorization_header_is_refused(world: World, header: str) -> None:
    http = await world.http()
    answer = await http.get(f"/api/v1/programmes/{'0' * 64}/", headers={"Authorization": header})
    assert answer.status_code == 401


def test_secrets_are_hashed_as_mosquitto_does_it(tmp_path: Path) -> None:
    file = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(file), "u", "päss"], check=True)
    theirs = file.read_text().strip().split(":", 1)[1]
    assert rules.verify_secret("päss", theirs)
    assert not rules.verify_secret("pass", theirs)
    ours = rules.hash_secret("päss", b"a grain of it")
    assert rules.verify_secret("päss", ours)
    assert ours != rules.hash_secret("päss", b"another grain")
    for broken in ("", "revoked", "$7$", "$6$1$a$b", "$7$x$AAAA$AAAA", "$7$101$?$AAAA"):
        assert not rules.verify_secret("", broken)


async def test_a_device_is_told_whom_to_trust_and_nobody_else_is(
    world: World, tmp_path: Path
) -> None:
    tenant = await world.tenant()
    made = await register(tenant)
    assert made["credential"]["ca"] == ""
    anonymous = await world.http()
    auth = basic(made["credential"])
    assert (await anonymous.get("/api/v1/devices/trust/", auth=auth)).json() == {"ca": ""}
    world.settings.tls_ca = tmp_path / "roots.pem"
    answer = await anonymous.get("/api/v1/devices/trust/", auth=auth)
    assert (answer.status_code, answer.json()["code"]) == (503, "no_trust_bundle")
    world.settings.tls_ca.write_text("roots\n")
    assert (await anonymous.get("/api/v1/devices/trust/", auth=auth)).json() == {"ca": "roots\n"}
    assert (await register(tenant, "hw-2"))["credential"]["ca"] == "roots\n"
    world.settings.tls_ca.write_text("newer roots\n")
    again = await anonymous.get("/api/v1/devices/trust/", auth=auth)
    assert again.json() == {"ca": "newer roots\n"}
    assert (await anonymous.get("/api/v1/devices/trust/")).status_code == 401
    assert (await tenant.http.get("/api/v1/devices/trust/")).status_code == 403
