"""The sink that writes down what it played: a WAV file and the zone frame of its first sample."""

import logging
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sync2gear_broker.units import FRAME_RATE
from sync2gear_firmware.decoder import Pcm
from sync2gear_firmware.player import Player
from sync2gear_firmware.players.paced import Paced
from sync2gear_firmware.spool import save

log = logging.getLogger(__name__)

_FRAME_BYTES = 4
_HEADER = 44
_PATCH_EVERY = FRAME_RATE // 10
MAX_FRAMES: Final = 3 * 3600 * FRAME_RATE
"""Frames in one file: a WAV cannot be larger than 4 GB."""


class WavLog:
    """Appends PCM to a WAV file, readable at any moment, even after a kill.

    Beside it stands ``<file>.json``: ``first_frame``, ``rate``, ``channels`` and ``segments``, a
    list of ``[sample, zone frame]`` with one entry wherever the zone frames are not contiguous.
    A file that exists is kept under ``<stem>.<n><suffix>``, its JSON with it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None
        self._frames = 0
        self._patched = 0
        self._segments: list[list[int]] = []
        self._next = 0

    def write(self, at: int, pcm: Pcm) -> None:
        """Append frames whose first is zone frame ``at``."""
        if self._fd is None or self._frames >= MAX_FRAMES:
            self._begin()
        if not self._segments or at != self._next:
            self._segments.append([self._frames, at])
            self._describe()
        data = memoryview(pcm.astype("<i2", copy=False).tobytes())
        while data:
            data = data[os.write(self._need(), data) :]
        self._frames += len(pcm)
        self._next = at + len(pcm)
        if self._frames - self._patched >= _PATCH_EVERY:
            self._patch()

    def close(self) -> None:
        """Write the final sizes and close."""
        if self._fd is not None:
            self._patch()
            os.close(self._fd)
            self._fd = None

    def _need(self) -> int:
        if self._fd is None:
            raise OSError("the file is closed")
        return self._fd

    def _begin(self) -> None:
        self.close()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if self._path.exists():
            _set_aside(self._path)
        self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        self._frames, self._segments = 0, []
        os.write(self._fd, header(0))
        self._patched = 0

    def _patch(self) -> None:
        os.pwrite(self._need(), header(self._frames), 0)
        self._patched = self._frames

    def _describe(self) -> None:
        about: dict[str, object] = {
            "first_frame": self._segments[0][1],
            "rate": FRAME_RATE,
            "channels": 2,
            "segments": self._segments,
        }
        save(sidecar(self._path), about)


def sidecar(path: Path) -> Path:
    """Where the description of a recording stands."""
    return path.with_name(path.name + ".json")


def header(frames: int) -> bytes:
    """The 44 bytes before ``frames`` frames of 48 kHz stereo int16 (RIFF WAVE, PCM)."""
    data = frames * _FRAME_BYTES
    form = struct.pack(
        "<4sIHHIIHH", b"fmt ", 16, 1, 2, FRAME_RATE, FRAME_RATE * _FRAME_BYTES, _FRAME_BYTES, 16
    )
    riff = struct.pack("<4sI4s", b"RIFF", data + _HEADER - 8, b"WAVE")
    return riff + form + struct.pack("<4sI", b"data", data)


def _set_aside(path: Path) -> None:
    n = 1
    while (aside := path.with_name(f"{path.stem}.{n}{path.suffix}")).exists():
        n += 1
    path.replace(aside)
    if sidecar(path).exists():
        sidecar(path).replace(sidecar(aside))


class FileSink(Paced):
    """A paced sink that keeps what it played."""

    def __init__(self, player: Player, local: Callable[[], int], path: Path) -> None:
        self._log = WavLog(path)
        super().__init__(player, local, self._log.write)

    def stop(self) -> None:
        """End the thread and close the file."""
        super().stop()
        self._log.close()
