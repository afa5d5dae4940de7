"""Virtual sound cards, a process of its own: FIFOs drained at 48,000 * (1 + ppm) frames a second.

PulseAudio's pipe sinks write to them and report their fill as their delay, as a card does.

    cards.py OUT.npz FIFO:PPM ...

SIGTERM ends it.
"""

import gc
import os
import random
import signal
import sys
import time
from dataclasses import dataclass, field

import numpy as np

RATE = 48_000
FRAME = 8  # float32 stereo


@dataclass
class Card:
    """One FIFO, what came out of it, and how many frames of silence stood in for what did not."""

    fd: int
    rate: float
    frames: int = 0
    lacked: int = 0
    rest: bytes = b""
    heard: list[bytes] = field(default_factory=list)

    def drain(self, seconds: float) -> None:
        """Sound what is due ``seconds`` after the start."""
        due = int(seconds * self.rate) - self.frames
        if due <= 0:
            return
        try:
            got = self.rest + os.read(self.fd, due * FRAME - len(self.rest))
        except BlockingIOError:
            got = self.rest
        whole = len(got) // FRAME
        self.rest = got[whole * FRAME :]
        self.heard.append(got[: whole * FRAME] + bytes((due - whole) * FRAME))
        self.lacked += due - whole
        self.frames += due


def main(out: str, *names: str) -> None:
    """Drain until the end, then write ``left`` (cards, frames), ``rate``, ``lacked``, ``began``."""
    cards = []
    for name in names:
        path, ppm = name.rsplit(":", 1)
        fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        cards.append(Card(fd, RATE * (1 + float(ppm) * 1e-6)))
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(40))
    except PermissionError:
        print("cards: without real-time priority")
    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: ended.append(number))
    gc.disable()
    began = time.monotonic()
    while not ended:
        for card in cards:
            card.drain(time.monotonic() - began)
        time.sleep(random.uniform(0.0002, 0.001))
    left = [np.frombuffer(b"".join(c.heard), "<f4").reshape(-1, 2)[:, 0] for c in cards]
    least = min(len(x) for x in left)
    np.savez(
        out,
        left=np.stack([x[:least] for x in left]),
        rate=[c.rate for c in cards],
        lacked=[c.lacked for c in cards],
        began=began,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
