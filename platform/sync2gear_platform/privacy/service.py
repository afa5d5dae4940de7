"""Use cases of privacy: asking for an archive, asking to be deleted, and taking that back."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, exists
from sqlmodel import col, delete, select

from sync2gear_platform.audit import service as audit
from sync2gear_platform.identity import mail, staff
from sync2gear_platform.identity.rules import MANAGERS
from sync2gear_platform.identity.tables import Client, Membership, RoleAssignment, Session, User
from sync2gear_platform.jobs import app as jobs
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.db import enter_system
from sync2gear_platform.kit.errors import Kind, NotFound, Refusal
from sync2gear_platform.privacy import rules
from sync2gear_platform.privacy.tables import Deletion, Export

EXPORT: Final = "privacy:export"
"""The task's name as jobs carry it."""

LISTED: Final = 50


class OnlyPeople(Refusal):
    """Only a person who is signed in can do this: an API token cannot."""

    kind: Kind = "forbidden"
    code = "only_people"


class ExportRunning(Refusal):
    """An archive is being written already: wait until it is ready."""

    kind: Kind = "conflict"
    code = "export_running"


class NotReady(Refusal):
    """This archive cannot be fetched: it is not ready, or it has expired."""

    kind: Kind = "conflict"
    code = "export_not_ready"


class LastManager(Refusal):
    """You are the only manager of a client: make somebody else manager, or delete it first."""

    kind: Kind = "conflict"
    code = "last_manager"


class TooLate(Refusal):
    """The time for taking this back is over: the deletion has begun."""

    kind: Kind = "conflict"
    code = "deletion_final"


def myself(ctx: Ctx) -> UUID:
    """The person who acts; :class:`OnlyPeople` for a token."""
    if ctx.actor.kind != "user" or ctx.actor.id is None:
        raise OnlyPeople
    return ctx.actor.id


def _mine(ctx: Ctx, table: type[Export] | type[Deletion], *, client: bool) -> ColumnElement[bool]:
    """Rows of the client of this touch, or of the person who acts."""
    if client:
        return col(table.client_id) == ctx.client_id
    return col(table.user_id) == myself(ctx)


async def request_export(ctx: Ctx, *, client: bool) -> Export:
    """Have an archive of this client, or of the person who acts, written by a worker.

    One at a time; an older one stays until the new one is ready.
    """
    mine = _mine(ctx, Export, client=client)
    await rows.take_turns(ctx, "export", None if client else myself(ctx))
    running = select(Export.id).where(
        mine, col(Export.state) == "running", col(Export.created_at) > ctx.now - rules.STUCK
    )
    if (await ctx.db.exec(running)).first() is not None:
        raise ExportRunning
    row = Export(
        client_id=ctx.client_id if client else None,
        user_id=None if client else myself(ctx),
        requested_by=ctx.actor.id if ctx.actor.kind == "user" else None,
        created_at=ctx.now,
        expires_at=ctx.now + rules.KEPT,
    )
    ctx.db.add(row)
    await ctx.db.flush()
    audit.record(ctx, "data.export", "client" if client else "user", row.client_id or row.user_id)
    await jobs.defer(ctx, EXPORT, lock=f"privacy export {row.id}", export_id=str(row.id))
    return row


async def find_export(ctx: Ctx, export_id: UUID, *, client: bool) -> Export:
    """One archive of this client, or of the person who acts; any other does not exist."""
    mine = _mine(ctx, Export, client=client)
    row = (await ctx.db.exec(select(Export).where(mine, col(Export.id) == export_id))).one_or_none()
    if row is None:
        raise NotFound("There is no such archive here.")
    return row


async def list_exports(ctx: Ctx, *, client: bool) -> Sequence[Export]:
    """The latest archives, the newest first."""
    newest = col(Export.created_at).desc()
    statement = select(Export).where(_mine(ctx, Export, client=client)).order_by(newest)
    return (await ctx.db.exec(statement.limit(LISTED))).all()


async def fetched(ctx: Ctx, export_id: UUID, *, client: bool) -> Export:
    """The archive, if it can be fetched now; the trail says that it was."""
    row = await find_export(ctx, export_id, client=client)
    if rules.state_of(row.state, row.created_at, row.expires_at, ctx.now) != "ready":
        raise NotReady
    audit.record(ctx, "data.download", "export", row.id)
    return row


def came_back() -> ColumnElement[bool]:
    """Whether the person of a deletion has signed in since it was asked for.

    Going to another client of one's own begins a session too; that is no sign-in.
    """
    left = Session.__table__.alias("left_session")  # type: ignore[attr-defined]  # SQLModel's own
    switched = exists().where(
        left.c.user_id == col(Session.user_id),
        left.c.end_reason == "switched",
        left.c.ended_at == col(Session.created_at),
    )
    return exists().where(
        col(Session.user_id) == col(Deletion.user_id),
        col(Session.created_at) > col(Deletion.created_at),
        col(Session.created_at) < col(Deletion.due_at),
        ~switched,
    )


