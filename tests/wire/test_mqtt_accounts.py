"""Accounts on the broker follow the database: integrations, suspended clients, and who is thrown
off how soon."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import aiomqtt
import pytest
from sqlalchemy import update
from sqlmodel import col

from support.leader import Lab, open_lab
from support.music import add_zone
from support.services import PostgresServer
from support.stack import eventually
from support.world import Tenant
from sync2gear_broker import topics
from sync2gear_platform.identity.tables import Client

REPEATS = 8
"""How often the time until somebody is off the broker is measured; the worst counts."""


@pytest.fixture
async def lab(postgres: PostgresServer) -> AsyncIterator[Lab]:
    async with open_lab(postgres) as opened:
        opened.worker()
        await opened.ready()
        yield opened


def integration(lab: Lab, credential: dict[str, str], **more: Any) -> aiomqtt.Client:
    """A connection to the broker with an integration account."""
    at = urlsplit(lab.broker.device_url)
    return aiomqtt.Client(
        at.hostname or "",
        at.port or 0,
        username=credential["username"],
        password=credential["secret"],
        protocol=aiomqtt.ProtocolVersion.V5,
        **{"identifier": "whatever", **more},
    )


async def enters(client: aiomqtt.Client) -> bool:
    """Whether the broker lets this connection in."""
    try:
        async with client:
            return True
    except aiomqtt.MqttError:
        return False


async def make(lab: Lab, tenant: Tenant, **more: Any) -> dict[str, Any]:
    """A new integration account that the broker knows."""
    made = await tenant.make("/integrations/mqtt/", name="Till", **more)

    async def admitted() -> bool:
        return await enters(integration(lab, made["credential"]))

    await eventually(admitted, "the broker lets the integration in", 10)
    return made


async def set_volume(tenant: Tenant, zone: str, volume: int) -> None:
    body = {"zone_id": zone, "volume": volume}
    answer = await tenant.http.post("/api/v1/playback/volume/", json=body)
    assert answer.status_code == 200, answer.text


async def hear(client: aiomqtt.Client, seconds: float) -> aiomqtt.Message | None:
    try:
        async with asyncio.timeout(seconds):
            return await anext(client.messages)
    except TimeoutError:
        return None


async def test_an_integration_hears_its_clients_zones_and_nothing_else(lab: Lab) -> None:
    mine, theirs = await lab.world.tenant("Mine"), await lab.world.tenant("Theirs")
    own, foreign = await add_zone(mine), await add_zone(theirs)
    credential = (await make(lab, mine))["credential"]
    speaker = await lab.register(mine, "one", own)
    await set_volume(theirs, foreign, 11)
    await lab.drained()
    async with integration(lab, credential) as client:
        for everything in ("#", "s2g/1/+/_z/+/desired", "s2g/1/#", credential["topic_filter"]):
            await client.subscribe(everything, qos=1)
        await set_volume(theirs, foreign, 22)
        await set_volume(mine, own, 33)
        heard = await hear(client, 10)
        assert heard is not None
        assert heard.topic.value == topics.build(topics.ZONE_DESIRED, client=str(mine.id), zone=own)
        assert json.loads(bytes(heard.payload))["volume"] == 33  # type: ignore[arg-type]  # bytes
        await client.publish(heard.topic.value, b'{"volume":1}', qos=1, retain=True)
        await client.publish(
            topics.build(topics.DEVICE_ZONE, client=speaker["client"], device=speaker["device"]),
            b"{}",
            qos=1,
        )
        while (heard := await hear(client, 1)) is not None:
            assert heard.topic.value.startswith(f"s2g/1/{mine.id}/_z/")
            assert json.loads(bytes(heard.payload))["volume"] == 33  # type: ignore[arg-type]  # bytes


async def test_accounts_of_both_kinds_outlive_each_others_changes(lab: Lab) -> None:
    """Writing the access file again takes nothing from those who are connected."""
    tenant = await lab.world.tenant()
    zone = await add_zone(tenant)
    first = (await make(lab, tenant))["credential"]
    async with integration(lab, first) as client:
        await client.subscribe(first["topic_filter"], qos=1)
        second = await make(lab, tenant)
        speaker = await lab.register(tenant, "one", zone)
        await tenant.http.delete(f"/api/v1/integrations/mqtt/{second['account']['id']}/")
        async with lab.device_client(speaker) as device:
            await device.subscribe(
                topics.device_filter(speaker["client"], speaker["device"]), qos=1
            )
            await set_volume(tenant, zone, 44)
            for ears in (client, device):
                heard = await hear(ears, 10)
                while heard is not None and json.loads(bytes(heard.payload)).get("volume") != 44:  # type: ignore[arg-type]  # bytes
                    heard = await hear(ears, 10)
                assert heard is not None


async def cut(client: aiomqtt.Client) -> None:
    """Listen until the connection is cut; TimeoutError if it is not."""
    async with asyncio.timeout(15):
        try:
            async for _ in client.messages:
                """What is retained."""
        except aiomqtt.MqttError:
            return


async def thrown_off(tenant: Tenant, client: aiomqtt.Client, path: str) -> float:
    """Seconds from asking for the revocation until the connection is cut."""
    async with client:
        began = time.monotonic()
        assert (await tenant.http.delete(f"/api/v1{path}")).status_code == 204
        await cut(client)
        return time.monotonic() - began


@pytest.mark.parametrize("repeats", [2, pytest.param(25, marks=pytest.mark.soak)])
@pytest.mark.timeout(600)
async def test_whoever_is_revoked_is_off_the_broker_within_five_seconds(
    lab: Lab, repeats: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also when many are revoked in a row: the broker is told at most every two seconds."""
    tenant = await lab.world.tenant()
    took: dict[str, list[float]] = {"device": [], "integration": []}
    for n in range(repeats):
        speaker = await lab.register(tenant, f"d{n}", None)
        made = await make(lab, tenant)
        device = partial(lab.device_client, speaker)
        account = partial(integration, lab, made["credential"])
        took["device"].append(await thrown_off(tenant, device(), f"/devices/{speaker['device']}/"))
        took["integration"].append(
            await thrown_off(tenant, account(), f"/integrations/mqtt/{made['account']['id']}/")
        )
        assert not await enters(device())
        assert not await enters(account())
    with capsys.disabled():
        for kind, seconds in took.items():
            sys.stdout.write(f"\n{kind} off the broker: worst of {repeats}: {max(seconds):.2f} s")
    assert max(took["device"] + took["integration"]) <= 5


