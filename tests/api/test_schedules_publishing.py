"""What is marked is compiled once, published in one go, and only where it makes a difference."""

import asyncio
from datetime import time, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select

from support.music import add_folder, add_zone
from support.planning import (
    add_schedule,
    add_words,
    compiled,
    connect,
    marks,
    newest,
    report,
    score,
)
from support.world import World
from sync2gear_broker import topics
from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.kit import outbox
from sync2gear_platform.schedules import changes, publishing, working
from sync2gear_platform.schedules.compiling import DAY
from sync2gear_platform.schedules.plan_tables import PlanLedger, ZonePlan
from sync2gear_platform.schedules.tables import Schedule, ZoneCompile

HOUR = 3600 * FRAME_RATE


async def test_a_schedule_becomes_a_programme_of_a_week(world: World) -> None:
    tenant = await world.tenant()
    zone, other = await add_zone(tenant), await add_zone(tenant, "Other")
    folder = await add_folder(world, tenant, ("One", "Two", "Three"))
    words = await add_words(world, tenant)
    await add_schedule(world, tenant, zone, folder_id=folder)
    await add_schedule(
        world, tenant, zone, type="announcement", announcement_id=words,
        when={"kind": "minutes", "minutes": [0, 30]},
    )  # fmt: skip
    assert await compiled(world) == 2
    found = await score(world, tenant, zone)
    programme = newest(found)
    assert len(programme.blocks) == 1
    assert 330 <= len(programme.events) <= 337
    assert found.state.anchor is not None
    assert 0 < found.state.programmes[-1].from_ - found.state.anchor.at < FRAME_RATE
    assert (await score(world, tenant, other)).row is None
    state = await tenant.read("/playback/state/", zone_id=zone)
    assert state["results"][0]["status"] == "playing"


async def test_what_is_the_same_is_not_published_again(world: World) -> None:
    tenant = await world.tenant()
    zones = [await add_zone(tenant, f"Z{n}") for n in range(3)]
    folder = await add_folder(world, tenant, ("One", "Two", "Three"))
    mine = await add_schedule(world, tenant, zones[0], folder_id=folder)
    await add_schedule(world, tenant, folder_id=folder, priority=10)
    await compiled(world)
    before = [(await score(world, tenant, zone)).state.rev for zone in zones]
    async with world.ctx(tenant.id) as ctx:
        changes.changed(ctx, None)
    assert await compiled(world) == 3
    assert [(await score(world, tenant, zone)).state.rev for zone in zones] == before
    async with world.ctx(tenant.id) as ctx:
        row = await ctx.db.get(Schedule, mine)
        assert row is not None
        row.start_time = time(3)
        changes.changed(ctx, None)
    await compiled(world)
    after = [(await score(world, tenant, zone)).state.rev for zone in zones]
    assert after[0] > before[0]
    assert after[1:] == before[1:]
    assert await marks(world) == 0


async def test_two_workers_compile_each_zone_once(world: World) -> None:
    tenant = await world.tenant()
    zones = [await add_zone(tenant, f"Z{n}") for n in range(6)]
    folder = await add_folder(world, tenant, ("One", "Two", "Three"))
    await add_schedule(world, tenant, folder_id=folder)
    taken = await asyncio.gather(*(working.work_off(world.db, world.clock) for _ in range(3)))
    assert sum(taken) == 6
    async with world.ctx(tenant.id) as ctx:
        plans = (await ctx.db.exec(select(ZonePlan))).all()
        ledgers = (await ctx.db.exec(select(PlanLedger))).all()
    assert {str(plan.zone_id) for plan in plans} == set(zones)
    assert len(ledgers) == 6


async def test_who_marks_the_same_in_another_order_does_not_wait_in_a_circle(world: World) -> None:
    tenant = await world.tenant()
    zones = [UUID(await add_zone(tenant, f"Z{n}")) for n in range(2)]
    names = [
        topics.build(topics.ZONE_DESIRED, client=str(tenant.id), zone=str(zone)) for zone in zones
    ]
    both = asyncio.Barrier(2)

    async def touch(first: int, second: int) -> None:
        async with world.ctx(tenant.id) as ctx:
            for number in (first, second):
                changes.changed(ctx, [zones[number]])
                outbox.dirty(ctx, names[number])
                await both.wait()

    async with asyncio.timeout(30):
        await asyncio.gather(touch(0, 1), touch(1, 0))
    assert await marks(world) == 2


