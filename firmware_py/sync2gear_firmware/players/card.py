"""The sink that is heard: a sound card through PortAudio, its heard position on the zone clock."""

import logging
import threading
from collections.abc import Callable
from typing import Any, Final

import sounddevice

from sync2gear_broker.units import FRAME_RATE
from sync2gear_firmware.clock import Line
from sync2gear_firmware.facts import Trouble
from sync2gear_firmware.limiter import LOOK
from sync2gear_firmware.player import Player
from sync2gear_firmware.players import Health
from sync2gear_firmware.renderer import Renderer
from sync2gear_firmware.resample import Frames

log = logging.getLogger(__name__)

BLOCK: Final = 480
_LATENCY = 0.06
_REPORT = 100
_RETRY = 3.0
_NOT_AT_THIS_RATE = -9997
"""paInvalidSampleRate of portaudio.h."""


class CardSink:
    """Plays through PortAudio; the callback renders, from media that is decoded already.

    A card that is not there, or goes away, is tried again every few seconds; ``tell`` hears so.
    """

    ahead = round((_LATENCY + 2 * BLOCK / FRAME_RATE + LOOK) * 1e6)

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
        self._renderer = Renderer(player)
        self._blocks = 0
        self._underflows = 0
        self._rounds = 0
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

    def health(self) -> Health:
        """A round is a block that the card asked for, or an attempt to open it."""
        known = self._renderer.last is not None
        off = self._renderer.pace.error / FRAME_RATE * 1000 if known else None
        return Health(self._rounds, off, self._underflows)

    def renew(self) -> None:
        """The card asks for nothing any more: open it again."""
        self._thread = threading.Thread(target=self._attend, name="card", daemon=True)
        self._thread.start()

    def _attend(self) -> None:
        began = True
        while threading.current_thread() is self._thread:
            if began or self._stream is None or not self._stream.active:
                began = False
                self._rounds += 1
                self._open()
            if self._stop.wait(_RETRY):
                break
        if threading.current_thread() is self._thread:
            self._close()

    def _open(self) -> None:
        self._close()
        try:
            try:
                self._play(FRAME_RATE)
            except sounddevice.PortAudioError as error:
                if _NOT_AT_THIS_RATE not in error.args:
                    raise
                card = sounddevice.query_devices(self._device, "output")
                self._play(round(card["default_samplerate"]))
        except (sounddevice.PortAudioError, ValueError) as error:  # the latter: no such name
            log.warning("card.failed device=%r error=%r", self._device, str(error))
            self._tell(Trouble("card", str(error)))
            self._close()
            # PortAudio knows only the cards that were there when it began: one plugged in later,
            # or again, would never be found
            sounddevice._terminate()  # noqa: SLF001 - it has no public name, and is documented
            sounddevice._initialize()  # noqa: SLF001 - the other half of it, documented too
            return
        rate, latency = self._stream.samplerate, self._stream.latency
        log.info("card.open device=%r rate=%.0f latency=%.3f", self._device, rate, latency)
        self._tell(Trouble("card", None))

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _play(self, rate: int) -> None:
        """Open the card at ``rate``; the zone is read at that of its own crystal."""
        self._renderer = Renderer(self._player, rate)
        self._stream = sounddevice.OutputStream(
            device=self._device,
            samplerate=rate,
            channels=2,
            dtype="float32",
            blocksize=BLOCK * rate // FRAME_RATE,
            latency=_LATENCY,
            callback=self._callback,
        )
        self._stream.start()

    def _callback(self, out: Frames, n: int, when: Any, status: Any) -> None:
        self._rounds += 1
        if status.output_underflow:
            self._underflows += 1
            if self._underflows & (self._underflows - 1) == 0:
                log.warning("card.underflow count=%d", self._underflows)
        try:
            # both clocks read now: what was waited for the interpreter is not part of the delay
            delay = when.outputBufferDacTime - self._stream.time
            out[:] = self._renderer.block(n, self._local() + delay * 1e6, self._line)
        except Exception:
            log.exception("card.block_failed")
            out[:] = 0
        self._blocks += 1
        if self._blocks % _REPORT == 0:
            ratio = self._renderer.pace.ratio
            ppm = (ratio - 1) * 1e6 if ratio is not None else 0
            log.debug("card.position error=%.1f ppm=%.0f", self._renderer.pace.error, ppm)
