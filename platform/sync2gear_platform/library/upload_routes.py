"""Uploads over HTTP: tus 1.0, and what has become of each."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from datetime import UTC
from email.utils import format_datetime
from typing import Annotated, Any, Final, Literal, cast
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from sync2gear_platform.kit import log, rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import NotFound, Refusal
from sync2gear_platform.kit.paging import Listing, Page
from sync2gear_platform.kit.partials import ChecksumMismatch, OffsetMismatch, Partials
from sync2gear_platform.kit.web import (
    allow,
    checked_inside,
    further,
    refused_with,
    touch,
    unguarded,
)
from sync2gear_platform.library import queries, rules, tus, uploads
from sync2gear_platform.library.direct_routes import add_direct, arrivals_of
from sync2gear_platform.library.schemas import UploadOut
from sync2gear_platform.library.tables import Upload
from sync2gear_platform.library.tus import Gone

logger = log.get(__name__)

TOLD_SECONDS: Final = 2.0
"""How often the row follows the file while bytes come."""

SILENT_SECONDS: Final = 60.0
"""How long a sender may say nothing within one request."""

State = Literal["receiving", "uploaded", "processing", "ready", "failed"]


class TusRoute(APIRoute):
    """A route whose every answer says which version of tus it speaks."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's own handler; refusals are answered here, for the header's sake."""
        answer = super().get_route_handler()

        async def versioned(request: Request) -> Response:
            try:
                response = await answer(request)
            except Refusal as refusal:
                response = refused_with(refusal)
            response.headers["Tus-Resumable"] = tus.VERSION
            response.headers["Tus-Version"] = tus.VERSION
            return response

        return versioned


def make_router(
    prefix: str, permission: str, purposes: tuple[str, ...], *, tag: str = "music"
) -> APIRouter:
    """Uploads for ``purposes``, the first of which need not be named, below ``prefix``.

    Who may send needs ``<permission>.write``, who may look ``<permission>.read``.
    """
    write, read = f"{permission}.write", f"{permission}.read"
    router = APIRouter(prefix=f"/api/v1{prefix}", tags=[tag])
    _protocol(router, write, purposes)
    add_direct(router, permission, purposes)

    @router.get("/")
    async def list_uploads(
        ctx: Annotated[Ctx, allow(read)],
        window: Listing,
        state: Annotated[State | None, Query()] = None,
    ) -> Page[UploadOut]:
        """List uploads, the newest first."""
        return await queries.uploads(ctx, window, purposes, state)

    @router.get("/{upload_id}/")
    async def get_upload(ctx: Annotated[Ctx, allow(read)], upload_id: UUID) -> UploadOut:
        """Read what has become of an upload."""
        row = await rows.find(ctx, Upload, upload_id)
        if row.purpose not in purposes:
            raise NotFound("There is no such upload here.")
        return UploadOut.model_validate(row)

    @router.post("/{upload_id}/retry/", status_code=202)
    async def retry_upload(ctx: Annotated[Ctx, allow(write)], upload_id: UUID) -> UploadOut:
        """Try a failed upload again, without sending it again."""
        await uploads.receiving(ctx, upload_id, purposes)
        return UploadOut.model_validate(await uploads.retry(ctx, upload_id))

    return router


