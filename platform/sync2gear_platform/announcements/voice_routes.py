"""Voices over HTTP: which there are, how they sound, what they cost, and what a client prefers."""

from typing import Annotated, cast
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from starlette.requests import HTTPConnection

from sync2gear_platform.announcements import accounts, voices
from sync2gear_platform.announcements.ports import Kind
from sync2gear_platform.announcements.schemas import Language, VoiceOut, VoicesOut
from sync2gear_platform.announcements.speech import Booth, Offered
from sync2gear_platform.announcements.voice_schemas import (
    DefaultsOut,
    DefaultsPatch,
    PreviewIn,
    UsageLineOut,
    UsageOut,
)
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.blobs import Blobs
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.web import allow
from sync2gear_platform.library import delivery

router = APIRouter(prefix="/api/v1/announcements", tags=["announcements"])

Read = Annotated[Ctx, allow("announcements.read")]
Write = Annotated[Ctx, allow("announcements.write")]
Months = Annotated[int, Query(ge=1, le=12)]


def booth_of(connection: HTTPConnection) -> Booth:
    """Where texts are spoken."""
    return cast("Booth", connection.app.state.speech)


def _voice(one: Offered) -> VoiceOut:
    return VoiceOut(
        id=one.voice.id,
        language=one.voice.language,
        name=one.voice.name,
        provider_id=one.provider.id,
        provider=one.provider.name,
        kind=cast("Kind", one.provider.kind),
    )


@router.get("/voices/")
async def list_voices(
    ctx: Read,
    request: Request,
    language: Language | None = None,
    provider: UUID | None = None,
) -> VoicesOut:
    """List the voices of all active providers, or those of one, or for a language."""
    found, silent = await booth_of(request).offered(ctx, provider_id=provider)
    if language is not None:
        found = [one for one in found if voices.speaks(one.voice, language)]
    return VoicesOut(results=[_voice(one) for one in found], silent=[p.name for p in silent])


@router.post("/voices/preview/", response_class=Response)
async def preview_voice(ctx: Write, request: Request, body: PreviewIn) -> Response:
    """Hear a voice say a sentence; it is kept, so that the same again costs nothing.

    ``X-Spoken-Provider`` and ``X-Spoken-Voice`` say who spoke, percent-encoded.
    """
    blobs = cast("Blobs", request.app.state.blobs)
    spoken = await voices.preview(
        ctx,
        booth_of(request),
        blobs,
        voice=body.voice,
        provider_id=body.provider_id,
        text=body.text,
        prosody=body.prosody.value() if body.prosody else None,
    )
    answer = await delivery.deliver(request, spoken.media)
    # a name may be in any script, a header only in ASCII
    answer.headers["X-Spoken-Provider"] = quote(spoken.provider, safe=" ")
    answer.headers["X-Spoken-Voice"] = quote(spoken.voice, safe=" ")
    return answer


@router.get("/tts/usage/")
async def speech_usage(ctx: Read, months: Months = 1) -> UsageOut:
    """What this client's speech cost at each provider, this month and before."""
    lines = await accounts.usage(ctx, months=months)
    return UsageOut(
        results=[UsageLineOut.model_validate(line) for line in lines],
        from_cache=await accounts.saved(ctx),
    )


@router.get("/tts/settings/")
async def speech_settings(ctx: Read, response: Response) -> DefaultsOut:
    """How this client's texts are spoken where nobody says otherwise."""
    row = await voices.defaults(ctx)
    rows.tagged(response, row)
    return DefaultsOut.model_validate(row)


@router.patch("/tts/settings/")
async def update_speech_settings(
    ctx: Write, body: DefaultsPatch, response: Response, if_match: rows.IfMatch = None
) -> DefaultsOut:
    """Change the provider, voice, language and manner that this client prefers."""
    row = await voices.update_defaults(ctx, rows.given(body), if_match)
    rows.tagged(response, row)
    return DefaultsOut.model_validate(row)
