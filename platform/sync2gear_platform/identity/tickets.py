"""Signing up and forgotten passwords: requests that a mailed link completes.

A request does the same for an address that is known and for one that is not: a row and a job. The
job, later, looks who it is and mails; neither the answer nor its time says whether somebody has an
account here.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, func, or_
from sqlmodel import col, select

from sync2gear_platform.identity import mail, service
from sync2gear_platform.identity.passwords import Passwords
from sync2gear_platform.identity.tables import Ticket, User
from sync2gear_platform.identity.tokens import digest, new_secret
from sync2gear_platform.jobs import app as jobs
from sync2gear_platform.kit import log
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.db import enter_system, enter_tenant
from sync2gear_platform.kit.errors import Refusal
from sync2gear_platform.kit.fields import folded

logger = log.get(__name__)

LIFETIME: Final = {
    "signup": timedelta(hours=24),
    "password_reset": timedelta(minutes=30),
    "email_change": timedelta(hours=24),
}
MOST: Final = 5
"""Letters about requests of one purpose to one address within a link's lifetime: whoever asks in
another's name cannot fill that mailbox, in which there is a link that works meanwhile."""

TASK: Final = "identity:ticket"
PAGES: Final = {
    "signup": "/signup/confirm",
    "password_reset": "/password-reset",
    "email_change": "/email-change",
}
"""The dashboard's pages; the secret follows ``#``, which no server and no Referer ever sees."""


class BadLink(Refusal):
    """This link is not valid any more: ask for a new one."""

    code = "bad_link"


async def request(
    ctx: Ctx, purpose: str, email: str, wanted: dict[str, Any], *, user_id: UUID | None = None
) -> None:
    """Note a request; :func:`work_off` does the rest. ``ctx`` is the system's."""
    ticket = Ticket(
        purpose=purpose,
        email=email.strip(),
        wanted=wanted,
        user_id=user_id,
        expires_at=ctx.now + LIFETIME[purpose],
        created_at=ctx.now,
    )
    ctx.db.add(ticket)
    await ctx.db.flush()
    await jobs.defer(ctx, TASK, ticket_id=str(ticket.id))


async def request_signup(
    ctx: Ctx, passwords: Passwords, *, password: str, email: str, **wanted: str
) -> None:
    """Ask to sign up a new client with its first manager (``name``, ``company``, ``locale``)."""
    known = (email, wanted.get("name", ""), wanted.get("company", ""))
    password_hash = await service.hashed(passwords, password, *known)
    await request(ctx, "signup", email, {**wanted, "password_hash": password_hash})


async def work_off(ctx: Ctx, ticket_id: UUID, public_url: str) -> None:
    """Mail the link that completes a request, or whatever is right for that address.

    Repeated after a crash it mails a new link, and only that one is good.
    """
    ticket = await ctx.db.get(Ticket, ticket_id, with_for_update=True)
    if ticket is None or ticket.used_at is not None:
        return
    user = await service.find_user(ctx, ticket.email)
    active = user is not None and user.is_active
    if await _enough(ctx, ticket):
        logger.warning("ticket.enough", purpose=ticket.purpose)
        await ctx.db.delete(ticket)
    elif ticket.purpose == "signup" and user is not None:
        await mail.send(ctx, user.email, "signup_known", user.locale, name=user.name,
                        url=f"{public_url}/")  # fmt: skip
        ticket.used_at, ticket.wanted = ctx.now, {}  # kept, as it counts
    elif not (active if ticket.purpose == "password_reset" else user is None):
        await ctx.db.delete(ticket)  # nobody's password, or somebody else's address
    else:
        secret = new_secret()
        ticket.token_hash = digest(secret)
        reader = user or (await ctx.db.get(User, ticket.user_id) if ticket.user_id else None)
        ticket.user_id = reader.id if reader else None
        await mail.send(
            ctx,
            user.email if user else ticket.email,
            {"signup": "signup_confirm"}.get(ticket.purpose, ticket.purpose),
            reader.locale if reader else ticket.wanted.get("locale", "en"),
            name=reader.name if reader else ticket.wanted.get("name", ""),
            expires=ticket.expires_at.isoformat(),
            url=f"{public_url}{PAGES[ticket.purpose]}#token={secret}",
        )


async def _enough(ctx: Ctx, ticket: Ticket) -> bool:
    """Whether that address has got as many letters of late as fit."""
    lock = func.hashtextextended(f"{ticket.purpose} {folded(ticket.email)}", 0)
    await ctx.db.execute(select(func.pg_advisory_xact_lock(lock)))
    mailed = select(func.count()).where(
        col(Ticket.purpose) == ticket.purpose,
        func.lower(col(Ticket.email)) == folded(ticket.email),
        or_(col(Ticket.token_hash).is_not(None), col(Ticket.used_at).is_not(None)),
        col(Ticket.created_at) > ctx.now - LIFETIME[ticket.purpose],
        col(Ticket.id) != ticket.id,
    )
    return bool((await ctx.db.execute(mailed)).scalar_one() >= MOST)


async def confirm_signup(ctx: Ctx, passwords: Passwords, token: str, password: str) -> User:
    """Make the client and its first manager that a link stands for. ``ctx`` is the system's.

    Only whoever asked knows the password: otherwise a stranger could ask in the name of an
    address, and its owner's click would make an account that the stranger can enter.
    """
    ticket = await redeem(ctx, "signup", token)
    wanted: Mapping[str, Any] = ticket.wanted
    if not await passwords.check(password, wanted["password_hash"]):
        raise service.WrongPassword("That is not the password that this sign-up was asked with.")
    client = await service.create_client(ctx, name=wanted["company"], email=ticket.email)
    user = await service.create_person(
        ctx,
        email=ticket.email,
        name=wanted["name"],
        password_hash=wanted["password_hash"],
        locale=wanted.get("locale", "en"),
        timezone=wanted.get("timezone", "UTC"),
    )
    ticket.wanted = {}
    await ctx.db.flush()
    await enter_tenant(ctx.db, client.id)
    await service.join(service.as_client(ctx, client.id), user, role="client")
    await enter_system(ctx.db)
    return user


async def confirm_reset(ctx: Ctx, passwords: Passwords, token: str, password: str) -> None:
    """Set a new password by a mailed link; every session ends. ``ctx`` is the system's."""
    ticket = await redeem(ctx, "password_reset", token)
    user = await ctx.db.get(User, ticket.user_id, with_for_update=True)
    gone = user is None or not user.is_active or user.deleted_at is not None
    if user is None or gone or folded(user.email) != folded(ticket.email):
        raise BadLink
    password_hash = await service.hashed(passwords, password, user.email, user.name)
    await service.set_password(ctx, user, password_hash)


async def redeem(ctx: Ctx, purpose: str, token: str) -> Ticket:
    """The ticket of a link, used up by this; two at once get it once."""
    statement = (
        select(Ticket)
        .where(
            col(Ticket.token_hash) == digest(token),
            col(Ticket.purpose) == purpose,
            col(Ticket.used_at).is_(None),
            col(Ticket.expires_at) > ctx.now,
        )
        .with_for_update()
    )
    ticket = (await ctx.db.exec(statement)).one_or_none()
    if ticket is None:
        raise BadLink
    ticket.used_at = ctx.now
    return ticket


async def forget(ctx: Ctx) -> None:
    """Remove requests whose time is over, with what they wanted. ``ctx`` is the system's."""
    await ctx.db.execute(delete(Ticket).where(col(Ticket.expires_at) < ctx.now - timedelta(days=1)))
