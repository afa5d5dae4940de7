"""Reading zones: their documents, the programmes these name, and what a screen shows of them."""

from collections import OrderedDict
from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Literal, TypeVar, cast
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select

from sync2gear_broker import timeline
from sync2gear_broker.messages import Programme, ZoneState
from sync2gear_broker.timeline import Settled
from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.channels.tables import Channel
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import NotFound
from sync2gear_platform.library.tables import Folder
from sync2gear_platform.playback import choices
from sync2gear_platform.playback.engine import Programmes
from sync2gear_platform.playback.schemas import (
    ChosenOut,
    MusicOut,
    SegmentOut,
    SpeakersOut,
    ZoneView,
)
from sync2gear_platform.playback.tables import ProgrammeRow, ZonePlayback
from sync2gear_platform.sites.tables import Device, DevicePresence, Zone

HORIZON: Final = 1200 * FRAME_RATE
LINGERS: Final = 8 * FRAME_RATE
"""A stop that ends sooner has been ended by somebody, with the lead that speakers need."""

MAX_SEGMENTS: Final = 50
"""How far a view reaches, in frames and in pieces, whichever comes first."""

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(OrderedDict[K, V], Generic[K, V]):
    """The ``size`` values used last. Only for what never changes under its key."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size

    def recall(self, key: K) -> V | None:
        """The value, which is thereby the most recent one."""
        if key not in self:
            return None
        self.move_to_end(key)
        return self[key]

    def keep(self, key: K, value: V) -> V:
        """Remember ``value`` and forget the one that nobody used for longest."""
        self[key] = value
        if len(self) > self._size:
            self.popitem(last=False)
        return value


_programmes: Recent[str, Programme] = Recent(64)
_settled: Recent[tuple[str, int, int], Settled] = Recent(512)


@dataclass(frozen=True, slots=True)
class Score:
    """A zone with its document and the programmes that this names. ``row`` None: never played."""

    zone: Zone
    row: ZonePlayback | None
    state: ZoneState
    programmes: Programmes


async def scores(
    ctx: Ctx, zone_ids: Sequence[UUID] | None, *, lock: bool = False, missing_ok: bool = False
) -> list[Score]:
    """These zones, or all of the client, in the order of their ids.

    ``lock`` keeps others from changing them until the transaction ends. ``NotFound`` if one of
    ``zone_ids`` is not there, unless ``missing_ok``.
    """
    statement = select(Zone).where(col(Zone.client_id) == ctx.client_id).order_by(col(Zone.id))
    if zone_ids is not None:
        statement = statement.where(col(Zone.id).in_(zone_ids))
    if lock:
        statement = statement.with_for_update(key_share=True)
    zones = list((await ctx.db.exec(statement)).all())
    if zone_ids is not None and len(zones) < len(set(zone_ids)) and not missing_ok:
        raise NotFound("There is no such zone here.")
    found = select(ZonePlayback).where(col(ZonePlayback.zone_id).in_([z.id for z in zones]))
    rows = {row.zone_id: row for row in (await ctx.db.exec(found)).all()}
    states = {z.id: state_of(z, rows.get(z.id)) for z in zones}
    held = await programmes(ctx, {r.sha256 for s in states.values() for r in s.programmes})
    return [Score(z, rows.get(z.id), states[z.id], named(held, states[z.id])) for z in zones]


def named(held: Programmes, state: ZoneState) -> Programmes:
    """Those of these programmes that a state names."""
    return {r.sha256: held[r.sha256] for r in state.programmes if r.sha256 in held}


def state_of(zone: Zone, row: ZonePlayback | None) -> ZoneState:
    """The zone's document; for one that was never played, the one that it begins from."""
    if row is not None:
        return ZoneState.model_validate(row.document)
    return ZoneState(zone=str(zone.id), epoch=1, rev=1, volume=zone.default_volume)


async def programmes(ctx: Ctx, hashes: Iterable[str]) -> dict[str, Programme]:
    """The programmes of this client with these hashes."""
    found: dict[str, Programme] = {}
    missing = []
    for sha256 in hashes:
        known = _programmes.recall(sha256)
        if known is None:
            missing.append(sha256)
        else:
            found[sha256] = known
    if missing:
        statement = select(ProgrammeRow).where(
            col(ProgrammeRow.client_id) == ctx.client_id, col(ProgrammeRow.sha256).in_(missing)
        )
        for row in (await ctx.db.exec(statement)).all():
            found[row.sha256] = _programmes.keep(row.sha256, Programme.parse(row.body))
    return found


async def views(ctx: Ctx, zone_ids: Sequence[UUID] | None, frame: int) -> list[ZoneView]:
    """What these zones, or all, sound from ``frame`` on."""
    found = await scores(ctx, zone_ids)
    return await shown(ctx, found, frame)


async def existing_views(ctx: Ctx, zone_ids: Sequence[UUID] | None, frame: int) -> list[ZoneView]:
    """As :func:`views`, without those zones that are gone."""
    return await shown(ctx, await scores(ctx, zone_ids, missing_ok=True), frame)


