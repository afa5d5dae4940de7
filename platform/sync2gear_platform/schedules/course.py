"""When the pieces of a block begin: announcements that pause the music take their time."""

from bisect import bisect_left
from collections.abc import Sequence

from sync2gear_platform.channels.model import Piece

Pause = tuple[int, int]
"""When an announcement is to begin and for how many frames it pauses the music."""


class Course:
    """The zone clock along a block's pieces; ``at`` is where the next one begins.

    An estimate: announcements may be late or dropped, and until the next piece is known the
    shorter of two neighbours does not limit their crossfade. The timeline decides in the end.
    ``earliest`` is where it begins if nothing pauses the music.
    """

    def __init__(self, at: int, crossfade: int, pauses: Sequence[Pause]) -> None:
        self.at = self.earliest = at
        self._crossfade = crossfade
        self._pauses = pauses
        self._before = 0

    def step(self, piece: Piece, offset: int = 0) -> None:
        """``piece`` begins at ``at``, ``offset`` frames in."""
        frames = piece.media.frames
        if self._before:
            usual = min(self._crossfade, self._before // 2)
            self._shift(usual - min(usual, frames // 2))
        self._before = frames
        alone = frames - min(self._crossfade, frames // 2) - offset
        self.at = self._later(self.at, alone)
        self.earliest += alone

    def _shift(self, frames: int) -> None:
        self.at += frames
        self.earliest += frames

    def _later(self, at: int, frames: int) -> int:
        until = at + frames
        index = bisect_left(self._pauses, (at, 0))
        while index < len(self._pauses) and self._pauses[index][0] < until:
            until += self._pauses[index][1]
            index += 1
        return until
