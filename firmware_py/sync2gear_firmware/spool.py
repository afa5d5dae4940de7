"""What must survive the speaker: the outbox of play events, what sounds, and the last documents."""

import logging
import os
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar
from uuid import UUID, uuid4, uuid5

from pydantic import BaseModel, TypeAdapter, ValidationError

from sync2gear_broker.messages import PlayEvent, canonical_json
from sync2gear_broker.messages.plays import MAX_EVENTS
from sync2gear_firmware.facts import Play, Record

log = logging.getLogger(__name__)

T = TypeVar("T", bound=BaseModel)

_PLAYS: Final = TypeAdapter(tuple[Play, ...])
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS events (seq INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS dead (seq INTEGER PRIMARY KEY, body BLOB NOT NULL, why TEXT NOT NULL)
STRICT;
"""

_DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
"""What else fails says nothing against the file: its disk may be full, or read-only."""


@dataclass(frozen=True, slots=True)
class Left:
    """What the process before left: its outbox's name and reach, its open plays and position."""

    log: str
    spooled: int
    acked: int
    open: tuple[Play, ...]
    frame: int | None


class Spool:
    """The outbox file. Each method is one transaction; ``sqlite3.Error`` on a failing disk.

    A damaged file is put aside. On a disk that takes or gives nothing the outbox lives in memory
    under a name of its own until the next start; ``why`` then says why, and what the file holds
    is sent once it can be read and written again.
    """

    def __init__(self, path: Path) -> None:
        self._db, self.why = _begin(path)
        self.log = self._meta("log") or str(uuid4())
        with self._db:
            self._put("log", self.log)

    def left(self) -> Left:
        """What the process before left; unreadable open plays count as none."""
        first = self._db.execute("SELECT min(seq) FROM events").fetchone()[0]
        spooled = int(self._meta("last") or 0)
        frame = self._meta("frame")
        try:
            plays = _PLAYS.validate_json(self._meta("open") or "[]")
        except ValidationError:
            log.warning("spool.open_unreadable")
            plays = ()
        acked = spooled if first is None else first - 1
        return Left(self.log, spooled, acked, plays, None if frame is None else int(frame))

    def keep(self, records: Iterable[Record], plays: tuple[Play, ...], frame: int) -> int:
        """Append events and replace what sounds, in one transaction; the last event's number."""
        with self._db:
            last = int(self._meta("last") or 0)
            for record in records:
                last += 1
                body = _body(self.log, last, record)
                self._db.execute("INSERT INTO events VALUES (?, ?)", (last, body))
            self._put("last", str(last))
            self._put("open", _PLAYS.dump_json(plays).decode())
            self._put("frame", str(frame))
        return last

    def batch(self, after: int, max_bytes: int) -> tuple[bytes, int] | None:
        """The next batch after event ``after`` within ``max_bytes``, and its last event.

        An event that cannot be read is put aside in ``dead``, and its number alone is sent: the
        platform keeps a tombstone of it and the others go on.
        """
        rows = self._db.execute(
            "SELECT seq, CAST(body AS BLOB) FROM events WHERE seq > ? ORDER BY seq LIMIT ?",
            (after, MAX_EVENTS),
        ).fetchall()
        events = [self._readable(seq, body) for seq, body in rows]
        while events:
            payload = canonical_json({"v": 1, "log": self.log, "events": events})
            if len(payload) <= max_bytes or len(events) == 1:
                return payload, rows[len(events) - 1][0]
            events = events[: max(1, len(events) * max_bytes // len(payload) - 1)]
        return None

    def _readable(self, seq: int, body: bytes) -> dict[str, object]:
        tombstone: dict[str, object] = {"seq": seq}
        if not body:
            return tombstone
        try:
            event = PlayEvent.model_validate_json(body)
        except ValidationError as error:
            why = str(error)[:500]
        else:
            if event.seq == seq:
                return event.model_dump(mode="json")
            why = f"numbered {event.seq}"
        log.error("spool.dead_letter seq=%d error=%r", seq, why)
        with self._db:
            self._db.execute("INSERT OR REPLACE INTO dead VALUES (?, ?, ?)", (seq, body, why))
            self._db.execute("UPDATE events SET body = '' WHERE seq = ?", (seq,))
        return tombstone

    def dead(self) -> int:
        """How many events were put aside because they could not be read."""
        return int(self._db.execute("SELECT count(*) FROM dead").fetchone()[0])

    def forget(self, upto: int) -> None:
        """Delete the events up to ``upto``: they are committed elsewhere."""
        with self._db:
            self._db.execute("DELETE FROM events WHERE seq <= ?", (upto,))

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _meta(self, key: str) -> str | None:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def _put(self, key: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))


def _begin(path: Path) -> tuple[sqlite3.Connection, str]:
    """The outbox, and why it is not the file but in memory; "" where it is the file."""
    try:
        return _open(path), ""
    except sqlite3.DatabaseError as error:
        why = error
    try:
        if getattr(why, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF in _DAMAGED:
            _set_aside(path, str(why))
            return _open(path), ""
    except (OSError, sqlite3.DatabaseError) as error:
        log.warning("spool.stays error=%r", str(error))
    log.error("spool.in_memory error=%r", str(why))
    return _open(":memory:"), str(why)


def _set_aside(path: Path, why: str) -> None:
    aside = path.with_name(f"{path.name}.bad-{uuid4().hex[:8]}")
    log.error("spool.corrupt error=%r moved_to=%s", why, aside.name)
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.replace(aside.with_name(aside.name + suffix))


def _open(path: Path | str) -> sqlite3.Connection:
    db = sqlite3.connect(path)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.executescript(_SCHEMA)
        if db.execute("PRAGMA quick_check").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("quick_check failed")  # noqa: TRY301 - as if sqlite saw it
    except sqlite3.DatabaseError:
        db.close()
        raise
    return db


def _body(name: str, seq: int, record: Record) -> str:
    """A record as it is kept; what makes no event is kept as it is, for a person to look at."""
    try:
        return _event(name, seq, record).model_dump_json()
    except ValidationError:
        return repr(record)


def _event(name: str, seq: int, record: Record) -> PlayEvent:
    return PlayEvent(
        id=str(uuid5(UUID(name), str(seq))),
        seq=seq,
        kind=record.kind,
        zone=record.zone,
        item=record.item,
        media=record.media.sha256,
        media_kind=record.media.kind,
        at=record.at,
        planned=record.planned,
        frames=record.frames,
        audible=record.audible,
        reason=record.reason,
    )


def save(path: Path, value: BaseModel | dict[str, object], *, twice: bool = False) -> None:
    """Write ``value`` as JSON so that a reader finds the old file or the new, never a torn one.

    What nothing sounds without is kept ``twice``: the one file or the other may rot.
    """
    data = value.model_dump_json(by_alias=True).encode() if isinstance(value, BaseModel) else None
    for file in (path, _copy_of(path))[: 1 + twice]:
        write(file, data if data is not None else canonical_json(value))


def _copy_of(path: Path) -> Path:
    return path.with_name(path.name + ".copy")


def write(path: Path, data: bytes) -> None:
    """Write-temp, fsync, rename, fsync of the folder."""
    temp = path.with_name(path.name + ".tmp")
    with temp.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temp.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames and deletions in ``folder`` durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def load(path: Path, kind: type[T]) -> T | None:
    """The document in ``path``, or else its copy; None where there is none that can be read."""
    for file in (path, _copy_of(path)):
        try:
            return kind.model_validate_json(file.read_bytes())
        except FileNotFoundError:
            continue
        except (OSError, ValidationError) as error:
            log.warning("disk.unreadable file=%s error=%r", file.name, str(error)[:200])
    return None
