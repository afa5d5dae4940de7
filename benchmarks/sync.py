"""The skew between four speakers, beside Snapcast in the same room and minute; benchmarks/sync/."""

import argparse
import os
import statistics
import sys
import tempfile
from dataclasses import dataclass
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

SYSTEMS = ("sync2gear", "snapcast")
TRACK = 30.0
IN_STEP = 2.0


@dataclass(frozen=True)
class Times:
    """Seconds of one run before it counts and while it does, and who plays."""

    warm_up: float
    measured: float
    systems: tuple[str, ...]


def settled_after(seconds: Any, offsets: Any, published: float) -> float:
    """Seconds from the publication until all cards are heard within IN_STEP ms, for good."""
    apart = np.max(offsets, axis=0) - np.min(offsets, axis=0)
    bad = np.flatnonzero(~(apart < IN_STEP))  # NaN, where one of them is silent, is bad too
    return float(seconds[bad[-1]] + ears.HOP - published) if len(bad) else 0.0


def one(name: str, number: int, times: Times, results: dict[str, list[float]]) -> None:
    """One scene, the chosen systems, one after the other."""
    scene, track = room.SCENES[name], noise_tune(11, TRACK)
    left = track[:, 0].astype(np.float64) / 32768
    lasting = times.warm_up + times.measured
    for system in times.systems:
        with tempfile.TemporaryDirectory(prefix="s2g-bench-") as folder:
            place = Path(folder)
            try:
                play = room.ours if system == "sync2gear" else room.snapcast
                out, began = play(place, scene, track, lasting)
                summary, seconds, offsets = ears.skews(out, left, began + times.warm_up)
            except (room.MissingError, IndexError, ValueError):
                logs = [*place.glob("*/speaker.log"), *place.glob("*.log")]
                print(*[f"{log}:\n{log.read_text()[-2000:]}" for log in logs], sep="\n")
                raise
        if system == "sync2gear":
            results.setdefault("start", []).append(settled_after(seconds, offsets, began))
        results.setdefault(f"{name} {system}", []).append(summary["p99"])
        words = {k: round(v, 3) if isinstance(v, float) else v for k, v in summary.items()}
        print(f"  {name} {number} {system}: {words}", flush=True)
        half = max(1.0, 1.2 * float(np.nanmax(np.abs(offsets[:, seconds > 5]))))
        plots.plot(
            RESULTS / "sync" / f"{name}-{system}.png", f"{system}, {name}", seconds, offsets, half
        )


def main() -> None:
    """The chosen scenes, so often; the median of their runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    scenes = tuple(room.SCENES)
    parser.add_argument("--scene", action="append", choices=scenes, help="may be given again")
    parser.add_argument("--runs", type=int, default=3, help="of each scene, 3")
    parser.add_argument("--seconds", type=float, default=30.0, help="that are measured, 30")
    parser.add_argument("--warm-up", type=float, default=30.0, help="seconds that are not, 30")
    parser.add_argument("--system", action="append", choices=SYSTEMS, help="the one alone")
    chosen = parser.parse_args()
    times = Times(chosen.warm_up, chosen.seconds, tuple(chosen.system or SYSTEMS))
    # real-time processes that compute would keep the sound server's own threads waiting
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    if os.geteuid() == 0:
        os.nice(-15)
    if "snapcast" in times.systems:
        room.have_snapcast()
    results: dict[str, list[float]] = {}
    names = chosen.scene or scenes
    for number in range(chosen.runs):
        for name in names:
            one(name, number, times, results)
    middle = {key: statistics.median(values) for key, values in results.items()}
    ours, theirs = SYSTEMS
    metrics = {
        name: Metric(middle[f"{name} {ours}"], "ms", middle.get(f"{name} {theirs}"))
        for name in names
        if ours in times.systems
    }
    if "start" in results:
        metrics["start"] = Metric(max(results["start"]), "s")
    report("sync", metrics, "p99 of the skew of four speakers, all pairs; baseline: Snapcast")


if __name__ == "__main__":
    main()
