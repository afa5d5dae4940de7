"""What a file says of its music: its tags, and the picture of its cover."""

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import mutagen
from mutagen.easymp4 import EasyMP4Tags
from mutagen.flac import FLACNoHeaderError, Picture

from sync2gear_platform.kit import picture
from sync2gear_platform.library import rules

# The one tag of ours that mutagen has no plain name for in MP4.
EasyMP4Tags.RegisterTextKey("composer", "\xa9wrt")  # type: ignore[no-untyped-call]  # mutagen's

FRONT: Final = 3
"""The kind of picture that is the front cover, in ID3 and in FLAC."""


@dataclass(frozen=True, slots=True)
class Tags:
    """What people call it; empty where the file does not say."""

    title: str = ""
    artist: str = ""
    album: str = ""
    genre: str = ""
    year: int | None = None
    isrc: str = ""
    composer: str = ""


def read_tags(path: Path, fallback: dict[str, str]) -> Tags:
    """Tags by mutagen, or those that the decoder saw."""
    try:
        found = mutagen.File(path, easy=True)
    except Exception:  # noqa: BLE001 - a parser of strangers' files; without tags a file is as good
        found = None
    lists = {k: v for k, v in (found or {}).items() if isinstance(v, list) and v}
    named = {k: str(v[0]) for k, v in lists.items()}
    if "composer" in lists:  # a work has all of them, and no single one that stands for it
        named["composer"] = "; ".join(str(one) for one in lists["composer"])
    tags = {**fallback, **{k.lower(): v for k, v in named.items() if v.strip()}}
    return Tags(
        title=rules.label(tags.get("title", ""), 255),
        artist=rules.label(tags.get("artist", "") or tags.get("albumartist", ""), 255),
        album=rules.label(tags.get("album", ""), 255),
        genre=rules.label(tags.get("genre", ""), 100),
        year=rules.year_of(tags.get("date", "") or tags.get("year", "")),
        isrc=rules.isrc_of(tags.get("isrc", "") or tags.get("tsrc", "")),
        composer=rules.label(tags.get("composer", ""), 255),
    )


def read_cover(path: Path) -> list[bytes] | None:
    """The embedded cover drawn anew in each of ``rules.COVER_SIDES``, or ``None``.

    What is no picture, or larger than ``rules.COVER_PIXELS``, is left out: the sound is as good.
    """
    try:
        found = next(iter(_embedded(path)), None)
        if found is None:
            return None
        return picture.drawn(found, rules.COVER_SIDES, square=False, max_pixels=rules.COVER_PIXELS)
    except Exception:  # noqa: BLE001 - a parser of strangers' files; without a cover it is as good
        return None


def _embedded(path: Path) -> Iterator[bytes]:
    """Pictures of the file, the front cover first."""
    found = mutagen.File(path)
    if found is None:
        return
    kept: Sequence[Any] = getattr(found, "pictures", None) or ()
    tags = found.tags
    if tags is None:
        tags = {}
    if not kept and hasattr(tags, "getall"):
        kept = tags.getall("APIC")
    if not kept and "metadata_block_picture" in tags:
        kept = list(_ogg_pictures(tags["metadata_block_picture"]))
    if not kept and "covr" in tags:
        yield from (bytes(one) for one in tags["covr"])
        return
    yield from (one.data for one in sorted(kept, key=lambda one: one.type != FRONT))


def _ogg_pictures(values: Sequence[str]) -> Iterator[Any]:
    read: Any = Picture
    for value in values:
        try:
            yield read(base64.b64decode(value))
        except (binascii.Error, ValueError, FLACNoHeaderError):
            continue
