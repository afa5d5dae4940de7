"""Signals with known loudness and peaks: EBU Tech 3341's, and music of many kinds, synthesised."""

import io
from collections.abc import Sequence
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray

RATE: Final = 48_000

Samples = NDArray[np.float64]
"""Frames by channels; full scale is 1."""


def flac(samples: Samples, rate: int = RATE) -> bytes:
    """A FLAC of 24 bits, by libsndfile."""
    out = io.BytesIO()
    soundfile.write(out, samples, rate, format="FLAC", subtype="PCM_24")
    return out.getvalue()


def level(decibels: float) -> float:
    """Of full scale."""
    return float(10 ** (decibels / 20))


def tone(parts: Sequence[tuple[float, float]], hz: float = 1000.0) -> Samples:
    """A stereo sine of ``(dBFS, seconds)`` one after the other, without a break in its phase."""
    gains = np.concatenate([np.full(round(s * RATE), level(db)) for db, s in parts])
    wave = gains * np.sin(2 * np.pi * hz * np.arange(gains.size) / RATE)
    return np.stack([wave, wave], axis=1)


INTEGRATED: Final[dict[int, tuple[Samples, float]]] = {
    1: (tone([(-23, 20)]), -23.0),
    2: (tone([(-33, 20)]), -33.0),
    3: (tone([(-36, 10), (-23, 60), (-36, 10)]), -23.0),
    4: (tone([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)]), -23.0),
    5: (tone([(-26, 20), (-20, 20.1), (-26, 20)]), -23.0),
}
"""EBU Tech 3341, table 1, cases 1 to 5: stereo signals with their integrated loudness in LUFS."""


def true_peak(divisor: int, degrees: float, amplitude: float, seconds: float = 1.0) -> Samples:
    """A stereo sine of the sampling rate over ``divisor``, faded in and out as the cases want."""
    at = np.arange(round(seconds * RATE))
    fade = np.clip(np.minimum(at, at[::-1]) / (RATE * 0.1), 0, 1)
    wave = amplitude * np.sin(2 * np.pi * at / divisor + np.radians(degrees)) * fade
    return np.stack([wave, wave], axis=1)


TRUE_PEAKS: Final[dict[int, tuple[Samples, float]]] = {
    15: (true_peak(4, 0.0, 0.5), -6.0),
    16: (true_peak(4, 45.0, 0.5), -6.0),
    17: (true_peak(6, 60.0, 0.5), -6.0),
    18: (true_peak(8, 67.5, 0.5), -6.0),
    19: (true_peak(4, 45.0, 1.41), 3.0),
}
"""EBU Tech 3341, table 1, cases 15 to 19, with their true peaks in dBTP."""


def tracks(seconds: float = 12.0) -> dict[str, Samples]:
    """Ten pieces that differ in spectrum, dynamics and stereo."""
    rng = np.random.default_rng(5)
    at = np.arange(round(seconds * RATE)) / RATE
    white = rng.standard_normal((at.size, 2))
    brown = np.cumsum(white, axis=0)
    brown -= np.linspace(0, 1, at.size)[:, None] * brown[-1]
    chord = np.sum([np.sin(2 * np.pi * f * at) / n for n, f in enumerate((110, 277, 330, 440), 1)],
                   axis=0)  # fmt: skip
    beat = np.exp(-8 * (at % 0.5)) * np.sin(2 * np.pi * 60 * at)
    speech = white[:, 0] * (np.sin(2 * np.pi * 3 * at) > 0) * (at % 4 < 2.5)

    def both(left: Samples, right: Samples | None = None) -> Samples:
        return np.stack([left, left if right is None else right], axis=1)

    found = {
        "white noise": white,
        "brown noise": brown,
        "a chord": both(chord),
        "a beat": both(beat),
        "a beat over a chord": both(beat + chord * 0.1),
        "words and silence": both(speech),
        "a crescendo": both(chord * np.linspace(0.001, 1, at.size)),
        "left only": both(chord, np.zeros_like(chord)),
        "against each other": both(chord, -chord),
        "a whistle": both(np.sin(2 * np.pi * 8000 * at) * (at % 1 < 0.7)),
    }
    levels = (-1, -12, -6, -3, -9, -20, -4, -15, -30, -40)
    return {
        name: samples / np.abs(samples).max() * level(db)
        for (name, samples), db in zip(found.items(), levels, strict=True)
    }
