"""Browsers and programs that watch live: what each may see, and what waits for it."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from sync2gear_platform.kit.context import Places

MAX_QUEUED: Final = 64
"""Messages that may wait for a browser; a slower one is sent away and comes back afresh."""


@dataclass(eq=False)
class Seat:
    """A browser that watches: all zones of its client, or one; and the ``plays`` that it named."""

    client_id: UUID
    zone_id: UUID | None
    reach: Places | None = None
    may: frozenset[str] = frozenset()
    queue: asyncio.Queue[dict[str, Any] | None] = field(
        default_factory=lambda: asyncio.Queue(MAX_QUEUED)
    )
    overrun: bool = False
    plays: set[UUID] = field(default_factory=set)

    def offer(self, message: dict[str, Any]) -> None:
        """Let ``message`` wait for the browser; one too many ends the connection."""
        try:
            self.queue.put_nowait(message)
        except asyncio.QueueFull:
            self.overrun = True
