"""The forecast: what zones will sound, and why; read off the very documents that speakers read."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import col, select

from sync2gear_broker import timeline
from sync2gear_broker.messages import ZoneState
from sync2gear_broker.timeline import Outcome, Segment
from sync2gear_platform.kit.clock import frames_of
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import NotFound, Refusal
from sync2gear_platform.playback import choices, engine, queries
from sync2gear_platform.playback.queries import Score
from sync2gear_platform.schedules import publishing
from sync2gear_platform.schedules.compiling import Compiled, Playing
from sync2gear_platform.schedules.ledger import Ledger, Missing, Source, source_of, unpacked
from sync2gear_platform.schedules.plan_tables import PlanLedger, ZonePlan
from sync2gear_platform.schedules.resolver import Why
from sync2gear_platform.sites import service as sites

MAX_SPAN: Final = timedelta(days=7)
FARTHEST: Final = timedelta(days=14)
USUAL: Final = timedelta(hours=1)
MAX_PIECES: Final = 1000


class ForecastRange(Refusal):
    """A forecast begins now or within two weeks, and ends after that: within a week of it."""

    code = "forecast_range"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why something sounds: a schedule, or people, who chose it instead or for all times."""

    source: Source
    why: Why | None = None


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a zone sounds in the frames [start, end), and what of its plan it does not.

    ``end`` is earlier than asked where there would be more than :data:`MAX_PIECES` pieces.
    """

    zone: UUID
    tz: ZoneInfo
    start: int
    end: int
    pieces: tuple[Segment, ...]
    causes: Mapping[str, Cause]
    unheard: tuple[Outcome, ...]
    limited: tuple[Missing, ...]


def frames(ctx: Ctx, start: datetime | None, end: datetime | None) -> tuple[int, int]:
    """A range of frames from what was asked; :class:`ForecastRange` where it is none of ours."""
    begins = ctx.now if start is None else max(start, ctx.now - timedelta(seconds=5))
    ends = begins + USUAL if end is None else end
    far = begins > ctx.now + FARTHEST or (start is not None and start < ctx.now - USUAL)
    if far or not begins < ends <= begins + MAX_SPAN:
        raise ForecastRange
    return frames_of(begins), frames_of(ends)


async def of_zone(ctx: Ctx, zone_id: UUID, start: int, end: int) -> Forecast:
    """What a zone will sound, as everything stands: published as far as that reaches."""
    zone = await sites.zone(ctx, zone_id)
    location = await sites.location_of(ctx, zone)
    (score,) = await queries.scores(ctx, [zone_id])
    ledgers = await _ledgers(ctx, score)
    statement = select(ZonePlan).where(
        col(ZonePlan.client_id) == ctx.client_id, col(ZonePlan.zone_id) == zone_id
    )
    plan = (await ctx.db.exec(statement)).one_or_none()
    if plan is not None and plan.until_frame < end:
        jobs = await publishing.prepare(ctx, [zone_id], always=True)
        results = await asyncio.to_thread(publishing.worked_out, jobs, until=end)
        compiled = results.get(zone_id)
        if isinstance(compiled, Compiled):
            sha256 = compiled.sha256
            state = swapped(jobs[0].playing, compiled, ctx.frame, jobs[0].at)
            held = {**score.programmes, sha256: compiled.programme}
            score = replace(score, state=state, programmes=held)
            ledgers = [*ledgers, compiled.ledger]
    return await asyncio.to_thread(_read, score, ledgers, ZoneInfo(location.timezone), start, end)


def swapped(playing: Playing, compiled: Compiled, now: int, at: int | None = None) -> ZoneState:
    """A zone's state as if a programme had been published at ``now`` that rules from ``at``."""
    state = engine.opened(playing.programmes, playing.state, now)
    sha256 = compiled.sha256
    return engine.swap(state, compiled.programme, sha256, now, now + 1 if at is None else at)


def _read(score: Score, ledgers: Sequence[Ledger], tz: ZoneInfo, start: int, end: int) -> Forecast:
    settled = timeline.settle(score.programmes, score.state)
    found = timeline.segments(settled, start, end, MAX_PIECES)
    if len(found) > MAX_PIECES:
        end = found[MAX_PIECES].start
    silent = {"dropped", "missed", "cancelled"}
    causes: dict[str, Cause] = {}
    for ledger in ledgers:
        causes |= causes_of(ledger)
    return Forecast(
        zone=score.zone.id,
        tz=tz,
        start=start,
        end=end,
        pieces=tuple(replace(s, end=min(s.end, end)) for s in found if s.start < end),
        causes=causes,
        unheard=tuple(
            one
            for one in timeline.outcomes(settled)
            if start <= one.start < end and one.state in silent
        ),
        limited=tuple(
            one for one in (ledgers[-1].dropped if ledgers else ()) if start <= one.at < end
        ),
    )


def causes_of(ledger: Ledger) -> dict[str, Cause]:
    """Why each block and announcement of a programme is there."""
    causes = {
        kept.block.id: Cause(source_of(kept.schedule), ledger.why.get(kept.block.id))
        for kept in ledger.blocks
    }
    return {**{key: Cause("schedule", why) for key, why in ledger.why.items()}, **causes}


async def _ledgers(ctx: Ctx, score: Score) -> list[Ledger]:
    """The accounts of the programmes that a zone names, in their order."""
    names = [ref.sha256 for ref in score.state.programmes]
    statement = select(PlanLedger).where(
        col(PlanLedger.client_id) == ctx.client_id,
        col(PlanLedger.zone_id) == score.zone.id,
        col(PlanLedger.programme).in_(names),
    )
    rows = {row.programme: row.body for row in await ctx.db.exec(statement)}
    return [unpacked(rows[name]) for name in names if name in rows]


@dataclass(frozen=True, slots=True)
class Explained:
    """Why an item of a zone is, was or was not heard."""

    cause: Cause
    limited: Missing | None = None


async def why(ctx: Ctx, zone_id: UUID, item: str) -> Explained:
    """Why a block or an announcement is in a zone's plan, or by which limit it is not."""
    await sites.zone(ctx, zone_id)
    statement = (
        select(PlanLedger.body)
        .where(col(PlanLedger.client_id) == ctx.client_id, col(PlanLedger.zone_id) == zone_id)
        .order_by(col(PlanLedger.created_at).desc())
        .limit(50)
    )
    for body in (await ctx.db.exec(statement)).all():
        if item.encode() not in body:
            continue
        ledger = unpacked(body)
        cause = causes_of(ledger).get(item)
        if cause is not None:
            return Explained(cause)
        limited = next((one for one in ledger.dropped if one.id == item), None)
        if limited is not None:
            return Explained(Cause("schedule", Why(limited.schedule, limited.name)), limited)
    if choices.is_chosen(item):
        return Explained(Cause("hand"))
    raise NotFound("Nothing is known of such an item of this zone.")
