"""The sink that is heard: a sound card through PortAudio, its heard position on the zone clock."""

import ctypes
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import sounddevice

from sync2gear_broker.units import FRAME_RATE
from sync2gear_firmware.facts import Trouble
from sync2gear_firmware.player import Player
from sync2gear_firmware.players.depth import STEPS
from sync2gear_firmware.players.output import BLOCK, MOST_REST, Output
from sync2gear_firmware.resample import Frames

log = logging.getLogger(__name__)

_LATENCY = STEPS[-1] / 1000 - 0.01
_PERIODS = 13
"""Of 20 ms, a block, so that PulseAudio takes no more than that at a time."""
_EMPTY: Final = 5.0
_REPORT = 100
_NOT_AT_THIS_RATE = -9997
"""paInvalidSampleRate of portaudio.h."""


class CardSink(Output):
    """Plays through PortAudio; the callback renders, from media that is decoded already.

    The card is opened with the largest buffer, so that another depth needs no other opening.
    """

    def __init__(
        self,
        player: Player,
        local: Callable[[], int],
        device: str,
        tell: Callable[[Trouble], None],
    ) -> None:
        super().__init__(player, local, tell)
        self._device = device or None
        self._blocks = 0
        self._asked = 0.0
        self._stream: Any = None

    def _sounds(self) -> bool:
        return self._stream is not None and self._stream.active

    def _try(self) -> str:
        try:
            try:
                self._play(FRAME_RATE)
            except sounddevice.PortAudioError as error:
                if _NOT_AT_THIS_RATE not in error.args:
                    raise
                card = sounddevice.query_devices(self._device, "output")
                self._play(round(card["default_samplerate"]))
        except sounddevice.PortAudioError as error:
            raise OSError(f"{self._device!r}: {error}") from error
        rate, latency = self._stream.samplerate, self._stream.latency
        return f"device={self._device!r} rate={rate:.0f} latency={latency:.3f}"

    def _open(self) -> None:
        super()._open()
        if self._stream is None:
            # PortAudio knows only the cards that were there when it began: one plugged in later,
            # or again, would never be found
            sounddevice._terminate()  # noqa: SLF001 - it has no public name, and is documented
            sounddevice._initialize()  # noqa: SLF001 - the other half of it, documented too

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _play(self, rate: int) -> None:
        """Open the card at ``rate``; the zone is read at that of its own crystal."""
        self._begin(rate)
        _ask_for_periods()
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
        try:
            self._rest(when)
            # both clocks read now: what was waited for the interpreter is not part of the delay
            delay, now = (when.outputBufferDacTime - self._stream.time) * 1e3, self._local()
            self._look(delay, now, flagged=bool(status.output_underflow))
            out[:] = self._renderer.block(n, now + delay * 1e3, self._line)
        except Exception:
            log.exception("card.block_failed")
            out[:] = 0
        self._blocks += 1
        if self._blocks % _REPORT == 0:
            ratio = self._renderer.pace.ratio
            ppm = (ratio - 1) * 1e6 if ratio is not None else 0
            log.debug("card.position error=%.1f ppm=%.0f", self._renderer.pace.error, ppm)

    def _rest(self, when: Any) -> None:
        """Before the first of the blocks that the card is given at once: wait until it needs it.

        A callback may not take its time, they say: for then the buffer empties, which is wanted.
        """
        asked, self._asked = self._asked, when.currentTime
        heard = self._renderer.pace.next
        if asked == when.currentTime:
            return
        if heard is not None:
            held = (heard - self._local()) / 1e6
        else:
            held = when.outputBufferDacTime - self._stream.time
        over = held - self._depth.millis / 1000
        if over > 0:
            time.sleep(min(over, MOST_REST))

    def _look(self, held: float, now: int, *, flagged: bool) -> None:
        """What the card holds yet, by its report; where that is nothing, how late this is.

        PulseAudio does not say that it ran empty, and an ALSA driver that did is full of silence.
        """
        heard = self._renderer.pace.next
        if heard is None:  # just opened: nothing sounds yet
            return
        empty = flagged or held < _EMPTY
        if empty:
            held = min(0.0, held, (heard - now) / 1000)
        self._notice(held, empty=empty)


def _ask_for_periods() -> None:
    """Of the smallest size: PortAudio would make four out of any buffer. Only ALSA has such."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libportaudio.so.2").PaAlsa_SetNumPeriods(_PERIODS)
