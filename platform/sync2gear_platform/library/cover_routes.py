"""How music looks, over HTTP: covers of tracks and folders, and waveforms."""

from collections.abc import Sequence
from typing import Annotated, Final, cast
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi import Path as Named
from starlette.datastructures import UploadFile

from sync2gear_platform.kit import drawing, rows
from sync2gear_platform.kit.blobs import Blobs
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import NotFound
from sync2gear_platform.kit.web import allow, recognised, touch
from sync2gear_platform.library import covers, rules
from sync2gear_platform.library.schemas import PeaksOut
from sync2gear_platform.library.service import media
from sync2gear_platform.library.tables import Cover, Folder, MediaPeaks, Track

router = APIRouter(prefix="/api/v1", tags=["music"])

Read = Annotated[Ctx, allow("music.read")]
Write = Annotated[Ctx, allow("music.write")]
Side = Annotated[int, Query(ge=1, le=10_000)]
Known = Annotated[str | None, Header(alias="If-None-Match")]

MAX_SENT: Final = covers.MAX_BYTES + 10_000
"""Of a request with a picture: multipart puts a little around it."""


def _blobs(request: Request) -> Blobs:
    return cast("Blobs", request.app.state.blobs)


async def _drawn(request: Request) -> Sequence[bytes]:
    """The picture of a request, as the body or as the one file of a form, in all sizes."""
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        async with request.form(max_files=1, max_fields=0) as form:
            sent = next(iter(form.values()), None)
            if not isinstance(sent, UploadFile):
                raise drawing.BadPicture
            data = await sent.read()
    else:
        data = await drawing.received(request.stream(), covers.MAX_BYTES)
    return await drawing.draw(data, "within", *rules.COVER_SIDES)


async def _put(request: Request, table: covers.Covered, row_id: UUID) -> None:
    async with touch(request, "music.write") as ctx:
        await rows.find(ctx, table, row_id)
    images = await _drawn(request)
    async with touch(request, "music.write") as ctx:
        await covers.put(ctx, _blobs(request), table, row_id, images)


async def _shown(request: Request, cover: Cover, side: int, known: str | None) -> Response:
    digest = covers.digest_of(cover, side)
    tag = f'"{digest[:32]}"'
    if drawing.unchanged(tag, known):
        return drawing.shown(None, tag)
    try:
        image = b"".join([piece async for piece in _blobs(request).read(digest)])
    except FileNotFoundError as error:
        raise NotFound("There is no cover here.") from error
    return drawing.shown(image, tag)


def _covered(table: covers.Covered, noun: str, path: str) -> None:
    """The routes of the covers of one table, whose rows are named by ``{NOUN_id}``."""

    @router.post(
        path,
        name=f"put_{noun}_cover",
        status_code=204,
        dependencies=[recognised("music.write")],
        openapi_extra=drawing.BODY,
        description=f"Send a {noun}'s cover: JPEG, PNG or WebP as the body or in a form, at most"
        " 10 MB.",
    )
    async def put_cover(
        request: Request, row_id: Annotated[UUID, Named(alias=f"{noun}_id")]
    ) -> None:
        await _put(request, table, row_id)

    @router.get(
        path,
        name=f"get_{noun}_cover",
        response_class=Response,
        responses=drawing.SHOWN,
        description=f"A {noun}'s cover in the size that fills so many pixels, or the largest"
        " there is.",
    )
    async def get_cover(
        ctx: Read,
        request: Request,
        row_id: Annotated[UUID, Named(alias=f"{noun}_id")],
        size: Side = 320,
        if_none_match: Known = None,
    ) -> Response:
        return await _shown(request, await covers.of(ctx, table, row_id), size, if_none_match)

    @router.delete(
        path,
        name=f"delete_{noun}_cover",
        status_code=204,
        description=f"Take a {noun}'s cover away.",
    )
    async def delete_cover(ctx: Write, row_id: Annotated[UUID, Named(alias=f"{noun}_id")]) -> None:
        await covers.remove(ctx, table, row_id)


_covered(Track, "track", "/music/files/{track_id}/cover/")
_covered(Folder, "folder", "/music/folders/{folder_id}/cover/")


@router.get("/music/files/{track_id}/peaks/")
async def get_peaks(ctx: Read, track_id: UUID) -> PeaksOut:
    """The waveform of a track, for drawing it."""
    track = await rows.find(ctx, Track, track_id)
    sound = await media(ctx, track.sha256)
    row = await ctx.db.get(MediaPeaks, (ctx.client_id, track.sha256))
    if row is None:
        raise NotFound("The waveform of this track was not measured.", code="not_found")
    return PeaksOut(
        frames=sound.frames,
        lead=sound.lead,
        tail=sound.tail,
        frames_per_peak=row.frames_per_peak,
        peaks=list(row.peaks),
    )