async def pending(ctx: Ctx, *, client: bool, lock: bool = False) -> Deletion | None:
    """The deletion that is to come, if any."""
    statement = select(Deletion).where(_mine(ctx, Deletion, client=client))
    if not client:
        statement = statement.where(col(Deletion.purging_at).is_not(None) | ~came_back())
    if lock:
        statement = statement.with_for_update()
    return (await ctx.db.exec(statement)).one_or_none()


async def request_deletion(ctx: Ctx, *, client: bool, grace_days: int, url: str) -> Deletion:
    """Have this client, or the person who acts, deleted after the days of grace.

    Until then nothing changes. Asked again, the first date stands. ``ctx`` is the system's, of
    somebody who has just proved who it is.
    """
    user = await ctx.db.get_one(User, myself(ctx), with_for_update=True)
    if client:
        await ctx.db.get_one(Client, ctx.client_id, with_for_update=True)
    standing = await pending(ctx, client=client, lock=True)
    if standing is not None:
        return standing
    if not client:
        await refuse_last_one(ctx, user.id)
        await ctx.db.execute(delete(Deletion).where(_mine(ctx, Deletion, client=False)))
    row = Deletion(
        client_id=ctx.client_id if client else None,
        user_id=None if client else user.id,
        requested_by=user.id,
        created_at=ctx.now,
        due_at=rules.due_at(ctx.now, grace_days),
    )
    ctx.db.add(row)
    await ctx.db.flush()
    subject = "client" if client else "user"
    after = {"due_at": row.due_at}
    audit.record(ctx, "deletion.request", subject, row.client_id or row.user_id, after=after)
    when = row.due_at.isoformat()
    if client:
        await _tell_managers(ctx, when=when, url=url)
    else:
        await mail.send(
            ctx, user.email, "account_deletion_requested", user.locale,
            name=user.name, when=when, url=url,
        )  # fmt: skip
    return row


async def _tell_managers(ctx: Ctx, **values: Any) -> None:
    """Write to everybody who could take the deletion of the client back."""
    client = await ctx.db.get_one(Client, ctx.client_id)
    found = await ctx.db.exec(
        select(User).where(col(User.id).in_(_managers_of(Membership.client_id == ctx.client_id)))
    )
    for one in found.all():
        await mail.send(
            ctx, one.email, "client_deletion_requested", one.locale,
            name=one.name, client=client.name, **values,
        )  # fmt: skip


def _managers_of(condition: Any) -> Any:
    """The ids of people who manage the whole of a client."""
    return (
        select(Membership.user_id)
        .join(RoleAssignment, col(RoleAssignment.membership_id) == col(Membership.id))
        .join(User, col(User.id) == col(Membership.user_id))
        .where(
            condition,
            col(Membership.is_active),
            col(User.is_active),
            col(User.deleted_at).is_(None),
            col(RoleAssignment.role).in_(MANAGERS),
            col(RoleAssignment.location_id).is_(None),
            col(RoleAssignment.facility_id).is_(None),
            col(RoleAssignment.floor_id).is_(None),
            col(RoleAssignment.zone_id).is_(None),
        )
    )


async def refuse_last_one(ctx: Ctx, user_id: UUID) -> None:
    """Refuse where the installation would be left without an administrator, or a client without a
    manager, unless it is to be deleted itself. ``ctx`` is the system's.
    """
    await staff.take_turns(ctx)
    await staff.keep_admin(ctx, without=user_id)
    managed = (
        select(Client.id, Client.name)
        .join(Membership, col(Membership.client_id) == col(Client.id))
        .where(
            col(Membership.user_id) == user_id,
            col(Client.deleted_at).is_(None),
            col(Client.id).not_in(
                select(Deletion.client_id).where(col(Deletion.client_id).is_not(None))
            ),
        )
    )
    for client_id, name in (await ctx.db.exec(managed.order_by(col(Client.id)))).all():
        managers = set((await ctx.db.exec(_managers_of(Membership.client_id == client_id))).all())
        if managers == {user_id}:
            raise LastManager(f"You are the only manager of {name}: make somebody else manager "
                              "there, or delete it first.")  # fmt: skip


async def cancel_deletion(ctx: Ctx, *, client: bool) -> None:
    """Take a deletion back, as long as it has not begun. ``ctx`` becomes the system's."""
    myself(ctx)
    await enter_system(ctx.db)
    row = await pending(ctx, client=client, lock=True)
    if row is None:
        raise NotFound("Nothing is to be deleted here.", code="no_deletion")
    if rules.is_final(row.due_at, row.purging_at, ctx.now):
        raise TooLate
    subject = "client" if client else "user"
    audit.record(ctx, "deletion.cancel", subject, row.client_id or row.user_id)
    await ctx.db.delete(row)
