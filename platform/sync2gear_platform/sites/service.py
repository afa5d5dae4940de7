"""Use cases of places: making, changing and removing locations, facilities, floors and zones."""

from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlmodel import col, select

from sync2gear_broker import topics
from sync2gear_platform.audit import service as audit
from sync2gear_platform.kit import events, outbox, rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.db import Owned, widened
from sync2gear_platform.kit.errors import Refusal
from sync2gear_platform.sites.tables import Device, Facility, Floor, Location, Zone

Place = TypeVar("Place", Location, Facility, Floor, Zone)


class NoLocation(Refusal):
    """This client has no location yet: make one first."""

    kind = "conflict"
    code = "no_location"


class NoZones(Refusal):
    """There is no zone there: name a zone, or a floor or location that has one."""

    code = "no_zones"


class TooManyZones(Refusal):
    """These are more zones than one command may be for."""

    code = "too_many_zones"


class ElsewhereFloor(Refusal):
    """That floor is at another location."""

    code = "floor_elsewhere"


class BlankName(Refusal):
    """A name cannot be empty."""

    code = "name_empty"


def _noun(table: type[Owned]) -> str:
    return table.__name__.lower()


async def zone(ctx: Ctx, zone_id: UUID, *, lock: bool = False) -> Zone:
    """The one door to a zone: another client's does not exist."""
    return await rows.find(ctx, Zone, zone_id, lock=lock)


async def location_of(ctx: Ctx, zone: Zone) -> Location:
    """Where a zone within reach is, though all of that location may not be within reach."""
    async with widened(ctx.db):
        return await rows.find(ctx, Location, zone.location_id)


async def zones_of(
    ctx: Ctx,
    *,
    zone_ids: Sequence[UUID] = (),
    floor_ids: Sequence[UUID] = (),
    location_ids: Sequence[UUID] = (),
    most: int,
) -> list[Zone]:
    """These zones and all of these floors and locations, each once, in the order named.

    ``NotFound`` where one of them is not here or out of reach; of a floor or a location only the
    zones within reach are meant. :class:`NoZones` where there is none, :class:`TooManyZones`
    beyond ``most``.
    """
    found: dict[UUID, Zone] = {}
    for zone_id in zone_ids:
        found[zone_id] = await zone(ctx, zone_id)
    for table, column, ids in (
        (Floor, col(Zone.floor_id), floor_ids),
        (Location, col(Zone.location_id), location_ids),
    ):
        for place_id in ids:
            await rows.find(ctx, table, place_id)
        inside = select(Zone).where(col(Zone.client_id) == ctx.client_id, column.in_(ids))
        if ids:
            within = await ctx.db.exec(inside.order_by(col(Zone.name), col(Zone.id)))
            found.update({one.id: one for one in within if one.id not in found})
    if not found:
        raise NoZones
    if len(found) > most:
        raise TooManyZones
    return list(found.values())


async def zones_in(
    ctx: Ctx, *, location_id: UUID | None = None, floor_id: UUID | None = None
) -> list[UUID]:
    """The zones within reach on a floor, at a location, or both; ``NotFound`` for another's."""
    inside = select(Zone.id).where(col(Zone.client_id) == ctx.client_id)
    for table, column, place_id in (
        (Location, col(Zone.location_id), location_id),
        (Floor, col(Zone.floor_id), floor_id),
    ):
        if place_id is not None:
            await rows.find(ctx, table, place_id)
            inside = inside.where(column == place_id)
    return list((await ctx.db.exec(inside.order_by(col(Zone.id)))).all())


async def create(ctx: Ctx, table: type[Place], values: dict[str, Any]) -> Place:
    """A new place of this client."""
    values = await _placed(ctx, table, values)
    row = rows.new(ctx, table, **values)
    await ctx.db.flush()
    audit.record(ctx, f"{_noun(table)}.create", _noun(table), row.id, after=values)
    await events.changed(ctx, _noun(table), row.id)
    await events.tell(ctx, f"{_noun(table)} placed", row.id)
    return row


async def update(
    ctx: Ctx, table: type[Place], row_id: UUID, values: dict[str, Any], if_match: str | None
) -> Place:
    """Change what ``values`` names, if the row is still the version that ``if_match`` says."""
    row = await rows.find(ctx, table, row_id, lock=True)
    rows.match(row, if_match)
    if values.get("name") == "":
        raise BlankName
    if isinstance(row, Zone) and values.get("floor_id") is not None:
        await _same_location(ctx, values["floor_id"], row.location_id)
    before = rows.change(ctx, row, values)
    await ctx.db.flush()
    audit.record(ctx, f"{_noun(table)}.update", _noun(table), row.id, before=before, after=values)
    await events.changed(ctx, _noun(table), row.id)
    await events.tell(ctx, f"{_noun(table)} placed", row.id)
    return row


async def remove(ctx: Ctx, table: type[Place], row_id: UUID, if_match: str | None) -> None:
    """Remove a place. A zone's speakers become unclaimed, and its retained state is cleared."""
    row = await rows.find(ctx, table, row_id, lock=True)
    rows.match(row, if_match)
    if isinstance(row, Zone):
        outbox.dirty(ctx, *await topics_of(ctx, row.id))
    audit.record(ctx, f"{_noun(table)}.delete", _noun(table), row.id, before=row.model_dump())
    await ctx.db.delete(row)
    await ctx.db.flush()
    await events.changed(ctx, _noun(table), row_id)


async def topics_of(ctx: Ctx, zone_id: UUID) -> list[str]:
    """Every retained topic that holds the state of a zone: its own and one for each speaker."""
    client = str(ctx.client_id)
    devices = await ctx.db.exec(
        select(Device.id).where(
            col(Device.client_id) == ctx.client_id,
            col(Device.zone_id) == zone_id,
            col(Device.revoked_at).is_(None),
        )
    )
    return [
        topics.build(topics.ZONE_DESIRED, client=client, zone=str(zone_id)),
        *(topics.build(topics.DEVICE_ZONE, client=client, device=str(d)) for d in devices),
    ]


async def _placed(ctx: Ctx, table: type[Place], values: dict[str, Any]) -> dict[str, Any]:
    """``values`` with a location: the floor's, or the client's first."""
    if table is Location or values.get("location_id") is not None:
        if table is Zone and values.get("floor_id") is not None:
            await _same_location(ctx, values["floor_id"], values["location_id"])
        return values
    if values.get("floor_id") is not None:
        floor = await rows.find(ctx, Floor, values["floor_id"])
        return {**values, "location_id": floor.location_id}
    first = select(Location.id).where(col(Location.client_id) == ctx.client_id)
    location_id = (await ctx.db.exec(first.order_by(col(Location.id)).limit(1))).first()
    if location_id is None:
        raise NoLocation
    return {**values, "location_id": location_id}


async def _same_location(ctx: Ctx, floor_id: UUID, location_id: UUID) -> None:
    floor = await rows.find(ctx, Floor, floor_id)
    if floor.location_id != location_id:
        raise ElsewhereFloor
