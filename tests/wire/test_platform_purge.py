"""Of a client that was deleted for good nothing is left on the broker, nor anybody."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Literal
from uuid import uuid4

import aiomqtt
import pytest

from support.leader import Lab, open_lab
from support.music import add_zone
from support.privacy import ask, let_time_pass, purge
from support.services import PostgresServer
from support.stack import eventually
from support.world import Tenant
from sync2gear_broker import topics
from sync2gear_broker.messages import DeviceState, DeviceStatus


@pytest.fixture
async def lab(postgres: PostgresServer) -> AsyncIterator[Lab]:
    async with open_lab(postgres) as opened:
        opened.worker()
        await opened.ready()
        yield opened


def status(state: Literal["online", "lost"], sess: str) -> bytes:
    return DeviceStatus(state=state, boot=sess, sess=sess).canonical()


async def speaks(lab: Lab, stack: AsyncExitStack, credential: dict[str, str]) -> aiomqtt.Client:
    """A speaker on the broker that has told its status and state."""
    ids = {"client": credential["client"], "device": credential["device"]}
    client = await stack.enter_async_context(lab.device_client(credential))
    said = topics.build(topics.DEVICE_STATUS, **ids)
    await client.publish(said, status("online", str(uuid4())), qos=1, retain=True)
    state = DeviceState(volume=50).canonical()
    await client.publish(topics.build(topics.DEVICE_STATE, **ids), state, qos=1, retain=True)
    return client


async def cut_after(client: aiomqtt.Client, began: float) -> float:
    """Seconds from ``began`` until the connection is cut."""
    try:
        async with asyncio.timeout(15):
            async for _ in client.messages:
                """What is retained."""
    except aiomqtt.MqttError:
        pass
    return time.monotonic() - began


async def kept(lab: Lab, tenant: Tenant) -> list[str]:
    """What the broker retains of a client."""
    return sorted(t for t in await lab.retained() if str(tenant.id) in t)


def nothing_kept(lab: Lab, tenant: Tenant) -> Callable[[], Awaitable[bool]]:
    async def asked() -> bool:
        return await kept(lab, tenant) == []

    return asked


async def test_nothing_retained_is_left_and_nobody_connected(lab: Lab) -> None:
    gone, stays = await lab.world.tenant("Gone"), await lab.world.tenant("Stays")
    zones = {tenant.id: await add_zone(tenant) for tenant in (gone, stays)}
    empty = await add_zone(gone, "Empty")
    quiet = {"zone_id": empty, "volume": 7}
    assert (await gone.http.post("/api/v1/playback/volume/", json=quiet)).is_success
    speakers = [await lab.register(gone, f"gone-{n}", zones[gone.id]) for n in range(2)]
    neighbour = await lab.register(stays, "stays", zones[stays.id])
    account = await gone.make("/integrations/mqtt/", name="Till")
    async with AsyncExitStack() as stack:
        clients = [await speaks(lab, stack, one) for one in speakers]
        await speaks(lab, stack, neighbour)
        await lab.drained()
        before, others = await kept(lab, gone), await kept(lab, stays)
        # an empty zone; of each speaker its zone, its configuration, what to fetch, status, state
        assert sum(empty in topic for topic in before) == 1
        for speaker in speakers:
            assert sum(speaker["device"] in topic for topic in before) == 5, before
        await ask(gone.http, "/client/deletion/")
        await let_time_pass(lab.world)
        began = time.monotonic()
        took = [asyncio.create_task(cut_after(client, began)) for client in clients]
        assert await purge(lab.world) == 1
        assert max(await asyncio.gather(*took)) <= 5
        for credential in speakers:
            with pytest.raises(aiomqtt.MqttError):
                await stack.enter_async_context(lab.device_client(credential))
        await eventually(nothing_kept(lab, gone), "nothing is retained of the client", 20)
        await lab.drained()
        assert await kept(lab, gone) == []
        assert await kept(lab, stays) == others
    files = lab.broker.password_file
    for file in (files, files.with_name("acl")):
        said = file.read_text(encoding="utf-8")
        assert str(gone.id) not in said
        assert account["account"]["id"] not in said


@pytest.mark.parametrize("away", [False, True])
async def test_what_a_speaker_that_is_gone_leaves_behind_is_cleared(lab: Lab, away: bool) -> None:
    """A last will comes up to 15 s after the line broke: the device may be deleted meanwhile.

    Also what it left while no worker listened.
    """
    tenant = await lab.world.tenant()
    stays = await lab.register(tenant, "stays", None)
    never = {"client": str(tenant.id), "device": str(uuid4())}
    said = topics.build(topics.DEVICE_STATUS, **never)
    own = topics.build(topics.DEVICE_STATUS, client=stays["client"], device=stays["device"])
    if away:
        lab.workers[-1].stop()
    async with lab.platform_client() as client:
        for topic in (said, own):
            await client.publish(topic, status("lost", str(uuid4())), qos=1, retain=True)
    if away:
        lab.worker()
        await lab.ready()

    async def cleared() -> bool:
        return said not in await lab.retained()

    await eventually(cleared, "what nobody says any more is cleared", 20)
    assert own in await lab.retained()
