"""Forgetting audio that nothing refers to any more: first its row, then its bytes."""

from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import exists, func, union
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from sync2gear_platform.kit import log
from sync2gear_platform.kit.blobs import Blobs
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.kit.db import Database
from sync2gear_platform.library.tables import Cover, Folder, Media, Track, Upload

logger = log.get(__name__)

GRACE = timedelta(hours=1)
"""How long media may be without a track: somebody may be about to use it."""

SOME = 200
"""Media that one transaction forgets: each takes a lock, and PostgreSQL has some thousands."""


class Collected(NamedTuple):
    """How many media were forgotten, how many blobs deleted, and how many blobs were looked at."""

    media: int
    blobs: int
    looked_at: int


async def collect(db: Database, blobs: Blobs, clock: Clock) -> Collected:
    """Forget unused media of all clients, and blobs that no client has.

    What a programme or an announcement refers to stays: the schema's foreign keys say so.
    """
    forgotten = await _forget_media(db, clock)
    await _forget_covers(db, clock)
    deleted = looked_at = 0
    async for digests in blobs.digests():
        looked_at += len(digests)
        for sha256 in await _nameless(db, digests):
            deleted += await _delete(db, blobs, sha256)
    logger.info("library.collected", media=forgotten, blobs=deleted)
    return Collected(forgotten, deleted, looked_at)


async def forget_some(session: AsyncSession, blobs: Blobs, client_id: UUID) -> int:
    """Forget some media and covers of a client that is deleted, and their bytes; how many rows.

    The bytes go before the commit: who dies in between finds the rows again and repeats it.
    ``session`` is the system's.
    """
    mine = col(Media.client_id) == client_id
    some = (await session.exec(select(Media.sha256).where(mine).limit(SOME))).all()
    await session.execute(delete(Media).where(mine, col(Media.sha256).in_(some)))
    covers = select(Cover).where(col(Cover.client_id) == client_id).limit(SOME)
    pictures = (await session.exec(covers)).all()
    await session.execute(delete(Cover).where(col(Cover.id).in_([c.id for c in pictures])))
    digests = {d for c in pictures for d in (c.small, c.medium, c.large)}
    for sha256 in [*some, *sorted(digests)]:
        await _delete_free(session, blobs, sha256)
    return len(some) + len(pictures)


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


async def _forget_covers(db: Database, clock: Clock) -> None:
    """Forget covers that no track and no folder has. One given anew is touched before."""
    had = [
        exists().where(
            col(table.client_id) == col(Cover.client_id), col(table.cover_id) == col(Cover.id)
        )
        for table in (Track, Folder)
    ]
    unused = delete(Cover).where(col(Cover.updated_at) < clock.now() - GRACE, *(~h for h in had))
    async with db.system() as session:
        await session.execute(unused)


def _naming(digests: list[str]) -> Any:
    """Those of ``digests`` that some row names."""
    columns = (Media.sha256, Cover.small, Cover.medium, Cover.large)
    coming = select(col(Upload.sha256)).where(
        col(Upload.sha256).in_(digests), col(Upload.reserved) > 0
    )
    return union(*(select(col(c)).where(col(c).in_(digests)) for c in columns), coming)


async def _nameless(db: Database, digests: list[str]) -> list[str]:
    async with db.system() as session:
        named = (await session.execute(_naming(digests))).scalars()
        return sorted(set(digests) - set(named))


async def _delete(db: Database, blobs: Blobs, sha256: str) -> bool:
    """Delete a blob that no row names, unless somebody is about to name it."""
    async with db.system() as session:
        return await _delete_free(session, blobs, sha256)


async def _delete_free(session: AsyncSession, blobs: Blobs, sha256: str) -> bool:
    free = func.pg_try_advisory_xact_lock(func.hashtextextended(sha256, 0))
    if not (await session.execute(select(free))).scalar_one():
        return False
    if await _named(session, sha256):
        return False
    await blobs.delete(sha256)
    return True


async def _named(session: AsyncSession, sha256: str) -> bool:
    return (await session.execute(_naming([sha256]))).first() is not None
