"""The live view as everybody: own, foreign and random zones, bad tokens, foreign pages."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from support.access_world import Asker, Cast, assemble
from support.music import add_zone
from support.stack import eventually
from support.world import PASSWORD, Tenant, World
from sync2gear_cli.services import process
from sync2gear_platform.identity.cookies import COOKIE
from sync2gear_platform.identity.tokens import Signer

READ = "playback.read"


@pytest.fixture
async def url(world: World) -> AsyncIterator[str]:
    """The application on a port of its own: a WebSocket needs one."""
    port = process.free_port()
    config = uvicorn.Config(world.app, port=port, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # not ours
    serving = asyncio.create_task(server.serve())

    async def started() -> bool:
        return server.started

    await eventually(started, "the server listens")
    yield f"ws://127.0.0.1:{port}"
    server.should_exit = True
    await serving


async def hear(socket: ClientConnection, seconds: float = 20) -> dict[str, Any]:
    async with asyncio.timeout(seconds):
        message: dict[str, Any] = json.loads(await socket.recv())
        return message


async def answer(url: str, token: str, zone: str = "", **more: Any) -> tuple[Any, ...]:
    """What is said first, without what tells the time: the names of zones, or why it ends."""
    async with connect(f"{url}/ws/playback/{zone + '/' if zone else ''}", **more) as socket:
        await socket.send(json.dumps({"type": "auth", "token": token}))
        first = await hear(socket)
        if first["type"] == "snapshot":
            return "snapshot", sorted(z["zone_id"] for z in first["zones"])
        with contextlib.suppress(ConnectionClosed):
            await hear(socket)
        return first["type"], first["code"], first["detail"], socket.close_code


def token_of(http: httpx2.AsyncClient) -> str:
    scheme, _, token = http.headers.get("Authorization", "").partition(" ")
    return str(token) if scheme == "Bearer" else ""


async def wanted(cast: Cast, asker: Asker) -> str:
    """How the matrix has it: the zones, or the code of the refusal."""
    if not token_of(asker.http):
        return "session_ended"
    if READ not in asker.permissions:
        return "forbidden"
    return "forbidden" if asker.above else "snapshot"


async def test_everybody_watches_what_the_matrix_says(world: World, url: str) -> None:
    cast = await assemble(world)
    for asker in cast.askers:
        token, expected = token_of(asker.http), await wanted(cast, asker)
        every = await answer(url, token)
        reach = asker.confined.get(READ)
        home = asker.home
        zones = [home.here["zone"]] + ([home.there["zone"]] if reach is None else [])
        if expected == "snapshot":
            assert every[0] == "snapshot", (asker.name, every)
            assert set(zones) <= set(every[1]), asker.name
            assert cast.theirs.here["zone"] not in every[1]
            assert reach is None or every[1] == zones
        else:
            assert every[1] == expected, (asker.name, every)
        random = await answer(url, token, str(uuid4()))
        foreign = [cast.theirs.here["zone"], home.gone["zone"]]
        foreign += [home.there["zone"]] if reach is not None else []
        for zone in foreign:
            assert await answer(url, token, zone) == random, asker.name
        if expected == "snapshot":
            assert random[1:] == ("not_found", random[2], 4403)
            assert await answer(url, token, home.here["zone"]) == ("snapshot", zones[:1])


async def test_tokens_that_are_expired_forged_or_of_somebody_else(world: World, url: str) -> None:
    tenant = await world.tenant()
    good = token_of(tenant.http)
    assert (await answer(url, good))[0] == "snapshot"
    claims = world.app.state.signer.read(good)
    late = world.app.state.signer.sign(claims, world.clock.now() - timedelta(hours=2))
    early = world.app.state.signer.sign(claims, world.clock.now() + timedelta(hours=2))
    forged = Signer("another installation's secret, as long").sign(claims, world.clock.now())
    head, body, signature = good.split(".")
    for bad in (late, early, forged, f"{head}.{body}.", f"{head}.{body}.{signature[::-1]}", "x"):
        assert (await answer(url, bad))[1] == "session_ended"
    await tenant.http.post("/api/v1/auth/logout/")
    assert (await answer(url, good))[1] == "session_ended"


async def browser(world: World, tenant: Tenant) -> dict[str, str]:
    """The cookie of a browser that is signed in."""
    body = {"email": tenant.email, "password": PASSWORD, "session": "cookie"}
    found = await (await world.http()).post("/api/v1/auth/login/", json=body)
    assert found.status_code == 200, found.text
    value = found.headers["set-cookie"].partition("=")[2].partition(";")[0]
    return {"Cookie": f"{COOKIE}={value}"}


async def test_a_cookie_is_good_for_our_own_pages_only(world: World, url: str) -> None:
    tenant = await world.tenant()
    cookie = await browser(world, tenant)
    own = url.replace("ws://", "http://")
    assert (await answer(url, "", additional_headers=cookie, origin=own))[0] == "snapshot"
    for page in ("https://evil.example", f"{own}.evil.example", "null"):
        with pytest.raises(InvalidStatus):
            await answer(url, "", additional_headers=cookie, origin=page)


async def test_confined_watchers_are_told_of_their_own_zones_only(world: World, url: str) -> None:
    tenant = await world.tenant()
    mine, other = await add_zone(tenant, "Bar"), await add_zone(tenant, "Lobby")
    floor = await world.colleague(tenant, "floor", ("zone", UUID(mine)))
    async with connect(f"{url}/ws/playback/") as socket:
        await socket.send(json.dumps({"type": "auth", "token": token_of(floor)}))
        assert [z["zone_id"] for z in (await hear(socket))["zones"]] == [mine]
        await tenant.make("/playback/volume/", zone_id=other, volume=11)
        third = await add_zone(tenant, "Cellar")
        await tenant.http.delete(f"/api/v1/zones/{third}/")
        await tenant.make("/playback/volume/", zone_id=mine, volume=12)
        heard: list[dict[str, Any]] = []
        while not any(z["volume"] == 12 for m in heard for z in zones_of(m)):
            heard.append(await hear(socket))
        assert {z["zone_id"] for m in heard for z in zones_of(m)} == {mine}
        await socket.send(json.dumps({"type": "more", "zone_id": other}))
        while "code" not in (message := await hear(socket)):
            heard.append(message)  # the same zone once more: a change may be told twice
        assert message["code"] == "not_found"
        assert {z["zone_id"] for m in heard for z in zones_of(m)} == {mine}


def zones_of(message: dict[str, Any]) -> list[dict[str, Any]]:
    """The zones of a message of either kind."""
    return [*message.get("zones", []), *([message["zone"]] if "zone" in message else [])]
