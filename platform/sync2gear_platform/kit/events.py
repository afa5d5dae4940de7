"""Signals between processes: told at the commit, seen by every process that listens now.

A signal says that something changed, never what: whoever cares reads the row. Losing one (a
listener that was away) is healed by reading everything again after reconnecting.
"""

from uuid import UUID

from sqlalchemy import func

from sync2gear_platform.kit.context import Ctx

CHANNEL = "s2g_changed"


async def changed(ctx: Ctx, noun: str, subject: UUID) -> None:
    """Tell every process, at the commit, that ``noun`` ``subject`` of this client changed."""
    await ctx.db.execute(func.pg_notify(CHANNEL, f"{ctx.client_id} {noun} {subject}").select())
