"""Forgetting audio that nothing refers to any more: first its row, then its bytes."""

from datetime import timedelta

from sqlalchemy import exists, func
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from sync2gear_platform.kit import log
from sync2gear_platform.kit.blobs import Blobs
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.kit.db import Database
from sync2gear_platform.library.tables import Media, Track

logger = log.get(__name__)

GRACE = timedelta(hours=1)
"""How long media may be without a track: somebody may be about to use it."""


async def collect(db: Database, blobs: Blobs, clock: Clock) -> tuple[int, int]:
    """Forget unused media of all clients, and blobs that no client has; returns how many of each.

    What a programme or an announcement refers to stays: the schema's foreign keys say so.
    """
    forgotten = await _forget_media(db, clock)
    deleted = 0
    async for digests in blobs.digests():
        for sha256 in await _nameless(db, digests):
            deleted += await _delete(db, blobs, sha256)
    logger.info("library.collected", media=forgotten, blobs=deleted)
    return forgotten, deleted


async def _forget_media(db: Database, clock: Clock) -> int:
    forgotten = 0
    async with db.system() as session:
        tracked = exists().where(
            col(Track.client_id) == col(Media.client_id), col(Track.sha256) == col(Media.sha256)
        )
        unused = select(Media.client_id, Media.sha256).where(
            col(Media.created_at) < clock.now() - GRACE, ~tracked
        )
        for client_id, sha256 in (await session.exec(unused)).all():
            this = delete(Media).where(
                col(Media.client_id) == client_id, col(Media.sha256) == sha256
            )
            try:
                async with session.begin_nested():
                    await session.execute(this)
                    forgotten += 1
            except IntegrityError:
                logger.debug("media in use", sha256=sha256)
    return forgotten


async def _nameless(db: Database, digests: list[str]) -> list[str]:
    async with db.system() as session:
        named = await session.exec(
            select(Media.sha256).where(col(Media.sha256).in_(digests)).distinct()
        )
        return sorted(set(digests) - set(named))


async def _delete(db: Database, blobs: Blobs, sha256: str) -> bool:
    """Delete a blob that no row names, unless somebody is about to name it."""
    async with db.system() as session:
        free = func.pg_try_advisory_xact_lock(func.hashtextextended(sha256, 0))
        if not (await session.execute(select(free))).scalar_one():
            return False
        if await _named(session, sha256):
            return False
        await blobs.delete(sha256)
        return True


async def _named(session: AsyncSession, sha256: str) -> bool:
    found = await session.exec(select(Media.sha256).where(col(Media.sha256) == sha256).limit(1))
    return found.first() is not None