async def shown(ctx: Ctx, found: Sequence[Score], frame: int) -> list[ZoneView]:
    """``found`` as screens show them, in the order of their names."""
    counts = await _speakers(ctx, [s.zone.id for s in found])
    order = sorted(found, key=lambda s: (s.zone.name.casefold(), s.zone.id))
    views = [_view(s, frame, counts.get(s.zone.id, (0, 0))) for s in order]
    for table, kind in ((Channel, "channel"), (Folder, "folder")):
        mine = [one for view in views for one in view.chosen if one.kind == kind]
        if mine:
            names = await _names(ctx, table, {one.id for one in mine})
            for one in mine:
                one.name = names.get(one.id, "")
    return views


async def _names(ctx: Ctx, table: Any, ids: Iterable[UUID | None]) -> dict[UUID | None, str]:
    statement = select(table.id, table.name).where(
        col(table.client_id) == ctx.client_id, col(table.id).in_(ids)
    )
    return {row[0]: row[1] for row in await ctx.db.exec(statement)}


async def _speakers(ctx: Ctx, zone_ids: Sequence[UUID]) -> dict[UUID, tuple[int, int]]:
    statement = (
        select(
            Device.zone_id,
            func.count().filter(col(DevicePresence.online)),
            func.count(),
        )
        .outerjoin(DevicePresence, col(DevicePresence.device_id) == col(Device.id))
        .where(
            col(Device.client_id) == ctx.client_id,
            col(Device.zone_id).in_(zone_ids),
            col(Device.revoked_at).is_(None),
        )
        .group_by(col(Device.zone_id))
    )
    return {z: (on, all_) for z, on, all_ in (await ctx.db.exec(statement)).all() if z is not None}


def settle(score: Score) -> Settled:
    """What the zone's documents come to, worked out once for each version of its state."""
    key = (score.state.zone, score.state.epoch, score.state.rev)
    whole = len(score.programmes) == len({r.sha256 for r in score.state.programmes})
    if score.row is None or not whole:
        return timeline.settle(score.programmes, score.state)
    known = _settled.recall(key)
    return known or _settled.keep(key, timeline.settle(score.programmes, score.state))


def _view(score: Score, frame: int, speakers: tuple[int, int]) -> ZoneView:
    state, row = score.state, score.row
    settled = settle(score)
    segments, until = _segments(settled, frame)
    music = _music(settled, frame)
    shown = {one.item for one in segments} | ({music.item} if music else set())
    return ZoneView(
        zone_id=score.zone.id,
        name=score.zone.name,
        epoch=state.epoch,
        rev=state.rev,
        status=_status(state, frame),
        volume=state.volume,
        mute=state.mute,
        folder_id=row.folder_id if row else None,
        shuffle=row.shuffle if row else False,
        frame=frame,
        until=until,
        music=music,
        segments=segments,
        chosen=_chosen(score.programmes, shown),
        drill=_is_drill(state, frame),
        speakers=SpeakersOut(online=speakers[0], total=speakers[1]),
    )


def _is_drill(state: ZoneState, frame: int) -> bool:
    latch = state.emergency
    if latch is None or not (latch.active and latch.drill):
        return False
    return latch.end is None or frame < latch.end


def _status(state: ZoneState, frame: int) -> Literal["playing", "paused", "stopped", "idle"]:
    """What people asked for, without waiting for the lead: an open end is what counts."""
    if state.anchor is None or not state.programmes:
        return "idle"
    stopped = state.stopped
    if stopped is not None and (stopped.until is None or stopped.until > frame + LINGERS):
        return "stopped"
    held = state.hold is not None and state.hold.until is None
    return "paused" if held else "playing"


def _music(settled: Settled, frame: int) -> MusicOut | None:
    at = timeline.music_at(settled, frame)
    if at is None or at.silent:
        return None
    return MusicOut(
        item=at.block,
        title=at.media.title,
        artist=at.media.artist,
        sha256=at.media.sha256,
        offset=at.offset,
        duration=at.media.frames,
        running=at.running,
    )


def _chosen(programmes: Programmes, shown: Collection[str]) -> list[ChosenOut]:
    """What people chose of the blocks ``shown``, without its name."""
    sources = {
        block.id: block.source
        for programme in programmes.values()
        for block in programme.blocks
        if block.id in shown and choices.is_kind(block.source)
    }
    found = []
    for item, source in sorted(sources.items()):
        kind, id_ = choices.named(source)
        found.append(ChosenOut(item=item, kind=cast("Any", kind), id=id_, name=""))
    return found


def _segments(settled: Settled, frame: int) -> tuple[list[SegmentOut], int]:
    until = frame + HORIZON
    found = timeline.segments(settled, frame, until, MAX_SEGMENTS)
    if len(found) > MAX_SEGMENTS:
        until = found[MAX_SEGMENTS].start
    shown = [
        SegmentOut(
            role=one.role,
            item=one.item,
            title=one.media.title,
            artist=one.media.artist,
            sha256=one.media.sha256,
            kind=one.media.kind,
            start=one.start,
            end=min(one.end, until),
            offset=one.offset,
            duration=one.media.frames,
        )
        for one in found
        if one.start < until
    ]
    return shown, until
