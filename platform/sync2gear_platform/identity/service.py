"""Use cases of clients and people: making them, their profiles and their passwords."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select

from sync2gear_platform.audit import service as audit
from sync2gear_platform.identity import mail, rules, sessions
from sync2gear_platform.identity.passwords import Passwords
from sync2gear_platform.identity.tables import (
    PLACES,
    Client,
    Membership,
    RoleAssignment,
    User,
)
from sync2gear_platform.kit import events, rows
from sync2gear_platform.kit.context import Actor, Ctx
from sync2gear_platform.kit.db import enter_tenant
from sync2gear_platform.kit.errors import Refusal
from sync2gear_platform.kit.fields import folded


class WrongLogin(Refusal):
    """The e-mail address or the password is wrong."""

    kind = "unauthenticated"
    code = "wrong_login"


class WrongPassword(Refusal):
    """That is not your password."""

    kind = "forbidden"
    code = "wrong_password"


class UnknownRole(Refusal):
    """There is no such role."""

    code = "unknown_role"


class EmailTaken(Refusal):
    """Somebody has an account with this e-mail address already: invite them instead."""

    kind = "conflict"
    code = "email_taken"


SYSTEM: Final = "system"


async def create_client(ctx: Ctx, *, name: str, **values: Any) -> Client:
    """A new client. ``ctx`` is the system's; ``values`` name other columns."""
    client = Client(name=name, created_at=ctx.now, updated_at=ctx.now, **values)
    ctx.db.add(client)
    await ctx.db.flush()
    audit.record(as_client(ctx, client.id), "client.create", "client", client.id, after={
        "name": name, **values,
    })  # fmt: skip
    return client


def as_client(ctx: Ctx, client_id: UUID) -> Ctx:
    """``ctx`` for what concerns one client, whoever acts; the door stays the one it was."""
    actor = ctx.actor
    if actor.client_id == client_id:
        return ctx
    inside = Actor(
        kind=actor.kind,
        id=actor.id,
        client_id=client_id,
        label=actor.label or SYSTEM,
        session_id=actor.session_id,
    )
    return Ctx(db=ctx.db, actor=inside, now=ctx.now, trace=ctx.trace, origin=ctx.origin)


async def find_user(ctx: Ctx, email: str) -> User | None:
    """The person with this e-mail address. ``ctx`` is the system's."""
    found = select(User).where(
        func.lower(col(User.email)) == folded(email), col(User.deleted_at).is_(None)
    )
    return (await ctx.db.exec(found)).one_or_none()


async def hashed(passwords: Passwords, password: str, *known: str) -> str:
    """The hash of a new password; refuses one that is too easy to guess (``WeakPassword``).

    ``known`` is what others know of the person: e-mail address, name, name of the business.
    """
    await passwords.judge(password, inputs=known)
    return await passwords.hash(password)


async def create_person(
    ctx: Ctx, *, email: str, name: str, password_hash: str, **values: Any
) -> User:
    """A new person without a place anywhere. ``ctx`` is the system's."""
    if await find_user(ctx, email) is not None:
        raise EmailTaken
    user = User(
        email=email.strip(),
        name=name,
        password_hash=password_hash,
        created_at=ctx.now,
        updated_at=ctx.now,
        **values,
    )
    ctx.db.add(user)
    await ctx.db.flush()
    return user


async def create_user(
    ctx: Ctx,
    passwords: Passwords,
    *,
    client_id: UUID,
    email: str,
    name: str,
    password: str,
    role: str,
    place: tuple[str, UUID] | None = None,
) -> User:
    """A new person who is ``role`` in a client, or in one place of it (``("zone", id)``).

    ``ctx`` is the system's and becomes the client's.
    """
    if role not in rules.MEMBER_ROLES:
        raise UnknownRole
    digest = await hashed(passwords, password, email, name)
    user = await create_person(ctx, email=email, name=name, password_hash=digest)
    inside = as_client(ctx, client_id)
    await enter_tenant(ctx.db, client_id)
    await join(inside, user, role=role, place=place)
    return user


