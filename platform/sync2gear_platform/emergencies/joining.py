"""A zone that is made while an emergency is everywhere becomes part of it."""

from typing import Final
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select

from sync2gear_broker.messages import Emergency, ZoneState
from sync2gear_platform.audit import service as audit
from sync2gear_platform.emergencies.tables import EmergencyRow, EmergencyZone
from sync2gear_platform.fleet import signing
from sync2gear_platform.kit import events
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.db import widened
from sync2gear_platform.playback import queries
from sync2gear_platform.playback import service as playback
from sync2gear_platform.playback.queries import Score

NOUNS: Final = frozenset({"zone placed"})

LOOKED_AT: Final = 50
"""Zones of an emergency in whose state its latch is looked for."""


async def follow(ctx: Ctx, noun: str, zone_id: UUID) -> None:
    """Raise what is raised everywhere in this zone too, if it is not there yet."""
    row = await _everywhere(ctx)
    if row is None:
        return
    async with widened(ctx.db):
        part = select(EmergencyZone.zone_id).where(
            col(EmergencyZone.client_id) == ctx.client_id,
            col(EmergencyZone.emergency_id) == row.id,
        )
        if (await ctx.db.exec(part.where(col(EmergencyZone.zone_id) == zone_id))).first():
            return
        others = list(await ctx.db.exec(part.limit(LOOKED_AT)))
        latch = _latch(await queries.scores(ctx, others, missing_ok=True), row.gen)
    if latch is None:
        return  # a later one, which is not everywhere, sounds wherever this one did
    key = await signing.ready(ctx)

    def decide(score: Score, _: int) -> ZoneState:
        signed = signing.signed(key, score.zone.id, latch)
        return score.state.model_copy(update={"emergency": signed})

    ctx.db.add(EmergencyZone(client_id=ctx.client_id, emergency_id=row.id, zone_id=zone_id))
    said = {"emergency": str(row.id), "name": row.name, "drill": row.drill}
    await playback.change(ctx, [zone_id], "emergency", decide, said)
    audit.record(ctx, "emergency.join", "emergency", row.id, after={"zone": str(zone_id)})
    await events.changed(ctx, "emergency", row.id)


async def _everywhere(ctx: Ctx) -> EmergencyRow | None:
    """The latest emergency that is raised everywhere and goes on."""
    going_on = (
        select(EmergencyRow)
        .where(
            col(EmergencyRow.client_id) == ctx.client_id,
            col(EmergencyRow.everywhere).is_(True),
            col(EmergencyRow.cleared_at).is_(None),
            func.coalesce(col(EmergencyRow.ends_at) > ctx.now, True),
        )
        .order_by(col(EmergencyRow.gen).desc())
        .limit(1)
    )
    async with widened(ctx.db):
        return (await ctx.db.exec(going_on)).first()


def _latch(found: list[Score], gen: int) -> Emergency | None:
    """The latch as it was raised, from any zone in which it is still the latest."""
    latches = (score.state.emergency for score in found)
    return next((one for one in latches if one is not None and one.gen == gen), None)
