"""What may enter the library: limits, names, the gain that evens out loudness."""

import re
import unicodedata
from typing import Final

from sync2gear_broker.units import FRAME_RATE

MAX_FRAMES: Final = 4 * 3600 * FRAME_RATE
"""The longest piece: four hours of 48 kHz."""

MAX_BYTES: Final = 2 << 30
"""The largest file: two gibibytes, four hours of CD quality."""

MAX_TAG_BYTES: Final = 32 << 20
"""The most that may stand before the sound."""

MAX_TAGS: Final = 16
"""The most ID3 tags in a row."""

OPENING_SECONDS: Final = 3
"""Of computing, for all that is read of a file before its sound: tags, cover, indexes."""

PLAIN_FRAMES: Final = 5 * 60 * FRAME_RATE
"""Five minutes of sound are never too much, however small the file."""

LEAST_BYTES: Final = 400
"""Sound has this many bytes for each second beyond: 3.2 kbit/s, half of what any codec does."""

RATES: Final = range(4_000, 768_001)
"""Sampling rates that are taken."""

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

SILENCE: Final = 32
"""Samples that are no larger, of 32768, are silence at the ends of a piece: 60 dB below that."""

PEAK_FRAMES: Final = 480
"""Frames of the narrowest stretch of a waveform: 10 ms."""

MAX_PEAKS: Final = 1024
"""The most stretches of a waveform; there are more than half as many, unless it is short."""

COVER_SIDES: Final = (96, 320, 1024)
"""Pixels either way of the sizes that covers are kept in."""

COVER_PIXELS: Final = 16_000_000
"""The largest cover that is decoded: 4000 by 4000."""

REASONS: Final = {
    "empty": "The file is empty.",
    "unreadable": "The file cannot be read.",
    "not_audio": "This is no audio file of a known kind.",
    "playlist": "This is a list of other files, not sound.",
    "polyglot": "This file is sound and a document or an archive at once.",
    "tags_too_large": "The tags of this file are larger than 32 MiB, or without end.",
    "bomb": "This file unpacks to far more sound than its size allows.",
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
    "cancelled": "The upload was cancelled.",
    "cut_off": "The line broke before all of the file was here: send it again.",
    "expired": "The upload was not finished in time.",
    "bytes_lost": "The server has lost the bytes of this upload: send it again.",
    "size_differs": "What lies in the store is not as long as was said: send it again.",
    "interrupted": "The work on this file was interrupted: try it again.",
    "silent": "Nothing can be heard in this recording: is the microphone on?",
    "announcement_too_long": "An announcement may be half an hour long.",
    "unsupported": "Nobody here can make anything of this upload.",
}
"""Why a file is not taken: stable codes with what they mean."""


class Unfit(Exception):  # noqa: N818 - a finding about a file, not an error
    """A file that is not taken; ``code`` is a key of ``REASONS``."""

    def __init__(self, code: str) -> None:
        super().__init__(REASONS[code])
        self.code = code


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
    """Seconds of computing that ``size`` bytes of sound may take: four hours take about 90."""
    return min(30.0 + size / 150_000, 600.0)


def most_frames(consumed: int) -> int:
    """How much sound so many bytes may unpack to before they are a bomb."""
    return PLAIN_FRAMES + consumed * FRAME_RATE // LEAST_BYTES


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


_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")


def isrc_of(text: str) -> str:
    """The ISRC (ISO 3901) in a text, in capitals and without hyphens; empty where it is none."""
    plain = re.sub(r"[-\s]", "", text.upper())[:20]
    return plain if _ISRC.fullmatch(plain) else ""
