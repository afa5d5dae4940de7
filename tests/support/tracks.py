"""A few short tracks with titles and artists, for whoever looks at what plays."""

from pathlib import Path
from typing import Final

import av

from support.hearing import RATE, noise_tune

TRACKS: Final = (
    ("Harbour at Dawn", "The Lanterns"),
    ("Paper Boats", "Ines Okafor"),
    ("Slow Tide", "The Lanterns"),
    ("Market Day", "Copper Street Quartet"),
)
SECONDS: Final = 45.0


def write_track(path: Path, seed: int, title: str, artist: str) -> None:
    """Write one as a FLAC file."""
    samples = noise_tune(seed, SECONDS)
    with av.open(str(path), "w", format="flac") as container:
        stream = container.add_stream("flac", rate=RATE, layout="stereo")
        container.metadata.update({"title": title, "artist": artist})
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate = RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
