"""The sink behind a sound server: PulseAudio or PipeWire, by its own reports of what is heard."""

import logging
import time
from collections.abc import Callable
from typing import Final

import numpy as np

from sync2gear_broker.units import FRAME_RATE
from sync2gear_firmware.facts import Trouble
from sync2gear_firmware.player import Player
from sync2gear_firmware.players.depth import STEPS
from sync2gear_firmware.players.output import BLOCK, MOST_REST, Output
from sync2gear_firmware.players.sound_server import Report, Stream
from sync2gear_firmware.resample import Frames

log = logging.getLogger(__name__)

_ASK_EVERY: Final = 5
"""Blocks between two reports: ten a second, of which the model takes the mean of three."""
_COARSE: Final = 10_000
_LOST: Final = -1000.0
"""Milliseconds that the server is ahead: it was stopped, or we were, and all of it is late."""
_SILENT: Final = 5e6
"""Microseconds without a report after which the server is taken to hang."""


class PulseSink(Output):
    """Keeps the server's queue filled ``depth`` ms beyond what it has taken; renders as it does."""

    def __init__(
        self,
        player: Player,
        local: Callable[[], int],
        sink: str,
        tell: Callable[[Trouble], None],
    ) -> None:
        super().__init__(player, local, tell)
        self._sink = sink
        self._stream: Stream | None = None
        self._last = Report(0, 0)

    @property
    def ahead(self) -> int:
        """The queue and what the server holds beyond it, coarse enough to stand still."""
        return super().ahead - (-self._last.delay // _COARSE) * _COARSE

    def _try(self) -> str:
        held = STEPS[-1] * FRAME_RATE // 1000
        self._stream = Stream(self._sink, held, BLOCK, self._local)
        self._begin(FRAME_RATE)
        self._last = Report(0, self._local())
        return f"sink={self._sink!r}"

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _sounds(self) -> bool:
        return self._stream is not None and self._stream.ready

    def _pass(self, seconds: float) -> None:
        until = self._local() + seconds * 1e6
        while self._stream is not None and self._mine() and not self._stop.is_set():
            if (now := self._local()) >= until:
                return
            queue = self._queued(self._stream, now)
            if now - self._last.at > _SILENT:
                self._end("the sound server does not answer")
            elif (over := queue - self._depth.millis) > 0:
                time.sleep(min(over / 1000, MOST_REST))
            elif queue > _LOST:
                self._feed(self._stream, queue)
            else:
                self._end("all that comes now would be late")
        self._stop.wait(max(0.0, (until - self._local()) / 1e6))

    def _end(self, why: str) -> None:
        if self._mine():  # else it is another thread's stream by now
            log.warning("card.ended reason=%r", why)
            self._close()

    def _queued(self, stream: Stream, now: int) -> float:
        """Milliseconds that the server has yet to take, from its last report on."""
        while stream.reports:
            self._last = report = stream.reports.popleft()
            if report.playing:
                self._renderer.report(report.frame, report.at + report.delay)
        ahead = self._renderer.pace.written - self._last.frame
        return ahead / FRAME_RATE * 1000 - (now - self._last.at) / 1000

    def _feed(self, stream: Stream, queue: float) -> None:
        self._rounds += 1
        if self._renderer.pace.next is not None:
            self._notice(queue, empty=queue < 0)
        try:
            stream.write(self._block())
            if self._rounds % _ASK_EVERY == 0:
                stream.ask()
        except OSError as error:
            self._end(str(error))

    def _block(self) -> Frames:
        try:
            return self._renderer.block(BLOCK, None, self._line)
        except Exception:
            log.exception("card.block_failed")
            return np.zeros((BLOCK, 2), np.float32)