def _protocol(router: APIRouter, write: str, purposes: tuple[str, ...]) -> None:
    """The routes of tus itself. A body is streamed to the disk outside any transaction."""

    async def discover() -> Response:
        """Say what of tus is spoken here."""
        headers = {
            "Tus-Extension": tus.EXTENSIONS,
            "Tus-Max-Size": str(rules.MAX_BYTES),
            "Tus-Checksum-Algorithm": ",".join(tus.ALGORITHMS),
        }
        return Response(status_code=204, headers=headers)

    async def create_upload(request: Request) -> Response:
        """Begin an upload (tus 1.0 creation), perhaps with its first bytes."""
        partials = partials_of(request)
        async with touch(request, write) as ctx:
            tus.check_version(request.headers.get("tus-resumable"))
            with_bytes = _carries_bytes(request)
            row = await uploads.create(ctx, tus.wish(request.headers, purposes))
            if row.size == 0:
                row = await uploads.arrived(ctx, row.id, 0)
        if with_bytes:
            row = await _receive(request, ctx, partials, row, 0)
        headers = {"Location": request.url_for(f"tus {router.prefix}", upload_id=row.id).path}
        return Response(status_code=201, headers={**headers, **_told(row)})

    async def ask_upload(request: Request, upload_id: UUID) -> Response:
        """Say how many bytes of an upload are here (tus 1.0)."""
        async with touch(request, write) as ctx:
            tus.check_version(request.headers.get("tus-resumable"))
            row = await uploads.receiving(ctx, upload_id, purposes, via="tus")
            if row.state == "receiving":
                size = await partials_of(request).size(upload_id)
                row = await uploads.arrived(ctx, upload_id, size)
        headers = {"Upload-Length": str(row.size), **_told(row)}
        return Response(headers={**headers, **({"Upload-Metadata": row.told} if row.told else {})})

    async def send_upload(request: Request, upload_id: UUID) -> Response:
        """Send the bytes that come next (tus 1.0)."""
        async with touch(request, write) as ctx:
            tus.check_version(request.headers.get("tus-resumable"))
            if request.headers.get("content-type", "") != tus.CONTENT_TYPE:
                raise tus.WrongType
            at = tus.number("Upload-Offset", request.headers.get("upload-offset"))
            row = await uploads.receiving(ctx, upload_id, purposes, via="tus")
        row = await _receive(request, ctx, partials_of(request), row, at)
        return Response(status_code=204, headers=_told(row))

    async def cancel_upload(request: Request, upload_id: UUID) -> Response:
        """Give an upload up (tus 1.0 termination), or forget one that has ended."""
        async with touch(request, write) as ctx:
            if "tus-resumable" in request.headers:
                tus.check_version(request.headers["tus-resumable"])
            via = await uploads.cancel(ctx, upload_id, purposes)
        await arrivals_of(request).forget(upload_id, via)
        return Response(status_code=204)

    inside = [checked_inside(write)]
    shape: dict[str, Any] = {"response_class": Response, "route_class_override": TusRoute}
    one, hidden = "/{upload_id}/", {"include_in_schema": False}
    for path, endpoint, method, policy, more in (
        ("/", discover, "OPTIONS", [unguarded()], hidden),
        (one, discover, "OPTIONS", [unguarded()], hidden),
        ("/", create_upload, "POST", inside, {"status_code": 201}),
        (one, ask_upload, "HEAD", inside, {**hidden, "name": f"tus {router.prefix}"}),
        (one, send_upload, "PATCH", inside, {"status_code": 204}),
        (one, cancel_upload, "DELETE", inside, {"status_code": 204}),
    ):
        router.add_api_route(
            path, endpoint, methods=[method], dependencies=policy, **{**shape, **more}
        )


def partials_of(request: Request) -> Partials:
    """Where the application lets files grow."""
    return cast("Partials", request.app.state.partials)


def _carries_bytes(request: Request) -> bool:
    """Whether a creation brings the first bytes; raises for a body that is something else."""
    sent = request.headers.get("content-type", "")
    if sent == tus.CONTENT_TYPE:
        return True
    if request.headers.get("content-length", "0") != "0" or sent.startswith("multipart/"):
        raise tus.WrongType
    return False


async def _receive(request: Request, ctx: Ctx, partials: Partials, row: Upload, at: int) -> Upload:
    """Stream the body of ``request`` to the disk from offset ``at`` on; the row follows.

    A line that breaks leaves what had come. Raises what :meth:`Partials.append` raises.
    """
    if row.state != "receiving":
        if at == row.size:
            return row  # the answer to the last bytes was lost, and they are sent again: none
        raise OffsetMismatch
    data = _watched(request, ctx, partials, row.id)
    try:
        if "upload-checksum" in request.headers:
            algorithm, digest = tus.checksum(request.headers["upload-checksum"])
            await partials.append_checked(
                row.id, at, data, limit=row.size, algorithm=algorithm, digest=digest
            )
        else:
            await partials.append(row.id, at, data, limit=row.size)
    except ChecksumMismatch as mismatch:
        raise tus.BadChecksum from mismatch
    except ClientDisconnect:
        logger.info("upload interrupted", upload=str(row.id))
    return await _follow(request, ctx, partials, row.id)


async def _follow(request: Request, ctx: Ctx, partials: Partials, upload_id: UUID) -> Upload:
    """Let the row say what the file says."""
    size = await partials.size(upload_id)
    try:
        async with further(request, ctx) as after:
            return await uploads.arrived(after, upload_id, size)
    except (Gone, NotFound):  # cancelled meanwhile: what was written since is nobody's
        await partials.remove(upload_id)
        raise


async def _watched(
    request: Request, ctx: Ctx, partials: Partials, upload_id: UUID
) -> AsyncIterator[bytes]:
    """The body as it comes; now and then the row follows, for whoever watches."""
    loop = asyncio.get_running_loop()
    told = loop.time()
    stream = request.stream()
    while (piece := await next_piece(stream)) is not None:
        yield piece
        if loop.time() - told > TOLD_SECONDS:
            told = loop.time()
            await _follow(request, ctx, partials, upload_id)


async def next_piece(stream: AsyncGenerator[bytes, None]) -> bytes | None:
    """The next bytes of a body, ``None`` at its end; a sender that falls silent is let go."""
    try:
        async with asyncio.timeout(SILENT_SECONDS):
            return await anext(stream, None)
    except TimeoutError:
        raise HTTPException(408, "Nothing came for too long: go on with another request.") from None


def _told(row: Upload) -> dict[str, str]:
    """What every answer about an upload says."""
    told = {"Upload-Offset": str(row.offset)}
    if row.state == "receiving":
        told["Upload-Expires"] = format_datetime(row.expires_at.astimezone(UTC), usegmt=True)
    return told


router = make_router("/music/uploads", "music", ("track",))
