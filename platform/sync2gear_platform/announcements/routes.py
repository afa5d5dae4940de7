"""Announcements over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from sync2gear_platform.announcements import playing, queries, service
from sync2gear_platform.announcements.schemas import (
    AnnouncementOut,
    AnnouncementPatch,
    PlayInstantIn,
    PlaysOut,
    SayIn,
    TtsIn,
)
from sync2gear_platform.announcements.tables import Announcement
from sync2gear_platform.announcements.text_routes import studio_of
from sync2gear_platform.announcements.text_schemas import plays_of
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.idempotency import Remembering, once
from sync2gear_platform.kit.paging import Listing, Page
from sync2gear_platform.kit.web import allow
from sync2gear_platform.library import delivery

router = APIRouter(prefix="/api/v1/announcements", tags=["announcements"], route_class=Remembering)

Read = Annotated[Ctx, allow("announcements.read")]
Write = Annotated[Ctx, allow("announcements.write")]
Create = Annotated[Ctx, once("announcements.write")]
Announce = Annotated[Ctx, once("announce.now")]


@router.get("/")
async def list_announcements(
    ctx: Read,
    window: Listing,
    folder_id: Annotated[UUID | None, Query()] = None,
    kind: Annotated[queries.Kind | None, Query()] = None,
    language: Annotated[str | None, Query(max_length=35)] = None,
    state: Annotated[queries.State | None, Query()] = None,
    tag: Annotated[str | None, Query(max_length=50)] = None,
) -> Page[AnnouncementOut]:
    """List announcements, the newest first."""
    return await queries.announcements(
        ctx, window, folder_id=folder_id, kind=kind, language=language, state=state, tag=tag
    )


@router.post("/tts/", status_code=201)
async def create_announcement(
    ctx: Create, request: Request, body: TtsIn, response: Response
) -> AnnouncementOut:
    """Make an announcement from a text; a long one that is new is spoken behind the request."""
    made = studio_of(request)
    row = await service.create(ctx, made.booth, made.blobs, body.script(), body.values())
    rows.tagged(response, row)
    return AnnouncementOut.model_validate(row)


@router.post("/say/", status_code=202)
async def say(ctx: Announce, request: Request, body: SayIn) -> PlaysOut:
    """Say something at once."""
    played = await playing.say(
        ctx,
        studio_of(request),
        body.script(),
        where=body.where(),
        how=body.how(),
        title=body.title,
    )
    return plays_of(played)


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
    made = studio_of(request)
    row = await service.update(
        ctx, made.booth, made.blobs, announcement_id, body.values_given(), if_match
    )
    rows.tagged(response, row)
    return AnnouncementOut.model_validate(row)


@router.post("/{announcement_id}/retry/", status_code=202)
async def retry_announcement(
    ctx: Create, announcement_id: UUID, response: Response
) -> AnnouncementOut:
    """Have an announcement spoken again whose rendering failed."""
    row = await service.retry(ctx, announcement_id)
    rows.tagged(response, row)
    return AnnouncementOut.model_validate(row)


@router.delete("/{announcement_id}/", status_code=204)
async def delete_announcement(
    ctx: Write,
    announcement_id: UUID,
    force: Annotated[bool, Query()] = False,
    if_match: rows.IfMatch = None,
) -> None:
    """Remove an announcement. While something uses it (409 ``in_use``), only with ``force``."""
    await service.remove(ctx, announcement_id, if_match, force=force)


@router.post("/{announcement_id}/play-instant/", status_code=202)
async def play_instant(
    ctx: Announce, request: Request, announcement_id: UUID, body: PlayInstantIn
) -> PlaysOut:
    """Let an announcement sound at once."""
    played = await playing.play_instant(
        ctx, studio_of(request), announcement_id, where=body.where(), how=body.how()
    )
    return plays_of(played)


@router.get("/{announcement_id}/audio/", response_class=Response)
async def hear_announcement(ctx: Read, announcement_id: UUID, request: Request) -> Response:
    """The audio of an announcement, whole or in a range."""
    return await delivery.deliver(request, await service.media_of(ctx, announcement_id))
