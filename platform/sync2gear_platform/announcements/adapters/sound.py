"""WAV files of 16-bit samples, as programs write them to pipes and we want them."""

import io
import wave
from typing import Final

import numpy as np

from sync2gear_platform.announcements.ports import SpeechGarbled

HEADER: Final = 44
"""Bytes of a canonical WAV header, whose lengths a pipe cannot know."""


def read(output: bytes) -> tuple[int, bytes]:
    """The rate and the samples (16 bits, one channel) of a WAV that may not know its length.

    Raises :class:`SpeechGarbled` for anything else.
    """
    if not (output.startswith(b"RIFF") and output[8:12] == b"WAVE"):
        raise SpeechGarbled
    at, rate = 12, 0
    while at + 8 <= len(output):
        name, size = output[at : at + 4], int.from_bytes(output[at + 4 : at + 8], "little")
        body = output[at + 8 : at + 8 + size]
        if name == b"fmt ":
            coding, channels, rate = body[:2], body[2:4], int.from_bytes(body[4:8], "little")
            if (coding, channels, body[14:16]) != (b"\1\0", b"\1\0", b"\x10\0"):
                raise SpeechGarbled
        elif name == b"data" and 8_000 <= rate <= 48_000:
            return rate, body[: len(body) // 2 * 2]
        at += 8 + size + size % 2
    raise SpeechGarbled


def written(rate: int, samples: bytes) -> bytes:
    """A WAV file that knows its length."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(samples)
    return file.getvalue()


def silence(rate: int, millis: int) -> bytes:
    """Samples of nothing."""
    return bytes(2 * (rate * millis // 1000))


def louder(samples: bytes, decibels: int) -> bytes:
    """``samples`` by so many dB, cut where they do not fit."""
    if decibels == 0:
        return samples
    wide = np.frombuffer(samples, "<i2").astype(np.float64) * 10 ** (decibels / 20)
    return bytes(np.clip(np.rint(wide), -32768, 32767).astype("<i2").tobytes())
