"""How loud and how long what is heard may be."""

from typing import Final

from sync2gear_broker.units import FRAME_RATE

MAX_SPLICED: Final = 1800 * FRAME_RATE
"""The longest sound that is put together of pieces: half an hour."""

MIN_OFFSET: Final = -2400
MAX_OFFSET: Final = 600
"""How much quieter or louder than usual an announcement may be, in hundredths of dB."""

CEILING: Final = -100
"""Nothing is made so loud that its true peaks pass -1 dBTP, in hundredths."""

GAP: Final = FRAME_RATE * 3 // 10
"""Frames of silence between a chime and a voice: 300 ms."""

BETWEEN: Final = FRAME_RATE * 7 // 10
"""Frames of silence between two languages: 700 ms."""

MARGIN: Final = FRAME_RATE // 10
"""Frames of silence that a recording keeps at its ends: 100 ms, for the breath before a word."""


def gain_of(gain: int, true_peak: int | None, offset: int) -> int:
    """The gain of a sound that is wanted ``offset`` louder than usual; all in hundredths of dB.

    A sound is made quieter as wanted, and louder as far as its true peaks allow.
    """
    if offset <= 0:
        return gain + offset
    room = offset if true_peak is None else CEILING - (true_peak + gain)
    return gain + max(0, min(offset, room))


def kept(frames: int, lead: int | None, tail: int | None) -> tuple[int, int] | None:
    """From where to where a recording is kept; ``None`` where that is all or nothing of it."""
    start = max(0, (lead or 0) - MARGIN)
    stop = frames - max(0, (tail or 0) - MARGIN)
    if (lead or 0) >= frames or (start, stop) == (0, frames):
        return None
    return start, stop
