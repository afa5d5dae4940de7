"""Having a picture drawn anew by a confined process (``picture``), a few at a time."""

import asyncio
import struct
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, Final, Literal

from starlette.responses import Response

from sync2gear_platform.kit import log
from sync2gear_platform.kit.errors import Refusal, Unavailable

logger = log.get(__name__)

PATIENCE: Final = 30.0
"""Seconds for one picture; the process itself computes for fewer."""

MAX_DRAWN: Final = 1 << 20
"""Bytes of one picture that was drawn."""

IMAGE: Final = "image/webp"
BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}},
    }
}
"""A picture as a body, for the description of the API."""
SHOWN: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {IMAGE: {}}},
    304: {"description": "The same as before"},
}
"""What a route answers that shows one."""

_drawing = asyncio.Semaphore(2)


class BadPicture(Refusal):
    """This is no picture that we can use: send a JPEG, PNG or WebP of at most 50 megapixels."""

    code = "bad_picture"


class PictureTooLarge(Refusal):
    """This picture is too large: make it smaller."""

    kind = "too_large"
    code = "too_large"


async def received(stream: AsyncIterator[bytes], limit: int) -> bytes:
    """The body of a request; raises :class:`PictureTooLarge` beyond ``limit`` bytes."""
    data = bytearray()
    async for piece in stream:
        data += piece
        if len(data) > limit:
            raise PictureTooLarge(f"A picture has at most {limit // 1_000_000} MB here.")
    return bytes(data)


async def draw(data: bytes, shape: Literal["square", "within"], *sides: int) -> list[bytes]:
    """``data`` drawn anew as a WebP for each of ``sides``. Needs no transaction.

    Raises :class:`BadPicture`.
    """
    async with _drawing:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "sync2gear_platform.kit.picture",
            shape,
            *(str(side) for side in sides),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(PATIENCE):
                output, _ = await child.communicate(data)
        except TimeoutError as error:
            raise Unavailable("Too much is being done at the moment: try again.") from error
        finally:
            if child.returncode is None:
                with suppress(ProcessLookupError):
                    child.kill()
                await child.wait()
    drawn = _taken_apart(output)
    if child.returncode != 0 or len(drawn) != len(sides) or max(map(len, drawn)) > MAX_DRAWN:
        logger.info("picture.refused", exit=child.returncode, bytes=len(data))
        raise BadPicture
    return drawn


def unchanged(tag: str, known: str | None) -> bool:
    """Whether ``tag`` is among those of an If-None-Match header."""
    return known is not None and tag in [part.strip() for part in known.split(",")]


def shown(image: bytes | None, tag: str) -> Response:
    """A picture that was drawn; ``None``: the same as the caller has."""
    headers = {
        "ETag": tag,
        "Cache-Control": "private, no-cache",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    if image is None:
        return Response(status_code=304, headers=headers)
    return Response(image, media_type=IMAGE, headers=headers)


def _taken_apart(output: bytes) -> list[bytes]:
    pictures = []
    while len(output) > 4:
        (length,) = struct.unpack(">I", output[:4])
        pictures.append(output[4 : 4 + length])
        output = output[4 + length :]
    return pictures
