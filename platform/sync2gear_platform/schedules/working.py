"""Working off the marks: zones are compiled in batches; one that cannot be waits by itself."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import func, text
from sqlmodel import col, select

from sync2gear_platform.kit import log, marks, setbacks
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.kit.context import Actor, Ctx
from sync2gear_platform.kit.db import AsyncSession, Database, enter_tenant
from sync2gear_platform.schedules import changes, listing
from sync2gear_platform.schedules.publishing import LABEL, prepare, publish, worked_out
from sync2gear_platform.schedules.tables import ZoneCompile

logger = log.get(__name__)

BATCH: Final = 16
"""Zones of one transaction: their facts are read together, and a chain's are worked out once."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A zone that waits, and which of its marks was taken."""

    client: UUID
    zone: UUID
    mark: int


async def work_off(db: Database, clock: Clock) -> int:
    """Compile some of the zones that wait, in one transaction; how many marks were taken.

    Where that fails each is tried by itself, and the one whose fault it is waits, longer each time.
    """
    taken: list[Mark] = []
    try:
        async with db.system() as session:
            taken += await _take(session, clock)
            await _compile(session, clock, taken)
    except Exception as error:
        if not taken or setbacks.passing(error):
            raise  # not the zones' fault: they are tried again as they are
        if len(taken) == 1:
            await _postpone(db, clock, taken[0], error)
        else:
            logger.warning("schedule.batch_failed", zones=len(taken), error=repr(error)[:300])
            await _one_by_one(db, clock, taken)
    return len(taken)


async def _one_by_one(db: Database, clock: Clock, taken: Sequence[Mark]) -> None:
    """Compile each of these zones in a transaction of its own."""
    for mark in taken:
        try:
            async with db.system() as session:
                if await _lock(session, mark.zone):
                    await _compile(session, clock, [mark])
        except Exception as error:
            if setbacks.passing(error):
                raise
            await _postpone(db, clock, mark, error)


async def _take(session: AsyncSession, clock: Clock) -> list[Mark]:
    """Marks of one client, the oldest first, whose zones no other worker compiles just now.

    Held by advisory locks: whoever marks a zone again meanwhile does not wait.
    """
    waiting = (
        select(ZoneCompile)
        .where(col(ZoneCompile.wanted_at) <= clock.now())
        .order_by(col(ZoneCompile.wanted_at), col(ZoneCompile.zone_id))
        .limit(4 * BATCH)
    )
    taken: list[Mark] = []
    for mark in (await session.exec(waiting)).all():
        if taken and (mark.client_id != taken[0].client or len(taken) == BATCH):
            continue
        if await _lock(session, mark.zone_id):
            taken.append(Mark(mark.client_id, mark.zone_id, mark.mark))
    return taken


async def _lock(session: AsyncSession, zone: UUID) -> bool:
    lock = func.pg_try_advisory_xact_lock(func.hashtextextended(str(zone), 7))
    return bool((await session.execute(select(lock))).scalar_one())


async def _compile(session: AsyncSession, clock: Clock, taken: Sequence[Mark]) -> None:
    """Publish what these zones of one client ask for."""
    if not taken:
        return
    client = taken[0].client
    await enter_tenant(session, client)
    actor = Actor(kind="system", id=None, client_id=client, label=LABEL)
    ctx = Ctx(db=session, actor=actor, now=clock.now(), trace=LABEL)
    known = {mark.zone: mark.mark for mark in taken}
    later = await listing.follow(ctx, list(known))
    jobs = await prepare(ctx, list(known))
    results = await asyncio.to_thread(worked_out, jobs)
    left = await publish(ctx, jobs, results)
    done = [(zone, mark) for zone, mark in known.items() if zone not in left]
    gone = await marks.forget(session, ZoneCompile, "zone_id", done)
    await changes.again(ctx, {zone: later[zone] for zone in gone & later.keys()})
    logger.info("schedule.compiled", zones=len(results), looked_at=len(taken), again=len(left))


async def _postpone(db: Database, clock: Clock, mark: Mark, error: Exception) -> None:
    """Write down what is wrong with a zone, and let it wait, unless it was changed meanwhile."""
    logger.error("schedule.zone_failed", zone=str(mark.zone), exc_info=error)
    late = text(
        "UPDATE zone_compiles SET failures = failures + 1, failure = :failure,"
        " wanted_at = :now + :wait * power(2, least(failures, :most))"
        " WHERE zone_id = :zone AND mark = :mark"
    )
    values = {
        "failure": repr(error)[:300],
        "now": clock.now(),
        "wait": setbacks.POSTPONED,
        "most": setbacks.MOST_DOUBLINGS,
        "zone": mark.zone,
        "mark": mark.mark,
    }
    async with db.system() as session:
        await session.execute(late, values)
