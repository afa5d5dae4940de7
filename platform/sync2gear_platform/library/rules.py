"""What may enter the library: limits, names, the gain that evens out loudness."""

import re
import unicodedata
from typing import Final

from sync2gear_broker.units import FRAME_RATE

MAX_FRAMES: Final = 4 * 3600 * FRAME_RATE
"""The longest piece: four hours of 48 kHz."""

MAX_BYTES: Final = 2 << 30
"""The largest file: two gibibytes, four hours of CD quality."""

MAX_FILES: Final = 100_000
"""The most files that one import reads."""

MAX_DEPTH: Final = 16
"""How deep folders of an import may nest."""

TARGET_LOUDNESS: Final = -1600
"""What everything is brought to, in hundredths of LUFS: -16, a usual level for music in rooms."""

CEILING: Final = -100
"""True peaks stay below -1 dBTP (EBU R 128), in hundredths."""

MAX_GAIN: Final = 1200
"""No gain beyond 12 dB either way, in hundredths: it would raise noise or hide a mistake."""

QUIETEST: Final = -7000
"""Integrated loudness at or below this is silence or too short a piece to measure (EBU R 128)."""

REASONS: Final = {
    "empty": "The file is empty.",
    "unreadable": "The file cannot be read.",
    "not_audio": "This is no audio file of a known kind.",
    "no_audio_stream": "There is no sound in this file.",
    "zero_length": "The sound in this file has no length.",
    "truncated": "The file ends long before its own length says.",
    "too_long": "The sound is longer than four hours.",
    "too_large": "The file is larger than two gibibytes.",
    "decoder_error": "The sound cannot be decoded.",
    "timeout": "Reading this file took too long.",
    "not_a_file": "This is a link, a pipe or a device.",
    "too_deep": "Folders are nested too deep.",
    "too_many": "There are more files than one import reads.",
    "quota_exceeded": "The client's storage is full.",
}
"""Why a file is not taken: stable codes with what they mean."""


def gain_of(loudness: int | None, true_peak: int | None) -> int:
    """The gain, in hundredths of dB, that brings a piece to the target without clipping.

    ``loudness`` in hundredths of LUFS, ``true_peak`` of dBTP; ``None`` where not measurable.
    """
    if loudness is None or loudness <= QUIETEST:
        return 0
    gain = TARGET_LOUDNESS - loudness
    if true_peak is not None:
        gain = min(gain, CEILING - true_peak)
    return max(-MAX_GAIN, min(MAX_GAIN, gain))


def time_limit(size: int) -> float:
    """Seconds that reading ``size`` bytes may take: many for a long piece, few for a bomb."""
    return min(20.0 + size / 250_000, 600.0)


def file_name(raw: bytes, limit: int = 255) -> str:
    """A file name as inert, printable text of at most ``limit`` characters, different for each.

    Bytes that are no UTF-8 and characters that do not print are written as hexadecimal escapes,
    a backslash is doubled; what is too long keeps its two ends.
    """
    text = raw.decode("utf-8", "surrogateescape")
    name = "".join(map(_printable, text))
    if len(name) <= limit:
        return name
    return f"{name[: limit - 20]}…{_mark(raw)}…{name[-10:]}"


def _printable(character: str) -> str:
    code = ord(character)
    if character == "\\":
        return "\\\\"
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if character.isprintable():
        return character
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def _mark(raw: bytes) -> str:
    # FNV-1a, 32 bits: long names that differ only in the middle stay different.
    value = 0x811C9DC5
    for byte in raw:
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return f"{value:08x}"


def label(text: str, limit: int) -> str:
    """A tag as one clean line: no control characters, single spaces, at most ``limit`` long."""
    kept = (" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in text)
    line = "".join(c for c in kept if unicodedata.category(c) not in {"Cs", "Cn", "Co"})
    return " ".join(line.split())[:limit].rstrip()


_YEAR = re.compile(r"(?<!\d)(1[0-9]{3}|2[0-9]{3})(?!\d)")


def year_of(text: str) -> int | None:
    """The year in a date tag, from 1000 to 2999."""
    found = _YEAR.search(text)
    return int(found[1]) if found else None
