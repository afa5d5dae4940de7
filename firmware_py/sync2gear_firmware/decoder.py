"""Media as PCM: 48 kHz stereo int16, padded or trimmed to its frames, decoded ahead in chunks."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

from sync2gear_broker.messages import Media
from sync2gear_broker.units import FRAME_RATE
from sync2gear_firmware.machine import this_thread_is

log = logging.getLogger(__name__)

Pcm = NDArray[np.int16]
"""Frames by two channels."""

CHUNK: Final = FRAME_RATE // 2
"""Frames in one chunk: half a second, 96 KB."""
_OPEN = 4


class Undecodable(Exception):  # noqa: N818 - reads as what it is
    """A file gives no audio, or stops giving it with an error."""


def decode(path: Path) -> Iterator[Pcm]:
    """The audio of a file as it comes, (n, 2) int16 at 48 kHz; raises ``Undecodable``."""
    try:
        with av.open(str(path), options={"protocol_whitelist": "file"}) as container:
            if not container.streams.audio:
                raise Undecodable("no audio stream")
            resampler = av.AudioResampler(format="s16", layout="stereo", rate=FRAME_RATE)
            for frame in container.decode(container.streams.audio[0]):
                for part in resampler.resample(frame):
                    yield _pcm(part)
            for part in resampler.resample(None):
                yield _pcm(part)
    except (av.error.FFmpegError, ValueError) as error:
        raise Undecodable(f"{type(error).__name__}: {error}"[:150]) from error


def _pcm(frame: av.AudioFrame) -> Pcm:
    return frame.to_ndarray().reshape(-1, 2).astype(np.int16, copy=False)


class _Reader:
    """Cuts one decoding run into chunks, in order; silence after the end of the audio."""

    def __init__(self, path: Path, media: Media) -> None:
        self._source = decode(path)
        self._media = media
        self._rest: list[Pcm] = []
        self._have = 0
        self._frames = 0
        self.next = 0

    def chunk(self) -> Pcm:
        """Chunk number ``next``; ``Undecodable`` if an error or no audio at all comes first."""
        want = min(CHUNK, self._media.frames - self.next * CHUNK)
        while self._have < want:
            part = next(self._source, None)
            if part is None:
                if self._frames == 0:
                    raise Undecodable("no audio")
                part = np.zeros((want - self._have, 2), np.int16)
            self._rest.append(part)
            self._have += len(part)
            self._frames += len(part)
        joined = np.concatenate(self._rest)
        self._rest = [joined[want:]]
        self._have = len(joined) - want
        self.next += 1
        return np.ascontiguousarray(joined[:want])


class Pool:
    """Decoded chunks of several media within a budget; one thread decodes, any may read.

    ``find`` gives the checked file of a media; ``broken`` is told which cannot be decoded.
    """

    def __init__(
        self,
        find: Callable[[str], Path | None],
        broken: Callable[[str, str], None],
        budget: int = 24 * 1024 * 1024,
    ) -> None:
        self._find = find
        self._broken = broken
        self._most = budget // (CHUNK * 4)
        self._chunks: OrderedDict[tuple[str, int], Pcm] = OrderedDict()
        self._readers: OrderedDict[str, _Reader] = OrderedDict()
        self._bad: set[str] = set()
        self._wanted: list[tuple[Media, int]] = []
        self._busy = ""
        self.rounds = 0
        """Counts whatever shows that decoding goes on."""
        self._changed = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="decode", daemon=True)

    def start(self) -> None:
        """Begin to decode what is wanted."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        self._changed.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def renew(self) -> None:
        """The thread stands: another goes on, without the media over which it stands."""
        if sha := self._busy:
            self._bad.add(sha)
            self._readers.pop(sha, None)
            self._broken(sha, "takes for ever")
        self._thread = threading.Thread(target=self._run, name="decode", daemon=True)
        self._thread.start()

    def want(self, wanted: list[tuple[Media, int]]) -> None:
        """The chunks ``(media, number)`` needed soon, most urgent first; replaces the last list."""
        self._wanted = wanted
        if any((m.sha256, n) not in self._chunks for m, n in wanted):
            self._changed.set()

    def retry(self, sha256: str) -> None:
        """A media was fetched anew: try again to decode it."""
        self._bad.discard(sha256)

    def has(self, media: Media, number: int) -> bool:
        """Whether a chunk is decoded."""
        return (media.sha256, number) in self._chunks

    def read(self, media: Media, offset: int, n: int) -> tuple[Pcm, bool]:
        """Frames [offset, offset + n) as (n, 2) int16, and whether all of them were decoded.

        Frames outside the media are silence, as are those that are not decoded yet.
        """
        out = np.zeros((n, 2), np.int16)
        whole = True
        first, end = max(0, offset), min(offset + n, media.frames)
        while first < end:
            number, at = divmod(first, CHUNK)
            take = min(CHUNK - at, end - first)
            chunk = self._chunks.get((media.sha256, number))
            if chunk is None:
                whole = False
            else:
                out[first - offset : first - offset + take] = chunk[at : at + take]
            first += take
        return out, whole

    def fill(self) -> bool:
        """Decode the most urgent missing chunk; False if none is missing."""
        for media, number in list(self._wanted):
            key = (media.sha256, number)
            if key in self._chunks or media.sha256 in self._bad:
                continue
            self._busy = media.sha256
            try:
                if not self._decode(media, number):
                    continue
            except Exception as error:
                # whatever a stranger's file does to the decoder, the others go on
                if not isinstance(error, Undecodable):
                    log.exception("decode.bug media=%s", media.sha256)
                self._bad.add(media.sha256)
                self._readers.pop(media.sha256, None)
                log.warning("decode.failed media=%s error=%r", media.sha256, str(error))
                self._broken(media.sha256, str(error))
                continue
            finally:
                self._busy = ""  # who stands from now on does not stand over this one
            return True
        return False

    def _decode(self, media: Media, number: int) -> bool:
        reader = self._readers.pop(media.sha256, None)
        if reader is None or reader.next > number:
            path = self._find(media.sha256)
            if path is None:
                return False
            reader = _Reader(path, media)
        self._readers[media.sha256] = reader
        while len(self._readers) > _OPEN:
            self._readers.popitem(last=False)
        while reader.next <= number and not self._stop.is_set():
            self.rounds += 1
            index = reader.next
            self._chunks[(media.sha256, index)] = reader.chunk()
            self._trim()
        return True

    def _trim(self) -> None:
        if len(self._chunks) <= self._most:
            return
        wanted = {(m.sha256, n) for m, n in self._wanted}
        for key in [k for k in self._chunks if k not in wanted]:
            if len(self._chunks) <= self._most:
                return
            del self._chunks[key]

    def _run(self) -> None:
        this_thread_is("decode")
        while not self._stop.is_set() and threading.current_thread() is self._thread:
            self.rounds += 1
            self._changed.clear()
            try:
                busy = self.fill()
            except Exception:
                log.exception("decode.bug")
                busy = False
            if not busy:
                self._changed.wait(1.0)
