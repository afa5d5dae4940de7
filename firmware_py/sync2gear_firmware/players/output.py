"""What outputs that are heard have in common: they are opened anew, and kept so full."""

import logging
from abc import abstractmethod
from collections.abc import Callable
from typing import Final

from sync2gear_broker.units import FRAME_RATE
from sync2gear_firmware.facts import Trouble
from sync2gear_firmware.limiter import LOOK
from sync2gear_firmware.player import Player
from sync2gear_firmware.players import Health
from sync2gear_firmware.players.depth import Depth, judged
from sync2gear_firmware.players.tended import Tended
from sync2gear_firmware.renderer import Renderer

log = logging.getLogger(__name__)

BLOCK: Final = 960
"""Frames that are rendered at once: each block costs as much for itself as for what is in it."""
MOST_REST: Final = 0.04
"""Seconds for which an output is let empty itself before it is looked at again."""
SECOND: Final = 1.0
_RETRY = 3


class Output(Tended):
    """A sink with a device that may not be there, or go away: tried again every few seconds.

    It is kept filled as far as the depth in force says: what is held is rendered sooner or later,
    and heard when it would have been. ``tell`` hears whether the device is there.
    """

    def __init__(
        self, player: Player, local: Callable[[], int], tell: Callable[[Trouble], None]
    ) -> None:
        super().__init__("card")
        self._player = player
        self._local = local
        self._tell = tell
        self._renderer = Renderer(player)
        self._underflows = 0
        self._depth = Depth()
        self._least: float | None = None
        self._empty = False

    @property
    def ahead(self) -> int:
        """What the device holds when it is given more, the block it is given, and the limiter's."""
        return self._depth.millis * 1000 + round((BLOCK / FRAME_RATE + LOOK) * 1e6)

    def health(self) -> Health:
        """A round is a block that was rendered, or an attempt to open the device."""
        known = self._renderer.last is not None
        off = self._renderer.pace.error / FRAME_RATE * 1000 if known else None
        return Health(self._rounds, off, self._underflows)

    @abstractmethod
    def _try(self) -> str:
        """Open the device, with ``_begin``; a word about it for the log. Raises if it cannot."""

    @abstractmethod
    def _close(self) -> None:
        """Close the device, if it is open."""

    @abstractmethod
    def _sounds(self) -> bool:
        """Whether the device is open and takes frames."""

    def _pass(self, seconds: float) -> None:
        """Let time pass, until the sink is to stop at the most."""
        self._stop.wait(seconds)

    def _begin(self, rate: int) -> None:
        """The device is opened anew: at ``rate`` the zone is read."""
        self._renderer = Renderer(self._player, rate)
        self._least, self._empty = None, False

    def _run(self) -> None:
        looks = 0
        while self._mine() and not self._stop.is_set():
            if looks == 0 or (looks % _RETRY == 0 and not self._sounds()):
                self._rounds += 1
                self._open()
            self._judge()
            looks += 1
            self._pass(SECOND)
        if self._mine():
            self._close()

    def _open(self) -> None:
        self._close()
        try:
            about = self._try()
        except (OSError, ValueError) as error:
            log.warning("card.failed error=%r", str(error))
            self._tell(Trouble("card", str(error)))
            self._close()
            return
        log.info("card.open %s", about)
        self._tell(Trouble("card", None))

    def _judge(self) -> None:
        least, self._least = self._least, None
        if least is None:
            return
        before, self._depth = self._depth, judged(self._depth, least, self._local() // 1000)
        if self._depth.step != before.step:
            text = "card.depth millis=%d before=%d least=%.0f"
            log.info(text, self._depth.millis, before.millis, least)

    def _notice(self, held: float, *, empty: bool) -> None:
        """The device held ``held`` ms yet when it was given more; ``empty``: sound broke."""
        if empty and not self._empty:
            self._underflows += 1
            if self._underflows & (self._underflows - 1) == 0:
                log.warning("card.underflow count=%d", self._underflows)
        self._empty = empty
        self._least = held if self._least is None else min(self._least, held)
