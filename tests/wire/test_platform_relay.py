"""The broker's retained documents follow the database, whatever dies in between."""

import asyncio
import json
import time
from collections.abc import AsyncIterator

import aiomqtt
import pytest
from sqlalchemy import text

from support.leader import Lab, open_lab
from support.music import add_folder, add_zone
from support.services import PostgresServer
from support.stack import eventually
from support.world import Tenant
from sync2gear_broker import topics
from sync2gear_broker.messages import DeviceConfig, ZoneState


@pytest.fixture
async def lab(postgres: PostgresServer) -> AsyncIterator[Lab]:
    async with open_lab(postgres) as opened:
        yield opened


async def set_volume(tenant: Tenant, zone: str, volume: int) -> tuple[int, int]:
    answer = await tenant.http.post(
        "/api/v1/playback/volume/", json={"zone_id": zone, "volume": volume}
    )
    assert answer.status_code == 200, answer.text
    view = answer.json()["results"][0]
    return view["epoch"], view["rev"]


async def volume_is(lab: Lab, topic: str, volume: int, seconds: float) -> None:
    async def told() -> bool:
        body = (await lab.retained()).get(topic)
        return body is not None and json.loads(body)["volume"] == volume

    await eventually(told, f"{topic} says volume {volume}", seconds)


async def test_a_command_reaches_the_zone_its_speakers_and_only_them(lab: Lab) -> None:
    tenant = await lab.world.tenant()
    zone, other = await add_zone(tenant, "A"), await add_zone(tenant, "B")
    lab.worker()
    await lab.ready()
    inside = await lab.register(tenant, "inside", zone)
    outside = await lab.register(tenant, "outside", other)
    homeless = await lab.register(tenant, "homeless", None)
    folder = await add_folder(lab.world, tenant, ("One", "Two"))
    answer = await tenant.http.post(
        "/api/v1/playback/play/", json={"zone_id": zone, "folder_id": str(folder)}
    )
    view = answer.json()["results"][0]
    await lab.drained()
    client = str(tenant.id)
    held = await lab.retained()
    desired = held[topics.build(topics.ZONE_DESIRED, client=client, zone=zone)]
    copy = held[topics.build(topics.DEVICE_ZONE, client=client, device=inside["device"])]
    assert desired == copy
    state = ZoneState.parse(desired)
    assert (state.zone, state.epoch, state.rev) == (zone, view["epoch"], view["rev"])
    assert len(state.programmes) == 1
    foreign = held[topics.build(topics.DEVICE_ZONE, client=client, device=outside["device"])]
    assert ZoneState.parse(foreign).zone == other
    assert ZoneState.parse(foreign).programmes == ()
    alone = held[topics.build(topics.DEVICE_ZONE, client=client, device=homeless["device"])]
    assert ZoneState.parse(alone).zone == "00000000-0000-0000-0000-000000000000"
    config = held[topics.build(topics.DEVICE_CONFIG, client=client, device=inside["device"])]
    assert json.loads(config)["name"] == "inside"
    assert json.loads(config)["media_url"] == lab.world.settings.public_url


async def test_a_moved_speaker_gets_a_newer_document_and_a_revoked_one_none(lab: Lab) -> None:
    tenant = await lab.world.tenant()
    zone, other = await add_zone(tenant, "A"), await add_zone(tenant, "B")
    await set_volume(tenant, other, 11)
    await set_volume(tenant, zone, 22)
    lab.worker()
    await lab.ready()
    device = (await lab.register(tenant, "one", zone))["device"]
    topic = topics.build(topics.DEVICE_ZONE, client=str(tenant.id), device=device)
    await lab.drained()
    first = ZoneState.parse((await lab.retained())[topic])
    assert (first.zone, first.volume) == (zone, 22)
    versions = [first.version]
    for target, want in ((other, other), (None, None), (zone, zone)):
        answer = await tenant.http.patch(f"/api/v1/devices/{device}/", json={"zone_id": target})
        assert answer.status_code == 200, answer.text
        await lab.drained()
        state = ZoneState.parse((await lab.retained())[topic])
        assert state.version > versions[-1], "a speaker takes only what is newer"
        assert want is None or state.zone == want
        versions.append(state.version)
    await set_volume(tenant, zone, 33)
    await lab.drained()
    state = ZoneState.parse((await lab.retained())[topic])
    assert state.version > versions[-1]
    assert (await tenant.http.delete(f"/api/v1/devices/{device}/")).status_code == 204
    await lab.drained()
    assert not [t for t in await lab.retained() if device in t]


