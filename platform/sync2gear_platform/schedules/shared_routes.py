"""Calendars, day-parts and levels of priority over HTTP: three nouns, the same verbs."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Query, Response
from pydantic import BaseModel
from sqlmodel import col, select

from sync2gear_platform.kit import rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.idempotency import Remembering, once
from sync2gear_platform.kit.paging import Listing, Page, page
from sync2gear_platform.kit.web import allow
from sync2gear_platform.schedules import queries, shared
from sync2gear_platform.schedules import shared_schemas as schemas
from sync2gear_platform.schedules.ical import MAX_BYTES
from sync2gear_platform.schedules.shared_schemas import CalendarSummaryOut, ScheduleUseOut
from sync2gear_platform.schedules.tables import Calendar, DayPart, PriorityLevel

router = APIRouter(prefix="/api/v1", tags=["schedules"], route_class=Remembering)

Read = Annotated[Ctx, allow("schedules.read")]
Write = Annotated[Ctx, allow("schedules.write")]
Create = Annotated[Ctx, once("schedules.write")]


def _summary(row: Calendar) -> CalendarSummaryOut:
    return CalendarSummaryOut.model_validate({**row.model_dump(), "size": len(row.days)})


def _kept(body: BaseModel, *, whole: bool) -> dict[str, Any]:
    """A body as it is kept: days as documents, times as times."""
    values = body.model_dump(exclude_unset=not whole)
    if "days" in values:
        values["days"] = body.model_dump(mode="json", include={"days"})["days"]
    return values


def _crud(
    path: str, table: Any, made: type[BaseModel], patched: type[BaseModel], shown: type[BaseModel]
) -> None:
    """List, create, read, change and remove one noun, and say which schedules use it.

    The bodies' classes are arguments, which FastAPI reads as annotations and mypy cannot.
    """
    noun = shared.NOUNS[table]
    listed_as: Any = CalendarSummaryOut if table is Calendar else shown

    async def list_(ctx: Read, window: Listing) -> Any:
        return await page(
            ctx,
            window,
            select(table).where(col(table.client_id) == ctx.client_id),
            keys={"name": col(table.name), "created_at": col(table.created_at)},
            default="name",
            tiebreak=col(table.id),
            search=(table.name,),
            shape=lambda row: (
                _summary(row[0]) if table is Calendar else shown.model_validate(row[0])
            ),
        )

    async def create(
        ctx: Create,
        body: made,  # type: ignore[valid-type]  # see above
        response: Response,
    ) -> Any:
        return _shown(await shared.create(ctx, table, _kept(body, whole=True)), response)

    async def get(ctx: Read, row_id: UUID, response: Response) -> Any:
        return _shown(await rows.find(ctx, table, row_id), response)

    async def update(
        ctx: Write,
        row_id: UUID,
        body: patched,  # type: ignore[valid-type]  # see above
        response: Response,
        if_match: rows.IfMatch = None,
    ) -> Any:
        values = _kept(body, whole=False)
        return _shown(await shared.update(ctx, table, row_id, values, if_match), response)

    async def delete(ctx: Write, row_id: UUID, if_match: rows.IfMatch = None) -> None:
        await shared.remove(ctx, table, row_id, if_match)

    async def list_uses_of(ctx: Read, window: Listing, row_id: UUID) -> Any:
        return await queries.using(ctx, window, await rows.find(ctx, table, row_id))

    def _shown(row: Any, response: Response) -> BaseModel:
        rows.tagged(response, row)
        return shown.model_validate(row)

    one = f"/{path}/{{row_id}}/"
    words = noun.replace("_", " ")
    for verb, url, handler, model, status, summary in (
        ("GET", f"/{path}/", list_, Page[listed_as], 200, f"List {path.replace('-', ' ')}"),
        ("POST", f"/{path}/", create, shown, 201, f"Make a {words}"),
        ("GET", one, get, shown, 200, f"Read a {words}"),
        ("PATCH", one, update, shown, 200, f"Change a {words}"),
        ("DELETE", one, delete, None, 204, f"Remove a {words} that no schedule uses"),
        (
            "GET", f"{one}usage/", list_uses_of, Page[ScheduleUseOut], 200,
            f"List the schedules that use a {words}",
        ),
    ):  # fmt: skip
        router.add_api_route(
            url,
            handler,
            methods=[verb],
            response_model=model,
            status_code=status,
            name=f"{handler.__name__.rstrip('_')}_{noun}",
            summary=summary,
        )


_crud("calendars", Calendar, schemas.CalendarIn, schemas.CalendarPatch, schemas.CalendarOut)
_crud("day-parts", DayPart, schemas.DayPartIn, schemas.DayPartPatch, schemas.DayPartOut)
_crud(
    "priority-levels",
    PriorityLevel,
    schemas.PriorityLevelIn,
    schemas.PriorityLevelPatch,
    schemas.PriorityLevelOut,
)


@router.post(
    "/calendars/{row_id}/import/",
    # an empty one is refused as what it is, a bad calendar
    openapi_extra={"requestBody": {"required": True}},
)
async def import_calendar(
    ctx: Create,
    row_id: UUID,
    response: Response,
    data: Annotated[
        bytes, Body(media_type="text/calendar", json_schema_extra={"maxLength": MAX_BYTES})
    ] = b"",
    replace: Annotated[bool, Query()] = False,
    if_match: rows.IfMatch = None,
) -> schemas.ImportedOut:
    """Put the days of an iCalendar file into a calendar, or in place of its own."""
    row, new, skipped = await shared.import_days(
        ctx, row_id, data, replace=replace, if_match=if_match
    )
    rows.tagged(response, row)
    return schemas.ImportedOut(
        calendar=schemas.CalendarOut.model_validate(row),
        new=new,
        skipped=[schemas.SkippedOut(name=name, code=code) for name, code in skipped[:50]],
    )
