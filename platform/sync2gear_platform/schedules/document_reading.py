"""What is there, in a document's words; and what names refer to, a query for each noun."""

from collections.abc import Collection, Mapping
from typing import Any, Final
from uuid import UUID

from sqlmodel import col, select

from sync2gear_platform.announcements.tables import Announcement
from sync2gear_platform.channels.schemas import ChannelSummaryOut
from sync2gear_platform.channels.tables import Channel, ChannelItem
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.library.tables import Folder, Track
from sync2gear_platform.schedules import document_rules as rules
from sync2gear_platform.schedules import queries
from sync2gear_platform.schedules.document_rules import Noun
from sync2gear_platform.schedules.schemas import ScheduleOut
from sync2gear_platform.schedules.shared_schemas import CalendarOut, DayPartOut, PriorityLevelOut
from sync2gear_platform.schedules.tables import Calendar, DayPart, PriorityLevel, Schedule
from sync2gear_platform.sites.tables import Floor, Location, Zone

TABLES: Final[Mapping[str, Any]] = {
    "priority_level": PriorityLevel, "day_part": DayPart, "calendar": Calendar,
    "channel": Channel, "schedule": Schedule, "folder": Folder, "announcement": Announcement,
    "track": Track, "location": Location, "floor": Floor, "zone": Zone,
}  # fmt: skip
"""Where each noun is kept."""

_SHARED: Final[Mapping[Noun, Any]] = {
    "priority_level": PriorityLevelOut, "day_part": DayPartOut, "calendar": CalendarOut,
}  # fmt: skip
_META: Final = {"id", "created_at", "updated_at"}
_SAME: Final = (
    "name", "type", "is_active", "start_time", "end_time", "first_date", "last_date", "recurrence",
    "when", "gap", "fold", "begin", "on_end", "start", "limits", "everywhere", "tags",
)  # fmt: skip
_PLACES: Final = {"location_ids": "locations", "floor_ids": "floors", "zone_ids": "zones"}


async def named(
    ctx: Ctx, noun: str, names: Collection[str], ids: Collection[UUID] = ()
) -> list[tuple[UUID, str]]:
    """``(id, name)`` of all that has one of these names or ids."""
    table = TABLES[noun]
    name = col(table.title if noun in {"announcement", "track"} else table.name)
    found = select(col(table.id), name).where(
        col(table.client_id) == ctx.client_id, name.in_(names) | col(table.id).in_(ids)
    )
    return [(id_, str(called)) for id_, called in (await ctx.db.execute(found)).all()]


async def all_ids(ctx: Ctx, noun: Noun) -> set[UUID]:
    """Every object of a noun."""
    table = TABLES[noun]
    found = select(table.id).where(col(table.client_id) == ctx.client_id)
    return set((await ctx.db.exec(found)).all())


async def held(
    ctx: Ctx, noun: Noun, ids: Collection[UUID], *, lock: bool = False
) -> dict[UUID, dict[str, Any]]:
    """These objects in a document's words, with ids for references; ``lock`` keeps them so."""
    if not ids:
        return {}
    table = TABLES[noun]
    statement = (
        select(table)
        .where(col(table.client_id) == ctx.client_id, col(table.id).in_(ids))
        .order_by(col(table.id))
    )
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    found = list((await ctx.db.exec(statement)).all())
    if noun == "schedule":
        shown = [_schedule(one) for one in await queries.several(ctx, found)]
    elif noun == "channel":
        shown = await _channels(ctx, found)
    else:
        shown = [
            _SHARED[noun].model_validate(one).model_dump(mode="json", exclude=_META)
            for one in found
        ]
    return {row.id: rules.settled(noun, values) for row, values in zip(found, shown, strict=True)}


def _schedule(one: ScheduleOut) -> dict[str, Any]:
    row = one.model_dump(mode="json")
    specials = [
        {"calendar": o["calendar_id"], "start_time": o["start_time"], "end_time": o["end_time"]}
        for o in row["special_days"]
    ]
    exceptions = row["exceptions"]
    return {
        **{name: row[name] for name in _SAME},
        "priority": row["priority"],
        "level": row["priority_level_id"],
        "channel": row["channel_id"],
        "folder": row["folder_id"],
        "announcement": row["announcement_id"],
        "day_part": row["day_part_id"],
        "days": [rules.DAYS[day] for day in row["days_of_week"]],
        "only_calendars": row["only_calendar_ids"],
        "never_calendars": row["never_calendar_ids"],
        "special_days": specials,
        **{ours: row[theirs] for theirs, ours in _PLACES.items()},
        "exceptions": {
            **{ours: exceptions[theirs] for theirs, ours in _PLACES.items()},
            "tags": exceptions["tags"],
        },
    }


async def _channels(ctx: Ctx, found: list[Channel]) -> list[dict[str, Any]]:
    lines: dict[UUID, list[ChannelItem]] = {}
    statement = select(ChannelItem).where(
        col(ChannelItem.client_id) == ctx.client_id,
        col(ChannelItem.channel_id).in_([row.id for row in found]),
    )
    for line in await ctx.db.exec(
        statement.order_by(col(ChannelItem.position), col(ChannelItem.id))
    ):
        lines.setdefault(line.channel_id, []).append(line)
    shown = []
    for row in found:
        mine = lines.get(row.id, [])
        numbers = {str(line.id): number for number, line in enumerate(mine, start=1)}
        values = ChannelSummaryOut.model_validate(row).model_dump(mode="json", exclude=_META)
        shown.append(
            {
                **values,
                "pattern": [numbers[turn] for turn in row.pattern if turn in numbers],
                "items": [line_of(line) for line in mine],
            }
        )
    return shown


def line_of(line: ChannelItem) -> dict[str, Any]:
    """A line of a channel in a document's words, with ids for references."""
    row = line.model_dump(mode="json")
    return {
        "track": row["track_id"],
        "folder": row["folder_id"],
        "announcement": row["announcement_id"],
        "channel": row["inner_channel_id"],
        **{name: row[name] for name in ("weight", "order", "after_tracks", "after_minutes")},
    }


async def names_of(ctx: Ctx, found: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Names of references that are ids; where another one has the name too, the id stands."""
    told: dict[tuple[str, str], str] = {}
    for noun in {noun for noun, _ in found}:
        ids = {UUID(ref) for n, ref in found if n == noun and not ref.startswith("+")}
        mine = await named(ctx, noun, (), ids)
        alike = [name for _, name in await named(ctx, noun, {name for _, name in mine})]
        for id_, name in mine:
            told[noun, str(id_)] = name if alike.count(name) == 1 else str(id_)
    return told
