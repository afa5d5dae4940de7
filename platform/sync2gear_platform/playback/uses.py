"""Which zones use channels, folders or tracks: what somebody is told who deletes one."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import column, exists, func, type_coerce
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import col, select

from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.library.tables import Track
from sync2gear_platform.library.uses import MOST, Kind, Use
from sync2gear_platform.playback import choices, queries
from sync2gear_platform.playback.tables import ProgrammeMedia, ZonePlayback
from sync2gear_platform.sites.tables import Zone


async def uses(ctx: Ctx, kind: Kind, subjects: Collection[UUID]) -> list[Use]:
    """The zones where people chose such music that is still heard, or that hold such a track."""
    if kind == "announcement":  # what is called out is media by then, and heard to its end
        return []
    zones = (
        select(Zone)
        .join(ZonePlayback, col(ZonePlayback.zone_id) == col(Zone.id))
        .where(col(Zone.client_id) == ctx.client_id, col(ZonePlayback.client_id) == ctx.client_id)
        .order_by(col(Zone.name), col(Zone.id))
        .limit(MOST)
    )
    if kind != "track":
        chosen = col(ZonePlayback.folder_id if kind == "folder" else ZonePlayback.channel_id)
        found = (await ctx.db.exec(zones.where(chosen.in_(subjects)))).all()
        scores = await queries.scores(ctx, [zone.id for zone in found], missing_ok=True)
        wanted = {(kind, subject) for subject in subjects}
        return [
            Use("zone", score.zone.id, score.zone.name)
            for score in scores
            if choices.to_be_heard(score.programmes, score.state, ctx.frame) & wanted
        ]
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
