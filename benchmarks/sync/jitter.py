"""A TCP relay that holds back each piece by a random time, the same for whoever speaks through it.

jitter.py LISTEN TARGET MOST_MS

Threads, for they sleep to a tenth of a millisecond where an event loop wakes up once in one.
"""

import queue
import random
import socket
import sys
import threading
import time
from contextlib import suppress


def pump(source: socket.socket, to: socket.socket, most: float) -> None:
    """Pass on what comes, each piece up to ``most`` seconds later, nothing overtaking."""
    waiting: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()

    def pass_on() -> None:
        while True:
            due, data = waiting.get()
            time.sleep(max(0.0, due - time.monotonic()))
            try:
                if not data:
                    to.shutdown(socket.SHUT_WR)
                    return
                to.sendall(data)
            except OSError:
                source.close()
                return

    threading.Thread(target=pass_on, daemon=True).start()
    data = b"-"
    while data:
        data = b""
        with suppress(OSError):
            data = source.recv(65_536)
        waiting.put((time.monotonic() + random.uniform(0, most), data))


def main(listen: int, target: int, most: float) -> None:
    """Relay for ever."""
    server = socket.create_server(("127.0.0.1", listen))
    while True:
        near, _ = server.accept()
        try:
            far = socket.create_connection(("127.0.0.1", target))
        except OSError:
            near.close()
            continue
        for side in (near, far):
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for ways in ((near, far), (far, near)):
            threading.Thread(target=pump, args=(*ways, most), daemon=True).start()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]) / 1000)
