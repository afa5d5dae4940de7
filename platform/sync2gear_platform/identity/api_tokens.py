"""Use cases of API tokens: keys for programs, made by a person, never able to do more than it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col, select

from sync2gear_platform.audit import service as audit
from sync2gear_platform.identity import rules
from sync2gear_platform.identity.tables import ApiToken, Client, Membership, RoleAssignment, User
from sync2gear_platform.identity.tokens import (
    SessionEnded,
    digest,
    named,
    new_secret,
    read_named,
    same,
)
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.context import Actor, Ctx
from sync2gear_platform.kit.errors import NotFound, Refusal

PREFIX: Final = "s2t"
USED_SECONDS: Final = 60
MAX_TOKENS: Final = 100


class OnlyPeople(Refusal):
    """A token is made by a person who signs in, not by another token."""

    kind = "forbidden"
    code = "only_people"


class TooManyTokens(Refusal):
    """This client has as many tokens as it may have: revoke one."""

    kind = "conflict"
    code = "too_many_tokens"


class NotYours(Refusal):
    """A token can only be given what you may do yourself."""

    kind = "forbidden"
    code = "not_yours_to_give"


class NotInAPlace(Refusal):
    """A token for one place can only do what concerns places: leave out the rest, or the place."""

    code = "not_in_a_place"


class Expired(Refusal):
    """That moment has passed."""

    code = "expires_in_the_past"


@dataclass(frozen=True, slots=True)
class Made:
    """A new token and its text, which is kept nowhere."""

    row: ApiToken
    token: str


async def create(
    ctx: Ctx,
    *,
    name: str,
    permissions: Sequence[str],
    expires_at: datetime | None,
    **place: UUID | None,
) -> Made:
    """A new token of whoever acts. ``place`` is at most one of ``zone_id`` and so on."""
    if ctx.actor.kind != "user":
        raise OnlyPeople
    wanted = set(permissions)
    if not wanted <= rules.GRANTABLE & (ctx.actor.permissions | ctx.actor.withheld):
        raise NotYours
    where = {place_id for place_id in place.values() if place_id is not None}
    if any(where and not where <= (ctx.actor.reach(p) or where) for p in wanted):
        raise NotYours
    if where and not all(rules.is_confinable(p) for p in wanted):
        raise NotInAPlace
    if expires_at is not None and expires_at <= ctx.now:
        raise Expired
    mine = select(Membership.id).where(
        col(Membership.client_id) == ctx.client_id, col(Membership.user_id) == ctx.actor.id
    )
    membership_id = (await ctx.db.exec(mine)).one_or_none()
    if membership_id is None:  # one of sync2gear's own people, who views a client
        raise OnlyPeople("A token is made by a member of the client.")
    others = select(ApiToken.id).where(
        col(ApiToken.client_id) == ctx.client_id, col(ApiToken.revoked_at).is_(None)
    )
    if len((await ctx.db.exec(others.limit(MAX_TOKENS))).all()) >= MAX_TOKENS:
        raise TooManyTokens
    secret = new_secret()
    row = rows.new(
        ctx,
        ApiToken,
        membership_id=membership_id,
        name=name,
        permissions=sorted(wanted),
        secret_hash=digest(secret),
        expires_at=expires_at,
        **place,
    )
    await ctx.db.flush()
    audit.record(ctx, "token.create", "token", row.id, after={
        "name": name, "permissions": row.permissions, "expires_at": expires_at,
        **{k: v for k, v in place.items() if v},
    })  # fmt: skip
    return Made(row, named(PREFIX, row.id, secret))


async def revoke(ctx: Ctx, token_id: UUID) -> None:
    """End a token at once."""
    row = await rows.find(ctx, ApiToken, token_id, lock=True)
    if row.revoked_at is not None:
        raise NotFound("There is no such apitoken here.")  # as `rows.find` says it of one unknown
    rows.change(ctx, row, {"revoked_at": ctx.now})
    audit.record(ctx, "token.revoke", "token", row.id, before={"name": row.name})


async def recognise(ctx: Ctx, token: str) -> Actor:
    """The actor that a token speaks for now: it ends with its maker's place. ``ctx`` the system's.

    Raises :class:`SessionEnded` for one that is unknown, expired or revoked.
    """
    parts = read_named(PREFIX, token)
    if parts is None:
        raise SessionEnded
    statement = (
        select(ApiToken, Client, RoleAssignment)
        .join(Client, col(Client.id) == col(ApiToken.client_id))
        .join(Membership, col(Membership.id) == col(ApiToken.membership_id))
        .join(User, col(User.id) == col(Membership.user_id))
        .join(RoleAssignment, col(RoleAssignment.membership_id) == col(Membership.id))
        .where(
            col(ApiToken.id) == parts[0],
            col(ApiToken.revoked_at).is_(None),
            col(Membership.is_active),
            col(User.is_active),
            col(User.deleted_at).is_(None),
            col(Client.deleted_at).is_(None),
        )
    )
    found = (await ctx.db.exec(statement)).all()
    if not found:
        raise SessionEnded
    row, client, _ = found[0]
    expired = row.expires_at is not None and row.expires_at <= ctx.now
    if expired or not same(row.secret_hash, digest(parts[1])):
        raise SessionEnded
    await _touch(ctx, row)
    maker, confined = rules.allowed(rules.Grant(r.role, r.place) for _, _, r in found)
    permissions = maker & set(row.permissions)
    if row.place is not None:
        here = frozenset({row.place})
        permissions = frozenset(p for p in permissions if rules.is_confinable(p))
        placed = {p for p in permissions if rules.is_placed(p)}
        confined = {p: here & confined.get(p, here) for p in placed}
    standing = rules.standing(
        client.status, client.subscription_start, client.subscription_end, ctx.now.date()
    )
    left = rules.remaining(permissions, standing)
    return Actor(
        kind="token",
        id=row.id,
        client_id=row.client_id,
        permissions=left,
        label=f"token {row.name}",
        confined={p: places for p, places in confined.items() if p in left},
        session_id=row.id,
        withheld=permissions - left,
    )


async def _touch(ctx: Ctx, row: ApiToken) -> None:
    used = row.last_used_at
    if used is not None and (ctx.now - used).total_seconds() < USED_SECONDS:
        return
    free = select(ApiToken.id).where(col(ApiToken.id) == row.id).with_for_update(skip_locked=True)
    await ctx.db.execute(
        update(ApiToken)
        .where(col(ApiToken.id).in_(free.scalar_subquery()))
        .values(last_used_at=ctx.now)
        .execution_options(synchronize_session=False)
    )