async def test_an_account_that_expires_is_off_the_broker_at_its_hour(lab: Lab) -> None:
    tenant = await lab.world.tenant()
    until = lab.world.clock.now() + timedelta(seconds=6)
    made = await make(lab, tenant, expires_at=until.isoformat())
    async with integration(lab, made["credential"]) as client:
        await cut(client)
    late = (lab.world.clock.now() - until).total_seconds()
    assert 0 <= late <= 5
    assert not await enters(integration(lab, made["credential"]))


@pytest.mark.parametrize("status", ["suspended", "cancelled"])
async def test_music_goes_on_for_a_client_that_does_not_pay(lab: Lab, status: str) -> None:
    """Its speakers and integrations stay on the broker; those of a deleted client go."""
    tenant, other = await lab.world.tenant("Mine"), await lab.world.tenant("Other")
    zone = await add_zone(tenant)
    speaker = await lab.register(tenant, "one", zone)
    credential = (await make(lab, tenant))["credential"]
    async with lab.device_client(speaker) as client:
        await client.subscribe(topics.device_filter(speaker["client"], speaker["device"]), qos=1)
        async with lab.world.ctx() as ctx:
            await ctx.db.execute(
                update(Client).where(col(Client.id) == tenant.id).values(status=status)
            )
        await lab.register(other, "writes the accounts anew", None)
        await client.publish(
            topics.build(topics.TIME_REQUEST, client=speaker["client"], device=speaker["device"]),
            b'{"v":1,"t1":7}',
        )
        heard = await hear(client, 10)
        while heard is not None and not heard.topic.value.endswith("/dn/time"):
            heard = await hear(client, 10)
        assert heard is not None, "it is still there, and answered"
    assert await enters(lab.device_client(speaker))
    assert await enters(integration(lab, credential))
    async with lab.world.ctx() as ctx:
        row = await ctx.db.get_one(Client, tenant.id)
        row.deleted_at = ctx.now
    await lab.register(other, "writes the accounts once more", None)
    assert not await enters(lab.device_client(speaker))
    assert not await enters(integration(lab, credential))
    assert await enters(integration(lab, (await make(lab, other))["credential"]))
