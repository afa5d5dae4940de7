"""Where the bytes of uploads lie until something is made of them: here, or in the store itself."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sync2gear_platform.kit.blobs import Blobs, Direct, Staged
from sync2gear_platform.kit.errors import Kind, Refusal
from sync2gear_platform.kit.partials import Partials
from sync2gear_platform.library import rules
from sync2gear_platform.library.tables import Upload

DIRECT: Final = "direct"
"""``Upload.via`` of what goes straight into the store."""


class NoDirect(Refusal):
    """This installation takes no uploads straight into its store: send the file by tus."""

    kind: Kind = "conflict"
    code = "no_direct_uploads"


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Both places. An upload's id is the name of its bytes in either."""

    partials: Partials
    blobs: Blobs

    @property
    def direct(self) -> Direct:
        """The store's own way in; raises :class:`NoDirect` where there is none."""
        if self.blobs.direct is None:
            raise NoDirect
        return self.blobs.direct

    def staged(self, row: Upload) -> AbstractAsyncContextManager[Staged]:
        """All bytes of an upload, read and hashed; ``FileNotFoundError``, ``TooLarge``."""
        if row.via == DIRECT:
            return self.direct.staged(row.id, limit=rules.MAX_BYTES)
        return self.blobs.stage(self.partials.path(row.id), limit=rules.MAX_BYTES)

    async def size(self, row: Upload) -> int:
        """How many bytes are here for good; of what is in parts none are."""
        if row.via == DIRECT:
            return await self.direct.size(row.id) or 0
        return await self.partials.size(row.id)

    async def forget(self, upload_id: UUID, via: str) -> None:
        """Remove the bytes of an upload, if any."""
        if via != DIRECT:
            await self.partials.remove(upload_id)
        elif self.blobs.direct is not None:
            await self.blobs.direct.drop(upload_id)

    async def found(self) -> list[tuple[UUID, str]]:
        """Whose bytes lie here, and how they came (``tus`` stands for all that grew here)."""
        here = [(key, "tus") for key in await self.partials.keys()]
        if self.blobs.direct is None:
            return here
        return here + [(name, DIRECT) for name in await self.blobs.direct.names()]
