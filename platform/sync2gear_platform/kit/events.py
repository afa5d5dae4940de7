"""Signals: to the domains above, within the same touch; to other processes, at its commit.

A signal says that something changed, never what: whoever cares reads the rows. Losing one between
processes (a listener that was away) is healed by reading everything again after reconnecting.
"""

from collections.abc import Awaitable, Callable, Collection
from uuid import UUID

from sqlalchemy import func

from sync2gear_platform.kit.context import Ctx

CHANNEL = "s2g_changed"

Follower = Callable[[Ctx, str, UUID], Awaitable[None]]
"""Does what follows from a change of a noun's subject, in the transaction of the change."""

_followers: dict[str, tuple[frozenset[str], Follower]] = {}


def follow(domain: str, nouns: Collection[str], follower: Follower) -> None:
    """Let ``domain`` follow the changes of these nouns; said twice, the last counts."""
    _followers[domain] = (frozenset(nouns), follower)


async def changed(ctx: Ctx, noun: str, subject: UUID) -> None:
    """Tell every process, at the commit, that ``noun`` ``subject`` of this client changed."""
    await ctx.db.execute(func.pg_notify(CHANNEL, f"{ctx.client_id} {noun} {subject}").select())
    await tell(ctx, noun, subject)


async def tell(ctx: Ctx, noun: str, subject: UUID) -> None:
    """Tell the domains above alone, in this very transaction."""
    for nouns, follower in list(_followers.values()):
        if noun in nouns:
            await follower(ctx, noun, subject)
