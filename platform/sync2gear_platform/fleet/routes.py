"""The fleet over HTTP, and how a device signs in there with its broker account."""

import base64
import binascii
from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import select
from sqlmodel import col
from starlette.requests import HTTPConnection

from sync2gear_broker.messages import Channels, DeviceState, Heartbeat
from sync2gear_platform.fleet import service, trust
from sync2gear_platform.fleet.schemas import (
    CredentialOut,
    DeviceOut,
    DevicePatch,
    DeviceVolumeIn,
    FaultOut,
    HealthOut,
    RegisteredOut,
    RegisterIn,
    TrustOut,
)
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.context import Actor, Ctx
from sync2gear_platform.kit.idempotency import Remembering, once
from sync2gear_platform.kit.paging import Listing, Page, page
from sync2gear_platform.kit.web import allow
from sync2gear_platform.settings import Settings
from sync2gear_platform.sites.tables import Device, DevicePresence

router = APIRouter(prefix="/api/v1/devices", tags=["devices"], route_class=Remembering)

Read = Annotated[Ctx, allow("devices.read")]
Write = Annotated[Ctx, allow("devices.write")]
Register = Annotated[Ctx, once("devices.write")]


async def authenticate(connection: HTTPConnection, ctx: Ctx) -> Actor:
    """The device of an ``Authorization: Basic`` header: its MQTT username and its secret."""
    _, _, encoded = connection.headers.get("authorization", "").partition(" ")
    try:
        decoded = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise service.UnknownDevice from error
    username, _, secret = decoded.partition(":")
    return await service.recognise(ctx, username, secret)


@router.get("/")
async def list_devices(
    ctx: Read, window: Listing, zone_id: Annotated[UUID | None, Query()] = None
) -> Page[DeviceOut]:
    """List devices."""
    statement: Any = (
        select(Device, DevicePresence)
        .outerjoin(DevicePresence, col(DevicePresence.device_id) == col(Device.id))
        .where(col(Device.client_id) == ctx.client_id, col(Device.revoked_at).is_(None))
    )
    if zone_id is not None:
        statement = statement.where(col(Device.zone_id) == zone_id)
    return await page(
        ctx,
        window,
        statement,
        keys={"name": col(Device.name), "created_at": col(Device.created_at)},
        default="name",
        tiebreak=col(Device.id),
        search=(Device.name, Device.hardware_id),
        shape=lambda row: _shown(row[0], row[1]),
    )


@router.post("/register/", status_code=201)
async def register(ctx: Register, request: Request, body: RegisterIn) -> RegisteredOut:
    """Register a device; its secret is in this answer and nowhere else."""
    made = await service.register(ctx, **body.model_dump())
    settings = cast("Settings", request.app.state.settings)
    credential = CredentialOut(
        client=ctx.client_id,
        device=made.device.id,
        secret=made.secret,
        mqtt_url=settings.mqtt_device_url,
        http_url=settings.public_url,
        ca=await trust.bundle(settings.tls_ca),
    )
    return RegisteredOut(device=_shown(made.device, None), credential=credential)


@router.get("/trust/")
async def read_trust(_: Annotated[Ctx, allow("device.fetch")], request: Request) -> TrustOut:
    """Read, as a device, which roots to trust: asked before a new one signs anything."""
    settings = cast("Settings", request.app.state.settings)
    return TrustOut(ca=await trust.bundle(settings.tls_ca))


@router.get("/{device_id}/")
async def get_device(ctx: Read, device_id: UUID, response: Response) -> DeviceOut:
    """Read a device."""
    return await _one(ctx, await service.device(ctx, device_id), response)


@router.patch("/{device_id}/")
async def update_device(
    ctx: Write,
    device_id: UUID,
    body: DevicePatch,
    response: Response,
    if_match: rows.IfMatch = None,
) -> DeviceOut:
    """Rename a device, move it to another zone, set its volume, channels or downloads."""
    row = await service.update(ctx, device_id, rows.given(body), if_match)
    return await _one(ctx, row, response)


@router.post("/{device_id}/volume/")
async def set_device_volume(
    ctx: Write, device_id: UUID, body: DeviceVolumeIn, response: Response
) -> DeviceOut:
    """Set the loudest that a device may be."""
    return await _one(ctx, await service.update(ctx, device_id, {"volume": body.volume}), response)


@router.delete("/{device_id}/", status_code=204)
async def revoke_device(ctx: Write, device_id: UUID, if_match: rows.IfMatch = None) -> None:
    """Revoke a device: it is off the broker within five seconds."""
    await service.revoke(ctx, device_id, if_match)


async def _one(ctx: Ctx, row: Device, response: Response) -> DeviceOut:
    rows.tagged(response, row)
    return _shown(row, await ctx.db.get(DevicePresence, row.id))


def _shown(row: Device, presence: DevicePresence | None) -> DeviceOut:
    state = DeviceState()
    if presence is not None and presence.state is not None:
        state = DeviceState.model_validate(presence.state)
    heard = None
    if presence is not None and presence.heartbeat is not None:
        heard = Heartbeat.model_validate(presence.heartbeat)
    return DeviceOut(
        id=row.id,
        name=row.name,
        device_type=row.device_type,
        hardware_id=row.hardware_id,
        model=row.model,
        zone_id=row.zone_id,
        volume=row.volume,
        trim_millis=row.trim_millis,
        channels=cast("Channels", row.channels),
        fetch_rate=row.fetch_rate,
        fetch_window=row.fetch_window,
        is_online=presence.online if presence else False,
        last_seen=presence.last_seen_at if presence else None,
        firmware_version=presence.firmware_version if presence else "",
        applied=state.applied,
        faults=[FaultOut(code=f.code, detail=f.detail) for f in state.faults],
        clock=state.clock,
        trust=state.trust,
        cache_24h=state.cache_24h,
        cache_72h=state.cache_72h,
        health=HealthOut.model_validate(heard.model_dump()) if heard is not None else None,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
