"""Use cases of clients and users, and how a person is recognised."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select

from sync2gear_platform.audit import service as audit
from sync2gear_platform.identity import rules
from sync2gear_platform.identity.passwords import MAX_LENGTH, MIN_LENGTH, Passwords
from sync2gear_platform.identity.tables import Client, Membership, User
from sync2gear_platform.identity.tokens import Claims, SessionEnded
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.context import Actor, Ctx
from sync2gear_platform.kit.db import enter_tenant
from sync2gear_platform.kit.errors import Refusal


class WrongLogin(Refusal):
    """The e-mail address or the password is wrong."""

    kind = "unauthenticated"
    code = "wrong_login"


class WeakPassword(Refusal):
    """A password needs at least 10 characters."""

    code = "weak_password"


class UnknownRole(Refusal):
    """There is no such role."""

    code = "unknown_role"


@dataclass(frozen=True, slots=True)
class Seat:
    """A person's place in a client."""

    user: User
    client: Client
    membership: Membership

    @property
    def actor(self) -> Actor:
        """The actor that this seat makes of the person."""
        return Actor(
            kind="user",
            id=self.user.id,
            client_id=self.client.id,
            permissions=rules.permissions(self.membership.role),
            label=self.user.email,
        )

    @property
    def claims(self) -> Claims:
        """What an access token of this seat says."""
        return Claims(self.user.id, self.client.id, self.user.session_version)


async def create_client(
    ctx: Ctx, *, name: str, max_devices: int = 5, max_storage_gb: int = 10
) -> Client:
    """A new client. ``ctx`` is the system's; what follows in it may act as this client."""
    client = Client(
        name=name,
        max_devices=max_devices,
        max_storage_gb=max_storage_gb,
        created_at=ctx.now,
        updated_at=ctx.now,
    )
    ctx.db.add(client)
    await ctx.db.flush()
    return client


async def create_user(
    ctx: Ctx,
    passwords: Passwords,
    *,
    client_id: UUID,
    email: str,
    name: str,
    password: str,
    role: str,
) -> User:
    """A new user with one membership; ``ctx`` is the system's and becomes the client's."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise WeakPassword
    if role not in rules.ROLES:
        raise UnknownRole
    user = User(
        email=email.strip(),
        name=name,
        password_hash=await passwords.hash(password),
        created_at=ctx.now,
        updated_at=ctx.now,
    )
    ctx.db.add(user)
    await ctx.db.flush()
    await enter_tenant(ctx.db, client_id)
    system = Actor(kind="system", id=None, client_id=client_id, label="system")
    inside = Ctx(db=ctx.db, actor=system, now=ctx.now, trace=ctx.trace)
    rows.new(inside, Membership, user_id=user.id, role=role)
    audit.record(inside, "user.create", "user", user.id, after={"email": user.email, "role": role})
    await ctx.db.flush()
    return user


async def log_in(ctx: Ctx, passwords: Passwords, *, email: str, password: str) -> Seat:
    """The seat of the person with this e-mail and password; :class:`WrongLogin` otherwise.

    An unknown e-mail, a wrong password and a disabled account answer alike and take as long.
    """
    found = select(User).where(func.lower(col(User.email)) == email.strip().lower())
    user = (await ctx.db.exec(found)).one_or_none()
    right = await passwords.check(password, user.password_hash if user else None)
    seat = await _seat(ctx, user.id) if user and user.is_active and right else None
    if seat is None:
        raise WrongLogin
    return seat


async def recognise(ctx: Ctx, claims: Claims) -> Actor:
    """The actor that a token speaks for now; :class:`SessionEnded` once anything has changed."""
    return (await seat_of(ctx, claims)).actor


async def seat_of(ctx: Ctx, claims: Claims) -> Seat:
    """The seat that a token was made for, if it still stands."""
    seat = await _seat(ctx, claims.user_id, claims.client_id)
    if (
        seat is None
        or not seat.user.is_active
        or seat.user.session_version != claims.session_version
        or seat.client.status == "cancelled"
    ):
        raise SessionEnded
    return seat


async def end_sessions(ctx: Ctx, user_id: UUID) -> None:
    """End every session of a user at once. ``ctx`` is the system's."""
    user = await ctx.db.get_one(User, user_id, with_for_update=True)
    user.session_version += 1
    user.updated_at = ctx.now


async def _seat(ctx: Ctx, user_id: UUID, client_id: UUID | None = None) -> Seat | None:
    statement = (
        select(User, Client, Membership)
        .join(Membership, col(Membership.user_id) == col(User.id))
        .join(Client, col(Client.id) == col(Membership.client_id))
        .where(col(User.id) == user_id)
        .order_by(col(Membership.id))
        .limit(1)
    )
    if client_id is not None:
        statement = statement.where(col(Client.id) == client_id)
    row = (await ctx.db.exec(statement)).one_or_none()
    return Seat(*row) if row else None
