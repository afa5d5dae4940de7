"""Looks after the parts of the speaker, and tells the system that the sound goes on."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sync2gear_firmware.machine import notify
from sync2gear_firmware.watch import Pulse, hung

log = logging.getLogger(__name__)

EVERY: Final = 5.0
"""Seconds between two looks."""
_LATE: Final = 2 * EVERY


@dataclass(frozen=True, slots=True)
class Part:
    """How often a part has gone round, for how many seconds it may stand, how it begins again."""

    rounds: Callable[[], int]
    patience: int
    renew: Callable[[], None]


class Supervisor:
    """Finds parts that stand still and begins them again; ``look`` from the main loop.

    systemd's watchdog is fed only when ``renders`` has gone round since it was fed last: it hears
    of the main loop and of the loop that renders at once.
    """

    def __init__(self, parts: Mapping[str, Part], renders: Callable[[], int]) -> None:
        self._parts = parts
        self._renders = renders
        self._rendered = -1
        self._patience = {name: part.patience for name, part in parts.items()}
        self._pulses: dict[str, Pulse] = {}
        self._looked = time.monotonic()

    def look(self) -> bool:
        """Look if it is time; whether it was."""
        # monotonic stops while the machine sleeps
        now = time.monotonic()
        since = now - self._looked
        if since < EVERY:
            return False
        self._looked = now
        if (rendered := self._renders()) != self._rendered:
            self._rendered = rendered
            notify("WATCHDOG=1")
        if since > _LATE:  # we stood ourselves: that others did says nothing
            self._pulses = {}
        rounds = {name: part.rounds() for name, part in self._parts.items()}
        self._pulses, found = hung(self._pulses, rounds, self._patience, int(now))
        for name in found:
            log.error("supervisor.hung part=%s action=renew", name)
            self._parts[name].renew()
        return True
