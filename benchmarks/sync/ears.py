"""What each card was playing when, found in the track by cross-correlation; and their skew."""

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

RATE = 48_000
WINDOW = 4096
HOP = 0.25
NEAR = 1200
LIKE = 0.6
Array = NDArray[Any]


def place(window: Array, near: Array) -> tuple[float, float]:
    """Where in ``near`` the ``window`` lies, to a fraction of a frame, and how alike they are."""
    size = 1 << (len(near) + len(window)).bit_length()
    product = np.fft.irfft(np.fft.rfft(near, size) * np.conj(np.fft.rfft(window, size)), size)
    product = product[: len(near) - len(window) + 1]
    sums = np.concatenate(([0.0], np.cumsum(near.astype(np.float64) ** 2)))
    energy = (sums[len(window) :] - sums[: -len(window)]) * float((window**2).sum()) + 1e-9
    like = product / np.sqrt(energy)
    k = int(np.argmax(like))
    if not 0 < k < len(like) - 1:
        return float(k), float(like[k])
    a, b, c = product[k - 1 : k + 2]  # a parabola through the top
    return k + 0.5 * (a - c) / (a - 2 * b + c), float(like[k])


def heard(sound: Array, rate: float, track: Array, began: float) -> Array:
    """(windows, 2): true seconds and the track's place minus the seconds (NaN: not recognised).

    The track is looped; places count on over its end.
    """
    around = np.concatenate([track, track])
    found, last = [], None
    for start in range(0, len(sound) - WINDOW, int(HOP * rate)):
        window = sound[start : start + WINDOW].astype(np.float64)
        seconds = (start + WINDOW / 2) / rate
        at = None
        if np.abs(window).max() > 1e-3:
            if last is not None:
                guess = int(last[0] + start - last[1] - NEAR) % len(track)
                k, like = place(window, around[guess : guess + WINDOW + 2 * NEAR])
                at = guess + k if like > LIKE else None
            if at is None:
                k, like = place(window, around[: len(track) + WINDOW])
                at = k if like > LIKE else None
        if at is not None:
            last = (at, start)
        lead = np.nan if at is None else (at + WINDOW / 2) / RATE - seconds - began
        found.append((seconds, lead))
    return np.array(found)


def skews(recording: Path, track: Array, warm_up: float) -> tuple[dict[str, Any], Array, Array]:
    """The summary of one recording, the seconds, and each card's offset from the mean in ms."""
    data = np.load(recording)
    length = len(track) / RATE
    rows = [
        heard(sound, float(rate), track, 0.0)
        for sound, rate in zip(data["left"], data["rate"], strict=True)
    ]
    grid = np.arange(0, min(r[-1, 0] for r in rows), HOP)
    leads = []
    for row in rows:
        known = ~np.isnan(row[:, 1])
        if not known.any():
            raise ValueError(f"the track is not recognised on card {len(leads)}")
        # places are known modulo the track; the first of them names the lap
        lead = np.unwrap(row[known, 1], period=length)
        gap = np.interp(grid, row[:, 0], (~known).astype(float)) > 0
        leads.append(np.where(gap, np.nan, np.interp(grid, row[known, 0], lead)))
    table = np.array(leads)
    table -= np.round((table - table[0]) / length) * length
    mean = np.full(table.shape[1], np.nan)
    some = ~np.isnan(table).all(axis=0)
    mean[some] = np.nanmean(table[:, some], axis=0)
    apart = [(table[a] - table[b]) * 1000 for a, b in combinations(range(len(table)), 2)]
    settled = np.abs(np.array(apart)[:, grid >= warm_up])
    values = settled[~np.isnan(settled)]
    summary = {
        "p50": float(np.percentile(values, 50)),
        "p99": float(np.percentile(values, 99)),
        "most": float(values.max()),
        "unheard": float(np.isnan(settled).mean()),
        "lacked": [int(n) for n in data["lacked"]],
    }
    return summary, grid, (table - mean) * 1000
