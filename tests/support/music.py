"""Music and announcements as rows, for tests that need no sound."""

import hashlib
from uuid import UUID

from support.world import Tenant, World
from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.kit import rows
from sync2gear_platform.library.tables import Media, Track


def digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


async def add_media(world: World, tenant: Tenant, name: str, seconds: float = 180) -> Media:
    """A media row of ``tenant`` without a blob behind it."""
    async with world.ctx(tenant.id) as ctx:
        row = Media(
            client_id=tenant.id,
            sha256=digest(name),
            bytes=100_000,
            frames=int(seconds * FRAME_RATE),
            codec="flac",
            gain=-300,
            created_at=ctx.now,
        )
        ctx.db.add(row)
        return row


async def add_folder(
    world: World, tenant: Tenant, titles: tuple[str, ...], seconds: float = 180, name: str = ""
) -> UUID:
    """A music folder with one track for each of ``titles``, in this order."""
    made = await tenant.make("/music/folders/", name=name or f"Folder of {len(titles)}")
    folder = UUID(made["id"])
    for position, title in enumerate(titles):
        media = await add_media(world, tenant, title, seconds)
        async with world.ctx(tenant.id) as ctx:
            rows.new(
                ctx,
                Track,
                folder_id=folder,
                sha256=media.sha256,
                filename=f"{title}.flac",
                title=title,
                artist="The Testers",
                duration_millis=int(seconds * 1000),
                position=position,
            )
    return folder


async def add_zone(tenant: Tenant, name: str = "Shop") -> str:
    """A new zone; returns its id."""
    return str((await tenant.make("/zones/", name=name))["id"])
