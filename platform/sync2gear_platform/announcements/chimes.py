"""Chimes of our own, made from sines: what is heard before and after a voice."""

import io
import wave
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

RATE: Final = 48_000
FADE: Final = 240
"""Frames that a strike takes to begin: 5 ms, so that it does not click."""

BUILT_IN: Final[Mapping[str, tuple[tuple[float, float], ...]]] = {
    "ding": ((0.0, 880.0),),
    "ding-dong": ((0.0, 659.26), (0.55, 523.25)),
    "gong": ((0.0, 783.99), (0.45, 659.26), (0.9, 523.25)),
    "up": ((0.0, 523.25), (0.3, 659.26), (0.6, 783.99)),
    "down": ((0.0, 783.99), (0.3, 659.26), (0.6, 523.25)),
}
"""Names of chimes, and the strikes of each: when, in seconds, and how high, in Hz."""

RINGS: Final = 1.4
"""Seconds that the last strike is heard."""

PARTIALS: Final = ((1.0, 1.0, 3.2), (2.0, 0.35, 4.5), (3.01, 0.12, 7.0))
"""Of a strike: how high beside its tone, how strong, how fast it fades."""


def sound(name: str) -> bytes:
    """A built-in chime as a WAV file; ``KeyError`` for none."""
    strikes = BUILT_IN[name]
    mixed: NDArray[np.float64] = np.zeros(round((strikes[-1][0] + RINGS) * RATE))
    for at, pitch in strikes:
        begin = round(at * RATE)
        seconds = np.arange(mixed.size - begin) / RATE
        for height, strength, fading in PARTIALS:
            tone = np.sin(2 * np.pi * pitch * height * seconds)
            mixed[begin:] += strength * np.exp(-fading * seconds) * tone * _begun(seconds.size)
    mixed[-FADE * 10 :] *= np.linspace(1, 0, FADE * 10)
    samples = np.rint(mixed / np.abs(mixed).max() * 0.5 * 32767).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE)
        writer.writeframes(samples.tobytes())
    return file.getvalue()


def _begun(frames: int) -> NDArray[np.float64]:
    rising: NDArray[np.float64] = np.ones(frames)
    rising[:FADE] = np.linspace(0, 1, FADE)
    return rising
