"""Blobs in a local folder: ``ab/cd/<sha256>``, written beside and renamed into place."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import Literal

from sync2gear_platform.kit.blobs.port import CHUNK, SHA256, Shown, Staged
from sync2gear_platform.kit.blobs.scratch import Draft, Scratch


class Folder:
    """See :class:`~sync2gear_platform.kit.blobs.port.Blobs`."""

    direct = None
    """Browsers reach no folder: uploads go through the api."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._scratch = Scratch(root / "staging")

    def path(self, sha256: str) -> Path:
        """Where a blob lies; ``FileNotFoundError`` for what is no digest."""
        if not SHA256.fullmatch(sha256):
            raise FileNotFoundError("no such blob")
        return self.root / sha256[:2] / sha256[2:4] / sha256

    def stage(
        self, source: Path | bytes, *, limit: int = 1 << 40
    ) -> AbstractAsyncContextManager[Staged]:
        """See :class:`~sync2gear_platform.kit.blobs.port.Blobs`."""
        return self._scratch.stage(self, source, limit)

    async def prepare(self, _: Draft) -> None:
        """Nothing: a rename is quick."""

    async def keep(self, draft: Draft) -> None:
        """Move a draft to its place."""
        await asyncio.to_thread(self._keep, draft)

    @asynccontextmanager
    async def local(self, sha256: str) -> AsyncIterator[Path]:
        """See :class:`~sync2gear_platform.kit.blobs.port.Blobs`."""
        if await self.size(sha256) is None:
            raise FileNotFoundError("no such blob")
        yield self.path(sha256)

    async def size(self, sha256: str) -> int | None:
        """See :class:`~sync2gear_platform.kit.blobs.port.Blobs`."""
        try:
            return (await asyncio.to_thread(os.stat, self.path(sha256))).st_size
        except FileNotFoundError:
            return None

    async def read(
        self, sha256: str, start: int = 0, stop: int | None = None
    ) -> AsyncIterator[bytes]:
        """See :class:`~sync2gear_platform.kit.blobs.port.Blobs`."""
        file = await asyncio.to_thread(open, self.path(sha256), "rb")
        try:
            await asyncio.to_thread(file.seek, start)
            left = (1 << 62) if stop is None else stop - start
            while left > 0 and (data := await asyncio.to_thread(file.read, min(CHUNK, left))):
                left -= len(data)
                yield data
        finally:
            await asyncio.to_thread(file.close)

    async def delete(self, sha256: str) -> None:
        """See :class:`~sync2gear_platform.kit.blobs.port.Blobs`."""
        with suppress(FileNotFoundError):
            await asyncio.to_thread(os.unlink, self.path(sha256))

    async def sweep(self) -> int:
        """See :class:`~sync2gear_platform.kit.blobs.port.Blobs`."""
        return await asyncio.to_thread(self._scratch.sweep)

    async def digests(self) -> AsyncIterator[list[str]]:
        """See :class:`~sync2gear_platform.kit.blobs.port.Blobs`."""
        for first in range(256):
            paths = await asyncio.to_thread(_below, self.root / f"{first:02x}")
            found = [path.name for path in paths if SHA256.fullmatch(path.name)]
            if found:
                yield found

    async def address(
        self, sha256: str, shown: Shown, *, method: Literal["GET", "HEAD"], seconds: int
    ) -> str | None:
        """See :class:`~sync2gear_platform.kit.blobs.port.Blobs`: a folder has no address."""
        del sha256, shown, method, seconds
        return None

    def _keep(self, draft: Draft) -> None:
        target = self.path(draft.sha256)
        for folder in (target.parent.parent, target.parent):
            if not folder.exists():
                folder.mkdir(exist_ok=True)
                _sync_folder(folder.parent)
        draft.path.rename(target)
        _sync_folder(target.parent)


def _sync_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _below(folder: Path) -> list[Path]:
    return list(folder.glob("??/*"))
