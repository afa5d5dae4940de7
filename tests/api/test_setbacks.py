"""What fails for one client, zone or deletion waits by itself, is seen, and is made up for."""

import json
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import text

from support.music import add_folder, add_zone
from support.planning import add_schedule, compiled, connect, report, score
from support.privacy import let_time_pass, purge, refuse, superuser_url
from support.proving import Teller, lines, segments, shop, speaker, undisturbed
from support.services import PostgresServer
from support.world import Tenant, World
from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.proof import housekeeping, rounds
from sync2gear_platform.schedules import publishing, working

HOURS = timedelta(hours=2, minutes=6)
"""After speakers told, see ``support/proving.py``."""


def clock_after(**later: float) -> Clock:
    ahead = (HOURS + timedelta(**later)) // timedelta(microseconds=1) * 1000
    return Clock(wall_ns=lambda: time.time_ns() + ahead)


async def run(world: World, statement: str, **values: Any) -> None:
    async with world.ctx() as ctx:
        await ctx.db.execute(text(statement), values)


async def failing(tenant: Tenant) -> int:
    answer = await tenant.http.get("/api/v1/health/ready/")
    return int(answer.json()["work_failing"])


async def setbacks(world: World) -> list[Any]:
    async with world.ctx() as ctx:
        rows = await ctx.db.execute(text("SELECT * FROM setbacks ORDER BY work, subject_id"))
        return list(rows.all())


async def test_a_zone_whose_proof_fails_holds_up_no_other_and_is_made_up_for(
    world: World,
) -> None:
    first, broken, _ = await shop(world)
    beside = await add_zone(first, "Beside")
    folder = await add_folder(world, first, ("One", "Two"))
    await add_schedule(world, first, beside, folder_id=folder)
    await compiled(world)
    second, _, _ = await shop(world)
    due = await segments(world, first, broken, hours=1)
    teller = Teller(world, first, await speaker(first, broken, "Box"), broken)
    kept = "SELECT document FROM zone_states WHERE zone_id = :zone ORDER BY rev DESC LIMIT 1"
    async with world.ctx() as ctx:
        told = (await ctx.db.execute(text(kept), {"zone": broken})).scalar_one()
    nonsense = "UPDATE zone_states SET document = CAST(:document AS jsonb) WHERE zone_id = :zone"
    await run(world, nonsense, document='{"nonsense": "hush"}', zone=broken)

    await rounds.reckon_all(world.db, clock_after())
    assert await lines(second), "another client's proof of play goes on"
    zones = {line["zone_id"] for line in await lines(first)}
    assert zones == {beside}, "and so does that of the zone beside it"
    (row,) = await setbacks(world)
    assert (row.work, str(row.subject_id), row.client_id) == ("proof.zone", broken, first.id)
    assert row.failures == 1
    assert "ValidationError" in row.failure
    assert "hush" not in row.failure, "what it choked on is nobody's business"
    assert await failing(first) == 1

    # what is told meanwhile is news to the client once, and not lost to the zone
    music = undisturbed(due)[0]
    await teller.tell(teller.played(music))
    waits = [row.again_at]
    for minutes in (0.1, 2, 2.1, 5):
        await rounds.reckon_all(world.db, clock_after(minutes=minutes))
        (row,) = await setbacks(world)
        waits.append(row.again_at)
    assert row.failures == 3, "it is not tried before its time"
    assert waits[0] == waits[1] < waits[2] == waits[3] < waits[4]
    assert waits[4] - waits[2] > waits[2] - waits[0], "each time it waits longer"

    await run(world, nonsense, document=json.dumps(told), zone=broken)
    await rounds.reckon_all(world.db, clock_after(minutes=30))
    assert await setbacks(world) == []
    assert await failing(first) == 0
    (played,) = await lines(first, outcome="played")
    assert (played["zone_id"], played["sha256"]) == (broken, music.media.sha256)


