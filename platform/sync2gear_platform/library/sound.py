"""The sound of a file, decoded once as a speaker does: length, loudness, silence, shape, digest."""

import hashlib
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from typing import IO, Any, Final

import av
import av.error
import numpy as np
from numpy.typing import NDArray

from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.library import rules
from sync2gear_platform.library.rules import Unfit
from sync2gear_platform.library.sniffing import sniff

DECODERS: Final = (
    "mp3float,mp3,mp2float,mp2,aac,aac_fixed,alac,flac,vorbis,libvorbis,opus,libopus,"
    "pcm_u8,pcm_s8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,"
    "pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be,pcm_alaw,pcm_mulaw,adpcm_ms,adpcm_ima_wav"
)
"""Names of FFmpeg decoders: sound only, so that a picture in a file meets no decoder."""

TICK: Final = 4800
"""Frames between two measurements of FFmpeg's ebur128: 100 ms."""

BLOCK: Final = 5 * TICK
"""Frames that are decoded before they are measured together, whatever a packet holds."""

FINE: Final = rules.PEAK_FRAMES
"""Frames of the narrowest peak: 10 ms."""

FORMAT: Final = "s16"
"""Of samples: a speaker's. FFmpeg mixes more than two channels down otherwise for floats."""

Stereo = NDArray[np.int16]
"""Frames by two channels."""


@dataclass(frozen=True, slots=True)
class Sound:
    """What was decoded; lengths in frames of 48 kHz.

    ``loudness`` and ``true_peak`` are hundredths of LUFS and dBTP, or ``None``. ``lead`` and
    ``tail`` are how long nothing is louder than ``rules.SILENCE`` at the start and at the end; of
    silence throughout all is lead. ``pcm_sha256`` is the digest of the sound as a speaker decodes
    it, 48 kHz stereo of 16 bits, little endian: the same for the same audio in whatever lossless
    container, and for the same stream under other tags. ``peaks`` holds the largest sample of each
    stretch of ``peak_frames``, of both channels, as a byte: 255 is full scale.
    """

    frames: int
    codec: str
    loudness: int | None
    true_peak: int | None
    lead: int
    tail: int
    pcm_sha256: str
    peak_frames: int
    peaks: bytes


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was opened: ``declared`` frames if it promises any, and the container's tags."""

    container: Any
    stream: Any
    declared: int
    tags: dict[str, str]


@contextmanager
def opened(file: IO[bytes], size: int) -> Iterator[Source]:
    """Open a file of ``size`` bytes as what it is (``sniffing``); raises :class:`Unfit`."""
    kind = sniff(file, size)
    # FFmpeg reads from ``file`` alone: no protocol is left by which it could open another.
    options = {"codec_whitelist": DECODERS, "protocol_whitelist": "none"}
    try:
        container = av.open(
            file, "r", format=kind.demuxer, options=options, metadata_errors="replace"
        )
    except (av.error.FFmpegError, ValueError) as error:
        raise Unfit("not_audio") from error
    with container:
        if not container.streams.audio:
            raise Unfit("no_audio_stream")
        stream = container.streams.audio[0]
        if stream.rate not in rules.RATES:
            raise Unfit("decoder_error")
        length = (container.duration or 0) * FRAME_RATE // 1_000_000
        declared = length if kind.promises else kind.declared
        if declared > rules.MAX_FRAMES:
            raise Unfit("too_long")
        tags = {k.lower(): v for k, v in {**container.metadata, **stream.metadata}.items()}
        yield Source(container, stream, declared, tags)


def measure(source: Source) -> Sound:
    """Decode all of ``source``; raises :class:`Unfit`."""
    meter, shape = _Meter(), _Shape()
    try:
        for block, consumed in _decoded(source.container, source.stream):
            meter.add(block, shape.frames)
            shape.add(samples_of(block))
            if shape.frames > rules.MAX_FRAMES:
                raise Unfit("too_long")
            if shape.frames > rules.most_frames(consumed):
                raise Unfit("bomb")
        meter.finish(shape.frames)
    except av.error.FFmpegError as error:
        raise Unfit("decoder_error") from error
    if shape.frames == 0:
        raise Unfit("decoder_error" if source.declared else "zero_length")
    if shape.frames < source.declared * 9 // 10 - FRAME_RATE:
        raise Unfit("truncated")
    return shape.sound(source.stream.codec_context.name[:32], meter)


def measure_bytes(data: bytes) -> Sound:
    """The sound of audio that we made ourselves; raises :class:`Unfit`."""
    with opened(BytesIO(data), len(data)) as source:
        return measure(source)


def decode(file: IO[bytes], size: int) -> Iterator[Stereo]:
    """A file of ``size`` bytes as a speaker hears it, some frames at a time; raises ``Unfit``."""
    with opened(file, size) as source:
        try:
            for block, _ in _decoded(source.container, source.stream):
                yield samples_of(block)
        except av.error.FFmpegError as error:
            raise Unfit("decoder_error") from error


