"""A leader killed while it makes programmes longer: no gap in a zone's, and none is made twice."""

import asyncio
import json
from collections.abc import AsyncIterator

import psycopg
import pytest
from sqlalchemy import func
from sqlmodel import col, select, update

from support.killing import gate, waiting
from support.leader import Lab, open_lab
from support.music import add_folder, add_zone
from support.planning import add_schedule, add_words, compiled, marks, newest, score
from support.services import PostgresServer
from support.stack import eventually, wait_until
from support.world import Tenant
from sync2gear_broker import timeline, topics
from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.playback.queries import Score
from sync2gear_platform.playback.tables import ZoneStateRow
from sync2gear_platform.schedules.compiling import DAY
from sync2gear_platform.schedules.plan_tables import PlanLedger, ZonePlan

STAGES = {
    "marking": "BEFORE INSERT ON zone_compiles FOR EACH ROW",
    "storing": "BEFORE INSERT ON programmes FOR EACH ROW",
    "publishing": "BEFORE INSERT ON outbox FOR EACH ROW",
    "writing down": "BEFORE UPDATE ON zone_plans FOR EACH ROW",
    "committing": "AFTER UPDATE ON zone_plans DEFERRABLE INITIALLY DEFERRED FOR EACH ROW",
}
"""Where a trigger holds the leader up, in the order in which an extension comes by."""

SAMPLE = {"marking", "writing down"}


@pytest.fixture
async def lab(postgres: PostgresServer) -> AsyncIterator[Lab]:
    async with open_lab(postgres) as opened:
        yield opened


async def shops(lab: Lab) -> tuple[Tenant, list[str]]:
    """Three zones whose programmes have to be made longer now."""
    world = lab.world
    tenant = await world.tenant()
    zones = [await add_zone(tenant, f"Z{n}") for n in range(3)]
    folder = await add_folder(world, tenant, tuple(f"T{n}" for n in range(9)))
    words = await add_words(world, tenant)
    await add_schedule(world, tenant, folder_id=folder)
    await add_schedule(
        world, tenant, type="announcement", announcement_id=words,
        when={"kind": "minutes", "minutes": [10, 40]},
    )  # fmt: skip
    assert await compiled(world) == 3
    async with world.ctx(tenant.id) as ctx:
        await ctx.db.execute(
            update(ZonePlan).values(
                renew_at=ctx.now, until_frame=col(ZonePlan.until_frame) - 3 * DAY
            )
        )
    return tenant, zones


async def longer(lab: Lab, tenant: Tenant) -> bool:
    """Whether every plan reaches a week again and nothing waits to be compiled."""
    async with lab.world.ctx(tenant.id) as ctx:
        least = select(func.min(col(ZonePlan.until_frame)))
        until = (await ctx.db.exec(least)).one()
        return bool(until > ctx.frame + 6 * DAY and await marks(lab.world) == 0)


async def times_written(lab: Lab, tenant: Tenant) -> list[tuple[int, int]]:
    """For each zone how many states it had and how many programmes were made for it."""
    async with lab.world.ctx(tenant.id) as ctx:
        found = []
        for row in (ZoneStateRow, PlanLedger):
            zone = col(row.zone_id)
            counted = select(func.count(zone)).group_by(zone).order_by(zone)
            found.append((await ctx.db.exec(counted)).all())
    return list(zip(*found, strict=True))


def follows(url: str) -> bool:
    """Whether a worker waits to lead."""
    asks = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_try_advisory_lock(%'"
    with psycopg.connect(url) as connection:
        row = connection.execute(asks + " AND pid <> pg_backend_pid()").fetchone()
        return row is not None and row[0] > 0


def holes(found: Score, start: int, end: int) -> list[tuple[int, int]]:
    """Where in these frames neither music nor an announcement sounds."""
    settled = timeline.settle(found.programmes, found.state)
    pieces = timeline.segments(settled, start, end)
    heard, found_none = start, []
    for piece in sorted(pieces, key=lambda one: one.start):
        if piece.start > heard:
            found_none.append((heard, piece.start))
        heard = max(heard, piece.end)
    return found_none if heard >= end else [*found_none, (heard, end)]


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "stage",
    [pytest.param(name, marks=[] if name in SAMPLE else [pytest.mark.soak]) for name in STAGES],
)
async def test_a_leader_killed_at_the_extension_leaves_no_gap_and_no_zone_is_done_twice(
    lab: Lab, stage: str
) -> None:
    tenant, zones = await shops(lab)
    before = [await score(lab.world, tenant, zone) for zone in zones]
    since = lab.world.clock.frames()
    assert lab.world.settings.database_admin_url is not None
    url = lab.world.settings.database_admin_url.get_secret_value()
    ours = lab.world.settings.database_url.get_secret_value()
    with gate(url, STAGES[stage]):
        leader = lab.worker()
        await asyncio.to_thread(wait_until, lambda: waiting(url), f"the leader is at {stage}")
        follower = lab.worker()

        await asyncio.to_thread(wait_until, lambda: follows(ours), "the other one waits to lead")
        leader.kill()

        async def leads() -> bool:
            return b"leader.began" in follower.log.read_bytes()

        await eventually(leads, "the other worker leads")
        # one that has asked for its commit has it once the gate is open, dead as it is
        assert await times_written(lab, tenant) == [(1, 1)] * 3, "nothing of it is seen"
    await eventually(lambda: longer(lab, tenant), "every programme is longer")
    assert await times_written(lab, tenant) == [(2, 2)] * 3
    await lab.drained()
    held = await lab.retained()
    for zone, old in zip(zones, before, strict=True):
        found = await score(lab.world, tenant, zone)
        topic = topics.build(topics.ZONE_DESIRED, client=str(tenant.id), zone=zone)
        assert json.loads(held[topic])["rev"] == found.state.rev
        assert found.state.anchor is not None
        known_from = found.state.anchor.at
        assert holes(old, since + FRAME_RATE, known_from) == []
        assert holes(found, known_from, since + 7 * DAY) == []
        one, other = newest(old).blocks[0], newest(found).blocks[0]
        assert (one.id, one.at) == (other.id, other.at)
        made = [call for call in newest(found).events if call.start < since + DAY]
        known = {call.id: call.start for call in newest(old).events}
        assert all(known[call.id] == call.start for call in made)
