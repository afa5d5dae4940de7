"""Proof of play and presence: what speakers say over the broker is in the database, once."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import aiomqtt
import psycopg
import pytest

from support.leader import Lab, open_lab
from support.music import add_zone, digest
from support.privacy import refuse, superuser_url
from support.services import PostgresServer
from support.stack import eventually
from support.world import Tenant
from sync2gear_broker import topics

BATCH = 20


@pytest.fixture
async def lab(postgres: PostgresServer) -> AsyncIterator[Lab]:
    async with open_lab(postgres) as opened:
        yield opened


def event(seq: int, zone: str, **more: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "seq": seq,
        "kind": "started",
        "zone": zone,
        "item": "b1",
        "media": digest("One"),
        "media_kind": "music",
        "at": 1000 + seq,
        "planned": 1000,
        **more,
    }


class Outbox:
    """A speaker's outbox: sends from the oldest event on, forgets only what is acknowledged."""

    def __init__(self, lab: Lab, credential: dict[str, str], zone: str, count: int) -> None:
        self.lab, self.credential = lab, credential
        self.ids = {"client": credential["client"], "device": credential["device"]}
        self.log = str(uuid4())
        self.events = [event(seq, zone) for seq in range(1, count + 1)]
        self.acked = 0

    async def drain(self) -> None:
        """Send until all is acknowledged, over as many connections as it takes."""
        while self.acked < len(self.events):
            with contextlib.suppress(aiomqtt.MqttError):
                async with self.lab.device_client(self.credential) as client:
                    await client.subscribe(topics.device_filter(**self.ids), qos=1)
                    while self.acked < len(self.events):
                        await self.send(client, self.events[self.acked : self.acked + BATCH])
                        await self.hear(client)

    async def send(self, client: aiomqtt.Client, events: list[dict[str, Any]]) -> None:
        body = json.dumps({"v": 1, "log": self.log, "events": events}).encode()
        await client.publish(topics.build(topics.PLAY_EVENTS, **self.ids), body, qos=1)

    async def hear(self, client: aiomqtt.Client, seconds: float = 1) -> int | None:
        """What is acknowledged, if anything is within ``seconds``."""
        try:
            async with asyncio.timeout(seconds):
                async for message in client.messages:
                    if message.topic.value.endswith("/dn/evack"):
                        ack = json.loads(bytes(message.payload))
                        assert ack["log"] == self.log
                        self.acked = max(self.acked, ack["n"])
                        return int(ack["n"])
        except TimeoutError:
            return None
        return None


async def stored(tenant: Tenant) -> list[dict[str, Any]]:
    """Every event of the client, through the API, page by page."""
    found: list[dict[str, Any]] = []
    path = "/api/v1/playback/events/?page_size=200"
    while path:
        page = (await tenant.http.get(path)).json()
        found += page["results"]
        path = page["next"] or ""
    return found


async def test_events_are_stored_once_and_acknowledged_after(lab: Lab) -> None:
    tenant = await lab.world.tenant()
    zone = await add_zone(tenant)
    lab.worker()
    await lab.ready()
    box = Outbox(lab, await lab.register(tenant, "one", zone), zone, 120)
    await box.drain()
    async with lab.device_client(box.credential) as client:
        await client.subscribe(topics.device_filter(**box.ids), qos=1)
        await box.send(client, box.events[40:60])
        assert await box.hear(client, 10) == 120, "what is known is acknowledged again"
    rows = await stored(tenant)
    assert len(rows) == 120
    assert {r["id"] for r in rows} == {e["id"] for e in box.events}
    assert {r["device_id"] for r in rows} == {box.credential["device"]}


async def test_what_can_never_be_stored_is_acknowledged_and_left_out(lab: Lab) -> None:
    tenant, stranger = await lab.world.tenant("Mine"), await lab.world.tenant("Theirs")
    zone, foreign = await add_zone(tenant), await add_zone(stranger)
    lab.worker()
    await lab.ready()
    box = Outbox(lab, await lab.register(tenant, "one", zone), zone, 6)
    box.events[1]["zone"] = foreign
    box.events[2]["kind"] = "exploded"
    box.events[3]["at"] = -5
    box.events[4]["reason"] = "a\0b"
    async with lab.device_client(box.credential) as client:
        await client.subscribe(topics.device_filter(**box.ids), qos=1)
        topic = topics.build(topics.PLAY_EVENTS, **box.ids)
        for junk in (b"", b"[]", b"{}", b"\xff\xfe", b"[" * 5000, b'{"log":1,"events":[]}'):
            await client.publish(topic, junk, qos=1)
        await client.publish(topic, b"x" * 20_000, qos=1)
        await box.send(client, box.events)
        assert await box.hear(client, 10) == 6
    assert sorted(r["at_frame"] for r in await stored(tenant)) == [1001, 1005, 1006]


