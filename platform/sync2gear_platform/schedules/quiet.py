"""Quiet hours: when nothing that is planned is announced in a zone, and perhaps no music plays."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import tzinfo
from typing import Final
from uuid import UUID

from sync2gear_broker.messages import Block
from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.schedules.layers import Claim
from sync2gear_platform.schedules.model import Calendars, Quiet, Schedule, Timing
from sync2gear_platform.schedules.occurrences import spans

SILENCE: Final = Schedule(UUID(int=0x511E9CE), "", Timing(), priority=101)
"""What has the music where none may be: above all schedules, below what people choose by hand."""

REST: Final = Schedule(SILENCE.id, "", Timing(), priority=-2)
"""Silence after a channel that is played once, where nobody else wants the music."""

INAUDIBLE: Final = -12_000
"""The gain of a silent block, for readers who do not know that it is one."""


class Hush:
    """The quiet stretches of a zone that touch the frames [start, end)."""

    def __init__(self, hours: Sequence[Quiet], zone: tzinfo, start: int, end: int) -> None:
        found = [
            (span.start, span.end, quiet.music)
            for quiet in hours
            for span in spans(Timing(quiet.span, quiet.days), Calendars(), zone, start, end)
        ]
        self._speech = _joined((a, b) for a, b, _ in found)
        self._starts = [a for a, _ in self._speech]
        self._music = _joined((a, b) for a, b, music in found if not music)

    def covers(self, frame: int) -> bool:
        """Whether nothing is announced at a frame."""
        index = bisect_right(self._starts, frame) - 1
        return index >= 0 and frame < self._speech[index][1]

    def claims(self) -> list[Claim]:
        """The stretches in which there is no music either."""
        return [Claim(start, end, SILENCE) for start, end in self._music]


def _joined(stretches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Stretches in order; those that meet are one."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(stretches):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found


def silent_block(at: int) -> Block:
    """Silence from a frame on; its item is whatever the programme holds first."""
    return Block(
        id=f"{SILENCE.id.hex}.{at // FRAME_RATE}",
        source="silence",
        at=at,
        items=(0,),
        gain=INAUDIBLE,
        silent=True,
    )
