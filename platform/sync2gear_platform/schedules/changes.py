"""What follows from a change of anything that a zone's sound follows from: it is worked out anew.

Marked in the transaction of the change (``kit/marks.py``), so that no zone is forgotten; whoever
works programmes out takes the marks.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, literal
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from sqlmodel import col, select

from sync2gear_platform.kit import marks
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.schedules import tables
from sync2gear_platform.schedules.tables import ZoneCompile
from sync2gear_platform.sites.tables import Zone

CHANNEL: Final = "s2g_compile"
"""Where it is told at the commit that zones wait."""


def changed(ctx: Ctx, zone_ids: Collection[UUID] | None) -> None:
    """Say that these zones' programmes have to be worked out anew; ``None``: all of the client's.

    Zones that are not there are passed over. It is told whoever listens once this has committed.
    """
    named = [None] if zone_ids is None else zone_ids
    marks.gather(ctx.db, _mark, ((ctx.client_id, zone_id, ctx.now) for zone_id in named))


async def marked(ctx: Ctx) -> set[UUID]:
    """The zones that this transaction has marked, as far as its actor reaches."""
    mine = {zone for client, zone, _ in marks.gathered(ctx.db, _mark) if client == ctx.client_id}
    return set((await ctx.db.exec(select(Zone.id).where(*_among(ctx.client_id, mine)))).all())


def _among(client_id: UUID, zone_ids: Collection[UUID | None]) -> list[Any]:
    """The zones of a client that are named; all of them where one is ``None``."""
    mine = [col(Zone.client_id) == client_id]
    return mine if None in zone_ids else [*mine, col(Zone.id).in_(zone_ids)]


def _mark(session: Session, changes: Collection[tuple[UUID, UUID | None, datetime]]) -> None:
    for client_id in sorted({client for client, _, __ in changes}):
        named = {zone for client, zone, _ in changes if client == client_id}
        now = max(moment for client, _, moment in changes if client == client_id)
        zones = select(col(Zone.client_id), col(Zone.id), literal(now))
        wanted = insert(ZoneCompile).from_select(
            ["client_id", "zone_id", "wanted_at"],
            zones.where(*_among(client_id, named)).order_by(col(Zone.id)),
        )
        session.execute(
            wanted.on_conflict_do_update(
                index_elements=["client_id", "zone_id"],
                set_={"wanted_at": now, "mark": tables.marks.next_value(), "failures": 0},
            )
        )
    session.execute(func.pg_notify(CHANNEL, "").select())


async def again(ctx: Ctx, zones: Mapping[UUID, datetime]) -> None:
    """Look at these zones again at such a time, unless they wait already."""
    for zone_id, moment in sorted(zones.items()):
        row = {"client_id": ctx.client_id, "zone_id": zone_id, "wanted_at": moment}
        await ctx.db.execute(insert(ZoneCompile).values(row).on_conflict_do_nothing())
