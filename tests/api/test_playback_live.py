"""The live view over WebSocket: who may watch, what is told, and when it ends."""

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from support.live import closed, hear, say, serving, watching
from support.music import add_zone
from support.uploads import ingested, sent
from support.world import Tenant, World
from sync2gear_platform.identity import service as identity


@pytest.fixture
async def url(world: World) -> AsyncIterator[str]:
    """Where the application serves WebSockets."""
    async with serving(world) as address:
        yield address


async def test_a_snapshot_first_and_then_every_change_of_ones_own_zones(
    world: World, url: str
) -> None:
    tenant, stranger = await world.tenant("Mine"), await world.tenant("Theirs")
    a, b = await add_zone(tenant, "A"), await add_zone(tenant, "B")
    foreign = await add_zone(stranger, "F")
    async with watching(url, tenant) as every, watching(url, tenant, a) as only:
        first = await hear(every)
        assert first["type"] == "snapshot"
        assert [z["name"] for z in first["zones"]] == ["A", "B"]
        assert [z["name"] for z in (await hear(only))["zones"]] == ["A"]
        for who, zone in ((stranger, foreign), (tenant, b), (tenant, a)):
            await who.make("/playback/volume/", zone_id=zone, volume=12)
        told = [await hear(every), await hear(every)]
        assert [t["type"] for t in told] == ["zone", "zone"]
        assert {t["zone"]["zone_id"] for t in told} == {a, b}
        assert all(t["zone"]["volume"] == 12 for t in told)
        assert (await hear(only))["zone"]["zone_id"] == a
        await add_zone(tenant, "C")
        assert (await hear(every))["zone"]["name"] == "C"


async def test_ping_gives_the_clock_and_more_a_fresh_zone(world: World, url: str) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    async with watching(url, tenant) as socket:
        await hear(socket)
        await say(socket, type="ping", t=7)
        pong = await hear(socket)
        assert (pong["type"], pong["t"]) == ("pong", 7)
        assert abs(pong["frame"] - world.clock.frames()) < 48_000
        await say(socket, type="more", zone_id=zone)
        assert (await hear(socket))["zone"]["zone_id"] == zone


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ({"type": "auth", "token": "nonsense"}, 4401),
        ({"type": "auth"}, 4401),
        ({"type": "ping", "t": 1}, 4401),
        ({"type": "auth", "token": "x" * 9000}, 1009),
        ({"type": "explode"}, 4400),
        ([1, 2], 4400),
        (b"\x00\xff", 4400),
    ],
)
async def test_who_does_not_sign_in_is_sent_away(
    world: World, url: str, first: Any, code: int
) -> None:
    async with connect(f"{url}/ws/playback/") as socket:
        await socket.send(first if isinstance(first, bytes) else json.dumps(first))
        error = await hear(socket)
        assert error["type"] == "error"
        assert error["code"]
        assert await closed(socket) == code


@pytest.mark.parametrize(
    "nonsense", [b"{}", '{"type":"ping","t":NaN}', '{"type":"ping","t":1e999}']
)
async def test_nonsense_from_one_who_is_signed_in_ends_the_connection_saying_why(
    world: World, url: str, nonsense: str | bytes
) -> None:
    async with watching(url, await world.tenant()) as socket:
        assert (await hear(socket))["type"] == "snapshot"
        await socket.send(nonsense)
        assert (await hear(socket))["code"] == "bad_message"
        assert await closed(socket) == 4400


async def test_silence_is_no_sign_in(world: World, url: str) -> None:
    async with connect(f"{url}/ws/playback/") as socket:
        assert await closed(socket) == 4408


async def test_a_foreign_zone_and_a_foreign_page_are_refused(world: World, url: str) -> None:
    tenant, stranger = await world.tenant("Mine"), await world.tenant("Theirs")
    foreign = await add_zone(stranger)
    for zone in (foreign, str(uuid4())):
        async with watching(url, tenant, zone) as socket:
            assert (await hear(socket))["code"] == "not_found"
            assert await closed(socket) == 4403
    with pytest.raises(InvalidStatus):
        async with connect(f"{url}/ws/playback/", origin="https://evil.example"):
            raise AssertionError("a foreign page may not connect")


async def test_the_view_ends_soon_after_its_session(world: World, url: str) -> None:
    tenant = await world.tenant()
    async with watching(url, tenant) as socket:
        await hear(socket)
        me = await tenant.read("/auth/me/")
        async with world.ctx() as ctx:
            await identity.end_sessions(ctx, UUID(me["user"]["id"]))
        assert await closed(socket, 12) == 4401


async def test_too_many_messages_end_the_connection(world: World, url: str) -> None:
    tenant = await world.tenant()
    async with watching(url, tenant) as socket:
        await hear(socket)
        with contextlib.suppress(ConnectionClosed):
            for n in range(40):
                await say(socket, type="ping", t=n)
        assert await closed(socket) == 4400


async def test_after_a_break_of_the_database_everybody_gets_everything_afresh(
    world: World, url: str
) -> None:
    import psycopg

    tenant = await world.tenant()
    zone = await add_zone(tenant)
    async with watching(url, tenant) as socket:
        await hear(socket)
        admin = world.settings.database_admin_url
        assert admin is not None
        with psycopg.connect(admin.get_secret_value(), autocommit=True) as connection:
            connection.execute("NOTIFY s2g_changed, 'nonsense'")
            connection.execute(f"NOTIFY s2g_changed, '{tenant.id} zone {uuid4()}'")
        assert (await hear(socket))["type"] == "snapshot", "a zone that is gone: see all again"
        await tenant.make("/playback/volume/", zone_id=zone, volume=3)
        assert (await hear(socket))["zone"]["volume"] == 3


async def test_uploads_are_seen_moving_by_who_may_read_music(world: World, url: str) -> None:
    tenant, stranger = await world.tenant("Mine"), await world.tenant("Theirs")
    floor = Tenant(tenant.id, "", await world.colleague(tenant, "floor"))
    async with (
        watching(url, tenant) as mine,
        watching(url, stranger) as theirs,
        watching(url, floor) as without,
    ):
        for socket in (mine, theirs, without):
            assert (await hear(socket))["type"] == "snapshot"
        one = await sent(tenant, b"no audio", filename="a.mp3")
        states = []
        while "uploaded" not in states:
            told = await hear(mine)
            assert told["type"] == "uploads"
            states += [u["state"] for u in told["uploads"] if u["id"] == one]
        await ingested(world, tenant, one)
        while "failed" not in states:
            states += [u["state"] for u in (await hear(mine))["uploads"]]
        for socket in (theirs, without):
            await say(socket, type="ping", t=1)
            assert (await hear(socket))["type"] == "pong"
