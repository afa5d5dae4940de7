"""Audio by signed addresses, and by content for speakers; and how much of it there is."""

from datetime import datetime
from typing import Annotated, cast
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict
from starlette.responses import RedirectResponse

from sync2gear_platform.kit import rows
from sync2gear_platform.kit.blobs import Shown
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import NotFound
from sync2gear_platform.kit.web import allow, public
from sync2gear_platform.library import delivery, links, service, usage
from sync2gear_platform.library.links import Links, Method
from sync2gear_platform.library.schemas import StoredUsageOut
from sync2gear_platform.library.tables import Media, Track

router = APIRouter(prefix="/api/v1", tags=["music"])

Expires = Annotated[int, Query(ge=1, le=links.MAX_SECONDS, description="seconds")]


class LinkOut(BaseModel):
    """An address that needs no credential, and until when it works."""

    model_config = ConfigDict(from_attributes=True)

    url: str
    expires_at: datetime


def links_of(request: Request) -> Links:
    """What makes and believes links here."""
    return cast("Links", request.app.state.links)


@router.get("/music/files/{track_id}/link/")
async def link_track(
    ctx: Annotated[Ctx, allow("music.read")],
    request: Request,
    track_id: UUID,
    method: Method = "GET",
    expires: Expires = links.SECONDS,
) -> LinkOut:
    """An address of a track's audio that works by itself for a while."""
    track = await rows.find(ctx, Track, track_id)
    media = await service.media(ctx, track.sha256)
    made = await links_of(request).link(
        ctx, media, method=method, expires=expires, name=track.filename
    )
    return LinkOut.model_validate(made)


@router.get("/music/usage/")
async def read_usage(ctx: Annotated[Ctx, allow("music.read")]) -> StoredUsageOut:
    """What the client stores, and how much it may."""
    return await usage.usage(ctx)


@router.head("/media/signed/{token}/", include_in_schema=False)
@router.get("/media/signed/{token}/", include_in_schema=False)
async def get_signed(
    ctx: Annotated[Ctx, public()],
    request: Request,
    token: Annotated[str, Path(max_length=links.MAX_TOKEN)],
) -> Response:
    """The bytes that a signed address is for, whole or in a range."""
    grant = links_of(request).read(token, request.method, ctx.now)
    media = await ctx.db.get(Media, (grant.client_id, grant.sha256))
    if media is None:
        raise NotFound("There is no such media here.")
    response = await delivery.deliver(request, media, grant.shown)
    # The address is the permission: a page of another origin that holds it may play it.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@router.head("/media/{sha256}/", include_in_schema=False)
@router.get("/media/{sha256}/", response_class=Response)
async def get_media(
    ctx: Annotated[Ctx, allow("device.fetch")],
    request: Request,
    sha256: Annotated[str, Path(max_length=64)],
) -> Response:
    """The bytes of a piece of audio for a speaker, here or (307) where the store gives them."""
    media = await service.media(ctx, sha256)
    method = cast("Method", request.method)
    shown = Shown(links.media_type(media.codec), links.disposition(media.sha256))
    elsewhere = await links_of(request).of_store(media, shown, method=method)
    if elsewhere is not None:
        return RedirectResponse(elsewhere, 307)
    return await delivery.deliver(request, media)
