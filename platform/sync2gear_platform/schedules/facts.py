"""All that zones' sound follows from, read for many zones at once, as the resolver takes it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import and_, or_
from sqlmodel import col, select

from sync2gear_platform.channels import model as channels
from sync2gear_platform.channels import stock, trees
from sync2gear_platform.channels.model import Piece
from sync2gear_platform.channels.stock import Stock
from sync2gear_platform.channels.tables import ChannelItem
from sync2gear_platform.channels.trees import Tree
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.db import widened
from sync2gear_platform.schedules import places, reading, speech
from sync2gear_platform.schedules.model import Breadth, Calendars, Quiet, Schedule
from sync2gear_platform.schedules.places import Place, Target
from sync2gear_platform.schedules.reading import Wish
from sync2gear_platform.schedules.resolver import Facts
from sync2gear_platform.schedules.speech import Speech
from sync2gear_platform.schedules.tables import (
    Calendar,
    DayPart,
    PriorityLevel,
    ScheduleCalendar,
    ScheduleTarget,
)
from sync2gear_platform.schedules.tables import Schedule as Row
from sync2gear_platform.sites.tables import Location, Zone


@dataclass(frozen=True, slots=True)
class _Here:
    """A zone with what its location says; nothing is planned where it is not in use."""

    place: Place
    timezone: str
    country: str
    in_use: bool
    quiet: tuple[Quiet, ...]


@dataclass(frozen=True, slots=True)
class _Shelf:
    """What schedules name, for all zones of a batch."""

    tree: Tree
    stock: Stock
    speech: Speech


async def gather(ctx: Ctx, zone_ids: Sequence[UUID]) -> dict[UUID, Facts]:
    """The facts of these zones, by zone, in about twenty queries however many there are.

    Zones that are not here are left out. Channels, messages, calendars and schedules that zones
    share are the same objects.
    """
    async with widened(ctx.db):
        here = await _zones(ctx, zone_ids)
        wishes = await _wishes(ctx, [one for one in here.values() if one.in_use])
        shelf = await _shelf(ctx, wishes)
        calendars = await _calendars(ctx, wishes)
    regional = shelf.stock.is_regional
    built: dict[str, Mapping[UUID, channels.Channel]] = {}
    shared: dict[tuple[UUID, Breadth], Schedule] = {}
    found = {}
    for zone_id, one in here.items():
        country = one.country if regional else ""
        if country not in built:
            built[country] = _channels(shelf, wishes, country)
        found[zone_id] = Facts(
            zone=zone_id,
            tz=ZoneInfo(one.timezone),
            schedules=_schedules(one, wishes, shared),
            channels=built[country],
            messages=shelf.speech.messages,
            calendars=calendars,
            quiet=one.quiet,
        )
    return found


async def outline(ctx: Ctx, zone_ids: Sequence[UUID]) -> dict[UUID, Facts]:
    """The facts of these zones without any sound: what is wanted when, and by whom."""
    async with widened(ctx.db):
        here = await _zones(ctx, zone_ids)
        wishes = await _wishes(ctx, [one for one in here.values() if one.in_use])
        calendars = await _calendars(ctx, wishes)
    shared: dict[tuple[UUID, Breadth], Schedule] = {}
    return {
        zone_id: Facts(
            zone=zone_id,
            tz=ZoneInfo(one.timezone),
            schedules=_schedules(one, wishes, shared),
            channels={},
            calendars=calendars,
        )
        for zone_id, one in here.items()
    }


async def zones_of(ctx: Ctx, schedule_ids: Collection[UUID]) -> set[UUID]:
    """The zones for which any of these schedules is meant, be it active or not."""
    named = select(ScheduleTarget).where(
        col(ScheduleTarget.client_id) == ctx.client_id,
        col(ScheduleTarget.schedule_id).in_(schedule_ids),
    )
    targets: dict[UUID, list[Target]] = {}
    for row in await ctx.db.exec(named):
        targets.setdefault(row.schedule_id, []).append(reading.target_of(row))
    if not targets:
        return set()
    zones = select(Zone.id, Zone.location_id, Zone.floor_id, Zone.tags).where(
        col(Zone.client_id) == ctx.client_id
    )
    async with widened(ctx.db):
        everywhere = [_place(*row) for row in (await ctx.db.execute(zones)).all()]
    return {
        place.zone
        for place in everywhere
        if any(places.breadth(meant, place) for meant in targets.values())
    }


def _place(zone: UUID, location: UUID, floor: UUID | None, tags: Sequence[str]) -> Place:
    return Place(zone, location, floor, frozenset(tags))


async def _zones(ctx: Ctx, zone_ids: Sequence[UUID]) -> dict[UUID, _Here]:
    found = (
        select(Zone, Location.timezone, Location.country, Location.quiet_hours)
        .join(
            Location,
            (col(Location.client_id) == col(Zone.client_id))
            & (col(Location.id) == col(Zone.location_id)),
        )
        .where(col(Zone.client_id) == ctx.client_id, col(Zone.id).in_(zone_ids))
    )
    return {
        zone.id: _Here(
            _place(zone.id, zone.location_id, zone.floor_id, zone.tags),
            timezone,
            country,
            zone.is_active,
            reading.quiet_of(quiet if zone.quiet_hours is None else zone.quiet_hours),
        )
        for zone, timezone, country, quiet in (await ctx.db.execute(found)).all()
    }


async def _wishes(ctx: Ctx, here: Sequence[_Here]) -> list[Wish]:
    """The active schedules that are meant for any of these zones, the oldest first."""
    if not here:
        return []
    tags = {tag for one in here for tag in one.place.tags}
    meant = select(ScheduleTarget.schedule_id).where(
        col(ScheduleTarget.client_id) == ctx.client_id,
        col(ScheduleTarget.excluded).is_(False),
        or_(
            col(ScheduleTarget.scope) == "client",
            col(ScheduleTarget.location_id).in_({one.place.location for one in here}),
            col(ScheduleTarget.floor_id).in_({one.place.floor for one in here} - {None}),
            col(ScheduleTarget.zone_id).in_({one.place.zone for one in here}),
            and_(col(ScheduleTarget.scope) == "tag", col(ScheduleTarget.tag).in_(tags)),
        ),
    )
    found = (
        select(Row, DayPart, PriorityLevel.priority)
        .outerjoin(
            DayPart,
            (col(DayPart.client_id) == col(Row.client_id))
            & (col(DayPart.id) == col(Row.day_part_id)),
        )
        .outerjoin(
            PriorityLevel,
            (col(PriorityLevel.client_id) == col(Row.client_id))
            & (col(PriorityLevel.id) == col(Row.priority_level_id)),
        )
        .where(
            col(Row.client_id) == ctx.client_id,
            col(Row.is_active).is_(True),
            col(Row.id).in_(meant),
        )
        .order_by(col(Row.id))
    )
    rows = (await ctx.db.execute(found)).all()
    return await _completed(ctx, [(row[0], row[1], row[2]) for row in rows])


async def _completed(
    ctx: Ctx, rows: Sequence[tuple[Row, DayPart | None, int | None]]
) -> list[Wish]:
    """Schedules with their targets and calendars."""
    ids = [row.id for row, _, _ in rows]
    targets: dict[UUID, list[Target]] = {}
    named = select(ScheduleTarget).where(
        col(ScheduleTarget.client_id) == ctx.client_id, col(ScheduleTarget.schedule_id).in_(ids)
    )
    for target in await ctx.db.exec(named):
        targets.setdefault(target.schedule_id, []).append(reading.target_of(target))
    dated: dict[UUID, list[ScheduleCalendar]] = {}
    parts = (
        select(ScheduleCalendar)
        .where(
            col(ScheduleCalendar.client_id) == ctx.client_id,
            col(ScheduleCalendar.schedule_id).in_(ids),
        )
        .order_by(col(ScheduleCalendar.position), col(ScheduleCalendar.id))
    )
    for part in await ctx.db.exec(parts):
        dated.setdefault(part.schedule_id, []).append(part)
    return [
        Wish(row, day_part, level, tuple(targets.get(row.id, ())), tuple(dated.get(row.id, ())))
        for row, day_part, level in rows
    ]


async def _shelf(ctx: Ctx, wishes: Sequence[Wish]) -> _Shelf:
    named = {w.row.channel_id for w in wishes} - {None}
    tree = await trees.read(ctx, cast("set[UUID]", named))
    lines = list(tree.items())
    folder_ids = _ids(lines, wishes, "folder_id")
    return _Shelf(
        tree,
        await stock.take(ctx, _ids(lines, (), "track_id"), folder_ids),
        await speech.take(ctx, _ids(lines, wishes, "announcement_id"), folder_ids),
    )


def _ids(lines: Sequence[ChannelItem], wishes: Sequence[Wish], name: str) -> set[UUID]:
    found: set[Any] = {getattr(line, name) for line in lines}
    found |= {getattr(wish.row, name) for wish in wishes}
    return found - {None}


async def _calendars(ctx: Ctx, wishes: Sequence[Wish]) -> Calendars:
    named = {part.calendar_id for wish in wishes for part in wish.calendars}
    if not named:
        return Calendars()
    found = select(Calendar.id, Calendar.days).where(
        col(Calendar.client_id) == ctx.client_id, col(Calendar.id).in_(named)
    )
    return Calendars(
        {
            id_: frozenset(date.fromisoformat(day["day"]) for day in days)
            for id_, days in (await ctx.db.execute(found)).all()
        }
    )


def _channels(
    shelf: _Shelf, wishes: Sequence[Wish], country: str
) -> Mapping[UUID, channels.Channel]:
    """The music of all schedules as it may be played in one country."""

    def pieces_of(line: ChannelItem) -> tuple[Piece, ...]:
        return line_pieces(shelf.stock, shelf.speech, line, country)

    built: dict[UUID, channels.Channel] = {}
    for wish in wishes:
        channel_id, folder_id = wish.row.channel_id, wish.row.folder_id
        if channel_id is not None and channel_id in shelf.tree.channels:
            if channel_id not in built:
                built[channel_id] = trees.build(shelf.tree, channel_id, pieces_of)
        elif folder_id is not None and folder_id not in built:
            built[folder_id] = trees.of_folder(folder_id, shelf.stock.folder(folder_id, country))
    return built


def line_pieces(
    stocked: Stock, spoken: Speech, line: ChannelItem, country: str
) -> tuple[Piece, ...]:
    """What a line of a channel can sound like in a country."""
    if line.track_id is not None:
        return stocked.track(line.track_id, country)
    if line.folder_id is not None:
        said = spoken.pieces(spoken.folders.get(line.folder_id, ()))
        return (*stocked.folder(line.folder_id, country), *said)
    return spoken.pieces([line.announcement_id] if line.announcement_id else ())


def _schedules(
    here: _Here, wishes: Sequence[Wish], shared: dict[tuple[UUID, Breadth], Schedule]
) -> tuple[Schedule, ...]:
    if not here.in_use:
        return ()
    found = []
    for wish in wishes:
        narrow = places.breadth(wish.targets, here.place)
        if narrow is None:
            continue
        key = (wish.row.id, narrow)
        if key not in shared:
            shared[key] = reading.schedule_of(wish, narrow)
        found.append(shared[key])
    return tuple(found)
