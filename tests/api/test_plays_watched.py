"""Plays over WebSocket: the receipt tree at once, after each change and when it is over."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from websockets.asyncio.client import ClientConnection

from support.live import hear, say, serving, watching
from support.music import add_zone
from support.world import Tenant, World
from sync2gear_broker import topics
from sync2gear_broker.messages import DeviceState, Receipt
from sync2gear_broker.topics import Address
from sync2gear_platform.playback.receipts import Receipts


@pytest.fixture
async def url(world: World) -> AsyncIterator[str]:
    """Where the application serves WebSockets."""
    async with serving(world) as address:
        yield address


LONG = "Please come to the till. " * 20
"""Half a minute: on a busy machine it is not over before it is watched."""


async def speaker(tenant: Tenant, zone: str, name: str = "Left") -> str:
    body = {"name": name, "hardware_id": f"hw {name}", "zone_id": zone}
    return str((await tenant.make("/devices/register/", **body))["device"]["id"])


async def play(tenant: Tenant, *zones: str, text: str = LONG) -> str:
    made = await tenant.make("/announcements/say/", text=text, zone_ids=list(zones))
    return str(made["plays"][0]["play_id"])


async def receive(world: World, tenant: Tenant, device: str, *told: Receipt) -> None:
    receipts = Receipts(world.db)
    address = Address(topics.DEVICE_STATE, client=str(tenant.id), device=device)
    receipts.heard(address, DeviceState(receipts=told).canonical())
    await receipts.write(receipts.take())


async def heard_of(socket: ClientConnection, kind: str = "play") -> dict[str, Any]:
    """The next message about a play; zones change meanwhile."""
    while (message := await hear(socket))["type"] in {"zone", "snapshot", "changed"}:
        pass
    assert message["type"] == kind, message
    return message


async def quiet(socket: ClientConnection) -> None:
    """Nothing but zones has been told since."""
    await say(socket, type="ping", t=1)
    await heard_of(socket, "pong")


def states(message: dict[str, Any]) -> list[tuple[str, str]]:
    return [(s["state"], s["reason"]) for z in message["play"]["zones"] for s in z["speakers"]]


async def test_the_tree_comes_at_once_and_after_every_change_until_it_is_not_watched(
    world: World, url: str
) -> None:
    tenant = await world.tenant()
    bar = await add_zone(tenant, "Bar")
    device = await speaker(tenant, bar)
    play_id, other = await play(tenant, bar), await play(tenant, bar)
    async with watching(url, tenant) as socket, watching(url, tenant, bar) as second:
        for one in (socket, second):
            await say(one, type="watch", play_id=play_id)
            first = await heard_of(one)
            assert first["over"] is False
            assert first["play"] == await tenant.read(f"/plays/{play_id}/")
            assert states(first) == [("pending", "")]
        event = UUID(play_id).hex
        await receive(world, tenant, device, Receipt(event=event, received=1))
        assert states(await heard_of(socket)) == [("received", "")]
        assert states(await heard_of(second)) == [("received", "")]
        await say(second, type="unwatch", play_id=play_id)
        assert (await heard_of(second, "unwatched"))["code"] == ""
        # of another play nobody asked
        await receive(world, tenant, device, Receipt(event=UUID(other).hex, received=1))
        await receive(world, tenant, device, Receipt(event=event, received=1, cached=2))
        assert states(await heard_of(socket)) == [("cached", "")]
        body = {"zone_id": bar, "event_id": event}
        assert (await tenant.http.post("/api/v1/playback/cancel/", json=body)).is_success
        assert states(await heard_of(socket)) == [("missed", "cancelled")]
        await quiet(second)


async def test_changes_at_once_are_told_as_one(world: World, url: str) -> None:
    tenant = await world.tenant()
    bar = await add_zone(tenant, "Bar")
    devices = [await speaker(tenant, bar, f"Speaker {n}") for n in range(12)]
    play_id = await play(tenant, bar)
    async with watching(url, tenant) as socket:
        await say(socket, type="watch", play_id=play_id)
        await heard_of(socket)
        for device in devices:
            await receive(world, tenant, device, Receipt(event=UUID(play_id).hex, received=1))
        told = [await heard_of(socket)]
        while told[-1]["play"]["counts"] != {"received": 12}:
            told.append(await heard_of(socket))
        assert len(told) < 12


async def test_it_is_told_once_more_when_it_is_over_and_then_not_watched(
    world: World, url: str
) -> None:
    tenant = await world.tenant()
    bar = await add_zone(tenant, "Bar")
    device = await speaker(tenant, bar)
    play_id = await play(tenant, bar, text="Now.")
    async with watching(url, tenant) as socket:
        await say(socket, type="watch", play_id=play_id)
        assert states(await heard_of(socket)) == [("pending", "")]
        last = await heard_of(socket)
        assert last["over"] is True
        assert states(last) == [("missed", "offline")]
        await receive(world, tenant, device, Receipt(event=UUID(play_id).hex, received=1))
        await quiet(socket)
        await say(socket, type="watch", play_id=play_id)
        assert (await heard_of(socket))["over"] is True


async def test_foreign_and_unknown_plays_are_refused_alike(world: World, url: str) -> None:
    tenant, stranger = await world.tenant("Mine"), await world.tenant("Theirs")
    foreign = await play(stranger, await add_zone(stranger, "F"))
    device = await speaker(stranger, (await stranger.read("/zones/"))["results"][0]["id"])
    async with watching(url, tenant) as socket:
        answers = []
        for play_id in (foreign, str(uuid4())):
            await say(socket, type="watch", play_id=play_id)
            answer = await heard_of(socket, "unwatched")
            assert answer.pop("play_id") == play_id
            answers.append(answer)
        assert answers[0] == answers[1]
        assert answers[0]["code"] == "not_found"
        await receive(world, stranger, device, Receipt(event=UUID(foreign).hex, received=1))
        await quiet(socket)


async def test_floor_staff_watch_their_own_zones_only(world: World, url: str) -> None:
    tenant = await world.tenant()
    mine, theirs = await add_zone(tenant, "Mine"), await add_zone(tenant, "Theirs")
    floor = Tenant(tenant.id, "", await world.colleague(tenant, "floor", ("zone", UUID(mine))))
    both, beyond = await play(tenant, mine, theirs), await play(tenant, theirs)
    async with watching(url, floor) as socket, watching(url, tenant) as whole:
        for one in (socket, whole):
            await say(one, type="watch", play_id=both)
        assert [z["name"] for z in (await heard_of(socket))["play"]["zones"]] == ["Mine"]
        assert len((await heard_of(whole))["play"]["zones"]) == 2
        await say(socket, type="watch", play_id=beyond)
        assert (await heard_of(socket, "unwatched"))["code"] == "not_found"


async def test_a_connection_watches_so_many_at_a_time(world: World, url: str) -> None:
    tenant = await world.tenant()
    zones = [await add_zone(tenant, f"Zone {n}") for n in range(17)]
    ids = [await play(tenant, zone) for zone in zones]
    async with watching(url, tenant) as socket:
        for play_id in ids[:16]:
            await say(socket, type="watch", play_id=play_id)
            assert (await heard_of(socket))["play"]["id"] == play_id
    async with watching(url, tenant) as socket:
        assert (await hear(socket))["type"] == "snapshot"
        for play_id in ids:
            await say(socket, type="watch", play_id=play_id)
        found = [await hear(socket) for _ in range(17)]
        refused = [one for one in found if one["type"] == "unwatched"]
        assert [(one["play_id"], one["code"]) for one in refused] == [(ids[16], "too_many_watches")]
        await say(socket, type="unwatch", play_id=ids[0])
        await heard_of(socket, "unwatched")
        await say(socket, type="watch", play_id=ids[16])
        assert (await heard_of(socket))["play"]["id"] == ids[16]


async def test_a_watch_without_a_play_is_no_message(world: World, url: str) -> None:
    async with watching(url, await world.tenant()) as socket:
        assert (await hear(socket))["type"] == "snapshot"
        await say(socket, type="watch")
        assert (await hear(socket))["code"] == "bad_message"
