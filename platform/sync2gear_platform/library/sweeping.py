"""Tidying up after uploads: what expired, what a worker left behind, bytes that are nobody's."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, text
from sqlmodel import col, delete, select

from sync2gear_platform.kit import log, rows, setbacks
from sync2gear_platform.kit.errors import NotFound
from sync2gear_platform.kit.setbacks import Subject
from sync2gear_platform.library import uploads
from sync2gear_platform.library.arrivals import NoDirect
from sync2gear_platform.library.ingest import Kitchen, give_up
from sync2gear_platform.library.tables import Upload
from sync2gear_platform.library.tus import Gone

logger = log.get(__name__)

REMEMBERED: Final = timedelta(days=30)
"""How long it can be read what became of an upload."""

SOME: Final = 500
"""Uploads that one query looks at."""

_ORPHANED: Final = text(
    "SELECT u.client_id, u.id FROM uploads u WHERE u.state IN ('uploaded', 'processing')"
    " AND u.updated_at < :before AND NOT EXISTS (SELECT FROM procrastinate_jobs j"
    " WHERE j.task_name = :task AND j.status IN ('todo', 'doing')"
    " AND j.args->>'upload_id' = u.id::text)"
)


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep found, each a number: uploads ``late`` or ``stranded``, files removed."""

    late: int
    stranded: int
    files: int
    staged: int


async def sweep(kitchen: Kitchen) -> Swept:
    """Do all of it once, for all clients."""
    now = kitchen.clock.now()
    late = (col(Upload.expires_at) < now, col(Upload.reserved) > 0)
    overdue = await _found(kitchen, *late)
    await _for_each(kitchen, "uploads.overdue", overdue, _expire)
    async with kitchen.db.system() as session:
        values = {"before": now - timedelta(minutes=5), "task": uploads.INGEST}
        orphaned = [(row[0], row[1]) for row in await session.execute(_ORPHANED, values)]
        old = col(Upload.updated_at) < now - REMEMBERED
        await session.execute(delete(Upload).where(old, col(Upload.reserved) == 0))
    await _for_each(kitchen, "uploads.orphan", orphaned, give_up)
    removed = await _remove_bytes(kitchen)
    staged = await kitchen.blobs.sweep()
    if removed:
        logger.info("uploads.swept", files=removed)
    return Swept(len(overdue), len(orphaned), removed, staged)


async def _for_each(
    kitchen: Kitchen,
    work: str,
    found: Sequence[tuple[UUID, UUID]],
    deed: Callable[[Kitchen, UUID, UUID], Awaitable[None]],
) -> None:
    clients = {upload_id: client_id for client_id, upload_id in found}

    async def one_upload(one: Subject) -> int:
        await deed(kitchen, clients[one.id], one.id)
        return 1

    subjects = [Subject(one, client) for one, client in clients.items()]
    await setbacks.each(kitchen.db, kitchen.clock, work, subjects, one_upload)


async def _found(kitchen: Kitchen, *conditions: ColumnElement[bool]) -> list[tuple[UUID, UUID]]:
    async with kitchen.db.system() as session:
        wanted = select(Upload.client_id, Upload.id).where(*conditions)
        return list((await session.exec(wanted.limit(SOME))).all())


async def _expire(kitchen: Kitchen, client_id: UUID, upload_id: UUID) -> None:
    """End what nobody went on with; all of whose bytes are here is only late to be written down."""
    try:
        async with kitchen.touch(client_id) as ctx:
            row = await rows.find(ctx, Upload, upload_id)
        size = await kitchen.arrivals.size(row)
        async with kitchen.touch(client_id) as ctx:
            row = await rows.find(ctx, Upload, upload_id, lock=True)
            if row.expires_at >= ctx.now or row.reserved == 0:
                return
            if row.state == "receiving" and row.via != "form" and size == row.size:
                await uploads.arrived(ctx, upload_id, size)
            elif row.state == "receiving":
                await uploads.fail(ctx, row, "expired")
            elif row.state == "failed":
                rows.change(ctx, row, {"reserved": 0})
    except (NotFound, Gone, NoDirect) as gone:
        logger.info("upload gone", upload=str(upload_id), reason=gone.code)


async def _remove_bytes(kitchen: Kitchen) -> int:
    """Remove files that no upload holds room for. A file is made after its row: none is too new."""
    removed = 0
    found = await kitchen.arrivals.found()
    for start in range(0, len(found), SOME):
        some = dict(found[start : start + SOME])
        for key in await _nobodys(kitchen, list(some)):
            await kitchen.arrivals.forget(key, some[key])
            removed += 1
    return removed


async def _nobodys(kitchen: Kitchen, keys: Sequence[UUID]) -> list[UUID]:
    async with kitchen.db.system() as session:
        held = select(Upload.id).where(col(Upload.id).in_(keys), col(Upload.reserved) > 0)
        return sorted(set(keys) - set((await session.exec(held)).all()))
