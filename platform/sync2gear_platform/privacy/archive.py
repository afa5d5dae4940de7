"""An archive on its way: a ZIP that is written piece by piece and exists only when it is whole.

Nothing of it is held in memory but one piece. Compressing blocks, so that pieces are written in a
thread; the file gets its final name by renaming, after all of it is on the disk.
"""

import asyncio
import hashlib
import json
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

PART: Final = ".part"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the archive as its manifest says it; ``rows`` where it is a table."""

    name: str
    bytes: int
    sha256: str
    rows: int | None = None


def path_of(folder: Path, export_id: UUID) -> Path:
    """Where a finished archive lies."""
    return folder / f"{export_id}.zip"


class Archive:
    """The archive while it is written: one file in it after another."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: list[Entry] = []
        self._zip = ZipFile(path, "x", ZIP_DEFLATED, allowZip64=True)

    async def add(
        self, name: str, pieces: AsyncIterator[bytes], *, packed: bool = True, rows: bool = False
    ) -> Entry:
        """Write ``pieces`` as the file ``name``; a table has a row in each line."""
        info = ZipInfo(name, (2000, 1, 1, 0, 0, 0))
        info.compress_type = ZIP_DEFLATED if packed else ZIP_STORED
        info.external_attr = 0o600 << 16
        digest, size, lines = hashlib.sha256(), 0, 0
        file = self._zip.open(info, "w", force_zip64=True)
        try:
            async for piece in pieces:
                digest.update(piece)
                size += len(piece)
                lines += piece.count(b"\n")
                await asyncio.to_thread(file.write, piece)
        finally:
            await asyncio.to_thread(file.close)
        entry = Entry(name, size, digest.hexdigest(), lines if rows else None)
        self.entries.append(entry)
        return entry

    async def finish(self, readme: str, **about: Any) -> None:
        """Write the words and the manifest, which comes last and names everything before it."""
        await self.add("README.txt", _once(readme.encode()))
        files = [{k: v for k, v in asdict(e).items() if v is not None} for e in self.entries]
        manifest = {**about, "files": files}
        await self.add("manifest.json", _once(json.dumps(manifest, indent=2).encode()))
        await asyncio.to_thread(self._zip.close)

    def drop(self) -> None:
        """Close what is open, whatever state it is in."""
        with suppress(ValueError, OSError):  # an entry is open, or the disk is full
            self._zip.close()


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


@dataclass
class Written:
    """A finished archive: filled in once it has its final name."""

    bytes: int = 0
    sha256: str = ""


@asynccontextmanager
async def writing(folder: Path, export_id: UUID) -> AsyncIterator[tuple[Archive, Written]]:
    """A new archive, put into its place at the end; on any exception nothing of it is left."""
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True, mode=0o750)
    part = folder / f"{export_id}.{secrets.token_hex(8)}{PART}"
    archive, written = Archive(part), Written()
    try:
        yield archive, written
        written.bytes, written.sha256 = await asyncio.to_thread(_settle, part)
        await asyncio.to_thread(_rename, part, path_of(folder, export_id))
    finally:
        archive.drop()
        part.unlink(missing_ok=True)


def _settle(part: Path) -> tuple[int, str]:
    """Have the file on the disk; its size and digest."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return os.fstat(file.fileno()).st_size, digest


def _rename(part: Path, target: Path) -> None:
    part.rename(target)
    descriptor = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(folder: Path, export_id: UUID) -> None:
    """Remove the archive, and what writers that died left of it. Removing none is no error."""
    path_of(folder, export_id).unlink(missing_ok=True)
    for part in folder.glob(f"{export_id}.*{PART}"):
        part.unlink(missing_ok=True)


def names(folder: Path) -> set[UUID]:
    """The ids of every archive that lies in ``folder``, whole or in parts."""
    found = set()
    for path in folder.glob("*"):
        with suppress(ValueError):
            found.add(UUID(path.name.partition(".")[0]))
    return found
