"""Use cases of a new e-mail address: a link to the new one completes it, the old one is told."""

from dataclasses import replace

from sqlmodel import col, select

from sync2gear_platform.audit import service as audit
from sync2gear_platform.identity import mail, service, sessions, tickets
from sync2gear_platform.identity.tables import Membership, User
from sync2gear_platform.identity.tickets import BadLink
from sync2gear_platform.kit.context import Actor, Ctx

PURPOSE = "email_change"


async def ask(ctx: Ctx, email: str) -> None:
    """Ask for another address of one's own; ``ctx`` is in the system's door.

    Whether the address is somebody's already, neither the answer nor its time says.
    """
    user = await service.myself(ctx)
    await tickets.request(ctx, PURPOSE, email, {}, user_id=user.id)


async def confirm(ctx: Ctx, token: str) -> None:
    """Make the address of a mailed link the person's; every session ends. ``ctx`` as above."""
    ticket = await tickets.redeem(ctx, PURPOSE, token)
    user = await ctx.db.get(User, ticket.user_id, with_for_update=True)
    if user is None or not user.is_active or user.deleted_at is not None:
        raise BadLink
    if await service.find_user(ctx, ticket.email) is not None:
        raise service.EmailTaken("Somebody else has an account with this e-mail address.")
    before, user.email = user.email, ticket.email
    user.version += 1
    await sessions.end_all(ctx, user, "email_changed")
    await _record(ctx, user, before)
    await mail.send(ctx, before, "email_changed", user.locale, name=user.name, email=user.email)


async def _record(ctx: Ctx, user: User, before: str) -> None:
    """Write it down wherever the person belongs."""
    mine = select(Membership.client_id).where(col(Membership.user_id) == user.id)
    for client_id in (await ctx.db.exec(mine)).all():
        actor = Actor(kind="user", id=user.id, client_id=client_id, label=before)
        audit.record(
            replace(ctx, actor=actor),
            "user.email",
            "user",
            user.id,
            before={"email": before},
            after={"email": user.email},
        )
