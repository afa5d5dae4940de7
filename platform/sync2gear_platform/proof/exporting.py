"""Taking the proof of play away: lines and reports as CSV or JSON, in pieces."""

import json
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlmodel import col

from sync2gear_broker.units import FRAME_RATE, millis_from_frames
from sync2gear_platform.kit.clock import moment_of
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.db import AsyncSession
from sync2gear_platform.kit.errors import Refusal
from sync2gear_platform.kit.sheets import sheet
from sync2gear_platform.proof import queries, reports, venues
from sync2gear_platform.proof.queries import Filters
from sync2gear_platform.proof.reports import Row, Template
from sync2gear_platform.proof.schemas import Kind
from sync2gear_platform.proof.spans import Span
from sync2gear_platform.proof.tables import ProofLine, ProofWork

BATCH: Final = 1_000
LONGEST: Final = timedelta(days=93)
"""Lines that are taken away at once: a quarter of a year."""

MOST: Final = 100_000
"""Rows of a report that is summed: they are held in memory."""

Format = Literal["csv", "json"]
Door = Callable[[], AbstractAsyncContextManager[AsyncSession]]


class TooLong(Refusal):
    """Lines are taken away for at most 93 days at once: say from when to when."""

    code = "range_too_long"


class TooLarge(Refusal):
    """This report has over 100,000 rows: ask for fewer days, or for one zone."""

    kind = "conflict"
    code = "report_too_large"


COLUMNS: Final = (
    "id", "zone_id", "zone_name", "day", "planned_at", "ends_at", "planned_millis", "kind",
    "manner", "source", "title", "artist", "isrc", "schedule_id", "announcement_id", "outcome",
    "reason", "began_at", "late_millis", "heard_millis", "heard_by", "speakers", "item", "sha256",
)  # fmt: skip


def bounded(ctx: Ctx, wanted: Filters) -> Filters:
    """``wanted`` with both ends: by default the last seven days; :class:`TooLong`."""
    until = wanted.until or ctx.now
    since = wanted.since or until - timedelta(days=7)
    if until - since > LONGEST:
        raise TooLong
    return replace(wanted, since=since, until=until)


async def lines(
    ctx: Ctx, door: Door, where: Sequence[ColumnElement[bool]], form: Format
) -> AsyncIterator[bytes]:
    """Lines from the earliest on, as one table or one array."""

    def shaped(row: Any) -> Any:
        cells = _cells(row)
        return cells if form == "csv" else dict(zip(COLUMNS, cells, strict=True))

    async for piece in _written(_batches(ctx, door, where), shaped, form, COLUMNS, tuple):
        yield piece


def _cells(row: Any) -> tuple[Any, ...]:
    """A line in ``COLUMNS``, as :class:`ProofLineOut` says it."""
    began = row.began
    schedule, announcement = row.schedule_id, row.announcement_id
    return (
        str(row.id), str(row.zone_id), row.zone_name or "", row.day.isoformat(),
        _moment(row.begins), _moment(row.ends), millis_from_frames(row.frames), row.kind,
        row.manner, row.source, row.work_title or "", row.work_artist or "", row.work_isrc or "",
        None if schedule is None else str(schedule),
        None if announcement is None else str(announcement),
        row.outcome, row.reason,
        None if began is None else _moment(began),
        None if began is None else (began - row.begins) * 1000 // FRAME_RATE,
        millis_from_frames(row.heard), row.heard_by, len(row.speakers), row.item, row.sha256,
    )  # fmt: skip


def _moment(frame: int) -> str:
    return moment_of(frame).isoformat().replace("+00:00", "Z")


async def _batches(
    ctx: Ctx, door: Door, where: Sequence[ColumnElement[bool]]
) -> AsyncIterator[Sequence[Any]]:
    """Lines by keyset; each batch is a transaction, so that a slow reader holds none open."""
    key = (col(ProofLine.begins), col(ProofLine.id))
    after: tuple[int, UUID] | None = None
    while True:
        statement = queries.as_columns().where(*where).order_by(*key).limit(BATCH)
        if after is not None:
            statement = statement.where(tuple_(*key) > after)
        async with door() as session:
            rows = (await session.execute(statement)).all()
        if rows:
            yield rows
            after = rows[-1].begins, rows[-1].id
        if len(rows) < BATCH:
            return


