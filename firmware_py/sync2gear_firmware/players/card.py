"""The sink that is heard: a sound card through PortAudio, its heard position on the zone clock."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from statistics import median
from typing import Any, Final

import numpy as np
import sounddevice

from sync2gear_broker.units import FRAME_RATE
from sync2gear_firmware.clock import Line
from sync2gear_firmware.decoder import Pcm
from sync2gear_firmware.facts import Trouble
from sync2gear_firmware.player import Player

log = logging.getLogger(__name__)

BLOCK: Final = 480
JUMP: Final = FRAME_RATE * 15 // 1000
"""An error beyond this is taken at once, with a short crossfade."""
_SLIP, _SMALL = 24, 4
_SLIP_EVERY = 4
_LOOKS = 25
_LATENCY = 0.06
_REPORT = 100
_RETRY = 3.0


class Servo:
    """Decides for each block how many frames to read so that the heard position stays right.

    Fed with how far each block is from where it should be, it takes the median of the last
    quarter of a second. From half a millisecond on, blocks are squeezed or stretched by one frame,
    every fourth at most (520 ppm), until it is small; beyond 15 ms the position jumps.
    """

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=_LOOKS)
        self._slipping = False
        self._since = 0
        self.error = 0.0
        self.slips = 0

    @property
    def sure(self) -> bool:
        """Whether it has seen enough to set the position by."""
        return len(self._recent) == _LOOKS

    def decide(self, error: float, n: int) -> tuple[int, int]:
        """``(frames to read for n frames of output, frames to jump before)`` at an error."""
        self._recent.append(error)
        self._since += 1
        if not self.sure:
            return n, 0
        self.error = median(self._recent)
        if abs(self.error) > JUMP:
            self._recent.clear()
            self._slipping = False
            return n, round(self.error)
        self._slipping = abs(self.error) > (_SMALL if self._slipping else _SLIP)
        if not self._slipping or self._since < _SLIP_EVERY:
            return n, 0
        self._since = 0
        step = 1 if self.error > 0 else -1
        self._recent = deque((e - step for e in self._recent), _LOOKS)
        self.slips += step
        return n + step, 0


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
    """Plays through PortAudio; the callback renders, from media that is decoded already.

    A card that is not there, or goes away, is tried again every few seconds; ``tell`` hears so.
    """

    ahead = round((_LATENCY + 2 * BLOCK / FRAME_RATE) * 1e6)

    def __init__(
        self,
        player: Player,
        local: Callable[[], int],
        device: str,
        tell: Callable[[Trouble], None],
    ) -> None:
        self._player = player
        self._local = local
        self._device = device or None
        self._tell = tell
        self._line: Line | None = None
        self._pos: int | None = None
        self._servo = Servo()
        self._blocks = 0
        self._begun = False
        self._underflows = 0
        self._stream: Any = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._attend, name="card", daemon=True)

    def start(self) -> None:
        """Open the card as soon as it can be."""
        self._thread.start()

    def follow(self, line: Line) -> None:
        """Keep to ``line`` from now on."""
        self._line = line

    def stop(self) -> None:
        """Close the card."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(10)

    def _attend(self) -> None:
        while True:
            if self._stream is None or not self._stream.active:
                self._open()
            if self._stop.wait(_RETRY):
                break
        if self._stream is not None:
            self._stream.close()

    def _open(self) -> None:
        self._pos, self._servo, self._blocks, self._begun = None, Servo(), 0, False
        try:
            if self._stream is not None:
                self._stream.close()
                self._stream = None
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
        except (sounddevice.PortAudioError, ValueError) as error:  # the latter: no such name
            log.warning("card.failed device=%r error=%r", self._device, str(error))
            self._tell(Trouble("card", str(error)))
            return
        log.info("card.open device=%r latency=%.3f", self._device, self._stream.latency)
        self._tell(Trouble("card", None))

    def _callback(self, out: Pcm, n: int, when: Any, status: Any) -> None:
        if status.output_underflow:
            self._underflows += 1
            if self._underflows & (self._underflows - 1) == 0:
                log.warning("card.underflow count=%d", self._underflows)
        try:
            # both clocks read now: what was waited for the interpreter is not part of the delay
            delay = when.outputBufferDacTime - self._stream.time
            out[:] = self._block(self._local() + int(delay * 1e6), n)
        except Exception:
            log.exception("card.block_failed")
            out[:] = 0

    def _block(self, heard: int, n: int) -> Pcm:
        line = self._line
        if line is None:
            return np.zeros((n, 2), np.int16)
        target = line.frame_at(heard) + self._player.trim
        if self._pos is None:
            self._pos = target
            self._player.look_ahead(target)
        count, jump = self._servo.decide(target - self._pos, n)
        self._blocks += 1
        if self._blocks % _REPORT == 0:
            log.debug("card.position error=%.1f slips=%d", self._servo.error, self._servo.slips)
        if not self._begun:
            return self._prepare(self._pos, n)
        if jump:
            # the player fades the old position out and the new one in
            log.info("card.jump frames=%d", jump)
            self._pos += jump
        pcm = stretch(self._player.render(self._pos, count), n)
        self._pos += count
        return pcm

    def _prepare(self, pos: int, n: int) -> Pcm:
        """Silence, until the position is sure and what sounds there is decoded, or for 2 s."""
        waited = self._blocks * n >= 2 * FRAME_RATE
        self._pos = pos + n
        if self._servo.sure and (waited or self._player.ready(self._pos)):
            self._pos += round(self._servo.error)
            self._servo = Servo()
            self._begun = True
        return np.zeros((n, 2), np.int16)
