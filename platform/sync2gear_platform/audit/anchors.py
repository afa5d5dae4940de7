"""The anchors' file: heads of chains remembered outside the database, one JSON line each.

Lines are only ever appended, and each holds the hash of the line before, so that a line that is
changed or taken out of the middle is found. Half a line at the end is what a power cut leaves: it
was never counted as written, readers pass over it and the next writer cuts it off.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from io import FileIO
from pathlib import Path
from typing import Final
from uuid import UUID

from sync2gear_platform.audit.rules import GENESIS, Place

MAX_LINE: Final = 1_000
"""Bytes of a line; ours have about 250."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """The head of a chain as it was at a moment; ``line`` counts from 1."""

    line: int
    chain: UUID
    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Altered:
    """A line that is none of ours, or does not follow from the one before."""

    line: int


def read(path: Path) -> Iterator[Anchor | Altered]:
    """Every whole line of the file; ``FileNotFoundError`` where there is none."""
    previous = GENESIS
    with path.open("rb") as file:
        for number, raw in enumerate(iter(lambda: file.readline(MAX_LINE + 1), b""), 1):
            if not raw.endswith(b"\n"):
                if len(raw) > MAX_LINE:
                    yield Altered(number)
                return
            line = raw[:-1]
            yield _parse(number, line, previous)
            previous = _hash(line)


def _parse(number: int, line: bytes, previous: str) -> Anchor | Altered:
    try:
        found = json.loads(line)
        if found["prev"] != previous:
            return Altered(number)
        return Anchor(number, UUID(found["chain"]), int(found["seq"]), str(found["hash"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Altered(number)


def _hash(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


class AnchorFile:
    """The one writer of the file. All methods block: call them in a thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.last: dict[UUID, Place] = {}
        self._file: FileIO | None = None
        self._previous = GENESIS

    def open(self) -> None:
        """Take the file, making it if need be, and learn what it remembers.

        Raises ``BlockingIOError`` while another process writes it. A file that was moved away is
        begun anew.
        """
        if self._file is not None and self._is_current():
            return
        self.close()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = FileIO(
            os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640), "r+"
        )
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._learn(file)
        except BaseException:
            file.close()
            raise
        self._file = file

    def append(self, heads: Iterable[tuple[UUID, Place]], at: datetime) -> None:
        """Write these heads durably; all of them are on the disk when this returns."""
        if self._file is None:
            raise ValueError("the anchors' file is not open")
        lines, previous, last = [], self._previous, {}
        for chain, place in heads:
            line = json.dumps(
                {
                    "v": 1,
                    "chain": str(chain),
                    "seq": place.seq,
                    "hash": place.hash,
                    "at": at.isoformat(),
                    "prev": previous,
                },
                separators=(",", ":"),
            ).encode()
            lines.append(line + b"\n")
            previous = _hash(line)
            last[chain] = place
        data = b"".join(lines)
        size = os.fstat(self._file.fileno()).st_size
        try:
            while data:
                data = data[self._file.write(data) or 0 :]
            os.fsync(self._file.fileno())
        except OSError:
            # a full disk: what half of it was written must not become the middle of the file
            with suppress(OSError):
                self._file.truncate(size)
            self.close()
            raise
        self._previous = previous
        self.last.update(last)

    def close(self) -> None:
        """Let another process write."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _is_current(self) -> bool:
        if self._file is None:
            return False
        with suppress(FileNotFoundError):
            return os.path.samestat(self.path.stat(), os.fstat(self._file.fileno()))
        return False

    def _learn(self, file: FileIO) -> None:
        """Cut half a line off the end and read the rest."""
        whole = _whole_bytes(file)
        if whole < os.fstat(file.fileno()).st_size:
            file.truncate(whole)
            os.fsync(file.fileno())
        self.last = {}
        for found in read(self.path):
            if isinstance(found, Anchor):
                self.last[found.chain] = Place(found.seq, found.hash)
        self._previous = GENESIS
        if whole:
            file.seek(max(0, whole - MAX_LINE - 1))
            tail = file.read() or b""
            self._previous = _hash(tail[:-1].rpartition(b"\n")[2])


def _whole_bytes(file: FileIO) -> int:
    """How many bytes of the file end with a line's end."""
    end = os.fstat(file.fileno()).st_size
    while end:
        start = max(0, end - 65_536)
        file.seek(start)
        data = file.read(end - start) or b""
        if (at := data.rfind(b"\n")) >= 0:
            return start + at + 1
        end = start
    return 0
