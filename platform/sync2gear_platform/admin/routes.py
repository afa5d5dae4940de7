"""The installation's own people over HTTP: clients, people, devices and statistics of all."""

from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlmodel import col, select

from sync2gear_platform.admin import queries, schemas, service
from sync2gear_platform.identity import service as identity
from sync2gear_platform.identity.passwords import Passwords
from sync2gear_platform.identity.tables import Client, User
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.idempotency import Remembering, once
from sync2gear_platform.kit.paging import Listing, Page, page
from sync2gear_platform.kit.web import allow
from sync2gear_platform.settings import Settings
from sync2gear_platform.sites.tables import Device, DevicePresence, Zone

router = APIRouter(prefix="/api/v1/admin", tags=["admin"], route_class=Remembering)

Read = Annotated[Ctx, allow("admin.read")]
Write = Annotated[Ctx, allow("admin.write")]
Create = Annotated[Ctx, once("admin.write")]


def _settings(request: Request) -> Settings:
    return cast("Settings", request.app.state.settings)


@router.get("/stats/")
async def stats(ctx: Read) -> schemas.StatsOut:
    """The installation at a glance."""
    return await queries.stats(ctx)


async def _client(ctx: Ctx, row: Client, response: Response) -> schemas.ClientOut:
    rows.tagged(response, row)
    return (await queries.show_clients(ctx, [row]))[0]


@router.get("/clients/")
async def list_clients(
    ctx: Read,
    window: Listing,
    subscription_status: schemas.Status | None = None,
    subscription_tier: schemas.Tier | None = None,
    deleted: bool = False,
) -> Page[schemas.ClientOut]:
    """List clients with what they use; ``deleted=true`` lists those that can be restored."""
    gone = col(Client.deleted_at)
    statement = select(Client).where(gone.is_not(None) if deleted else gone.is_(None))
    if subscription_status is not None:
        statement = statement.where(col(Client.status) == subscription_status)
    if subscription_tier is not None:
        statement = statement.where(col(Client.subscription_tier) == subscription_tier)
    found = await page(
        ctx,
        window,
        statement,
        keys={"name": col(Client.name), "created_at": col(Client.created_at)},
        default="name",
        tiebreak=col(Client.id),
        search=(Client.name, Client.email),
        shape=lambda row: cast("Client", row[0]),
    )
    return Page(
        results=await queries.show_clients(ctx, found.results),
        next=found.next,
        previous=found.previous,
        count=found.count,
    )


@router.post("/clients/", status_code=201)
async def create_client(
    ctx: Create, request: Request, response: Response, body: schemas.ClientIn
) -> schemas.ClientOut:
    """Make a client, and invite its first manager by mail if one is named."""
    row = await service.create_client(
        ctx,
        values=body.values_given,
        manager=body.manager_email,
        locale=body.locale,
        public_url=_settings(request).public_url,
    )
    return await _client(ctx, row, response)


@router.get("/clients/{client_id}/")
async def get_client(ctx: Read, client_id: UUID, response: Response) -> schemas.ClientOut:
    """Read a client, deleted or not."""
    return await _client(ctx, await service.client(ctx, client_id), response)


@router.patch("/clients/{client_id}/")
async def update_client(
    ctx: Write,
    client_id: UUID,
    body: schemas.ClientValues,
    response: Response,
    if_match: rows.IfMatch = None,
) -> schemas.ClientOut:
    """Change a client's profile, subscription or limits; a suspended one's music goes on."""
    row = await service.update_client(ctx, client_id, body.values_given, if_match)
    return await _client(ctx, row, response)


@router.delete("/clients/{client_id}/", status_code=204)
async def delete_client(ctx: Write, client_id: UUID, if_match: rows.IfMatch = None) -> None:
    """Delete a client so that it can be restored: nobody and nothing of it has access now."""
    await service.delete_client(ctx, client_id, if_match)


@router.post("/clients/{client_id}/restore/")
async def restore_client(ctx: Write, client_id: UUID, response: Response) -> schemas.ClientOut:
    """Bring a deleted client back."""
    return await _client(ctx, await service.restore_client(ctx, client_id), response)


async def _user(ctx: Ctx, row: User, response: Response) -> schemas.UserOut:
    rows.tagged(response, row)
    return (await queries.show_users(ctx, [row]))[0]