async def test_hours_for_downloads_are_by_the_clock_of_the_location(lab: Lab) -> None:
    tenant = await lab.world.tenant()
    zone = await add_zone(tenant, "A")
    location = (await tenant.read(f"/zones/{zone}/"))["location_id"]
    lab.worker()
    await lab.ready()
    known = await lab.register(tenant, "till", zone)
    topic = topics.build(topics.DEVICE_CONFIG, client=str(tenant.id), device=known["device"])

    async def told() -> DeviceConfig:
        await lab.drained()
        return DeviceConfig.parse((await lab.retained())[topic])

    async def patch(path: str, **body: object) -> None:
        answer = await tenant.http.patch(f"/api/v1{path}", json=body)
        assert answer.status_code == 200, answer.text

    await patch(f"/locations/{location}/", timezone="Asia/Tokyo")
    assert (await told()).timezone == "", "without hours no clock matters"
    hours = "22:00-06:00"
    await patch(f"/devices/{known['device']}/", fetch_window=hours, fetch_rate=250_000)
    first = await told()
    assert (first.fetch_rate, first.fetch_window, first.timezone) == (250_000, hours, "Asia/Tokyo")
    await patch(f"/locations/{location}/", timezone="Europe/Berlin")
    second = await told()
    assert second.timezone == "Europe/Berlin"
    assert second.rev > first.rev, "an older document would be ignored"


async def test_a_removed_zone_is_cleared_and_its_speaker_told(lab: Lab) -> None:
    tenant = await lab.world.tenant()
    zone = await add_zone(tenant)
    lab.worker()
    await lab.ready()
    device = (await lab.register(tenant, "one", zone))["device"]
    await set_volume(tenant, zone, 22)
    await lab.drained()
    topic = topics.build(topics.DEVICE_ZONE, client=str(tenant.id), device=device)
    before = ZoneState.parse((await lab.retained())[topic])
    assert (await tenant.http.delete(f"/api/v1/zones/{zone}/")).status_code == 204
    await lab.drained()
    held = await lab.retained()
    assert topics.build(topics.ZONE_DESIRED, client=str(tenant.id), zone=zone) not in held
    assert ZoneState.parse(held[topic]).version > before.version
    assert ZoneState.parse(held[topic]).zone != zone


async def test_a_command_given_while_the_broker_is_down_takes_effect_when_it_is_back(
    lab: Lab,
) -> None:
    tenant = await lab.world.tenant()
    zone = await add_zone(tenant)
    lab.worker()
    await lab.ready()
    await set_volume(tenant, zone, 10)
    await lab.drained()
    topic = topics.build(topics.ZONE_DESIRED, client=str(tenant.id), zone=zone)
    lab.broker.stop()
    await set_volume(tenant, zone, 20)
    await set_volume(tenant, zone, 30)
    lab.broker.start()
    await volume_is(lab, topic, 30, 15)


