"""What follows from a change of announcements: screens are told, and speakers fetch anew."""

from typing import Final
from uuid import UUID

from sync2gear_platform.jobs import app as jobs
from sync2gear_platform.kit import events
from sync2gear_platform.kit.context import Ctx

PREFETCH: Final = "announcements:prefetch"
"""The task's name as jobs carry it."""


async def changed(ctx: Ctx, noun: str, subject: UUID, *, ahead: bool = True) -> None:
    """Say at the commit that an announcement changed, or how all of them sound.

    ``ahead``: what speakers hold ahead may follow from it.
    """
    await events.changed(ctx, noun, subject)
    if ahead:
        await look_again(ctx)


async def look_again(ctx: Ctx) -> None:
    """Have what speakers hold ahead found out after the commit: no request waits for it.

    Jobs of one client run one after the other, so the last one has seen every commit.
    """
    await jobs.defer(ctx, PREFETCH, lock=f"{PREFETCH} {ctx.client_id}")