@router.get("/users/")
async def list_users(
    ctx: Read,
    window: Listing,
    client_id: UUID | None = None,
    staff: bool | None = None,
    is_active: bool | None = None,
    deleted: bool = False,
) -> Page[schemas.UserOut]:
    """List people of all clients and of the installation (``staff=true``: only these)."""
    gone = col(User.deleted_at)
    statement = select(User).where(gone.is_not(None) if deleted else gone.is_(None))
    if client_id is not None:
        statement = statement.where(queries.in_client(client_id))
    if staff is not None:
        role = col(User.staff_role)
        statement = statement.where(role.is_not(None) if staff else role.is_(None))
    if is_active is not None:
        statement = statement.where(col(User.is_active) == is_active)
    found = await page(
        ctx,
        window,
        statement,
        keys={
            "email": col(User.email),
            "name": col(User.name),
            "created_at": col(User.created_at),
        },
        default="email",
        tiebreak=col(User.id),
        search=(User.email, User.name),
        shape=lambda row: cast("User", row[0]),
    )
    return Page(
        results=await queries.show_users(ctx, found.results),
        next=found.next,
        previous=found.previous,
        count=found.count,
    )


@router.post("/users/", status_code=201)
async def create_user(
    ctx: Create, request: Request, response: Response, body: schemas.UserIn
) -> schemas.UserOut:
    """Make a person of the installation or of a client; a letter brings the link to a password."""
    row = await service.create_user(
        ctx,
        cast("Passwords", request.app.state.passwords),
        public_url=_settings(request).public_url,
        email=body.email,
        name=body.name,
        locale=body.locale,
        staff_role=body.staff_role,
        client_id=body.client_id,
        role=body.role,
        place=identity.place_of(body.place),
    )
    return await _user(ctx, row, response)


@router.get("/users/{user_id}/")
async def get_user(ctx: Read, user_id: UUID, response: Response) -> schemas.UserOut:
    """Read a person, deleted or not."""
    return await _user(ctx, await service.user(ctx, user_id), response)


@router.patch("/users/{user_id}/")
async def update_user(
    ctx: Write,
    user_id: UUID,
    body: schemas.UserPatch,
    response: Response,
    if_match: rows.IfMatch = None,
) -> schemas.UserOut:
    """Change a person, disable it, or make it one of the installation's own (or not any more)."""
    row = await service.update_user(ctx, user_id, rows.given(body), if_match)
    return await _user(ctx, row, response)


@router.delete("/users/{user_id}/", status_code=204)
async def delete_user(ctx: Write, user_id: UUID, if_match: rows.IfMatch = None) -> None:
    """Delete a person so that it can be restored: it is signed out everywhere, at once."""
    await service.delete_user(ctx, user_id, if_match)


@router.post("/users/{user_id}/restore/")
async def restore_user(ctx: Write, user_id: UUID, response: Response) -> schemas.UserOut:
    """Bring a deleted person back."""
    return await _user(ctx, await service.restore_user(ctx, user_id), response)


def _device(row: Any) -> schemas.DeviceOut:
    device, presence, client, zone = row
    return schemas.DeviceOut(
        **device.model_dump(
            include={
                "id", "client_id", "name", "device_type", "model", "zone_id",
                "created_at", "updated_at",
            }
        ),
        client=client,
        zone=zone,
        is_online=bool(presence and presence.online),
        last_seen=presence.last_seen_at if presence else None,
        firmware_version=presence.firmware_version if presence else "",
    )  # fmt: skip


@router.get("/devices/")
async def list_devices(
    ctx: Read, window: Listing, client_id: UUID | None = None, online: bool | None = None
) -> Page[schemas.DeviceOut]:
    """List the devices of all clients with their status."""
    statement: Any = (
        select(Device, DevicePresence, Client.name, Zone.name)
        .join(Client, col(Client.id) == col(Device.client_id))
        .outerjoin(DevicePresence, col(DevicePresence.device_id) == col(Device.id))
        .outerjoin(Zone, col(Zone.id) == col(Device.zone_id))
        .where(col(Device.revoked_at).is_(None), col(Client.deleted_at).is_(None))
    )
    if client_id is not None:
        statement = statement.where(col(Device.client_id) == client_id)
    if online is not None:
        statement = statement.where(queries.online(online))
    return await page(
        ctx,
        window,
        statement,
        keys={"name": col(Device.name), "created_at": col(Device.created_at)},
        default="name",
        tiebreak=col(Device.id),
        search=(Device.name, Device.hardware_id, Client.name),
        shape=_device,
    )
