"""Use cases of accounts that others make: links to a first password, and the last administrator."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select

from sync2gear_platform.identity import tickets
from sync2gear_platform.identity.passwords import Passwords
from sync2gear_platform.identity.tables import Ticket, User
from sync2gear_platform.identity.tokens import digest, new_secret
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import Refusal

LINK_LIFETIME: Final = timedelta(days=7)


class LastAdmin(Refusal):
    """An installation always keeps one administrator: make somebody else administrator first."""

    kind = "conflict"
    code = "last_admin"


@dataclass(frozen=True, slots=True)
class Link:
    """Where somebody chooses a password, once, and until when."""

    url: str
    expires_at: datetime


async def no_password(passwords: Passwords) -> str:
    """The hash of a password that nobody knows: the account waits for its link."""
    return await passwords.hash(secrets.token_urlsafe(32))


async def first_password(ctx: Ctx, user: User, public_url: str) -> Link:
    """A link by which ``user`` chooses a password. ``ctx`` is the system's."""
    secret = new_secret()
    ticket = Ticket(
        purpose="password_reset",
        email=user.email,
        user_id=user.id,
        token_hash=digest(secret),
        expires_at=ctx.now + LINK_LIFETIME,
        created_at=ctx.now,
    )
    ctx.db.add(ticket)
    await ctx.db.flush()
    page = tickets.PAGES["password_reset"]
    return Link(f"{public_url}{page}#token={secret}", ticket.expires_at)


def _admins() -> tuple[object, ...]:
    return (
        col(User.staff_role) == "admin",
        col(User.is_active),
        col(User.deleted_at).is_(None),
    )


async def take_turns(ctx: Ctx) -> None:
    """Wait for whoever is removing an administrator: two at once would each leave the other."""
    admins = select(User.id).where(*_admins())  # type: ignore[arg-type]  # conditions all
    await ctx.db.exec(admins.order_by(col(User.id)).with_for_update())


async def keep_admin(ctx: Ctx, *, without: UUID | None = None) -> None:
    """Refuse what would leave the installation without an administrator (:class:`LastAdmin`).

    ``without``: as it would be if this person were gone; anybody else may go.
    """
    left = select(func.count()).select_from(User).where(*_admins())  # type: ignore[arg-type]  # so
    if without is not None:
        person = await ctx.db.get_one(User, without)
        if person.staff_role != "admin":
            return
        left = left.where(col(User.id) != without)
    if (await ctx.db.execute(left)).scalar_one() == 0:
        raise LastAdmin
