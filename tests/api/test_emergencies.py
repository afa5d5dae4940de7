"""Emergencies over REST: prepared, raised, heard above all else, cleared, and what is signed."""

import asyncio
import json
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlmodel import col, select

from support.music import add_zone
from support.stack import eventually
from support.world import Tenant, World
from sync2gear_broker import topics
from sync2gear_broker.messages import DeviceConfig, DeviceState, PlayEvent, ZoneState
from sync2gear_broker.messages.device import Fault
from sync2gear_broker.topics import Address
from sync2gear_firmware import latch
from sync2gear_platform.announcements import ahead
from sync2gear_platform.announcements.tables import Announcement
from sync2gear_platform.fleet import mqtt
from sync2gear_platform.fleet.presence import PresenceIngest
from sync2gear_platform.playback import prefetch
from sync2gear_platform.playback.ingest import Batch, Ingest
from sync2gear_platform.playback.tables import ZonePlayback


async def prepared(tenant: Tenant, name: str = "Evacuate", **more: Any) -> str:
    spoken = await tenant.make("/announcements/tts/", text=f"{name}. Please leave the building.")
    made = await tenant.make(
        "/emergencies/messages/", name=name, announcement_id=spoken["id"], **more
    )
    return str(made["id"])


async def state(world: World, tenant: Tenant, zone: str) -> ZoneState:
    async with world.ctx(tenant.id) as ctx:
        row = (
            await ctx.db.exec(select(ZonePlayback).where(col(ZonePlayback.zone_id) == UUID(zone)))
        ).one()
        return ZoneState.parse(json.dumps(row.document))


async def keys(world: World, tenant: Tenant, device: str) -> tuple[str, ...]:
    """Those that a device is told."""
    address = Address(topics.DEVICE_CONFIG, client=str(tenant.id), device=device)
    async with world.ctx() as ctx:
        found = await mqtt.read(ctx.db, [address])
    return DeviceConfig.parse(found[address]).emergency_keys


async def sounding(tenant: Tenant, zone: str) -> list[str]:
    view = (await tenant.read("/playback/state/", zone_id=zone))["results"][0]
    return [segment["role"] for segment in view["segments"]]


async def test_it_is_heard_above_all_else_until_the_all_clear(world: World) -> None:
    acme = await world.tenant()
    zones = [await add_zone(acme, name) for name in ("A", "B")]
    device = (await acme.make("/devices/register/", name="S", hardware_id="hw", zone_id=zones[0]))[
        "device"
    ]["id"]
    message = await prepared(acme, volume=90)
    (key,) = await keys(world, acme, device)
    raised = await acme.make("/emergencies/", message_id=message, everywhere=True)
    assert (raised["active"], raised["drill"], raised["name"]) == (True, False, "Evacuate")
    assert sorted(raised["zone_ids"]) == sorted(zones)
    for zone in zones:
        alarm = (await state(world, acme, zone)).emergency
        assert alarm is not None
        assert (alarm.active, alarm.volume, alarm.end) == (True, 90, None)
        assert latch.holds(alarm, zone, [key])
    assert not latch.holds(alarm, zones[0], [key]), "signed for its own zone alone"
    assert set(await sounding(acme, zones[0])) == {"emergency"}
    active = await acme.read("/emergencies/", active=True)
    assert [one["id"] for one in active["results"]] == [raised["id"]]
    zones.append(await add_zone(acme, "Made meanwhile"))
    joined = (await state(world, acme, zones[2])).emergency
    assert joined is not None
    assert (joined.active, joined.gen, joined.start) == (True, alarm.gen, alarm.start)
    assert latch.holds(joined, zones[2], [key])
    shown = await acme.read(f"/emergencies/{raised['id']}/")
    assert sorted(shown["zone_ids"]) == sorted(zones)

    cleared = await acme.make(f"/emergencies/{raised['id']}/clear/")
    assert cleared["active"] is False
    for zone in zones:
        over = (await state(world, acme, zone)).emergency
        assert over is not None
        assert (over.active, over.gen > alarm.gen) == (False, True)
        assert latch.holds(over, zone, [key])
    again = await acme.http.post(f"/api/v1/emergencies/{raised['id']}/clear/")
    assert (again.status_code, again.json()["code"]) == (409, "emergency_over")
    assert (await acme.read("/emergencies/", active=True))["results"] == []
    assert (await acme.read(f"/emergencies/{raised['id']}/"))["cleared_at"] is not None


