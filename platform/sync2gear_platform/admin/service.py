"""Use cases over all clients: making, changing, deleting and restoring clients and people.

``ctx`` is in the system's door throughout. What concerns a client is written into that client's
own trail, so that its managers see it; what concerns a person also into the installation's.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col, select

from sync2gear_platform.audit import service as audit
from sync2gear_platform.identity import mail, members, rules, sessions, staff
from sync2gear_platform.identity import service as identity
from sync2gear_platform.identity.passwords import Passwords
from sync2gear_platform.identity.tables import Client, Membership, Session, User
from sync2gear_platform.kit import events, rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.db import enter_system, enter_tenant
from sync2gear_platform.kit.errors import NotFound, Refusal


class Deleted(Refusal):
    """This was deleted: restore it first."""

    kind = "conflict"
    code = "deleted"


class NotDeleted(Refusal):
    """This is not deleted: there is nothing to restore."""

    kind = "conflict"
    code = "not_deleted"


class BadDates(Refusal):
    """A subscription cannot end before it starts."""

    code = "bad_dates"


WELCOME: Final = "account_created"


async def client(ctx: Ctx, client_id: UUID, *, lock: bool = False) -> Client:
    """The one door to a client, deleted or not."""
    statement = select(Client).where(col(Client.id) == client_id)
    if lock:
        statement = statement.with_for_update()
    row = (await ctx.db.exec(statement)).one_or_none()
    if row is None:
        raise NotFound("There is no such client.")
    return row


async def create_client(
    ctx: Ctx, *, values: Mapping[str, Any], manager: str | None, locale: str, public_url: str
) -> Client:
    """A new client; ``manager`` is the e-mail address of whom to invite as its first manager."""
    _check_dates(values.get("subscription_start"), values.get("subscription_end"))
    row = await identity.create_client(ctx, **values)
    if manager is not None:
        inside = identity.as_client(ctx, row.id)
        await enter_tenant(ctx.db, row.id)
        await members.invite(
            inside, email=manager, role="client", locale=locale, public_url=public_url
        )
        await enter_system(ctx.db)
    return row


async def update_client(
    ctx: Ctx, client_id: UUID, values: dict[str, Any], if_match: str | None
) -> Client:
    """Change what ``values`` names: profile, subscription, limits. It holds from the next request
    on; nothing that plays is interrupted.
    """
    row = await client(ctx, client_id, lock=True)
    if row.deleted_at is not None:
        raise Deleted
    rows.match(row, if_match)
    before = rows.change(ctx, row, values)
    _check_dates(row.subscription_start, row.subscription_end)
    await ctx.db.flush()
    inside = identity.as_client(ctx, client_id)
    audit.record(inside, "client.update", "client", client_id, before=before, after=values)
    await events.changed(inside, "client", client_id)
    return row


def _check_dates(start: date | None, end: date | None) -> None:
    if start is not None and end is not None and end < start:
        raise BadDates


async def delete_client(ctx: Ctx, client_id: UUID, if_match: str | None) -> None:
    """Take a client out of sight: its people, tokens and devices have no access from now on.

    Nothing is removed yet, and :func:`restore_client` brings it back.
    """
    row = await client(ctx, client_id, lock=True)
    if row.deleted_at is not None:
        raise Deleted
    rows.match(row, if_match)
    rows.change(ctx, row, {"deleted_at": ctx.now})
    ended = update(Session).where(
        col(Session.client_id) == client_id, col(Session.ended_at).is_(None)
    )
    await ctx.db.execute(
        ended.values(ended_at=ctx.now, end_reason="client_deleted").execution_options(
            synchronize_session="fetch"
        )
    )
    await _tell(ctx, client_id, "client.delete", before={"name": row.name})


async def restore_client(ctx: Ctx, client_id: UUID) -> Client:
    """Bring a deleted client back; its people sign in again, its devices find their accounts."""
    row = await client(ctx, client_id, lock=True)
    if row.deleted_at is None:
        raise NotDeleted
    rows.change(ctx, row, {"deleted_at": None})
    await _tell(ctx, client_id, "client.restore", after={"name": row.name})
    return row


async def _tell(ctx: Ctx, client_id: UUID, action: str, **what: Any) -> None:
    """Write it down, and have the broker's accounts and the live views follow."""
    await ctx.db.flush()
    inside = identity.as_client(ctx, client_id)
    audit.record(inside, action, "client", client_id, **what)
    await events.changed(inside, "client", client_id)
    await events.changed(inside, "accounts", client_id)


