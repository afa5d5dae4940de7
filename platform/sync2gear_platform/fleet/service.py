"""Use cases of the fleet: registering, changing and revoking devices, and recognising them."""

import secrets
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select

from sync2gear_broker import topics
from sync2gear_platform.audit import service as audit
from sync2gear_platform.fleet import rules
from sync2gear_platform.fleet.telling import tell_anew
from sync2gear_platform.identity import rules as identity
from sync2gear_platform.identity.tables import Client
from sync2gear_platform.kit import events, outbox, revisions, rows
from sync2gear_platform.kit.context import Actor, Ctx
from sync2gear_platform.kit.db import widened
from sync2gear_platform.kit.errors import NotFound, Refusal
from sync2gear_platform.sites import service as sites
from sync2gear_platform.sites.tables import Device, DevicePresence, Zone

SECRET_BYTES = 32
"""256 random bits: 43 characters that any URL or file can hold."""

SALT_BYTES = 12
"""As mosquitto_passwd has it."""

_AS_NEW = {
    "volume": 100,
    "trim_millis": 0,
    "channels": "stereo",
    "fetch_rate": 0,
    "fetch_window": "",
}


class HardwareKnown(Refusal):
    """A device with this hardware id is registered here already: delete it first."""

    kind = "conflict"
    code = "hardware_known"


class DeviceLimit(Refusal):
    """This client has as many devices as its plan allows: delete one, or ask for more."""

    kind = "conflict"
    code = "device_limit"


class UnknownDevice(Refusal):
    """This device has no account here, or it was revoked: register it."""

    kind = "unauthenticated"
    code = "device_unknown"


@dataclass(frozen=True, slots=True)
class Registered:
    """A device that was just registered; the secret is not kept anywhere."""

    device: Device
    secret: str


async def device(ctx: Ctx, device_id: UUID, *, lock: bool = False) -> Device:
    """The one door to a device: a revoked one, or another client's, does not exist."""
    row = await rows.find(ctx, Device, device_id, lock=lock)
    if row.revoked_at is not None:
        raise NotFound("There is no such device here.")
    return row


async def register(
    ctx: Ctx,
    *,
    name: str,
    hardware_id: str,
    zone_id: UUID | None = None,
    device_type: str = "speaker",
    model: str = "",
) -> Registered:
    """A new device with an account. Hardware that was revoked comes back as the same device."""
    if zone_id is not None:
        await sites.zone(ctx, zone_id)
    # one at a time: two that count the devices at once would both find room for the last one
    await rows.take_turns(ctx, "devices")
    client = (await ctx.db.exec(select(Client).where(col(Client.id) == ctx.client_id))).one()
    mine = select(Device).where(col(Device.client_id) == ctx.client_id)
    known = mine.where(col(Device.hardware_id) == hardware_id).with_for_update()
    row = (await ctx.db.exec(known)).one_or_none()
    if row is not None and row.revoked_at is None:
        raise HardwareKnown
    active = mine.where(col(Device.revoked_at).is_(None)).subquery()
    async with widened(ctx.db):
        count = (await ctx.db.exec(select(func.count()).select_from(active))).one()
    if count >= client.max_devices:
        raise DeviceLimit(limit=client.max_devices)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    epoch, rev = await revisions.next_version(ctx)
    values: dict[str, Any] = {
        "name": name,
        "zone_id": zone_id,
        "device_type": device_type,
        "model": model,
        "secret_hash": rules.hash_secret(secret, secrets.token_bytes(SALT_BYTES)),
        "config_epoch": epoch,
        "config_rev": rev,
    }
    if row is None:
        row = rows.new(ctx, Device, hardware_id=hardware_id, **values)
    else:
        rows.change(ctx, row, {**values, "revoked_at": None, **_AS_NEW})
    await ctx.db.flush()
    audit.record(ctx, "device.register", "device", row.id, after={**values, "id": row.id})
    await _tell(ctx, row, zones=(zone_id,), account=True)
    return Registered(row, secret)


