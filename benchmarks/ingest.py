"""All that is found out about a file, beside one pass of FFmpeg's ebur128 over the same file.

Seconds of computing for each minute of audio. The baseline is the ``ffmpeg`` command with
``-af ebur128=peak=true`` where there is one, otherwise the same libraries in this process with as
little Python as possible. Ours does it in a confined process and finds out more: the shape, the
silence, the digest, tags and cover.
"""

import asyncio
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from bench import Metric, report

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support import audio
from support.corpus import put_cover
from support.images import picture
from support.probes import cost
from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.library.prober import Prober

MINUTES = 3
ROUNDS = 3
FORMATS = ("wav", "flac", "mp3", "m4a", "opus")


def music(folder: Path) -> list[Path]:
    """The files of ``S2G_MUSIC``, five at most, or three minutes of something in each format."""
    if given := os.environ.get("S2G_MUSIC"):
        kinds = {".ogg", ".mp3", ".flac", ".m4a", ".opus", ".wav"}
        return [p for p in sorted(Path(given).rglob("*")) if p.suffix in kinds][:5]
    rng = np.random.default_rng(1)
    at = np.arange(MINUTES * 60 * FRAME_RATE) / FRAME_RATE
    chord = sum(np.sin(2 * np.pi * f * at) for f in (110, 277, 330, 440))
    noise = rng.standard_normal(at.size)
    tune = ((chord + noise * (at % 0.5 < 0.1)) * 3000).astype(np.int16)
    found = []
    for suffix in FORMATS:
        path = audio.encode(folder / f"music.{suffix}", tune)
        if suffix in {"flac", "mp3", "m4a", "opus"}:
            put_cover(path, picture("JPEG", (1000, 1000)))
        found.append(path)
    return found


def by_command(path: Path) -> float:
    """Seconds that ``ffmpeg`` computes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    filters = ["-af", "ebur128=peak=true:framelog=verbose", "-map", "0:a:0"]
    subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-threads", "1", "-i", str(path), *filters, "-f",
         "null", "-"],
        check=True,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def by_libraries(path: Path) -> float:
    """Seconds that FFmpeg's libraries compute here."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        graph: Any = None
        for frame in container.decode(stream):
            if graph is None:
                graph = av.filter.Graph()
                source = graph.add_abuffer(
                    sample_rate=frame.sample_rate, format=frame.format.name,
                    layout=frame.layout.name, time_base=Fraction(1, frame.sample_rate),
                )  # fmt: skip
                meter = graph.add("ebur128", "peak=true:framelog=quiet")
                sink = graph.add("abuffersink")
                source.link_to(meter)
                meter.link_to(sink)
                graph.configure()
            frame.pts = None
            graph.push(frame)
            drain(graph)
    after = resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def drain(graph: Any) -> None:
    """Take what is ready."""
    while True:
        try:
            graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return


def size_of(path: Path) -> int:
    """Bytes of a file."""
    return path.stat().st_size


async def by_probe(prober: Prober, path: Path, size: int) -> tuple[float, float]:
    """Seconds that the probe computes, and minutes of audio found."""
    before, _ = cost()
    finding = await prober.examine(path, size)
    after, _ = cost()
    return after - before, finding.sound.frames / FRAME_RATE / 60


async def main() -> None:
    """Every file by the probe and by the baseline in turn; the best of some rounds counts."""
    baseline = by_command if shutil.which("ffmpeg") else by_libraries
    metrics = {}
    ours = theirs = total = 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        warm = folder / "warm.wav"
        warm.write_bytes(audio.wav_bytes(audio.sine(1)))
        files = await asyncio.to_thread(music, folder)
        async with Prober(1) as prober:
            await prober.examine(warm, size_of(warm))
            for path in files:
                times, pairs = [], []
                for _ in range(ROUNDS):
                    times.append(await asyncio.to_thread(baseline, path))
                    pairs.append(await by_probe(prober, path, size_of(path)))
                spent, minutes = min(pairs)
                metrics[path.name[:32]] = Metric(spent / minutes, "s/min", min(times) / minutes)
                ours, theirs, total = ours + spent, theirs + min(times), total + minutes
            _, held = cost()
    metrics["all"] = Metric(ours / total, "s/min", theirs / total)
    metrics["memory held at most"] = Metric(held, "MB")
    how = "the ffmpeg command" if baseline is by_command else "FFmpeg's libraries"
    report("ingest", metrics, f"{total:.0f} minutes; baseline ebur128=peak=true by {how}")


if __name__ == "__main__":
    asyncio.run(main())
