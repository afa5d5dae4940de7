"""The skew between four speakers, beside Snapcast in the same room and minute; benchmarks/sync/."""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from bench import RESULTS, Metric, report

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parent / "sync"))

import ears
import plots
import room

from support.hearing import noise_tune

WARM_UP, MEASURED = 30.0, 30.0
TRACK = 30.0
IN_STEP = 2.0


def settled_after(seconds: Any, offsets: Any, published: float) -> float:
    """Seconds from the publication until all cards are heard within IN_STEP ms, for good."""
    apart = np.nanmax(offsets, axis=0) - np.nanmin(offsets, axis=0)
    bad = np.flatnonzero(~(apart < IN_STEP) | np.isnan(offsets).any(axis=0))
    return float(seconds[bad[-1]] + ears.HOP - published) if len(bad) else 0.0


def one(name: str, number: int, results: dict[str, list[float]]) -> None:
    """One scene, both systems, one after the other."""
    scene, track = room.SCENES[name], noise_tune(11, TRACK)
    left = track[:, 0].astype(np.float64) / 32768
    lasting = WARM_UP + MEASURED
    for system in ("sync2gear", "snapcast"):
        with tempfile.TemporaryDirectory(prefix="s2g-bench-") as folder:
            place = Path(folder)
            if system == "sync2gear":
                out, published = room.ours(place, scene, track, lasting)
            else:
                out = room.snapcast(place, scene, track, lasting)
            try:
                summary, seconds, offsets = ears.skews(out, left, WARM_UP)
            except (IndexError, ValueError):
                logs = [*place.glob("*/speaker.log"), *place.glob("snapcast.log")]
                print(*[f"{log}:\n{log.read_text()[-2000:]}" for log in logs], sep="\n")
                raise
        if system == "sync2gear":
            results.setdefault("start", []).append(settled_after(seconds, offsets, published))
        results.setdefault(f"{name} {system}", []).append(summary["p99"])
        words = {k: round(v, 3) if isinstance(v, float) else v for k, v in summary.items()}
        print(f"  {name} {number} {system}: {words}", flush=True)
        half = max(1.0, 1.2 * float(np.nanmax(np.abs(offsets[:, seconds > 5]))))
        plots.plot(
            RESULTS / "sync" / f"{name}-{system}.png", f"{system}, {name}", seconds, offsets, half
        )


def main() -> None:
    """All scenes, three times each; --quick: once; --only NAME,NAME."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one run of each scene, not three")
    parser.add_argument("--only", default=",".join(room.SCENES), help="scenes, by comma")
    chosen = parser.parse_args()
    room.have_snapcast()
    results: dict[str, list[float]] = {}
    names = chosen.only.split(",")
    for number in range(1 if chosen.quick else 3):
        for name in names:
            one(name, number, results)
    middle = {key: statistics.median(values) for key, values in results.items()}
    metrics = {n: Metric(middle[f"{n} sync2gear"], "ms", middle[f"{n} snapcast"]) for n in names}
    metrics["start"] = Metric(max(results["start"]), "s")
    report("sync", metrics, "p99 of the skew of four speakers, all pairs; baseline: Snapcast")


if __name__ == "__main__":
    main()
