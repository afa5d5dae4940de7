"""Blobs by content: bytes named by their SHA-256, put once, read in ranges.

A blob is staged first, read by whoever judges it, and only then kept: what was judged is what is
stored. Names from outside never become part of a path.
"""

import asyncio
import errno
import fcntl
import hashlib
import os
import re
import secrets
import stat
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import IO, Protocol
from urllib.parse import unquote, urlsplit

from sync2gear_platform.kit.errors import Refusal

CHUNK = 1 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")


class TooLarge(Refusal):
    """This is larger than what is taken here."""

    kind = "too_large"
    code = "too_large"


class Staged(Protocol):
    """Bytes on their way into the store: readable at ``path``, gone again unless kept."""

    @property
    def sha256(self) -> str:
        """The digest of exactly the bytes at ``path``."""
        ...

    @property
    def size(self) -> int:
        """How many bytes there are."""
        ...

    @property
    def path(self) -> Path:
        """A local file with the bytes, under a name of the store's own making."""
        ...

    async def keep(self) -> None:
        """Store the bytes durably under their digest; storing the same twice is no error."""
        ...


class Blobs(Protocol):
    """A store of immutable bytes. ``sha256`` arguments that are no digest name nothing."""

    def stage(
        self, source: Path | bytes, *, limit: int = ...
    ) -> AbstractAsyncContextManager[Staged]:
        """Copy and hash ``source``; a context manager of :class:`Staged`.

        Raises :class:`TooLarge` beyond ``limit`` bytes and ``OSError`` where ``source`` cannot be
        read or the store cannot be written.
        """
        ...

    async def size(self, sha256: str) -> int | None:
        """The bytes of a blob, or ``None`` where there is none."""
        ...

    def read(self, sha256: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """Bytes ``start`` to ``stop`` (excluded) in pieces; ``FileNotFoundError`` for none."""
        ...

    async def delete(self, sha256: str) -> None:
        """Forget a blob; forgetting none is no error."""
        ...

    async def sweep(self) -> int:
        """Remove what writers that died left half-written; returns how many files."""
        ...

    def digests(self) -> AsyncIterator[list[str]]:
        """The digests of all blobs, some at a time."""
        ...


def open_blobs(url: str) -> Blobs:
    """The store at ``url``: ``file:///absolute/folder``; ``ValueError`` for anything else."""
    parts = urlsplit(url)
    if parts.scheme != "file":
        raise ValueError(f"S2G_MEDIA_URL: {parts.scheme or 'no'} scheme; use file:///folder")
    path = Path(unquote(parts.path))
    if parts.netloc not in {"", "localhost"} or not path.is_absolute():
        raise ValueError("S2G_MEDIA_URL: a file address needs an absolute path: file:///folder")
    return Folder(path)


class Folder:
    """Blobs in a local folder: ``ab/cd/<sha256>``, written beside and renamed into place."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._staging = root / "staging"

    def path(self, sha256: str) -> Path:
        """Where a blob lies; ``FileNotFoundError`` for what is no digest."""
        if not _SHA256.fullmatch(sha256):
            raise FileNotFoundError("no such blob")
        return self.root / sha256[:2] / sha256[2:4] / sha256

    @asynccontextmanager
    async def stage(self, source: Path | bytes, *, limit: int = 1 << 40) -> AsyncIterator[Staged]:
        """See :class:`Blobs`."""
        staging = asyncio.create_task(asyncio.to_thread(self._stage, source, limit))
        try:
            staged = await asyncio.shield(staging)
        except asyncio.CancelledError:
            # The thread goes on, and what it makes would be nobody's.
            while not staging.done():
                with suppress(asyncio.CancelledError, OSError, TooLarge):
                    await asyncio.shield(staging)
            if not staging.cancelled() and staging.exception() is None:
                staging.result().drop()
            raise
        try:
            yield staged
        finally:
            # Not in a thread: one that has not begun when this is cancelled never does.
            staged.drop()

    async def size(self, sha256: str) -> int | None:
        """See :class:`Blobs`."""
        try:
            return (await asyncio.to_thread(os.stat, self.path(sha256))).st_size
        except FileNotFoundError:
            return None

    async def read(
        self, sha256: str, start: int = 0, stop: int | None = None
    ) -> AsyncIterator[bytes]:
        """See :class:`Blobs`."""
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
        """See :class:`Blobs`."""
        with suppress(FileNotFoundError):
            await asyncio.to_thread(os.unlink, self.path(sha256))

    async def sweep(self) -> int:
        """See :class:`Blobs`."""
        return await asyncio.to_thread(self._sweep)

    async def digests(self) -> AsyncIterator[list[str]]:
        """See :class:`Blobs`."""
        for first in range(256):
            paths = await asyncio.to_thread(_below, self.root / f"{first:02x}")
            found = [path.name for path in paths if _SHA256.fullmatch(path.name)]
            if found:
                yield found

    def _stage(self, source: Path | bytes, limit: int) -> "_StagedFile":
        self._staging.mkdir(parents=True, exist_ok=True)
        file = self._temporary()
        staged = _StagedFile(self, file)
        try:
            if isinstance(source, bytes):
                staged.write(source, limit)
            else:
                with _open_plain(source) as reader:
                    while data := reader.read(CHUNK):
                        staged.write(data, limit)
            # Here rather than when kept: whoever keeps may hold a transaction open.
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            staged.drop()
            raise
        return staged

    def _temporary(self) -> IO[bytes]:
        """A new file whose lock says that its writer lives."""
        while True:
            path = self._staging / secrets.token_hex(16)
            file = path.open("xb")
            fcntl.flock(file, fcntl.LOCK_EX)
            # A sweep may have taken the file between its making and its lock.
            if path.exists():
                return file
            file.close()

    def _sweep(self) -> int:
        swept = 0
        for path in self._staging.glob("*"):
            try:
                with path.open("rb") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    path.unlink()
                    swept += 1
            except (BlockingIOError, FileNotFoundError):
                continue
        return swept


class _StagedFile:
    """One file of a :class:`Folder`'s staging."""

    def __init__(self, store: Folder, file: IO[bytes]) -> None:
        self._store = store
        self._file = file
        self._hash = hashlib.sha256()
        self.path = Path(file.name)
        self.size = 0

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def write(self, data: bytes, limit: int) -> None:
        self.size += len(data)
        if self.size > limit:
            raise TooLarge(f"At most {limit} bytes are taken here.")
        self._hash.update(data)
        self._file.write(data)

    async def keep(self) -> None:
        await asyncio.to_thread(self._keep)

    def _keep(self) -> None:
        target = self._store.path(self.sha256)
        for folder in (target.parent.parent, target.parent):
            if not folder.exists():
                folder.mkdir(exist_ok=True)
                _sync_folder(folder.parent)
        self.path.rename(target)
        _sync_folder(target.parent)

    def drop(self) -> None:
        with suppress(FileNotFoundError):
            self.path.unlink()
        self._file.close()


def _sync_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _below(folder: Path) -> list[Path]:
    return list(folder.glob("??/*"))


def hash_file(path: Path) -> str:
    """The SHA-256 of a plain file; ``OSError`` where it cannot be read or is a link."""
    with _open_plain(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _open_plain(path: Path) -> FileIO:
    """Open what is a plain file: a FIFO would block, a device never end, a link lead away."""
    file = FileIO(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "not a plain file")
    return file
