"""The sink that is heard: a sound card through PortAudio, its heard position on the zone clock."""

import logging
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import sounddevice

from sync2gear_broker.units import FRAME_RATE
from sync2gear_firmware.clock import Line
from sync2gear_firmware.decoder import Pcm
from sync2gear_firmware.player import Player

log = logging.getLogger(__name__)

BLOCK: Final = 480
JUMP: Final = FRAME_RATE * 15 // 1000
"""An error beyond this is taken at once, with a short crossfade."""
_SLIP = 24
_SLIP_EVERY = 4
_SMOOTH = 0.02
_LATENCY = 0.06


class Servo:
    """Decides for each block how many frames to read so that the heard position stays right.

    Fed with what each block's first frame should be, it smooths the error; beyond half a
    millisecond a block is stretched or squeezed by one frame, at most every fourth block (520 ppm);
    beyond 15 ms the position jumps.
    """

    def __init__(self) -> None:
        self.error = 0.0
        self._since = 0

    def reset(self) -> None:
        """The position was set anew."""
        self.error, self._since = 0.0, 0

    def decide(self, error: float, n: int) -> tuple[int, bool]:
        """``(frames to read for n frames of output, whether to jump)`` at an error in frames."""
        self.error += _SMOOTH * (error - self.error)
        self._since += 1
        if abs(self.error) > JUMP or abs(error) > 4 * JUMP:
            return n, True
        if abs(self.error) <= _SLIP or self._since < _SLIP_EVERY:
            return n, False
        self._since = 0
        step = 1 if self.error > 0 else -1
        self.error -= step
        return n + step, False


def stretch(pcm: Pcm, n: int) -> Pcm:
    """``pcm`` read as ``n`` frames by linear interpolation: a frame more or less in a block."""
    if len(pcm) == n:
        return pcm
    at = np.linspace(0, len(pcm), n, endpoint=False)
    grid = np.arange(len(pcm))
    columns = [np.interp(at, grid, pcm[:, k]) for k in range(2)]
    out: Pcm = np.rint(np.stack(columns, axis=1)).astype(np.int16)
    return out


class CardSink:
    """Plays through PortAudio; the callback renders, from media that is decoded already."""

    def __init__(self, player: Player, local: Callable[[], int], device: str) -> None:
        self._player = player
        self._local = local
        self._device = device or None
        self._line: Line | None = None
        self._obeyed: Line | None = None
        self._pos: int | None = None
        self._servo = Servo()
        self._waited = 0
        self._underflows = 0
        self._stream: Any = None

    def start(self) -> None:
        """Open the card; raises ``sounddevice.PortAudioError`` if it cannot be."""
        self._stream = sounddevice.OutputStream(
            device=self._device,
            samplerate=FRAME_RATE,
            channels=2,
            dtype="int16",
            blocksize=BLOCK,
            latency=_LATENCY,
            callback=self._callback,
        )
        self._stream.start()
        log.info("card.open device=%r latency=%.3f", self._device, self._stream.latency)

    def follow(self, line: Line) -> None:
        """Keep to ``line`` from now on."""
        self._line = line

    def stop(self) -> None:
        """Close the card."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _callback(self, out: Pcm, n: int, when: Any, status: Any) -> None:
        now = self._local()
        if status.output_underflow:
            self._underflows += 1
            if self._underflows & (self._underflows - 1) == 0:
                log.warning("card.underflow count=%d", self._underflows)
        try:
            delay = max(0.0, when.outputBufferDacTime - when.currentTime)
            out[:] = self._block(now + int(delay * 1e6), n)
        except Exception:
            log.exception("card.block_failed")
            out[:] = 0

    def _block(self, heard: int, n: int) -> Pcm:
        line = self._line
        if line is None:
            return np.zeros((n, 2), np.int16)
        target = line.frame_at(heard) + self._player.trim
        if self._pos is None:
            self._player.look_ahead(target)
            self._waited += n
            if not self._player.ready(target) and self._waited < 2 * FRAME_RATE:
                return np.zeros((n, 2), np.int16)
            self._pos = target
            self._servo.reset()
        count, jump = self._servo.decide(target - self._pos, n)
        if jump:
            # the player fades the old position out and the new one in
            log.info("card.jump frames=%d", target - self._pos)
            self._pos = target
            self._servo.reset()
        pcm = stretch(self._player.render(self._pos, count), n)
        self._pos += count
        return pcm
