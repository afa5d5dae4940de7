"""Use cases of signing in: beginning, recognising, renewing and ending a person's sessions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import and_, delete, update
from sqlalchemy import select as any_select
from sqlmodel import col, select

from sync2gear_platform.audit import service as audit
from sync2gear_platform.identity import rules
from sync2gear_platform.identity.tables import (
    Client,
    Membership,
    RoleAssignment,
    SecondFactor,
    Session,
    Ticket,
    User,
)
from sync2gear_platform.identity.tokens import (
    Claims,
    SessionEnded,
    digest,
    named,
    new_secret,
    read_named,
    same,
)
from sync2gear_platform.kit.context import SELF, Actor, Ctx
from sync2gear_platform.kit.errors import NotFound

REFRESH_LIFETIME: Final = timedelta(days=7)
BROWSER_IDLE, BROWSER_LIFETIME = timedelta(hours=24), timedelta(days=7)
REMEMBERED_IDLE, REMEMBERED_LIFETIME = timedelta(days=14), timedelta(days=90)
"""A shop's own tablet, whose user asked to stay signed in."""

TOUCHED_SECONDS: Final = 60
"""How exactly the last use of a session is known."""

REFRESH: Final = "s2r"
COOKIE: Final = "s2c"

Kind = Literal["browser", "token"]


class NoSuchClient(NotFound):
    """You have no place in such a client."""

    code = "not_found"


@dataclass(frozen=True, slots=True)
class Seat:
    """A person's place in a client (or, for sync2gear's own people, above all of them)."""

    session: Session
    user: User
    client: Client | None
    grants: tuple[rules.Grant, ...]
    standing: rules.Standing
    factor_missing: bool = False

    @property
    def actor(self) -> Actor:
        """The actor that this seat makes of the person."""
        permissions, confined = rules.allowed(self.grants)
        if self.client is not None:  # nobody rules the installation from inside a client
            permissions -= rules.INSTALLATION
        left = rules.remaining(permissions, self.standing)
        if self.factor_missing:  # until there is one, it can do nothing but set it up
            left &= {SELF}
        return Actor(
            kind="user",
            id=self.user.id,
            client_id=self.client.id if self.client else None,
            permissions=left,
            label=self.user.email,
            confined=confined,
            session_id=self.session.id,
            withheld=permissions - left,
            factor_missing=self.factor_missing,
        )

    @property
    def claims(self) -> Claims:
        """What an access token of this seat says."""
        return Claims(self.user.id, self.session.id, self.session.session_version)

    @property
    def role(self) -> str:
        """The one word for what the person is here: the widest of its roles."""
        if not self.grants:
            return ""
        order = list(rules.ROLES)
        return min(self.grants, key=lambda g: (g.place is not None, order.index(g.role))).role


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that was just begun or renewed, with its secret, which is kept nowhere."""

    seat: Seat
    secret: str


async def begin(
    ctx: Ctx,
    user: User,
    *,
    kind: Kind,
    client_id: UUID | None = None,
    remember: bool = False,
    viewing: bool = False,
) -> Opened:
    """Sign ``user`` in. ``ctx`` is the system's. Without ``client_id``: where it was last.

    Raises :class:`NoSuchClient` if the person has no place there, or none at all.
    """
    if not viewing and (client_id is not None or user.staff_role is None):
        client_id = await _place(ctx, user, client_id)
    idle, lifetime = _lifetimes(kind, remember)
    secret = new_secret()
    session = Session(
        user_id=user.id,
        client_id=client_id,
        kind=kind,
        viewing=viewing,
        session_version=user.session_version,
        secret_hash=digest(secret),
        idle_seconds=int(idle.total_seconds()),
        rotated_at=ctx.now,
        last_used_at=ctx.now,
        expires_at=ctx.now + lifetime,
        address=ctx.origin.address[:64],
        agent=ctx.origin.agent[:300],
        created_at=ctx.now,
    )
    ctx.db.add(session)
    await ctx.db.flush()
    seat = await find(ctx, col(Session.id) == session.id)
    if seat is None:
        raise NoSuchClient
    after = {"kind": kind, "viewing": viewing}
    audit.record(acting(ctx, seat), "session.begin", "session", session.id, after=after)
    return Opened(seat, named(COOKIE if kind == "browser" else REFRESH, session.id, secret))


def acting(ctx: Ctx, seat: Seat) -> Ctx:
    """``ctx`` as this person's, for what signing in itself writes down."""
    return replace(ctx, actor=seat.actor)