async def test_a_worker_does_not_wait_for_who_marks_a_zone(world: World) -> None:
    tenant = await world.tenant()
    zones = [await add_zone(tenant, f"Z{n}") for n in range(2)]
    folder = await add_folder(world, tenant, ("One",))
    await add_schedule(world, tenant, *zones, folder_id=folder)
    async with world.ctx() as ctx:
        held = select(ZoneCompile).where(col(ZoneCompile.zone_id) == UUID(zones[0]))
        await ctx.db.exec(held.with_for_update())
        async with asyncio.timeout(10):
            assert await working.work_off(world.db, world.clock) == 2
        assert await marks(world) == 1
    assert await compiled(world) == 1
    assert await marks(world) == 0


async def test_tenants_have_programmes_of_their_own(world: World) -> None:
    acme, other = await world.tenant(), await world.tenant("Other")
    zone, elsewhere = await add_zone(acme), await add_zone(other)
    folder = await add_folder(world, acme, ("One",))
    await add_schedule(world, acme, folder_id=folder)
    async with world.ctx(other.id) as ctx:
        changes.changed(ctx, None)
    assert await compiled(world) == 2
    assert (await score(world, acme, zone)).state.programmes
    assert (await score(world, other, elsewhere)).row is None


async def test_music_that_people_choose_ends_the_silence_of_a_zone_without_any(
    world: World,
) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    words = await add_words(world, tenant)
    await add_schedule(
        world, tenant, zone, type="announcement", announcement_id=words,
        when={"kind": "minutes", "minutes": [0]},
    )  # fmt: skip
    await compiled(world)
    assert newest(await score(world, tenant, zone)).blocks[0].silent
    folder = await add_folder(world, tenant, ("One", "Two"))
    await tenant.make("/playback/play/", zone_id=zone, folder_id=str(folder))
    async with world.ctx(tenant.id) as ctx:
        changes.changed(ctx, [UUID(zone)])
    chosen = newest(await score(world, tenant, zone))
    await compiled(world)
    found = newest(await score(world, tenant, zone))
    assert found.blocks[0].items == chosen.blocks[0].items
    assert found.blocks[0].at == chosen.blocks[0].at
    assert len(found.events) > 160


async def test_what_is_heard_soon_takes_over_when_speakers_have_it(world: World) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    one = await add_folder(world, tenant, ("A0", "B0"))
    two = await add_folder(world, tenant, ("A1", "B1"))
    await add_schedule(world, tenant, zone, folder_id=one, priority=10)
    await compiled(world)
    device = await connect(world, tenant, zone)
    before = (await score(world, tenant, zone)).state
    await add_schedule(world, tenant, zone, folder_id=two, priority=50)
    await compiled(world)
    waiting = (await score(world, tenant, zone)).state
    assert waiting.programmes[-1].from_ > world.clock.frames() + 30 * FRAME_RATE
    await report(world, tenant, device, programme=before.programmes[-1].sha256)
    await publishing.hurry(world.db, world.clock)
    assert (await score(world, tenant, zone)).state == waiting
    await report(world, tenant, device, programme=waiting.programmes[-1].sha256)
    await publishing.hurry(world.db, world.clock)
    hurried = (await score(world, tenant, zone)).state
    assert hurried.programmes[-1].sha256 == waiting.programmes[-1].sha256
    assert hurried.programmes[-1].from_ < world.clock.frames() + 2 * FRAME_RATE
    await publishing.hurry(world.db, world.clock)
    assert (await score(world, tenant, zone)).state == hurried


async def test_what_is_not_heard_soon_takes_its_time(world: World) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    folder = await add_folder(world, tenant, ("One", "Two"))
    words = await add_words(world, tenant)
    await add_schedule(world, tenant, zone, folder_id=folder)
    await compiled(world)
    await connect(world, tenant, zone)
    later = (world.clock.now() + timedelta(hours=3)).time().replace(microsecond=0, second=0)
    await add_schedule(
        world, tenant, zone, type="announcement", announcement_id=words,
        when={"kind": "at", "times": [later.isoformat()]},
    )  # fmt: skip
    await compiled(world)
    found = (await score(world, tenant, zone)).state
    assert found.programmes[-1].from_ > world.clock.frames() + 30 * FRAME_RATE
    async with world.ctx(tenant.id) as ctx:
        plan = (await ctx.db.exec(select(ZonePlan))).one()
    assert plan.hurry_frame is None


