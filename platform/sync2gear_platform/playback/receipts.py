"""Receipts from the broker into the database: what speakers say of live events before they sound.

They travel in the retained ``up/state``, so that whoever was away reads them later, and each is
written once: a receipt that comes again changes nothing.
"""

import asyncio
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import BigInteger, Uuid, and_, cast, column, func, or_, update, values
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlmodel import col, select

from sync2gear_broker.messages import DeviceState, Receipt
from sync2gear_broker.topics import Address
from sync2gear_platform.kit import events, log
from sync2gear_platform.kit.db import Database
from sync2gear_platform.kit.seldom import Seldom
from sync2gear_platform.playback import plays
from sync2gear_platform.playback.queries import Recent
from sync2gear_platform.playback.tables import PlaySpeaker

logger = log.get(__name__)
strangers = Seldom(logger)

CHUNK: Final = 1000
MAX_WAITING: Final = 200_000
EVERY_SECONDS: Final = 0.2
RETRY_SECONDS: Final = 1.0

Key = tuple[UUID, UUID, UUID]


class Receipts:
    """Collects what speakers say of plays and writes it. One per leader."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._waiting: dict[Key, Receipt] = {}
        self._known: Recent[tuple[UUID, UUID], tuple[Receipt, ...]] = Recent(50_000)
        self._woken = asyncio.Event()

    def heard(self, address: Address, payload: bytes) -> None:
        """Take one report in; called by the broker's reader, so it only parses and merges."""
        if address.client is None or address.device is None or not payload:
            return
        try:
            told = DeviceState.parse(payload).receipts
        except (ValidationError, RecursionError):
            return  # presence hears it too, and says so
        who = UUID(address.client), UUID(address.device)
        if told == (self._known.recall(who) or ()):
            return
        if len(self._waiting) >= MAX_WAITING:
            strangers.warning("receipts.overflow", device=address.device)
            return
        self._known.keep(who, told)
        for receipt in told:
            play = plays.id_of(receipt.event)
            if play is not None:
                self._waiting[(*who, play)] = receipt
        self._woken.set()

    async def run(self) -> None:
        """Write what was heard, soon, for ever."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            waiting = self.take()
            try:
                await self.write(waiting)
            except (DBAPIError, InterfaceError, OSError, TimeoutError) as error:
                logger.warning("receipts.not_written", error=str(error)[:300])
                self._waiting = {**waiting, **self._waiting}
                self._woken.set()
                await asyncio.sleep(RETRY_SECONDS)
            await asyncio.sleep(EVERY_SECONDS)

    def take(self) -> dict[Key, Receipt]:
        """What waits to be written, which then waits no longer."""
        waiting, self._waiting = self._waiting, {}
        return waiting

    async def write(self, waiting: dict[Key, Receipt]) -> None:
        """Set what is not set yet, and tell those who watch."""
        keys = sorted(waiting)
        for start in range(0, len(keys), CHUNK):
            await self._write([(*k, waiting[k]) for k in keys[start : start + CHUNK]])

    async def _write(self, rows: list[tuple[UUID, UUID, UUID, Receipt]]) -> None:
        told: Any = values(
            column("client_id", Uuid), column("device_id", Uuid), column("play_id", Uuid),
            column("received", BigInteger), column("cached", BigInteger), name="told",
        ).data([(c, d, p, r.received, r.cached) for c, d, p, r in rows])  # fmt: skip
        # a column of VALUES that holds only NULL is text to PostgreSQL
        told_cached = cast(told.c.cached, BigInteger)
        received, cached = col(PlaySpeaker.received_frame), col(PlaySpeaker.cached_frame)
        statement = (
            update(PlaySpeaker)
            .where(
                col(PlaySpeaker.client_id) == told.c.client_id,
                col(PlaySpeaker.device_id) == told.c.device_id,
                col(PlaySpeaker.play_id) == told.c.play_id,
                or_(received.is_(None), and_(cached.is_(None), told_cached.is_not(None))),
            )
            .values(
                received_frame=func.coalesce(received, told.c.received),
                cached_frame=func.coalesce(cached, told_cached),
            )
            .returning(col(PlaySpeaker.client_id), col(PlaySpeaker.play_id))
            .execution_options(synchronize_session=False)
        )
        async with self._db.system() as db:
            changed = {(client, play) for client, play in (await db.execute(statement)).all()}
            for client, play in sorted(changed):
                payload = f"{client} play {play}"
                await db.execute(select(func.pg_notify(events.CHANNEL, payload)))
