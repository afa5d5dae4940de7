"""Pieces of audio put one behind the other into one FLAC file, in a process of its own.

Run as ``python -m sync2gear_platform.announcements.splicing`` it reads one JSON object, the
pieces and the file to write, and prints one: ``{"frames": …}`` or ``{"code": …}``. Pieces come from
strangers, so it lives under the limits of the library's probe, and writes nothing but that file.
"""

import json
import resource
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import av
import av.error
import numpy as np
from numpy.typing import NDArray

from sync2gear_broker.units import FRAME_RATE, amplitude
from sync2gear_platform.announcements.levels import MAX_SPLICED
from sync2gear_platform.library.rules import Unfit
from sync2gear_platform.library.sound import decode

MEMORY: Final = 1 << 30
COMPUTING: Final = 60
"""Seconds that splicing may compute: half an hour of audio takes about ten."""

WRITTEN: Final = 512 << 20
EDGE: Final = 240
"""Frames in which a piece that is cut begins and ends: 5 ms, so that it does not click."""

SILENCE: Final = FRAME_RATE
"""Frames of silence that are made at once."""


Exact = NDArray[np.float32]
"""Frames by two channels, or one factor for both, as they are computed: 32768 is full scale."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Frames ``start`` to ``stop`` (``None``: its end) of a file, ``gain`` hundredths of dB louder.

    Without a ``path`` it is ``stop`` frames of silence.
    """

    path: str = ""
    start: int = 0
    stop: int | None = None
    gain: int = 0


class TooLong(Exception):  # noqa: N818 - a finding about the pieces, not an error
    """Together the pieces are longer than may be."""


def splice(pieces: list[Piece], out: Path) -> int:
    """Write ``pieces`` to ``out``, 48 kHz stereo of 16 bits; how many frames. Raises ``Unfit``."""
    frames = 0
    with av.open(str(out), "w", format="flac") as container:
        stream = container.add_stream("flac", rate=FRAME_RATE)
        stream.codec_context.layout = "stereo"
        stream.codec_context.format = "s16"
        for piece in pieces:
            for block in _samples(piece):
                frames += len(block)
                if frames > MAX_SPLICED:
                    raise TooLong
                pcm = np.rint(block).clip(-32768, 32767).astype("<i2")
                frame = av.AudioFrame.from_ndarray(pcm.reshape(1, -1), "s16", "stereo")
                frame.sample_rate = FRAME_RATE
                container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return frames


def _samples(piece: Piece) -> Iterator[Exact]:
    if not piece.path:
        left = piece.stop or 0
        while left > 0:
            yield np.zeros((min(left, SILENCE), 2), np.float32)
            left -= SILENCE
        return
    loudness, at = np.float32(amplitude(piece.gain)), 0
    with Path(piece.path).open("rb") as file:
        for block in decode(file, Path(piece.path).stat().st_size):
            begin, end = max(piece.start - at, 0), len(block)
            if piece.stop is not None:
                end = min(end, piece.stop - at)
            if begin < end:
                yield (
                    block[begin:end].astype(np.float32)
                    * loudness
                    * _edges(piece, at + begin, at + end)
                )
            at += len(block)
            if piece.stop is not None and at >= piece.stop:
                return


def _edges(piece: Piece, begin: int, end: int) -> Exact | np.float32:
    """How loud frames ``begin`` to ``end`` are: a piece that is cut does so within some."""
    near_start = piece.start > 0 and begin < piece.start + EDGE
    near_stop = piece.stop is not None and end > piece.stop - EDGE
    if not (near_start or near_stop):
        return np.float32(1)
    at = np.arange(begin, end, dtype=np.float32)
    loud = np.ones(at.size, np.float32)
    if piece.start > 0:
        loud = np.minimum(loud, (at - piece.start) / EDGE)
    if piece.stop is not None:
        loud = np.minimum(loud, (piece.stop - at) / EDGE)
    return loud.reshape(-1, 1)


def main() -> int:
    """What is asked on standard input."""
    av.logging.set_level(None)
    asked: dict[str, Any] = json.load(sys.stdin)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (WRITTEN, WRITTEN))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (COMPUTING, COMPUTING + 1))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    try:
        answer: dict[str, Any] = {
            "frames": splice([Piece(**p) for p in asked["pieces"]], Path(asked["out"]))
        }
    except Unfit as unfit:
        answer = {"code": unfit.code}
    except TooLong:
        answer = {"code": "too_long"}
    except (av.error.FFmpegError, MemoryError, OSError):
        answer = {"code": "decoder_error"}
    print(json.dumps(answer))  # noqa: T201 - its one answer
    return 0


if __name__ == "__main__":
    sys.exit(main())
