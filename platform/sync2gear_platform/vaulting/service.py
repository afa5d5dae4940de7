"""Use cases of the vault: having its contents put under the first key, and how far that is."""

from uuid import UUID

from sync2gear_platform.audit import service as audit
from sync2gear_platform.jobs import app as jobs
from sync2gear_platform.kit import rotation
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import NotFound
from sync2gear_platform.vaulting.tables import Rotation

ROTATE = "vaulting:rotate"
"""The task's name as jobs carry it."""


async def begin(ctx: Ctx) -> Rotation:
    """Have everything put under the first key, by a job. ``ctx`` is the system's."""
    total = await rotation.left(ctx.db, ctx.vault)
    row = Rotation(total=total, created_at=ctx.now)
    ctx.db.add(row)
    audit.record(ctx, "vault.rotate", "vault_rotation", row.id, after={"rows": total})
    await ctx.db.flush()
    await jobs.defer(ctx, ROTATE, lock=ROTATE, rotation_id=str(row.id))
    return row


async def find(ctx: Ctx, rotation_id: UUID) -> Rotation:
    """One rotation."""
    row = await ctx.db.get(Rotation, rotation_id)
    if row is None:
        raise NotFound("There is no such rotation.")
    return row
