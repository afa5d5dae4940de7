"""Use cases of schedules: making, changing, switching and removing them."""

from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, func
from sqlmodel import col, select

from sync2gear_platform.announcements.tables import Announcement
from sync2gear_platform.audit import service as audit
from sync2gear_platform.channels.tables import Channel
from sync2gear_platform.kit import events, rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.db import Owned
from sync2gear_platform.kit.errors import NotFound
from sync2gear_platform.library import folders
from sync2gear_platform.schedules import changes, facts, ical, rules
from sync2gear_platform.schedules.tables import (
    Calendar,
    DayPart,
    PriorityLevel,
    Schedule,
    ScheduleCalendar,
    ScheduleTarget,
)
from sync2gear_platform.sites.tables import Floor, Location, Zone

PLACES: Final[tuple[tuple[str, str, type[Owned]], ...]] = (
    ("location_ids", "location", Location), ("floor_ids", "floor", Floor),
    ("zone_ids", "zone", Zone),
)  # fmt: skip
WHERE: Final = ("everywhere", "location_ids", "floor_ids", "zone_ids", "tags", "exceptions")
DATED: Final = ("only_calendar_ids", "never_calendar_ids", "special_days")
_NAMED: Final[tuple[tuple[str, type[Owned]], ...]] = (
    ("channel_id", Channel), ("announcement_id", Announcement), ("day_part_id", DayPart),
    ("priority_level_id", PriorityLevel),
)  # fmt: skip


async def create(ctx: Ctx, values: dict[str, Any]) -> Schedule:
    """A new schedule; where it holds it is heard as soon as programmes are worked out."""
    held = select(func.count()).where(col(Schedule.client_id) == ctx.client_id)
    if (await ctx.db.execute(held)).scalar_one() >= rules.MAX_SCHEDULES:
        raise rules.TooMany
    own, where, dated = _parted(rules.translated(values, {}))
    if not _named(where):
        raise rules.NoTarget
    own = {"priority": rules.PRIORITIES[own["type"]], "start": {}, "limits": {}} | own
    await _check(ctx, own, own, is_new=True)
    row = rows.new(
        ctx, Schedule, created_by=ctx.actor.id if ctx.actor.kind == "user" else None, **own
    )
    await ctx.db.flush()
    await _targets(ctx, row, where)
    await _calendars(ctx, row, dated)
    audit.record(ctx, "schedule.create", "schedule", row.id, after=values)
    await _told(ctx, row, set())
    return row


async def update(
    ctx: Ctx, schedule_id: UUID, values: dict[str, Any], if_match: str | None
) -> Schedule:
    """Change what ``values`` names; of targets and calendars each list as a whole."""
    row = await rows.find(ctx, Schedule, schedule_id, lock=True)
    rows.match(row, if_match)
    zones = await facts.zones_of(ctx, [row.id]) if row.is_active else set()
    own, where, dated = _parted(rules.translated(values, row.model_dump()))
    if any(own.get(name) is not None for name in rules.SUBJECTS):
        own = {**dict.fromkeys(rules.SUBJECTS), **own}
    if own.get("start_time") is not None or own.get("end_time") is not None:
        own = {"day_part_id": None, **own}
    await _check(ctx, {**row.model_dump(), **own}, own, is_new=False)
    before = rows.change(ctx, row, own)
    await ctx.db.flush()
    if where:
        now = await targets(ctx, [row.id])
        merged = {**shown_targets(now.get(row.id, [])), **where}
        if not _named(merged):
            raise rules.NoTarget
        await _targets(ctx, row, merged)
    if dated:
        parts = await calendars(ctx, [row.id])
        await _calendars(ctx, row, {**shown_calendars(parts.get(row.id, [])), **dated})
    audit.record(ctx, "schedule.update", "schedule", row.id, before=before, after=values)
    await _told(ctx, row, zones)
    return row


async def toggle(ctx: Ctx, schedule_id: UUID, if_match: str | None) -> Schedule:
    """Switch a schedule on or off, whichever it is not."""
    row = await rows.find(ctx, Schedule, schedule_id, lock=True)
    rows.match(row, if_match)
    before = rows.change(ctx, row, {"is_active": not row.is_active})
    await ctx.db.flush()
    after = {"is_active": row.is_active}
    audit.record(ctx, "schedule.toggle", "schedule", row.id, before=before, after=after)
    await _told(ctx, row, await facts.zones_of(ctx, [row.id]))
    return row


async def remove(ctx: Ctx, schedule_id: UUID, if_match: str | None) -> None:
    """Remove a schedule; what it plays stays."""
    row = await rows.find(ctx, Schedule, schedule_id, lock=True)
    rows.match(row, if_match)
    zones = await facts.zones_of(ctx, [row.id]) if row.is_active else set()
    audit.record(ctx, "schedule.delete", "schedule", row.id, before=row.model_dump(mode="json"))
    await ctx.db.delete(row)
    await ctx.db.flush()
    changes.changed(ctx, zones)
    await events.changed(ctx, "schedule", schedule_id)


async def targets(ctx: Ctx, schedule_ids: Collection[UUID]) -> dict[UUID, list[ScheduleTarget]]:
    """Where these schedules hold, and where they do not."""
    found = select(ScheduleTarget).where(
        col(ScheduleTarget.client_id) == ctx.client_id,
        col(ScheduleTarget.schedule_id).in_(schedule_ids),
    )
    by_schedule: dict[UUID, list[ScheduleTarget]] = {}
    for row in await ctx.db.exec(found.order_by(col(ScheduleTarget.id))):
        by_schedule.setdefault(row.schedule_id, []).append(row)
    return by_schedule


