"""Plays over HTTP: what was asked to be heard, and what became of it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from sqlalchemy import func, select
from sqlmodel import col

from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.paging import Listing, Page, page
from sync2gear_platform.kit.web import allow
from sync2gear_platform.playback import plays
from sync2gear_platform.playback.play_schemas import PlaySummary, PlayTree
from sync2gear_platform.playback.tables import Play, PlayZone

router = APIRouter(prefix="/api/v1/plays", tags=["playback"])

Read = Annotated[Ctx, allow("playback.read")]


@router.get("/")
async def list_plays(
    ctx: Read,
    window: Listing,
    zone: Annotated[UUID | None, Query()] = None,
    announcement: Annotated[UUID | None, Query()] = None,
    since: Annotated[datetime | None, Query(alias="from")] = None,
) -> Page[PlaySummary]:
    """List plays, the latest first; receipts are kept for 90 days."""
    where = (
        select(func.array_agg(col(PlayZone.zone_id)))
        .where(
            col(PlayZone.client_id) == col(Play.client_id), col(PlayZone.play_id) == col(Play.id)
        )
        .correlate(Play)
        .scalar_subquery()
    )
    statement = select(Play, where).where(col(Play.client_id) == ctx.client_id)
    if zone is not None:
        here = select(col(PlayZone.play_id)).where(
            col(PlayZone.client_id) == ctx.client_id, col(PlayZone.zone_id) == zone
        )
        statement = statement.where(col(Play.id).in_(here))
    if announcement is not None:
        statement = statement.where(col(Play.announcement_id) == announcement)
    if since is not None:
        statement = statement.where(col(Play.created_at) >= since)
    return await page(
        ctx,
        window,
        statement,
        keys={"created_at": col(Play.created_at)},
        default="-created_at",
        tiebreak=col(Play.id),
        search=(Play.title,),
        shape=lambda row: PlaySummary(
            **row[0].model_dump(exclude={"client_id"}), zone_ids=sorted(row[1] or ())
        ),
    )


@router.get("/{play_id}/")
async def get_play(ctx: Read, play_id: UUID) -> PlayTree:
    """What became of a play on every speaker."""
    return await plays.tree(ctx, play_id)
