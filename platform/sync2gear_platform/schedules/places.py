"""Where a schedule holds: targets less exceptions, and how narrow what names a zone is."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sync2gear_platform.schedules.layers import BREADTHS
from sync2gear_platform.schedules.model import Breadth


@dataclass(frozen=True, slots=True)
class Place:
    """Where a zone is, and the tags that it has."""

    zone: UUID
    location: UUID
    floor: UUID | None = None
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Target:
    """Places that are meant, or (``excluded``) not: all of the client, one of it, or a tag."""

    scope: Literal["client", "location", "floor", "zone", "tag"]
    subject: UUID | str = ""
    excluded: bool = False

    def names(self, place: Place) -> bool:
        """Whether the zone is among them."""
        if self.scope == "client":
            return True
        if self.scope == "tag":
            return self.subject in place.tags
        return bool(self.subject == getattr(place, self.scope))


def breadth(targets: Iterable[Target], place: Place) -> Breadth | None:
    """The narrowest of the targets that name a zone; ``None`` where none does, or an exception."""
    naming = [target for target in targets if target.names(place)]
    if not naming or any(target.excluded for target in naming):
        return None
    return min((target.scope for target in naming), key=BREADTHS.index)
