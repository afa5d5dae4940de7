"""The context of one touch: who acts, in whose name, when, and in which transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sync2gear_platform.kit.clock import frames_of
from sync2gear_platform.kit.db import AsyncSession

SELF = "self"
"""The permission over what is one's own: it spans clients, so its transaction is the system's."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody or something that acts. ``permissions`` are the strings of identity's matrix."""

    kind: Literal["user", "device", "system"]
    id: UUID | None
    client_id: UUID | None
    permissions: frozenset[str] = frozenset()
    label: str = ""


@dataclass(frozen=True, slots=True)
class Ctx:
    """Passed to every use case. ``now`` is taken once per touch; ``db`` is its one transaction."""

    db: AsyncSession
    actor: Actor
    now: datetime
    trace: str

    @property
    def client_id(self) -> UUID:
        """The tenant of this touch; a touch without one is a bug."""
        if self.actor.client_id is None:
            raise RuntimeError("this touch has no client")
        return self.actor.client_id

    @property
    def frame(self) -> int:
        """``now`` on the zone clock."""
        return frames_of(self.now)
