"""Use cases of emergencies: preparing a message, raising it, and giving the all-clear."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func
from sqlmodel import col, select

from sync2gear_broker import messages as wire
from sync2gear_broker.messages import ZoneState
from sync2gear_broker.units import frames_from_millis
from sync2gear_platform.announcements import service as announcements
from sync2gear_platform.announcements.changes import look_again
from sync2gear_platform.announcements.playing import Where
from sync2gear_platform.announcements.tables import Announcement
from sync2gear_platform.audit import service as audit
from sync2gear_platform.emergencies.tables import EmergencyMessage, EmergencyRow, EmergencyZone
from sync2gear_platform.fleet import signing
from sync2gear_platform.fleet.tables import EmergencyKey
from sync2gear_platform.kit import events, rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.db import widened
from sync2gear_platform.kit.errors import Refusal
from sync2gear_platform.playback import service as playback
from sync2gear_platform.playback.queries import Score
from sync2gear_platform.sites import service as sites
from sync2gear_platform.sites.tables import Zone

MAX_MESSAGES: Final = 32
MAX_ZONES: Final = 5_000
"""An emergency is for a whole client, however large."""


class NameTaken(Refusal):
    """There is a message of this name: choose another name."""

    kind = "conflict"
    code = "name_taken"


class TooManyMessages(Refusal):
    """So many messages are prepared that nobody would find the right one: remove some."""

    kind = "conflict"
    code = "too_many_messages"


class EmergencyActive(Refusal):
    """An emergency is active: give the all-clear first."""

    kind = "conflict"
    code = "emergency_active"


class EmergencyOver(Refusal):
    """This emergency is over already."""

    kind = "conflict"
    code = "emergency_over"


@dataclass(frozen=True, slots=True)
class Raised:
    """An emergency with its zones, those within the reach of whoever asks."""

    row: EmergencyRow
    zone_ids: Sequence[UUID]


async def prepare(ctx: Ctx, values: dict[str, Any]) -> EmergencyMessage:
    """A message for one press. Devices learn the keys now, to know them when it counts."""
    counted = select(func.count()).where(col(EmergencyMessage.client_id) == ctx.client_id)
    if (await ctx.db.exec(counted)).one() >= MAX_MESSAGES:
        raise TooManyMessages(limit=MAX_MESSAGES)
    await _check(ctx, values, None)
    row = rows.new(ctx, EmergencyMessage, **values)
    await ctx.db.flush()
    await signing.ready(ctx)
    audit.record(ctx, "emergency_message.create", "emergency_message", row.id, after=values)
    await _at_hand(ctx, row.announcement_id)
    return row


async def change(
    ctx: Ctx, message_id: UUID, values: dict[str, Any], if_match: str | None
) -> EmergencyMessage:
    """Another name, announcement or volume; what sounds now goes on as it was raised."""
    row = await rows.find(ctx, EmergencyMessage, message_id, lock=True)
    rows.match(row, if_match)
    if not values:
        return row
    await _check(ctx, values, row.id)
    before = rows.change(ctx, row, values)
    await ctx.db.flush()
    audit.record(
        ctx, "emergency_message.update", "emergency_message", row.id, before=before, after=values
    )
    await _at_hand(ctx, row.announcement_id)
    return row


async def remove(ctx: Ctx, message_id: UUID, if_match: str | None) -> None:
    """A message that nobody raises any more. What is active goes on until its all-clear."""
    row = await rows.find(ctx, EmergencyMessage, message_id, lock=True)
    rows.match(row, if_match)
    await ctx.db.delete(row)
    await ctx.db.flush()
    audit.record(ctx, "emergency_message.delete", "emergency_message", row.id)


async def sound(
    ctx: Ctx,
    *,
    message_id: UUID,
    where: Where | None = None,
    drill: bool = False,
    minutes: int | None = None,
) -> Raised:
    """Raise a prepared message in these zones, or (None) in all; it is heard above all else.

    It goes on until its all-clear, or for ``minutes``. One that is active there gives way.
    """
    message = await rows.find(ctx, EmergencyMessage, message_id)
    media = await announcements.media_of(ctx, message.announcement_id)
    zones = await _zones(ctx, where)
    key = await signing.ready(ctx)
    ends_at = None if minutes is None else ctx.now + timedelta(minutes=minutes)
    row = rows.new(
        ctx, EmergencyRow, name=message.name, message_id=message.id, drill=drill,
        volume=message.volume, gen=await _generation(ctx), raised_by=_person(ctx), ends_at=ends_at,
        everywhere=where is None,
    )  # fmt: skip
    await ctx.db.flush()
    ctx.db.add_all(
        EmergencyZone(client_id=ctx.client_id, emergency_id=row.id, zone_id=zone) for zone in zones
    )
    voice = wire.Media(
        sha256=media.sha256, bytes=media.bytes, frames=media.frames, gain=media.gain,
        kind="announcement", title=message.name[:200],
    )  # fmt: skip

    def decide(score: Score, at: int) -> ZoneState:
        latch = wire.Emergency(
            gen=row.gen, active=True, start=at, volume=row.volume, media=voice, drill=drill,
            end=None if minutes is None else at + frames_from_millis(minutes * 60_000),
        )  # fmt: skip
        return _latched(key, score, latch)

    said = {"emergency": str(row.id), "name": row.name, "drill": drill}
    await playback.change(ctx, zones, "emergency", decide, said)
    audit.record(
        ctx, "drill.raise" if drill else "emergency.raise", "emergency", row.id,
        after={**said, "zones": [str(zone) for zone in zones], "ends_at": ends_at},
    )  # fmt: skip
    await events.changed(ctx, "emergency", row.id)
    return Raised(row, zones)


async def clear(ctx: Ctx, emergency_id: UUID) -> Raised:
    """The all-clear: wherever it is still the latest, all goes on as it would have without it.

    Who does not reach all of its zones cannot give it: some are not there for them.
    """
    row = await rows.find(ctx, EmergencyRow, emergency_id, lock=True)
    if is_over(row, ctx.now):
        raise EmergencyOver
    zones = await zones_of(ctx, row.id, all_of_them=True)
    key = await signing.ready(ctx)
    gen = await _generation(ctx)

    def decide(score: Score, at: int) -> ZoneState:
        before = score.state.emergency
        if before is None or before.gen != row.gen:
            return score.state  # a later one is active here
        latch = before.model_copy(update={"gen": gen, "active": False, "end": at})
        return _latched(key, score, latch)

    await playback.change(ctx, zones, "all_clear", decide, {"emergency": str(row.id)})
    rows.change(ctx, row, {"cleared_at": ctx.now, "cleared_by": _person(ctx)})
    await ctx.db.flush()
    audit.record(
        ctx, "drill.clear" if row.drill else "emergency.clear", "emergency", row.id,
        after={"name": row.name},
    )  # fmt: skip
    await events.changed(ctx, "emergency", row.id)
    return Raised(row, zones)


async def renew_key(ctx: Ctx) -> EmergencyKey:
    """Another key for what is raised from now on; refused while an emergency is active."""
    active = select(func.count()).where(
        col(EmergencyRow.client_id) == ctx.client_id,
        col(EmergencyRow.cleared_at).is_(None),
        func.coalesce(col(EmergencyRow.ends_at) > ctx.now, True),
    )
    if (await ctx.db.exec(active)).one():
        raise EmergencyActive
    key = await signing.renew(ctx)
    audit.record(ctx, "emergency_key.create", "emergency_key", key.id)
    return key


async def zones_of(ctx: Ctx, emergency_id: UUID, *, all_of_them: bool = False) -> list[UUID]:
    """Its zones within reach, or all of them."""
    statement = (
        select(EmergencyZone.zone_id)
        .where(
            col(EmergencyZone.client_id) == ctx.client_id,
            col(EmergencyZone.emergency_id) == emergency_id,
        )
        .order_by(col(EmergencyZone.zone_id))
    )
    if not all_of_them:
        return list(await ctx.db.exec(statement))
    async with widened(ctx.db):
        return list(await ctx.db.exec(statement))


def is_over(row: EmergencyRow, now: datetime) -> bool:
    """Whether nothing of it is heard any more."""
    return row.cleared_at is not None or (row.ends_at is not None and row.ends_at <= now)


def _latched(key: Ed25519PrivateKey, score: Score, latch: wire.Emergency) -> ZoneState:
    signed = signing.signed(key, score.zone.id, latch)
    return score.state.model_copy(update={"emergency": signed})


async def _zones(ctx: Ctx, where: Where | None) -> list[UUID]:
    if where is None:
        everywhere = select(Zone.id).where(col(Zone.client_id) == ctx.client_id)
        zones = list(await ctx.db.exec(everywhere.order_by(col(Zone.id)).limit(MAX_ZONES + 1)))
        if not zones:
            raise sites.NoZones
        if len(zones) > MAX_ZONES:
            raise sites.TooManyZones
        return zones
    found = await sites.zones_of(
        ctx, zone_ids=where.zone_ids, floor_ids=where.floor_ids,
        location_ids=where.location_ids, most=MAX_ZONES,
    )  # fmt: skip
    return [zone.id for zone in found]


async def _generation(ctx: Ctx) -> int:
    """Above all before, also above those that devices keep of a database that was restored."""
    highest = select(func.max(col(EmergencyRow.gen))).where(
        col(EmergencyRow.client_id) == ctx.client_id
    )
    async with widened(ctx.db):
        before = (await ctx.db.exec(highest)).one() or 0
    return max(before + 1, int(ctx.now.timestamp() * 1000))


async def _check(ctx: Ctx, values: dict[str, Any], own: UUID | None) -> None:
    if "name" in values:
        same = select(EmergencyMessage.id).where(
            col(EmergencyMessage.client_id) == ctx.client_id,
            col(EmergencyMessage.name) == values["name"],
        )
        if set(await ctx.db.exec(same)) - {own}:
            raise NameTaken
    if "announcement_id" in values:
        await announcements.media_of(ctx, values["announcement_id"])


async def _at_hand(ctx: Ctx, announcement_id: UUID) -> None:
    """Speakers hold it before anybody raises it."""
    sound = await rows.find(ctx, Announcement, announcement_id, lock=True)
    if not sound.prefetch:
        rows.change(ctx, sound, {"prefetch": True})
    await look_again(ctx)


def _person(ctx: Ctx) -> UUID | None:
    return ctx.actor.id if ctx.actor.kind == "user" else None
