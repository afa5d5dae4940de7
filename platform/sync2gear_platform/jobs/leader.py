"""The one lease: which of the workers is the leader, held by a connection and lost with it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg

from sync2gear_platform.kit import listen, log

logger = log.get(__name__)

LOCK = 0x73_32_67_02
"""The advisory lock that the leader holds."""

TRY_SECONDS = 0.5
"""How often a follower tries to take over."""


@asynccontextmanager
async def lease(url: str) -> AsyncIterator[listen.Connection]:
    """Wait until this process leads; yields the connection that holds the lease.

    The lease ends with the connection: who leads reads ``listen.signals`` of it all the while, and
    stops at once when that raises. While the database is away nobody leads.
    """
    connection = await _wait(url)
    logger.info("leader.began")
    try:
        async with connection:
            yield connection
    finally:
        logger.info("leader.ended")


async def _wait(url: str) -> listen.Connection:
    while True:
        try:
            connection = await listen.connect(url)
        except psycopg.OperationalError as error:
            logger.warning("leader.no_database", error=str(error).strip()[:300])
            await asyncio.sleep(TRY_SECONDS)
            continue
        try:
            while not await _acquire(connection):  # noqa: ASYNC110 - the holder is another process
                await asyncio.sleep(TRY_SECONDS)
        except psycopg.OperationalError as error:
            logger.warning("leader.no_database", error=str(error).strip()[:300])
            await connection.close()
        except BaseException:
            await connection.close()
            raise
        else:
            return connection


async def _acquire(connection: listen.Connection) -> bool:
    cursor = await connection.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,))
    return (await cursor.fetchone()) == (True,)
