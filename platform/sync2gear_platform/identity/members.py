"""Use cases of members: who belongs to a client, as what and where, and who is invited."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, func
from sqlalchemy.orm import defer
from sqlmodel import col, select

from sync2gear_platform.audit import service as audit
from sync2gear_platform.identity import mail, rules, service
from sync2gear_platform.identity.passwords import Passwords
from sync2gear_platform.identity.tables import (
    Client,
    Invitation,
    Membership,
    RoleAssignment,
    User,
)
from sync2gear_platform.identity.tickets import BadLink
from sync2gear_platform.identity.tokens import digest, new_secret
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.db import enter_system, enter_tenant
from sync2gear_platform.kit.errors import NotFound, Refusal
from sync2gear_platform.kit.fields import folded

INVITATION_LIFETIME: Final = timedelta(days=7)
MAX_ASSIGNMENTS: Final = 200
PAGE: Final = "/invitation"
WITHOUT_SECRETS: Final = defer(User.password_hash, raiseload=True)  # type: ignore[arg-type]  # mapped
"""What a client may know of its members: the tenant's role cannot read the rest."""


class LastManager(Refusal):
    """A client always keeps one manager of the whole of it: make somebody else manager first."""

    kind = "conflict"
    code = "last_manager"


class AlreadyMember(Refusal):
    """This person belongs to this client already: change its roles instead."""

    kind = "conflict"
    code = "already_member"


@dataclass(frozen=True, slots=True)
class Member:
    """A person as a member of this client."""

    membership: Membership
    user: User
    assignments: tuple[RoleAssignment, ...]


async def member(ctx: Ctx, user_id: UUID, *, lock: bool = False) -> Member:
    """The one door to a member: somebody who is only elsewhere does not exist."""
    statement = select(Membership).where(
        col(Membership.client_id) == ctx.client_id, col(Membership.user_id) == user_id
    )
    if lock:
        statement = statement.with_for_update()
    membership = (await ctx.db.exec(statement)).one_or_none()
    if membership is None:
        raise NotFound("There is no such user here.")
    shown = select(User).where(col(User.id) == user_id).options(WITHOUT_SECRETS)
    user = (await ctx.db.exec(shown)).one()
    found = await assignments(ctx, [membership.id])
    return Member(membership, user, found.get(membership.id, ()))


async def assignments(
    ctx: Ctx, membership_ids: Sequence[UUID]
) -> dict[UUID, tuple[RoleAssignment, ...]]:
    """The assignments of these memberships."""
    statement = (
        select(RoleAssignment)
        .where(
            col(RoleAssignment.client_id) == ctx.client_id,
            col(RoleAssignment.membership_id).in_(membership_ids),
        )
        .order_by(col(RoleAssignment.id))
    )
    found: dict[UUID, tuple[RoleAssignment, ...]] = {}
    for row in (await ctx.db.exec(statement)).all():
        found[row.membership_id] = (*found.get(row.membership_id, ()), row)
    return found


async def update(
    ctx: Ctx,
    user_id: UUID,
    *,
    is_active: bool | None = None,
    roles: Sequence[Mapping[str, Any]] | None = None,
    if_match: str | None = None,
) -> Member:
    """Let a member in or keep it out, or replace its roles (``role`` and at most one place).

    It holds from the next request on; live connections end within seconds.
    """
    await service.own_client(ctx, lock=True)  # who removes managers takes turns
    found = await member(ctx, user_id, lock=True)
    rows.match(found.membership, if_match)
    after: dict[str, Any] = {}
    if is_active is not None:
        after["is_active"] = is_active
    if roles is not None:
        after["roles"] = [dict(role) for role in roles]
        await _replace(ctx, found, roles)
    before = rows.change(ctx, found.membership, {} if is_active is None else {
        "is_active": is_active,
    })  # fmt: skip
    if roles is not None:
        before["roles"] = [_plain(one) for one in found.assignments]
    await ctx.db.flush()
    await _keep_manager(ctx)
    audit.record(ctx, "user.roles", "user", user_id, before=before, after=after)
    return await member(ctx, user_id)


async def _replace(ctx: Ctx, found: Member, roles: Sequence[Mapping[str, Any]]) -> None:
    mine = col(RoleAssignment.membership_id) == found.membership.id
    await ctx.db.execute(delete(RoleAssignment).where(mine))
    for role in roles:
        if role["role"] not in rules.MEMBER_ROLES:
            raise service.UnknownRole
        rows.new(ctx, RoleAssignment, membership_id=found.membership.id, **role)


def _plain(assignment: RoleAssignment) -> dict[str, Any]:
    where = service.place_of(assignment.model_dump())
    return {"role": assignment.role, **({f"{where[0]}_id": where[1]} if where else {})}


async def remove(ctx: Ctx, user_id: UUID, if_match: str | None) -> None:
    """Take a person out of this client; who has no other place keeps its account."""
    await service.own_client(ctx, lock=True)
    found = await member(ctx, user_id, lock=True)
    rows.match(found.membership, if_match)
    before = {"email": found.user.email, "roles": [_plain(one) for one in found.assignments]}
    await ctx.db.delete(found.membership)
    await ctx.db.flush()
    await _keep_manager(ctx)
    audit.record(ctx, "user.remove", "user", user_id, before=before)


