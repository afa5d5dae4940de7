"""Proof of play from the broker into the database: at least once on the wire, once in the rows.

A batch waits in memory, is written with others in one transaction, and is acknowledged to its
speaker after the commit. What is lost on the way (a full queue, a database that is away, a killed
process) is not acknowledged, so the speaker sends it again.
"""

import asyncio
import json
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import BaseModel, Field, ValidationError
from sqlalchemy import exists, func, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from sync2gear_broker import topics
from sync2gear_broker.messages import EventsAck, PlayEvent
from sync2gear_broker.messages.plays import MAX_EVENTS
from sync2gear_broker.topics import Address
from sync2gear_broker.units import MAX_SAFE_INTEGER, Uuid
from sync2gear_platform.kit import events, log, setbacks
from sync2gear_platform.kit.clock import Clock, moment_of
from sync2gear_platform.kit.db import Database
from sync2gear_platform.kit.seldom import Seldom
from sync2gear_platform.library import counting
from sync2gear_platform.playback import gaps, plays
from sync2gear_platform.playback.tables import PlayEventRow, PlayLog
from sync2gear_platform.sites.tables import Device, Zone

logger = log.get(__name__)
strangers = Seldom(logger)

MAX_WAITING: Final = 2000
"""Batches that may wait in memory: 100,000 events, some 50 MB."""

MAX_BATCHES: Final = 100
"""Batches in one transaction."""

RETRY_SECONDS: Final = 1.0
GIVE_UP_GAP: Final = 3
"""So often a speaker may begin behind a gap before the gap counts as lost for ever.

It happens when the database was restored: the speaker has deleted what was acknowledged to it.
"""

Publish = Callable[[str, bytes], Awaitable[None]]
Key = tuple[UUID, UUID]


@dataclass(frozen=True, slots=True)
class Batch:
    """What one speaker sent at once. ``events`` by ``seq``; None is one that can never be kept."""

    client: UUID
    device: UUID
    log: UUID
    events: dict[int, PlayEvent | None]

    @property
    def key(self) -> Key:
        """Whose numbering the events follow."""
        return self.device, self.log


def read(address: Address, payload: bytes) -> Batch:
    """The batch in ``payload``; events that are not ones are kept as tombstones by their number.

    Whatever text an event holds, also one that is not UTF-8, costs that event and not the batch:
    a batch that is never acknowledged comes for ever. Raises ``ValueError`` where not even one
    number can be read.
    """
    batch = _Batch.model_validate(
        json.loads(payload.decode("utf-8", "surrogatepass"), parse_int=_integer)
    )
    if address.client is None or address.device is None:
        raise ValueError("not a device's topic")
    events: dict[int, PlayEvent | None] = {}
    for raw in batch.events:
        try:
            seq = _Numbered.model_validate(raw).seq
        except ValidationError as error:
            text = str(error)[:300]
            strangers.warning("plays.unnumbered", device=address.device, error=text)
            continue
        try:
            events[seq] = PlayEvent.model_validate_json(json.dumps(raw))
        except ValidationError as error:
            text = str(error)[:300]
            strangers.warning("plays.tombstone", device=address.device, seq=seq, error=text)
            events[seq] = None
    if not events:
        raise ValueError("no event has a number")
    return Batch(UUID(address.client), UUID(address.device), UUID(batch.log), events)


def _integer(digits: str) -> int | None:
    """An integer of JSON; None, which is no valid value anywhere here, for an absurdly long one."""
    return int(digits) if len(digits) < 30 else None


def _refused(batch: Batch, error: Exception) -> None:
    """A batch that cannot be written is not acknowledged, and keeps no other from it."""
    if isinstance(error, OSError):
        raise error
    strangers.warning("plays.refused", device=batch.device, error=setbacks.said(error))


class _Numbered(BaseModel):
    """The least that an event must say: its number."""

    seq: Annotated[int, Field(strict=True, ge=1, le=MAX_SAFE_INTEGER)]


class _Batch(BaseModel):
    log: Uuid
    events: Annotated[list[Any], Field(min_length=1, max_length=MAX_EVENTS)]


