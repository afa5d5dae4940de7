"""Announcements over HTTP."""

from typing import Annotated, cast
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlmodel import col, select
from starlette.requests import HTTPConnection

from sync2gear_platform.announcements import service
from sync2gear_platform.announcements.ports import Speech
from sync2gear_platform.announcements.schemas import (
    AnnouncementOut,
    AnnouncementPatch,
    PlayInstantIn,
    PlayOut,
    PlaysOut,
    SayIn,
    TtsIn,
    VoiceOut,
    VoicesOut,
)
from sync2gear_platform.announcements.tables import Announcement
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.blobs import Blobs
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.paging import Listing, Page, page
from sync2gear_platform.kit.web import allow, edge_of
from sync2gear_platform.library import delivery
from sync2gear_platform.playback.service import Announced

router = APIRouter(prefix="/api/v1/announcements", tags=["announcements"])

Read = Annotated[Ctx, allow("announcements.read")]
Write = Annotated[Ctx, allow("announcements.write")]
Announce = Annotated[Ctx, allow("announce.now")]


def _speech(connection: HTTPConnection) -> Speech:
    return cast("Speech", connection.app.state.speech)


def _blobs(connection: HTTPConnection) -> Blobs:
    return cast("Blobs", connection.app.state.blobs)


def _plays(row: Announcement, plays: list[Announced]) -> PlaysOut:
    return PlaysOut(
        announcement=AnnouncementOut.model_validate(row),
        plays=[PlayOut.model_validate(play) for play in plays],
    )


@router.get("/")
async def list_announcements(ctx: Read, window: Listing) -> Page[AnnouncementOut]:
    """List announcements, the newest first."""
    return await page(
        ctx,
        window,
        select(Announcement).where(col(Announcement.client_id) == ctx.client_id),
        keys={"created_at": col(Announcement.created_at), "title": col(Announcement.title)},
        default="-created_at",
        tiebreak=col(Announcement.id),
        search=(Announcement.title, Announcement.text),
        shape=lambda row: AnnouncementOut.model_validate(row[0]),
    )


@router.get("/voices/")
async def list_voices(_: Read, request: Request) -> VoicesOut:
    """List voices."""
    voices = await _speech(request).voices()
    return VoicesOut(results=[VoiceOut.model_validate(voice) for voice in voices])


@router.post("/tts/", status_code=201)
async def create_announcement(
    ctx: Write, request: Request, body: TtsIn, response: Response
) -> AnnouncementOut:
    """Make an announcement from a text."""
    row = await service.create(
        ctx,
        _speech(request),
        _blobs(request),
        text=body.text,
        voice=body.voice,
        title=body.title,
    )
    rows.tagged(response, row)
    return AnnouncementOut.model_validate(row)


@router.post("/say/", status_code=202)
async def say(ctx: Announce, request: Request, body: SayIn) -> PlaysOut:
    """Say something at once."""
    row, plays = await service.say(
        ctx,
        _speech(request),
        _blobs(request),
        edge_of(request).clock.now,
        text=body.text,
        zone_ids=body.zone_ids,
        voice=body.voice,
        title=body.title,
        mode=body.mode,
        priority=body.priority,
    )
    return _plays(row, plays)


@router.get("/{announcement_id}/")
async def get_announcement(ctx: Read, announcement_id: UUID, response: Response) -> AnnouncementOut:
    """Read an announcement."""
    row = await rows.find(ctx, Announcement, announcement_id)
    rows.tagged(response, row)
    return AnnouncementOut.model_validate(row)


@router.patch("/{announcement_id}/")
async def update_announcement(
    ctx: Write,
    request: Request,
    announcement_id: UUID,
    body: AnnouncementPatch,
    response: Response,
    if_match: rows.IfMatch = None,
) -> AnnouncementOut:
    """Change an announcement."""
    row = await service.update(
        ctx, _speech(request), _blobs(request), announcement_id, rows.given(body), if_match
    )
    rows.tagged(response, row)
    return AnnouncementOut.model_validate(row)


@router.delete("/{announcement_id}/", status_code=204)
async def delete_announcement(
    ctx: Write, announcement_id: UUID, if_match: rows.IfMatch = None
) -> None:
    """Remove an announcement."""
    await service.remove(ctx, announcement_id, if_match)


@router.post("/{announcement_id}/play-instant/", status_code=202)
async def play_instant(ctx: Announce, announcement_id: UUID, body: PlayInstantIn) -> PlaysOut:
    """Let an announcement sound at once."""
    row, plays = await service.play_instant(
        ctx, announcement_id, zone_ids=body.zone_ids, mode=body.mode, priority=body.priority
    )
    return _plays(row, plays)


@router.get("/{announcement_id}/audio/", response_class=Response)
async def hear_announcement(ctx: Read, announcement_id: UUID, request: Request) -> Response:
    """The audio of an announcement, whole or in a range."""
    return await delivery.deliver(request, await service.media_of(ctx, announcement_id))
