"""Holds sound to full scale without a step: the gain falls before a peak and rises after it. Pure.

A look-ahead limiter. The gain that each frame needs is taken as the least over LOOK, let rise by a
bounded slope, and averaged over LOOK: each term of the mean is at most what the frame leaving the
delay needs, and so is the mean. What never exceeds full scale passes bit by bit.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sync2gear_firmware.resample import Frames

LOOK: Final = 0.002
"""Seconds in which the gain falls to what a peak needs."""
RELEASE: Final = 0.4
"""Seconds in which the gain would rise from silence to one."""


class Limiter:
    """One stream of ``rate`` frames a second; what goes in comes out ``delay`` frames later."""

    def __init__(self, rate: int) -> None:
        self._look = max(2, round(LOOK * rate))
        self._rise = 1 / (RELEASE * rate)
        self.delay = self._look - 1
        self._held: Frames = np.zeros((self.delay, 2), np.float32)
        self._needs = np.ones(self.delay)
        self._gains = np.ones(self.delay)
        self._resting = True

    def push(self, frames: Frames) -> Frames:
        """As many frames as are put in, none beyond 1."""
        n = len(frames)
        joined = np.concatenate([self._held, frames])
        out, self._held = joined[:n], joined[n:]
        if not n or (self._resting and frames.max() <= 1 and frames.min() >= -1):
            return out
        return self._limited(out, np.abs(frames).max(1).astype(np.float64))

    def _limited(self, out: Frames, peaks: NDArray[np.float64]) -> Frames:
        n, look = len(out), self._look
        needs = np.concatenate([self._needs, 1 / np.maximum(1, peaks)])
        least = np.lib.stride_tricks.sliding_window_view(needs, look).min(1)
        # y[t] = min(least[t], y[t - 1] + rise), a running minimum of what is taken off the slope
        slope = self._rise * np.arange(n + 1)
        risen = np.minimum.accumulate(np.concatenate([self._gains[-1:], least]) - slope) + slope
        gains = np.concatenate([self._gains, risen[1:]])
        sums = np.concatenate([[0.0], np.cumsum(gains)])
        mean = (sums[look:] - sums[:-look]) / look
        self._needs, self._gains = needs[n:], gains[n:]
        self._resting = bool(self._needs.min() == 1 and self._gains.min() > 1 - 1e-9)
        # no more than the last bit of a float is cut here
        limited: Frames = np.clip(out * mean[:, None], -1, 1).astype(np.float32)
        return limited