class Ingest:
    """Takes batches from the broker's reader and writes them. One per leader."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._waiting: deque[Batch] = deque()
        self._woken = asyncio.Event()
        self._gaps: OrderedDict[Key, tuple[int, int]] = OrderedDict()

    def heard(self, address: Address, payload: bytes) -> None:
        """Take a batch in; called by the broker's reader, so it only parses and queues."""
        try:
            batch = read(address, payload)
        except (ValueError, RecursionError) as error:
            strangers.warning("plays.unreadable", device=address.device, error=str(error)[:300])
            return
        if len(self._waiting) >= MAX_WAITING:
            strangers.warning("plays.overflow", device=address.device)
            return
        self._waiting.append(batch)
        self._woken.set()

    async def run(self, publish: Publish) -> None:
        """Write and acknowledge for ever; what the database refuses comes again."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            while self._waiting:
                count = min(len(self._waiting), MAX_BATCHES)
                batches = [self._waiting.popleft() for _ in range(count)]
                try:
                    acks = await setbacks.apart(batches, self.write, _refused)
                except (DBAPIError, InterfaceError, OSError, TimeoutError) as error:
                    logger.warning("plays.not_written", error=str(error)[:300])
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
                for topic, ack in acks.items():
                    await publish(topic, ack.canonical())

    async def write(self, batches: Sequence[Batch]) -> dict[str, EventsAck]:
        """Commit ``batches`` in one transaction; returns what to tell on which topic."""
        async with self._db.system() as db:
            batches = await _of_known_devices(db, batches)
            logs = await self._locked(db, batches)
            lost = gaps.Lost(await gaps.earlier(db, logs), self._clock.now())
            foreign = await _foreign_zones(db, batches)
            fresh: list[dict[str, Any]] = []
            for batch in batches:
                fresh += self._taken(batch, logs[batch.key], foreign, lost)
            await lost.keep(db)
            if fresh:
                kept = insert(PlayEventRow).on_conflict_do_nothing().returning(col(PlayEventRow.id))
                ids = set((await db.execute(kept, fresh)).scalars())
                await counting.count(db, await _begun(db, ids, self._clock.now()))
                await _tell(db, fresh)
            await db.flush()
        return {
            topics.build(topics.EVENTS_ACK, client=str(b.client), device=str(b.device)): EventsAck(
                log=str(b.log), n=logs[b.key].acked
            )
            for b in batches
        }

    async def _locked(self, db: AsyncSession, batches: Sequence[Batch]) -> dict[Key, PlayLog]:
        """The logs of ``batches``, made where missing, locked in one order for everybody."""
        now = self._clock.now()
        owners = {b.key: b.client for b in batches}
        if not owners:
            return {}
        made = [
            {"device_id": d, "log": g, "client_id": owners[d, g], "acked": 0, "updated_at": now}
            for d, g in sorted(owners)
        ]
        await db.execute(insert(PlayLog).on_conflict_do_nothing(), made)
        statement = (
            select(PlayLog)
            .where(tuple_(col(PlayLog.device_id), col(PlayLog.log)).in_(sorted(owners)))
            .order_by(col(PlayLog.device_id), col(PlayLog.log))
            .with_for_update()
        )
        rows = {(row.device_id, row.log): row for row in (await db.exec(statement)).all()}
        for row in rows.values():
            row.updated_at = now
        return rows

    def _taken(
        self,
        batch: Batch,
        row: PlayLog,
        foreign: frozenset[tuple[UUID, str]],
        lost: gaps.Lost,
    ) -> list[dict[str, Any]]:
        """The rows of the events that follow on without a gap; moves ``row.acked`` over them."""
        before = row.acked
        self._bridge(batch, row)
        if row.acked > before:
            lost.begin(row, before)
        taken = []
        while (seq := row.acked + 1) in batch.events:
            event = batch.events[seq]
            row.acked = seq
            if event is None:
                lost.begin(row, seq - 1)
                continue
            if (batch.client, event.zone) in foreign:
                strangers.warning("plays.foreign_zone", device=str(batch.device), seq=seq)
                continue
            lost.end(row, event.at)
            taken.append(self._row(batch, event))
        return taken

    def _bridge(self, batch: Batch, row: PlayLog) -> None:
        """Step over a gap that the speaker can not fill, once it has insisted."""
        first = min(batch.events, default=0)
        if first <= row.acked + 1:
            self._gaps.pop(batch.key, None)
            return
        known, times = self._gaps.pop(batch.key, (first, 0))
        times = times + 1 if known == first else 1
        if times < GIVE_UP_GAP:
            self._gaps[batch.key] = first, times
            while len(self._gaps) > MAX_WAITING:
                self._gaps.popitem(last=False)
            return
        logger.warning(
            "plays.gap", device=str(batch.device), log=str(batch.log), after=row.acked, until=first
        )
        row.acked = first - 1

    def _row(self, batch: Batch, event: PlayEvent) -> dict[str, Any]:
        return {
            "id": UUID(event.id),
            "client_id": batch.client,
            "device_id": batch.device,
            "log": batch.log,
            "seq": event.seq,
            "kind": event.kind,
            "zone_id": UUID(event.zone),
            "item": event.item,
            "sha256": event.media,
            "media_kind": event.media_kind,
            "at_frame": event.at,
            "planned_frame": event.planned,
            "frames": event.frames,
            "audible": event.audible,
            "reason": event.reason.replace("\0", ""),
            "received_at": self._clock.now(),
        }


async def _tell(db: AsyncSession, fresh: Sequence[dict[str, Any]]) -> None:
    """Say which plays know more now."""
    said = {(e["client_id"], plays.id_of(e["item"])) for e in fresh}
    for client, play in sorted((c, p) for c, p in said if p is not None):
        payload = f"{client} play {play}"
        await db.execute(select(func.pg_notify(events.CHANNEL, payload)))


async def _begun(db: AsyncSession, ids: set[UUID], now: datetime) -> list[counting.Play]:
    """The music that the events ``ids`` are the first to tell of: each slot of a zone once.

    A slot is told by every speaker of its zone, in whatever order, and again after a pause.
    """
    earlier = aliased(PlayEventRow)
    known = exists().where(
        col(earlier.client_id) == col(PlayEventRow.client_id),
        col(earlier.zone_id) == col(PlayEventRow.zone_id),
        col(earlier.sha256) == col(PlayEventRow.sha256),
        col(earlier.planned_frame) == col(PlayEventRow.planned_frame),
        col(earlier.kind) == "started",
        col(earlier.audible),
        col(earlier.id).not_in(ids),
    )
    slot = (PlayEventRow.client_id, PlayEventRow.zone_id, PlayEventRow.sha256)
    statement = (
        select(*slot, PlayEventRow.planned_frame)
        .where(
            col(PlayEventRow.id).in_(ids),
            col(PlayEventRow.kind) == "started",
            col(PlayEventRow.media_kind) == "music",
            col(PlayEventRow.audible),
            ~known,
        )
        .distinct()
    )
    # A speaker's frames are its word: none is later than now.
    return [
        counting.Play(client, digest, min(moment_of(planned), now))
        for client, _, digest, planned in await db.exec(statement)
    ]


async def _of_known_devices(db: AsyncSession, batches: Sequence[Batch]) -> list[Batch]:
    """Those from devices that have an account with the client that they claim."""
    statement = select(Device.id, Device.client_id).where(
        col(Device.id).in_({b.device for b in batches}), col(Device.revoked_at).is_(None)
    )
    known = set((await db.exec(statement)).all())
    return [b for b in batches if (b.device, b.client) in known]


async def _foreign_zones(db: AsyncSession, batches: Sequence[Batch]) -> frozenset[tuple[UUID, str]]:
    """``(client, zone)`` of events in a zone that is another client's; a deleted one is not."""
    named = {(b.client, e.zone) for b in batches for e in b.events.values() if e is not None}
    statement = select(Zone.id, Zone.client_id).where(col(Zone.id).in_({z for _, z in named}))
    owners = {str(zone): client for zone, client in (await db.exec(statement)).all()}
    return frozenset((c, z) for c, z in named if owners.get(z, c) != c)