def _lifetimes(kind: Kind, remember: bool) -> tuple[timedelta, timedelta]:
    if kind == "token":
        return REFRESH_LIFETIME, timedelta(days=365)
    if remember:
        return REMEMBERED_IDLE, REMEMBERED_LIFETIME
    return BROWSER_IDLE, BROWSER_LIFETIME


async def _place(ctx: Ctx, user: User, client_id: UUID | None) -> UUID:
    """The client to sign in to: the one named, or the one of the last session, or the first."""
    mine = (
        select(Client.id)
        .join(Membership, col(Membership.client_id) == col(Client.id))
        .where(
            col(Membership.user_id) == user.id,
            col(Membership.is_active),
            col(Client.deleted_at).is_(None),
        )
    )
    if client_id is not None:
        mine = mine.where(col(Client.id) == client_id)
    found = list((await ctx.db.exec(mine.order_by(col(Membership.id)))).all())
    if not found:
        raise NoSuchClient
    latest = (
        select(Session.client_id)
        .where(col(Session.user_id) == user.id, col(Session.client_id).in_(found))
        .order_by(col(Session.created_at).desc())
        .limit(1)
    )
    last = (await ctx.db.exec(latest)).first()
    return last if last is not None else found[0]


async def by_claims(ctx: Ctx, claims: Claims) -> Seat:
    """The seat that an access token was made for, if it still stands."""
    seat = await find(ctx, col(Session.id) == claims.session_id)
    if seat is None or (seat.user.id, seat.session.session_version) != (
        claims.user_id,
        claims.session_version,
    ):
        raise SessionEnded
    return seat


async def by_cookie(ctx: Ctx, token: str) -> Seat:
    """The seat that a browser's cookie was made for, if it still stands."""
    parts = read_named(COOKIE, token)
    seat = await find(ctx, col(Session.id) == parts[0]) if parts else None
    if parts is None or seat is None or seat.session.kind != "browser":
        raise SessionEnded
    if not same(seat.session.secret_hash, digest(parts[1])):
        raise SessionEnded
    await _touch(ctx, seat.session)
    return seat


async def _touch(ctx: Ctx, session: Session) -> None:
    """Remember that a session is used, now and then, without waiting for who does the same."""
    if (ctx.now - session.last_used_at).total_seconds() < TOUCHED_SECONDS:
        return
    # the person before the session, as whoever ends all its sessions locks them
    owner = select(User.id).where(col(User.id) == session.user_id)
    owner = owner.with_for_update(skip_locked=True, key_share=True)
    if (await ctx.db.exec(owner)).first() is None:
        return
    free = select(Session.id).where(col(Session.id) == session.id).with_for_update(skip_locked=True)
    await ctx.db.execute(
        update(Session)
        .where(col(Session.id).in_(free.scalar_subquery()))
        .values(last_used_at=ctx.now)
        .execution_options(synchronize_session=False)
    )


async def switch(ctx: Ctx, seat: Seat, client_id: UUID | None) -> Opened:
    """End this session and begin one in another client; ``ctx`` is in the system's door.

    A member goes to another client of its own. One of sync2gear's own people goes to any client,
    to look at it, or back to none. Both are written down in the client's own trail.
    """
    session, user = seat.session, seat.user
    staff = user.staff_role is not None
    if client_id is None and not staff:
        raise NoSuchClient
    member = client_id is not None and await _is_member(ctx, user.id, client_id)
    if client_id is not None and staff and not member:
        client = await ctx.db.get(Client, client_id)
        if client is None or client.deleted_at is not None:
            raise NoSuchClient
    kind: Kind = "browser" if session.kind == "browser" else "token"
    opened = await begin(
        ctx,
        user,
        kind=kind,
        client_id=client_id,
        remember=session.idle_seconds >= int(REMEMBERED_IDLE.total_seconds()),
        viewing=staff and client_id is not None and not member,
    )
    # going to and fro does not make a sign-in last longer
    opened.seat.session.expires_at = min(opened.seat.session.expires_at, session.expires_at)
    if not await end(ctx, session.id, "switched"):  # it ended meanwhile: so does what follows it
        raise SessionEnded
    return opened


async def _is_member(ctx: Ctx, user_id: UUID, client_id: UUID) -> bool:
    statement = select(Membership.id).where(
        col(Membership.user_id) == user_id,
        col(Membership.client_id) == client_id,
        col(Membership.is_active),
    )
    return (await ctx.db.exec(statement)).first() is not None


