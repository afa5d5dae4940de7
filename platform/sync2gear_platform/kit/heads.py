"""Heads of requests, bounded in size and time before any of our code sees them.

uvicorn's parser keeps whatever a header's value grows to, and waits for its end for ever.
"""

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD: Final = 65_536
"""Bytes after which a head must be complete; ``kit/guard.py`` refuses less in words."""

HEAD_SECONDS: Final = 10.0
"""For a new connection's head, and for each one after."""


class BoundedHeads(HttpToolsProtocol):
    """uvicorn's protocol, which gives up on heads that never end."""

    _reading = False
    _received = 0
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Wait for the first head."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._head_is_complete()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, and give up when that did not end a head in time."""
        super().data_received(data)
        if self._reading:
            self._received += len(data)
            if self._received > MAX_HEAD:
                self._give_up("431 Request Header Fields Too Large")

    def on_message_begin(self) -> None:
        """The next head."""
        super().on_message_begin()
        if not self._reading:
            self._await_head()

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._head_is_complete()
        super().on_headers_complete()

    def _await_head(self) -> None:
        self._reading, self._received = True, 0
        late = "408 Request Timeout"
        self._deadline = self.loop.call_later(HEAD_SECONDS, self._give_up, late)

    def _head_is_complete(self) -> None:
        self._reading = False
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self, status: str) -> None:
        self._head_is_complete()
        if not self.transport.is_closing():
            answer = f"HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
            self.transport.write(answer.encode())
            self.transport.close()
