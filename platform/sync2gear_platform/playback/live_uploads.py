"""What is being made, in the live view: uploads and announcements, for whoever may read them."""

from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

from sync2gear_platform.kit.context import Actor, touch
from sync2gear_platform.kit.db import Database
from sync2gear_platform.kit.web import Edge
from sync2gear_platform.library import queries
from sync2gear_platform.library.schemas import UploadOut

READS: Final = {
    "track": "music.read",
    "announcement": "announcements.read",
    "recording": "announcements.read",
}
"""The permission to see an upload of a purpose."""


SPOKEN: Final = "announcement"
"""The noun of what is told by its id alone: announcements are of a domain above this one."""


def seen_by(actor: Actor) -> frozenset[str]:
    """Which of these permissions ``actor`` has."""
    return actor.permissions.intersection(READS.values())


async def found(
    db: Database, edge: Edge, client_id: UUID, ids: Collection[UUID]
) -> list[UploadOut]:
    """The uploads as they are now."""
    async with touch(db, client_id, edge.clock.now(), "live view") as ctx:
        return await queries.some_uploads(ctx, ids)


def message(uploads: Sequence[UploadOut], may: frozenset[str]) -> dict[str, Any] | None:
    """One message for all that moved (a folder that is sent must not overrun anybody), if any."""
    seen = [one.model_dump(mode="json") for one in uploads if READS[one.purpose] in may]
    return {"type": "uploads", "uploads": seen} if seen else None


def changed(ids: Collection[UUID], may: frozenset[str]) -> dict[str, Any] | None:
    """That these announcements changed: whoever shows them reads them again."""
    if READS[SPOKEN] not in may:
        return None
    return {"type": "changed", "noun": SPOKEN, "ids": sorted(map(str, ids))}