async def test_a_later_one_takes_over_and_is_not_ended_by_the_first_ones_all_clear(
    world: World,
) -> None:
    acme = await world.tenant()
    here, there = [await add_zone(acme, name) for name in ("A", "B")]
    fire, lockdown = await prepared(acme), await prepared(acme, "Lockdown")
    first = await acme.make("/emergencies/", message_id=fire, zone_ids=[here, there])
    second = await acme.make("/emergencies/", message_id=lockdown, zone_ids=[there])
    await acme.make(f"/emergencies/{first['id']}/clear/")
    ended = (await state(world, acme, here)).emergency
    going_on = (await state(world, acme, there)).emergency
    assert ended is not None
    assert going_on is not None
    assert (ended.active, going_on.active) == (False, True)
    assert going_on.media is not None
    assert going_on.media.title == "Lockdown"
    assert (await acme.read(f"/emergencies/{second['id']}/"))["active"] is True


async def test_a_drill_is_recorded_as_one_and_ends_by_itself(world: World) -> None:
    acme = await world.tenant()
    zone = await add_zone(acme)
    message = await prepared(acme)
    raised = await acme.make(
        "/emergencies/", message_id=message, zone_ids=[zone], drill=True, minutes=5
    )
    assert raised["drill"] is True
    alarm = (await state(world, acme, zone)).emergency
    assert alarm is not None
    assert alarm.drill
    assert alarm.end == alarm.start + 5 * 60 * 48_000
    (shown,) = (await acme.read("/playback/state/"))["results"]
    assert shown["drill"] is True
    assert [one["role"] for one in shown["segments"]].count("emergency") >= 1
    actions = [e["action"] for e in (await acme.read("/audit/"))["results"]]
    assert "drill.raise" in actions
    assert "emergency.raise" not in actions