@pytest.mark.parametrize("store", ["kept", "deleted", "truncated"])
async def test_a_killed_broker_is_rebuilt_from_the_database(lab: Lab, store: str) -> None:
    tenant = await lab.world.tenant()
    zones = [await add_zone(tenant, f"Zone {n}") for n in range(20)]
    lab.worker()
    await lab.ready()
    device = (await lab.register(tenant, "one", zones[0]))["device"]
    for zone in zones:
        await set_volume(tenant, zone, 40)
    await lab.drained()
    lab.broker.restart()  # a snapshot with these documents
    await volume_is(
        lab, topics.build(topics.ZONE_DESIRED, client=str(tenant.id), zone=zones[3]), 40, 15
    )
    await set_volume(tenant, zones[3], 77)
    await lab.drained()
    before = {t: b for t, b in (await lab.retained()).items() if "_sys" not in t}
    assert len(before) == 23
    lab.broker.kill()
    match store:
        case "deleted":
            lab.broker.store.unlink()
        case "truncated":
            lab.broker.store.write_bytes(lab.broker.store.read_bytes()[:100])
    lab.broker.start()
    began = time.monotonic()

    async def whole() -> bool:
        held = await lab.retained()
        return {t: b for t, b in held.items() if "_sys" not in t} == before

    await eventually(whole, "every retained document is back", 30)
    assert time.monotonic() - began < 30
    assert device in str(list(before))


async def test_a_document_that_cannot_be_made_keeps_no_other_from_its_topic(lab: Lab) -> None:
    tenant = await lab.world.tenant()
    zone, broken = await add_zone(tenant, "A"), await add_zone(tenant, "B")
    desired = topics.build(topics.ZONE_DESIRED, client=str(tenant.id), zone=zone)
    for one in (zone, broken):
        await set_volume(tenant, one, 11)
    worker = lab.worker()
    await lab.ready()
    spoil = "UPDATE zone_playback SET document = document - 'epoch' WHERE zone_id = :zone"
    mend = "UPDATE zone_playback SET document = document || '{\"epoch\": 1}' WHERE zone_id = :zone"
    async with lab.world.ctx() as ctx:
        await ctx.db.execute(text(spoil), {"zone": broken})
    device = (await lab.register(tenant, "beside it", broken))["device"]
    await set_volume(tenant, zone, 33)
    await volume_is(lab, desired, 33, 10)
    assert b"relay.document_failed" in worker.log.read_bytes()

    async with lab.world.ctx() as ctx:  # what the rebuild cannot make it says by itself
        await ctx.db.execute(text("DELETE FROM outbox"))
    lab.broker.kill()
    lab.broker.store.unlink(missing_ok=True)
    lab.broker.start()
    await volume_is(lab, desired, 33, 30)
    copy = topics.build(topics.DEVICE_ZONE, client=str(tenant.id), device=device)

    async def marked() -> bool:
        async with lab.world.ctx() as ctx:
            return copy in set((await ctx.db.execute(text("SELECT topic FROM outbox"))).scalars())

    await eventually(marked, "it is tried again", 15)

    async with lab.world.ctx() as ctx:
        await ctx.db.execute(text(mend), {"zone": broken})
    await set_volume(tenant, broken, 44)
    for channel, ids in (
        (topics.ZONE_DESIRED, {"zone": broken}),
        (topics.DEVICE_ZONE, {"device": device}),
    ):
        await volume_is(lab, topics.build(channel, client=str(tenant.id), **ids), 44, 15)
    await lab.drained()
    assert len(worker.log.read_bytes().split(b"leader.began")) == 2, "nobody stepped down for it"


async def test_ghosts_are_cleared_when_the_broker_is_rebuilt(lab: Lab) -> None:
    tenant = await lab.world.tenant()
    zone = await add_zone(tenant)
    await set_volume(tenant, zone, 10)
    ghost = topics.build(
        topics.DEVICE_ZONE, client=str(tenant.id), device="11111111-1111-4111-8111-111111111111"
    )
    status = topics.build(
        topics.DEVICE_STATUS, client=str(tenant.id), device="11111111-1111-4111-8111-111111111111"
    )
    async with lab.platform_client() as client:
        await client.publish(ghost, b'{"old":1}', qos=1, retain=True)
        await client.publish(status, b"{}", qos=1, retain=True)
    lab.worker()
    await lab.ready()

    async def gone() -> bool:
        return ghost not in await lab.retained()

    await eventually(gone, "the ghost is cleared")
    assert status in await lab.retained(), "what devices say is theirs"