async def test_a_gap_is_waited_for_and_given_up_when_the_speaker_insists(lab: Lab) -> None:
    tenant = await lab.world.tenant()
    zone = await add_zone(tenant)
    lab.worker()
    await lab.ready()
    box = Outbox(lab, await lab.register(tenant, "one", zone), zone, 20)
    async with lab.device_client(box.credential) as client:
        await client.subscribe(topics.device_filter(**box.ids), qos=1)
        acks = []
        for _ in range(4):
            await box.send(client, box.events[10:])
            acks.append(await box.hear(client, 10))
    assert acks == [0, 0, 20, 20], "a database that was restored does not stop the speaker"
    assert len(await stored(tenant)) == 10


async def test_no_event_is_lost_or_doubled_when_leaders_are_killed(lab: Lab) -> None:
    tenant = await lab.world.tenant()
    zone = await add_zone(tenant)
    lab.worker()
    await lab.ready()
    boxes = [Outbox(lab, await lab.register(tenant, f"d{n}", zone), zone, 600) for n in range(4)]
    draining = asyncio.gather(*(box.drain() for box in boxes))
    for want in (300, 900, 1500):

        async def some(want: int = want) -> bool:
            return sum(box.acked for box in boxes) >= want

        await eventually(some, f"{want} events are acknowledged", 60, every=0.005)
        lab.workers[-1].kill()
        lab.worker()
    async with asyncio.timeout(90):
        await draining
    rows = await stored(tenant)
    assert len(rows) == 4 * 600
    assert {r["id"] for r in rows} == {e["id"] for box in boxes for e in box.events}


async def test_nothing_is_acknowledged_while_the_database_refuses(lab: Lab) -> None:
    tenant = await lab.world.tenant()
    zone = await add_zone(tenant)
    lab.worker()
    await lab.ready()
    box = Outbox(lab, await lab.register(tenant, "one", zone), zone, 20)
    admin = lab.world.settings.database_admin_url or lab.world.settings.database_url
    async with lab.device_client(box.credential) as client:
        await client.subscribe(topics.device_filter(**box.ids), qos=1)
        with psycopg.connect(admin.get_secret_value()) as other:
            other.execute("LOCK TABLE play_events IN ACCESS EXCLUSIVE MODE")
            await box.send(client, box.events)
            assert await box.hear(client, 2) is None
            other.rollback()
        assert await box.hear(client, 20) == 20
    assert len(await stored(tenant)) == 20


async def test_a_batch_that_the_database_refuses_keeps_no_other_from_it(
    lab: Lab, postgres: PostgresServer
) -> None:
    tenant = await lab.world.tenant()
    zone = await add_zone(tenant)
    worker = lab.worker()
    await lab.ready()
    boxes = [Outbox(lab, await lab.register(tenant, f"box {n}", zone), zone, 9) for n in range(5)]
    refused, others = boxes[2], [*boxes[:2], *boxes[3:]]
    device = UUID(refused.credential["device"])
    refuse(lab.world, postgres, "INSERT", "play_events", "device_id", device)
    async with contextlib.AsyncExitStack() as stack:
        clients = {box.log: await enter(stack, lab, box) for box in boxes}
        with psycopg.connect(superuser_url(lab.world, postgres)) as holding:
            holding.execute("LOCK TABLE play_events IN ACCESS EXCLUSIVE MODE")
            for box in (others[0], *boxes):  # while the first is being written, the others wait
                await box.send(clients[box.log], box.events)
            holding.rollback()
        for box in others:
            assert await box.hear(clients[box.log], 20) == 9
        assert await refused.hear(clients[refused.log], 1) is None
        assert b"plays.refused" in worker.log.read_bytes()
        with psycopg.connect(superuser_url(lab.world, postgres), autocommit=True) as mending:
            mending.execute("DROP TRIGGER refuse ON play_events")
        await refused.send(clients[refused.log], refused.events)
        assert await refused.hear(clients[refused.log], 20) == 9
    assert len(await stored(tenant)) == 45


async def enter(stack: contextlib.AsyncExitStack, lab: Lab, box: Outbox) -> aiomqtt.Client:
    """A connection of this speaker, which hears what is said to it."""
    client = await stack.enter_async_context(lab.device_client(box.credential))
    await client.subscribe(topics.device_filter(**box.ids), qos=1)
    return client


