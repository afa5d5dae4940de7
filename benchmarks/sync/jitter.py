"""A TCP relay that holds back each piece by a random time, the same for whoever speaks through it.

jitter.py LISTEN TARGET MOST_MS
"""

import asyncio
import contextlib
import random
import socket
import sys


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, most: float) -> None:
    """Pass on what comes, each piece up to ``most`` seconds later, nothing overtaking."""
    loop = asyncio.get_running_loop()
    waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def take() -> None:
        while data := await reader.read(65_536):
            waiting.put_nowait((loop.time() + random.uniform(0, most), data))
        waiting.put_nowait((0.0, b""))

    taking = asyncio.create_task(take())
    with contextlib.suppress(OSError):
        while True:
            due, data = await waiting.get()
            if not data:
                break
            await asyncio.sleep(max(0.0, due - loop.time()))
            writer.write(data)
            await writer.drain()
    taking.cancel()
    writer.close()


async def main(listen: int, target: int, most: float) -> None:
    """Relay for ever."""

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, away = await asyncio.open_connection("127.0.0.1", target)
        except OSError:
            writer.close()
            return
        for side in (writer, away):
            side.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.gather(
            pump(reader, away, most), pump(there, writer, most), return_exceptions=True
        )

    server = await asyncio.start_server(meet, "127.0.0.1", listen)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]) / 1000))
