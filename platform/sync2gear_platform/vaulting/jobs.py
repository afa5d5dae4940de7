"""A rotation as work for later, which says how far it is."""

from uuid import UUID

from procrastinate import Blueprint

from sync2gear_platform.jobs.app import RETRY
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.kit.db import AsyncSession, Database
from sync2gear_platform.kit.vault import Vault
from sync2gear_platform.vaulting import rotating
from sync2gear_platform.vaulting.rotating import Report
from sync2gear_platform.vaulting.tables import Rotation


def blueprint(db: Database, vault: Vault) -> Blueprint:
    """The tasks of the namespace ``vaulting``."""
    tasks = Blueprint()
    clock = Clock()

    @tasks.task(name="rotate", retry=RETRY)
    async def rotate(client_id: str | None, rotation_id: str) -> None:
        """Put everything under the first key; goes on where a worker died."""
        row_id = UUID(rotation_id)
        async with db.system() as session:
            before = (await session.get_one(Rotation, row_id)).resealed

        async def tell(session: AsyncSession, report: Report) -> None:
            row = await session.get_one(Rotation, row_id)
            row.resealed, row.unreadable = before + report.resealed, report.unreadable

        report = await rotating.rotate(db, vault, tell=tell)
        async with db.system() as session:
            row = await session.get_one(Rotation, row_id)
            row.state = "incomplete" if report.left else "done"
            row.remaining = report.left
            row.ended_at = clock.now()

    return tasks
