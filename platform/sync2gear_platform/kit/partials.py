"""Files that arrive piece by piece: appended to, made durable, and told how far they have come.

A file's length is the truth about how much of it is here. Nothing is told before it is on the
disk. Two writers of one file cannot spoil it: each piece is written only where the file ends.
"""

import asyncio
import errno
import fcntl
import hashlib
import os
import tempfile
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Final, ParamSpec, TypeVar, cast
from uuid import UUID

from sync2gear_platform.kit.errors import Kind, Refusal

CHUNK: Final = 1 << 20
"""Bytes that are gathered before they are written: fewer switches of thread."""

_SUFFIX: Final = ".part"
P = ParamSpec("P")
R = TypeVar("R")


class OffsetMismatch(Refusal):
    """The file is not as long as you believe: ask how far it has come, and go on from there."""

    kind: Kind = "conflict"
    code = "offset_mismatch"


class TooMuch(Refusal):
    """These are more bytes than the file was said to have."""

    kind: Kind = "too_large"
    code = "too_large"


class ChecksumMismatch(Refusal):
    """What arrived is not what was sent: nothing of it was taken, send it again."""

    code = "checksum_mismatch"


class DiskFull(Refusal):
    """There is no room on the server's disk: tell whoever runs it."""

    kind: Kind = "unavailable"
    code = "disk_full"


class Partials:
    """A folder of files on their way, each under an id of ours."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, key: UUID) -> Path:
        """Where a file grows; it exists from its first byte on."""
        return self.root / f"{key}{_SUFFIX}"

    async def size(self, key: UUID) -> int:
        """How many bytes are here for good; 0 for a file that has not begun."""
        return await asyncio.to_thread(self._size, key)

    async def append(self, key: UUID, at: int, data: AsyncIterator[bytes], *, limit: int) -> int:
        """Append ``data`` from offset ``at`` on; returns the durable length.

        Whatever ends it, what was written stays. Raises :class:`OffsetMismatch` where the file
        does not end at ``at``, also when another writer comes in between, :class:`TooMuch`
        beyond ``limit`` bytes, :class:`DiskFull`, and what ``data`` raises.
        """
        writer = await asyncio.to_thread(_Writer, self, key, at, limit)
        try:
            async for piece in _gathered(data):
                await asyncio.to_thread(writer.write, piece)
        finally:
            await asyncio.to_thread(writer.finish)
        return writer.position

    async def append_checked(
        self,
        key: UUID,
        at: int,
        data: AsyncIterator[bytes],
        *,
        limit: int,
        algorithm: str,
        digest: bytes,
    ) -> int:
        """Append all of ``data`` if it has this digest, otherwise raise and append nothing."""
        writer = await asyncio.to_thread(_Writer, self, key, at, limit)
        # Without a name: it is gone when this ends, however it ends.
        side = await asyncio.to_thread(_nameless, self.root)
        found = hashlib.new(algorithm, usedforsecurity=False)
        held = 0
        try:
            async for piece in _gathered(data):
                held += len(piece)
                if at + held > limit:
                    raise TooMuch
                found.update(piece)
                await asyncio.to_thread(_spool, side, piece)
            if found.digest() != digest:
                raise ChecksumMismatch
            await asyncio.to_thread(_copy, side, writer)
        finally:
            await asyncio.to_thread(writer.finish)
            await asyncio.to_thread(side.close)
        return writer.position

    async def remove(self, key: UUID) -> None:
        """Forget a file; forgetting none is no error."""
        with suppress(FileNotFoundError):
            await asyncio.to_thread(os.unlink, self.path(key))

    async def keys(self) -> list[UUID]:
        """The ids of all files that are here."""
        return await asyncio.to_thread(self._keys)

    def _size(self, key: UUID) -> int:
        try:
            descriptor = os.open(self.path(key), os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return 0
        try:
            size = os.fstat(descriptor).st_size
            os.fsync(descriptor)  # a writer may be under way: what is told has to stay
            return size
        finally:
            os.close(descriptor)

    def _keys(self) -> list[UUID]:
        found = []
        for path in self.root.glob(f"*{_SUFFIX}"):
            with suppress(ValueError):
                found.append(UUID(path.stem))
        return found


class _Writer:
    """One request's hold on a file."""

    def __init__(self, store: Partials, key: UUID, at: int, limit: int) -> None:
        store.root.mkdir(parents=True, exist_ok=True)
        path = store.path(key)
        is_new = not path.exists()
        self.position = at
        self._limit = limit
        # A write that was cancelled goes on in its thread: nobody closes the file under it.
        self._lock = threading.Lock()
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o600)
        if os.fstat(self._descriptor).st_size != at:
            os.close(self._descriptor)
            raise OffsetMismatch
        if is_new:
            _sync_folder(store.root)

    def write(self, data: bytes) -> None:
        """Write where the file ends, which has to be where this writer stopped."""
        with self._lock:
            if self.position + len(data) > self._limit:
                raise TooMuch
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            try:
                if os.fstat(self._descriptor).st_size != self.position:
                    raise OffsetMismatch
                left = memoryview(data)
                while left:
                    written = _guarded(os.pwrite, self._descriptor, left, self.position)
                    self.position += written
                    left = left[written:]
            finally:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def finish(self) -> None:
        """Make durable what was written."""
        with self._lock:
            try:
                _guarded(os.fsync, self._descriptor)
            finally:
                os.close(self._descriptor)


def _guarded(call: Callable[P, R], *args: P.args, **more: P.kwargs) -> R:
    """``call``, where a full disk is a refusal and no bug of ours."""
    try:
        return call(*args, **more)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFull from error
        raise


def _nameless(folder: Path) -> IO[bytes]:
    return cast("IO[bytes]", tempfile.TemporaryFile(dir=folder))


def _spool(side: IO[bytes], piece: bytes) -> None:
    _guarded(side.write, piece)


def _copy(side: IO[bytes], writer: _Writer) -> None:
    side.seek(0)
    while piece := side.read(CHUNK):
        writer.write(piece)


async def _gathered(data: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """``data`` in pieces of about ``CHUNK``; the last bytes also where ``data`` raises."""
    held = bytearray()
    try:
        async for piece in data:
            held += piece
            if len(held) >= CHUNK:
                yield bytes(held)
                held = bytearray()
    except Exception:
        if held:
            yield bytes(held)
        raise
    if held:
        yield bytes(held)


def _sync_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
