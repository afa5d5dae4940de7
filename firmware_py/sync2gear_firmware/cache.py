"""Media and programmes by SHA-256 on this disk: checked, kept within a limit."""

import hashlib
import logging
import os
import shutil
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from sync2gear_broker.messages import Programme
from sync2gear_firmware.spool import sync_folder

log = logging.getLogger(__name__)


class FetchError(Exception):
    """A download did not give what was asked for; the message is a stable code."""


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Cache:
    """The files of one speaker under ``folder``; safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        self._media = folder / "media"
        self._programmes = folder / "programmes"
        for path in (self._media, self._programmes):
            path.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._checked: set[str] = set()
        self._sizes = {p.name: p.stat().st_size for p in self._media.iterdir() if _is_sha(p.name)}

    def held(self) -> frozenset[str]:
        """The media that is whole on the disk (its content is checked before it is first used)."""
        with self._lock:
            return frozenset(self._sizes)

    def size(self) -> int:
        """Bytes of media on the disk."""
        with self._lock:
            return sum(self._sizes.values())

    def free(self) -> int:
        """Bytes free on the disk."""
        return shutil.disk_usage(self._media).free

    def sweep(self, wanted: frozenset[str]) -> None:
        """Delete what was fetched in part and is not wanted any more."""
        for part in self._media.glob("*.part"):
            if part.stem not in wanted:
                _unlink(part)

    def media(self, sha256: str) -> Path | None:
        """The checked file of a media, or None; a corrupt one is deleted."""
        path = self._media / sha256
        with self._lock:
            if sha256 not in self._sizes:
                return None
            checked = sha256 in self._checked
        try:
            if not checked and digest(path) != sha256:
                log.warning("cache.corrupt media=%s", sha256)
                self.drop(sha256)
                return None
            _touch(path)
        except OSError as error:
            log.warning("cache.unreadable media=%s error=%r", sha256, str(error))
            self.drop(sha256)
            return None
        with self._lock:
            self._checked.add(sha256)
        return path

    def drop(self, sha256: str) -> None:
        """Delete a media; where the disk refuses it is at least not held any more."""
        with self._lock:
            self._sizes.pop(sha256, None)
            self._checked.discard(sha256)
        _unlink(self._media / sha256)

    def part(self, sha256: str) -> Path:
        """Where a media grows while it is fetched."""
        return self._media / f"{sha256}.part"

    def adopt(self, sha256: str) -> None:
        """Make a fetched part the media; ``FetchError``, and no part, if it is another."""
        part = self.part(sha256)
        if digest(part) != sha256:
            part.unlink()
            raise FetchError("hash_mismatch")
        with part.open("rb") as file:
            os.fsync(file.fileno())  # whole it may have been left by a process that was killed
        part.replace(self._media / sha256)
        sync_folder(self._media)
        with self._lock:
            self._sizes[sha256] = (self._media / sha256).stat().st_size
            self._checked.add(sha256)

    def evict(
        self, room: int, limit: int, keep: frozenset[str], late: Sequence[str] = ()
    ) -> frozenset[str]:
        """Delete media until ``room`` bytes fit in below ``limit``, but for ``keep``.

        First goes what is longest unused of what nobody needs, then the last of ``late``, which
        names what is needed in the order of need.
        """
        gone: set[str] = set()
        with self._lock:
            sizes = dict(self._sizes)
        used = sum(sizes.values())
        rank = {sha: place for place, sha in enumerate(late)}
        rest = sorted(
            sizes.keys() - keep,
            key=lambda s: (-rank.get(s, len(rank)), _mtime(self._media / s)),
        )
        for sha in rest:
            if used + room <= limit:
                break
            self.drop(sha)
            used -= sizes[sha]
            gone.add(sha)
        return frozenset(gone)

    def programme(self, sha256: str) -> Programme | None:
        """A programme from the disk, or None; a corrupt one is deleted."""
        path = self._programmes / f"{sha256}.json"
        try:
            data = path.read_bytes()
            return read_programme(sha256, data)
        except FileNotFoundError:
            return None
        except (OSError, FetchError) as error:
            log.warning("cache.corrupt programme=%s error=%r", sha256, str(error))
            _unlink(path)
            return None

    def programmes(self) -> frozenset[str]:
        """The programmes on the disk."""
        return frozenset(p.stem for p in self._programmes.glob("*.json") if _is_sha(p.stem))

    def put_programme(self, sha256: str, data: bytes, keep: frozenset[str]) -> None:
        """Keep a programme's bytes, and delete those that are not in ``keep``."""
        path = self._programmes / f"{sha256}.json"
        temp = path.with_suffix(".part")
        with temp.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temp.replace(path)
        for other in self._programmes.iterdir():
            if other.stem not in keep | {sha256}:
                other.unlink()
        sync_folder(self._programmes)


def read_programme(sha256: str, data: bytes) -> Programme:
    """The programme in ``data``; ``FetchError`` if it is not the one named ``sha256``."""
    if hashlib.sha256(data).hexdigest() != sha256:
        raise FetchError("hash_mismatch")
    try:
        return Programme.parse(data)
    except (ValidationError, RecursionError) as error:
        raise FetchError("invalid_programme") from error


def _is_sha(name: str) -> bool:
    return len(name) == 64 and set(name) <= set("0123456789abcdef")


def _touch(path: Path) -> None:
    """Note that a file was used; a disk that cannot be written plays all the same."""
    path.stat()
    with suppress(OSError):
        os.utime(path)


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.warning("cache.undeletable file=%s error=%r", path.name, str(error))


def _mtime(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