async def end(ctx: Ctx, session_id: UUID, reason: str = "logout") -> bool:
    """End one session at once; whether it stood. ``ctx`` acts for its owner, as the system."""
    session = await ctx.db.get(Session, session_id, with_for_update=True, populate_existing=True)
    if session is None or session.ended_at is not None:
        return False
    close(ctx, session, reason)
    audit.record(ctx, "session.end", "session", session_id, after={"reason": reason})
    return True


def close(ctx: Ctx, session: Session, reason: str) -> None:
    """End a session that is at hand, without writing it down."""
    session.ended_at, session.end_reason = ctx.now, reason


async def end_all(ctx: Ctx, user: User, reason: str, *, keep: UUID | None = None) -> None:
    """End every session of ``user``, but ``keep``, and every link that was asked for meanwhile.

    Whoever had the account until now may have asked for another address or password. ``ctx`` is in
    the system's door.
    """
    await ctx.db.execute(delete(Ticket).where(col(Ticket.user_id) == user.id))
    user.session_version += 1
    user.updated_at = ctx.now
    mine = update(Session).where(col(Session.user_id) == user.id, col(Session.ended_at).is_(None))
    quietly: dict[str, Any] = {"synchronize_session": "fetch"}
    if keep is not None:
        kept = mine.where(col(Session.id) == keep).values(session_version=user.session_version)
        await ctx.db.execute(kept.execution_options(**quietly))
        mine = mine.where(col(Session.id) != keep)
    ended = mine.values(ended_at=ctx.now, end_reason=reason)
    await ctx.db.execute(ended.execution_options(**quietly))
    await ctx.db.flush()


async def listed(ctx: Ctx, user_id: UUID) -> Sequence[Session]:
    """The sessions of a person that stand, the latest first."""
    statement = (
        select(Session)
        .where(
            col(Session.user_id) == user_id,
            col(Session.ended_at).is_(None),
            col(Session.expires_at) > ctx.now,
        )
        .order_by(col(Session.created_at).desc())
        .limit(200)
    )
    return [s for s in (await ctx.db.exec(statement)).all() if not _is_idle(ctx, s)]


def _is_idle(ctx: Ctx, session: Session) -> bool:
    return ctx.now - session.last_used_at > timedelta(seconds=session.idle_seconds)


async def seat_of(ctx: Ctx, session_id: UUID) -> Seat:
    """The seat of a session that stands; :class:`SessionEnded` otherwise."""
    seat = await find(ctx, col(Session.id) == session_id)
    if seat is None:
        raise SessionEnded
    return seat


async def find(ctx: Ctx, condition: Any) -> Seat | None:
    """One query: the session, its person, client and assignments; ``None`` if it has ended."""
    statement: Any = (
        any_select(
            Session, User, Client, Membership, RoleAssignment, col(SecondFactor.confirmed_at)
        )
        .join(User, col(User.id) == col(Session.user_id))
        .outerjoin(Client, col(Client.id) == col(Session.client_id))
        .outerjoin(
            Membership,
            and_(
                col(Membership.client_id) == col(Session.client_id),
                col(Membership.user_id) == col(Session.user_id),
                col(Membership.is_active),
            ),
        )
        .outerjoin(RoleAssignment, col(RoleAssignment.membership_id) == col(Membership.id))
        .outerjoin(SecondFactor, col(SecondFactor.user_id) == col(User.id))
        .where(condition)
        .execution_options(populate_existing=True)
    )
    found = (await ctx.db.execute(statement)).all()
    if not found:
        return None
    session, user, client, membership, _, confirmed_at = found[0]
    if not _stands(ctx, session, user, client):
        return None
    grants: tuple[rules.Grant, ...]
    if session.viewing or client is None:
        grants = (rules.Grant(user.staff_role),) if user.staff_role else ()
    else:
        rows = [row[4] for row in found if row[4] is not None]
        grants = tuple(rules.Grant(r.role, r.place) for r in rows) if membership else ()
    if not grants and not membership:
        return None
    day = ctx.now.date()
    standing: rules.Standing = (
        rules.standing(client.status, client.subscription_start, client.subscription_end, day)
        if client
        else "active"
    )
    required = client is not None and client.require_second_factor and not session.viewing
    return Seat(session, user, client, grants, standing, required and confirmed_at is None)


def _stands(ctx: Ctx, session: Session, user: User, client: Client | None) -> bool:
    return (
        session.ended_at is None
        and session.expires_at > ctx.now
        and not _is_idle(ctx, session)
        and session.session_version == user.session_version
        and user.is_active
        and user.deleted_at is None
        and (session.client_id is None) == (client is None)
        and (client is None or client.deleted_at is None)
    )
