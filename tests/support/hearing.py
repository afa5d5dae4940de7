"""Ears: what a file-sink speaker played, found again in its sources by cross-correlation."""

import json
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

RATE = 48_000
Mono = NDArray[np.float32]


@dataclass(frozen=True)
class Recording:
    """What a speaker played: mono samples, the first of them at zone frame ``first``."""

    first: int
    samples: Mono

    @property
    def end(self) -> int:
        """The zone frame after the last sample."""
        return self.first + len(self.samples)

    def cut(self, a: int, b: int) -> Mono:
        """The samples of zone frames [a, b)."""
        assert self.first <= a < b <= self.end, f"[{a}, {b}) is not in [{self.first}, {self.end})"
        return self.samples[a - self.first : b - self.first]


def recording(path: Path) -> Recording:
    """Read the WAV of a file sink, whole or still being written, with its sidecar.

    What it passed over when its clock jumped is silence.
    """
    sidecar = json.loads(path.with_name(path.name + ".json").read_text())
    assert (sidecar["rate"], sidecar["channels"]) == (RATE, 2)
    raw = path.read_bytes()
    body = raw[raw.index(b"data") + 8 :]
    pcm = np.frombuffer(body[: len(body) // 4 * 4], "<i2").reshape(-1, 2)
    samples = pcm.mean(axis=1, dtype=np.float32) / 32768
    segments = sidecar["segments"]
    first = min(at for _, at in segments)
    ends = [*(sample for sample, _ in segments[1:]), len(samples)]
    parts = [(at - first, samples[a:b]) for (a, at), b in zip(segments, ends, strict=True)]
    placed = np.zeros(max(at + len(part) for at, part in parts), np.float32)
    for at, part in parts:
        placed[at : at + len(part)] = part
    return Recording(first, placed)


def decode(path: Path) -> Mono:
    """The mono samples of an audio file at 48 kHz."""
    chunks = []
    with av.open(str(path)) as container:
        resampler = av.AudioResampler("flt", "stereo", RATE)
        for frame in container.decode(audio=0):
            chunks += [f.to_ndarray().reshape(-1, 2) for f in resampler.resample(frame)]
        chunks += [f.to_ndarray().reshape(-1, 2) for f in resampler.resample(None)]
    mono: Mono = np.concatenate(chunks).mean(axis=1, dtype=np.float32)
    return mono


def locate(needle: Mono, source: Mono) -> tuple[int, float]:
    """``(offset, likeness)``: where in ``source`` the ``needle`` begins, and how like it is there.

    Normalised cross-correlation by FFT; ``likeness`` is 1 for the same sound at any volume.
    """
    needle = needle - needle.mean()
    size = 1 << (len(source) + len(needle)).bit_length()
    product = np.fft.irfft(np.fft.rfft(source, size) * np.conj(np.fft.rfft(needle, size)), size)[
        : len(source) - len(needle) + 1
    ]
    squares = np.concatenate(([0.0], np.cumsum(source.astype(np.float64) ** 2)))
    energy = squares[len(needle) :] - squares[: -len(needle)]
    floor = 1e-6 * float(energy.max())
    likeness = product / np.sqrt(np.maximum(energy, floor) * float((needle**2).sum()) + 1e-20)
    best = int(np.argmax(likeness))
    return best, float(likeness[best])


def silent_stretches(samples: Mono, at_least: int, below: float = 1e-4) -> list[tuple[int, int]]:
    """``[start, end)`` of every stretch of at least ``at_least`` samples under ``below``."""
    quiet = np.concatenate(([0], (np.abs(samples) < below).astype(np.int8), [0]))
    edges = np.flatnonzero(np.diff(quiet))
    return [
        (int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a >= at_least
    ]


def noise_tune(seed: int, seconds: float) -> NDArray[np.int16]:
    """A tune that is nowhere like itself or another: stereo int16 of decaying noise notes."""
    rng = np.random.default_rng(seed)
    count = int(seconds * RATE)
    spectrum = np.fft.rfft(rng.standard_normal(count))
    frequency = np.fft.rfftfreq(count, 1 / RATE)
    spectrum *= 1 / np.maximum(frequency, 60) ** 0.7 * (frequency < 14_000)
    wave = np.fft.irfft(spectrum, count)
    beat = 0.55 + 0.45 * np.sin(2 * np.pi * np.arange(count) / RATE * 1.7 + seed)
    wave = wave / np.abs(wave).max() * beat * 0.6
    left = (wave * 32767).astype(np.int16)
    return np.stack([left, left], axis=1)