async def test_what_can_be_raised_is_on_the_speakers_before_all_else(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (prefetch, ahead):
        monkeypatch.setattr(module, "MAX_PREFETCH", 3)
    acme = await world.tenant()
    await prepared(acme)
    gong = (await acme.make("/announcements/tts/", text="Ding dong."))["id"]
    usual = {"chime_before": {"announcement_id": gong}}
    changed = await acme.http.patch("/api/v1/announcements/sound/", json=usual)
    assert changed.status_code == 200, changed.text
    for number in range(4):
        await acme.make("/announcements/tts/", text=f"Offer {number}.")
    state = world.app.state
    kit = ahead.Kit(world.db, state.blobs, state.splicer, world.clock)
    await ahead.refresh(kit, acme.id)
    async with world.ctx(acme.id) as ctx:
        row = (await ctx.db.exec(select(prefetch.PrefetchList))).one()
        sound = (await ctx.db.exec(select(Announcement).order_by(col(Announcement.id)))).first()
    assert sound is not None
    assert row.document["items"][0]["sha256"] == sound.sha256


async def test_keys_are_renewed_while_nothing_is_active(world: World) -> None:
    acme = await world.tenant()
    zone = await add_zone(acme)
    message = await prepared(acme)
    device = (await acme.make("/devices/register/", name="S", hardware_id="hw", zone_id=zone))[
        "device"
    ]["id"]
    (first,) = await keys(world, acme, device)
    raised = await acme.make("/emergencies/", message_id=message, zone_ids=[zone])
    refused = await acme.http.post("/api/v1/emergencies/keys/")
    assert (refused.status_code, refused.json()["code"]) == (409, "emergency_active")
    await acme.make(f"/emergencies/{raised['id']}/clear/")
    before = await acme.read(f"/devices/{device}/")
    second = (await acme.make("/emergencies/keys/"))["public_key"]
    assert await keys(world, acme, device) == (second, first)
    third = (await acme.make("/emergencies/keys/"))["public_key"]
    assert await keys(world, acme, device) == (third, second)
    await acme.make("/emergencies/", message_id=message, zone_ids=[zone])
    alarm = (await state(world, acme, zone)).emergency
    assert alarm is not None
    assert latch.holds(alarm, zone, [third])
    assert before["name"] == "S"


async def test_messages_are_kept_changed_and_told_when_used(world: World) -> None:
    acme = await world.tenant()
    message = await prepared(acme)
    path = f"/api/v1/emergencies/messages/{message}/"
    listed = (await acme.read("/emergencies/messages/", search="evac"))["results"]
    assert [(one["id"], one["name"], one["volume"]) for one in listed] == [
        (message, "Evacuate", 100)
    ]
    changed = await acme.http.patch(path, json={"volume": 70}, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.json()["volume"]) == (200, 70)
    stale = await acme.http.patch(path, json={"volume": 71}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    used = await acme.http.delete(f"/api/v1/announcements/{changed.json()['announcement_id']}/")
    assert (used.status_code, used.json()["code"]) == (409, "in_use")
    assert used.json()["used_by"][0]["kind"] == "emergency_message"
    spoken = (await acme.read(f"/announcements/{changed.json()['announcement_id']}/"))["prefetch"]
    assert spoken is True
    taken = await acme.http.post(
        "/api/v1/emergencies/messages/",
        json={"name": "Evacuate", "announcement_id": changed.json()["announcement_id"]},
    )
    assert (taken.status_code, taken.json()["code"]) == (409, "name_taken")
    assert (await acme.http.delete(path)).status_code == 204
    assert (await acme.http.get(path)).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"everywhere": True, "zone_ids": ["00000000-0000-4000-8000-000000000000"]},
        {"everywhere": True, "minutes": 0},
        {"everywhere": "yes"},
    ],
    ids=["nowhere", "both", "no time", "not a truth"],
)
async def test_what_cannot_be_raised_is_refused(world: World, body: dict[str, Any]) -> None:
    acme = await world.tenant()
    await add_zone(acme)
    message = await prepared(acme)
    answer = await acme.http.post("/api/v1/emergencies/", json={"message_id": message, **body})
    assert answer.status_code == 422


async def speaker(tenant: Tenant, zone: str, name: str) -> str:
    body = {"name": name, "hardware_id": name, "zone_id": zone}
    return str((await tenant.make("/devices/register/", **body))["device"]["id"])


