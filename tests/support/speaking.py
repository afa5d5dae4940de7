"""Announcements that a worker has spoken, its part done here and now."""

from typing import Any
from uuid import UUID

from support.world import Tenant, World
from sync2gear_platform.announcements.rendering import Desk, render


def desk(world: World) -> Desk:
    """The worker's tools, with the voices and in the folders of this installation."""
    return Desk(world.db, world.app.state.speech, world.app.state.blobs, world.clock)


async def spoken(world: World, tenant: Tenant, announcement_id: str) -> dict[str, Any]:
    """The announcement once a worker is through with it."""
    await render(desk(world), tenant.id, UUID(announcement_id))
    return await tenant.read(f"/announcements/{announcement_id}/")
