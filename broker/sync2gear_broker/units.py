"""The units of the wire: every number that travels has one of these types."""

from typing import Annotated, Final

from pydantic import Field, StringConstraints

FRAME_RATE: Final = 48_000
"""Frames per second of the zone clock and of everything decoded for it."""

MAX_SAFE_INTEGER: Final = 2**53 - 1
"""The largest integer that a JavaScript reader of the wire keeps exact."""

Frames = Annotated[
    int, Field(strict=True, ge=0, le=MAX_SAFE_INTEGER, json_schema_extra={"x-unit": "frames"})
]
"""An instant of the zone clock (frames since the Unix epoch) or a length in frames."""

Millis = Annotated[
    int, Field(strict=True, ge=0, le=MAX_SAFE_INTEGER, json_schema_extra={"x-unit": "ms"})
]
"""A duration in whole milliseconds."""

Micros = Annotated[
    int,
    Field(
        strict=True,
        ge=-MAX_SAFE_INTEGER,
        le=MAX_SAFE_INTEGER,
        json_schema_extra={"x-unit": "µs"},
    ),
]
"""A clock reading in whole microseconds."""

Millibels = Annotated[
    int, Field(strict=True, ge=-12_000, le=3_000, json_schema_extra={"x-unit": "millibels"})
]
"""A gain in hundredths of a decibel, so that documents hold only integers."""

Percent = Annotated[int, Field(strict=True, ge=0, le=100, json_schema_extra={"x-unit": "%"})]
"""A volume from 0 (silent) to 100."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 digest in lower-case hexadecimal."""

Uuid = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"),
]
"""A lower-case UUID: the only form in which an identity enters a topic."""

Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
"""The identity of a block, event or source inside a document."""

Label = Annotated[str, StringConstraints(max_length=200)]
"""A text for people (title, artist); never part of a topic or a path."""


def frames_from_millis(millis: int) -> int:
    """Frames of the zone clock in ``millis`` milliseconds (exact: 48 frames each)."""
    return millis * FRAME_RATE // 1000


def millis_from_frames(frames: int) -> int:
    """Whole milliseconds in ``frames`` frames, rounded down."""
    return frames * 1000 // FRAME_RATE


def frames_from_micros(micros: int) -> int:
    """Frames of the zone clock at ``micros`` microseconds since the epoch, rounded down."""
    return micros * FRAME_RATE // 1_000_000


def micros_from_frames(frames: int) -> int:
    """Microseconds since the epoch at frame ``frames``, rounded up so that it round-trips."""
    return -(-frames * 1_000_000 // FRAME_RATE)


def amplitude(millibels: int) -> float:
    """The linear amplitude factor of a gain in millibels (``10 ** (dB / 20)``)."""
    return float(10.0 ** (millibels / 2000.0))
