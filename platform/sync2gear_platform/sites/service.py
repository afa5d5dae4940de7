"""Use cases of places: making, changing and removing locations, facilities, floors and zones."""

from typing import Any, TypeVar
from uuid import UUID

from sqlmodel import col, select

from sync2gear_broker import topics
from sync2gear_platform.audit import service as audit
from sync2gear_platform.kit import events, outbox, rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.db import Owned
from sync2gear_platform.kit.errors import Refusal
from sync2gear_platform.sites.tables import Device, Facility, Floor, Location, Zone

Place = TypeVar("Place", Location, Facility, Floor, Zone)


class NoLocation(Refusal):
    """This client has no location yet: make one first."""

    kind = "conflict"
    code = "no_location"


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


async def create(ctx: Ctx, table: type[Place], values: dict[str, Any]) -> Place:
    """A new place of this client."""
    values = await _placed(ctx, table, values)
    row = rows.new(ctx, table, **values)
    await ctx.db.flush()
    audit.record(ctx, f"{_noun(table)}.create", _noun(table), row.id, after=values)
    await events.changed(ctx, _noun(table), row.id)
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
    return row


async def remove(ctx: Ctx, table: type[Place], row_id: UUID, if_match: str | None) -> None:
    """Remove a place. A zone's speakers become unclaimed, and its retained state is cleared."""
    row = await rows.find(ctx, table, row_id, lock=True)
    rows.match(row, if_match)
    if isinstance(row, Zone):
        await outbox.dirty(ctx, *await topics_of(ctx, row.id))
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