async def test_what_a_client_forgets_does_not_wait_for_another(
    world: World, postgres: PostgresServer
) -> None:
    first, _, _ = await shop(world)
    second, _, _ = await shop(world)
    await rounds.reckon_all(world.db, clock_after())
    refuse(world, postgres, "UPDATE", "proof_accounts", "client_id", first.id)
    assert await housekeeping.purge(world.db, clock_after(days=4000)) > 0
    assert await lines(first)
    assert await lines(second) == []
    (row,) = await setbacks(world)
    assert (row.work, row.subject_id) == ("proof.retention", first.id)
    assert row.failure.startswith("RaiseException")
    assert "hush" not in row.failure


async def test_a_deletion_that_fails_holds_up_no_other(
    world: World, postgres: PostgresServer
) -> None:
    first, second = await world.tenant("First"), await world.tenant("Second")
    for tenant in (first, second):
        async with world.ctx() as ctx:
            gone = text("UPDATE clients SET deleted_at = now() WHERE id = :id")
            await ctx.db.execute(gone, {"id": tenant.id})
    await let_time_pass(world)
    refuse(world, postgres, "DELETE", "locations", "client_id", first.id)
    assert await purge(world) == 1
    async with world.ctx() as ctx:
        left = set((await ctx.db.execute(text("SELECT id FROM clients"))).scalars())
    assert first.id in left
    assert second.id not in left
    (row,) = await setbacks(world)
    assert (row.work, row.client_id, row.failures) == ("privacy.purge", first.id, 1)
    with psycopg.connect(superuser_url(world, postgres), autocommit=True) as connection:
        connection.execute("DROP TRIGGER refuse ON locations")
    assert await purge(world) == 0, "not before its time"
    await run(world, "UPDATE setbacks SET again_at = now() - interval '1 second'")
    assert await purge(world) == 1
    assert await setbacks(world) == []


async def test_a_zone_whose_state_cannot_be_read_lets_the_others_hurry(world: World) -> None:
    tenant = await world.tenant()
    broken, well = await add_zone(tenant, "Broken"), await add_zone(tenant, "Well")
    folders = [await add_folder(world, tenant, (f"A{n}", f"B{n}")) for n in range(2)]
    for zone in (broken, well):
        await add_schedule(world, tenant, zone, folder_id=folders[0], priority=10)
    await compiled(world)
    for zone in (broken, well):
        device = await connect(world, tenant, zone, name=zone)
        await add_schedule(world, tenant, zone, folder_id=folders[1], priority=50)
        await compiled(world)
        waiting = (await score(world, tenant, zone)).state.programmes[-1]
        assert waiting.from_ > world.clock.frames() + 30 * FRAME_RATE
        await report(world, tenant, device, programme=waiting.sha256)
    nonsense = "UPDATE zone_playback SET document = '{\"nonsense\": 7}' WHERE zone_id = :zone"
    await run(world, nonsense, zone=broken)
    await publishing.hurry(world.db, world.clock)
    hurried = (await score(world, tenant, well)).state.programmes[-1]
    assert hurried.from_ < world.clock.frames() + 2 * FRAME_RATE
    (row,) = await setbacks(world)
    assert (row.work, str(row.subject_id), row.failures) == ("schedule.hurry", broken, 1)
    await publishing.hurry(world.db, world.clock)
    assert (await setbacks(world))[0].failures == 1


async def test_a_programme_that_the_database_refuses_holds_up_no_other(
    world: World, postgres: PostgresServer
) -> None:
    tenant = await world.tenant()
    broken, well = await add_zone(tenant, "Broken"), await add_zone(tenant, "Well")
    folder = await add_folder(world, tenant, ("One", "Two"))
    for zone in (broken, well):
        await add_schedule(world, tenant, zone, folder_id=folder)
    refuse(world, postgres, "INSERT", "zone_plans", "zone_id", UUID(broken))
    await working.work_off(world.db, world.clock)
    assert (await score(world, tenant, well)).state.programmes
    assert not (await score(world, tenant, broken)).state.programmes
    health = await tenant.http.get("/api/v1/health/ready/")
    assert health.json()["zones_failing"] == 1
