"""Heads of requests over a real socket: as long and as slow as is decent."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.responses import PlainTextResponse
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from support.stack import eventually
from sync2gear_platform.kit import heads
from sync2gear_platform.kit.heads import MAX_HEAD, BoundedHeads

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Serving:
    """uvicorn in this loop."""

    def __init__(self, protocol: type[asyncio.Protocol]) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        app = PlainTextResponse("fine")
        config = uvicorn.Config(app, http=protocol, log_config=None, lifespan="off")
        self.server = uvicorn.Server(config)

    async def __aenter__(self) -> "Serving":
        self.task = asyncio.create_task(self.server.serve([self.socket]))
        await eventually(self._began, "uvicorn serves", 10)
        return self

    async def _began(self) -> bool:
        return self.server.started

    async def __aexit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.server.force_exit = True
        await self.task

    async def connect(self) -> Streams:
        return await asyncio.open_connection(*self.socket.getsockname())


@pytest.fixture
async def serving() -> AsyncIterator[Serving]:
    async with Serving(BoundedHeads) as made:
        yield made


async def answered(streams: Streams) -> bytes:
    """The status line of the next answer, after which its head and its body are read."""
    reader, _ = streams
    async with asyncio.timeout(10):
        line = await reader.readline()
        length = 0
        while (header := await reader.readline()) not in {b"\r\n", b""}:
            if header.lower().startswith(b"content-length:"):
                length = int(header.split(b":")[1])
        await reader.readexactly(length)
        return line.strip()


async def pour(streams: Streams, size: int) -> int:
    """Write a header that does not end; how much of it was taken before the connection ended."""
    _, writer = streams
    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\nx-endless: ")
    sent = 0
    try:
        while sent < size and not writer.is_closing():
            writer.write(b"y" * 16_384)
            await writer.drain()
            await asyncio.sleep(0)  # the server is in this loop
            sent += 16_384
    except ConnectionError:
        return sent
    return sent


async def test_decent_requests_pass_also_one_after_the_other(serving: Serving) -> None:
    streams = await serving.connect()
    for _ in range(3):
        streams[1].write(b"GET / HTTP/1.1\r\nhost: x\r\nx-long: " + b"y" * 30_000 + b"\r\n\r\n")
        assert await answered(streams) == b"HTTP/1.1 200 OK"
    streams[1].write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\nGET / HTTP/1.1\r\nhost: x\r\n\r\n")
    assert await answered(streams) == b"HTTP/1.1 200 OK"
    assert await answered(streams) == b"HTTP/1.1 200 OK"
    body = b"z" * 500_000
    streams[1].write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 500000\r\n\r\n" + body)
    assert await answered(streams) == b"HTTP/1.1 200 OK"
    streams[1].close()


async def test_a_header_without_end_is_given_up(serving: Serving) -> None:
    streams = await serving.connect()
    assert await pour(streams, 1000 * MAX_HEAD) < 1000 * MAX_HEAD
    streams[1].close()
    fresh = await serving.connect()
    fresh[1].write(b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"y" * (MAX_HEAD + 1))
    assert await answered(fresh) == b"HTTP/1.1 431 Request Header Fields Too Large"
    fresh[1].close()


async def test_a_head_that_drips_is_given_up(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heads, "HEAD_SECONDS", 0.2)
    silent = await serving.connect()
    assert await answered(silent) == b"HTTP/1.1 408 Request Timeout"
    dripping = await serving.connect()
    dripping[1].write(b"GET / HTTP/1.1\r\nhos")
    assert await answered(dripping) == b"HTTP/1.1 408 Request Timeout"
    second = await serving.connect()
    second[1].write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
    assert await answered(second) == b"HTTP/1.1 200 OK"
    second[1].write(b"GET / HT")
    assert await answered(second) == b"HTTP/1.1 408 Request Timeout"
    for streams in (silent, dripping, second):
        streams[1].close()


async def test_the_plain_protocol_would_keep_it_all() -> None:
    async with Serving(HttpToolsProtocol) as serving:
        streams = await serving.connect()
        assert await pour(streams, 50 * MAX_HEAD) >= 50 * MAX_HEAD
        streams[1].close()
