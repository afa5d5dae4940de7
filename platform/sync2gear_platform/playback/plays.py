"""Plays: what was asked to be heard at once, and what became of it on every speaker."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, literal, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from sync2gear_broker.messages import LiveEvent
from sync2gear_broker.units import FRAME_RATE, micros_from_frames
from sync2gear_platform.kit import events
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import NotFound
from sync2gear_platform.playback import outcomes
from sync2gear_platform.playback.outcomes import Facts
from sync2gear_platform.playback.play_schemas import PlayTree, SpeakerReceipt, ZoneReceipts
from sync2gear_platform.playback.tables import Play, PlayEventRow, PlaySpeaker, PlayZone
from sync2gear_platform.sites.tables import Device, DevicePresence, Zone

KEEP: Final = timedelta(days=90)
"""How long receipts are kept; the proof of play itself stays."""

_DAY: Final = 86_400 * FRAME_RATE
"""A speaker says what it missed under the frame at which it should have been; one that waited for
others began at most so much later."""

_EPOCH: Final = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class About:
    """What a play is of."""

    play_id: UUID
    title: str
    announcement_id: UUID | None = None


async def begin(ctx: Ctx, about: About, zone_ids: Sequence[UUID], event: LiveEvent) -> None:
    """Write down who should hear ``event``, in the transaction that lets it sound."""
    client = {"client_id": ctx.client_id}
    play = {
        **client, "id": about.play_id, "announcement_id": about.announcement_id,
        "title": about.title[:255], "created_at": ctx.now,
        "created_by": ctx.actor.id if ctx.actor.kind == "user" else None,
    }  # fmt: skip
    # without naming the key: to look for it would be to read, which a zone that is not there
    # yet would forbid to whom only some zones are within reach
    await ctx.db.execute(insert(Play).values(play).on_conflict_do_nothing())
    where = {**client, "play_id": about.play_id, "sha256": event.media.sha256,
             "start_frame": event.start, "frames": event.media.frames}  # fmt: skip
    await ctx.db.execute(insert(PlayZone), [{**where, "zone_id": z} for z in zone_ids])
    speakers = select(
        literal(ctx.client_id), literal(about.play_id), Device.id, Device.zone_id
    ).where(
        col(Device.client_id) == ctx.client_id,
        col(Device.zone_id).in_(zone_ids),
        col(Device.revoked_at).is_(None),
    )
    names = ["client_id", "play_id", "device_id", "zone_id"]
    await ctx.db.execute(insert(PlaySpeaker).from_select(names, speakers).on_conflict_do_nothing())


async def cancelled(ctx: Ctx, zone_id: UUID, event_id: str) -> None:
    """A person took it back in this zone; what is no play of ours is none of our business."""
    play_id = id_of(event_id)
    if play_id is None:
        return
    changed = await ctx.db.execute(
        update(PlayZone)
        .where(
            col(PlayZone.client_id) == ctx.client_id,
            col(PlayZone.play_id) == play_id,
            col(PlayZone.zone_id) == zone_id,
            col(PlayZone.cancelled_at).is_(None),
        )
        .values(cancelled_at=ctx.now)
        .returning(col(PlayZone.play_id))
    )
    if changed.first() is not None:
        await events.changed(ctx, "play", play_id)


async def collect(ctx: Ctx) -> int:
    """Forget the receipts of long ago. ``ctx`` is the system's."""
    gone = await ctx.db.execute(delete(Play).where(col(Play.created_at) < ctx.now - KEEP))
    return int(getattr(gone, "rowcount", 0))


def id_of(item: str) -> UUID | None:
    """The play that an event's id names, or None."""
    try:
        return UUID(hex=item) if len(item) == 32 else None
    except ValueError:
        return None


async def tree(ctx: Ctx, play_id: UUID) -> PlayTree:
    """What became of a play so far, in the zones within reach."""
    play = (
        await ctx.db.exec(
            select(Play).where(col(Play.client_id) == ctx.client_id, col(Play.id) == play_id)
        )
    ).one_or_none()
    if play is None:
        raise NotFound("There is no such play here.")
    found = await ctx.db.exec(
        select(PlayZone, Zone.name)
        .join(Zone, col(Zone.id) == col(PlayZone.zone_id))
        .where(col(PlayZone.client_id) == ctx.client_id, col(PlayZone.play_id) == play_id)
        .order_by(col(Zone.name), col(Zone.id))
    )
    zones = list(found.all())
    facts = await _facts(ctx, play_id, [zone for zone, _ in zones])
    shown = [_zone(ctx, zone, name, facts) for zone, name in zones]
    counts = Counter(one.state for zone in shown for one in zone.speakers)
    overs = [outcomes.over(z.start_frame, z.frames) for z, _ in zones]
    return PlayTree(
        id=play.id,
        announcement_id=play.announcement_id,
        title=play.title,
        created_at=play.created_at,
        over_at=moment_of(max(overs)) if overs else play.created_at,
        zones=shown,
        counts=dict(counts),
    )