async def test_one_client_can_not_speak_for_another(lab: Lab) -> None:
    tenant, stranger = await lab.world.tenant("Mine"), await lab.world.tenant("Theirs")
    zone, foreign = await add_zone(tenant), await add_zone(stranger)
    lab.worker()
    await lab.ready()
    mine = await lab.register(tenant, "one", zone)
    theirs = await lab.register(stranger, "two", foreign)
    async with lab.device_client(mine) as client:
        body = json.dumps({"v": 1, "log": str(uuid4()), "events": [event(1, foreign)]}).encode()
        for ids in (
            {"client": theirs["client"], "device": theirs["device"]},
            {"client": theirs["client"], "device": mine["device"]},
        ):
            await client.publish(topics.build(topics.PLAY_EVENTS, **ids), body, qos=1)
    async with lab.platform_client() as forger:  # beyond the ACL: the platform checks again
        forged = topics.build(topics.PLAY_EVENTS, client=theirs["client"], device=mine["device"])
        await forger.publish(forged, body, qos=1)
    box = Outbox(lab, theirs, foreign, 1)
    await box.drain()
    assert [r["id"] for r in await stored(stranger)] == [box.events[0]["id"]]
    assert await stored(tenant) == []


async def say(
    client: aiomqtt.Client, channel: topics.Channel, ids: dict[str, str], **body: Any
) -> None:
    await client.publish(
        topics.build(channel, **ids),
        json.dumps({"v": 1, **body}).encode(),
        qos=channel.qos,
        retain=channel.retained,
    )


async def test_presence_follows_the_session_that_is_current(lab: Lab) -> None:
    tenant = await lab.world.tenant()
    zone = await add_zone(tenant)
    lab.worker()
    await lab.ready()
    credential = await lab.register(tenant, "one", zone)
    ids = {"client": credential["client"], "device": credential["device"]}
    boot, old, new = str(uuid4()), str(uuid4()), str(uuid4())

    async def seen(**want: Any) -> None:
        async def same() -> bool:
            device = await tenant.read(f"/devices/{ids['device']}/")
            return all(device[name] == value for name, value in want.items())

        await eventually(same, f"the device is seen as {want}", 10)

    async with lab.device_client(credential) as client:
        await say(client, topics.DEVICE_STATUS, ids, state="online", boot=boot, sess=old)
        await seen(is_online=True)
        view = (await tenant.read("/playback/state/", zone_id=zone))["results"][0]
        assert view["speakers"] == {"online": 1, "total": 1}
        await say(client, topics.DEVICE_STATUS, ids, state="online", boot=boot, sess=new)
        await say(client, topics.DEVICE_STATUS, ids, state="bye", boot=boot, sess=old)
        machine = {"uptime": 5, "temperature": 61.5, "disk_free": 9, "underruns": 3, "level": -7.5}
        await say(client, topics.HEARTBEAT, ids, boot=boot, version="1.2.3", **machine)
        await say(
            client, topics.DEVICE_STATE, ids, applied=[1, 7], zone=zone, volume=50,
            clock="synced", cache_24h=80, cache_72h=70, faults=[{"code": "disk_full"}],
        )  # fmt: skip
        await seen(
            is_online=True, firmware_version="1.2.3", applied=[1, 7], clock="synced",
            cache_24h=80, cache_72h=70, faults=[{"code": "disk_full", "detail": ""}],
            health={
                "load": None, "cache_bytes": None, "clock_error": None, "sync_error": None,
                "wall_error": None, "ntp": None, "dead_letters": None, **machine,
            },
        )  # fmt: skip
        await client.publish(topics.build(topics.DEVICE_STATUS, **ids), b"{nonsense", qos=1)
        await say(client, topics.DEVICE_STATUS, ids, state="bye", boot=boot, sess=new)
        await seen(is_online=False)


async def test_a_broker_that_stops_does_not_make_everybody_lost(lab: Lab) -> None:
    tenant = await lab.world.tenant()
    lab.worker()
    await lab.ready()
    credential = await lab.register(tenant, "one", None)
    ids = {"client": credential["client"], "device": credential["device"]}
    status = {"boot": str(uuid4()), "sess": str(uuid4())}
    will = aiomqtt.Will(
        topics.build(topics.DEVICE_STATUS, **ids),
        json.dumps({"v": 1, "state": "lost", **status}).encode(),
        qos=1,
        retain=True,
    )

    async def online() -> bool:
        return bool((await tenant.read(f"/devices/{ids['device']}/"))["is_online"])

    with contextlib.suppress(aiomqtt.MqttError):
        async with lab.device_client(credential, will=will) as client:
            await say(client, topics.DEVICE_STATUS, ids, state="online", **status)
            await eventually(online, "the device is online", 10)
            lab.broker.stop()
            await anext(client.messages)
    lab.broker.start()
    await lab.drained()

    async def reconnected() -> bool:
        return lab.workers[0].log.read_bytes().count(b"broker.connected") == 2

    await eventually(reconnected, "the leader is back")
    deadline = time.monotonic() + 4
    while time.monotonic() < deadline:
        assert await online()
        await asyncio.sleep(0.2)
