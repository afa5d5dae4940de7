"""Forgetting what speech leaves behind: sounds that nobody asks for again, and old accounts.

Only rows go here. Audio that an announcement or anything else refers to stays; what nothing refers
to any more, the library's housekeeping removes.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, func, select, update
from sqlmodel import col

from sync2gear_platform.announcements import accounts, rules, studio
from sync2gear_platform.announcements.speech_tables import Rendered, SpeechCall
from sync2gear_platform.kit import log
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.db import AsyncSession, Database
from sync2gear_platform.kit.web import NOBODY

logger = log.get(__name__)

UNUSED: Final = timedelta(days=180)
"""How long what was spoken is kept although nobody asks for it again."""

JOINED_UNUSED: Final = timedelta(days=7)
"""How long a join is kept that nobody asks for: then a part of it was replaced, or its day is over.

A join is found by what its parts sound like, so a replaced part is never heard from an old one.
"""

MOST: Final = 5_000
"""Sounds that are kept of one client: those that were asked for last."""

OPEN: Final = timedelta(hours=1)
"""How long a provider may be asked, at the very most."""


async def collect(db: Database, clock: Clock) -> None:
    """Do all of it, for all clients; safe to repeat at any point."""
    now = clock.now()
    async with db.system() as session:
        await _lose(session, now)
        oldest = rules.month_of(now)
        for _ in range(accounts.KEPT_MONTHS):
            oldest = rules.month_of_day(oldest - timedelta(days=1))
        calls = await _gone(session, SpeechCall, col(SpeechCall.month) < oldest)
        sounds = await _gone(session, Rendered, col(Rendered.used_at) < now - UNUSED)
        ctx = Ctx(db=session, actor=NOBODY, now=now, trace="housekeeping")
        joins = await studio.forget_joins(ctx, now - JOINED_UNUSED)
        sounds += await _too_many(session)
    logger.info("speech.collected", calls=calls, sounds=sounds, joins=joins)


async def _lose(session: AsyncSession, now: datetime) -> None:
    """What a dead process left open is lost: it counts, since it may have been billed."""
    await session.execute(
        update(SpeechCall)
        .where(col(SpeechCall.state) == "open", col(SpeechCall.created_at) < now - OPEN)
        .values(state="lost", updated_at=now)
    )


async def _too_many(session: AsyncSession) -> int:
    rank = func.row_number().over(
        partition_by=col(Rendered.client_id),
        order_by=(col(Rendered.used_at).desc(), col(Rendered.id).desc()),
    )
    ranked = select(col(Rendered.id), rank.label("rank")).subquery()
    beyond = select(ranked.c.id).where(ranked.c.rank > MOST)
    return await _gone(session, Rendered, col(Rendered.id).in_(beyond))


async def _gone(session: AsyncSession, table: Any, condition: Any) -> int:
    gone = await session.execute(delete(table).where(condition).returning(table.id))
    return len(gone.all())
