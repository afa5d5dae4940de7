"""Documents over HTTP: what there is to be, planned, applied in one transaction, and exported."""

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response

from sync2gear_platform.kit.clock import moment_of
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.idempotency import Remembering, once
from sync2gear_platform.kit.web import allow
from sync2gear_platform.playback import queries
from sync2gear_platform.schedules import document_deeds as deeds
from sync2gear_platform.schedules import document_reading as reading
from sync2gear_platform.schedules import document_rules as rules
from sync2gear_platform.schedules import documents, dry_run, forecast
from sync2gear_platform.schedules.document_schemas import (
    AppliedOut,
    ApplyIn,
    ChangeOut,
    ChannelDoc,
    DocumentOut,
    FieldOut,
    LineDoc,
    PlanIn,
    PlannedOut,
    ScheduleDoc,
)
from sync2gear_platform.schedules.documents import Draft
from sync2gear_platform.schedules.plan_schemas import ZoneDifferenceOut
from sync2gear_platform.schedules.shared_schemas import CalendarIn, DayPartIn, PriorityLevelIn

router = APIRouter(prefix="/api/v1/schedules/document", tags=["schedules"], route_class=Remembering)

Read = Annotated[Ctx, allow("schedules.read")]
Write = Annotated[Ctx, allow("schedules.write")]
_MODELS: dict[str, Any] = {
    "priority_level": PriorityLevelIn, "day_part": DayPartIn, "calendar": CalendarIn,
    "channel": ChannelDoc, "schedule": ScheduleDoc,
}  # fmt: skip
_LEAST = ("name", "type", "priority", "start_time", "end_time")
"""What must be said of some object: the rest has a default."""


@router.get("/")
async def export_document(
    ctx: Read, document: Annotated[str | None, Query(max_length=100)] = None
) -> DocumentOut:
    """Write what is there as a document: what one owns, or all of channels and schedules."""
    found = await documents.exported(ctx, document)
    told: dict[str, Any] = {"document": document or "all"}
    for noun, section in rules.SECTIONS.items():
        if found[section]:
            told[section] = [_trimmed(noun, one) for one in found[section]]
    return DocumentOut(document=told)


@router.post("/plan/")
async def plan_document(ctx: Write, body: PlanIn) -> PlannedOut:
    """Say what applying a document would do, and what would be heard otherwise; nothing is done."""
    ends = body.to or (body.from_ or ctx.now) + timedelta(days=1)
    start, end = forecast.frames(ctx, body.from_, ends)
    if body.zone_ids is not None:
        await queries.scores(ctx, body.zone_ids)
    name, wanted = body.document.document, body.document.values()
    draft = await documents.drafted(ctx, name, wanted, adopt=body.adopt)
    shown = await _changes(ctx, draft)
    affected: set[UUID] = set()

    async def make() -> list[UUID]:
        affected.update(await deeds.carried_out(ctx, draft))
        wanted = affected if body.zone_ids is None else affected & set(body.zone_ids)
        return sorted(wanted)[: dry_run.MAX_ZONES]

    found = await dry_run.tried(ctx, make, start, end) if draft.changes else {}
    return PlannedOut(
        document=name,
        digest=draft.digest,
        changes=shown,
        unchanged=draft.unchanged,
        starts_at=moment_of(start),
        ends_at=moment_of(end),
        zone_count=len(affected),
        audible=[ZoneDifferenceOut.of(z, lines) for z, lines in found.items() if lines],
    )


@router.post("/apply/")
async def apply_document(
    ctx: Annotated[Ctx, once("schedules.write")],
    body: ApplyIn,
    response: Response,
    if_match: Annotated[str | None, Header(alias="If-Match", max_length=100)] = None,
) -> AppliedOut:
    """Make what a document says so, whole or not at all; ``If-Match``: only as it was planned."""
    name, wanted = body.document.document, body.document.values()
    draft = await documents.drafted(ctx, name, wanted, adopt=body.adopt)
    if if_match is not None and if_match.strip() not in {"*", f'"{draft.digest}"'}:
        raise documents.PlanStale
    shown = await _changes(ctx, draft)
    await deeds.carried_out(ctx, draft)
    response.headers["ETag"] = f'"{draft.digest}"'
    return AppliedOut(document=name, digest=draft.digest, changes=shown, unchanged=draft.unchanged)


async def _changes(ctx: Ctx, draft: Draft) -> list[ChangeOut]:
    """Changes as people read them: with names for references."""
    refs: set[tuple[str, str]] = set()
    for change in draft.changes:
        for values in (change.old, change.new):
            refs |= rules.references(dict(values or {}))
    names = await reading.names_of(ctx, refs)

    def give(noun: str, ref: str, _: rules.Path) -> str:
        return names.get((noun, ref), ref.removeprefix(f"+{noun}/"))

    told = []
    for change in draft.changes:
        found = rules.fields(change, _usual(change.noun, change.new or change.old or {}))
        told.append(
            ChangeOut(
                action=change.action,
                noun=change.noun,
                name=change.name,
                id=change.id,
                fields=[
                    FieldOut(
                        field=field,
                        old=_shown(field, old, give),
                        new=_shown(field, new, give),
                    )
                    for field, old, new in found
                ],
            )
        )
    return told


def _shown(field: str, value: Any, give: Any) -> Any:
    name = field.rpartition(".")[2]
    return rules.mapped({name: value}, give)[name]


def _usual(noun: rules.Noun, values: Any) -> dict[str, Any]:
    """What such an object is where nothing more is said of it."""
    model = _MODELS[noun]
    least = {
        name: values[name]
        for name in _LEAST
        if name in model.model_fields and model.model_fields[name].is_required()
    }
    found: dict[str, Any] = model.model_validate(least).model_dump(mode="json")
    return {name: value for name, value in rules.settled(noun, found).items() if name not in least}


def _trimmed(noun: rules.Noun, values: dict[str, Any]) -> dict[str, Any]:
    usual = _usual(noun, values)
    if values.get("level") is not None:
        usual["priority"] = None
    items = [
        rules.trimmed(one, LineDoc().model_dump(mode="json")) for one in values.get("items", ())
    ]
    found = rules.trimmed(values, usual)
    return {**found, "items": items} if items else found
