"""A worker's part in announcements: long texts are spoken here, behind the request that made them.

The sound, what it cost and what is kept are committed by the booth; who dies after that finds it
kept and pays nothing. Who dies before begins anew.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import text

from sync2gear_platform.announcements import service
from sync2gear_platform.announcements.speech import Booth, Rendering
from sync2gear_platform.announcements.tables import Announcement
from sync2gear_platform.kit import log, rows, setbacks
from sync2gear_platform.kit.blobs import Blobs
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.kit.context import touch
from sync2gear_platform.kit.db import Database
from sync2gear_platform.kit.errors import NotFound, Refusal
from sync2gear_platform.kit.setbacks import Subject

logger = log.get(__name__)

LABEL: Final = "speech"
PATIENCE: Final = timedelta(minutes=5)
"""How long a text may be rendering without a job; it is written down together with its job."""

_ORPHANED: Final = text(
    "SELECT a.client_id, a.id FROM announcements a WHERE a.state = 'rendering'"
    " AND a.updated_at < :before AND NOT EXISTS (SELECT FROM procrastinate_jobs j"
    " WHERE j.task_name = :task AND j.status IN ('todo', 'doing')"
    " AND j.args->>'announcement_id' = a.id::text)"
)


class Interrupted(Refusal):
    """The server could not finish this for reasons of its own: try again."""

    kind = "unavailable"
    code = "interrupted"


@dataclass(frozen=True, slots=True)
class Desk:
    """What a worker speaks with."""

    db: Database
    booth: Booth
    blobs: Blobs
    clock: Clock


async def render(desk: Desk, client_id: UUID, announcement_id: UUID) -> None:
    """Have an announcement spoken, or write down why it cannot be; safe to repeat.

    Raises ``NotFound`` where it is gone, and what may pass: database and disk.
    """
    async with touch(desk.db, client_id, desk.clock.now(), LABEL) as ctx:
        row = await rows.find(ctx, Announcement, announcement_id)
        if row.state != "rendering":
            return
        script = service.script_of(row, {})
        outcome: Rendering | Refusal
        try:
            _, outcome = await service.voiced(ctx, desk.booth, desk.blobs, script)
        except Refusal as refusal:
            logger.info("speech.failed", announcement=str(announcement_id), code=refusal.code)
            outcome = refusal
    async with touch(desk.db, client_id, desk.clock.now(), LABEL) as ctx:
        row = await rows.find(ctx, Announcement, announcement_id, lock=True)
        # Another text that came meanwhile has a job of its own.
        if row.state == "rendering" and service.script_of(row, {}) == script:
            await service.rendered(ctx, row, outcome)


async def give_up(desk: Desk, client_id: UUID, announcement_id: UUID) -> None:
    """The last attempt failed for a reason of ours: say so."""
    async with touch(desk.db, client_id, desk.clock.now(), LABEL) as ctx:
        row = await rows.find(ctx, Announcement, announcement_id, lock=True)
        if row.state == "rendering":
            await service.rendered(ctx, row, Interrupted())


async def give_up_orphans(desk: Desk) -> int:
    """Give up what is rendering without a job, as a worker that died too often leaves it."""
    values = {"before": desk.clock.now() - PATIENCE, "task": service.RENDER}
    async with desk.db.system() as session:
        orphaned = [(row[0], row[1]) for row in await session.execute(_ORPHANED, values)]
    clients = {announcement_id: client_id for client_id, announcement_id in orphaned}

    async def give_up_one(one: Subject) -> int:
        try:
            await give_up(desk, clients[one.id], one.id)
        except NotFound:
            logger.info("speech.gone", announcement=str(one.id))
        return 1

    subjects = [Subject(one, client) for one, client in clients.items()]
    return await setbacks.each(desk.db, desk.clock, "speech.orphan", subjects, give_up_one)
