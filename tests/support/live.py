"""Programs that watch live: the application on a port of its own, and what travels over it."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from support.stack import eventually
from support.world import Tenant, World
from sync2gear_cli.services import process


@contextlib.asynccontextmanager
async def serving(world: World) -> AsyncIterator[str]:
    """The application on a port of its own, which a WebSocket needs: its ``ws://`` address."""
    port = process.free_port()
    config = uvicorn.Config(
        world.app, port=port, log_config=None, lifespan="off", ws_max_size=16_384
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # not ours
    task = asyncio.create_task(server.serve())

    async def started() -> bool:
        return server.started

    await eventually(started, "the server listens")
    yield f"ws://127.0.0.1:{port}"
    server.should_exit = True
    await task


def token_of(tenant: Tenant) -> str:
    """The token with which the tenant's person asks."""
    return str(tenant.http.headers["Authorization"].split()[1])


async def say(socket: ClientConnection, **message: Any) -> None:
    """Send a message."""
    await socket.send(json.dumps(message))


async def hear(socket: ClientConnection, seconds: float = 30) -> dict[str, Any]:
    """The next message."""
    async with asyncio.timeout(seconds):
        message: dict[str, Any] = json.loads(await socket.recv())
        return message


async def closed(socket: ClientConnection, seconds: float = 30) -> int | None:
    """The code with which the server ends the connection."""
    async with asyncio.timeout(seconds):
        with contextlib.suppress(ConnectionClosed):
            while True:
                await socket.recv()
        return socket.close_code


@contextlib.asynccontextmanager
async def watching(url: str, tenant: Tenant, zone: str = "") -> AsyncIterator[ClientConnection]:
    """A connection that has signed in."""
    async with connect(f"{url}/ws/playback/{zone + '/' if zone else ''}") as socket:
        await say(socket, type="auth", token=token_of(tenant))
        yield socket
