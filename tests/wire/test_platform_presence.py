"""Silence and last wills: when a device counts as away, by a clock that the test turns."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from support.stack import eventually
from support.world import Tenant, World
from sync2gear_broker import topics
from sync2gear_platform.fleet.presence import PresenceIngest
from sync2gear_platform.kit.clock import Clock

BOOT, SESS = str(uuid4()), str(uuid4())


class Hands:
    """A clock whose hands the test moves."""

    def __init__(self) -> None:
        self.nanos = 1_800_000_000_000_000_000
        self.clock = Clock(lambda: self.nanos, lambda: self.nanos)

    def turn(self, seconds: float) -> None:
        self.nanos += int(seconds * 1e9)


class Desk:
    """A running presence ingest, and one device that speaks to it."""

    def __init__(self, world: World, tenant: Tenant, device: str) -> None:
        self.hands = Hands()
        self.ingest = PresenceIngest(world.db, self.hands.clock)
        self.tenant, self.device = tenant, device

    def say(self, channel: topics.Channel, *, retained: bool = False, **body: Any) -> None:
        address = topics.Address(channel, client=str(self.tenant.id), device=self.device)
        payload = json.dumps({"v": 1, **body}).encode()
        self.ingest.heard(address, payload, retained=retained)

    def status(self, state: str, *, retained: bool = False) -> None:
        self.say(topics.DEVICE_STATUS, retained=retained, state=state, boot=BOOT, sess=SESS)

    async def shows(self, *, online: bool) -> None:
        async def same() -> bool:
            device = await self.tenant.read(f"/devices/{self.device}/")
            return bool(device["is_online"] == online)

        await eventually(same, f"the device is {'on' if online else 'off'}line", 10)


@pytest.fixture
async def desk(world: World) -> AsyncIterator[Desk]:
    tenant = await world.tenant()
    made = await tenant.make("/devices/register/", name="one", hardware_id="hw")
    opened = Desk(world, tenant, made["device"]["id"])
    running = asyncio.create_task(opened.ingest.run())
    yield opened
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_a_silent_device_counts_as_away_after_two_missed_heartbeats(desk: Desk) -> None:
    desk.hands.turn(100)
    desk.say(topics.HEARTBEAT, boot=BOOT, uptime=1)
    await desk.shows(online=True)
    desk.hands.turn(60)
    await desk.ingest.sweep()
    await desk.shows(online=True)
    desk.hands.turn(20)
    await desk.ingest.sweep()
    await desk.shows(online=False)
    desk.status("online")
    await desk.shows(online=True)


async def test_just_after_connecting_nobody_is_found_silent(desk: Desk) -> None:
    desk.say(topics.HEARTBEAT, boot=BOOT, uptime=1)
    await desk.shows(online=True)
    desk.hands.turn(71)
    await desk.ingest.sweep()
    await desk.shows(online=True)
    desk.hands.turn(10)
    await desk.ingest.sweep()
    await desk.shows(online=False)


async def test_a_will_is_believed_once_the_connection_has_outlived_it(desk: Desk) -> None:
    desk.status("online")
    await desk.shows(online=True)
    desk.status("lost")
    desk.hands.turn(10)
    desk.say(topics.DEVICE_STATE, volume=10)
    await desk.shows(online=True)
    desk.hands.turn(100)
    desk.status("lost")
    desk.hands.turn(3)
    await desk.shows(online=False)


async def test_who_comes_back_at_once_was_never_away(desk: Desk) -> None:
    desk.hands.turn(100)
    desk.status("online")
    await desk.shows(online=True)
    desk.status("lost")
    desk.status("online")
    desk.hands.turn(5)
    desk.say(topics.DEVICE_STATE, volume=33)

    async def written() -> bool:
        device = await desk.tenant.read(f"/devices/{desk.device}/")
        return bool(device["last_seen"] and device["is_online"])

    await eventually(written, "the state is written", 10)
