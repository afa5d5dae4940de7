"""The sink that is heard: a sound card through PortAudio, its heard position on the zone clock."""

import ctypes
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import sounddevice

from sync2gear_broker.units import FRAME_RATE
from sync2gear_firmware.clock import Line
from sync2gear_firmware.facts import Trouble
from sync2gear_firmware.limiter import LOOK
from sync2gear_firmware.player import Player
from sync2gear_firmware.players import Health
from sync2gear_firmware.players.depth import STEPS, Depth, judged
from sync2gear_firmware.renderer import Renderer
from sync2gear_firmware.resample import Frames

log = logging.getLogger(__name__)

BLOCK: Final = 480
_LATENCY = STEPS[-1] / 1000 - 0.01
_PERIODS = 13
"""Of 20 ms, two blocks, so that PulseAudio takes no more than that at a time."""
_MOST_REST = 0.04
"""Seconds for which the card is let empty itself before it is given more, whatever it reports."""
_EMPTY = 5.0
_REPORT = 100
_LOOK = 1.0
_RETRY = 3
_NOT_AT_THIS_RATE = -9997
"""paInvalidSampleRate of portaudio.h."""


class CardSink:
    """Plays through PortAudio; the callback renders, from media that is decoded already.

    A card that is not there, or goes away, is tried again every few seconds; ``tell`` hears so.
    It is opened with the largest buffer and kept filled as far as the depth in force says, so that
    another depth needs no other opening: what is held is rendered sooner or later, and heard when
    it would have been.
    """

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
        self._depth = Depth()
        self._least: float | None = None
        self._empty = False
        self._asked = 0.0
        self._stream: Any = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._attend, name="card", daemon=True)

    @property
    def ahead(self) -> int:
        """What the card holds when it is given more, one block of two, and the limiter's."""
        return self._depth.millis * 1000 + round((BLOCK / FRAME_RATE + LOOK) * 1e6)

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
        looks = 0
        while threading.current_thread() is self._thread:
            if looks == 0 or (looks % _RETRY == 0 and not (self._stream and self._stream.active)):
                self._rounds += 1
                self._open()
            self._judge()
            looks += 1
            if self._stop.wait(_LOOK):
                break
        if threading.current_thread() is self._thread:
            self._close()

    def _judge(self) -> None:
        least, self._least = self._least, None
        if least is None:
            return
        before, self._depth = self._depth, judged(self._depth, least, self._local() // 1000)
        if self._depth.step != before.step:
            text = "card.depth millis=%d before=%d least=%.0f"
            log.info(text, self._depth.millis, before.millis, least)

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
        self._least, self._empty = None, False
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
            self._notice(delay, now, flagged=bool(status.output_underflow))
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
        """Before the first of the blocks that the card is given at once: wait until it needs them.

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
            time.sleep(min(over, _MOST_REST))

    def _notice(self, held: float, now: int, *, flagged: bool) -> None:
        """What the card holds yet, by its report; where that is nothing, how late this is.

        PulseAudio does not say that it ran empty, and an ALSA driver that did is full of silence.
        """
        heard = self._renderer.pace.next
        if heard is None:  # just opened: nothing sounds yet
            return
        empty = flagged or held < _EMPTY
        if empty:
            held = min(0.0, held, (heard - now) / 1000)
            if not self._empty:
                self._underflows += 1
                if self._underflows & (self._underflows - 1) == 0:
                    log.warning("card.underflow count=%d", self._underflows)
        self._empty = empty
        self._least = held if self._least is None else min(self._least, held)


def _ask_for_periods() -> None:
    """Of the smallest size: PortAudio would make four out of any buffer. Only ALSA has such."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libportaudio.so.2").PaAlsa_SetNumPeriods(_PERIODS)
