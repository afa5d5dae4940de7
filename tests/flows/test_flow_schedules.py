"""A worker that is killed while it publishes: each zone has its programme whole, or not at all."""

import asyncio
import time
from pathlib import Path

import pytest
from sqlmodel import select

from support.killing import gate, program, waiting
from support.music import add_folder, add_zone
from support.planning import add_schedule, compiled, marks, newest, score
from support.stack import wait_until
from support.world import World
from sync2gear_platform.kit.outbox import OutboxMark
from sync2gear_platform.schedules.plan_tables import PlanLedger, ZonePlan

STAGES = {
    "storing": "BEFORE INSERT ON programmes FOR EACH ROW",
    "publishing": "BEFORE INSERT ON outbox FOR EACH ROW",
    "writing down": "BEFORE INSERT ON zone_plans FOR EACH ROW",
    "committing": "AFTER INSERT ON zone_plans DEFERRABLE INITIALLY DEFERRED FOR EACH ROW",
}
"""Where a trigger holds the worker up, in the order in which a programme comes by."""


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    "stage",
    [
        pytest.param(name, marks=[] if name in {"publishing", "committing"} else [pytest.mark.soak])
        for name in STAGES
    ],
)
async def test_a_worker_killed_at_any_stage_publishes_all_or_nothing(
    world: World, tmp_path: Path, stage: str
) -> None:
    tenant = await world.tenant()
    zones = [await add_zone(tenant, f"Z{n}") for n in range(3)]
    folder = await add_folder(world, tenant, ("One", "Two", "Three"))
    await add_schedule(world, tenant, folder_id=folder)
    admin = world.settings.database_admin_url
    assert admin is not None
    url = admin.get_secret_value()
    worker = program(world, tmp_path, "worker", 0)
    with gate(url, STAGES[stage]):
        worker.start()
        try:
            await asyncio.to_thread(wait_until, lambda: waiting(url), f"the worker is at {stage}")
        finally:
            worker.kill()
    deadline = time.monotonic() + 60
    while await marks(world):  # the database lets go of what the dead one held when it notices
        await compiled(world)
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
    async with world.ctx(tenant.id) as ctx:
        plans = (await ctx.db.exec(select(ZonePlan))).all()
        ledgers = (await ctx.db.exec(select(PlanLedger))).all()
    async with world.ctx() as ctx:
        dirty = {row.topic for row in await ctx.db.exec(select(OutboxMark))}
    assert len(plans) == len(ledgers) == len(zones)
    for zone in zones:
        found = await score(world, tenant, zone)
        assert len(newest(found).blocks) == 1
        assert len(found.state.programmes) == 1
        assert any(zone in topic for topic in dirty)