async def _keep_manager(ctx: Ctx) -> None:
    """Refuse what would leave the client without anybody who manages all of it."""
    managers = (
        select(func.count())
        .select_from(RoleAssignment)
        .join(Membership, col(Membership.id) == col(RoleAssignment.membership_id))
        .join(User, col(User.id) == col(Membership.user_id))
        .where(
            col(RoleAssignment.client_id) == ctx.client_id,
            col(RoleAssignment.role).in_(rules.MANAGERS),
            col(RoleAssignment.location_id).is_(None),
            col(RoleAssignment.facility_id).is_(None),
            col(RoleAssignment.floor_id).is_(None),
            col(RoleAssignment.zone_id).is_(None),
            col(Membership.is_active),
            col(User.is_active),
            col(User.deleted_at).is_(None),
        )
    )
    if (await ctx.db.execute(managers)).scalar_one() == 0:
        raise LastManager


async def invite(
    ctx: Ctx, *, email: str, role: str, locale: str, public_url: str, **place: UUID | None
) -> Invitation:
    """Invite somebody by e-mail; an open invitation of the same address is replaced."""
    if role not in rules.MEMBER_ROLES:
        raise service.UnknownRole
    here = (
        select(func.count())
        .select_from(Membership)
        .join(User, col(User.id) == col(Membership.user_id))
        .where(
            col(Membership.client_id) == ctx.client_id,
            func.lower(col(User.email)) == folded(email),
        )
    )
    if (await ctx.db.execute(here)).scalar_one():
        raise AlreadyMember
    for old in await _open(ctx, email):
        old.revoked_at = ctx.now
    secret = new_secret()
    row = rows.new(
        ctx,
        Invitation,
        email=email,
        role=role,
        token_hash=digest(secret),
        invited_by=ctx.actor.id if ctx.actor.kind == "user" else None,
        expires_at=ctx.now + INVITATION_LIFETIME,
        **place,
    )
    await ctx.db.flush()
    audit.record(ctx, "invitation.create", "invitation", row.id, after={
        "email": email, "role": role, **{k: v for k, v in place.items() if v},
    })  # fmt: skip
    client = await service.own_client(ctx)
    await mail.send(
        ctx,
        email,
        "invitation",
        locale,
        client=client.name,
        inviter=ctx.actor.label,
        expires=row.expires_at.isoformat(),
        url=f"{public_url}{PAGE}#token={secret}",
    )
    return row


async def _open(ctx: Ctx, email: str) -> Sequence[Invitation]:
    statement = select(Invitation).where(
        col(Invitation.client_id) == ctx.client_id,
        func.lower(col(Invitation.email)) == folded(email),
        col(Invitation.accepted_at).is_(None),
        col(Invitation.revoked_at).is_(None),
    )
    return (await ctx.db.exec(statement.with_for_update())).all()


async def revoke_invitation(ctx: Ctx, invitation_id: UUID) -> None:
    """Take an open invitation back."""
    row = await rows.find(ctx, Invitation, invitation_id, lock=True)
    if row.accepted_at is not None or row.revoked_at is not None:
        raise NotFound("There is no such invitation here.")
    rows.change(ctx, row, {"revoked_at": ctx.now})
    audit.record(ctx, "invitation.revoke", "invitation", row.id, before={"email": row.email})


@dataclass(frozen=True, slots=True)
class Offer:
    """What an invitation's link offers, and whether its address has an account already."""

    invitation: Invitation
    client: Client
    known: User | None


async def offer(ctx: Ctx, token: str, *, lock: bool = False) -> Offer:
    """The open invitation of a mailed link. ``ctx`` is the system's."""
    statement = (
        select(Invitation, Client)
        .join(Client, col(Client.id) == col(Invitation.client_id))
        .where(
            col(Invitation.token_hash) == digest(token),
            col(Invitation.accepted_at).is_(None),
            col(Invitation.revoked_at).is_(None),
            col(Invitation.expires_at) > ctx.now,
            col(Client.deleted_at).is_(None),
        )
    )
    if lock:
        statement = statement.with_for_update(of=Invitation)
    found = (await ctx.db.exec(statement)).one_or_none()
    if found is None:
        raise BadLink
    return Offer(*found, await service.find_user(ctx, found[0].email))


async def accept(
    ctx: Ctx, passwords: Passwords, token: str, *, name: str | None, password: str | None
) -> User:
    """Join a client by an invitation's link; whoever is new here names itself and a password.

    The link proves that the address is the person's own. ``ctx`` is the system's.
    """
    offered = await offer(ctx, token, lock=True)
    row, user = offered.invitation, offered.known
    if user is None:
        if not name or not password:
            raise Refusal("Name yourself and choose a password.", code="name_and_password_needed")
        user = await service.create_person(
            ctx,
            email=row.email,
            name=name,
            password_hash=await service.hashed(
                passwords, password, row.email, name, offered.client.name
            ),
        )
    row.accepted_at = ctx.now
    await ctx.db.flush()
    inside = service.as_client(ctx, row.client_id)
    await enter_tenant(ctx.db, row.client_id)
    belongs = select(Membership.id).where(
        col(Membership.client_id) == row.client_id, col(Membership.user_id) == user.id
    )
    if (await ctx.db.exec(belongs)).first() is not None:
        raise AlreadyMember
    await service.join(inside, user, role=row.role, place=service.place_of(row.model_dump()))
    await enter_system(ctx.db)
    return user
