"""Schedules as rows, and zones whose marks are worked off, for tests of what is published."""

import asyncio
from typing import Any
from uuid import UUID

from sqlmodel import select

from support.music import add_media
from support.world import Tenant, World
from sync2gear_broker.messages import DeviceState, Programme
from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.announcements.tables import Announcement
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.clock import frames_of
from sync2gear_platform.playback import queries
from sync2gear_platform.playback.queries import Score
from sync2gear_platform.schedules import changes, working
from sync2gear_platform.schedules.tables import Schedule, ScheduleTarget, ZoneCompile
from sync2gear_platform.sites.tables import DevicePresence


async def add_schedule(world: World, tenant: Tenant, *zones: str, **values: Any) -> UUID:
    """A schedule for these zones, or for all, with the zones marked as its routes do."""
    async with world.ctx(tenant.id) as ctx:
        row = rows.new(ctx, Schedule, **{"name": "S", "type": "music", **values})
        await ctx.db.flush()
        for zone in zones:
            rows.new(ctx, ScheduleTarget, schedule_id=row.id, scope="zone", zone_id=UUID(zone))
        if not zones:
            rows.new(ctx, ScheduleTarget, schedule_id=row.id, scope="client")
        changes.changed(ctx, [UUID(zone) for zone in zones] or None)
        return row.id


async def add_words(world: World, tenant: Tenant, name: str = "Hello", seconds: int = 10) -> UUID:
    media = await add_media(world, tenant, name, seconds)
    async with world.ctx(tenant.id) as ctx:
        row = rows.new(
            ctx, Announcement, title=name, kind="recorded", state="ready", sha256=media.sha256
        )
        return row.id


async def compiled(world: World) -> int:
    """Compile all that is marked; how many marks there were."""
    count = 0
    while taken := await working.work_off(world.db, world.clock):
        count += taken
    return count


async def begun(world: World, programme: Programme) -> None:
    """Wait until the first block of a programme that was just made has begun."""
    late = programme.blocks[0].at - frames_of(world.clock.now())
    await asyncio.sleep(max(late, 0) / FRAME_RATE)


async def score(world: World, tenant: Tenant, zone: str) -> Score:
    async with world.ctx(tenant.id) as ctx:
        (found,) = await queries.scores(ctx, [UUID(zone)])
    return found


def newest(found: Score) -> Programme:
    return found.programmes[found.state.programmes[-1].sha256]


async def marks(world: World) -> int:
    async with world.ctx() as ctx:
        return len((await ctx.db.exec(select(ZoneCompile))).all())


async def connect(world: World, tenant: Tenant, zone: str, name: str = "Box") -> UUID:
    """A speaker of the zone that is connected and has nothing yet."""
    made = await tenant.make(
        "/devices/register/", name=name, hardware_id=f"hw {name}", zone_id=zone
    )
    device = UUID(made["device"]["id"])
    await report(world, tenant, device)
    return device


async def report(world: World, tenant: Tenant, device: UUID, **state: Any) -> None:
    """Let a speaker tell its state."""
    told = DeviceState(ahead=40, **state).model_dump(mode="json")
    async with world.ctx(tenant.id) as ctx:
        row = await ctx.db.get(DevicePresence, device)
        if row is None:
            row = DevicePresence(
                device_id=device, client_id=tenant.id, online=True, changed_at=ctx.now
            )
        row.online, row.state = True, told
        ctx.db.add(row)
