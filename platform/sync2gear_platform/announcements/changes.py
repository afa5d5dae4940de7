"""What follows from a change of announcements: screens are told, and speakers fetch anew."""

from collections.abc import Awaitable, Callable, Collection
from typing import Final
from uuid import UUID

from sync2gear_platform.jobs import app as jobs
from sync2gear_platform.kit import events
from sync2gear_platform.kit.context import Ctx

PREFETCH: Final = "announcements:prefetch"
"""The task's name as jobs carry it."""


Asker = Callable[[Ctx], Awaitable[Collection[UUID]]]
"""Says which announcements have to be on speakers before all others."""

_askers: dict[str, Asker] = {}


def register(domain: str, asker: Asker) -> None:
    """Let ``domain``, which is above this one, say what has to be at hand; the last counts."""
    _askers[domain] = asker


async def needed(ctx: Ctx) -> set[UUID]:
    """What any domain has to have at hand."""
    return {found for asker in _askers.values() for found in await asker(ctx)}


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
