"""A card's frames, from the zone's: each heard when the zone clock says. Pure.

No clock is read and nothing is opened here: who drives a card (or pretends to be one) says when it
will be heard, and is given what it then sounds.
"""

import logging
from typing import Final, Protocol

import numpy as np

from sync2gear_broker.units import FRAME_RATE
from sync2gear_firmware.clock import Line
from sync2gear_firmware.control import Pace, Stretch
from sync2gear_firmware.limiter import Limiter
from sync2gear_firmware.resample import REACH, Frames, needed, read

log = logging.getLogger(__name__)

PATIENCE: Final = 2
"""Seconds for which a start waits for what sounds first to be decoded."""


class Source(Protocol):
    """What the zone sounds, frame by frame."""

    @property
    def trim(self) -> int:
        """Frames by which the output is early."""

    def look_ahead(self, at: int) -> None:
        """Be ready to sound from ``at`` on."""

    def ready(self, at: int) -> bool:
        """Whether what sounds at ``at`` is at hand."""

    def mix(self, at: int, n: int) -> Frames:
        """Frames [at, at + n) of the zone; where ``at`` is not the last end, a short crossfade."""


class Renderer:
    """One opened card of ``rate`` frames a second; ``pace`` says where it reads, ``last`` read."""

    def __init__(self, source: Source, rate: int = FRAME_RATE) -> None:
        self._source = source
        self._patience = PATIENCE * FRAME_RATE
        self._since: int | None = None
        self._frames: Frames = np.zeros((0, 2), np.float32)
        self._base = 0  # the zone's frame that is the first of _frames
        self._limiter = Limiter(rate)
        self.later = self._limiter.delay * 1e6 / rate
        """Microseconds from a frame's place in a block to where it sounds."""
        self.pace = Pace(rate)
        self.last: Stretch | None = None

    def report(self, frame: int, heard: float) -> None:
        """The card says that its ``frame`` is heard at local microsecond ``heard``."""
        self.pace.report(frame, heard + self.later)

    def block(self, n: int, heard: float | None, line: Line | None) -> Frames:
        """The card's next ``n`` frames (n, 2), the first of which it says is heard at ``heard``.

        ``heard`` are local microseconds; None where the card reports by itself. Silence until the
        zone clock and the card are known; no frame is beyond 1.
        """
        if heard is not None:
            self.report(self.pace.written, heard)
        self.last = part = self.pace.step(n, line, self._source.trim, self._begin)
        if part is None:
            return np.zeros((n, 2), np.float32)
        if part.jump:
            # what was fetched and not read is heard to its end, a fraction of a millisecond
            log.info("renderer.jump frames=%d", part.jump)
            self._base += part.jump
        place = part.frame - self._base + part.part
        lacking = needed(place, part.ratio, n) - len(self._frames)
        if lacking > 0:
            more = self._source.mix(self._base + len(self._frames), lacking)
            self._frames = np.concatenate([self._frames, more])
        out = read(self._frames, place, part.ratio, n)
        spent = int(place + part.ratio * n) - REACH
        self._frames = self._frames[spent:]
        self._base += spent
        return self._limiter.push(out)

    def _begin(self, frame: int) -> bool:
        """Whether sound begins at ``frame``: what sounds there is at hand, or waited for enough."""
        if self._since is None:
            self._since = frame
            self._source.look_ahead(frame)
        patient = abs(frame - self._since) < self._patience
        if frame < REACH or (patient and not self._source.ready(frame)):
            return False
        self._base = frame - REACH
        return True
