"""Commands and events over the live view's socket, as documents 000 and 001 promise them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from websockets.asyncio.client import ClientConnection, connect

from support.live import closed, hear, say, serving, watching
from support.music import add_folder, add_zone
from support.planning import add_schedule, compiled
from support.world import PASSWORD, Tenant, World
from sync2gear_platform.identity import service as identity
from sync2gear_platform.identity.cookies import COOKIE
from sync2gear_platform.playback.socket import MAX_PER_SECOND


@pytest.fixture
async def url(world: World) -> AsyncIterator[str]:
    """Where the application serves WebSockets."""
    async with serving(world) as address:
        yield address


async def until(socket: ClientConnection, *kinds: str) -> dict[str, Any]:
    """The next message of one of these types."""
    while True:
        message = await hear(socket)
        if message["type"] in kinds:
            return message


async def order(socket: ClientConnection, command: str, **body: Any) -> dict[str, Any]:
    """A command and its answer."""
    id_ = uuid4().hex
    await asyncio.sleep(1 / MAX_PER_SECOND)
    await say(socket, type="command", id=id_, command=command, body=body)
    answer = await until(socket, "done", "refused")
    assert answer["id"] == id_
    return answer


async def done(socket: ClientConnection, command: str, **body: Any) -> dict[str, Any]:
    """The only zone of a command that is done, once what was ordered before has begun."""
    answer = await order(socket, command, **body)
    async with asyncio.timeout(30):
        while answer.get("code") == "about_to_begin":
            await asyncio.sleep(0.1)
            answer = await order(socket, command, **body)
    assert answer["type"] == "done", answer
    (zone,) = answer["zones"]
    return dict(zone)


async def test_every_command_works_over_the_socket(world: World, url: str) -> None:
    tenant = await world.tenant()
    zone, other = await add_zone(tenant, "Bar"), await add_zone(tenant, "Hall")
    folder = str(await add_folder(world, tenant, ("One", "Two", "Three")))
    async with watching(url, tenant, zone) as socket:
        assert (await hear(socket))["type"] == "snapshot"
        played = await done(socket, "play", folder_id=folder)
        assert (played["status"], played["folder_id"]) == ("playing", folder)
        assert (await done(socket, "pause"))["status"] == "paused"
        assert (await done(socket, "resume"))["status"] == "playing"
        assert (await done(socket, "next"))["rev"] > played["rev"]
        assert (await done(socket, "previous"))["status"] == "playing"
        assert (await done(socket, "seek", position_millis=60_000))["status"] == "playing"
        assert (await done(socket, "volume", volume=31, mute=True))["volume"] == 31
        assert (await done(socket, "shuffle", shuffle=True))["shuffle"] is True
        now = await done(socket, "clear")
        refused = await order(socket, "volume", volume=3, rev=now["rev"] - 1)
        assert refused["code"] == "rev_conflict"
        assert (await done(socket, "volume", volume=3, rev=now["rev"]))["volume"] == 3
        assert (await done(socket, "stop"))["status"] == "stopped"
        assert (await order(socket, "cancel", zone_id=zone, event_id="x"))["type"] == "refused"
        assert (await order(socket, "explode"))["code"] == "unknown_command"
        assert (await order(socket, "volume", volume=101))["code"] == "invalid_request"
        assert (await order(socket, "volume", wat=1))["code"] == "invalid_request"
    async with watching(url, tenant) as socket:
        await hear(socket)
        both = await order(socket, "volume", volume=7, zone_ids=[zone, other])
        assert [one["volume"] for one in both["zones"]] == [7, 7]
        assert (await order(socket, "volume", volume=7))["code"] == "invalid_request"


async def test_back_to_the_schedule_over_the_socket(world: World, url: str) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    folder = await add_folder(world, tenant, ("One", "Two"))
    await add_schedule(world, tenant, zone, folder_id=folder, name="All day")
    await compiled(world)
    async with watching(url, tenant, zone) as socket:
        await done(socket, "stop")
        assert (await done(socket, "schedule"))["status"] == "playing"


async def test_a_browsers_cookie_commands_too(world: World, url: str) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    body = {"email": tenant.email, "password": PASSWORD, "session": "cookie"}
    found = await (await world.http()).post("/api/v1/auth/login/", json=body)
    value = found.headers["set-cookie"].partition("=")[2].partition(";")[0]
    head = {"Cookie": f"{COOKIE}={value}"}
    own = url.replace("ws://", "http://")
    address = f"{url}/ws/playback/{zone}/"
    async with connect(address, additional_headers=head, origin=own) as socket:  # type: ignore[arg-type]  # a word
        await say(socket, type="auth")
        assert (await hear(socket))["type"] == "snapshot"
        assert (await done(socket, "volume", volume=5))["volume"] == 5


async def test_who_may_not_command_is_refused_and_others_zones_do_not_exist(
    world: World, url: str
) -> None:
    tenant, stranger = await world.tenant("Mine"), await world.tenant("Theirs")
    zone, there = await add_zone(tenant, "Bar"), await add_zone(tenant, "Hall")
    foreign = await add_zone(stranger)
    viewer = Tenant(tenant.id, "", await world.colleague(tenant, "viewer"))
    floor = Tenant(tenant.id, "", await world.colleague(tenant, "floor", ("zone", UUID(zone))))
    async with watching(url, viewer) as socket:
        assert (await order(socket, "volume", volume=1, zone_id=zone))["code"] == "forbidden"
    for who, wanted in ((tenant, foreign), (tenant, str(uuid4())), (floor, there)):
        async with watching(url, who) as socket:
            assert (await order(socket, "volume", volume=1, zone_id=wanted))["code"] == "not_found"
    async with watching(url, floor) as socket:
        assert (await done(socket, "volume", volume=1, zone_id=zone))["volume"] == 1


async def test_a_session_that_ended_commands_nothing(world: World, url: str) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    async with watching(url, tenant, zone) as socket:
        await hear(socket)
        me = await tenant.read("/auth/me/")
        async with world.ctx() as ctx:
            await identity.end_sessions(ctx, UUID(me["user"]["id"]))
        await say(socket, type="command", id="1", command="volume", body={"volume": 1})
        assert await closed(socket) == 4401


async def test_what_happens_is_told_when_it_does(world: World, url: str) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    folder = str(await add_folder(world, tenant, ("One", "Two"), seconds=2))
    async with watching(url, tenant, zone) as socket:
        await say(socket, type="events")
        assert (await until(socket, "events"))["events"] == []
        await say(socket, type="command", id="1", command="play", body={"folder_id": folder})
        happened: list[dict[str, Any]] = []
        while not any(one["kind"] == "track_ended" for one in happened):
            happened += (await until(socket, "events"))["events"]
        kinds = [one["kind"] for one in happened]
        assert kinds[:2] == ["state_changed", "track_started"]
        first = happened[1]
        assert (first["title"], first["zone_id"], first["position"]) == ("One", zone, 0)
        ended = next(one for one in happened if one["kind"] == "track_ended")
        assert (ended["title"], ended["whole"]) == ("One", True)
        assert ended["frame"] - first["frame"] == 2 * 48_000
        await say(socket, type="events", on=False)
        while (await until(socket, "events"))["events"]:
            pass