async def test_a_second_worker_takes_over_when_the_leader_is_killed(lab: Lab) -> None:
    tenant = await lab.world.tenant()
    zone = await add_zone(tenant)
    first = lab.worker()
    await lab.ready()
    second = lab.worker()
    topic = topics.build(topics.ZONE_DESIRED, client=str(tenant.id), zone=zone)
    await set_volume(tenant, zone, 10)
    await volume_is(lab, topic, 10, 10)
    assert b"leader.began" not in second.log.read_bytes()
    first.kill()
    await set_volume(tenant, zone, 20)
    await volume_is(lab, topic, 20, 20)
    assert b"leader.began" in second.log.read_bytes()
    assert second.running


async def test_a_leader_without_its_database_steps_down_and_leads_again(
    lab: Lab, postgres: PostgresServer
) -> None:
    import psycopg

    tenant = await lab.world.tenant()
    zone = await add_zone(tenant)
    worker = lab.worker()
    await lab.ready()
    with psycopg.connect(postgres.superuser_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'sync2gear listener' AND datname = %s",
            [lab.world.settings.database_url.get_secret_value().rsplit("/", 1)[1]],
        )

    async def stepped_down() -> bool:
        return b"leader.ended" in worker.log.read_bytes()

    await eventually(stepped_down, "the leader steps down", 10)
    await set_volume(tenant, zone, 55)
    topic = topics.build(topics.ZONE_DESIRED, client=str(tenant.id), zone=zone)
    await volume_is(lab, topic, 55, 15)


async def test_a_new_device_connects_and_a_revoked_one_is_thrown_off(lab: Lab) -> None:
    tenant = await lab.world.tenant()
    lab.worker()
    await lab.ready()
    made = await tenant.make("/devices/register/", name="one", hardware_id="hw-1")
    credential = made["credential"]

    async def admitted() -> bool:
        try:
            async with lab.device_client(credential):
                return True
        except aiomqtt.MqttError:
            return False

    began = time.monotonic()
    await eventually(admitted, "the broker lets the device in", 5)
    assert time.monotonic() - began < 5
    kept = await lab.register(tenant, "two", None)
    async with lab.device_client(kept) as other:
        with pytest.raises(aiomqtt.MqttError):
            await _revoked_while_connected(lab, tenant, credential)
        await other.publish(
            topics.build(topics.TIME_REQUEST, client=kept["client"], device=kept["device"]),
            b"{}",
            qos=1,
        )
    assert not await admitted()


async def _revoked_while_connected(lab: Lab, tenant: Tenant, credential: dict[str, str]) -> None:
    async with lab.device_client(credential) as client:
        answer = await tenant.http.delete(f"/api/v1/devices/{credential['device']}/")
        assert answer.status_code == 204
        async with asyncio.timeout(5):
            await anext(client.messages)


async def test_time_is_answered_to_whom_asked_at_once(lab: Lab) -> None:
    tenant = await lab.world.tenant()
    lab.worker()
    await lab.ready()
    credential = await lab.register(tenant, "one", None)
    ids = {"client": credential["client"], "device": credential["device"]}
    trips = []
    async with lab.device_client(credential) as client:
        await client.subscribe(topics.device_filter(**ids), qos=1)
        for n in range(30):
            asked = time.monotonic()
            body = json.dumps({"v": 1, "t1": n, "n": n}).encode()
            await client.publish(topics.build(topics.TIME_REQUEST, **ids), body)
            async with asyncio.timeout(5):
                async for message in client.messages:
                    if message.topic.value.endswith("/dn/time"):
                        break
            trips.append(time.monotonic() - asked)
            reply = json.loads(bytes(message.payload))
            assert (reply["t1"], reply["n"]) == (n, n)
            assert reply["t2"] <= reply["t3"]
            assert abs(reply["t2"] / 1e6 - time.time()) < 2
    assert sorted(trips)[len(trips) // 2] < 0.1
