"""Reading the proof of play: lines in pages, and what they add up to."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, inspect, literal, or_, select, union_all
from sqlmodel import col

from sync2gear_broker.units import millis_from_frames
from sync2gear_platform.announcements.tables import Announcement
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.clock import frames_of
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import Refusal
from sync2gear_platform.kit.paging import Page, Window, page
from sync2gear_platform.library.tables import Track
from sync2gear_platform.proof import spans
from sync2gear_platform.proof.schemas import By, Kind, ProofLineOut, ProofSummaryOut, ProofSumOut
from sync2gear_platform.proof.spans import DAY, Span
from sync2gear_platform.proof.sums import COUNTED
from sync2gear_platform.proof.tables import (
    ProofAccount,
    ProofDay,
    ProofLine,
    ProofMonth,
    ProofWork,
    ProofZone,
)

MOST: Final = 1_000
"""Sums of one answer."""

FOUND: Final = 1_000
"""Works that a search may find."""


class LinesGone(Refusal):
    """Of these days only whole months are still known: ask from a first to a last of a month."""

    kind = "conflict"
    code = "lines_gone"


@dataclass(frozen=True, slots=True)
class Filters:
    """Which lines a caller wants; ``until`` is not included."""

    zones: Collection[UUID] | None = None
    track: UUID | None = None
    announcement: UUID | None = None
    schedule: UUID | None = None
    kind: str | None = None
    outcome: str | None = None
    manner: str | None = None
    source: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def clauses(ctx: Ctx, wanted: Filters) -> list[ColumnElement[bool]]:
    """``wanted`` as conditions of lines; a track or announcement that is not here is not found."""
    found: list[ColumnElement[bool]] = [col(ProofLine.client_id) == ctx.client_id]
    if wanted.track is not None:
        track = await rows.find(ctx, Track, wanted.track)
        found.append(col(ProofLine.subject) == track.sha256)
    if wanted.announcement is not None:
        one = await rows.find(ctx, Announcement, wanted.announcement)
        found.append(col(ProofLine.subject) == one.id.hex)
    same = {
        ProofLine.schedule_id: wanted.schedule,
        ProofLine.kind: wanted.kind,
        ProofLine.outcome: wanted.outcome,
        ProofLine.manner: wanted.manner,
        ProofLine.source: wanted.source,
    }
    found += [col(column) == value for column, value in same.items() if value is not None]
    if wanted.zones is not None:
        found.append(col(ProofLine.zone_id).in_(wanted.zones))
    if wanted.since is not None:
        found.append(col(ProofLine.begins) >= frames_of(wanted.since))
    if wanted.until is not None:
        found.append(col(ProofLine.begins) < frames_of(wanted.until))
    return found


def is_work_of(ctx: Ctx, parts: Any) -> Any:
    """Joins what is summed to its work."""
    return and_(
        col(ProofWork.client_id) == ctx.client_id, col(ProofWork.subject) == parts.c.subject
    )


def with_names() -> Any:
    """Lines with their work, their zone's name and its time zone."""
    return _joined(select(ProofLine, ProofWork, col(ProofZone.name), col(ProofZone.timezone)))


def as_columns() -> Any:
    """The same as plain columns, for many: making objects of them takes most of the time."""
    named: list[Any] = [
        col(getattr(ProofWork, name)).label(f"work_{name}")
        for name in ("title", "artist", "album", "isrc", "composer", "frames")
    ]
    zone: list[Any] = [
        col(ProofZone.name).label("zone_name"),
        col(ProofZone.timezone).label("timezone"),
    ]
    return _joined(select(*inspect(ProofLine).columns, *named, *zone))


def _joined(lines: Any) -> Any:
    return (
        lines.select_from(ProofLine)
        .outerjoin(
            ProofWork,
            and_(
                col(ProofWork.client_id) == col(ProofLine.client_id),
                col(ProofWork.subject) == col(ProofLine.subject),
            ),
        )
        .outerjoin(
            ProofZone,
            and_(
                col(ProofZone.client_id) == col(ProofLine.client_id),
                col(ProofZone.zone_id) == col(ProofLine.zone_id),
            ),
        )
    )


async def lines(ctx: Ctx, window: Window, wanted: Filters) -> Page[ProofLineOut]:
    """Lines, the latest first."""

    def named(needle: str) -> ColumnElement[bool]:
        like = [
            column.icontains(needle, autoescape=True)
            for column in (col(ProofWork.title), col(ProofWork.artist))
        ]
        works = select(col(ProofWork.subject)).where(
            col(ProofWork.client_id) == ctx.client_id, or_(*like)
        )
        return col(ProofLine.subject).in_(works.limit(FOUND))

    return await page(
        ctx,
        window,
        with_names().where(*await clauses(ctx, wanted)),
        keys={"planned_at": col(ProofLine.begins)},
        default="-planned_at",
        tiebreak=col(ProofLine.id),
        search=named,
        shape=lambda row: ProofLineOut.of(row[0], row[1], row[2]),
    )


