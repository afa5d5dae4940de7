"""Browsers and programs that watch live: what each may see, and what waits for it."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from sync2gear_platform.kit.context import Places
from sync2gear_platform.playback.happenings import Story

MAX_QUEUED: Final = 64
"""Messages that may wait for a browser; a slower one is sent away and comes back afresh."""


@dataclass(eq=False)
class Seat:
    """A browser that watches: all zones of its client, or one; and the ``plays`` that it named.

    ``story``: it is told what happens, too; ``moved`` is set whenever more is known of that.
    """

    client_id: UUID
    zone_id: UUID | None
    reach: Places | None = None
    may: frozenset[str] = frozenset()
    queue: asyncio.Queue[dict[str, Any] | None] = field(
        default_factory=lambda: asyncio.Queue(MAX_QUEUED)
    )
    overrun: bool = False
    plays: set[UUID] = field(default_factory=set)
    story: Story | None = None
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    def offer(self, message: dict[str, Any]) -> None:
        """Let ``message`` wait for the browser; one too many ends the connection."""
        happened = self._follow(message)
        try:
            self.queue.put_nowait(message)
        except asyncio.QueueFull:
            self.overrun = True
        if happened:
            self.offer({"type": "events", "events": happened})

    def _follow(self, message: dict[str, Any]) -> list[dict[str, Any]]:
        """What happened, as far as the zones that ``message`` tells of say it."""
        if self.story is None or message["type"] not in {"zone", "snapshot"}:
            return []
        zones = [message["zone"]] if message["type"] == "zone" else message["zones"]
        if message["type"] == "snapshot":
            here = {str(zone["zone_id"]) for zone in zones}
            self.story.forget(self.story.views.keys() - here)
        self.moved.set()
        return [one for zone in zones for one in self.story.learn(zone)]
