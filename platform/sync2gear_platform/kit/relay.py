"""The outbox relay: publishes the current document of every dirty topic, and rebuilds the broker.

The database is the truth and the broker's retained messages its projection. A mark is forgotten
only after the PUBACK, and only if the topic was not dirtied again meanwhile; while the broker is
away the marks stay.

A broker that was killed comes back with its last snapshot, so an acknowledged message may be gone.
Therefore the generation marker is written again after every batch: a snapshot that holds our
latest marker holds all that was published before it, and any other one is rebuilt.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from pydantic import ValidationError
from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from sync2gear_broker import topics
from sync2gear_broker.messages import Generation
from sync2gear_broker.topics import Address
from sync2gear_platform.kit import log, marks, outbox, setbacks
from sync2gear_platform.kit.clock import Clock, micros_of
from sync2gear_platform.kit.db import Database
from sync2gear_platform.kit.mqtt import Message, Session
from sync2gear_platform.kit.outbox import OutboxMark
from sync2gear_platform.kit.revisions import Installation

logger = log.get(__name__)

BATCH: Final = 200

PUT_OFF: Final = timedelta(minutes=1)
"""For how long a document that cannot be made is not tried again, unless it is changed."""

POLL_SECONDS: Final = 5.0
"""How long the relay trusts in being woken: a lost signal costs this much."""

SETTLE_SECONDS: Final = 1.0
"""Silence after which the broker has told all that it retains."""

GENERATION = topics.build(topics.GENERATION)


Marker = tuple[UUID, int]
"""A generation and the millisecond of its latest batch."""


@dataclass(frozen=True, slots=True)
class Projection:
    """One kind of retained document.

    ``read`` gives the current document of each address that has one; an address that it leaves
    out is cleared. ``everything`` names every address that should have one.
    """

    channel: topics.Channel
    read: Callable[[AsyncSession, Sequence[Address]], Awaitable[Mapping[Address, bytes]]]
    everything: Callable[[AsyncSession], Awaitable[Sequence[Address]]]


class Relay:
    """Publishes on one session what ``projections`` say of the dirty topics.

    ``cleared`` are others' channels: a topic of them that is dirty is cleared.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        projections: Iterable[Projection],
        cleared: Iterable[topics.Channel] = (),
    ) -> None:
        self._db = db
        self._clock = clock
        self._projections = {p.channel.name: p for p in projections}
        self._cleared = frozenset(channel.name for channel in cleared)
        self._woken = asyncio.Event()
        self._told: Marker | None = None
        self._retained: set[str] = set()
        self._heard = asyncio.Event()
        self._marker: Marker = (uuid4(), 0)
        self._put_off: dict[int, datetime] = {}

    def wake(self) -> None:
        """Something is dirty now."""
        self._woken.set()

    def heard(self, message: Message) -> None:
        """Take note of what the broker retains of our own."""
        if not message.retained:
            return
        self._heard.set()
        if message.topic == GENERATION:
            self._told = _generation(message.payload)
        elif message.payload:
            self._retained.add(message.topic)

    async def run(self, session: Session) -> None:
        """Make the broker's memory right, then keep it so; raises when the session is lost."""
        self._told = None
        self._heard.clear()
        await session.subscribe([(GENERATION, 1)])
        await _wait(self._heard, SETTLE_SECONDS)
        await self._rebuild_if_lost(session)
        while True:
            self._woken.clear()
            if await self.once(session) == 0:
                await _wait(self._woken, POLL_SECONDS)

    async def once(self, session: Session) -> int:
        """Publish one batch of dirty topics; returns how many are clean now.

        Those that are dirtied again meanwhile are not: whoever does that wakes us.
        """
        async with self._db.system() as db:
            now = self._clock.now()
            self._put_off = {mark: at for mark, at in self._put_off.items() if at > now}
            statement = (
                select(OutboxMark)
                .where(col(OutboxMark.mark).not_in(self._put_off))
                .order_by(col(OutboxMark.mark))
                .limit(BATCH)
            )
            dirty = list((await db.exec(statement)).all())
            documents, failed = await self._read(db, [m.topic for m in dirty])
        self._put_off |= {m.mark: now + PUT_OFF for m in dirty if m.topic in failed}
        dirty = [m for m in dirty if m.topic not in failed]
        if not dirty:
            return 0
        await _publish(session, documents)
        marker = await self._mark(session, self._marker)
        pairs = [(m.topic, m.mark) for m in dirty]
        async with self._db.system() as db:
            done = await marks.forget(db, OutboxMark, "topic", pairs)
            await _save(db, marker)
        return len(done)

    async def _mark(self, session: Session, last: Marker) -> Marker:
        """Write the generation marker anew: what it follows is published."""
        generation, at = last
        self._marker = generation, max(at + 1, self._clock.micros() // 1000)
        document = Generation(gen=str(generation), at=self._marker[1])
        await session.publish(GENERATION, document.canonical(), qos=1, retain=True)
        return self._marker

    async def _read(
        self, db: AsyncSession, names: Iterable[str]
    ) -> tuple[dict[str, bytes], set[str]]:
        """Topic -> current document, empty where there is none any more; whose cannot be made."""
        documents: dict[str, bytes] = {}
        failed: set[str] = set()

        def without(one: tuple[str, Address], error: Exception) -> None:
            logger.error("relay.document_failed", topic=one[0], error=setbacks.said(error))
            failed.add(one[0])

        kinds: dict[str, list[tuple[str, Address]]] = {}
        for name in names:
            address = topics.parse(name)
            if address is not None and address.channel.name in self._cleared:
                documents[name] = b""
                continue
            if address is None or address.channel.name not in self._projections:
                logger.error("relay.unknown_topic", topic=name)
                continue
            kinds.setdefault(address.channel.name, []).append((name, address))
        for kind, addresses in kinds.items():
            projection = self._projections[kind]

            async def made(
                some: Sequence[tuple[str, Address]], projection: Projection = projection
            ) -> dict[str, bytes]:
                async with db.begin_nested():
                    found = await projection.read(db, [address for _, address in some])
                return {name: found.get(address, b"") for name, address in some}

            documents |= await setbacks.apart(addresses, made, without)
        for name, body in documents.items():
            limit = topics.parse(name)
            if limit is not None and len(body) > limit.channel.max_bytes:
                logger.error("relay.document_too_large", topic=name, bytes=len(body))
        return documents, failed

    async def _rebuild_if_lost(self, session: Session) -> None:
        """Compare the broker's marker with ours; publish everything where it is another."""
        async with self._db.system() as db:
            ours = await _saved(db)
        if ours is not None and self._told == ours:
            self._marker = ours
            return
        logger.warning("relay.rebuild", broker=str(self._told), database=str(ours))
        known = 0
        expected: set[str] = set()
        for projection in self._projections.values():
            async with self._db.system() as db:
                names = [_topic(a) for a in await projection.everything(db)]
            expected.update(names)
            for start in range(0, len(names), BATCH):
                some = names[start : start + BATCH]
                async with self._db.system() as db:
                    documents, failed = await self._read(db, some)
                    parsed = ((name, topics.parse(name)) for name in failed)
                    again = ((n, UUID(a.client)) for n, a in parsed if a and a.client)
                    outbox.mark(db, self._clock.now(), again)
                await _publish(session, documents)
                known += len(documents)
        ghosts = await self._clear_ghosts(session, expected)
        marker = await self._mark(session, (uuid4(), 0))
        async with self._db.system() as db:
            await _save(db, marker)
        logger.warning("relay.rebuilt", documents=known, ghosts=ghosts)

    async def _clear_ghosts(self, session: Session, expected: set[str]) -> int:
        """Clear what the broker retains of ours and the database does not know."""
        self._retained.clear()
        filters = [topics.everyone(p.channel) for p in self._projections.values()]
        await session.subscribe([(topic_filter, 0) for topic_filter in filters])
        await self._quiet()
        for topic_filter in filters:
            await session.unsubscribe(topic_filter)
        suspects = self._retained - expected
        async with self._db.system() as db:
            # what was made while we published is no ghost: it has a document by now
            documents, _ = await self._read(db, suspects)
        ghosts = {name: body for name, body in documents.items() if not body}
        await _publish(session, ghosts)
        self._retained.clear()
        return len(ghosts)

    async def _quiet(self) -> None:
        """Wait until the broker has told what it retains for the last subscription."""
        while True:
            self._heard.clear()
            if not await _wait(self._heard, SETTLE_SECONDS):
                return


async def _publish(session: Session, documents: Mapping[str, bytes]) -> None:
    async with asyncio.TaskGroup() as group:
        for topic, body in documents.items():
            group.create_task(session.publish(topic, body, qos=1, retain=True))


async def _wait(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


def _topic(address: Address) -> str:
    ids = {"client": address.client, "device": address.device, "zone": address.zone}
    return topics.build(address.channel, **{k: v for k, v in ids.items() if v is not None})


def _generation(payload: bytes) -> Marker | None:
    try:
        document = Generation.parse(payload)
    except ValidationError:
        return None
    return UUID(document.gen), document.at


async def _saved(db: AsyncSession) -> Marker | None:
    row = await db.get(Installation, 1)
    if row is None or row.generation is None or row.generation_at is None:
        return None
    return row.generation, micros_of(row.generation_at) // 1000


async def _save(db: AsyncSession, marker: Marker) -> None:
    at = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=marker[1])
    values = {"generation": marker[0], "generation_at": at}
    await db.execute(update(Installation).where(col(Installation.id) == 1).values(**values))