async def summary(
    ctx: Ctx, by: By, span: Span, *, zones: Collection[UUID] | None = None, kind: Kind | None = None
) -> ProofSummaryOut:
    """What lines add up to. Whole months are read from their sums, whatever is in them.

    The total is always that of the days: works are many, and they add up to the same.
    """
    works: dict[By, Kind] = {"track": "music", "announcement": "announcement"}
    kind = works.get(by, kind)
    parts = days = _days(ctx, span, zones=zones, kind=kind)
    key: Any = days.c.zone_id if by == "zone" else days.c.day
    sums = _sums(parts)
    if by in works:
        parts = _each_zone(await works_of(ctx, span, zones=zones, kind=works[by]))
        key = parts.c.subject
        sums = [*_counts(parts), func.count().filter(_heard(parts)).label("zones")]
    order = [key] if by == "day" else [(sums[1] + sums[2]).desc(), key]
    found = select(key.label("key"), *sums).group_by(key).order_by(*order)
    listed = (await ctx.db.execute(found.limit(MOST + 1))).mappings().all()
    whole = (await ctx.db.execute(select(*_sums(days)))).mappings().one()
    names = await _names(ctx, by, [row["key"] for row in listed[:MOST]])
    return ProofSummaryOut(
        by=by,
        first_day=span.first,
        last_day=span.last,
        results=[_sum(row, row["key"], names) for row in listed[:MOST]],
        total=_sum(whole, "", {}),
        truncated=len(listed) > MOST,
    )


def _counts(parts: Any) -> list[Any]:
    return [func.coalesce(func.sum(parts.c[name]), 0).label(name) for name in COUNTED]


def _heard(parts: Any) -> Any:
    return parts.c.played + parts.c.late > 0


def _sums(parts: Any) -> list[Any]:
    """All that rows add up to, in the order of ``COUNTED``, and the zones that heard it."""
    heard_there = case((_heard(parts), parts.c.zone_id))
    return [*_counts(parts), func.count(heard_there.distinct()).label("zones")]


def _each_zone(parts: Any) -> Any:
    """One row of each work in each zone: to count zones that differ, all rows would be sorted."""
    keys = parts.c.zone_id, parts.c.subject
    return select(*keys, *_counts(parts)).group_by(*keys).subquery()


def _sum(row: Any, key: Any, names: dict[str, tuple[str, str, str]]) -> ProofSumOut:
    title, artist, isrc = names.get(str(key), ("", "", ""))
    return ProofSumOut(
        subject=str(key),
        title=title or (str(key) if isinstance(key, date) else ""),
        artist=artist,
        isrc=isrc,
        heard_millis=millis_from_frames(int(row["heard"])),
        zones=row["zones"],
        **{name: int(row[name]) for name in COUNTED if name != "heard"},
    )


async def _names(ctx: Ctx, by: By, keys: Sequence[Any]) -> dict[str, tuple[str, str, str]]:
    """``subject -> (title, artist, isrc)`` of what is listed, in one statement."""
    if by == "zone":
        zones = select(col(ProofZone.zone_id), col(ProofZone.name)).where(
            col(ProofZone.client_id) == ctx.client_id, col(ProofZone.zone_id).in_(keys)
        )
        return {str(zone): (name, "", "") for zone, name in await ctx.db.execute(zones)}
    if by == "day":
        return {}
    works = select(
        *(col(c) for c in (ProofWork.subject, ProofWork.title, ProofWork.artist, ProofWork.isrc))
    ).where(col(ProofWork.client_id) == ctx.client_id, col(ProofWork.subject).in_(keys))
    return {row[0]: (row[1], row[2], row[3]) for row in await ctx.db.execute(works)}


def _days(ctx: Ctx, span: Span, *, zones: Collection[UUID] | None, kind: Kind | None) -> Any:
    found = select(ProofDay).where(
        col(ProofDay.client_id) == ctx.client_id, col(ProofDay.day).between(span.first, span.last)
    )
    if zones is not None:
        found = found.where(col(ProofDay.zone_id).in_(zones))
    if kind is not None:
        found = found.where(col(ProofDay.kind) == kind)
    return found.subquery()


async def works_of(ctx: Ctx, span: Span, *, zones: Collection[UUID] | None, kind: Kind) -> Any:
    """Rows of zone, subject and counts that add up to ``span``: sums of months, lines of days.

    A month of which lines are gone is known as a whole only: :class:`LinesGone`.
    """
    months, edges = spans.split(span)
    statement = select(col(ProofAccount.purged_before)).where(
        col(ProofAccount.client_id) == ctx.client_id
    )
    gone = (await ctx.db.execute(statement)).scalar_one_or_none()
    if gone is not None and any(edge.first < gone for edge in edges):
        raise LinesGone
    parts: list[Any] = []
    if months is not None:
        names = [col(getattr(ProofMonth, name)) for name in COUNTED]
        whole = select(col(ProofMonth.zone_id), col(ProofMonth.subject), *names).where(
            col(ProofMonth.client_id) == ctx.client_id,
            col(ProofMonth.month).between(months.first, months.last),
            col(ProofMonth.kind) == kind,
        )
        parts.append(whole if zones is None else whole.where(col(ProofMonth.zone_id).in_(zones)))
    for edge in edges:
        some = select(col(ProofLine.zone_id), col(ProofLine.subject), *_counted()).where(
            col(ProofLine.client_id) == ctx.client_id,
            col(ProofLine.day).between(edge.first, edge.last),
            # what the days imply, for the index of a zone: no clock is a day from UTC
            col(ProofLine.begins) >= _midnight(edge.first - DAY),
            col(ProofLine.begins) < _midnight(edge.last + 2 * DAY),
            col(ProofLine.kind) == kind,
        )
        parts.append(some if zones is None else some.where(col(ProofLine.zone_id).in_(zones)))
    return union_all(*parts).subquery()


def _midnight(day: date) -> int:
    """The frame at which a day begins in UTC."""
    return frames_of(datetime.combine(day, time(), UTC))


def _counted() -> list[Any]:
    """The counts of one line."""
    one, none = literal(1), literal(0)
    planned = case((col(ProofLine.manner) == "planned", one), else_=none)
    outcomes = [
        case((col(ProofLine.outcome) == name, one), else_=none).label(name)
        for name in ("played", "late", "missed", "unknown", "pending")
    ]
    return [planned.label("planned"), *outcomes, col(ProofLine.heard)]
