"""Reads frames at positions between them: a windowed sinc, as exact as 16-bit sound needs. Pure.

The kernel is that of J. O. Smith, "Digital Audio Resampling" (CCRMA): a sinc under a Kaiser window,
tabulated at PHASES positions between two frames and linear between these.
"""

from functools import cache, lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.float32]
"""Frames by two channels; rows lie one after the other in memory."""

REACH: Final = 18
"""Frames that must lie before and after a position."""
_HALF = 16
_PHASES = 256
_BETA = 8.0
_NEAR = 1.0
_APART = 0.02
_RUN = 16


@cache
def kernels(cut: float) -> Frames:
    """(3 * PHASES + 1, 2 * REACH): a row for each position from one frame before to two after.

    ``cut`` in (0, 1] is the share of the band that passes; with 1 a whole position is the frame
    itself. Taps lie around the frame before the position.
    """
    place = np.arange(2 * REACH) - REACH - np.arange(-_PHASES, 2 * _PHASES + 1)[:, None] / _PHASES
    window = np.i0(_BETA * np.sqrt(np.clip(1 - (place / _HALF) ** 2, 0, 1))) * (abs(place) <= _HALF)
    rows = np.sinc(cut * place) * window
    table: Frames = (rows / rows.sum(1, keepdims=True)).astype(np.float32)
    table.setflags(write=False)
    return table


def needed(at: float, ratio: float, n: int) -> int:
    """How many frames ``read`` must be given."""
    return max(int(at + ratio * n), int(at) + n) + REACH + 1


def read(frames: Frames, at: float, ratio: float, n: int) -> Frames:
    """``n`` frames read at ``at``, ``at + ratio``, ...; positions count from ``frames[0]``.

    ``at`` must be at least REACH, and ``frames`` as long as ``needed`` says. A ratio above 1 reads
    faster than it plays: what the slower rate cannot hold is filtered out.
    """
    if abs(ratio - 1) * n < _NEAR:
        return _read_near(frames, at, ratio, n)
    position = at + ratio * np.arange(n, dtype=np.float64)
    whole = position.astype(np.intp)
    weights = _weights(kernels(min(1.0, round(1 / ratio, 3))), position - whole)
    around = np.lib.stride_tricks.sliding_window_view(frames, 2 * REACH, axis=0)
    out: Frames = np.einsum("nct,nt->nc", around[whole - REACH], weights)
    return out


def _read_near(frames: Frames, at: float, ratio: float, n: int) -> Frames:
    """As ``read``, where the fraction moves by less than a frame: a few kernels for the block.

    Each output is linear between those of the two kernels about it, at most 0.02 frames apart,
    which is 70 dB below a tone of 10 kHz where the ratio is 1.0008, and 100 dB at 1.0001.
    """
    first = int(at)
    drift = (ratio - 1) * n
    count = 2 + int(abs(drift) / _APART)
    weights = _weights(kernels(1.0), at - first + drift * np.arange(count) / (count - 1))
    runs = -(-n // _RUN)
    start = frames[first - REACH :]
    if len(start) < runs * _RUN + 2 * REACH:
        start = np.concatenate([start, np.zeros((_RUN, 2), np.float32)])
    wide = _RUN + 2 * REACH - 1
    # each row is the surroundings of a run of outputs in one channel, each column of ``shifted``
    # one kernel moved to one of them: a 16th of the copies that a row for each output would take
    around: Frames = np.ndarray(
        (runs, 2, wide), np.float32, start.data, strides=(8 * _RUN, 4, 8)
    ).reshape(2 * runs, wide)
    padded = np.zeros((count, wide + _RUN - 1), np.float32)
    padded[:, _RUN - 1 : wide] = weights
    row, step = padded.strides
    shifted: Frames = np.ndarray(
        (wide, count, _RUN), np.float32, padded.data, step * (_RUN - 1), (step, row, -step)
    ).reshape(wide, count * _RUN)
    by_kernel = (around @ shifted).reshape(runs, 2, count, _RUN)
    hats = _hats(n, count, runs)
    out: Frames = np.einsum("mckr,mkr->mrc", by_kernel, hats).reshape(-1, 2)[:n]
    return out


def _weights(table: Frames, fraction: NDArray[np.float64]) -> Frames:
    phase = (fraction + 1) * _PHASES
    row = phase.astype(np.intp)
    weights = table[row]
    weights += (table[row + 1] - weights) * (phase - row).astype(np.float32)[:, None]
    return weights


@lru_cache(64)
def _hats(n: int, count: int, runs: int) -> Frames:
    """(runs, count, _RUN): how much of each of ``count`` evenly spread points is in each output."""
    place = np.arange(runs * _RUN).reshape(runs, 1, _RUN) * ((count - 1) / n)
    hats: Frames = np.maximum(0, 1 - abs(place - np.arange(count)[:, None])).astype(np.float32)
    return hats
