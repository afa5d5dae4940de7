"""What a file is by its content, before anything parses it: its container, or why it is refused.

The container found here is the only one that FFmpeg may then see in the file, so that nothing is
guessed twice. Names of files and what a browser says of them play no part.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Final

from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.library import rules
from sync2gear_platform.library.rules import Unfit

REGION: Final = 128 << 10
"""Bytes behind the tags in which the sound must have begun."""

TRAILER: Final = (64 << 10) + 22
"""Bytes at the end in which a ZIP archive says that it is one."""

HEAD: Final = 1024
"""Bytes at the start in which a PDF may begin and still be opened as one."""

_PLAYLIST: Final = re.compile(
    rb"(\xef\xbb\xbf)?\s*(#EXTM3U|\[playlist\]|ffconcat\s|<asx|<\?xml[^>]*>\s*<playlist|<playlist)",
    re.IGNORECASE,
)
_OTHER: Final = (b"PK\x03\x04", b"MZ", b"\x7fELF", b"GIF8", b"\x89PNG", b"\xff\xd8\xff", b"Rar!",
                 b"7z\xbc\xaf", b"\x1f\x8b", b"BZh", b"#!", b"<", b"{")  # fmt: skip
"""How files begin that are something else, and sound only further in at best."""

_W64: Final = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"
_ATOMS: Final = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")


ENDLESS: Final = 0x7FFFF000
"""Bytes of sound that a WAV declares whose writer did not know: more than any file may have."""


@dataclass(frozen=True, slots=True)
class Kind:
    """The FFmpeg demuxer for a file, and whether the duration that it declares is a promise.

    ``declared``: frames of 48 kHz that are promised where the demuxer would believe the file's end.
    """

    demuxer: str
    promises: bool
    declared: int = 0


def sniff(file: IO[bytes], size: int) -> Kind:
    """What ``file`` of ``size`` bytes is; raises :class:`Unfit`. Leaves it at its start."""
    head = _at(file, 0, HEAD)
    if _PLAYLIST.match(head):
        raise Unfit("playlist")
    start = _behind_id3(file, size)
    region = _at(file, start, REGION)
    kind = _kind(file, region, start, size)
    if kind is None:
        raise Unfit("not_audio")
    if b"%PDF-" in head or _is_archive(file, size):
        raise Unfit("polyglot")
    file.seek(0)
    return kind


def _at(file: IO[bytes], position: int, length: int) -> bytes:
    file.seek(position)
    return file.read(length)


def _behind_id3(file: IO[bytes], size: int) -> int:
    """Where ID3v2 tags end; there may be several, but not without end."""
    position = 0
    for _ in range(rules.MAX_TAGS):
        header = _at(file, position, 10)
        if not header.startswith(b"ID3") or len(header) < 10 or max(header[6:]) > 0x7F:
            return position
        length = sum(byte << shift for byte, shift in zip(header[6:], (21, 14, 7, 0), strict=True))
        position += 10 + length + (10 if header[5] & 0x10 else 0)
        if position > rules.MAX_TAG_BYTES:
            raise Unfit("tags_too_large")
        if position >= size:
            raise Unfit("truncated")
    raise Unfit("tags_too_large")


def _kind(file: IO[bytes], region: bytes, start: int, size: int) -> Kind | None:
    if region.startswith(b"fLaC"):
        _check_flac(file, start)
        return Kind("flac", promises=True)
    if start == 0:
        if region[:4] in {b"RIFF", b"RF64", b"RIFX"} and region[8:12] == b"WAVE":
            return Kind("wav", promises=False, declared=_declared_wav(region, size))
        if region.startswith(b"FORM") and region[8:12] in {b"AIFF", b"AIFC"}:
            return Kind("aiff", promises=True)
        if region.startswith(b"OggS"):
            return Kind("ogg", promises=False)
        if region.startswith(b"\x1a\x45\xdf\xa3"):
            return Kind("matroska", promises=True)
        if region[4:8] in _ATOMS:
            return Kind("mov", promises=True)
        if region.startswith(_W64):
            return Kind("w64", promises=True)
        if region.startswith(_OTHER):
            return None
    return _framed(region)


def _declared_wav(region: bytes, size: int) -> int:
    """Frames that a WAV says it has, where that is more than the file; otherwise 0."""
    at, bytes_per_second = 12, 0
    while at + 8 <= len(region):
        name, length = region[at : at + 4], int.from_bytes(region[at + 4 : at + 8], "little")
        if name == b"fmt ":
            bytes_per_second = int.from_bytes(region[at + 16 : at + 20], "little")
        if name == b"data":
            cut = at + 8 + length > size and length < ENDLESS and bytes_per_second > 0
            return length * FRAME_RATE // bytes_per_second if cut else 0
        at += 8 + length + (length & 1)
    return 0


def _check_flac(file: IO[bytes], start: int) -> None:
    """Refuse metadata without end: every block is read into memory."""
    position = start + 4
    for _ in range(rules.MAX_TAGS * 16):
        header = _at(file, position, 4)
        if len(header) < 4:
            raise Unfit("truncated")
        position += 4 + int.from_bytes(header[1:], "big")
        if position - start > rules.MAX_TAG_BYTES:
            raise Unfit("tags_too_large")
        if header[0] & 0x80:
            return
    raise Unfit("tags_too_large")


def _framed(region: bytes) -> Kind | None:
    """MPEG audio or AAC in ADTS: three frames in a row, or fewer up to the end."""
    at = region.find(b"\xff")
    while 0 <= at < len(region) - 4:
        for demuxer, measure in (("mp3", _mpeg_length), ("aac", _adts_length)):
            if _is_chain(region, at, measure):
                first = region[at : at + measure(region, at)]
                counted = b"Xing" in first[:200] or b"Info" in first[:200]
                return Kind(demuxer, promises=demuxer == "mp3" and counted)
        at = region.find(b"\xff", at + 1)
    return None


def _is_chain(region: bytes, at: int, measure: Callable[[bytes, int], int]) -> bool:
    for number in range(3):
        length = measure(region, at)
        if length == 0:
            return False
        at += length
        if at + 7 > len(region):
            return number > 0 or len(region) < REGION
    return True


_KBITS: Final = {
    (3, 3): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (3, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (3, 1): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 3): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 1): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Kilobits a second by version (3: MPEG 1, else 2) and layer (3: I, 2: II, 1: III), ISO 11172-3."""

