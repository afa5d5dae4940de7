"""Who uses folders, tracks, announcements or channels: asked of every domain before they go.

Domains above this one say so themselves: the composition roots register what asks them.
"""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import asdict, dataclass
from typing import Any, Literal
from uuid import UUID

from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import Refusal

MOST = 50
"""Users that an answer names; who is beyond is counted by nobody."""

Kind = Literal["folder", "track", "announcement", "channel"]


@dataclass(frozen=True, slots=True)
class Use:
    """One user: what it is (zone, announcement, template, …), which, and what it is called."""

    kind: str
    id: UUID
    name: str


Asker = Callable[[Ctx, Kind, Collection[UUID]], Awaitable[list[Use]]]
"""Answers for all of some subjects of one kind at once: a thousand cost what one does."""

_askers: dict[str, Asker] = {}


class InUse(Refusal):
    """Something uses this: see ``used_by``, and repeat with ``?force=true`` to remove it anyway."""

    kind = "conflict"
    code = "in_use"


def register(domain: str, asker: Asker) -> None:
    """Let ``domain`` be asked; said twice, the last counts."""
    _askers[domain] = asker


async def of(ctx: Ctx, kind: Kind, subjects: Collection[UUID]) -> list[Use]:
    """Everybody outside of ``subjects`` who uses any of them, once."""
    told = [use for asker in _askers.values() for use in await asker(ctx, kind, subjects)]
    return [use for use in dict.fromkeys(told) if use.kind != kind or use.id not in subjects][:MOST]


async def refuse(ctx: Ctx, kind: Kind, *subjects: UUID) -> None:
    """Raise :class:`InUse` where anybody does."""
    users = await of(ctx, kind, set(subjects))
    if users:
        shown: list[dict[str, Any]] = [{**asdict(u), "id": str(u.id)} for u in users]
        raise InUse(used_by=shown)
