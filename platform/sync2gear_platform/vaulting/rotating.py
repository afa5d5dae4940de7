"""A rotation from beginning to end: passes over everything that is sealed until nothing is left."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from sync2gear_platform.jobs import app as jobs
from sync2gear_platform.kit import log, rotation
from sync2gear_platform.kit.db import AsyncSession, Database
from sync2gear_platform.kit.rotation import Place
from sync2gear_platform.kit.vault import Vault

logger = log.get(__name__)

PASSES: Final = 40
PAUSE_SECONDS: Final = 0.5
"""Before what others held is tried again; 20 seconds in all, more than a statement may take."""


@dataclass(frozen=True, slots=True)
class Report:
    """Rows resealed by this run, rows that no key opens, and what is left under older keys."""

    resealed: int = 0
    unreadable: int = 0
    left: int = 0


Tell = Callable[[AsyncSession, Report], Awaitable[None]]
"""Told of each batch, in that batch's own transaction."""


async def _nobody(_: AsyncSession, __: Report) -> None:
    """Tell nobody."""


async def rotate(
    db: Database, vault: Vault, *, tell: Tell = _nobody, batch_size: int = rotation.BATCH
) -> Report:
    """Put everything under the vault's first key. Safe to kill, to repeat and to run twice."""
    resealed = 0
    for number in range(PASSES):
        if number:
            await asyncio.sleep(PAUSE_SECONDS)
        unreadable = 0
        place: Place | None = Place()
        while place is not None:
            async with db.system() as session:
                batch = await rotation.reseal_batch(session, vault, place, size=batch_size)
                resealed += batch.resealed
                unreadable += batch.unreadable
                await tell(session, Report(resealed, unreadable))
            place = batch.place
        async with db.system() as session:
            resealed += await jobs.reseal_values(session, vault)
            report = Report(resealed, unreadable, await rotation.left(session, vault))
            await tell(session, report)
        if report.left <= unreadable:
            break
    logger.info("vault.rotated", **{k: getattr(report, k) for k in Report.__dataclass_fields__})
    return report
