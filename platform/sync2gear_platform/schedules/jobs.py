"""The work of schedules for later: the zones that are marked are compiled."""

import asyncio
from typing import Final

import psycopg
from sqlalchemy.exc import DBAPIError, InterfaceError

from sync2gear_platform.kit import listen, log
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.kit.db import Database
from sync2gear_platform.schedules import changes, working

logger = log.get(__name__)

LOOK_SECONDS: Final = 15
"""How often a worker looks for marks that nobody told it of."""

RETRY_SECONDS: Final = 2


async def compile_for_ever(db: Database) -> None:
    """Compile what is marked, whenever it is, with whichever workers there are."""
    clock = Clock()
    while True:
        try:
            async with await listen.connect(db.url) as connection:
                await listen.listen(connection, changes.CHANNEL)
                await _obey(db, clock, connection)
        except (psycopg.OperationalError, DBAPIError, InterfaceError, OSError) as error:
            logger.warning("schedule.interrupted", error=repr(error)[:300])
        except Exception:
            logger.exception("schedule.failed")
        await asyncio.sleep(RETRY_SECONDS)


async def _obey(db: Database, clock: Clock, connection: listen.Connection) -> None:
    woken = asyncio.Event()

    async def hear() -> None:
        async for _ in listen.signals(connection):
            woken.set()

    hearing = asyncio.create_task(hear())
    try:
        while not hearing.done():
            woken.clear()
            while await working.work_off(db, clock):
                pass
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await woken.wait()
            except TimeoutError:
                continue
        hearing.result()
    finally:
        hearing.cancel()
