"""Playback on MQTT: which zone state each retained topic holds."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from sync2gear_broker import topics
from sync2gear_broker.messages import ZoneState, canonical_json
from sync2gear_broker.topics import Address
from sync2gear_platform.kit.relay import Projection
from sync2gear_platform.kit.revisions import Installation
from sync2gear_platform.playback import prefetch
from sync2gear_platform.playback.queries import state_of
from sync2gear_platform.playback.tables import ZonePlayback
from sync2gear_platform.sites.tables import Device, Zone

NOWHERE = str(UUID(int=0))
"""The zone of a speaker that belongs to none: told as a state, because silence is not heard."""


async def read_zones(db: AsyncSession, addresses: Sequence[Address]) -> Mapping[Address, bytes]:
    """The canonical state of each zone that was ever played."""
    wanted = {UUID(a.zone): a for a in addresses if a.zone}
    statement = select(ZonePlayback).where(col(ZonePlayback.zone_id).in_(wanted))
    rows = (await db.exec(statement)).all()
    return {
        wanted[row.zone_id]: canonical_json(row.document)
        for row in rows
        if wanted[row.zone_id].client == str(row.client_id)
    }


async def all_zones(db: AsyncSession) -> Sequence[Address]:
    """Every zone that was ever played."""
    rows = await db.exec(select(ZonePlayback.client_id, ZonePlayback.zone_id))
    return [Address(topics.ZONE_DESIRED, client=str(c), zone=str(z)) for c, z in rows]


async def read_devices(db: AsyncSession, addresses: Sequence[Address]) -> Mapping[Address, bytes]:
    """Each speaker's copy of its zone's state."""
    wanted = {UUID(a.device): a for a in addresses if a.device}
    statement = (
        select(Device, Zone, ZonePlayback)
        .outerjoin(Zone, col(Zone.id) == col(Device.zone_id))
        .outerjoin(ZonePlayback, col(ZonePlayback.zone_id) == col(Device.zone_id))
        .where(col(Device.id).in_(wanted), col(Device.revoked_at).is_(None))
    )
    found = [
        (wanted[device.id], device, zone, row)
        for device, zone, row in (await db.exec(statement)).all()
        if wanted[device.id].client == str(device.client_id)
    ]
    silence = await _silence(db)
    return {
        address: silence if zone is None else _copy(device, zone, row)
        for address, device, zone, row in found
    }


async def _silence(db: AsyncSession) -> bytes:
    """The state of no zone, newer than any that a speaker may have applied before it lost its."""
    drawn = func.nextval("document_rev_seq")
    epoch, rev = (await db.execute(select(col(Installation.epoch), drawn))).one()
    return ZoneState(zone=NOWHERE, epoch=epoch, rev=rev).canonical()


def _copy(device: Device, zone: Zone, row: ZonePlayback | None) -> bytes:
    """The state of the device's zone, at least as new as the device's own last change.

    A speaker that was moved would take its new zone's document for an old one otherwise. Both
    versions come from one sequence, so the zone's next one is newer again.
    """
    document = row.document if row else state_of(zone, None).model_dump(mode="json", by_alias=True)
    version = document["epoch"], document["rev"]
    epoch, rev = max(version, (device.config_epoch, device.config_rev))
    return canonical_json({**document, "epoch": epoch, "rev": rev})


async def all_devices(db: AsyncSession) -> Sequence[Address]:
    """Every speaker that has an account."""
    statement = select(Device.client_id, Device.id).where(col(Device.revoked_at).is_(None))
    rows = await db.exec(statement)
    return [Address(topics.DEVICE_ZONE, client=str(c), device=str(d)) for c, d in rows]


PROJECTIONS = (
    Projection(topics.ZONE_DESIRED, read_zones, all_zones),
    Projection(topics.DEVICE_ZONE, read_devices, all_devices),
    prefetch.PROJECTION,
)
