"""Audio over HTTP: whole or in a range, as RFC 9110 says, out of the blob store."""

import re
from dataclasses import dataclass
from typing import cast

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from sync2gear_platform.kit.blobs import Blobs, Shown
from sync2gear_platform.kit.errors import NotFound
from sync2gear_platform.library.links import disposition, media_type
from sync2gear_platform.library.tables import Media

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes ``start`` to ``stop`` (excluded)."""

    start: int
    stop: int


class Unsatisfiable(Exception):  # noqa: N818 - an answer of its own, 416
    """No byte of the range asked for exists."""


def span_of(header: str | None, size: int) -> Span | None:
    """The one range that ``header`` asks of ``size`` bytes; ``None``: all of them.

    As RFC 9110 section 14.2 allows, what is malformed or asks for several ranges is ignored.
    Raises :class:`Unsatisfiable`.
    """
    found = _RANGE.fullmatch(header.strip()) if header else None
    if found is None or found[1] == found[2] == "":
        return None
    if found[1] == "":
        length = min(int(found[2]), size)
        if length == 0:
            raise Unsatisfiable
        return Span(size - length, size)
    start, last = int(found[1]), int(found[2]) if found[2] else size - 1
    if last < start and found[2]:
        return None
    if start >= size:
        raise Unsatisfiable
    return Span(start, min(last, size - 1) + 1)


async def deliver(request: Request, media: Media, shown: Shown | None = None) -> Response:
    """The answer to ``request`` with the bytes of ``media``; ``NotFound`` where they are lost."""
    shown = shown or Shown(media_type(media.codec), disposition(media.sha256))
    blobs = cast("Blobs", request.app.state.blobs)
    sha256, size = media.sha256, media.bytes
    if await blobs.size(sha256) != size:
        raise NotFound("There is no such media here.")
    tag = f'"{sha256}"'
    headers = {
        "ETag": tag,
        "Accept-Ranges": "bytes",
        # The bytes of a digest never change; they are one client's, so no shared cache keeps them.
        "Cache-Control": "private, max-age=31536000, immutable",
        "Content-Disposition": shown.disposition,
        "Content-Security-Policy": "sandbox",
    }
    asked = request.headers
    if _names(asked.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    partly = request.method == "GET" and asked.get("if-range", tag).strip() == tag
    try:
        span = span_of(asked.get("range"), size) if partly else None
    except Unsatisfiable:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    status, start, stop = (206, span.start, span.stop) if span else (200, 0, size)
    if span:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    headers["Content-Length"] = str(stop - start)
    kind = shown.content_type
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=kind)
    body = blobs.read(sha256, start, stop)
    return StreamingResponse(body, status_code=status, headers=headers, media_type=kind)


def _names(header: str, tag: str) -> bool:
    tags = (part.strip().removeprefix("W/") for part in header.split(","))
    return any(t in {"*", tag} for t in tags)
