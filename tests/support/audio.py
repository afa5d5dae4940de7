"""Audio files for tests: sound ones in every container, and odd ones of every kind."""

import io
import os
import struct
import wave
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import mutagen
import numpy as np
from numpy.typing import NDArray

RATE = 48_000

CODECS = {
    "mp3": "libmp3lame",
    "m4a": "aac",
    "aac": "aac",
    "flac": "flac",
    "opus": "libopus",
    "ogg": "libopus",
    "webm": "libopus",
    "mka": "flac",
    "aiff": "pcm_s16be",
}


def sine(
    seconds: float, hz: float = 440.0, level: float = 0.25, rate: int = RATE
) -> NDArray[np.int16]:
    """A mono sine of ``level`` times full scale."""
    at = np.arange(round(seconds * rate)) / rate
    return (np.sin(2 * np.pi * hz * at) * level * 32767).astype(np.int16)


def wav_bytes(samples: NDArray[np.int16], rate: int = RATE, channels: int = 1) -> bytes:
    """A canonical WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(samples.tobytes())
    return file.getvalue()


def encode(
    path: Path,
    samples: NDArray[np.int16],
    rate: int = RATE,
    options: dict[str, str] | None = None,
    **tags: str,
) -> Path:
    """``samples`` in the container of ``path``'s suffix, with ``tags`` as mutagen's easy ones.

    ``options`` are the muxer's.
    """
    suffix = path.suffix.removeprefix(".")
    if suffix == "wav":
        path.write_bytes(wav_bytes(samples, rate))
        return path
    with av.open(str(path), "w", options=options or {}) as container:
        stream: Any = container.add_stream(CODECS[suffix], rate=rate, layout="mono")
        resampler = av.AudioResampler(
            format=stream.codec_context.format or "s16",
            layout="mono",
            rate=rate,
            frame_size=stream.codec_context.frame_size or 1024,
        )
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = rate
        frame.pts = 0
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    if tags:
        file = mutagen.File(path, easy=True)
        if file.tags is None:
            file.add_tags()
        for name, value in tags.items():
            file[name] = value
        file.save()
    return path


def tiny_wav(number: int, frames: int = 480) -> bytes:
    """10 ms of sound, different for every ``number``."""
    generator = np.random.default_rng(number)
    return wav_bytes(generator.integers(-3000, 3000, frames, dtype=np.int16))


def tiny_files(folder: Path, count: int) -> None:
    """``count`` different files of 10 ms, a thousand in each folder."""
    for number in range(count):
        place = folder / f"{number // 1000:02d}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"track {number}.wav").write_bytes(tiny_wav(number))


def png() -> bytes:
    """A picture of one pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixel = zlib.compress(b"\x00\xff\x00\x00")
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixel) + chunk(b"IEND", b"")
    )


def silent_film(path: Path) -> None:
    """A video without any sound."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 16
        stream.pix_fmt = "yuv420p"
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame(16, 16, "yuv420p")))
        container.mux(stream.encode(None))


@dataclass(frozen=True)
class Odd:
    """An odd file: why it is refused, or ``""`` where it is taken all the same."""

    name: str
    code: str


def odd_files(folder: Path) -> list[Odd]:
    """One file of every kind that a folder of a stranger may hold."""
    folder.mkdir(parents=True, exist_ok=True)
    music = encode(folder / "fine.mp3", sine(2), title="Fine").read_bytes()
    flac = encode(folder / "fine.flac", sine(30)).read_bytes()
    film = folder / "film.mp4"
    silent_film(film)
    written = {
        "empty.mp3": b"",
        "text.mp3": b"This is no music at all.\n" * 400,
        "cover.jpg": png(),
        "zeros.mp3": bytes(100_000),
        "noise.mp3": np.random.default_rng(1).bytes(100_000),
        "header only.wav": wav_bytes(np.zeros(0, dtype=np.int16)),
        "cut.flac": flac[: len(flac) // 4],
        "broken.flac": flac[:1000] + np.random.default_rng(2).bytes(len(flac) - 1000),
        "called flac.flac": music,
        "no suffix": music[:-1],
        "playlist.m3u8": b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n/etc/passwd\n",
        "list.ffconcat": b"ffconcat version 1.0\nfile fine.mp3\n",
        "endless.wav": _endless_wav(),
        "claims hours.flac": _claims_hours(flac),
    }
    for name, data in written.items():
        (folder / name).write_bytes(data)
    (folder / "link.mp3").symlink_to(folder / "fine.mp3")
    (folder / "outside.mp3").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe.mp3")
    codes = {
        "empty.mp3": "empty",
        "text.mp3": "not_audio",
        "cover.jpg": "not_audio",
        "zeros.mp3": "not_audio",
        "noise.mp3": "not_audio",
        "header only.wav": "zero_length",
        "cut.flac": "truncated",
        "broken.flac": "decoder_error",
        "claims hours.flac": "too_long",
        "playlist.m3u8": "playlist",
        "list.ffconcat": "playlist",
        "film.mp4": "no_audio_stream",
        "link.mp3": "not_a_file",
        "outside.mp3": "not_a_file",
        "pipe.mp3": "not_a_file",
    }
    return [Odd(p.name, codes.get(p.name, "")) for p in sorted(folder.iterdir())]


def _endless_wav() -> bytes:
    """Half a second whose header promises the largest length there is, as a pipe writes it."""
    data = bytearray(wav_bytes(sine(0.5, 880)))
    data[4:8] = data[40:44] = b"\xff\xff\xff\xff"
    return bytes(data)


def _claims_hours(flac: bytes) -> bytes:
    """A FLAC whose STREAMINFO counts 2^34 samples: a hundred hours."""
    data = bytearray(flac)
    data[21] = data[21] & 0xF0 | 0x4
    data[22:26] = bytes(4)
    return bytes(data)


HOSTILE_NAMES = (
    b"a+b#c.wav",
    b"$(reboot).wav",
    b"; DROP TABLE tracks --.wav",
    b"-rf.wav",
    b"a..%2e%2e.wav",
    b"new\nline.wav",
    b"tab\tbell\x07escape\x1b[31m.wav",
    b"\xff\xfe not utf-8 \x80.wav",
    "\U0001f3b5 Ünïcödé \u202e gpj.wav".encode(),
    b"back\\slash\\x07.wav",
    b"%s%n%00.wav",
    b"x" * 251 + b".wav",
    "ä".encode() * 125 + b".wav",
)
"""Names that a file system takes and a person should never have to fear."""


def hostile_files(folder: Path) -> int:
    """A tiny file under each hostile name; returns how many."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(HOSTILE_NAMES):
        (folder / os.fsdecode(name)).write_bytes(tiny_wav(1_000_000 + number))
    return len(HOSTILE_NAMES)
