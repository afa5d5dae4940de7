"""What follows from a change of anything that a zone's sound follows from: it is worked out anew.

Marked in the transaction of the change, so that no zone is forgotten; whoever works programmes
out takes the marks.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, literal
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.db import widened
from sync2gear_platform.schedules.tables import ZoneCompile, marks
from sync2gear_platform.sites.tables import Zone

CHANNEL: Final = "s2g_compile"
"""Where it is told at the commit that zones wait."""


async def changed(ctx: Ctx, zone_ids: Collection[UUID] | None) -> None:
    """Say that these zones' programmes have to be worked out anew; ``None``: all of the client's.

    Zones that are not there are passed over. It is told whoever listens once this has committed.
    """
    if zone_ids is not None and not zone_ids:
        return
    zones = select(col(Zone.client_id), col(Zone.id), literal(ctx.now)).where(
        col(Zone.client_id) == ctx.client_id
    )
    if zone_ids is not None:
        zones = zones.where(col(Zone.id).in_(zone_ids))
    # In the order of ids: two that mark the same zones must not wait for each other.
    wanted = insert(ZoneCompile).from_select(
        ["client_id", "zone_id", "wanted_at"], zones.order_by(col(Zone.id))
    )
    async with widened(ctx.db):
        await ctx.db.execute(
            wanted.on_conflict_do_update(
                index_elements=["client_id", "zone_id"],
                set_={"wanted_at": ctx.now, "mark": marks.next_value(), "failures": 0},
            )
        )
    await ctx.db.execute(func.pg_notify(CHANNEL, "").select())


async def again(ctx: Ctx, zones: Mapping[UUID, datetime]) -> None:
    """Look at these zones again at such a time, unless they wait already."""
    for zone_id, moment in sorted(zones.items()):
        row = {"client_id": ctx.client_id, "zone_id": zone_id, "wanted_at": moment}
        await ctx.db.execute(insert(ZoneCompile).values(row).on_conflict_do_nothing())