_RATES: Final = {
    3: (44_100, 48_000, 32_000),
    2: (22_050, 24_000, 16_000),
    0: (11_025, 12_000, 8_000),
}


def _mpeg_length(data: bytes, at: int) -> int:
    """Bytes of the MPEG audio frame whose header is at ``at``; 0 where there is none."""
    header = data[at : at + 4]
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return 0
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    bits, rate = header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or layer == 0 or bits in {0, 15} or rate == 3:
        return 0
    kbits = _KBITS[3 if version == 3 else 2, layer][bits - 1]
    padding = header[2] >> 1 & 1
    if layer == 3:
        return (12_000 * kbits // _RATES[version][rate] + padding) * 4
    per_frame = 72_000 if layer == 1 and version != 3 else 144_000
    return per_frame * kbits // _RATES[version][rate] + padding


def _adts_length(data: bytes, at: int) -> int:
    """Bytes of the ADTS frame whose header is at ``at``; 0 where there is none."""
    header = data[at : at + 7]
    if len(header) < 7 or header[0] != 0xFF or header[1] & 0xF6 != 0xF0:
        return 0
    length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    return length if length > 7 and header[2] >> 2 & 15 < 13 else 0


def _is_archive(file: IO[bytes], size: int) -> bool:
    """Whether the file is a ZIP archive as well: its directory stands at the end."""
    trailer = _at(file, max(0, size - TRAILER), TRAILER)
    at = trailer.rfind(b"PK\x05\x06")
    if at < 0 or at + 22 > len(trailer):
        return False
    length = int.from_bytes(trailer[at + 12 : at + 16], "little")
    begin = size - len(trailer) + at - length
    return length == 0 or (begin >= 0 and _at(file, begin, 4) == b"PK\x01\x02")
