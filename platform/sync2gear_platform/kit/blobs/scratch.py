"""Local files on their way into a store: hashed as they are written, locked while they live."""

import asyncio
import errno
import fcntl
import hashlib
import os
import secrets
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import IO, Protocol

from sync2gear_platform.kit.blobs.port import CHUNK, TooLarge


class Keeper(Protocol):
    """The store that a draft is for."""

    async def prepare(self, draft: "Draft") -> None:
        """See :class:`~sync2gear_platform.kit.blobs.port.Staged`."""
        ...

    async def keep(self, draft: "Draft") -> None:
        """See :class:`~sync2gear_platform.kit.blobs.port.Staged`."""
        ...


class Scratch:
    """A folder of files that are being written; each one's lock says that its writer lives."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @asynccontextmanager
    async def stage(
        self, keeper: Keeper, source: Path | bytes, limit: int
    ) -> AsyncIterator["Draft"]:
        """A copy of ``source``, gone at the end unless it was moved away."""
        copying = asyncio.create_task(asyncio.to_thread(self._copy, keeper, source, limit))
        try:
            draft = await asyncio.shield(copying)
        except asyncio.CancelledError:
            # The thread goes on, and what it makes would be nobody's.
            while not copying.done():
                with suppress(asyncio.CancelledError, OSError, TooLarge):
                    await asyncio.shield(copying)
            if not copying.cancelled() and copying.exception() is None:
                copying.result().drop()
            raise
        try:
            yield draft
        finally:
            # Not in a thread: one that has not begun when this is cancelled never does.
            draft.drop()

    def draft(self, keeper: Keeper) -> "Draft":
        """A new, empty file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return Draft(keeper, self._temporary())

    def sweep(self) -> int:
        """Remove the files of writers that died; returns how many."""
        swept = 0
        for path in self.folder.glob("*"):
            try:
                with path.open("rb") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    path.unlink()
                    swept += 1
            except (BlockingIOError, FileNotFoundError):
                continue
        return swept

    def _copy(self, keeper: Keeper, source: Path | bytes, limit: int) -> "Draft":
        draft = self.draft(keeper)
        try:
            if isinstance(source, bytes):
                draft.write(source, limit)
            else:
                with open_plain(source) as reader:
                    while data := reader.read(CHUNK):
                        draft.write(data, limit)
            # Here rather than when kept: whoever keeps may hold a transaction open.
            draft.sync()
        except BaseException:
            draft.drop()
            raise
        return draft

    def _temporary(self) -> IO[bytes]:
        """A new file whose lock says that its writer lives."""
        while True:
            path = self.folder / secrets.token_hex(16)
            file = path.open("xb")
            fcntl.flock(file, fcntl.LOCK_EX)
            # A sweep may have taken the file between its making and its lock.
            if path.exists():
                return file
            file.close()


class Draft:
    """One file of a :class:`Scratch`."""

    def __init__(self, keeper: Keeper, file: IO[bytes]) -> None:
        self._keeper = keeper
        self._file = file
        self._hash = hashlib.sha256()
        self.path = Path(file.name)
        self.size = 0

    @property
    def sha256(self) -> str:
        """The digest of what was written."""
        return self._hash.hexdigest()

    def write(self, data: bytes, limit: int) -> None:
        """Append ``data``; :class:`TooLarge` beyond ``limit`` bytes in all."""
        self.size += len(data)
        if self.size > limit:
            raise TooLarge(f"At most {limit} bytes are taken here.")
        self._hash.update(data)
        self._file.write(data)

    def sync(self) -> None:
        """Make what was written durable."""
        self._file.flush()
        os.fsync(self._file.fileno())

    async def prepare(self) -> None:
        """See :class:`~sync2gear_platform.kit.blobs.port.Staged`."""
        await self._keeper.prepare(self)

    async def keep(self) -> None:
        """See :class:`~sync2gear_platform.kit.blobs.port.Staged`."""
        await self._keeper.keep(self)

    def drop(self) -> None:
        """Remove the file, if it is still there."""
        with suppress(FileNotFoundError):
            self.path.unlink()
        self._file.close()


def hash_file(path: Path) -> str:
    """The SHA-256 of a plain file; ``OSError`` where it cannot be read or is a link."""
    with open_plain(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def open_plain(path: Path) -> FileIO:
    """Open what is a plain file: a FIFO would block, a device never end, a link lead away."""
    file = FileIO(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "not a plain file")
    return file