def _decoded(container: Any, stream: Any) -> Iterator[tuple[Any, int]]:
    """Blocks of 48 kHz stereo, and how many bytes were decoded up to there.

    Packets that do not decode are left out, unless most do not.
    """
    resampler = av.AudioResampler(format=FORMAT, layout="stereo", rate=FRAME_RATE, frame_size=BLOCK)
    good = bad = consumed = 0
    for packet in container.demux(stream):
        consumed += packet.size
        try:
            frames = packet.decode()
            good += len(frames)
        except av.error.InvalidDataError as error:
            bad += 1
            if bad > 100 + good:
                raise Unfit("decoder_error") from error
            continue
        for frame in frames:
            try:
                blocks = resampler.resample(frame)
            except ValueError as error:  # its form changes on the way: no speaker could follow
                raise Unfit("decoder_error") from error
            for block in blocks:
                yield block, consumed
    if bad > good:
        raise Unfit("decoder_error")
    if good:
        for block in resampler.resample(None):
            yield block, consumed


def samples_of(block: Any) -> Stereo:
    """A block as an array, without copying it."""
    flat = np.frombuffer(block.planes[0], dtype=np.int16, count=block.samples * 2)
    return flat.reshape(-1, 2)


class _Shape:
    """What is seen of the samples themselves: how many, how large, where silent, which."""

    def __init__(self) -> None:
        self.frames = 0
        self._lead: int | None = None
        self._loud_until = 0
        self._peaks: list[NDArray[np.uint16]] = []
        self._digest = hashlib.sha256()

    def add(self, samples: Stereo) -> None:
        """Look at a block; all but the last have ``BLOCK`` frames."""
        sizes = np.abs(samples).view(np.uint16)  # that of -32768 is no int16
        level = np.maximum(sizes[:, 0], sizes[:, 1])
        loud = np.flatnonzero(level > rules.SILENCE)
        if loud.size:
            if self._lead is None:
                self._lead = self.frames + int(loud[0])
            self._loud_until = self.frames + int(loud[-1]) + 1
        self._peaks.append(np.maximum.reduceat(level, np.arange(0, level.size, FINE)))
        self._digest.update(samples.astype("<i2", copy=False).data)
        self.frames += len(samples)

    def sound(self, codec: str, meter: "_Meter") -> Sound:
        """All of it together."""
        peak_frames, peaks = _drawn(np.concatenate(self._peaks), self.frames)
        silent = self._lead is None
        return Sound(
            frames=self.frames,
            codec=codec,
            loudness=meter.loudness,
            true_peak=meter.true_peak,
            lead=self.frames if self._lead is None else self._lead,
            tail=0 if silent else self.frames - self._loud_until,
            pcm_sha256=self._digest.hexdigest(),
            peak_frames=peak_frames,
            peaks=peaks,
        )


def _drawn(fine: NDArray[np.uint16], frames: int) -> tuple[int, bytes]:
    """Peaks of ``FINE`` frames each made into at most ``rules.MAX_PEAKS`` wider ones."""
    together = 1
    while math.ceil(frames / (FINE * together)) > rules.MAX_PEAKS:
        together *= 2
    wide = np.maximum.reduceat(fine, np.arange(0, fine.size, together))
    return FINE * together, (wide.astype(np.uint32) * 255 >> 15).astype(np.uint8).tobytes()


class _Meter:
    """EBU R 128 loudness by FFmpeg's ebur128 filter."""

    def __init__(self) -> None:
        self._graph = av.filter.Graph()
        source = self._graph.add_abuffer(
            sample_rate=FRAME_RATE,
            format=FORMAT,
            layout="stereo",
            time_base=Fraction(1, FRAME_RATE),
        )
        meter = self._graph.add("ebur128", "metadata=1:peak=true:framelog=quiet")
        sink = self._graph.add("abuffersink")
        source.link_to(meter)
        meter.link_to(sink)
        self._graph.configure()
        self._last: dict[str, str] = {}

    def add(self, block: Any, at: int) -> None:
        """Measure a block that begins at frame ``at``."""
        block.pts = at
        self._graph.push(block)
        self._pull()

    def finish(self, frames: int) -> None:
        """Measure what is left: the filter speaks once in 100 ms, so silence fills the last."""
        missing = -frames % TICK
        if frames and missing:
            block = av.AudioFrame(format=FORMAT, layout="stereo", samples=missing, align=1)
            block.planes[0].update(bytes(block.planes[0].buffer_size))
            block.sample_rate = FRAME_RATE
            block.pts = frames
            self._graph.push(block)
        self._graph.push(None)
        self._pull()

    def _pull(self) -> None:
        while True:
            try:
                measured = self._graph.pull().metadata
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            if measured:
                self._last = measured

    @property
    def loudness(self) -> int | None:
        """Integrated loudness, or ``None`` where nothing is loud or long enough."""
        value = _hundredths(self._last.get("lavfi.r128.I"))
        return None if value is None or value <= rules.QUIETEST else value

    @property
    def true_peak(self) -> int | None:
        """The true peak over both channels, or ``None`` for digital silence."""
        linear = [
            float(self._last.get(f"lavfi.r128.true_peaks_ch{channel}", "nan")) for channel in (0, 1)
        ]
        peak = max((p for p in linear if p > 0), default=0.0)
        return _hundredths(str(20 * math.log10(peak))) if peak else None


def _hundredths(text: str | None) -> int | None:
    value = float(text) if text else math.nan
    return round(value * 100) if math.isfinite(value) else None
