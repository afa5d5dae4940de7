"""Privacy's work for later: writing archives, deleting what is due, forgetting old archives."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from procrastinate import Blueprint
from sqlalchemy import text
from sqlmodel import col, select

from sync2gear_platform.identity import mail
from sync2gear_platform.identity.tables import User
from sync2gear_platform.jobs.app import RETRY
from sync2gear_platform.kit import log
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.web import NOBODY
from sync2gear_platform.privacy import archive, exporting, purging, rules
from sync2gear_platform.privacy.exporting import Place
from sync2gear_platform.privacy.tables import Export

logger = log.get(__name__)

FORGOTTEN: Final = (
    "DELETE FROM procrastinate_jobs j WHERE status NOT IN ('todo', 'doing')"
    " AND args->>'client_id' IS NOT NULL"
    " AND NOT EXISTS (SELECT FROM clients c WHERE c.id::text = j.args->>'client_id')"
)
"""Jobs that a worker had in hand while their client was deleted, and that failed since."""


def blueprint(place: Place, public_url: str, grace_days: int) -> Blueprint:
    """The tasks of the namespace ``privacy``."""
    tasks = Blueprint()

    @tasks.task(name="export", retry=RETRY)
    async def export(client_id: str | None, export_id: str) -> None:
        """Write an archive and tell who asked for it."""
        await write(place, UUID(export_id), public_url)

    @tasks.periodic(cron="*/5 * * * *")
    @tasks.task(name="purge", queueing_lock="privacy:purge", lock="privacy:purge")
    async def purge(timestamp: int) -> None:
        """Every five minutes: delete for good what is due, and go on with what was begun."""
        await purging.purge_due(place, timedelta(days=grace_days))

    @tasks.periodic(cron="17 * * * *")
    @tasks.task(name="tidy", queueing_lock="privacy:tidy")
    async def tidy(timestamp: int) -> None:
        """Once an hour: remove archives that have expired, and files that are nobody's."""
        await clean_up(place)

    return tasks


async def write(place: Place, export_id: UUID, public_url: str) -> None:
    """Write one archive, unless it is written or its subject is gone."""
    async with place.db.system() as session:
        row = await session.get(Export, export_id)
    if row is None or row.state != "running":
        return
    await asyncio.to_thread(archive.remove, place.exports, export_id)
    try:
        written = await exporting.fill(place, export_id, row.client_id, row.user_id)
    except exporting.SubjectGoneError:
        logger.info("privacy.export_dropped", export=str(export_id))
        return
    actor = replace(NOBODY, client_id=row.client_id)
    async with place.db.system() as session:
        ctx = Ctx(db=session, actor=actor, now=place.clock.now(), trace="export")
        found = await session.get(Export, export_id, with_for_update=True)
        if found is None:  # deleted meanwhile: nothing of it may stay
            await asyncio.to_thread(archive.remove, place.exports, export_id)
            return
        found.state, found.bytes, found.sha256 = "ready", written.bytes, written.sha256
        found.finished_at, found.expires_at = ctx.now, ctx.now + rules.KEPT
        whose = (
            col(Export.client_id) == found.client_id
            if found.client_id
            else col(Export.user_id) == found.user_id
        )
        older = select(Export).where(whose, col(Export.id) != export_id)
        for one in (await session.exec(older.where(col(Export.state) == "ready"))).all():
            one.expires_at = min(one.expires_at, ctx.now)
            await asyncio.to_thread(archive.remove, place.exports, one.id)
        user = await session.get(User, found.requested_by) if found.requested_by else None
        if user is not None:
            await mail.send(
                ctx, user.email, "export_ready", user.locale,
                name=user.name, url=f"{public_url}{rules.PAGE}",
                expires=found.expires_at.isoformat(),
            )  # fmt: skip
    logger.info("privacy.exported", export=str(export_id), bytes=written.bytes)


async def clean_up(place: Place) -> int:
    """Remove archives that have expired or are nobody's; returns how many."""
    lying = await asyncio.to_thread(archive.names, place.exports)
    now = place.clock.now()
    async with place.db.system() as session:
        rows = (await session.exec(select(Export).where(col(Export.id).in_(lying)))).all()
        wanted = {
            row.id
            for row in rows
            if rules.state_of(row.state, row.created_at, row.expires_at, now)
            in {"ready", "running"}
        }
        old = select(Export).where(col(Export.expires_at) < now - rules.KEPT)
        for row in (await session.exec(old)).all():
            await session.delete(row)
        await session.execute(text(FORGOTTEN))
    for export_id in lying - wanted:
        await asyncio.to_thread(archive.remove, place.exports, export_id)
    return len(lying - wanted)