async def _written(
    batches: AsyncIterator[Sequence[Any]],
    shaped: Callable[[Any], Any],
    form: Format,
    heads: Sequence[str],
    cells: Callable[[Any], Sequence[Any]],
) -> AsyncIterator[bytes]:
    yield sheet([heads]) if form == "csv" else b"["
    first = True
    async for rows in batches:
        shown = [shaped(row) for row in rows]
        if form == "csv":
            yield sheet(cells(one) for one in shown)
            continue
        text = ",\n".join(json.dumps(one, ensure_ascii=False) for one in shown)
        yield (text if first else f",\n{text}").encode()
        first = False
    if form == "json":
        yield b"]\n"


async def report(
    ctx: Ctx,
    door: Door,
    template: Template,
    span: Span,
    *,
    zones: Collection[UUID] | None,
    kind: Kind,
    form: Format,
) -> AsyncIterator[bytes]:
    """The rows of a report; read here and now where they are sums, or in pieces where plays."""
    if template.grain == "play":
        if span.last - span.first > LONGEST:
            raise TooLong
        where = [
            col(ProofLine.client_id) == ctx.client_id,
            col(ProofLine.day).between(span.first, span.last),
            col(ProofLine.kind) == kind,
            col(ProofLine.outcome).in_(("played", "late")),
        ]
        if zones is not None:
            where.append(col(ProofLine.zone_id).in_(zones))
        batches = _batches(ctx, door, where)
    else:
        batches = _once(*await summed(ctx, template, span, zones=zones, kind=kind))
    names = [column.heading or column.key for column in template.columns]
    fill = reports.filled(template.columns, span)

    def shaped(row: Any) -> list[str | int]:
        return fill(row if isinstance(row, Row) else _played(row))

    if form == "csv":
        return _written(batches, shaped, form, names, lambda one: one)
    return _written(
        batches, lambda row: dict(zip(names, shaped(row), strict=True)), form, names, list
    )


async def _once(rows: Sequence[Any], made: Callable[[Any], Row]) -> AsyncIterator[Sequence[Row]]:
    for start in range(0, len(rows), BATCH):
        yield [made(row) for row in rows[start : start + BATCH]]


def _played(line: Any) -> Row:
    return Row(
        work=line.subject,
        title=line.work_title or "",
        artist=line.work_artist or "",
        album=line.work_album or "",
        isrc=line.work_isrc or "",
        frames=line.frames if line.work_frames is None else line.work_frames,
        heard=line.heard,
        zone=line.zone_name or str(line.zone_id),
        at=line.began if line.began is not None else line.begins,
        tz=line.timezone or "UTC",
        source=line.source,
        manner=line.manner,
        composer=line.work_composer or "",
    )


async def summed(
    ctx: Ctx, template: Template, span: Span, *, zones: Collection[UUID] | None, kind: Kind
) -> tuple[list[Any], Callable[[Any], Row]]:
    """Works that were played, each once, those of one ISRC together; by zone where wanted."""
    parts = await queries.works_of(ctx, span, zones=zones, kind=kind)
    if template.grain == "work_zone":
        found, made = await venues.summed(ctx, parts, MOST + 1)
    else:
        found, made = await _works(ctx, parts), _work
    if len(found) > MOST:
        raise TooLarge
    return found, made


async def _works(ctx: Ctx, parts: Any) -> list[Any]:
    work = func.coalesce(func.nullif(col(ProofWork.isrc), ""), parts.c.subject)
    plays = func.sum(parts.c.played + parts.c.late)
    names = [
        func.max(func.coalesce(column, ""))
        for column in (
            col(getattr(ProofWork, name))
            for name in ("title", "artist", "album", "isrc", "composer")
        )
    ]
    statement = (
        select(
            work,
            *names,
            func.coalesce(func.max(col(ProofWork.frames)), 0),
            func.sum(parts.c.heard),
            plays,
            func.count(parts.c.zone_id.distinct()),
        )
        .select_from(parts)
        .outerjoin(
            ProofWork,
            queries.is_work_of(ctx, parts),
        )
        .where(parts.c.played + parts.c.late > 0)
        .group_by(work)
        .order_by(names[1], names[0], work)
        .limit(MOST + 1)
    )
    return list((await ctx.db.execute(statement)).all())


def _work(row: Any) -> Row:
    return Row(
        work=row[0], title=row[1], artist=row[2], album=row[3], isrc=row[4], composer=row[5],
        frames=row[6], heard=int(row[7]), plays=int(row[8]), zones=row[9],
    )  # fmt: skip
