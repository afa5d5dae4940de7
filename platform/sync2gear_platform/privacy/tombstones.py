"""The file of tombstones: what was deleted, remembered outside the database, ids and nothing else.

A line is on the disk before the deletion that it names begins, so that a database restored from a
backup can be told what must go again. Half a line at the end is what a power cut leaves: its
deletion had not begun; readers pass over it and the next writer cuts it off.
"""

import fcntl
import json
import os
from dataclasses import dataclass
from datetime import datetime
from io import FileIO
from pathlib import Path
from typing import Final, Literal
from uuid import UUID

Kind = Literal["client", "user"]
_KINDS: Final[dict[str, Kind]] = {"client": "client", "user": "user"}


class UnreadableError(ValueError):
    """A line of the file is none of ours: what follows from it must be decided by a person."""


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A client or a person that was deleted."""

    kind: Kind
    id: UUID


def read(path: Path) -> list[Tombstone]:
    """Every tombstone, in order; none where there is no file. :class:`UnreadableError`."""
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return []
    return [_parse(path, number, line) for number, line in enumerate(lines, 1)]


def _parse(path: Path, number: int, line: bytes) -> Tombstone:
    try:
        found = json.loads(line)
        kind = found["kind"]
        return Tombstone(_KINDS[kind], UUID(found["id"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnreadableError(f"{path}: line {number} is no tombstone") from error


def write(path: Path, stone: Tombstone, at: datetime) -> None:
    """Have ``stone`` durably in the file, once. Blocks: call it in a thread. ``OSError``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    with FileIO(os.open(path, flags, 0o640), "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if stone in read(path):
            return
        _cut(file)
        line = {"v": 1, "kind": stone.kind, "id": str(stone.id), "at": at.isoformat()}
        data = json.dumps(line, separators=(",", ":")).encode() + b"\n"
        if file.write(data) != len(data):
            raise OSError(f"{path}: only half of a tombstone was written")
        os.fsync(file.fileno())
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _cut(file: FileIO) -> None:
    """Remove half a line at the end."""
    file.seek(0)
    whole = file.readall()
    end = whole.rfind(b"\n") + 1
    if end != len(whole):
        file.truncate(end)