async def _facts(
    ctx: Ctx, play_id: UUID, zones: Sequence[PlayZone]
) -> dict[tuple[UUID, UUID], tuple[str, Facts]]:
    """``(zone, device) -> (name, facts)``."""
    speakers = await ctx.db.exec(
        select(PlaySpeaker, Device.name, DevicePresence.online)
        .join(Device, col(Device.id) == col(PlaySpeaker.device_id))
        .outerjoin(DevicePresence, col(DevicePresence.device_id) == col(PlaySpeaker.device_id))
        .where(col(PlaySpeaker.client_id) == ctx.client_id, col(PlaySpeaker.play_id) == play_id)
    )
    found = {
        (one.zone_id, one.device_id): (
            name,
            Facts(received=one.received_frame, cached=one.cached_frame, online=bool(online)),
        )
        for one, name, online in speakers.all()
    }
    if not zones:
        return found
    starts = [zone.start_frame for zone in zones]
    hashes = {zone.zone_id: zone.sha256 for zone in zones}
    said = await ctx.db.exec(
        select(PlayEventRow)
        .where(
            col(PlayEventRow.client_id) == ctx.client_id,
            col(PlayEventRow.zone_id).in_(hashes),
            col(PlayEventRow.at_frame).between(min(starts) - FRAME_RATE, max(starts) + _DAY),
            col(PlayEventRow.item) == play_id.hex,
        )
        .order_by(col(PlayEventRow.at_frame), col(PlayEventRow.seq))
    )
    for event in said.all():
        key = event.zone_id, event.device_id
        # what another file said in its stead is not the announcement
        if key in found and event.sha256 == hashes[event.zone_id]:
            name, facts = found[key]
            found[key] = name, _said(facts, event)
    return found


def _said(facts: Facts, event: PlayEventRow) -> Facts:
    if event.kind == "missed":
        return replace(facts, missed=event.reason)
    if event.kind == "finished":
        return replace(facts, finished=event.at_frame, audible=event.audible)
    if facts.started is not None:
        return facts
    return replace(facts, started=event.at_frame, planned=event.planned_frame)


def _zone(
    ctx: Ctx, zone: PlayZone, name: str, facts: dict[tuple[UUID, UUID], tuple[str, Facts]]
) -> ZoneReceipts:
    mine = {device: known for (z, device), known in facts.items() if z == zone.zone_id}
    speakers = [
        _speaker(ctx, zone, device, called, one)
        for device, (called, one) in sorted(mine.items(), key=lambda i: (i[1][0], i[0]))
    ]
    return ZoneReceipts(
        zone_id=zone.zone_id,
        name=name,
        start_frame=zone.start_frame,
        starts_at=moment_of(zone.start_frame),
        state=outcomes.of_zone([one.state for one in speakers]),
        cancelled_at=zone.cancelled_at,
        speakers=speakers,
    )


def _speaker(ctx: Ctx, zone: PlayZone, device: UUID, name: str, facts: Facts) -> SpeakerReceipt:
    came = outcomes.outcome(
        facts,
        start=zone.start_frame,
        frames=zone.frames,
        now=ctx.frame,
        cancelled=zone.cancelled_at is not None,
    )
    return SpeakerReceipt(
        device_id=device,
        name=name,
        state=came.stage,
        reason=came.reason,
        received_at=_at(facts.received),
        cached_at=_at(facts.cached),
        started_at=_at(facts.started),
        finished_at=_at(facts.finished),
        late_millis=outcomes.lateness(facts),
    )


def moment_of(frame: int) -> datetime:
    """The instant of a frame of the zone clock."""
    return _EPOCH + timedelta(microseconds=micros_from_frames(frame))


def _at(frame: int | None) -> datetime | None:
    return None if frame is None else moment_of(frame)
