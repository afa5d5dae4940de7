"""Which zones use folders or tracks of the library: what somebody is told who deletes one."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import column, exists, func, type_coerce
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import col, select

from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.library.tables import Track
from sync2gear_platform.library.uses import MOST, Kind, Use
from sync2gear_platform.playback.tables import ProgrammeMedia, ZonePlayback
from sync2gear_platform.sites.tables import Zone


async def uses(ctx: Ctx, kind: Kind, subjects: Collection[UUID]) -> list[Use]:
    """The zones that were told to play such a folder, or whose programme holds such a track."""
    if kind in {
        "announcement",
        "channel",
    }:  # what is called out is media by then, and heard to its end
        return []
    zones = (
        select(Zone)
        .join(ZonePlayback, col(ZonePlayback.zone_id) == col(Zone.id))
        .where(col(Zone.client_id) == ctx.client_id, col(ZonePlayback.client_id) == ctx.client_id)
        .order_by(col(Zone.name), col(Zone.id))
        .limit(MOST)
    )
    if kind == "folder":
        zones = zones.where(col(ZonePlayback.folder_id).in_(subjects))
    else:
        holding = (
            select(ProgrammeMedia.programme)
            .join(
                Track,
                (col(Track.client_id) == col(ProgrammeMedia.client_id))
                & (col(Track.sha256) == col(ProgrammeMedia.sha256)),
            )
            .where(col(Track.client_id) == ctx.client_id, col(Track.id).in_(subjects))
        )
        named = func.jsonb_array_elements(
            type_coerce(ZonePlayback.document, JSONB)["programmes"]
        ).table_valued(column("value", JSONB))
        zones = zones.where(
            exists().select_from(named).where(named.c.value["sha256"].astext.in_(holding))
        )
    return [Use("zone", zone.id, zone.name) for zone in await ctx.db.exec(zones)]
