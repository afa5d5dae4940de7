"""What a file of audio is: its length, loudness and tags, found out in a process of its own.

Run as ``python -m sync2gear_platform.library.probe FILE`` it prints one JSON object and exits;
with ``--serve`` it reads one JSON string per line, the path of a file, and answers each with one
line, until its input ends. Files come from strangers: the process has little memory and time,
writes next to nothing, and opens nothing but the file named.
"""

import json
import math
import resource
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import av
import av.error
import mutagen

from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.library import rules

MEMORY = 1 << 30
"""Bytes of address space: about four times what the largest of usual files needs."""

WRITTEN = 16 << 20
"""Bytes of any file that the process may write: its answers, and a developer's measurements."""

CONTAINERS = "mp3,mov,mp4,m4a,3gp,3g2,mj2,ogg,flac,wav,w64,matroska,webm,aiff,aac"
"""Names of FFmpeg demuxers: files only, none that refers to other files or addresses."""

DECODERS = (
    "mp3float,mp3,mp2float,mp2,aac,aac_fixed,alac,flac,vorbis,libvorbis,opus,libopus,"
    "pcm_u8,pcm_s8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,"
    "pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be,pcm_alaw,pcm_mulaw,adpcm_ms,adpcm_ima_wav"
)
"""Names of FFmpeg decoders: sound only, so that a picture in a file meets no decoder."""

DECLARED = frozenset({"mov", "flac", "matroska", "w64"})
"""Containers whose declared duration is a promise; others' is an estimate."""

BLOCK = 4800
"""Frames between two measurements of FFmpeg's ebur128: 100 ms."""


class Unfit(Exception):  # noqa: N818 - a finding about a file, not an error
    """A file that is not taken; ``code`` is a key of ``rules.REASONS``."""

    def __init__(self, code: str) -> None:
        super().__init__(rules.REASONS[code])
        self.code = code


@dataclass(frozen=True, slots=True)
class Sound:
    """What was decoded. ``frames`` of 48 kHz; hundredths of LUFS and dBTP, or ``None``."""

    frames: int
    codec: str
    loudness: int | None
    true_peak: int | None


@dataclass(frozen=True, slots=True)
class Tags:
    """What people call it; empty where the file does not say."""

    title: str = ""
    artist: str = ""
    album: str = ""
    genre: str = ""
    year: int | None = None


def measure(source: IO[bytes]) -> tuple[Sound, dict[str, str]]:
    """Decode all of ``source`` as a speaker does: the sound, and the container's own tags.

    Raises :class:`Unfit`.
    """
    options = {
        "format_whitelist": CONTAINERS,
        "codec_whitelist": DECODERS,
        "protocol_whitelist": "file",
    }
    try:
        container = av.open(source, "r", options=options, metadata_errors="replace")
    except (av.error.FFmpegError, ValueError) as error:
        raise Unfit("not_audio") from error
    with container:
        if not container.streams.audio:
            raise Unfit("no_audio_stream")
        stream = container.streams.audio[0]
        declared = (container.duration or 0) * FRAME_RATE // 1_000_000
        names = set(container.format.name.split(","))
        if names & DECLARED and declared > rules.MAX_FRAMES:
            raise Unfit("too_long")
        meter = _Meter()
        try:
            for block in _decoded(container, stream):
                meter.add(block)
                if meter.frames > rules.MAX_FRAMES:
                    raise Unfit("too_long")
            meter.finish()
        except av.error.FFmpegError as error:
            raise Unfit("decoder_error") from error
        if meter.frames == 0:
            raise Unfit("decoder_error" if names & DECLARED and declared else "zero_length")
        if names & DECLARED and meter.frames < declared * 9 // 10 - FRAME_RATE:
            raise Unfit("truncated")
        tags = {**container.metadata, **stream.metadata}
        codec = stream.codec_context.name
    sound = Sound(meter.frames, codec[:32], meter.loudness, meter.true_peak)
    return sound, {k.lower(): v for k, v in tags.items()}