async def calendars(ctx: Ctx, schedule_ids: Collection[UUID]) -> dict[UUID, list[ScheduleCalendar]]:
    """Which calendars these schedules name, in their order."""
    found = select(ScheduleCalendar).where(
        col(ScheduleCalendar.client_id) == ctx.client_id,
        col(ScheduleCalendar.schedule_id).in_(schedule_ids),
    )
    by_schedule: dict[UUID, list[ScheduleCalendar]] = {}
    order = (col(ScheduleCalendar.position), col(ScheduleCalendar.id))
    for row in await ctx.db.exec(found.order_by(*order)):
        by_schedule.setdefault(row.schedule_id, []).append(row)
    return by_schedule


def shown_targets(found: Collection[ScheduleTarget]) -> dict[str, Any]:
    """Targets as they are sent and shown."""

    def named(excluded: bool) -> dict[str, Any]:
        mine = [one for one in found if one.excluded == excluded]
        ids = {
            key: [getattr(one, f"{scope}_id") for one in mine if one.scope == scope]
            for key, scope, _ in PLACES
        }
        return {**ids, "tags": [one.tag for one in mine if one.scope == "tag"]}

    everywhere = any(one.scope == "client" for one in found)
    return {"everywhere": everywhere, **named(False), "exceptions": named(True)}


def shown_calendars(found: Collection[ScheduleCalendar]) -> dict[str, Any]:
    """Calendars as they are sent and shown."""
    specials = [
        {"calendar_id": one.calendar_id, "start_time": one.start_time, "end_time": one.end_time}
        for one in found
        if one.part == "special"
    ]
    return {
        "only_calendar_ids": [one.calendar_id for one in found if one.part == "only"],
        "never_calendar_ids": [one.calendar_id for one in found if one.part == "never"],
        "special_days": specials,
    }


def _parted(
    values: dict[str, Any],
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """What is the schedule's own, where it holds, and on which calendars."""
    values = {name: value for name, value in values.items() if name != "content_type"}
    where = {str(name): values.pop(name) for name in WHERE if name in values}
    dated = {str(name): values.pop(name) for name in DATED if name in values}
    return values, where, dated


def _named(where: dict[str, Any]) -> bool:
    """Whether any place at all is named."""
    return any(where.get(name) for name in WHERE if name != "exceptions")


async def _check(ctx: Ctx, whole: dict[str, Any], given: dict[str, Any], *, is_new: bool) -> None:
    """Refuse what no schedule can be, and what is not here."""
    hours = given.get("start_time") is not None or given.get("end_time") is not None
    if given.get("day_part_id") is not None and hours:
        raise rules.TwoSpans
    rules.check(whole, is_new=is_new)
    if given.get("recurrence"):
        ical.recurrence(given["recurrence"])
    for name, table in _NAMED:
        if given.get(name) is not None:
            await rows.find(ctx, table, given[name])
    if given.get("folder_id") is not None:
        await folders.of_type(ctx, given["folder_id"], "music")


async def _targets(ctx: Ctx, row: Schedule, where: dict[str, Any]) -> None:
    """Write where a schedule holds, instead of what stood; ``NotFound`` for what is not here."""
    mine = (
        col(ScheduleTarget.client_id) == ctx.client_id,
        col(ScheduleTarget.schedule_id) == row.id,
    )
    await ctx.db.execute(delete(ScheduleTarget).where(*mine))
    if where.get("everywhere"):
        rows.new(ctx, ScheduleTarget, schedule_id=row.id, scope="client")
    for excluded, named in ((False, where), (True, where.get("exceptions") or {})):
        for key, scope, table in PLACES:
            await _are_here(ctx, table, named.get(key, ()))
            for id_ in named.get(key, ()):
                place = {f"{scope}_id": id_}
                rows.new(
                    ctx, ScheduleTarget, schedule_id=row.id, scope=scope, excluded=excluded,
                    **place,
                )  # fmt: skip
        for tag in named.get("tags", ()):
            rows.new(
                ctx, ScheduleTarget, schedule_id=row.id, scope="tag", excluded=excluded, tag=tag
            )
    await ctx.db.flush()


async def _are_here(ctx: Ctx, table: type[Owned], ids: Collection[UUID]) -> None:
    """``NotFound`` as of :func:`rows.find` where one of these is not; one query for all."""
    found = select(table.id).where(col(table.client_id) == ctx.client_id, col(table.id).in_(ids))
    if ids and len(set(await ctx.db.exec(found))) < len(set(ids)):
        raise NotFound(f"There is no such {table.__name__.lower()} here.", code="not_found")


async def _calendars(ctx: Ctx, row: Schedule, dated: dict[str, Any]) -> None:
    """Write which calendars a schedule names, instead of what stood."""
    mine = (
        col(ScheduleCalendar.client_id) == ctx.client_id,
        col(ScheduleCalendar.schedule_id) == row.id,
    )
    await ctx.db.execute(delete(ScheduleCalendar).where(*mine))
    lines: list[dict[str, Any]] = [
        {"part": part, "calendar_id": id_}
        for part in ("only", "never")
        for id_ in dated.get(f"{part}_calendar_ids", ())
    ]
    lines += [{"part": "special", **one} for one in dated.get("special_days", ())]
    await _are_here(ctx, Calendar, [line["calendar_id"] for line in lines])
    for position, line in enumerate(lines):
        rows.new(ctx, ScheduleCalendar, schedule_id=row.id, position=position, **line)
    await ctx.db.flush()


async def _told(ctx: Ctx, row: Schedule, before: set[UUID]) -> None:
    """Mark the zones in which it was heard, or is now."""
    now = await facts.zones_of(ctx, [row.id]) if row.is_active else set()
    changes.changed(ctx, before | now)
    await events.changed(ctx, "schedule", row.id)
