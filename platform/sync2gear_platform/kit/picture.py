"""Pictures drawn anew from what a stranger sent, in a process of its own.

Run as ``python -m sync2gear_platform.kit.picture square|within SIDE…`` it reads a picture from its
standard input and writes a WebP for each side, one after the other, each behind its length in four
bytes; for anything that is no picture it exits with 1. Nothing of the original is kept but how it
looks: no place where it was taken, no file hidden in it. The process has little memory and time,
writes no file, and opens none for the picture's sake.
"""

import resource
import struct
import sys
import warnings
from collections.abc import Sequence
from io import BytesIO
from typing import Final

from PIL import Image, ImageOps

MAX_BYTES: Final = 10_000_000
"""The largest file; a route may take less."""

MAX_PIXELS: Final = 50_000_000
"""What telephones take has fewer; it bounds the memory, whatever a small file unpacks to."""

FORMATS: Final = ("JPEG", "PNG", "WEBP")
MEMORY: Final = 1 << 30
SECONDS: Final = 10

_PLAIN: Final = frozenset({"RGB", "RGBA", "L"})
"""Modes that can be made smaller as they are."""


def drawn(
    data: bytes, sides: Sequence[int], *, square: bool, max_pixels: int = MAX_PIXELS
) -> list[bytes]:
    """``data`` as a WebP for each of ``sides``; ``ValueError``, or Pillow's, if it is no picture.

    ``square``: of exactly so many pixels either way, what sticks out is cut off; otherwise all of
    it, neither way larger than that, and never larger than it was.
    """
    largest = max(sides) * 2
    with Image.open(BytesIO(data), formats=FORMATS) as picture:
        if picture.width * picture.height > max_pixels:
            raise ValueError("too many pixels")
        # JPEG only: decodes a smaller picture in the first place
        picture.draft("RGB", (largest, largest))
        plain = picture if picture.mode in _PLAIN else picture.convert("RGBA")
        measure = min(picture.size) if square else max(picture.size)
        small = plain.reduce(max(1, measure // largest))
        # what ``reduce`` and ``convert`` leave out is how the picture was turned
        small.info, small.getexif()[0x0112] = {}, picture.getexif().get(0x0112, 1)
        whole = ImageOps.exif_transpose(small).convert("RGBA")
    return [_webp(whole, side, square=square) for side in sides]


def _webp(whole: Image.Image, side: int, *, square: bool) -> bytes:
    if square:
        fitted = ImageOps.fit(whole, (side, side), Image.Resampling.LANCZOS)
    else:
        fitted = whole.copy()
        fitted.thumbnail((side, side), Image.Resampling.LANCZOS)
    clean = Image.new("RGBA", fitted.size)
    clean.paste(fitted)
    out = BytesIO()
    clean.save(out, "WEBP", quality=85, method=4)
    return out.getvalue()


def main(arguments: list[str]) -> int:
    """Standard input to standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    shape, sides = arguments[0], [int(side) for side in arguments[1:]]
    data = sys.stdin.buffer.read(MAX_BYTES + 1)
    try:
        if len(data) > MAX_BYTES:
            return 1
        pictures = drawn(data, sides, square=shape == "square")
    except Exception:  # noqa: BLE001 - the edge of this process: whatever a decoder throws
        return 1
    for one in pictures:
        sys.stdout.buffer.write(struct.pack(">I", len(one)) + one)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