async def test_every_speaker_tells_what_it_made_of_it(world: World) -> None:
    acme = await world.tenant()
    here, there = [await add_zone(acme, name) for name in ("A", "B")]
    left, right, deaf, away = [
        await speaker(acme, here if name < "c" else there, name)
        for name in ("a left", "b right", "c deaf", "d away")
    ]
    message = await prepared(acme)
    raised = await acme.make("/emergencies/", message_id=message, everywhere=True)
    path = f"/emergencies/{raised['id']}/speakers/"
    alarm = (await state(world, acme, here)).emergency
    assert alarm is not None
    assert alarm.media is not None
    event = {"zone": here, "item": f"emergency:{alarm.gen}", "media": alarm.media.sha256}
    other = event | {"item": f"emergency:{alarm.gen - 1}"}
    ingest = Ingest(world.db, world.clock)
    begun, end = alarm.start + 480, alarm.start + alarm.media.frames
    told: dict[str, list[tuple[str, int, dict[str, Any]]]] = {
        left: [("started", begun, event), ("finished", end, event), ("started", end, event)],
        right: [("missed", begun, event | {"reason": "not_held"}), ("started", begun, other)],
    }
    for device, lines in told.items():
        said: dict[int, PlayEvent | None] = {
            n: PlayEvent.model_validate(
                {"id": str(uuid4()), "seq": n, "kind": kind, "at": at, "planned": alarm.start,
                 "media_kind": "announcement", **more}
            )
            for n, (kind, at, more) in enumerate(lines, 1)
        }  # fmt: skip
        await ingest.write([Batch(acme.id, UUID(device), uuid4(), said)])
    presence = PresenceIngest(world.db, world.clock)
    fault = Fault(code="emergency_unverified", detail="gen=1")
    address = Address(topics.DEVICE_STATE, client=str(acme.id), device=deaf)
    presence.heard(address, DeviceState(faults=(fault,)).canonical(), retained=False)
    writing = asyncio.create_task(presence.run())

    async def reported() -> dict[str, tuple[str, str, int]]:
        found = (await acme.read(path))["results"]
        return {one["name"]: (one["state"], one["reason"], one["rounds"]) for one in found}

    async def known() -> bool:
        return (await reported())["c deaf"][0] == "unverified"

    await eventually(known, "the fault is known")
    writing.cancel()
    with suppress(asyncio.CancelledError):
        await writing
    assert await reported() == {
        "a left": ("sounding", "", 2),
        "b right": ("missed", "not_held", 0),
        "c deaf": ("unverified", "emergency_unverified", 0),
        "d away": ("silent", "", 0),
    }
    await acme.make(f"/emergencies/{raised['id']}/clear/")
    await speaker(acme, here, "e later")
    after = await acme.read(path, page_size=1)
    (first,) = after["results"]
    assert (first["name"], first["state"], first["zone"]) == ("a left", "heard", "A")
    assert first["first_at"] < first["last_at"]
    assert after["next"] is not None
    assert (await reported()).keys() == {"a left", "b right", "c deaf", "d away"}
    porter = await world.colleague(acme, "facility_manager", place=("zone", UUID(there)))
    seen = (await porter.get(f"/api/v1{path}")).json()["results"]
    assert [one["device_id"] for one in seen] == [deaf, away]
    rival = await world.tenant("Rival")
    assert (await rival.http.get(f"/api/v1{path}")).status_code == 404


async def test_who_has_one_place_raises_there_and_does_not_end_what_is_wider(
    world: World,
) -> None:
    acme = await world.tenant()
    here, there = [await add_zone(acme, name) for name in ("A", "B")]
    message = await prepared(acme)
    porter = await world.colleague(acme, "facility_manager", place=("zone", UUID(here)))
    path = "/api/v1/emergencies/"
    everywhere = {"message_id": message, "everywhere": True}
    mine = await porter.post(path, json=everywhere)
    assert (mine.status_code, mine.json()["zone_ids"]) == (202, [here])
    beyond = await porter.post(path, json={"message_id": message, "zone_ids": [there]})
    assert beyond.status_code == 404
    assert (await porter.post(f"{path}{mine.json()['id']}/clear/")).status_code == 200
    wide = await acme.make("/emergencies/", **everywhere)
    assert (await porter.get(f"{path}{wide['id']}/")).json()["zone_ids"] == [here]
    assert (await porter.post(f"{path}{wide['id']}/clear/")).status_code == 404
    assert (await acme.read(f"/emergencies/{wide['id']}/"))["active"] is True
    floor = await world.colleague(acme, "floor", place=("zone", UUID(here)))
    assert (await floor.post(path, json=everywhere)).status_code == 403


async def test_neighbours_see_and_end_nothing(world: World) -> None:
    acme, rival = await world.tenant(), await world.tenant()
    zone, theirs = await add_zone(acme), await add_zone(rival)
    message = await prepared(acme)
    raised = await acme.make("/emergencies/", message_id=message, zone_ids=[zone])
    foreign = await rival.http.post(f"/api/v1/emergencies/{raised['id']}/clear/")
    assert foreign.status_code == 404
    used = await rival.http.post(
        "/api/v1/emergencies/", json={"message_id": message, "zone_ids": [theirs]}
    )
    assert used.status_code == 404
    own = await prepared(rival)
    there = await rival.http.post(
        "/api/v1/emergencies/", json={"message_id": own, "zone_ids": [zone]}
    )
    assert there.status_code == 404
    assert (await rival.read("/emergencies/"))["results"] == []
    alarm = (await state(world, acme, zone)).emergency
    assert alarm is not None
    assert alarm.active