async def create_staff(
    ctx: Ctx, passwords: Passwords, *, email: str, name: str, password: str, role: str
) -> User:
    """One of sync2gear's own people. ``ctx`` is the system's."""
    if role not in rules.STAFF_ROLES:
        raise UnknownRole
    digest = await hashed(passwords, password, email, name)
    user = await create_person(ctx, email=email, name=name, password_hash=digest, staff_role=role)
    audit.record(ctx, "user.create", "user", user.id, after={"email": email, "role": role})
    return user


async def join(
    ctx: Ctx, user: User, *, role: str, place: tuple[str, UUID] | None = None
) -> Membership:
    """Make ``user`` a member of this client. ``ctx`` is in the client's door."""
    membership = rows.new(ctx, Membership, user_id=user.id)
    await ctx.db.flush()
    where = {} if place is None else {f"{place[0]}_id": place[1]}
    rows.new(ctx, RoleAssignment, membership_id=membership.id, role=role, **where)
    await ctx.db.flush()
    after = {"email": user.email, "role": role, **where}
    audit.record(ctx, "user.create", "user", user.id, after=after)
    return membership


def place_of(values: dict[str, UUID | None]) -> tuple[str, UUID] | None:
    """``(kind, id)`` of the one place that ``values`` name (``zone_id`` and so on)."""
    for kind in PLACES:
        if (found := values.get(f"{kind}_id")) is not None:
            return kind, found
    return None


async def log_in(ctx: Ctx, passwords: Passwords, *, email: str, password: str) -> User:
    """The person with this e-mail and password; :class:`WrongLogin` otherwise.

    An unknown e-mail, a wrong password and a disabled account answer alike and take as long.
    """
    user = await find_user(ctx, email)
    right = await passwords.check(password, user.password_hash if user else None)
    if user is None or not user.is_active or not right:
        raise WrongLogin
    return user


async def update_me(ctx: Ctx, values: dict[str, Any], if_match: str | None) -> User:
    """Change one's own name, phone, time zone or language. ``ctx`` is in the system's door."""
    user = await myself(ctx)
    rows.match(user, if_match)
    before = rows.change(ctx, user, values)
    audit.record(ctx, "user.update", "user", user.id, before=before, after=values)
    return user


async def myself(ctx: Ctx) -> User:
    """The person who acts, for changing. ``ctx`` is in the system's door."""
    return await ctx.db.get_one(User, ctx.actor.id, with_for_update=True, populate_existing=True)


async def change_password(ctx: Ctx, passwords: Passwords, new: str) -> User:
    """Change one's own password: every other session ends. ``ctx`` is in the system's door, and
    who acts has just proved by the old password who it is.
    """
    user = await myself(ctx)
    await set_password(
        ctx, user, await hashed(passwords, new, user.email, user.name), keep=ctx.actor.session_id
    )
    return user


async def set_password(
    ctx: Ctx, user: User, password_hash: str, *, keep: UUID | None = None
) -> None:
    """Give ``user`` a new password, end its sessions (but ``keep``) and tell it by mail."""
    user.password_hash = password_hash
    await sessions.end_all(ctx, user, "password_changed", keep=keep)
    audit.record(ctx, "user.password", "user", user.id)
    await mail.send(ctx, user.email, "password_changed", user.locale, name=user.name)


async def end_sessions(ctx: Ctx, user_id: UUID, reason: str = "revoked") -> None:
    """End every session of a user at once. ``ctx`` is the system's."""
    user = await ctx.db.get_one(User, user_id, with_for_update=True)
    await sessions.end_all(ctx, user, reason)


async def own_client(ctx: Ctx, *, lock: bool = False) -> Client:
    """The client of this touch."""
    statement = select(Client).where(col(Client.id) == ctx.client_id)
    if lock:
        statement = statement.with_for_update()
    return (await ctx.db.exec(statement)).one()


async def update_client(ctx: Ctx, values: dict[str, Any], if_match: str | None) -> Client:
    """Change the client's own name, e-mail or phone."""
    client = await own_client(ctx, lock=True)
    rows.match(client, if_match)
    before = rows.change(ctx, client, values)
    await ctx.db.flush()
    audit.record(ctx, "client.update", "client", client.id, before=before, after=values)
    await events.changed(ctx, "client", client.id)
    return client