async def user(ctx: Ctx, user_id: UUID, *, lock: bool = False) -> User:
    """The one door to a person, deleted or not."""
    statement = select(User).where(col(User.id) == user_id)
    if lock:
        statement = statement.with_for_update()
    row = (await ctx.db.exec(statement)).one_or_none()
    if row is None:
        raise NotFound("There is no such user.")
    return row


async def create_user(
    ctx: Ctx,
    passwords: Passwords,
    *,
    email: str,
    name: str,
    locale: str,
    public_url: str,
    staff_role: str | None = None,
    client_id: UUID | None = None,
    role: str = "",
    place: tuple[str, UUID] | None = None,
) -> User:
    """A new person of the installation (``staff_role``) or of a client (``role``), and a letter
    with the link where it chooses its password: nobody else ever knows one.
    """
    if client_id is not None:
        if role not in rules.MEMBER_ROLES:
            raise identity.UnknownRole
        if (await client(ctx, client_id)).deleted_at is not None:
            raise Deleted
    row = await identity.create_person(
        ctx,
        email=email,
        name=name,
        locale=locale,
        staff_role=staff_role,
        password_hash=await staff.no_password(passwords),
    )
    if client_id is not None:
        await enter_tenant(ctx.db, client_id)
        await identity.join(identity.as_client(ctx, client_id), row, role=role, place=place)
        await enter_system(ctx.db)
    else:
        after = {"email": email, "role": staff_role}
        audit.record(ctx, "user.create", "user", row.id, after=after)
    link = await staff.first_password(ctx, row, public_url)
    await mail.send(
        ctx, email, WELCOME, locale, name=name, url=link.url, expires=link.expires_at.isoformat()
    )
    return row


async def update_user(
    ctx: Ctx, user_id: UUID, values: dict[str, Any], if_match: str | None
) -> User:
    """Change name, phone, ``is_active`` or ``staff_role``; who is disabled is out at once."""
    await staff.take_turns(ctx)
    row = await user(ctx, user_id, lock=True)
    if row.deleted_at is not None:
        raise Deleted
    rows.match(row, if_match)
    before = rows.change(ctx, row, values)
    if any(before[one] != values[one] for one in before.keys() & {"is_active", "staff_role"}):
        await sessions.end_all(ctx, row, "changed_by_admin")
    await ctx.db.flush()
    await staff.keep_admin(ctx)
    await _record(ctx, "user.update", row, before=before, after=values)
    return row


async def delete_user(ctx: Ctx, user_id: UUID, if_match: str | None) -> None:
    """Take a person out of sight everywhere, at once; :func:`restore_user` brings it back."""
    await staff.take_turns(ctx)
    row = await user(ctx, user_id, lock=True)
    if row.deleted_at is not None:
        raise Deleted
    rows.match(row, if_match)
    rows.change(ctx, row, {"deleted_at": ctx.now})
    await sessions.end_all(ctx, row, "deleted")
    await staff.keep_admin(ctx)
    await _record(ctx, "user.delete", row, before={"email": row.email})


async def restore_user(ctx: Ctx, user_id: UUID) -> User:
    """Bring a deleted person back, with the places that it had; it signs in again."""
    row = await user(ctx, user_id, lock=True)
    if row.deleted_at is None:
        raise NotDeleted
    rows.change(ctx, row, {"deleted_at": None})
    await ctx.db.flush()
    await _record(ctx, "user.restore", row, after={"email": row.email})
    return row


async def _record(ctx: Ctx, action: str, row: User, **what: Any) -> None:
    """Write it into the installation's trail and into that of each client the person is in."""
    mine = select(Membership.client_id).where(col(Membership.user_id) == row.id)
    audit.record(ctx, action, "user", row.id, **what)
    # in one order everywhere: the chains are locked one after another when they are sealed
    for client_id in (await ctx.db.exec(mine.order_by(col(Membership.client_id)))).all():
        audit.record(identity.as_client(ctx, client_id), action, "user", row.id, **what)