async def update(
    ctx: Ctx, device_id: UUID, values: dict[str, Any], if_match: str | None = None
) -> Device:
    """Change what ``values`` names, of what ``DevicePatch`` has."""
    row = await device(ctx, device_id, lock=True)
    rows.match(row, if_match)
    if values.get("zone_id") is not None:
        await sites.zone(ctx, values["zone_id"])
    if not values:
        return row
    epoch, rev = await revisions.next_version(ctx)
    before = rows.change(ctx, row, {**values, "config_epoch": epoch, "config_rev": rev})
    await ctx.db.flush()
    audit.record(ctx, "device.update", "device", row.id, before=before, after=values)
    moved = "zone_id" in values and values["zone_id"] != before["zone_id"]
    await _tell(ctx, row, zones=(before["zone_id"], row.zone_id) if moved else ())
    return row


async def revoke(ctx: Ctx, device_id: UUID, if_match: str | None = None) -> None:
    """Take a device's account away: it is off the broker within seconds. Its plays remain."""
    row = await device(ctx, device_id, lock=True)
    rows.match(row, if_match)
    zone_id = row.zone_id
    before = rows.change(
        ctx, row, {"revoked_at": ctx.now, "zone_id": None, "secret_hash": "revoked"}
    )
    presence = await ctx.db.get(DevicePresence, row.id)
    if presence is not None:
        await ctx.db.delete(presence)
    await ctx.db.flush()
    audit.record(ctx, "device.revoke", "device", row.id, before=before)
    await _tell(ctx, row, zones=(zone_id,), account=True)


async def _tell(
    ctx: Ctx, row: Device, *, zones: tuple[UUID | None, ...], account: bool = False
) -> None:
    """Say what of a device must be published again; its zone's copy only if that changed.

    What it fetches ahead is its client's: a speaker that moves within the client has it.
    """
    ids = {"client": str(ctx.client_id), "device": str(row.id)}
    changed = [topics.DEVICE_CONFIG, *([topics.DEVICE_ZONE] if zones else [])]
    changed += [topics.DEVICE_PREFETCH] if account else []
    outbox.dirty(ctx, *(topics.build(channel, **ids) for channel in changed))
    for zone_id in {zone_id for zone_id in zones if zone_id is not None}:
        await events.changed(ctx, "zone", zone_id)
    await events.changed(ctx, "device", row.id)
    if account:
        await events.changed(ctx, "accounts", row.id)


async def moved_in_time(ctx: Ctx, _noun: str, location_id: UUID) -> None:
    """A location's clock may be another one now: its devices' hours for downloads are by that."""
    inside = select(Zone.id).where(
        col(Zone.client_id) == ctx.client_id, col(Zone.location_id) == location_id
    )
    mine = col(Device.client_id) == ctx.client_id
    async with widened(ctx.db):
        told = await tell_anew(
            ctx, mine, col(Device.zone_id).in_(inside), col(Device.fetch_window) != ""
        )
    for device_id in told:
        await events.changed(ctx, "device", device_id)


async def recognise(ctx: Ctx, username: str, secret: str) -> Actor:
    """The device that this MQTT username and secret speak for. ``ctx`` is the system's.

    A suspended or cancelled client's devices are recognised too: its music goes on. Only a
    deleted client's are not.
    """
    names = topics.split_username(username)
    if names is None:
        raise UnknownDevice
    client_id, device_id = (UUID(name) for name in names)
    statement = (
        select(Device)
        .join(Client, col(Client.id) == col(Device.client_id))
        .where(
            col(Device.id) == device_id,
            col(Device.client_id) == client_id,
            col(Device.revoked_at).is_(None),
            col(Client.deleted_at).is_(None),
        )
    )
    row = (await ctx.db.exec(statement)).one_or_none()
    if row is None or not rules.verify_secret(secret, row.secret_hash):
        raise UnknownDevice
    return Actor(
        kind="device",
        id=row.id,
        client_id=row.client_id,
        permissions=identity.permissions("device"),
        label=row.name,
    )
