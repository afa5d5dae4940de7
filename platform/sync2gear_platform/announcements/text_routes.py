"""Templates, pronunciations, variants and chimes over HTTP."""

from typing import Annotated, cast
from uuid import UUID

from fastapi import APIRouter, Request, Response
from starlette.requests import HTTPConnection

from sync2gear_platform.announcements import chimes, chiming, cuts, playing, queries, texts, words
from sync2gear_platform.announcements.schemas import Mode, documents
from sync2gear_platform.announcements.studio import Studio
from sync2gear_platform.announcements.tables import Announcement
from sync2gear_platform.announcements.text_schemas import (
    FilledOut,
    PreviewOut,
    PreviewTemplateIn,
    PronunciationIn,
    PronunciationOut,
    PronunciationPatch,
    SaidOut,
    SayTemplateIn,
    SoundDefaultsOut,
    SoundDefaultsPatch,
    TemplateIn,
    TemplateOut,
    TemplatePatch,
    VariantIn,
    VariantOut,
    VariantPatch,
    VariantsOut,
    plays_of,
)
from sync2gear_platform.announcements.text_tables import Pronunciation, Template
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.idempotency import Remembering, once
from sync2gear_platform.kit.paging import Listing, Page
from sync2gear_platform.kit.web import allow, edge_of
from sync2gear_platform.sites.tables import Location

router = APIRouter(prefix="/api/v1/announcements", tags=["announcements"], route_class=Remembering)

Read = Annotated[Ctx, allow("announcements.read")]
Write = Annotated[Ctx, allow("announcements.write")]
Create = Annotated[Ctx, once("announcements.write")]
Announce = Annotated[Ctx, once("announce.now")]


def studio_of(connection: HTTPConnection) -> Studio:
    """What announcements are made with."""
    state = connection.app.state
    return Studio(state.speech, state.blobs, state.splicer, edge_of(connection).clock.now)


@router.get("/templates/")
async def list_templates(ctx: Read, window: Listing) -> Page[TemplateOut]:
    """List templates."""
    return await queries.templates(ctx, window)


@router.post("/templates/", status_code=201)
async def create_template(ctx: Create, body: TemplateIn, response: Response) -> TemplateOut:
    """Make a template."""
    row = await texts.create(ctx, body.values())
    rows.tagged(response, row)
    return TemplateOut.model_validate(row)


@router.get("/templates/{template_id}/")
async def get_template(ctx: Read, template_id: UUID, response: Response) -> TemplateOut:
    """Read a template."""
    row = await rows.find(ctx, Template, template_id)
    rows.tagged(response, row)
    return TemplateOut.model_validate(row)


@router.patch("/templates/{template_id}/")
async def update_template(
    ctx: Write,
    template_id: UUID,
    body: TemplatePatch,
    response: Response,
    if_match: rows.IfMatch = None,
) -> TemplateOut:
    """Change a template."""
    row = await texts.update(ctx, template_id, body.values(), if_match)
    rows.tagged(response, row)
    return TemplateOut.model_validate(row)


@router.delete("/templates/{template_id}/", status_code=204)
async def delete_template(ctx: Write, template_id: UUID, if_match: rows.IfMatch = None) -> None:
    """Remove a template."""
    await texts.remove(ctx, template_id, if_match)


@router.post("/templates/{template_id}/preview/")
async def preview_template(ctx: Read, template_id: UUID, body: PreviewTemplateIn) -> PreviewOut:
    """Fill a template, and say what a voice would be given."""
    row = await rows.find(ctx, Template, template_id)
    place = await rows.find(ctx, Location, body.location_id) if body.location_id else None
    filled = await texts.filled(ctx, row, body.variables, place, body.languages)
    return PreviewOut(
        results=[FilledOut.model_validate(one, from_attributes=True) for one in filled]
    )


@router.post("/templates/{template_id}/say/", status_code=202)
async def say_template(
    ctx: Announce, request: Request, template_id: UUID, body: SayTemplateIn
) -> SaidOut:
    """Fill a template and say it at once, its languages one after the other."""
    row = await rows.find(ctx, Template, template_id)
    played = await playing.say_template(
        ctx,
        studio_of(request),
        row,
        values=body.variables,
        languages=body.languages,
        where=body.where(),
        how=body.how(cast("Mode", row.mode), row.priority),
    )
    return SaidOut(results=[plays_of(one) for one in played])


