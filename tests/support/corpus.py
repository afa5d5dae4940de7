"""Files of every kind that strangers send, made here: formats, odd ones, and attacks.

``docs/library.md`` lists each with what becomes of it; a test compares.
"""

import base64
import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import mutagen
import numpy as np
from mutagen.flac import Picture
from mutagen.id3 import APIC
from mutagen.mp4 import MP4Cover

from support import audio
from support.images import huge_png, picture

SECONDS = 6.0


@dataclass(frozen=True)
class Piece:
    """One file: what it is in words, what becomes of it, and how it is made.

    ``code`` is ``""`` for what is taken. ``cover``: whether a cover is found in it.
    """

    name: str
    what: str
    code: str
    make: Callable[[Path], None]
    cover: bool = False


def _written(data: Callable[[], bytes]) -> Callable[[Path], None]:
    return lambda path: bytes_to(path, data())


def bytes_to(path: Path, data: bytes) -> None:
    """Write them, and nothing back."""
    path.write_bytes(data)


def _format(suffix: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        made = audio.encode(path.with_name(f"made.{suffix}"), audio.sine(SECONDS))
        made.rename(path)

    return make


def _bytes(suffix: str, folder: Path) -> bytes:
    made = audio.encode(folder / f"made.{suffix}", audio.sine(SECONDS))
    data = made.read_bytes()
    made.unlink()
    return data


def _from(suffix: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    return lambda path: bytes_to(path, change(_bytes(suffix, path.parent)))


def _vorbis(path: Path) -> None:
    with av.open(str(path), "w", format="ogg") as container:
        stream: Any = container.add_stream(
            "vorbis", rate=48_000, layout="stereo", options={"strict": "experimental"}
        )
        samples = np.repeat(audio.sine(SECONDS), 2).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
        frame.sample_rate = 48_000
        resampler = av.AudioResampler(format="fltp", layout="stereo", rate=48_000, frame_size=64)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))


def _without_xing(data: bytes) -> bytes:
    """An MP3 of changing bit rates, its first frame, which would count the others, cut off."""
    at = data.index(b"Xing") if b"Xing" in data else data.index(b"Info")
    start = data.rindex(b"\xff\xfb", 0, at)
    return data[data.index(b"\xff\xfb", start + 4) :]


