"""Channels and schedules over HTTP, and what zones hear of them."""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import select

from support.music import add_media
from support.world import Tenant, World
from sync2gear_platform.announcements.tables import Announcement
from sync2gear_platform.kit import rows
from sync2gear_platform.schedules import facts
from sync2gear_platform.schedules.occurrences import frame_of, moment_of
from sync2gear_platform.schedules.resolver import Facts, History, Resolved, resolve
from sync2gear_platform.schedules.tables import ZoneCompile

BERLIN = ZoneInfo("Europe/Berlin")


async def add_announcement(world: World, tenant: Tenant, title: str, seconds: float = 10) -> str:
    """An announcement with a sound of its own; returns its id."""
    media = await add_media(world, tenant, f"voice {title}", seconds)
    async with world.ctx(tenant.id) as ctx:
        row = rows.new(ctx, Announcement, title=title, state="ready", sha256=media.sha256)
    return str(row.id)


async def add_channel(tenant: Tenant, *folders: UUID | str, **values: Any) -> str:
    """A channel with these folders for lines; returns its id."""
    made = await tenant.make("/channels/", **{"name": "Channel", **values})
    for folder in folders:
        await tenant.make(f"/channels/{made['id']}/items/", folder_id=str(folder))
    return str(made["id"])


async def facts_of(world: World, tenant: Tenant, zone: str) -> Facts:
    """All that a zone's sound follows from."""
    async with world.ctx(tenant.id) as ctx:
        return (await facts.gather(ctx, [UUID(zone)]))[UUID(zone)]


async def heard(
    world: World, tenant: Tenant, zone: str, start: datetime, end: datetime
) -> Resolved:
    """What a zone hears between two times of Berlin's clock."""
    first, last = (frame_of(one.replace(tzinfo=BERLIN)) for one in (start, end))
    return resolve(await facts_of(world, tenant, zone), History(), first, last)


def clock(frame: int) -> str:
    """A frame as Berlin's clock shows it."""
    return moment_of(frame).astimezone(BERLIN).strftime("%d.%m. %H:%M")


def calls(found: Resolved) -> list[tuple[str, str]]:
    """When which announcement begins."""
    return [(clock(event.start), media.title) for event, media in found.events]


def blocks(found: Resolved) -> list[tuple[str, str, str]]:
    """From when to when which channel has the music."""
    return [(clock(s.block.at), clock(s.end), s.block.source) for s in found.music]


async def marked(world: World, tenant: Tenant) -> dict[str, int]:
    """The zones that wait for their programme, with their marks."""
    async with world.ctx(tenant.id) as ctx:
        return {str(one.zone_id): one.mark for one in await ctx.db.exec(select(ZoneCompile))}
