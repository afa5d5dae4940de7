"""Announcements that are sent over HTTP, as files and as recordings; and where one is heard."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request

from sync2gear_platform.announcements import service
from sync2gear_platform.announcements.tables import Announcement
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.web import allow
from sync2gear_platform.library import form_routes, links, upload_routes
from sync2gear_platform.library.link_routes import Expires, LinkOut, links_of
from sync2gear_platform.library.links import Method

PREFIX, PERMISSION, TAG = "/announcements", "announcements", "announcements"

router = APIRouter()
router.include_router(
    upload_routes.make_router(
        f"{PREFIX}/uploads", PERMISSION, ("announcement", "recording"), tag=TAG
    )
)
for purpose, path in (("announcement", "/upload/"), ("recording", "/recording/")):
    router.include_router(
        form_routes.make_form_router(PREFIX, PERMISSION, purpose, one=path, many=None, tag=TAG)
    )


@router.get("/api/v1/announcements/{announcement_id}/link/", tags=[TAG])
async def link_announcement(
    ctx: Annotated[Ctx, allow("announcements.read")],
    request: Request,
    announcement_id: UUID,
    method: Method = "GET",
    expires: Expires = links.SECONDS,
) -> LinkOut:
    """An address of an announcement's audio that works by itself for a while."""
    row = await rows.find(ctx, Announcement, announcement_id)
    media = await service.media_of(ctx, row.id)
    made = await links_of(request).link(ctx, media, method=method, expires=expires, name=row.title)
    return LinkOut.model_validate(made)