def _vbr(path: Path) -> None:
    with av.open(str(path), "w", format="mp3") as container:
        stream: Any = container.add_stream(
            "libmp3lame", rate=48_000, layout="mono", options={"q": "4", "flags": "+qscale"}
        )
        stream.codec_context.global_quality = 4 * 118
        tones = np.concatenate([audio.sine(2, 300), audio.sine(2, 9000, 0.01), audio.sine(2, 300)])
        frame = av.AudioFrame.from_ndarray(tones.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = 48_000
        resampler = av.AudioResampler(format="s16p", layout="mono", rate=48_000, frame_size=1152)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    path.write_bytes(_without_xing(path.read_bytes()))


def _with_cover(suffix: str, image: Callable[[], bytes]) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        made = audio.encode(path.with_name(f"made.{suffix}"), audio.sine(SECONDS), title="Covered")
        put_cover(made, image())
        made.rename(path)

    return make


def put_cover(path: Path, image: bytes) -> None:
    """Embed a front cover, as each format does."""
    file = mutagen.File(path)
    if path.suffix == ".mp3":
        file.tags.add(APIC(encoding=3, mime="image/png", type=3, desc="", data=image))
    elif path.suffix == ".m4a":
        file.tags["covr"] = [MP4Cover(image, imageformat=MP4Cover.FORMAT_PNG)]
    else:
        made: Any = Picture()  # type: ignore[no-untyped-call]  # mutagen has no types
        made.type, made.mime, made.data = 3, "image/png", image
        if path.suffix == ".flac":
            file.add_picture(made)
        else:
            file["metadata_block_picture"] = [base64.b64encode(made.write()).decode()]
    file.save()


# Attacks


def _crc_table(polynomial: int, bits: int) -> list[int]:
    mask, top = (1 << bits) - 1, 1 << (bits - 1)
    table = []
    for byte in range(256):
        value = byte << (bits - 8)
        for _ in range(8):
            value = (value << 1 ^ polynomial if value & top else value << 1) & mask
        table.append(value)
    return table


_CRC8, _CRC16 = _crc_table(0x07, 8), _crc_table(0x8005, 16)


def _crc8(data: bytes) -> int:
    value = 0
    for byte in data:
        value = _CRC8[value ^ byte]
    return value


def _crc16(data: bytes) -> int:
    value = 0
    for byte in data:
        value = (value << 8 & 0xFF00) ^ _CRC16[value >> 8 ^ byte]
    return value


def silent_flac(hours: float, *, declared: bool) -> bytes:
    """Hours of silence: 14 bytes for each 1.4 seconds. ``declared``: the header counts them."""
    block, rate = 65_535, 48_000
    total = int(hours * 3600 * rate)
    info = struct.pack(">HH", block, block) + bytes(6)
    info += (rate << 44 | 0 << 41 | 15 << 36 | (total if declared else 0)).to_bytes(8, "big")
    out = [b"fLaC\x80\x00\x00\x22", info, bytes(16)]
    for number in range(total // block):
        head = b"\xff\xf8\x7a\x08" + _utf8(number) + struct.pack(">H", block - 1)
        frame = head + bytes([_crc8(head)]) + bytes(3)
        out.append(frame + _crc16(frame).to_bytes(2, "big"))
    return b"".join(out)


def _utf8(number: int) -> bytes:
    """A frame's number as FLAC codes it, like UTF-8 up to 36 bits."""
    if number < 0x80:
        return bytes([number])
    if number < 0x800:
        return bytes([0xC0 | number >> 6, 0x80 | number & 0x3F])
    return bytes([0xE0 | number >> 12, 0x80 | number >> 6 & 0x3F, 0x80 | number & 0x3F])


def _wav(declared: int, rate: int = 48_000) -> bytes:
    """Six seconds whose header declares so many bytes."""
    data = bytearray(audio.wav_bytes(audio.sine(SECONDS), rate))
    data[4:8] = struct.pack("<I", declared + 36)
    data[40:44] = struct.pack("<I", declared)
    return bytes(data)


def _id3(body: bytes, size: int | None = None, version: int = 4) -> bytes:
    length = len(body) if size is None else size
    return b"ID3" + bytes([version, 0, 0]) + _safe(length) + body


def _safe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def _frame(name: bytes, body: bytes, flags: bytes = b"\0\0") -> bytes:
    return name + _safe(len(body)) + flags + body


def _compressed_frame(megabytes: int = 1024) -> bytes:
    """A text that unpacks to a gigabyte out of a megabyte, as ID3 allows."""
    packer = zlib.compressobj(9)
    begin = packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    ended = zlib.compressobj(9)
    end = ended.compress(b"") + ended.flush()
    adler = (megabytes * (1 << 20) % 65_521) << 16 | 1  # of zeros
    packed = begin + block * megabytes + end[2:-4] + adler.to_bytes(4, "big")
    return _frame(b"TXXX", _safe(0x0FFFFFFF) + packed, b"\0\x09")


def _loop() -> bytes:
    """Chapters that contain each other."""
    toc = b"a\0\x03\x01a\0"
    return _frame(b"CTOC", toc) + _frame(b"CTOC", b"b\0\x03\x01a\0") * 50


def _nested(depth: int = 2000) -> bytes:
    """Chapters within chapters, deeper than a parser that calls itself can go."""
    body = b""
    for _ in range(depth):
        body = _frame(b"CHAP", b"c\0" + bytes(16) + body)
    return body


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("run.bat", "format c:")
    return out.getvalue()


def _flac_metadata(data: bytes) -> bytes:
    """A FLAC with 48 MiB of applications' blocks before its sound."""
    block = b"\x02" + (0xFF_FFFF).to_bytes(3, "big") + bytes(0xFF_FFFF)
    return data[:42] + block * 3 + data[42:]


def _film(path: Path) -> None:
    audio.silent_film(path.with_name("film.mp4"))
    path.with_name("film.mp4").rename(path)


M3U = b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/passwd\n"
CONCAT = b"ffconcat version 1.0\nfile /etc/passwd\n"
NOISE = np.random.default_rng(1).bytes(200_000)


def pieces() -> Iterator[Piece]:
    """All of them."""
    for suffix in ("mp3", "m4a", "aac", "opus", "flac", "wav", "webm", "aiff", "mka"):
        yield Piece(f"fine.{suffix}", f"{suffix} as encoders write it", "", _format(suffix))
    yield from ODD
    yield from COVERED
    yield from REFUSED
    yield from ATTACKS


ODD = (
    Piece("vorbis.ogg", "Vorbis in Ogg", "", _vorbis),
    Piece("opus.ogg", "Opus in Ogg", "", _format("ogg")),
    Piece("flac called.mp3", "a FLAC under another name", "", _format("flac")),
    Piece("no suffix", "an MP3 without a suffix", "", _format("mp3")),
    Piece("vbr without header.mp3", "an MP3 of changing bit rates whose length nothing tells", "",
          _vbr),
    Piece("junk before.mp3", "an MP3 behind 3,000 bytes of something", "",
          _from("mp3", lambda d: b"\0junk" * 600 + d)),
    Piece("as a pipe writes.wav", "a WAV whose header holds the largest lengths", "",
          _written(lambda: _wav(0xFFFFFFFF - 36))),
    Piece("cut.opus", "an Opus of which the end is missing", "",
          _from("opus", lambda d: d[: len(d) // 3])),
    Piece("many tags.mp3", "ten ID3 tags in a row", "",
          _from("mp3", lambda d: _id3(bytes(1000)) * 10 + d)),
    Piece("chapters in a ring.mp3", "tables of contents that hold themselves", "",
          _from("mp3", lambda d: _id3(_loop()) + d)),
    Piece("chapters in chapters.mp3", "chapters nested 2,000 deep", "",
          _from("mp3", lambda d: _id3(_nested()) + d)),
    Piece("page in a tag.mp3", "a title that is a page of HTML", "",
          _from("mp3", lambda d: _id3(_frame(b"TIT2", b"\x03<html><script>alert(1)")) + d)),
)  # fmt: skip

COVERED = (
    *(Piece(f"cover.{s}", f"{s} with a cover", "", _with_cover(s, lambda: picture("PNG")), True)
      for s in ("mp3", "m4a", "flac", "opus")),
    Piece("cover of 900 megapixels.mp3", "a cover of 30,000 by 30,000: left out", "",
          _with_cover("mp3", lambda: huge_png(30_000))),
    Piece("cover of 900 megapixels.flac", "the same in a FLAC: left out", "",
          _with_cover("flac", lambda: huge_png(30_000))),
    Piece("cover that is none.m4a", "noise for a cover: left out", "",
          _with_cover("m4a", lambda: NOISE)),
    Piece("cover that is a page.mp3", "an SVG with a script for a cover: left out", "",
          _with_cover("mp3", lambda: b"<svg onload='alert(1)'/>")),
)  # fmt: skip

REFUSED = (
    Piece("empty.mp3", "0 bytes", "empty", _written(bytes)),
    Piece("text.mp3", "text", "not_audio", _written(lambda: b"This is no music at all.\n" * 400)),
    Piece("picture.mp3", "a picture", "not_audio", _written(lambda: picture("JPEG"))),
    Piece("zeros.mp3", "zeros", "not_audio", _written(lambda: bytes(100_000))),
    Piece("noise.mp3", "noise", "not_audio", _written(lambda: NOISE)),
    Piece("header.wav", "a header without sound", "zero_length",
          _written(lambda: audio.wav_bytes(audio.sine(0)))),
    Piece("film.mp4", "a film without sound", "no_audio_stream", _film),
    Piece("cut.flac", "a third of a FLAC", "truncated", _from("flac", lambda d: d[: len(d) // 3])),
    Piece("cut.wav", "a third of a WAV", "truncated", _from("wav", lambda d: d[: len(d) // 3])),
    Piece("cut.aiff", "a third of an AIFF", "truncated", _from("aiff", lambda d: d[: len(d) // 3])),
    Piece("cut.mp3", "a third of an MP3 that counts its frames", "truncated",
          _from("mp3", lambda d: d[: len(d) // 3])),
    Piece("cut.m4a", "a third of an M4A: its index was at its end", "not_audio",
          _from("m4a", lambda d: d[: len(d) // 3])),
    Piece("broken.flac", "a FLAC that is noise behind its header", "decoder_error",
          _from("flac", lambda d: d[:1000] + NOISE)),
)  # fmt: skip

ATTACKS = (
    Piece("hls.mp3", "an HLS playlist that names a file of the server", "playlist",
          _written(lambda: M3U)),
    Piece("hls behind spaces.mp3", "the same behind a byte order mark and lines", "playlist",
          _written(lambda: b"\xef\xbb\xbf\n \n" + M3U)),
    Piece("concat.mp3", "FFmpeg's list of files", "playlist", _written(lambda: CONCAT)),
    Piece("day of silence.flac", "24 hours in 0.9 MB, as the header says", "too_long",
          _written(lambda: silent_flac(24, declared=True))),
    Piece("silent day.flac", "24 hours in 0.9 MB, and the header does not say", "bomb",
          _written(lambda: silent_flac(24, declared=False))),
    Piece("lies.wav", "a WAV that declares a gigabyte and has 0.6 MB", "truncated",
          _written(lambda: _wav(1_000_000_000))),
    Piece("lies a day.wav", "a WAV that declares 37 hours", "too_long",
          _written(lambda: _wav(2_000_000_000, 7_500))),
    Piece("one sample a second.wav", "a WAV at 1 Hz: 80 hours in 0.6 MB", "decoder_error",
          _written(lambda: audio.wav_bytes(audio.sine(SECONDS), 1))),
    Piece("tag without end.mp3", "an ID3 tag that declares 256 MB", "tags_too_large",
          _from("mp3", lambda d: _id3(b"", 0x0FFFFFFF) + d)),
    Piece("tag beyond the end.mp3", "an ID3 tag that is longer than the file", "truncated",
          _from("mp3", lambda d: _id3(b"", 10_000_000) + d)),
    Piece("huge tag.mp3", "an ID3 tag of 40 MB", "tags_too_large",
          _from("mp3", lambda d: _id3(bytes(40 << 20)) + d)),
    Piece("tags in a row.mp3", "1,000 ID3 tags", "tags_too_large",
          _from("mp3", lambda d: _id3(b"") * 1000 + d)),
    Piece("texts.mp3", "an ID3 tag of 200,000 texts: no parser here is through in time", "timeout",
          _from("mp3", lambda d: _id3(
              b"".join(_frame(b"TXXX", b"\x03%07d\0x" % n) for n in range(200_000))) + d)),
    Piece("gigabyte in a tag.mp3", "a text in ID3 that unpacks to a gigabyte: left out", "",
          _from("mp3", lambda d: _id3(_compressed_frame()) + d)),
    Piece("huge metadata.flac", "48 MiB of metadata", "tags_too_large",
          _from("flac", _flac_metadata)),
    Piece("archive behind.mp3", "an MP3 that is a ZIP archive as well", "polyglot",
          _from("mp3", lambda d: d + _zip())),
    Piece("archive before.mp3", "a ZIP archive with an MP3 behind it", "not_audio",
          _from("mp3", lambda d: _zip() + d)),
    Piece("document.mp3", "an MP3 that is a PDF as well", "polyglot",
          _from("mp3", lambda d: _id3(_frame(b"TIT2", b"\x03%PDF-1.4\n1 0 obj\n")) + d)),
    Piece("page.mp3", "a page of HTML with an MP3 behind it", "not_audio",
          _from("mp3", lambda d: b"<html><script>alert(1)</script>" + d)),
    Piece("program.mp3", "a program with an MP3 behind it", "not_audio",
          _from("mp3", lambda d: b"MZ" + bytes(510) + d)),
)  # fmt: skip
