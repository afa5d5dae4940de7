"""What a device may say that is nonsense, or poison: nobody else notices, and it does not stay."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import aiomqtt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.leader import Lab, open_lab
from support.music import add_zone, digest
from support.services import PostgresServer
from support.stack import eventually
from support.world import World
from sync2gear_broker import access, topics
from sync2gear_broker.asyncapi.examples import example
from sync2gear_platform.fleet.presence import PresenceIngest
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.playback.ingest import Ingest

SAID = tuple(c for c in topics.CHANNELS if c.sender == "device")
SAMPLE, ALL = 20, 3000
BATCH = 17
"""Payloads written together: all are 51,000 payloads for each topic."""

_STRANGE = st.one_of(
    st.sampled_from(
        (
            None, True, 0, -1, 2**53, 2**63, 10**400, 0.5, -0.0, float("nan"), float("inf"),
            float("-inf"), "", "\0", "a\0b", "\ud800", "\udfff\ud800", "\ufffe", "x" * 3000, "NaN",
            [], {}, [[]], {"": None}, {"\0": "\0"}, "' OR 1=1", "{}", str(UUID(int=0)),
        )
    ),
    st.text(max_size=5),
    st.integers(1, 400).map(lambda depth: json.loads("[" * depth + "]" * depth)),
)  # fmt: skip


def _replaced(draw: st.DrawFn, value: Any) -> Any:
    """``value`` with something strange somewhere inside."""
    if isinstance(value, dict) and value and draw(st.integers(0, 3)):
        name = draw(st.sampled_from(sorted(value)))
        return {**value, name: _replaced(draw, value[name])}
    if isinstance(value, list) and value and draw(st.integers(0, 3)):
        at = draw(st.integers(0, len(value) - 1))
        return [*value[:at], _replaced(draw, value[at]), *value[at + 1 :]]
    return draw(_STRANGE)


@st.composite
def hostile(draw: st.DrawFn, channel: topics.Channel) -> bytes:
    """A payload for ``channel``: often nearly right, sometimes only bytes."""
    kind = draw(st.sampled_from(("near", "near", "near", "near", "cut", "utf-16", "bytes", "deep")))
    if kind == "bytes":
        return draw(st.binary(max_size=200))
    if kind == "deep":
        return draw(st.sampled_from((b"[", b'{"a":'))) * draw(st.integers(1, 8000))
    document = _replaced(draw, json.loads(example(channel.body).canonical()))
    body = json.dumps(document, ensure_ascii=draw(st.booleans()))
    if kind == "utf-16":
        return body.encode("utf-16", "surrogatepass")
    raw = body.encode("utf-8", "surrogatepass")
    return raw[: draw(st.integers(0, len(raw)))] if kind == "cut" else raw


BOOT = str(UUID(int=1))
SURE = (
    f'{{"v":1,"boot":"{BOOT}","uptime":1,"temperature":NaN}}',
    f'{{"v":1,"boot":"{BOOT}","uptime":1,"level":1e999}}',
    f'{{"v":1,"boot":"{BOOT}","uptime":1,"version":"1\\u0000"}}',
    '{"v":1,"faults":[{"code":"a\\u0000b","detail":"\\u0000"}]}',
    '{"v":1,"faults":[{"code":"\\ud800"}]}',
    f'{{"v":1,"applied":[1,{"9" * 3000}]}}',
)
"""Each of these once kept, or could have kept, a whole write from happening."""


def generated(channel: topics.Channel, examples: int = SAMPLE) -> list[list[bytes]]:
    """Batches of payloads."""
    batches = [[body.encode() for body in SURE]]

    @settings(database=None, max_examples=examples)
    @given(st.lists(hostile(channel), min_size=BATCH, max_size=BATCH))
    def more(batch: list[bytes]) -> None:
        batches.append(batch)

    more()
    return batches


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("examples", [SAMPLE, pytest.param(ALL, marks=pytest.mark.soak)])
@pytest.mark.parametrize(
    "channel", [c for c in SAID if c is not topics.TIME_REQUEST], ids=lambda c: c.name
)
async def test_no_payload_of_one_device_keeps_another_from_being_heard(
    world: World, channel: topics.Channel, examples: int
) -> None:
    """Every handler takes whatever comes, and what it makes of it can be stored."""
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    devices = [
        (await tenant.make("/devices/register/", name="d", hardware_id=f"{n}"))["device"]["id"]
        for n in range(BATCH + 1)
    ]
    presence, plays = PresenceIngest(world.db, Clock()), Ingest(world.db, Clock())

    def hear(device: str, payload: bytes) -> None:
        address = topics.Address(channel, client=str(tenant.id), device=device)
        if channel is topics.PLAY_EVENTS:
            plays.heard(address, payload)
        else:
            presence.heard(address, payload, retained=False)

    good = devices[-1]
    alive = topics.Address(topics.HEARTBEAT, client=str(tenant.id), device=good)
    log, last = str(uuid4()), 0
    for number, batch in enumerate(generated(channel, examples), 1):
        for device, payload in zip(devices, batch, strict=False):
            hear(device, payload)
        beat = {"v": 1, "boot": str(UUID(int=2)), "uptime": number, "version": f"v{number}"}
        presence.heard(alive, json.dumps(beat).encode(), retained=False)
        waiting, presence._waiting = presence._waiting, {}
        await presence._write(waiting)
        if channel is topics.PLAY_EVENTS:
            body = {"v": 1, "log": log, "events": [event(number, zone)]}
            hear(good, json.dumps(body).encode())
            batches, plays._waiting = list(plays._waiting), type(plays._waiting)()
            acks = await plays.write(batches)
            last = acks[topics.build(topics.EVENTS_ACK, client=str(tenant.id), device=good)].n
            assert last == number
    assert (await tenant.read(f"/devices/{good}/"))["firmware_version"] == f"v{number}"
    listed = await tenant.read("/devices/")
    assert len(listed["results"]) == len(devices), "and what is stored can be shown"


def event(seq: int, zone: str, **more: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()), "seq": seq, "kind": "started", "zone": zone, "item": "b1",
        "media": digest("One"), "media_kind": "music", "at": 1000 + seq, "planned": 1000, **more,
    }  # fmt: skip


@pytest.fixture
async def lab(postgres: PostgresServer) -> AsyncIterator[Lab]:
    async with open_lab(postgres) as opened:
        opened.worker()
        await opened.ready()
        yield opened


async def acknowledged(client: aiomqtt.Client, seconds: float = 10) -> int | None:
    """The number in the next acknowledgement."""
    try:
        async with asyncio.timeout(seconds):
            async for message in client.messages:
                if message.topic.value.endswith("/dn/evack"):
                    return int(json.loads(bytes(message.payload))["n"])  # type: ignore[arg-type]  # bytes
    except TimeoutError:
        return None
    return None


async def test_a_batch_with_a_broken_text_is_acknowledged_without_that_event(lab: Lab) -> None:
    """One event that cannot be kept must not come again for ever, with all behind it."""
    tenant = await lab.world.tenant()
    zone = await add_zone(tenant)
    credential = await lab.register(tenant, "one", zone)
    ids = {"client": credential["client"], "device": credential["device"]}
    log = str(uuid4())
    good = [json.dumps(event(n, zone)) for n in range(1, 7)]
    good[1] = json.dumps(event(2, zone, reason="\ud800"))
    good[2] = json.dumps(event(3, zone, reason="X")).replace("X", "\udfff")
    good[4] = "null"

    async with lab.device_client(credential) as client:
        await client.subscribe(topics.device_filter(**ids), qos=1)
        topic = topics.build(topics.PLAY_EVENTS, **ids)

        async def send(events: list[str]) -> int | None:
            body = f'{{"v":1,"log":"{log}","events":[{",".join(events)}]}}'
            await client.publish(topic, body.encode("utf-8", "surrogatepass"), qos=1)
            return await acknowledged(client)

        assert await send(good) == 4
        # The fifth has no number: it counts as lost once the speaker insists.
        assert [await send(good[4:]) for _ in range(3)] == [4, 4, 6]
    answer = await tenant.read("/playback/events/")
    assert sorted(e["at_frame"] for e in answer["results"]) == [1001, 1004, 1006]


async def test_a_device_retains_its_status_and_state_and_nothing_else(lab: Lab) -> None:
    """What it retains elsewhere is not listened to, and soon gone from the broker."""
    tenant = await lab.world.tenant()
    zone = await add_zone(tenant)
    credential = await lab.register(tenant, "one", zone)
    ids = {"client": credential["client"], "device": credential["device"]}
    batch = {"v": 1, "log": str(uuid4()), "events": [event(1, zone)]}
    async with lab.device_client(credential) as client:
        await client.subscribe(topics.device_filter(**ids), qos=1)
        for channel in SAID:
            body = example(channel.body).canonical()
            if channel is topics.PLAY_EVENTS:
                body = json.dumps(batch).encode()
            await client.publish(topics.build(channel, **ids), body, qos=1, retain=True)
        for wrong in ("up/more", "up/status/x", "dn/zone", "x"):
            await client.publish(f"s2g/1/{topics.username(**ids)}/{wrong}", b"x", 1, retain=True)
        assert await acknowledged(client, 2) is None, "a retained batch is not listened to"
        await client.publish(
            topics.build(topics.PLAY_EVENTS, **ids), json.dumps(batch).encode(), qos=1
        )
        assert await acknowledged(client) == 1

    async def clean() -> bool:
        mine = {t for t in await lab.retained() if credential["device"] in t and "/dn/" not in t}
        return mine == {topics.build(c, **ids) for c in (topics.DEVICE_STATUS, topics.DEVICE_STATE)}

    await eventually(clean, "only status and state are retained", 10)


async def test_poison_that_lay_there_before_is_cleared_too(lab: Lab) -> None:
    tenant = await lab.world.tenant()
    credential = await lab.register(tenant, "one", None)
    ids = {"client": credential["client"], "device": credential["device"]}
    topic = topics.build(topics.REPLY, **ids)
    lab.workers[0].stop()
    async with lab.device_client(credential) as client:
        await client.publish(topic, b"{}", qos=1, retain=True)
    assert topic in await lab.retained()
    lab.worker()

    async def gone() -> bool:
        return topic not in await lab.retained()

    await eventually(gone, "the poison is gone", 20)


async def test_the_worker_outlives_whatever_a_device_says(lab: Lab) -> None:
    tenant = await lab.world.tenant()
    bad, good = await lab.register(tenant, "bad", None), await lab.register(tenant, "good", None)
    ids = {"client": bad["client"], "device": bad["device"]}
    payloads: dict[str, list[bytes]] = {}
    for channel in SAID:
        found = [body for batch in generated(channel) for body in batch]
        payloads[topics.build(channel, **ids)] = found
    async with lab.device_client(bad, max_inflight_messages=100) as client:
        for topic, bodies in payloads.items():
            for body in bodies:
                await client.publish(topic, body, qos=0)
            await client.publish(topic, b"[" * 60_000, qos=1)
    mine = {"client": good["client"], "device": good["device"]}
    async with lab.device_client(good) as client:
        await client.subscribe(topics.device_filter(**mine), qos=1)
        await client.publish(topics.build(topics.TIME_REQUEST, **mine), b'{"v":1,"t1":5}', qos=0)
        async with asyncio.timeout(10):
            async for message in client.messages:
                if message.topic.value.endswith("/dn/time"):
                    break
    log = lab.workers[0].log.read_text(errors="replace")
    assert lab.workers[0].running
    assert "handler_failed" not in log
    assert "Traceback" not in log
    assert log.count("broker.connected") == 1


async def test_the_relay_notices_a_broker_that_refuses_what_it_says(lab: Lab) -> None:
    """A wrong access file is an error in the log and a topic that waits, not silence."""
    tenant = await lab.world.tenant()
    zone = await add_zone(tenant)
    rules = lab.broker.password_file.with_name("acl")
    right = rules.read_text()
    mine = f"user {access.PLATFORM_USER}\ntopic readwrite s2g/1/#"
    assert mine in right

    def install(text: str) -> None:
        rules.write_text(text)
        os.kill(lab.broker.pid, signal.SIGHUP)

    install(right.replace(mine, mine.replace("readwrite", "read")))
    body = {"zone_id": zone, "volume": 44}
    assert (await tenant.http.post("/api/v1/playback/volume/", json=body)).is_success

    async def said() -> bool:
        return b"the broker refuses s2g/1/" in lab.workers[0].log.read_bytes()

    await eventually(said, "the worker says so", 15)
    install(right)
    await lab.drained()
    found = await lab.document(topics.ZONE_DESIRED, client=str(tenant.id), zone=zone)
    assert found["volume"] == 44
