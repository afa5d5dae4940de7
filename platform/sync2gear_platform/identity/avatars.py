"""Use cases of people's pictures."""

from hashlib import sha256
from typing import Final
from uuid import UUID

from sqlmodel import col, select

from sync2gear_platform.audit import service as audit
from sync2gear_platform.identity import service
from sync2gear_platform.identity.tables import Avatar, Membership
from sync2gear_platform.kit import drawing
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import NotFound

SIDE: Final = 256
"""Pixels either way of what is kept."""

MAX_BYTES: Final = 2_000_000
"""Of what is sent."""


class NoAvatar(NotFound):
    """There is no such picture here."""

    code = "not_found"


async def draw(data: bytes) -> bytes:
    """``data`` drawn anew as a square. Needs no transaction."""
    return (await drawing.draw(data, "square", SIDE))[0]


async def keep(ctx: Ctx, user_id: UUID, image: bytes) -> Avatar:
    """Make ``image`` the picture of the person who acts. ``ctx`` is in the system's door."""
    digest = sha256(image).hexdigest()
    await service.myself(ctx)  # one picture at a time
    row = await ctx.db.get(Avatar, user_id, with_for_update=True)
    if row is None:
        row = Avatar(user_id=user_id, sha256=digest, image=image, updated_at=ctx.now)
        ctx.db.add(row)
    row.sha256, row.image, row.updated_at = digest, image, ctx.now
    await ctx.db.flush()
    after = {"sha256": digest, "bytes": len(image), "side": SIDE}
    audit.record(ctx, "avatar.update", "user", user_id, after=after)
    return row


async def remove(ctx: Ctx, user_id: UUID) -> None:
    """Remove the picture of the person who acts. ``ctx`` is in the system's door."""
    row = await ctx.db.get(Avatar, user_id, with_for_update=True)
    if row is None:
        raise NoAvatar
    await ctx.db.delete(row)
    audit.record(ctx, "avatar.delete", "user", user_id, before={"sha256": row.sha256})


async def of(ctx: Ctx, user_id: UUID) -> Avatar:
    """The picture of a member of this client, or one's own. ``ctx`` is in the system's door."""
    statement = select(Avatar).where(col(Avatar.user_id) == user_id)
    if user_id != ctx.actor.id:
        colleagues = select(Membership.user_id).where(
            col(Membership.client_id) == ctx.actor.client_id
        )
        statement = statement.where(col(Avatar.user_id).in_(colleagues))
    row = (await ctx.db.exec(statement)).one_or_none()
    if row is None:
        raise NoAvatar
    return row
