"""Taking the proof of play away over HTTP: exports, reports, own templates, and what is kept."""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from sqlmodel import col, select

from sync2gear_platform.audit import service as audit
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.idempotency import Remembering, once
from sync2gear_platform.kit.paging import Listing, Page, page
from sync2gear_platform.kit.rows import IfMatch
from sync2gear_platform.kit.web import allow, edge_of
from sync2gear_platform.proof import exporting, queries, reports, service
from sync2gear_platform.proof.exporting import Door, Format
from sync2gear_platform.proof.reports import Template
from sync2gear_platform.proof.routes import Days, Wanted, Zones
from sync2gear_platform.proof.schemas import (
    Kind,
    ProofSettingsIn,
    ProofSettingsOut,
    ReportOut,
    ReportsOut,
    ReportTemplateIn,
    ReportTemplateOut,
    ReportTemplatePatch,
)
from sync2gear_platform.proof.spans import Span
from sync2gear_platform.proof.tables import ProofTemplate

router = APIRouter(prefix="/api/v1/proof", tags=["proof"], route_class=Remembering)

Read = Annotated[Ctx, allow("playback.read")]
Manage = Annotated[Ctx, allow("client.write")]
Create = Annotated[Ctx, once("client.write")]
Form = Annotated[Format, Query(alias="format")]
FILE: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {}, "application/json": {}}}}


def _door(request: Request, ctx: Ctx) -> Door:
    """Further transactions of the same person, within the same reach."""
    db, reach = edge_of(request).db, ctx.actor.reach("playback.read")
    return lambda: db.tenant(ctx.client_id, reach)


def _file(pieces: AsyncIterator[bytes], name: str, form: Format) -> StreamingResponse:
    return StreamingResponse(
        pieces,
        media_type="text/csv; charset=utf-8" if form == "csv" else "application/json",
        headers={
            "Content-Disposition": f'attachment; filename="{name}.{form}"',
            "Cache-Control": "no-store",
        },
    )


@router.get("/export/", response_class=StreamingResponse, responses=FILE)
async def export_lines(
    ctx: Read, request: Request, wanted: Wanted, form: Form = "csv"
) -> StreamingResponse:
    """Take lines away, the earliest first: 93 days at once, the last seven by default."""
    wanted = exporting.bounded(ctx, wanted)
    where = await queries.clauses(ctx, wanted)
    audit.record(ctx, "proof.export", "client", ctx.client_id, after={"format": form})
    return _file(exporting.lines(ctx, _door(request, ctx), where, form), "plays", form)


@router.get("/reports/")
async def list_reports(_: Read) -> ReportsOut:
    """List the reports of the product, and the columns that own ones may have."""
    return ReportsOut(
        results=[ReportOut.of(one) for one in reports.BUILT_IN.values()],
        columns={grain: sorted(keys) for grain, keys in reports.FITTING.items()},
    )


@router.get("/report/", response_class=StreamingResponse, responses=FILE)
async def fill_report(
    ctx: Read,
    request: Request,
    report: reports.BuiltIn,
    days: Days,
    zones: Zones,
    kind: Kind = "music",
    form: Form = "csv",
) -> StreamingResponse:
    """Fill a report of the product with what was played, whole months from their sums."""
    return await _filled(ctx, request, reports.BUILT_IN[report], days, zones, kind, form)


@router.get("/templates/")
async def list_templates(ctx: Read, window: Listing) -> Page[ReportTemplateOut]:
    """List the client's own reports."""
    return await page(
        ctx,
        window,
        select(ProofTemplate).where(col(ProofTemplate.client_id) == ctx.client_id),
        keys={"name": col(ProofTemplate.name)},
        default="name",
        tiebreak=col(ProofTemplate.id),
        search=(ProofTemplate.name,),
        shape=lambda row: ReportTemplateOut.model_validate(row[0]),
    )


@router.post("/templates/", status_code=201)
async def create_template(
    ctx: Create, body: ReportTemplateIn, response: Response
) -> ReportTemplateOut:
    """Make a report of one's own."""
    row = await service.create(ctx, body.model_dump())
    rows.tagged(response, row)
    return ReportTemplateOut.model_validate(row)


@router.patch("/templates/{row_id}/")
async def update_template(
    ctx: Manage,
    row_id: UUID,
    body: ReportTemplatePatch,
    response: Response,
    if_match: IfMatch = None,
) -> ReportTemplateOut:
    """Change a report of one's own."""
    row = await service.update(ctx, row_id, rows.given(body), if_match)
    rows.tagged(response, row)
    return ReportTemplateOut.model_validate(row)


@router.delete("/templates/{row_id}/", status_code=204)
async def remove_template(ctx: Manage, row_id: UUID, if_match: IfMatch = None) -> None:
    """Remove a report of one's own."""
    await service.remove(ctx, row_id, if_match)


@router.get("/templates/{row_id}/report/", response_class=StreamingResponse, responses=FILE)
async def fill_template(
    ctx: Read,
    request: Request,
    row_id: UUID,
    days: Days,
    zones: Zones,
    kind: Kind = "music",
    form: Form = "csv",
) -> StreamingResponse:
    """Fill a report of one's own with what was played."""
    template = await service.own(ctx, row_id)
    return await _filled(ctx, request, template, days, zones, kind, form)


async def _filled(
    ctx: Ctx,
    request: Request,
    template: Template,
    days: Span,
    zones: Sequence[UUID] | None,
    kind: Kind,
    form: Format,
) -> StreamingResponse:
    pieces = await exporting.report(
        ctx, _door(request, ctx), template, days, zones=zones, kind=kind, form=form
    )
    after = {
        "report": template.name, "format": form, "first_day": days.first.isoformat(),
        "last_day": days.last.isoformat(),
    }  # fmt: skip
    audit.record(ctx, "proof.report", "client", ctx.client_id, after=after)
    return _file(pieces, f"report-{days.first}-{days.last}", form)


@router.get("/settings/")
async def read_settings(ctx: Read) -> ProofSettingsOut:
    """For how many days lines are kept."""
    return ProofSettingsOut(keep_days=(await service.settings(ctx)).keep_days)


@router.patch("/settings/")
async def change_settings(ctx: Manage, body: ProofSettingsIn) -> ProofSettingsOut:
    """Keep lines for longer or shorter; sums of days and months stay in any case."""
    return ProofSettingsOut(keep_days=(await service.keep(ctx, body.keep_days)).keep_days)
