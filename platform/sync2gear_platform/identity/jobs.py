"""Identity's jobs: completing requests by mail, forgetting what has ended."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from procrastinate import Blueprint
from sqlalchemy import delete
from sqlmodel import col

from sync2gear_platform.identity import attempts, tickets
from sync2gear_platform.identity.tables import Session
from sync2gear_platform.jobs.app import RETRY
from sync2gear_platform.kit import joint
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.db import Database
from sync2gear_platform.kit.web import NOBODY

ENDED_KEPT: Final = timedelta(days=90)
"""An ended session tells for so long from where its owner signs in."""


def blueprint(db: Database, public_url: str) -> Blueprint:
    """The tasks ``identity:…``."""
    tasks = Blueprint()
    clock = Clock()

    @tasks.task(name="ticket", retry=RETRY)
    async def ticket(client_id: str | None, ticket_id: str) -> None:
        """Mail what a request to sign up or to reset a password asks for."""
        async with db.system() as session:
            ctx = Ctx(db=session, actor=NOBODY, now=clock.now(), trace=f"ticket {ticket_id}")
            await tickets.work_off(ctx, UUID(ticket_id), public_url)

    return tasks


async def clean_up(ctx: Ctx) -> None:
    """Forget what ended long ago: sessions, requests, tries. ``ctx`` is the system's."""
    old = ctx.now - ENDED_KEPT
    gone = (col(Session.ended_at) < old) | (col(Session.expires_at) < old)
    await ctx.db.execute(delete(Session).where(gone))
    await tickets.forget(ctx)
    await attempts.forget(ctx.db, ctx.now)
    await joint.forget(ctx.db, ctx.now)
