"""A line between two programs that breaks where a test wants it to."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class BadLine:
    """A TCP relay to ``upstream``; its n-th connection ends after ``cuts[n]`` bytes of upload."""

    upstream: int
    cuts: list[int]
    forwarded: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def close(self) -> None:
        """Let nobody in any more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in list(self._threads):
            thread.join(10)

    def _start(self, target: object, *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)  # type: ignore[arg-type]  # a callable
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.upstream))
            number = len(self.forwarded)
            self.forwarded.append(0)
            self._start(self._up, client, server, number)
            self._start(self._down, client, server)

    def _up(self, client: socket.socket, server: socket.socket, number: int) -> None:
        limit = self.cuts[number] if number < len(self.cuts) else 1 << 60
        with suppress(OSError):
            while self.forwarded[number] < limit:
                data = client.recv(min(65536, limit - self.forwarded[number]))
                if not data:
                    break
                server.sendall(data)
                self.forwarded[number] += len(data)
        for one in (server, client):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _down(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                client.sendall(data)
        for one in (server, client):
            one.close()


@contextmanager
def bad_line(upstream: int, cuts: list[int]) -> Iterator[BadLine]:
    """A line that breaks, until the end."""
    line = BadLine(upstream, cuts)
    try:
        yield line
    finally:
        line.close()