def _decoded(container: Any, stream: Any) -> Iterator[Any]:
    """Blocks of 48 kHz stereo floats. Packets that do not decode are left out, unless most do."""
    resampler = av.AudioResampler(format="flt", layout="stereo", rate=FRAME_RATE)
    good = bad = 0
    for packet in container.demux(stream):
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
            yield from blocks
    if bad > good:
        raise Unfit("decoder_error")
    if good:
        yield from resampler.resample(None)


class _Meter:
    """EBU R 128 loudness by FFmpeg's ebur128 filter."""

    def __init__(self) -> None:
        self.frames = 0
        self._graph = av.filter.Graph()
        source = self._graph.add_abuffer(
            sample_rate=FRAME_RATE, format="flt", layout="stereo", time_base=Fraction(1, FRAME_RATE)
        )
        meter = self._graph.add("ebur128", "metadata=1:peak=true:framelog=quiet")
        sink = self._graph.add("abuffersink")
        source.link_to(meter)
        meter.link_to(sink)
        self._graph.configure()
        self._last: dict[str, str] = {}

    def add(self, block: Any) -> None:
        """Count and measure a block."""
        block.pts = self.frames
        self.frames += block.samples
        self._graph.push(block)
        self._pull()

    def finish(self) -> None:
        """Measure what is left: the filter speaks once in 100 ms, so silence fills the last."""
        missing = -self.frames % BLOCK
        if self.frames and missing:
            block = av.AudioFrame(format="flt", layout="stereo", samples=missing, align=1)
            block.planes[0].update(bytes(block.planes[0].buffer_size))
            block.sample_rate = FRAME_RATE
            block.pts = self.frames
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


def read_tags(path: Path, fallback: dict[str, str]) -> Tags:
    """Tags by mutagen, or those that the decoder saw."""
    try:
        found = mutagen.File(path, easy=True)
    except Exception:  # noqa: BLE001 - a parser of strangers' files; without tags a file is as good
        found = None
    named = {k: str(v[0]) for k, v in (found or {}).items() if isinstance(v, list) and v}
    tags = {**fallback, **{k.lower(): v for k, v in named.items() if v.strip()}}
    return Tags(
        title=rules.label(tags.get("title", ""), 255),
        artist=rules.label(tags.get("artist", "") or tags.get("albumartist", ""), 255),
        album=rules.label(tags.get("album", ""), 255),
        genre=rules.label(tags.get("genre", ""), 100),
        year=rules.year_of(tags.get("date", "") or tags.get("year", "")),
    )


def measure_bytes(data: bytes) -> Sound:
    """The sound of audio that we made ourselves; raises :class:`Unfit`."""
    return measure(BytesIO(data))[0]


def examine(path: Path) -> dict[str, Any]:
    """All about one file: ``{"sound": …, "tags": …}`` or ``{"code": …}``."""
    try:
        if path.stat().st_size == 0:
            return {"code": "empty"}
        _grant_time(rules.time_limit(path.stat().st_size))
        with path.open("rb") as file:
            sound, tags = measure(file)
        return {"sound": asdict(sound), "tags": asdict(read_tags(path, tags))}
    except Unfit as unfit:
        return {"code": unfit.code}
    except OSError:
        return {"code": "unreadable"}
    except MemoryError:
        return {"code": "decoder_error"}


def _grant_time(seconds: float) -> None:
    """Let this process compute for ``seconds`` more; then the kernel ends it."""
    limit = math.ceil(time.process_time() + seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))


def _confine() -> None:
    """Give up what reading a file does not need."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (WRITTEN, WRITTEN))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to end


def main(arguments: list[str]) -> int:
    """One file named as an argument, or ``--serve``."""
    av.logging.set_level(None)
    _confine()
    if arguments == ["--serve"]:
        for line in sys.stdin:
            print(json.dumps(examine(Path(json.loads(line)))), flush=True)  # noqa: T201
        return 0
    if len(arguments) != 1:
        print("usage: python -m sync2gear_platform.library.probe FILE", file=sys.stderr)  # noqa: T201
        return 2
    print(json.dumps(examine(Path(arguments[0]))))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
