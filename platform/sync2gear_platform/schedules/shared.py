"""Use cases of what schedules share: calendars, day-parts and levels of priority."""

import asyncio
from datetime import timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select

from sync2gear_platform.audit import service as audit
from sync2gear_platform.kit import events, rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import Refusal
from sync2gear_platform.schedules import following, ical, rules, uses
from sync2gear_platform.schedules.tables import Calendar, DayPart, PriorityLevel, Schedule

Shared = TypeVar("Shared", Calendar, DayPart, PriorityLevel)
NOUNS = {Calendar: "calendar", DayPart: "day_part", PriorityLevel: "priority_level"}


BACK: Final = 366
AHEAD: Final = 5 * 366
"""For how many days an import looks back and ahead."""


class TooManyDays(Refusal):
    """A calendar has at most 2000 days: send a part of this, or replace what is there."""

    kind = "conflict"
    code = "too_many_days"


class NameTaken(Refusal):
    """Another one has this name already."""

    kind = "conflict"
    code = "name_taken"


async def create(ctx: Ctx, table: type[Shared], values: dict[str, Any]) -> Shared:
    """A new one, which nothing uses yet."""
    most = rules.MAX_LEVELS if table is PriorityLevel else rules.MAX_SHARED
    held = select(func.count()).where(col(table.client_id) == ctx.client_id)
    if (await ctx.db.execute(held)).scalar_one() >= most:
        raise rules.TooMany
    await _name_free(ctx, table, values["name"], None)
    row = rows.new(ctx, table, **values)
    await ctx.db.flush()
    noun = NOUNS[table]
    audit.record(ctx, f"{noun}.create", noun, row.id, after=values)
    await events.changed(ctx, noun, row.id)
    return row


async def update(
    ctx: Ctx, table: type[Shared], row_id: UUID, values: dict[str, Any], if_match: str | None
) -> Shared:
    """Change one; every schedule that uses it follows."""
    row = await rows.find(ctx, table, row_id, lock=True)
    rows.match(row, if_match)
    if "name" in values:
        await _name_free(ctx, table, values["name"], row_id)
    before = rows.change(ctx, row, values)
    await ctx.db.flush()
    noun = NOUNS[table]
    audit.record(ctx, f"{noun}.update", noun, row.id, before=before, after=values)
    await _told(ctx, row)
    return row


async def import_days(
    ctx: Ctx, calendar_id: UUID, data: bytes, *, replace: bool, if_match: str | None
) -> tuple[Calendar, int, list[tuple[str, ical.Reason]]]:
    """Put the days of an iCalendar file into a calendar, or (``replace``) instead of its own.

    A year back and five ahead; how many are new, and which events were left out and why. Raises
    :class:`ical.BadCalendar`, :class:`TooManyDays`.
    """
    today = ctx.now.date()
    first, last = today - timedelta(BACK), today + timedelta(AHEAD)
    # Reading strangers' text takes up to a second; a thread keeps the loop free.
    found = await asyncio.to_thread(ical.read, data, first, last)
    row = await rows.find(ctx, Calendar, calendar_id, lock=True)
    rows.match(row, if_match)
    before = {} if replace else {one["day"]: one["name"] for one in row.days}
    held = {one["day"] for one in row.days}
    merged = {day.isoformat(): name for day, name in found.days.items()} | before
    if len(merged) > rules.MAX_DAYS:
        raise TooManyDays
    days = [{"day": day, "name": merged[day]} for day in sorted(merged)]
    rows.change(ctx, row, {"days": days})
    await ctx.db.flush()
    new = len(merged.keys() - held)
    after = {"days": len(days), "new": new, "skipped": len(found.skipped)}
    audit.record(ctx, "calendar.import", "calendar", row.id, after=after)
    await _told(ctx, row)
    return row, new, found.skipped


async def remove(ctx: Ctx, table: type[Shared], row_id: UUID, if_match: str | None) -> None:
    """Remove one that no schedule uses."""
    row = await rows.find(ctx, table, row_id, lock=True)
    rows.match(row, if_match)
    await uses.refuse(ctx, row)
    noun = NOUNS[table]
    audit.record(ctx, f"{noun}.delete", noun, row.id, before=row.model_dump(mode="json"))
    await ctx.db.delete(row)
    await ctx.db.flush()
    await events.changed(ctx, noun, row_id)


async def _name_free(ctx: Ctx, table: type[Shared], name: str, row_id: UUID | None) -> None:
    taken = select(table.id).where(
        col(table.client_id) == ctx.client_id,
        col(table.name) == name,
        col(table.id).is_distinct_from(row_id),
    )
    if (await ctx.db.exec(taken)).first() is not None:
        raise NameTaken


async def _told(ctx: Ctx, row: Shared) -> None:
    using = select(Schedule.id).where(
        col(Schedule.client_id) == ctx.client_id,
        col(Schedule.is_active).is_(True),
        uses.naming(row),
    )
    await following.of_schedules(ctx, (await ctx.db.exec(using)).all())
    await events.changed(ctx, NOUNS[type(row)], row.id)
