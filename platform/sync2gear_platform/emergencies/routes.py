"""Emergencies over HTTP: prepared messages, raising one, the all-clear, and what was."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from sqlalchemy import and_, func, not_, select
from sqlmodel import col

from sync2gear_platform.emergencies import queries, service
from sync2gear_platform.emergencies.schemas import (
    EmergencyIn,
    EmergencyOut,
    EmergencySpeakerOut,
    KeyOut,
    MessageIn,
    MessageOut,
    MessagePatch,
)
from sync2gear_platform.emergencies.service import Raised
from sync2gear_platform.emergencies.tables import EmergencyMessage, EmergencyRow, EmergencyZone
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.idempotency import Remembering, once
from sync2gear_platform.kit.paging import Listing, Page, page
from sync2gear_platform.kit.web import allow

router = APIRouter(prefix="/api/v1/emergencies", tags=["emergencies"], route_class=Remembering)

Read = Annotated[Ctx, allow("emergencies.read")]
Write = Annotated[Ctx, allow("emergencies.write")]
Create = Annotated[Ctx, once("emergencies.write")]
Sound = Annotated[Ctx, once("emergencies.raise")]
Clear = Annotated[Ctx, allow("emergencies.raise")]


@router.get("/messages/")
async def list_messages(ctx: Read, window: Listing) -> Page[MessageOut]:
    """List what can be raised."""
    return await page(
        ctx,
        window,
        select(EmergencyMessage).where(col(EmergencyMessage.client_id) == ctx.client_id),
        keys={"name": col(EmergencyMessage.name), "created_at": col(EmergencyMessage.created_at)},
        default="name",
        tiebreak=col(EmergencyMessage.id),
        search=(EmergencyMessage.name,),
        shape=lambda row: MessageOut.model_validate(row[0]),
    )


@router.post("/messages/", status_code=201)
async def create_message(ctx: Create, body: MessageIn, response: Response) -> MessageOut:
    """Prepare a message; speakers fetch it now."""
    row = await service.prepare(ctx, body.model_dump())
    rows.tagged(response, row)
    return MessageOut.model_validate(row)


@router.get("/messages/{message_id}/")
async def get_message(ctx: Read, message_id: UUID, response: Response) -> MessageOut:
    """Read a message."""
    row = await rows.find(ctx, EmergencyMessage, message_id)
    rows.tagged(response, row)
    return MessageOut.model_validate(row)


@router.patch("/messages/{message_id}/")
async def update_message(
    ctx: Write,
    message_id: UUID,
    body: MessagePatch,
    response: Response,
    if_match: rows.IfMatch = None,
) -> MessageOut:
    """Change a message."""
    row = await service.change(ctx, message_id, rows.given(body), if_match)
    rows.tagged(response, row)
    return MessageOut.model_validate(row)


@router.delete("/messages/{message_id}/", status_code=204)
async def delete_message(ctx: Write, message_id: UUID, if_match: rows.IfMatch = None) -> None:
    """Remove a message."""
    await service.remove(ctx, message_id, if_match)


@router.post("/keys/", status_code=201)
async def create_key(ctx: Create) -> KeyOut:
    """Sign under another key from now on; devices know the one before as well."""
    key = await service.renew_key(ctx)
    return KeyOut(public_key=key.public_key, created_at=key.created_at)


@router.get("/")
async def list_emergencies(
    ctx: Read, window: Listing, active: Annotated[bool | None, Query()] = None
) -> Page[EmergencyOut]:
    """List emergencies and drills, the latest first."""
    zones = (
        select(func.array_agg(col(EmergencyZone.zone_id)))
        .where(
            col(EmergencyZone.client_id) == col(EmergencyRow.client_id),
            col(EmergencyZone.emergency_id) == col(EmergencyRow.id),
        )
        .correlate(EmergencyRow)
        .scalar_subquery()
    )
    statement = select(EmergencyRow, zones).where(col(EmergencyRow.client_id) == ctx.client_id)
    going_on = and_(
        col(EmergencyRow.cleared_at).is_(None),
        func.coalesce(col(EmergencyRow.ends_at) > ctx.now, True),
    )
    if active is not None:
        statement = statement.where(going_on if active else not_(going_on))
    return await page(
        ctx,
        window,
        statement,
        keys={"created_at": col(EmergencyRow.created_at)},
        default="-created_at",
        tiebreak=col(EmergencyRow.id),
        search=(EmergencyRow.name,),
        shape=lambda row: _shown(ctx, Raised(row[0], sorted(row[1] or ()))),
    )


@router.post("/", status_code=202)
async def raise_emergency(ctx: Sound, body: EmergencyIn) -> EmergencyOut:
    """Raise a message: it loops above everything else until its all-clear."""
    return _shown(
        ctx,
        await service.sound(
            ctx,
            message_id=body.message_id,
            where=body.where(),
            drill=body.drill,
            minutes=body.minutes,
        ),
    )


@router.get("/{emergency_id}/")
async def get_emergency(ctx: Read, emergency_id: UUID) -> EmergencyOut:
    """Read an emergency."""
    row = await rows.find(ctx, EmergencyRow, emergency_id)
    return _shown(ctx, Raised(row, await service.zones_of(ctx, row.id)))


@router.get("/{emergency_id}/speakers/")
async def list_emergency_speakers(
    ctx: Read, emergency_id: UUID, window: Listing
) -> Page[EmergencySpeakerOut]:
    """List what each speaker reported of it."""
    return await queries.speakers(ctx, window, emergency_id)


@router.post("/{emergency_id}/clear/")
async def clear_emergency(ctx: Clear, emergency_id: UUID) -> EmergencyOut:
    """Give the all-clear."""
    return _shown(ctx, await service.clear(ctx, emergency_id))


def _shown(ctx: Ctx, raised: Raised) -> EmergencyOut:
    row = raised.row.model_dump()
    active = not service.is_over(raised.row, ctx.now)
    return EmergencyOut(**row, zone_ids=list(raised.zone_ids), active=active)