@router.get("/pronunciations/")
async def list_pronunciations(ctx: Read, window: Listing) -> Page[PronunciationOut]:
    """List how words are said."""
    return await queries.pronunciations(ctx, window)


@router.post("/pronunciations/", status_code=201)
async def create_pronunciation(
    ctx: Create, body: PronunciationIn, response: Response
) -> PronunciationOut:
    """Say how a word is pronounced."""
    row = await words.create(ctx, body.model_dump())
    rows.tagged(response, row)
    return PronunciationOut.model_validate(row)


@router.get("/pronunciations/{word_id}/")
async def get_pronunciation(ctx: Read, word_id: UUID, response: Response) -> PronunciationOut:
    """Read how a word is said."""
    row = await rows.find(ctx, Pronunciation, word_id)
    rows.tagged(response, row)
    return PronunciationOut.model_validate(row)


@router.patch("/pronunciations/{word_id}/")
async def update_pronunciation(
    ctx: Write,
    word_id: UUID,
    body: PronunciationPatch,
    response: Response,
    if_match: rows.IfMatch = None,
) -> PronunciationOut:
    """Change how a word is said."""
    row = await words.update(ctx, word_id, rows.given(body), if_match)
    rows.tagged(response, row)
    return PronunciationOut.model_validate(row)


@router.delete("/pronunciations/{word_id}/", status_code=204)
async def delete_pronunciation(ctx: Write, word_id: UUID, if_match: rows.IfMatch = None) -> None:
    """Let a word be said as it is written."""
    await words.remove(ctx, word_id, if_match)


@router.get("/{announcement_id}/variants/")
async def list_variants(ctx: Read, announcement_id: UUID) -> VariantsOut:
    """List the variants of a message."""
    await rows.find(ctx, Announcement, announcement_id)
    found = await cuts.of_message(ctx, announcement_id)
    return VariantsOut(results=[VariantOut.model_validate(one) for one in found])


@router.post("/{announcement_id}/variants/", status_code=201)
async def create_variant(
    ctx: Create, announcement_id: UUID, body: VariantIn, response: Response
) -> VariantOut:
    """Let an announcement be heard as a variant of a message."""
    row = await cuts.create(ctx, announcement_id, body.model_dump())
    rows.tagged(response, row)
    return VariantOut.model_validate(row)


@router.patch("/{announcement_id}/variants/{variant_id}/")
async def update_variant(
    ctx: Write,
    announcement_id: UUID,
    variant_id: UUID,
    body: VariantPatch,
    response: Response,
    if_match: rows.IfMatch = None,
) -> VariantOut:
    """Change when a variant is heard."""
    row = await cuts.update(ctx, announcement_id, variant_id, rows.given(body), if_match)
    rows.tagged(response, row)
    return VariantOut.model_validate(row)


@router.delete("/{announcement_id}/variants/{variant_id}/", status_code=204)
async def delete_variant(
    ctx: Write, announcement_id: UUID, variant_id: UUID, if_match: rows.IfMatch = None
) -> None:
    """Let an announcement no longer be a variant of a message; it stays."""
    await cuts.remove(ctx, announcement_id, variant_id, if_match)


@router.get("/sound/")
async def get_sound(ctx: Read, response: Response) -> SoundDefaultsOut:
    """Read how announcements usually sound, and which chimes there are."""
    row = await chiming.defaults(ctx)
    rows.tagged(response, row)
    return _sound(row.model_dump())


@router.patch("/sound/")
async def update_sound(
    ctx: Write, body: SoundDefaultsPatch, response: Response, if_match: rows.IfMatch = None
) -> SoundDefaultsOut:
    """Change how announcements usually sound."""
    row = await chiming.update(ctx, documents(body), if_match)
    rows.tagged(response, row)
    return _sound(row.model_dump())


def _sound(values: dict[str, object]) -> SoundDefaultsOut:
    return SoundDefaultsOut.model_validate({**values, "chimes": sorted(chimes.BUILT_IN)})
