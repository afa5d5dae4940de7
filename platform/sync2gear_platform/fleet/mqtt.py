"""The fleet on MQTT: which configuration each device's retained topic holds."""

from collections.abc import Mapping, Sequence
from typing import cast
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from sync2gear_broker import topics
from sync2gear_broker.messages import Channels, DeviceConfig
from sync2gear_broker.topics import Address
from sync2gear_platform.fleet import signing
from sync2gear_platform.kit.relay import Projection
from sync2gear_platform.kit.revisions import Installation
from sync2gear_platform.sites.tables import Device, Location, Zone


def config_of(
    device: Device, media_url: str, keys: tuple[str, ...] = (), timezone: str = ""
) -> DeviceConfig:
    """What an operator has set for ``device``; its volume bounds that of its zone.

    ``keys`` are those under which it obeys emergencies, ``timezone`` is its location's.
    """
    return DeviceConfig(
        epoch=device.config_epoch,
        rev=device.config_rev,
        name=device.name[:200],
        volume_max=device.volume,
        trim_millis=device.trim_millis,
        channels=cast("Channels", device.channels),
        fetch_rate=device.fetch_rate,
        fetch_window=device.fetch_window,
        # of a device without hours a location's new clock changes nothing
        timezone=timezone if device.fetch_window else "",
        media_url=media_url,
        emergency_keys=keys,
    )


async def read(db: AsyncSession, addresses: Sequence[Address]) -> Mapping[Address, bytes]:
    """The configuration of each device that has an account."""
    wanted = {UUID(a.device): a for a in addresses if a.device}
    # in one statement: the address and the rev that tells it are of one instant
    address = select(col(Installation.public_url)).scalar_subquery()
    statement = (
        select(Device, Location.timezone, address)
        .outerjoin(Zone, col(Zone.id) == col(Device.zone_id))
        .outerjoin(Location, col(Location.id) == col(Zone.location_id))
        .where(col(Device.id).in_(wanted), col(Device.revoked_at).is_(None))
    )
    found = (await db.execute(statement)).all()
    keys = await signing.public_keys(db, {d.client_id for d, _, _ in found})
    return {
        wanted[d.id]: config_of(
            d, public_url or "", keys.get(d.client_id, ()), timezone or ""
        ).canonical()
        for d, timezone, public_url in found
        if wanted[d.id].client == str(d.client_id)
    }


async def everything(db: AsyncSession) -> Sequence[Address]:
    """Every device that has an account."""
    statement = select(Device.client_id, Device.id).where(col(Device.revoked_at).is_(None))
    rows = await db.exec(statement)
    return [Address(topics.DEVICE_CONFIG, client=str(c), device=str(d)) for c, d in rows]


PROJECTION = Projection(topics.DEVICE_CONFIG, read, everything)
