"""Another programme for a zone: when it takes over, and how soon its speakers can follow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select

from sync2gear_broker import timeline
from sync2gear_broker.messages import Programme, ProgrammeRef, ZoneState
from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.playback import engine, leads, queries, rules, writing
from sync2gear_platform.playback.queries import Score
from sync2gear_platform.playback.tables import ProgrammeRow
from sync2gear_platform.sites.tables import Device, DevicePresence

LONGEST: Final = 60 * FRAME_RATE
"""How long a programme waits for speakers to fetch it."""


@dataclass(frozen=True, slots=True)
class Swap:
    """A programme for a zone; from its first block on, or the frame ``at``, it can be heard.

    ``body`` is its spelling. Without ``hurries`` not before its time, whatever difference it makes.
    """

    programme: Programme
    body: bytes
    at: int
    hurries: bool = True


async def exchange(
    ctx: Ctx, found: Sequence[Score], swaps: Mapping[UUID, Swap], *, asked: bool = False
) -> dict[UUID, int]:
    """Let these zones, whose locks are held, go over to other programmes; until when they hurry.

    A programme takes over a minute from now, when its speakers have it. Where it makes a
    difference before, it ``hurries``: as soon as all who are connected have it (:func:`hasten`),
    and at once where nobody is. One that a person ``asked`` for takes over at once everywhere, and
    ends pause and stop.
    """
    online = await _listening(ctx, [score.zone.id for score in found])
    wanted, hurried = [], {}
    for score in found:
        swap = swaps[score.zone.id]
        sha256 = await writing.store(ctx, swap.programme, swap.body)
        held = {**score.programmes, sha256: swap.programme}
        late = ctx.frame + LONGEST if score.zone.id in online and not asked else swap.at
        state = engine.opened(score.programmes, score.state, ctx.frame)
        at = max(swap.at, late)
        after = engine.swap(state, swap.programme, sha256, ctx.frame, at, swap.at)
        if asked:
            after = engine.resume(after, swap.at)
        hurries = swap.hurries and late > swap.at
        if hurries and _differs(replace(score, programmes=held), after, swap.at, late):
            hurried[score.zone.id] = late
        wanted.append(replace(score, state=after, programmes=held))
    await writing.write(ctx, wanted, "schedule" if asked else "plan", {})
    return hurried


def _differs(score: Score, after: ZoneState, start: int, end: int) -> bool:
    """Whether a zone would sound otherwise in [start, end) had the new programme taken over."""
    old = timeline.settle(score.programmes, score.state)
    refs = (*after.programmes[:-1], after.programmes[-1].model_copy(update={"from_": start}))
    new = timeline.settle(score.programmes, after.model_copy(update={"programmes": refs}))
    return _heard(old, start, end) != _heard(new, start, end)


def _heard(settled: timeline.Settled, start: int, end: int) -> list[tuple[object, ...]]:
    found = timeline.segments(settled, start, end)
    return [(one.role, one.media.sha256, one.start, one.end, one.offset) for one in found]


async def hasten(ctx: Ctx, zone_ids: Sequence[UUID]) -> set[UUID]:
    """Let what these zones wait for take over now where all connected speakers have it.

    Returns the zones for which nothing is to be waited for any more.
    """
    found = await queries.scores(ctx, zone_ids, lock=True, missing_ok=True)
    lacking = await _lacking(ctx, found)
    done, wanted = set(), []
    for score in found:
        coming = [ref for ref in score.state.programmes if ref.from_ > ctx.frame]
        if coming and score.zone.id in lacking:
            continue
        done.add(score.zone.id)
        at = ctx.frame + await leads.lead(ctx, [score], ())
        if coming and at < coming[-1].from_:
            state = engine.opened(score.programmes, score.state, ctx.frame)
            sha256 = coming[-1].sha256
            ruling = tuple(ref for ref in state.programmes if ref.from_ <= ctx.frame)[-1:]
            refs = (*ruling, ProgrammeRef(sha256=sha256, from_=at))
            wanted.append(replace(score, state=state.model_copy(update={"programmes": refs})))
    if wanted:
        await writing.write(ctx, wanted, "plan", {})
    return done | (set(zone_ids) - {score.zone.id for score in found})


async def soonest(ctx: Ctx, found: Sequence[Score]) -> int:
    """The frame from which another programme may be heard in these zones."""
    if not await _listening(ctx, [score.zone.id for score in found]):
        return ctx.frame + rules.lead((), ahead=0, zones=len(found))
    bodies = select(func.max(func.octet_length(col(ProgrammeRow.body)))).where(
        col(ProgrammeRow.client_id) == ctx.client_id,
        col(ProgrammeRow.sha256).in_({sha256 for score in found for sha256 in score.programmes}),
    )
    size = (await ctx.db.exec(bodies)).one() or 0
    need = rules.Need(max(size, 50_000), cached=False)
    return ctx.frame + await leads.lead(ctx, found, [need])


async def _listening(ctx: Ctx, zone_ids: Sequence[UUID]) -> set[UUID]:
    """The zones with a speaker that is connected."""
    statement = (
        select(col(Device.zone_id))
        .join(DevicePresence, col(DevicePresence.device_id) == col(Device.id))
        .where(
            col(Device.client_id) == ctx.client_id,
            col(Device.zone_id).in_(zone_ids),
            col(Device.revoked_at).is_(None),
            col(DevicePresence.online).is_(True),
        )
    )
    return {zone for zone in await ctx.db.exec(statement) if zone is not None}


async def _lacking(ctx: Ctx, found: Sequence[Score]) -> set[UUID]:
    """The zones of which a connected speaker has not got the newest programme yet."""
    newest = {s.zone.id: s.state.programmes[-1].sha256 for s in found if s.state.programmes}
    told = func.coalesce(col(DevicePresence.state)["programme"].as_string(), "")
    statement = (
        select(col(Device.zone_id), told)
        .join(DevicePresence, col(DevicePresence.device_id) == col(Device.id))
        .where(
            col(Device.client_id) == ctx.client_id,
            col(Device.zone_id).in_(newest),
            col(Device.revoked_at).is_(None),
            col(DevicePresence.online).is_(True),
        )
    )
    return {
        zone
        for zone, sha256 in (await ctx.db.execute(statement)).all()
        if newest.get(zone) != sha256
    }