async def test_programmes_are_made_longer_before_they_end(world: World) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    folder = await add_folder(world, tenant, tuple(f"T{n}" for n in range(30)))
    await add_schedule(world, tenant, zone, folder_id=folder)
    await compiled(world)
    before = await score(world, tenant, zone)
    assert await publishing.renew(world.db, world.clock) == 0
    async with world.ctx(tenant.id) as ctx:
        plan = (await ctx.db.exec(select(ZonePlan))).one()
        assert plan.until_frame - ctx.frame > 6.9 * DAY
        plan.renew_at = ctx.now
    assert await publishing.renew(world.db, world.clock) == 1
    await compiled(world)
    after = await score(world, tenant, zone)
    old, new = newest(before), newest(after)
    assert (new.blocks[0].id, new.blocks[0].at) == (old.blocks[0].id, old.blocks[0].at)
    names = [[p.media[i].sha256 for i in p.blocks[0].items] for p in (old, new)]
    assert names[1][: len(names[0])] == names[0]


async def test_a_zone_that_somebody_changed_meanwhile_is_compiled_again(world: World) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    folder = await add_folder(world, tenant, ("One", "Two"))
    await add_schedule(world, tenant, zone, folder_id=folder)
    await compiled(world)
    words = await add_words(world, tenant)
    await add_schedule(
        world, tenant, zone, type="announcement", announcement_id=words,
        when={"kind": "minutes", "minutes": [0]},
    )  # fmt: skip
    async with world.ctx(tenant.id) as ctx:
        jobs = await publishing.prepare(ctx, [UUID(zone)])
    results = publishing.worked_out(jobs)
    await tenant.make("/playback/volume/", zone_id=zone, volume=11)
    async with world.ctx(tenant.id) as ctx:
        assert await publishing.publish(ctx, jobs, results) == {UUID(zone)}
    await compiled(world)
    found = await score(world, tenant, zone)
    assert found.state.volume == 11
    assert len(newest(found).events) > 160


async def test_nobody_waits_for_a_zone_that_cannot_be_compiled(world: World) -> None:
    tenant = await world.tenant()
    zones = [await add_zone(tenant, f"Z{n}") for n in range(3)]
    folder = await add_folder(world, tenant, ("One",))
    made = [await add_schedule(world, tenant, zone, folder_id=folder) for zone in zones]
    broken = text("UPDATE schedules SET start = CAST(:start AS jsonb) WHERE id = :id")
    async with world.ctx() as ctx:
        await ctx.db.execute(broken, {"start": '{"nonsense": 7}', "id": made[1]})
    assert await working.work_off(world.db, world.clock) == 3
    heard = [(await score(world, tenant, zone)).row is not None for zone in zones]
    assert heard == [True, False, True]
    waits = []
    for _ in range(2):
        assert await working.work_off(world.db, world.clock) == 0
        async with world.ctx() as ctx:
            mark = (await ctx.db.exec(select(ZoneCompile))).one()
            waits.append((mark.failures, mark.wanted_at - world.clock.now()))
            assert str(mark.zone_id) == zones[1]
            assert "nonsense" in mark.failure
            mark.wanted_at = world.clock.now()
        health = await tenant.http.get("/api/v1/health/ready/")
        assert health.json()["zones_failing"] == 1
        await working.work_off(world.db, world.clock)
    assert [failures for failures, _ in waits] == [1, 2]
    assert timedelta(seconds=30) < waits[0][1] <= timedelta(minutes=1) < waits[1][1]
    async with world.ctx(tenant.id) as ctx:
        await ctx.db.execute(broken, {"start": "{}", "id": made[1]})
        changes.changed(ctx, [UUID(zones[1])])
    assert await compiled(world) == 1
    assert (await score(world, tenant, zones[1])).row is not None
    assert await marks(world) == 0
