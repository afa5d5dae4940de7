"""Publishing: zones that are marked get the programme that their facts ask for, and only those."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from sync2gear_broker import timeline
from sync2gear_platform.kit import log, setbacks
from sync2gear_platform.kit.clock import Clock, moment_of
from sync2gear_platform.kit.context import Ctx, touch
from sync2gear_platform.kit.db import Database
from sync2gear_platform.kit.errors import Refusal
from sync2gear_platform.kit.setbacks import Subject
from sync2gear_platform.playback import queries, swaps
from sync2gear_platform.playback.queries import Score
from sync2gear_platform.playback.service import RevConflict
from sync2gear_platform.playback.swaps import Swap
from sync2gear_platform.schedules import changes, facts
from sync2gear_platform.schedules.compiling import (
    WHOLE,
    Compiled,
    Playing,
    compile_zone,
    free_from,
)
from sync2gear_platform.schedules.ledger import Digests, Ledger, packed, unpacked
from sync2gear_platform.schedules.plan_tables import PlanLedger, ZonePlan
from sync2gear_platform.schedules.resolver import Facts

logger = log.get(__name__)

LABEL: Final = "schedule"
RENEWED: Final = 2 / 7
"""After this part of a programme's reach it is made longer: a week's after two days."""

NO_MUSIC: Final = "no_music"


class NothingScheduled(Refusal):
    """Nothing is scheduled in these zones, and nobody has chosen any music."""

    kind = "conflict"
    code = "nothing_scheduled"


@dataclass(frozen=True, slots=True)
class Job:
    """A zone to be compiled from the frame ``at`` on, with all that this takes.

    ``rev`` is that of the state that was read; 0: the zone was never played. ``waits``: what is
    published must not rule before ``at``.
    """

    zone: UUID
    facts: Facts
    digest: str
    playing: Playing
    at: int
    rev: int
    waits: bool = False


Results = Mapping[UUID, Compiled | str]


async def prepare(ctx: Ctx, zone_ids: Sequence[UUID], *, always: bool = False) -> list[Job]:
    """What it takes to compile those of these zones that need it.

    ``always``: also those whose programme is still what their facts ask for.
    """
    given = await facts.gather(ctx, zone_ids)
    found = await queries.scores(ctx, list(given), missing_ok=True)
    plans = await _plans(ctx, list(given))
    at = await swaps.soonest(ctx, found)
    digests = Digests()
    named = {score.zone.id: digests.facts(given[score.zone.id]) for score in found}
    wanted = [
        score
        for score in found
        if always or _asks(ctx, score, given[score.zone.id], named, plans.get(score.zone.id))
    ]
    ledgers = await _ledgers(ctx, wanted, plans, at)
    jobs = []
    for score in wanted:
        zone = score.zone.id
        playing = Playing(score.state, score.programmes, ledgers.get(zone))
        soonest = _from(score, plans.get(zone), at)
        since = free_from(playing, soonest)
        rev = score.row.rev if score.row else 0
        jobs.append(Job(zone, given[zone], named[zone], playing, since, rev, since > soonest))
    return jobs


def _from(score: Score, plan: ZonePlan | None, at: int) -> int:
    """The frame ``at``, or when what people have just chosen has begun."""
    newest = score.state.programmes[-1] if score.state.programmes else None
    if newest is None or (plan is not None and plan.programme == newest.sha256):
        return at
    return max(at, newest.from_ + 1)


def _asks(
    ctx: Ctx, score: Score, given: Facts, named: Mapping[UUID, str], plan: ZonePlan | None
) -> bool:
    """Whether a zone needs another programme than it has."""
    newest = score.state.programmes[-1].sha256 if score.state.programmes else ""
    if plan is None or plan.programme != newest:
        if given.schedules:
            return plan is None or plan.facts != named[score.zone.id] or bool(newest)
        if plan is None:
            return False  # nothing was ever planned here: all of it is what people chose
        held = score.programmes.get(newest)
        return held is not None and bool(held.events or len(held.blocks) > 1)
    return plan.facts != named[score.zone.id] or plan.renew_at <= ctx.now


async def _plans(ctx: Ctx, zone_ids: Sequence[UUID]) -> dict[UUID, ZonePlan]:
    found = select(ZonePlan).where(
        col(ZonePlan.client_id) == ctx.client_id, col(ZonePlan.zone_id).in_(zone_ids)
    )
    return {plan.zone_id: plan for plan in await ctx.db.exec(found)}


async def _ledgers(
    ctx: Ctx, found: Sequence[Score], plans: Mapping[UUID, ZonePlan], at: int
) -> dict[UUID, Ledger]:
    """The account of what each zone plays at a frame; of its plan where people chose since."""
    names = {}
    for score in found:
        ruling = [r.sha256 for r in score.state.programmes if r.from_ <= at][-1:]
        plan = plans.get(score.zone.id)
        names[score.zone.id] = [*ruling, *([plan.programme] if plan else [])]
    # and none of the others: after each edit there is one more of a megabyte
    statement = select(PlanLedger).where(
        col(PlanLedger.client_id) == ctx.client_id,
        col(PlanLedger.zone_id).in_(names),
        col(PlanLedger.programme).in_({name for known in names.values() for name in known}),
    )
    rows = {(row.zone_id, row.programme): row for row in await ctx.db.exec(statement)}
    shared: dict[bytes, Ledger] = {}
    ledgers = {}
    for score in found:
        zone = score.zone.id
        row = next((rows[zone, name] for name in names[zone] if (zone, name) in rows), None)
        if row is not None:
            if row.body not in shared:
                shared[row.body] = unpacked(row.body)
            ledgers[score.zone.id] = shared[row.body]
    return ledgers


def worked_out(jobs: Sequence[Job], *, until: int | None = None, by_hand: bool = True) -> Results:
    """The programmes of these zones, or why there is none; zones alike share one."""
    digests = Digests()
    results: dict[UUID, Compiled | str] = {}
    alike: dict[tuple[object, ...], Compiled | str] = {}
    for job in jobs:
        playing = job.playing
        state = timeline.rebase(playing.programmes, playing.state, job.at)
        same = state.model_copy(update={"zone": str(UUID(int=0)), "epoch": 1, "rev": 1})
        key = (job.digest, job.at, id(playing.ledger), same.canonical())
        if key not in alike:
            alike[key] = _result(job, until or job.at + WHOLE, digests, by_hand=by_hand)
        results[job.zone] = alike[key]
    return results


def _result(job: Job, until: int, digests: Digests, *, by_hand: bool) -> Compiled | str:
    try:
        compiled = compile_zone(
            job.facts, job.playing, job.at, until, digests=digests, by_hand=by_hand
        )
    except Refusal as refusal:
        return refusal.code
    return compiled or NO_MUSIC


async def back(ctx: Ctx, zone_ids: Sequence[UUID], rev: int | None) -> None:
    """Let these zones play what is scheduled again, from where that would be by now.

    Pause and stop end. Where no schedule asks for music, what people chose goes on.
    """
    found = await queries.scores(ctx, zone_ids, lock=True)
    if rev is not None and any((s.row.rev if s.row else 1) != rev for s in found):
        raise RevConflict(rev=max(s.row.rev if s.row else 1 for s in found))
    jobs = await prepare(ctx, [score.zone.id for score in found], always=True)
    results = await asyncio.to_thread(worked_out, jobs, by_hand=False)
    if not any(isinstance(result, Compiled) for result in results.values()):
        raise NothingScheduled
    await publish(ctx, jobs, results, asked=True)


async def publish(
    ctx: Ctx, jobs: Sequence[Job], results: Results, *, asked: bool = False
) -> set[UUID]:
    """Write these programmes; the zones that somebody changed meanwhile, which have to wait.

    A programme that is the zone's already is only written down as such, unless a person ``asked``.
    """
    if not jobs:
        return set()
    ctx.db.expire_all()  # what was read before the locks may be old
    found = await queries.scores(ctx, [job.zone for job in jobs], lock=True, missing_ok=True)
    revs = {score.zone.id: score.row.rev if score.row else 0 for score in found}
    sure = [job for job in jobs if revs.get(job.zone) == job.rev]
    fresh = {}
    for job in sure:
        result = results[job.zone]
        if isinstance(result, Compiled):
            newest = [ref.sha256 for ref in job.playing.state.programmes][-1:]
            if asked or newest != [result.sha256]:
                fresh[job.zone] = Swap(result.programme, result.body, job.at, hurries=not job.waits)
    hurried = await swaps.exchange(
        ctx, [s for s in found if s.zone.id in fresh], fresh, asked=asked
    )
    for job in sure:
        await _write_down(ctx, job, results[job.zone], hurried.get(job.zone))
    return {job.zone for job in jobs if job.zone in revs} - {job.zone for job in sure}


async def _write_down(ctx: Ctx, job: Job, result: Compiled | str, hurry: int | None) -> None:
    """What was compiled from which facts, and the account of it."""
    at = job.at
    reach = (result.until - at) if isinstance(result, Compiled) else WHOLE
    row = {
        "client_id": ctx.client_id,
        "zone_id": job.zone,
        "facts": job.digest,
        "programme": result.sha256 if isinstance(result, Compiled) else "",
        "until_frame": at + reach,
        "hurry_frame": hurry,
        "problem": result if isinstance(result, str) else "",
        "renew_at": moment_of(at + int(reach * RENEWED)),
        "compiled_at": ctx.now,
    }
    if isinstance(result, str):
        logger.info("schedule.not_compiled", zone=str(job.zone), code=result)
    else:
        account = {
            "client_id": ctx.client_id,
            "zone_id": job.zone,
            "programme": row["programme"],
            "from_frame": at,
            "body": await asyncio.to_thread(packed, result.ledger),
            "created_at": ctx.now,
        }
        kept = insert(PlanLedger).values(account)
        await ctx.db.execute(
            kept.on_conflict_do_update(
                index_elements=["client_id", "zone_id", "programme"],
                set_={"body": account["body"]},
            )
        )
    written = insert(ZonePlan).values(row)
    await ctx.db.execute(
        written.on_conflict_do_update(index_elements=["client_id", "zone_id"], set_=row)
    )


async def hurry(db: Database, clock: Clock) -> None:
    """Let programmes that make a difference take over as soon as their speakers have them."""
    async with db.system() as session:
        waiting = select(ZonePlan.client_id, ZonePlan.zone_id).where(
            col(ZonePlan.hurry_frame).is_not(None)
        )
        rows = (await session.exec(waiting)).all()
    for client in sorted({client for client, _ in rows}):
        zones = [Subject(zone, client) for one, zone in rows if one == client]
        hasten = partial(_hasten, db, clock, client)
        await setbacks.together(db, clock, "schedule.hurry", zones, hasten)


async def _hasten(db: Database, clock: Clock, client: UUID, some: Sequence[Subject]) -> int:
    async with touch(db, client, clock.now(), LABEL) as ctx:
        zones = [one.id for one in some]
        done = await swaps.hasten(ctx, zones)
        over = text(
            "UPDATE zone_plans SET hurry_frame = NULL WHERE zone_id = ANY(:zones)"
            " AND (zone_id = ANY(:done) OR hurry_frame <= :now)"
        )
        await ctx.db.execute(over, {"zones": zones, "done": sorted(done), "now": ctx.frame})
    return len(done)


async def renew(db: Database, clock: Clock) -> int:
    """Mark the zones whose programmes reach less far than they should; how many there are."""
    async with db.system() as session:
        short = select(ZonePlan.client_id, ZonePlan.zone_id).where(
            col(ZonePlan.renew_at) <= clock.now()
        )
        clients: dict[UUID, set[UUID]] = {}
        for client, zone in (await session.exec(short)).all():
            clients.setdefault(client, set()).add(zone)

    async def mark(one: Subject) -> int:
        async with touch(db, one.id, clock.now(), LABEL) as ctx:
            changes.changed(ctx, clients[one.id])
        return len(clients[one.id])

    subjects = [Subject(client, client) for client in sorted(clients)]
    return await setbacks.each(db, clock, "schedule.renew", subjects, mark)
