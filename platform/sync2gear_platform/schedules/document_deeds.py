"""Carrying out what a document asks for, by the very use cases that screens use."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import delete
from sqlmodel import col

from sync2gear_platform.audit import service as audit
from sync2gear_platform.channels import service as channels
from sync2gear_platform.channels.schemas import ChannelIn
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import Refusal
from sync2gear_platform.schedules import changes, service, shared
from sync2gear_platform.schedules import document_rules as rules
from sync2gear_platform.schedules.document_reading import TABLES, line_of
from sync2gear_platform.schedules.document_rules import Change, Path
from sync2gear_platform.schedules.documents import Draft
from sync2gear_platform.schedules.schemas import ScheduleIn, SchedulePatch
from sync2gear_platform.schedules.shared_schemas import CalendarIn, DayPartIn, PriorityLevelIn
from sync2gear_platform.schedules.tables import ManagedObject

_SHARED: Final[Mapping[str, Any]] = {
    "priority_level": PriorityLevelIn, "day_part": DayPartIn, "calendar": CalendarIn,
}  # fmt: skip
_LISTS: Final = ("items", "pattern")
_COLUMNS: Final = {
    "track": "track_id", "folder": "folder_id", "announcement": "announcement_id",
    "channel": "inner_channel_id",
}  # fmt: skip
_WORDS: Final = {
    "level": "priority_level_id", "channel": "channel_id", "folder": "folder_id",
    "announcement": "announcement_id", "day_part": "day_part_id",
    "only_calendars": "only_calendar_ids", "never_calendars": "never_calendar_ids",
    "locations": "location_ids", "floors": "floor_ids", "zones": "zone_ids",
}  # fmt: skip
_SPAN: Final = ("day_part", "start_time", "end_time")
_SUBJECTS: Final = ("channel", "folder", "announcement")


async def carried_out(ctx: Ctx, draft: Draft) -> set[UUID]:
    """Do what a draft says, whole or (by the caller's transaction) not at all.

    Returns the zones that may sound otherwise. A refusal says where in the document it came from.
    """
    ids = {rules.made(*key): str(id_) for key, id_ in draft.known.items()}
    coming = [change for change in draft.changes if change.action != "remove"]
    for change in coming:
        if change.noun != "schedule":
            with _at(change.path):
                ids[rules.made(change.noun, change.name)] = str(await _put(ctx, draft, change))
    for change in coming:
        with _at(change.path):
            new = _known(change.new or {}, ids)
            if change.noun == "channel":
                await _lines(ctx, UUID(ids[rules.made("channel", change.name)]), new)
            elif change.noun == "schedule":
                await _schedule(ctx, draft, change, new)
    await _removed(ctx, [change for change in draft.changes if change.action == "remove"])
    _recorded(ctx, draft)
    await ctx.db.flush()
    return await changes.marked(ctx)


@contextmanager
def _at(path: Path) -> Iterator[None]:
    """A refusal within says where in the document its cause stands."""
    try:
        yield
    except Refusal as refusal:
        refusal.extra.setdefault("path", list(path))
        raise


def _known(values: Mapping[str, Any], ids: Mapping[str, str]) -> dict[str, Any]:
    """``values`` with ids for what was made meanwhile."""
    found: dict[str, Any] = rules.mapped(dict(values), lambda _, ref, __: ids.get(ref, ref))
    return found


async def _put(ctx: Ctx, draft: Draft, change: Change) -> UUID:
    """Make or change what stands by itself: what is shared, and channels without their lines."""
    new = {k: v for k, v in (change.new or {}).items() if k not in _LISTS}
    if change.noun == "channel":
        values = ChannelIn.model_validate(new).model_dump()
    else:
        body = _SHARED[change.noun].model_validate(new)
        values = body.model_dump()
        if "days" in values:
            values["days"] = body.model_dump(mode="json")["days"]
    if change.id is None:
        if change.noun == "channel":
            row_id = (await channels.create(ctx, values)).id
        else:
            row_id = (await shared.create(ctx, TABLES[change.noun], values)).id
        _owned(ctx, draft, change, row_id)
        return row_id
    old = change.old or {}
    values = {k: v for k, v in values.items() if old.get(k) != new[k]}
    if values and change.noun == "channel":
        await channels.update(ctx, change.id, values, None)
    elif values:
        await shared.update(ctx, TABLES[change.noun], change.id, values, None)
    _owned(ctx, draft, change, change.id)
    return change.id


async def _lines(ctx: Ctx, channel_id: UUID, new: Mapping[str, Any]) -> None:
    """Give a channel these lines; those that stay keep who they are, and so their place."""
    there = list(await channels.items(ctx, channel_id))
    old = [line_of(line) for line in there]
    stays = rules.lines(old, new["items"])
    for number, line in enumerate(there):
        if number not in stays:
            await channels.remove_item(ctx, channel_id, line.id, None)
    order: list[UUID] = []
    for wanted, goes_on in zip(new["items"], stays, strict=True):
        if goes_on is None:
            order.append((await channels.add_item(ctx, channel_id, _columns(wanted))).id)
            continue
        order.append(there[goes_on].id)
        changed = {k: v for k, v in wanted.items() if old[goes_on][k] != v}
        if changed:  # of one that goes on the subject is the same
            await channels.update_item(ctx, channel_id, order[-1], changed, None)
    if [line.id for line in await channels.items(ctx, channel_id)] != order:
        await channels.reorder(ctx, channel_id, order, None)
    turns = [str(order[turn - 1]) for turn in new["pattern"]]
    row = await rows.find(ctx, TABLES["channel"], channel_id)
    if row.pattern != turns:
        await channels.update(ctx, channel_id, {"pattern": turns}, None)


def _columns(line: Mapping[str, Any]) -> dict[str, Any]:
    ids = {column: _uuid(line[word]) for word, column in _COLUMNS.items()}
    return {**{k: v for k, v in line.items() if k not in _COLUMNS}, **ids}


def _uuid(ref: str | None) -> UUID | None:
    return None if ref is None else UUID(ref)


async def _schedule(ctx: Ctx, draft: Draft, change: Change, new: Mapping[str, Any]) -> None:
    old = change.old
    if change.id is None or old is None:
        body = ScheduleIn.model_validate(_body(new, set(new)))
        row_id = (await service.create(ctx, body.values())).id
        _owned(ctx, draft, change, row_id)
        return
    differing = {name for name in new if old.get(name) != (change.new or {})[name]}
    for group in (_SPAN, _SUBJECTS, ("type", "when"), ("level", "priority")):
        if differing & set(group):
            differing |= set(group)
    if differing:
        patch = SchedulePatch.model_validate(_body(new, differing))
        await service.update(ctx, change.id, patch.values(), None)
    _owned(ctx, draft, change, change.id)


def _body(new: Mapping[str, Any], named: set[str]) -> dict[str, Any]:
    """What a schedule's own routes would be sent for these fields of a document."""
    found = {_WORDS.get(name, name): new[name] for name in named}
    if new["day_part"] is not None:  # hours of its own would say it twice
        found.pop("start_time", None)
        found.pop("end_time", None)
    if found.get("priority", 0) is None:
        del found["priority"]
    if "days" in found:
        found["days_of_week"] = [rules.DAYS.index(day) for day in found.pop("days")]
    if "exceptions" in found:
        found["exceptions"] = {_WORDS.get(k, k): v for k, v in new["exceptions"].items()}
    if "special_days" in found:
        found["special_days"] = [
            {"calendar_id": o["calendar"], "start_time": o["start_time"], "end_time": o["end_time"]}
            for o in new["special_days"]
        ]
    return found


async def _removed(ctx: Ctx, going: list[Change]) -> None:
    """Remove what the document owns and no longer names: who uses before what is used."""
    by_id = {str(change.id): change for change in going}
    inside = {
        str(change.id): {line["channel"] for line in (change.old or {})["items"]} & set(by_id)
        for change in going
        if change.noun == "channel"
    }
    order = [str(change.id) for change in going if change.noun == "schedule"]
    order += rules.outermost_first(list(inside), inside)
    order += [str(c.id) for c in going if c.noun not in {"schedule", "channel"}]
    for id_ in order:
        change = by_id[id_]
        await ctx.db.execute(
            delete(ManagedObject).where(
                col(ManagedObject.client_id) == ctx.client_id,
                col(getattr(ManagedObject, f"{change.noun}_id")) == UUID(id_),
            )
        )
        try:
            if change.noun == "schedule":
                await service.remove(ctx, UUID(id_), None)
            elif change.noun == "channel":
                await channels.remove(ctx, UUID(id_), None)
            else:
                await shared.remove(ctx, TABLES[change.noun], UUID(id_), None)
        except Refusal as refusal:
            refusal.detail = f"{change.name!r} is to be removed. {refusal.detail}"
            raise


def _owned(ctx: Ctx, draft: Draft, change: Change, row_id: UUID) -> None:
    """From now on an object is the document's."""
    if change.action in {"create", "adopt"}:
        mine = cast("Any", {f"{change.noun}_id": row_id})
        rows.new(
            ctx, ManagedObject, document=draft.document, noun=change.noun, name=change.name, **mine
        )


def _recorded(ctx: Ctx, draft: Draft) -> None:
    if draft.changes:
        told = [{"action": c.action, "noun": c.noun, "name": c.name} for c in draft.changes]
        after = {"document": draft.document, "digest": draft.digest, "changes": told}
        audit.record(ctx, "schedule_document.apply", "schedule_document", None, after=after)
