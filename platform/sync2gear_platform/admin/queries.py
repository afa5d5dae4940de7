"""Reads over all clients: what each one uses, who is where, how the devices are.

``ctx`` is in the system's door. Whatever is told of many rows comes from one grouped query each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, func, lateral, literal_column, or_, select
from sqlmodel import col

from sync2gear_platform.admin import schemas
from sync2gear_platform.identity import rules
from sync2gear_platform.identity.tables import Client, Membership, RoleAssignment, Session, User
from sync2gear_platform.kit import usage
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.library import shelving
from sync2gear_platform.playback.tables import PlayEventRow
from sync2gear_platform.sites.tables import Device, DevicePresence

TOP: Final = 10
"""How many clients are named where the most of something is told."""

ONLINE: Final = col(DevicePresence.online).is_(True)


@dataclass(frozen=True, slots=True)
class Uses:
    """What one client has now."""

    members: int = 0
    devices: int = 0
    devices_online: int = 0
    storage_bytes: int = 0


async def uses(ctx: Ctx, client_ids: Sequence[UUID]) -> dict[UUID, Uses]:
    """What these clients have: three queries, however many they are."""
    members = await _by_client(
        ctx, (func.count(),), Membership.client_id, col(Membership.client_id).in_(client_ids)
    )
    stored = await shelving.stored(ctx, col(Client.id).in_(client_ids))
    devices: Any = (
        select(col(Device.client_id), func.count(), func.count().filter(ONLINE))
        .outerjoin(DevicePresence, col(DevicePresence.device_id) == col(Device.id))
        .where(col(Device.client_id).in_(client_ids), col(Device.revoked_at).is_(None))
        .group_by(col(Device.client_id))
    )
    known = {row[0]: (row[1], row[2]) for row in (await ctx.db.execute(devices)).all()}
    return {
        one: Uses(members.get(one, 0), *known.get(one, (0, 0)), storage_bytes=stored.get(one, 0))
        for one in client_ids
    }


async def _by_client(
    ctx: Ctx, values: tuple[Any, ...], key: Any, *where: ColumnElement[bool]
) -> dict[UUID, int]:
    statement = select(col(key), *values).where(*where).group_by(col(key))
    return {row[0]: int(row[1]) for row in (await ctx.db.execute(statement)).all()}


def standing(ctx: Ctx, row: Client) -> rules.Standing:
    """How a client stands today."""
    return rules.standing(row.status, row.subscription_start, row.subscription_end, ctx.now.date())


async def show_clients(ctx: Ctx, rows: Sequence[Client]) -> list[schemas.ClientOut]:
    """Clients with what they use, in the order given."""
    found = await uses(ctx, [row.id for row in rows])
    shown = []
    for row in rows:
        one, used = schemas.ClientOut.model_validate(row), found[row.id]
        one.standing = standing(ctx, row)
        one.members, one.storage_bytes = used.members, used.storage_bytes
        one.devices, one.devices_online = used.devices, used.devices_online
        shown.append(one)
    return shown


async def show_users(ctx: Ctx, rows: Sequence[User]) -> list[schemas.UserOut]:
    """People with their places and when each was last active, in the order given."""
    ids = [row.id for row in rows]
    seats: Any = (
        select(Membership, col(Client.name), col(RoleAssignment.role))
        .join(Client, col(Client.id) == col(Membership.client_id))
        .outerjoin(RoleAssignment, col(RoleAssignment.membership_id) == col(Membership.id))
        .where(col(Membership.user_id).in_(ids))
        .order_by(col(Client.name), col(Membership.id), col(RoleAssignment.id))
    )
    places: dict[UUID, dict[UUID, schemas.SeatOut]] = {}
    for membership, name, role in (await ctx.db.execute(seats)).all():
        mine = places.setdefault(membership.user_id, {})
        new = schemas.SeatOut(
            client_id=membership.client_id, client=name, is_active=membership.is_active, roles=[]
        )
        seat = mine.setdefault(membership.client_id, new)
        if role is not None and role not in seat.roles:
            seat.roles.append(role)
    used = (
        select(col(Session.user_id), func.max(col(Session.last_used_at)))
        .where(col(Session.user_id).in_(ids))
        .group_by(col(Session.user_id))
    )
    last: dict[UUID, datetime] = {r[0]: r[1] for r in (await ctx.db.execute(used)).all()}
    shown = []
    for row in rows:
        one = schemas.UserOut.model_validate(row)
        one.clients = list(places.get(row.id, {}).values())
        one.last_used_at = last.get(row.id)
        shown.append(one)
    return shown


def in_client(client_id: UUID) -> ColumnElement[bool]:
    """People who belong to a client."""
    mine = select(col(Membership.user_id)).where(col(Membership.client_id) == client_id)
    return col(User.id).in_(mine)


def online(wanted: bool) -> ColumnElement[bool]:
    """Devices that are online, or are not."""
    return ONLINE if wanted else or_(col(DevicePresence.online).is_(None), ~ONLINE)


async def names(ctx: Ctx, client_ids: Sequence[UUID]) -> dict[UUID, str]:
    """What these clients are called."""
    statement = select(col(Client.id), col(Client.name)).where(col(Client.id).in_(client_ids))
    return {row[0]: row[1] for row in (await ctx.db.execute(statement)).all()}


async def heard(
    ctx: Ctx, since: datetime, until: datetime | None = None
) -> Mapping[UUID, schemas.Heard]:
    """What sounded on each client's speakers since ``since``.

    Client by client along its own index: a trail of millions of events is not read as a whole.
    """
    begun = col(PlayEventRow.kind) == "started"
    announced = col(PlayEventRow.media_kind) == "announcement"
    window = [col(PlayEventRow.client_id) == col(Client.id), col(PlayEventRow.received_at) >= since]
    if until is not None:
        window.append(col(PlayEventRow.received_at) < until)
    counted = lateral(
        select(
            func.count().filter(begun, ~announced).label("music"),
            func.count().filter(begun, announced).label("announcements"),
            func.count().filter(col(PlayEventRow.kind) == "missed").label("missed"),
        ).where(*window)
    ).alias("heard")
    statement = (
        select(col(Client.id), counted.c.music, counted.c.announcements, counted.c.missed)
        .select_from(Client)
        .join(counted, literal_column("true"))
    )
    return {
        row[0]: schemas.Heard(music=row[1], announcements=row[2], missed=row[3])
        for row in (await ctx.db.execute(statement)).all()
    }


def total(found: Mapping[UUID, schemas.Heard]) -> schemas.Heard:
    """What sounded at all clients together."""
    return schemas.Heard(
        music=sum(one.music for one in found.values()),
        announcements=sum(one.announcements for one in found.values()),
        missed=sum(one.missed for one in found.values()),
    )


async def stats(ctx: Ctx) -> schemas.StatsOut:
    """The installation at a glance: a fixed number of queries."""
    return schemas.StatsOut(
        at=ctx.now,
        clients=await _clients(ctx),
        users=await _users(ctx),
        devices=await _devices(ctx),
        storage=await _storage(ctx),
        plays_24h=total(await heard(ctx, ctx.now - timedelta(days=1))),
        plays_7d=total(await heard(ctx, ctx.now - timedelta(days=7))),
        api_7d=await _api(ctx),
    )


async def _clients(ctx: Ctx) -> schemas.ClientsCount:
    deleted = col(Client.deleted_at).is_not(None)
    kinds = (
        col(Client.status),
        col(Client.subscription_start),
        col(Client.subscription_end),
        deleted,
    )
    counts: dict[str, int] = {}
    for status, start, end, gone, many in (
        await ctx.db.execute(select(*kinds, func.count()).group_by(*kinds))
    ).all():
        stands = "deleted" if gone else rules.standing(status, start, end, ctx.now.date())
        counts[stands] = counts.get(stands, 0) + many
    return schemas.ClientsCount(**counts)


async def _users(ctx: Ctx) -> schemas.UsersCount:
    statement = select(
        func.count(),
        func.count().filter(col(User.is_active)),
        func.count().filter(col(User.staff_role).is_not(None)),
    ).where(col(User.deleted_at).is_(None))
    row = (await ctx.db.execute(statement)).one()
    return schemas.UsersCount(total=row[0], active=row[1], staff=row[2])


async def _devices(ctx: Ctx) -> schemas.DevicesCount:
    statement: Any = (
        select(func.count(), func.count().filter(ONLINE))
        .select_from(Device)
        .join(Client, col(Client.id) == col(Device.client_id))
        .outerjoin(DevicePresence, col(DevicePresence.device_id) == col(Device.id))
        .where(col(Device.revoked_at).is_(None), col(Client.deleted_at).is_(None))
    )
    row = (await ctx.db.execute(statement)).one()
    return schemas.DevicesCount(total=row[0], online=row[1])


async def _storage(ctx: Ctx) -> schemas.Storage:
    stored = await shelving.stored(ctx)
    top = sorted(stored, key=lambda one: (-stored[one], str(one)))[:TOP]
    called = await names(ctx, top)
    return schemas.Storage(
        bytes=sum(stored.values()),
        top=[
            schemas.StorageOf(client_id=one, client=called[one], bytes=stored[one]) for one in top
        ],
    )


async def api_use(ctx: Ctx, since: datetime, until: datetime) -> dict[UUID, schemas.ApiUse]:
    """Requests of each client on the days from ``since`` to ``until``, both included."""
    found: dict[UUID, schemas.ApiUse] = {}
    for used in await usage.of_clients(ctx, since.date(), until.date()):
        one = found.setdefault(used.client_id, schemas.ApiUse(client_id=used.client_id))
        one.requests += used.requests
        one.errors += used.errors
        one.bytes_sent += used.bytes_sent
    return found


async def _api(ctx: Ctx) -> schemas.Use:
    found = await api_use(ctx, ctx.now - timedelta(days=6), ctx.now)
    top = sorted(found.values(), key=lambda one: (-one.requests, str(one.client_id)))[:TOP]
    called = await names(ctx, [one.client_id for one in top if one.client_id])
    for one in top:
        one.client = called.get(one.client_id, "") if one.client_id else ""
    whole = schemas.ApiUse(
        requests=sum(one.requests for one in found.values()),
        errors=sum(one.errors for one in found.values()),
        bytes_sent=sum(one.bytes_sent for one in found.values()),
    )
    return schemas.Use(total=whole, top=top)
