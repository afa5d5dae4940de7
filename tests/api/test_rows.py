"""One owned row, read to be changed: it is the newest there is."""

from uuid import UUID

from support.world import World
from sync2gear_platform.kit import rows
from sync2gear_platform.library.tables import Folder


async def test_a_locked_row_is_read_anew(world: World) -> None:
    tenant = await world.tenant()
    made = await tenant.make("/music/folders/", name="Before")
    folder_id = UUID(made["id"])
    async with world.ctx(tenant.id) as ctx:
        seen = await rows.find(ctx, Folder, folder_id)
        assert seen.name == "Before"
        changed = await tenant.http.patch(
            f"/api/v1/music/folders/{folder_id}/", json={"name": "After"}
        )
        assert changed.status_code == 200
        locked = await rows.find(ctx, Folder, folder_id, lock=True)
        assert (locked.name, locked.version) == ("After", 2)
