"""One at a time over all processes: who asks for the same thing waits, and finds it done."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from psycopg import errors as pg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from sync2gear_platform.announcements.ports import SpeechUnavailable
from sync2gear_platform.kit import log
from sync2gear_platform.kit.db import Database

logger = log.get(__name__)

AT_ONCE: Final = 4
"""Things that one process does at once; each keeps a connection, idle, for its lock."""

WAITING: Final = 32
WAIT_SECONDS: Final = 45

_LOCK: Final = text("SELECT pg_advisory_lock(hashtextextended(:name, 0))")
_UNLOCK: Final = text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))")
_PATIENCE: Final = text("SELECT set_config('statement_timeout', :millis, true)")


class Turns:
    """Advisory locks of PostgreSQL, held by a connection: who dies lets go at once.

    Within a process waiters of one name share one place in the queue, so that they cannot use up
    the connections.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._places = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._names: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def of(self, name: str) -> AsyncIterator[None]:
        """Hold ``name``; :class:`SpeechUnavailable` when too many wait, or for too long."""
        if self._waiting >= WAITING:
            raise SpeechUnavailable("Too many texts wait to be spoken: try again shortly.")
        self._waiting += 1
        lock, users = self._names.get(name, (asyncio.Lock(), 0))
        self._names[name] = lock, users + 1
        try:
            async with lock, self._places, self._db.engine.connect() as connection:
                await self._take(connection, name)
                try:
                    yield
                finally:
                    await asyncio.shield(self._release(connection, name))
        finally:
            self._waiting -= 1
            lock, users = self._names.pop(name)
            if users > 1:
                self._names[name] = lock, users - 1

    async def _take(self, connection: AsyncConnection, name: str) -> None:
        try:
            await connection.execute(_PATIENCE, {"millis": str(WAIT_SECONDS * 1000)})
            await connection.execute(_LOCK, {"name": name})
            await connection.commit()  # the lock is the connection's, not the transaction's
        except DBAPIError as error:
            if isinstance(error.orig, pg.QueryCanceled):
                raise SpeechUnavailable("This text is being spoken: try again shortly.") from error
            raise
        except asyncio.CancelledError:
            await connection.invalidate()  # it may have the lock
            raise

    async def _release(self, connection: AsyncConnection, name: str) -> None:
        try:
            await connection.execute(_UNLOCK, {"name": name})
            await connection.commit()
        except DBAPIError as error:
            logger.warning("speech.lock_lost", error=str(error)[:300])
            await connection.invalidate()
