"""Which emergency messages use an announcement."""

from collections.abc import Collection
from uuid import UUID

from sqlmodel import col, select

from sync2gear_platform.emergencies.tables import EmergencyMessage
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.library.uses import MOST, Kind, Use


async def at_hand(ctx: Ctx) -> list[UUID]:
    """What can be raised: speakers hold it before anything else."""
    found = select(EmergencyMessage.announcement_id).where(
        col(EmergencyMessage.client_id) == ctx.client_id
    )
    return list(await ctx.db.exec(found))


async def uses(ctx: Ctx, kind: Kind, subjects: Collection[UUID]) -> list[Use]:
    """What is raised with such an announcement."""
    if kind != "announcement":
        return []
    found = (
        select(EmergencyMessage.id, EmergencyMessage.name)
        .where(
            col(EmergencyMessage.client_id) == ctx.client_id,
            col(EmergencyMessage.announcement_id).in_(subjects),
        )
        .order_by(col(EmergencyMessage.name))
        .limit(MOST)
    )
    return [Use("emergency_message", id_, name) for id_, name in await ctx.db.exec(found)]
