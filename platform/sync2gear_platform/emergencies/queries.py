"""What speakers reported of an emergency, for screens."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, func, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlmodel import col

from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.emergencies import rules, service
from sync2gear_platform.emergencies.rules import Report
from sync2gear_platform.emergencies.schemas import EmergencySpeakerOut
from sync2gear_platform.emergencies.tables import EmergencyRow, EmergencyZone
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.clock import frames_of, moment_of
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.paging import Page, Window, page
from sync2gear_platform.playback.tables import PlayEventRow
from sync2gear_platform.sites.tables import Device, DevicePresence, Zone

_EARLY: Final = FRAME_RATE
"""A speaker whose clock is ahead may have begun so much sooner."""

_LATE: Final = 60 * FRAME_RATE
"""The all-clear may reach a speaker so much later, which began another round meanwhile."""

_PRESENCE: Final = (col(DevicePresence.online), col(DevicePresence.state))


async def speakers(ctx: Ctx, window: Window, emergency_id: UUID) -> Page[EmergencySpeakerOut]:
    """The speakers of its zones within reach by name, with what each reported.

    Those that stand there now and did before it was over, and those that reported from there.
    """
    row = await rows.find(ctx, EmergencyRow, emergency_id)
    over = service.is_over(row, ctx.now)
    ended = (row.cleared_at or row.ends_at or ctx.now) if over else ctx.now
    said = _said(ctx, row, frames_of(ended)).subquery()
    zones = select(col(EmergencyZone.zone_id)).where(
        col(EmergencyZone.client_id) == ctx.client_id, col(EmergencyZone.emergency_id) == row.id
    )
    stands_there = col(Device.zone_id).in_(zones) & (col(Device.created_at) <= ended)
    statement = (
        select(Device, col(Zone.id), col(Zone.name), *_PRESENCE)
        .add_columns(*said.c)
        .outerjoin(said, said.c.device_id == col(Device.id))
        .join(Zone, col(Zone.id) == func.coalesce(said.c.zone_id, col(Device.zone_id)))
        .outerjoin(DevicePresence, col(DevicePresence.device_id) == col(Device.id))
        .where(
            col(Device.client_id) == ctx.client_id,
            or_(said.c.device_id.is_not(None), stands_there & col(Device.revoked_at).is_(None)),
        )
    )
    return await page(
        ctx,
        window,
        statement,
        keys={"name": col(Device.name)},
        default="name",
        tiebreak=col(Device.id),
        search=(Device.name,),
        shape=lambda found: _shown(found, active=not over),
    )


def _said(ctx: Ctx, row: EmergencyRow, ended: int) -> Select[Any]:
    """One line for each speaker that reported: where it was last, its rounds, what it missed."""
    at, kind = col(PlayEventRow.at_frame), col(PlayEventRow.kind)
    latest = aggregate_order_by(col(PlayEventRow.zone_id), at.desc())
    reasons = aggregate_order_by(col(PlayEventRow.reason), at.desc())
    zones = select(col(EmergencyZone.zone_id)).where(
        col(EmergencyZone.client_id) == ctx.client_id, col(EmergencyZone.emergency_id) == row.id
    )
    return (
        select(
            col(PlayEventRow.device_id),
            func.array_agg(latest)[1].label("zone_id"),
            func.count().filter(kind == "started").label("rounds"),
            func.min(at).filter(kind == "started").label("first"),
            func.max(at).filter(kind != "missed").label("last"),
            func.array_agg(reasons).filter(kind == "missed")[1].label("reason"),
        )
        .where(
            col(PlayEventRow.client_id) == ctx.client_id,
            col(PlayEventRow.zone_id).in_(zones),
            at.between(frames_of(row.created_at) - _EARLY, ended + _LATE),
            col(PlayEventRow.item) == f"emergency:{row.gen}",
        )
        .group_by(col(PlayEventRow.device_id))
    )


def _shown(found: Row[*tuple[Any, ...]], *, active: bool) -> EmergencySpeakerOut:
    device, zone_id, zone, online, state = found[:5]
    faults = (state or {}).get("faults", ())
    report = Report(
        rounds=found.rounds or 0,
        missed=found.reason,
        unverified=any(fault.get("code") == rules.UNVERIFIED for fault in faults),
    )
    standing, reason = rules.standing(report, active=active)
    return EmergencySpeakerOut(
        device_id=device.id,
        name=device.name,
        zone_id=zone_id,
        zone=zone,
        online=bool(online),
        state=standing,
        reason=reason,
        rounds=report.rounds,
        first_at=None if found.first is None else moment_of(found.first),
        last_at=None if found.last is None else moment_of(found.last),
    )
