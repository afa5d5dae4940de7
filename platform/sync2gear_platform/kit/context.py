"""The context of one touch: who acts, in whose name, when, and in which transaction."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from sync2gear_platform.kit.clock import frames_of
from sync2gear_platform.kit.db import AsyncSession, Database
from sync2gear_platform.kit.errors import Refusal
from sync2gear_platform.kit.vault import Vault

SELF = "self"
"""The permission over what is one's own: it spans clients, so its transaction is the system's."""


Places = frozenset[UUID]
"""Locations, facilities, floors and zones to which a permission is confined."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody or something that acts. ``permissions`` are the strings of identity's matrix.

    ``confined`` names, for a permission that does not hold in the whole client, where it holds.
    ``session_id`` is the sign-in (or the API token) that speaks; ``withheld`` what it could do if
    its client were not suspended, or (``factor_missing``) once it has set up a second factor.
    """

    kind: Literal["user", "token", "device", "system"]
    id: UUID | None
    client_id: UUID | None
    permissions: frozenset[str] = frozenset()
    label: str = ""
    confined: Mapping[str, Places] = field(default_factory=dict)
    session_id: UUID | None = None
    withheld: frozenset[str] = frozenset()
    factor_missing: bool = False

    def reach(self, permission: str) -> Places | None:
        """Where ``permission`` holds: these places, or the whole client (``None``)."""
        return self.confined.get(permission)


class NoClient(Refusal):
    """This is done in a client: choose one first (``/auth/switch/``)."""

    kind = "conflict"
    code = "no_client"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a touch comes from: the caller's address and what it says of itself."""

    address: str = ""
    agent: str = ""


NOWHERE = Origin()
"""The origin of what the system does by itself."""


@dataclass(frozen=True, slots=True)
class Ctx:
    """Passed to every use case. ``now`` is taken once per touch; ``db`` is its one transaction."""

    db: AsyncSession
    actor: Actor
    now: datetime
    trace: str
    origin: Origin = NOWHERE

    @property
    def client_id(self) -> UUID:
        """The tenant of this touch; :class:`NoClient` where somebody acts in none."""
        if self.actor.client_id is None:
            raise NoClient
        return self.actor.client_id

    @property
    def vault(self) -> Vault:
        """What seals secrets before they are stored; a touch without it is a bug."""
        vault: Vault | None = self.db.info.get("vault")
        if vault is None:
            raise RuntimeError("this touch has no vault")
        return vault

    @property
    def frame(self) -> int:
        """``now`` on the zone clock."""
        return frames_of(self.now)


@asynccontextmanager
async def touch(db: Database, client_id: UUID, now: datetime, label: str) -> AsyncIterator[Ctx]:
    """One transaction as a client, in which the system acts as ``label``."""
    actor = Actor(kind="system", id=None, client_id=client_id, label=label)
    async with db.tenant(client_id) as session:
        yield Ctx(db=session, actor=actor, now=now, trace="")
