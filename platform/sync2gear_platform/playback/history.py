"""What zones sounded at any instant: the states that they had, as long as programmes are kept."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, exists, func
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from sync2gear_broker.messages import ZoneState
from sync2gear_platform.kit.clock import frames_of
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import Refusal
from sync2gear_platform.playback import queries, rules
from sync2gear_platform.playback.queries import Score
from sync2gear_platform.playback.schemas import ZoneView
from sync2gear_platform.playback.tables import ProgrammeRow, ZonePlayback, ZoneStateRow

KEEP_PROGRAMMES = timedelta(days=8)
"""A speaker that was away for a week may still ask for the programme that it last heard of."""


class TooFar(Refusal):
    """Only what sounds within a week is known, before and after now."""

    code = "too_far"


def frame_at(ctx: Ctx, moment: datetime) -> int:
    """The frame of an instant at most a week away; :class:`TooFar` otherwise."""
    if abs(moment - ctx.now) > rules.LONGEST:
        raise TooFar
    return frames_of(moment)


def remember(ctx: Ctx, zone_id: UUID, state: ZoneState) -> None:
    """Keep a state that begins now."""
    ctx.db.add(
        ZoneStateRow(
            client_id=ctx.client_id,
            zone_id=zone_id,
            rev=state.rev,
            from_frame=ctx.frame,
            document=state.model_dump(mode="json", by_alias=True),
        )
    )


async def views_at(ctx: Ctx, zone_ids: Sequence[UUID] | None, frame: int) -> list[ZoneView]:
    """What these zones, or all, sound at ``frame``: a past one by the state that they had then."""
    found = await queries.scores(ctx, zone_ids)
    if frame < ctx.frame:
        found = await at(ctx, found, frame)
    return await queries.shown(ctx, found, frame)


async def at(ctx: Ctx, found: Sequence[Score], frame: int) -> list[Score]:
    """Zones as they were at a frame; one of which nothing is known had no music."""
    newest = (
        select(ZoneStateRow)
        .ext(distinct_on(col(ZoneStateRow.zone_id)))
        .where(
            col(ZoneStateRow.client_id) == ctx.client_id,
            col(ZoneStateRow.zone_id).in_([score.zone.id for score in found]),
            col(ZoneStateRow.from_frame) <= frame,
        )
        .order_by(
            col(ZoneStateRow.zone_id),
            col(ZoneStateRow.from_frame).desc(),
            col(ZoneStateRow.rev).desc(),
        )
    )
    rows = {row.zone_id: row for row in await ctx.db.exec(newest)}
    states = {
        score.zone.id: ZoneState.model_validate(rows[score.zone.id].document)
        if score.zone.id in rows
        else queries.state_of(score.zone, None)
        for score in found
    }
    held = await queries.programmes(ctx, {r.sha256 for s in states.values() for r in s.programmes})
    return [
        replace(
            score,
            row=score.row if score.zone.id in rows else None,
            state=states[score.zone.id],
            programmes=queries.named(held, states[score.zone.id]),
        )
        for score in found
    ]


async def _collect_states(ctx: Ctx, before: int) -> None:
    """Forget states that were over by the frame ``before``. ``ctx`` is the system's."""
    later = aliased(ZoneStateRow)
    over = exists().where(
        col(later.client_id) == col(ZoneStateRow.client_id),
        col(later.zone_id) == col(ZoneStateRow.zone_id),
        col(later.rev) > col(ZoneStateRow.rev),
        col(later.from_frame) < before,
    )
    await ctx.db.execute(
        delete(ZoneStateRow)
        .where(col(ZoneStateRow.from_frame) < before, over)
        .execution_options(synchronize_session=False)
    )


async def collect_programmes(ctx: Ctx) -> int:
    """Forget old states, and programmes that no zone names any more. ``ctx`` is the system's."""
    await _collect_states(ctx, frames_of(ctx.now - KEEP_PROGRAMMES))
    ref = func.jsonb_build_object("sha256", col(ProgrammeRow.sha256))
    refs = func.jsonb_build_object("programmes", func.jsonb_build_array(ref))
    named = exists().where(
        col(ZonePlayback.client_id) == col(ProgrammeRow.client_id),
        col(ZonePlayback.document).op("@>")(refs),
    )
    remembered = exists().where(
        col(ZoneStateRow.client_id) == col(ProgrammeRow.client_id),
        col(ZoneStateRow.document).op("@>")(refs),
    )
    old = col(ProgrammeRow.created_at) < ctx.now - KEEP_PROGRAMMES
    gone = await ctx.db.execute(delete(ProgrammeRow).where(old, ~named, ~remembered))
    return int(getattr(gone, "rowcount", 0))
