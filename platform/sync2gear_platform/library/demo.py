"""A small album for who has no music at hand: synthesised, tagged, in three formats."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from numpy.typing import NDArray

RATE: Final = 48_000
ARTIST: Final = "The Sync2gear House Band"
ALBUM: Final = "Opening Hours"

Stereo = NDArray[np.float64]

MAJOR, MINOR = (0, 4, 7, 12), (0, 3, 7, 12)


@dataclass(frozen=True, slots=True)
class Piece:
    """A recipe: ``chords`` are ``(root as MIDI note, intervals)``, each held for ``beats``."""

    file: str
    codec: str
    title: str
    tempo: float
    beats: int
    rounds: int
    chords: Sequence[tuple[int, Sequence[int]]]
    order: Sequence[int]


PIECES: Final = (
    Piece(
        "01-first-coffee.flac", "flac", "First Coffee", 84, 4, 4,
        ((48, MAJOR), (45, MINOR), (53, MAJOR), (55, MAJOR)), (0, 1, 2, 3, 2, 1),
    ),
    Piece(
        "02-between-the-shelves.ogg", "libopus", "Between the Shelves", 100, 4, 6,
        ((50, MINOR), (46, MAJOR), (53, MAJOR), (48, MAJOR)), (0, 2, 1, 3),
    ),
    Piece(
        "03-last-customers.mp3", "libmp3lame", "Last Customers", 72, 4, 4,
        ((45, MINOR), (53, MAJOR), (48, MAJOR), (52, MINOR)), (3, 2, 1, 0, 1, 2),
    ),
)  # fmt: skip


def make_album(folder: Path) -> None:
    """Write the pieces that are not in ``folder`` yet; each appears whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, piece in enumerate(PIECES, 1):
        path = folder / piece.file
        if path.exists():
            continue
        draft = folder / f".draft{path.suffix}"
        tags = {"title": piece.title, "artist": ARTIST, "album": ALBUM, "track": str(number)}
        encode(draft, render(piece), piece.codec, tags)
        draft.replace(path)


def render(piece: Piece) -> Stereo:
    """The sound of ``piece``: 2 x frames between -1 and 1."""
    beat = int(60 / piece.tempo * RATE)
    bars = [chord for _ in range(piece.rounds) for chord in piece.chords]
    tail = 3 * RATE
    sound = np.zeros((2, len(bars) * piece.beats * beat + tail))
    for bar, (root, intervals) in enumerate(bars):
        at = bar * piece.beats * beat
        length = piece.beats * beat
        for place, interval in enumerate(intervals[:3]):
            _add(sound, at, _pad(root + interval, length), 0.10, 0.3 + 0.2 * place)
        _add(sound, at, _pluck(root - 12, length), 0.30, 0.5)
        steps = piece.beats * 2
        for step in range(steps):
            note = root + 12 + intervals[piece.order[step % len(piece.order)]]
            loud = 0.22 if step % 2 == 0 else 0.15
            _add(
                sound, at + step * beat // 2, _pluck(note, 2 * beat), loud, 0.25 + 0.5 * (step % 2)
            )
    fade = np.ones(sound.shape[1])
    fade[-tail:] = np.linspace(1, 0, tail) ** 2
    return np.asarray(np.tanh(sound * fade) * 0.9)


def _frequency(note: int) -> float:
    return float(440 * 2 ** ((note - 69) / 12))


def _pluck(note: int, length: int) -> NDArray[np.float64]:
    """A soft string: six partials, each fading faster than the one below it."""
    t = np.arange(length) / RATE
    partials = [
        np.sin(2 * np.pi * _frequency(note) * n * t) * np.exp(-t * (1.2 + 1.1 * n)) / n**1.5
        for n in range(1, 7)
    ]
    return np.asarray(sum(partials) * np.minimum(1, t / 0.004))


def _pad(note: int, length: int) -> NDArray[np.float64]:
    """A held tone of two voices that beat slowly against each other."""
    t = np.arange(length) / RATE
    tone = np.sin(2 * np.pi * _frequency(note) * t) + np.sin(
        2 * np.pi * _frequency(note) * 1.003 * t
    )
    return np.asarray(tone * np.sin(np.pi * np.arange(length) / length) ** 0.7)


def _add(sound: Stereo, at: int, tone: NDArray[np.float64], loud: float, pan: float) -> None:
    tone = tone[: sound.shape[1] - at]
    sound[0, at : at + len(tone)] += tone * loud * np.sqrt(1 - pan)
    sound[1, at : at + len(tone)] += tone * loud * np.sqrt(pan)


def encode(path: Path, sound: Stereo, codec: str, tags: dict[str, str]) -> None:
    """Write ``sound`` to ``path`` with ``codec``; the container follows from the name."""
    samples = (sound.T * 32767).astype("<i2").reshape(1, -1)
    with av.open(str(path), "w") as container:
        container.metadata.update(tags)
        stream: Any = container.add_stream(codec, rate=RATE)
        stream.layout = "stereo"
        if codec == "libopus":
            stream.metadata.update(tags)
        resampler = av.AudioResampler(format=stream.format, layout="stereo", rate=RATE)
        fifo = av.AudioFifo()
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
        frame.sample_rate = RATE
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            piece.pts = None
            fifo.write(piece)
        while (part := fifo.read(stream.frame_size or 960, partial=True)) is not None:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
