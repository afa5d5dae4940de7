"""Integration accounts over HTTP."""

from typing import Annotated, cast
from uuid import UUID

from fastapi import APIRouter, Request
from sqlalchemy import select
from sqlmodel import col

from sync2gear_broker import topics
from sync2gear_platform.fleet import integrations
from sync2gear_platform.fleet.schemas import (
    IntegrationCredentialOut,
    IntegrationIn,
    IntegrationMadeOut,
    IntegrationOut,
)
from sync2gear_platform.fleet.tables import MqttAccount
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.idempotency import Remembering, once
from sync2gear_platform.kit.paging import Listing, Page, page
from sync2gear_platform.kit.web import allow
from sync2gear_platform.settings import Settings

router = APIRouter(
    prefix="/api/v1/integrations/mqtt", tags=["integrations"], route_class=Remembering
)

Read = Annotated[Ctx, allow("integrations.read")]
Write = Annotated[Ctx, allow("integrations.write")]
Make = Annotated[Ctx, once("integrations.write")]


@router.get("/")
async def list_integrations(ctx: Read, window: Listing) -> Page[IntegrationOut]:
    """List the MQTT accounts of integrations."""
    return await page(
        ctx,
        window,
        select(MqttAccount).where(col(MqttAccount.client_id) == ctx.client_id),
        keys={"name": col(MqttAccount.name), "created_at": col(MqttAccount.created_at)},
        default="name",
        tiebreak=col(MqttAccount.id),
        search=(MqttAccount.name,),
        shape=lambda row: _shown(row[0]),
    )


@router.post("/", status_code=201)
async def make_integration(ctx: Make, request: Request, body: IntegrationIn) -> IntegrationMadeOut:
    """Make an MQTT account that reads the state of all zones; its secret is in this answer only."""
    made = await integrations.make(ctx, name=body.name, expires_at=body.expires_at)
    credential = IntegrationCredentialOut(
        username=topics.integration_username(str(made.account.id)),
        secret=made.secret,
        mqtt_url=cast("Settings", request.app.state.settings).mqtt_device_url,
        topic_filter=topics.zones_filter(str(ctx.client_id)),
    )
    return IntegrationMadeOut(account=_shown(made.account), credential=credential)


@router.delete("/{account_id}/", status_code=204)
async def revoke_integration(ctx: Write, account_id: UUID) -> None:
    """Revoke an MQTT account: it is off the broker within five seconds."""
    await integrations.revoke(ctx, account_id)


def _shown(row: MqttAccount) -> IntegrationOut:
    return IntegrationOut(
        id=row.id,
        name=row.name,
        username=topics.integration_username(str(row.id)),
        expires_at=row.expires_at,
        created_at=row.created_at,
    )
