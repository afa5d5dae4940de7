"""How early a command must be given: what the speakers of its zones have measured, and hold."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, exists, func, or_
from sqlmodel import col, select

from sync2gear_broker import messages as wire
from sync2gear_broker.messages.device import PREFIX_DIGITS
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.playback import rules
from sync2gear_platform.playback.queries import Score
from sync2gear_platform.playback.tables import PlayEventRow
from sync2gear_platform.sites.tables import Device, DevicePresence


async def lead(ctx: Ctx, found: Sequence[Score], needs: Sequence[rules.Need]) -> int:
    """Frames from now until every connected speaker of these zones can obey."""
    measured = col(DevicePresence.state)["ahead"].as_integer()
    statement = (
        select(func.count(), func.count(measured), func.max(measured))
        .select_from(Device)
        .join(DevicePresence, col(DevicePresence.device_id) == col(Device.id))
        .where(*_listeners(ctx, found))
    )
    connected, known, longest = (await ctx.db.exec(statement)).one()
    ahead = 0 if not connected else longest if known == connected else None
    return rules.lead(needs, ahead=ahead, zones=len(found))


async def need(ctx: Ctx, found: Sequence[Score], media: wire.Media) -> rules.Need:
    """Whether every speaker that is connected holds ``media``: says so, or has played it before."""
    played = exists().where(
        col(PlayEventRow.client_id) == ctx.client_id,
        col(PlayEventRow.sha256) == media.sha256,
        col(PlayEventRow.device_id) == col(Device.id),
        col(PlayEventRow.kind) != "missed",
    )
    says = col(DevicePresence.state)["prefetched"].contains([media.sha256[:PREFIX_DIGITS]])
    without = (
        select(func.count())
        .select_from(Device)
        .join(DevicePresence, col(DevicePresence.device_id) == col(Device.id))
        .where(*_listeners(ctx, found), ~or_(func.coalesce(says, False), played))
    )
    return rules.Need(media.bytes, cached=(await ctx.db.exec(without)).one() == 0)


def _listeners(ctx: Ctx, found: Sequence[Score]) -> tuple[ColumnElement[bool], ...]:
    """The speakers of these zones that are connected, of Device joined to DevicePresence."""
    return (
        col(Device.client_id) == ctx.client_id,
        col(Device.zone_id).in_([score.zone.id for score in found]),
        col(Device.revoked_at).is_(None),
        col(DevicePresence.online).is_(True),
    )
