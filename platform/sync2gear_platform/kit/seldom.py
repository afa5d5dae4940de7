"""Warnings that strangers can provoke: said at once, then at most every ten seconds, counted."""

import time
from typing import Any, Final

EVERY_SECONDS: Final = 10.0


class Seldom:
    """A logger for what a misbehaving device repeats; one flood must not hide everything else."""

    def __init__(self, logger: Any) -> None:
        self._logger = logger
        self._said: dict[str, tuple[float, int]] = {}

    def warning(self, event: str, **values: Any) -> None:
        """Log ``event``, with how many like it were left out since the last one."""
        now = time.monotonic()
        at, left_out = self._said.get(event, (-EVERY_SECONDS, 0))
        if now - at < EVERY_SECONDS:
            self._said[event] = at, left_out + 1
            return
        self._said[event] = now, 0
        self._logger.warning(event, left_out=left_out, **values)
