"""How loud each channel of the source is in each of the output, never changed by a step. Pure."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sync2gear_broker.messages import Channels
from sync2gear_broker.units import FRAME_RATE
from sync2gear_firmware.resample import Frames

SLEW: Final = 10.0
"""A gain changes by at most this in a second: from full to silence in a tenth."""

_ROUTES: Final[dict[Channels, tuple[tuple[float, float], tuple[float, float]]]] = {
    "stereo": ((1, 0), (0, 1)),
    "mono": ((0.5, 0.5), (0.5, 0.5)),
    "left": ((1, 1), (0, 0)),
    "right": ((0, 0), (1, 1)),
}
"""By source channel, then output channel."""


class Fader:
    """One bus; it begins where it is first set."""

    def __init__(self) -> None:
        self._gains: NDArray[np.float64] | None = None

    def apply(self, frames: Frames, volume: float, channels: Channels) -> Frames:
        """One frame or more on their way to ``volume`` (amplitude) and ``channels``."""
        wanted = volume * np.array(_ROUTES[channels])
        gains = wanted if self._gains is None else self._gains
        n = len(frames)
        if (gains == wanted).all():
            self._gains = wanted
            if channels == "stereo":
                return frames if volume == 1 else frames * np.float32(volume)
            steady: Frames = frames @ wanted.astype(np.float32)
            return steady
        most = (SLEW / FRAME_RATE * np.arange(1, n + 1))[:, None, None]
        course = gains + np.clip(wanted - gains, -most, most)
        self._gains = course[-1]
        moved: Frames = np.einsum("ni,nio->no", frames, course.astype(np.float32))
        return moved
