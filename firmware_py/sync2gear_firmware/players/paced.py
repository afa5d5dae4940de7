"""Real-time pacing for sinks without a card of their own: frames are rendered as they are due."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import numpy as np

from sync2gear_broker.units import FRAME_RATE
from sync2gear_firmware.clock import Line
from sync2gear_firmware.decoder import Pcm
from sync2gear_firmware.limiter import Limiter
from sync2gear_firmware.machine import this_thread_is
from sync2gear_firmware.player import Player, quantised
from sync2gear_firmware.players import Health
from sync2gear_firmware.players.tended import Tended
from sync2gear_firmware.resample import Frames

log = logging.getLogger(__name__)

JUMP: Final = FRAME_RATE * 15 // 1000
"""A position further off than this is not approached but taken at once."""
_PERIOD = 0.02
_BACKLOG = 5 * FRAME_RATE
_BLOCK = FRAME_RATE // 10
_PATIENCE = 2_000_000


class Paced(Tended):
    """A thread that renders each frame when the zone clock has passed it.

    ``write`` receives ``(first frame, (n, 2) int16)``. The frames are contiguous except where the
    clock itself jumped or the process was away for more than some seconds.
    """

    ahead = 0

    def __init__(
        self, player: Player, local: Callable[[], int], write: Callable[[int, Pcm], None]
    ) -> None:
        super().__init__("sink")
        self._player = player
        self._local = local
        self._write = write
        self._failures = 0

    def health(self) -> Health:
        """It hears itself, so it is never off."""
        return Health(self._rounds)

    def _run(self) -> None:
        this_thread_is("sink")
        pos: int | None = None
        out = _Held(self._write)
        obeyed: Line | None = None
        began = self._local()
        while not self._stop.wait(_PERIOD) and self._mine():
            self._rounds += 1
            line = self._line
            if line is None:
                began = self._local()
                continue
            now = self._local()
            target = line.frame_at(now) + self._player.trim
            if pos is None:
                self._player.look_ahead(target)
                if not self._player.ready(target) and now - began < _PATIENCE:
                    continue
                pos = target
            elif obeyed is not None and abs(line.frame_at(now) - obeyed.frame_at(now)) > JUMP:
                log.info("sink.jump frames=%d reason=clock", target - pos)
                pos = target
            elif target - pos > _BACKLOG or pos - target > JUMP:
                log.warning("sink.jump frames=%d reason=away", target - pos)
                pos = target
            obeyed = line
            while pos < target and not self._stop.is_set():
                n = min(_BLOCK, target - pos)
                with self._edge(pos):
                    out.write(pos, self._player.mix(pos, n))
                pos += n
        if self._mine():
            with self._edge(pos or 0):
                out.flush()

    @contextmanager
    def _edge(self, pos: int) -> Iterator[None]:
        try:
            yield
        except Exception:
            self._failures += 1
            if self._failures & (self._failures - 1) == 0:  # the 1st, 2nd, 4th, ...
                log.exception("sink.block_failed frame=%d n=%d", pos, self._failures)


class _Held:
    """Limited frames on their way to ``write``; each knows its place though the limiter holds it.

    A frame is written with those after it, so that what is limited is as what is heard.
    """

    def __init__(self, write: Callable[[int, Pcm], None]) -> None:
        self._write = write
        self._limiter = Limiter(FRAME_RATE)
        self._from: int | None = None
        self._next = 0

    def write(self, at: int, frames: Frames) -> None:
        """Frames of which the first is zone frame ``at``."""
        if self._from is None or at != self._next:
            self.flush()
            self._limiter, self._from = Limiter(FRAME_RATE), at
        self._next = at + len(frames)
        end = self._next - self._limiter.delay
        self._pass(self._from, end, self._limiter.push(frames))

    def flush(self) -> None:
        """What is held yet."""
        begun, self._from = self._from, None
        if begun is not None:
            silence = np.zeros((self._limiter.delay, 2), np.float32)
            self._pass(begun, self._next, self._limiter.push(silence))

    def _pass(self, begun: int, end: int, limited: Frames) -> None:
        first = max(end - len(limited), begun)  # before it the limiter held nothing
        if first < end:
            self._write(first, quantised(limited[first - end :]))
