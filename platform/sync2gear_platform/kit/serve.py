"""One application over HTTP and HTTPS; a renewed certificate is taken up while it serves."""

import asyncio
import functools
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp

from sync2gear_platform.kit import log
from sync2gear_platform.kit.heads import BoundedHeads

logger = log.get(__name__)

LOOK_SECONDS: Final = 2.0
"""How often the files are looked at; a renewal takes effect for connections made after it."""

Stamp = tuple[tuple[int, int, int], ...]


class Pair:
    """Certificate chain and key in two files, as the context of a server.

    Each handshake gets the newest pair that fits together. What two renamings leave for a moment,
    or damage, is never shown to anybody: the pair before stays.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        self._files = (certificate, key)
        self._seen = self._stamp()
        self._newest = self._load()
        self.context = self._load()
        self.context.sni_callback = self._choose

    def look(self) -> bool:
        """Take up a new pair; whether there was one."""
        try:
            stamp = self._stamp()
            if stamp == self._seen:
                return False
            self._seen = stamp
            self._newest = self._load()
        except OSError as error:  # ssl.SSLError is one
            logger.warning("tls.not_reloaded", file=str(self._files[0]), error=str(error)[:300])
            return False
        logger.info("tls.reloaded", file=str(self._files[0]))
        return True

    def _stamp(self) -> Stamp:
        seen = (file.stat() for file in self._files)
        return tuple((one.st_ino, one.st_mtime_ns, one.st_size) for one in seen)

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(*self._files)
        return context

    def _choose(self, link: ssl.SSLObject, _name: str | None, _: ssl.SSLContext) -> None:
        # Called for each handshake, also of a client that names no server.
        link.context = self._newest


class Server(uvicorn.Server):
    """uvicorn with a second listener for HTTPS: one application, one life, one graceful end."""

    def __init__(self, config: uvicorn.Config, pair: Pair | None, host: str, port: int) -> None:
        super().__init__(config)
        self._pair = pair
        self._at = (host, port)
        self._watching: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[Any] | None = None) -> None:
        """Listen on both."""
        await super().startup(sockets)
        if self._pair is None or self.should_exit:
            return
        make: Callable[..., asyncio.Protocol] = self.config.http_protocol_class
        protocol = functools.partial(
            make,
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )
        host, port = self._at
        try:
            server = await asyncio.get_running_loop().create_server(
                protocol, host, port, ssl=self._pair.context, backlog=self.config.backlog
            )
        except OSError as error:
            logger.error("https.cannot_listen", host=host, port=port, error=str(error))  # noqa: TRY400 - said in words
            self.should_exit = True
            return
        self.servers.append(server)
        self._watching = asyncio.create_task(self._watch(self._pair), name="certificates")

    async def shutdown(self, sockets: list[Any] | None = None) -> None:
        """End both."""
        if self._watching is not None:
            self._watching.cancel()
        await super().shutdown(sockets)

    async def _watch(self, pair: Pair) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            pair.look()


def serve(
    app: ASGIApp,
    *,
    http: tuple[str, int],
    https: tuple[str, int] = ("", 0),
    pair: Pair | None = None,
    ws_max_size: int,
) -> bool:
    """Serve until SIGTERM or SIGINT; ``https`` too where there is a ``pair``. Whether it began."""
    config = uvicorn.Config(
        app,
        http=BoundedHeads,
        host=http[0],
        port=http[1],
        log_config=None,
        access_log=False,
        server_header=False,
        ws_max_size=ws_max_size,
        timeout_graceful_shutdown=5,
        proxy_headers=False,
    )
    server = Server(config, pair, *https)
    try:
        server.run()
    except KeyboardInterrupt:
        return True
    return server.started and (pair is None or len(server.servers) > 1)
