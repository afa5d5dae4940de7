"""From the start of a speaker's process to its first audible sample, beside a bare Python's start.

Without any server, with music on the disk, in two states: after a reboot, where the saved line of
the clock lies on another machine's clock and a start waits for a platform's time first
(``state.GRACE``), and after a restart, where that line still holds. The file sink writes in real
time; its first sample that is not silent counts, and the file is looked at every 20 ms.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from bench import Metric, quantile, report

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.services import start_mosquitto
from support.speaker_lab import Lab, eventually, noise, open_lab, read_wav, wav

RUNS: Final = 10
GOAL: Final = 10.0
"""Seconds; see `docs/speaker.md`."""

NOWHERE: Final = "mqtt://127.0.0.1:9"
LOUD: Final = 300
"""Of 32767; the fade in of the first milliseconds is below it."""


def prepared(lab: Lab) -> None:
    """A speaker that has played for a moment, was ended, and will find no server."""
    music = noise(5, 60)
    lab.publish_music((lab.offer(wav(music), len(music)),))
    process = lab.speak()
    eventually(lambda: "ready" in lab.log(), 60)
    process.terminate()
    process.wait(15)
    credential = lab.folder / "credential.json"
    credential.write_text(credential.read_text().replace(lab.broker.device_url, NOWHERE))


def first_sound(lab: Lab, number: int) -> float:
    """Seconds from starting a process to its first audible sample on the disk."""
    heard = lab.folder / f"boot-{number}.wav"

    def audible() -> bool:
        try:
            return bool((abs(read_wav(heard)) > LOUD).any())
        except (FileNotFoundError, EOFError):
            return False

    began = time.perf_counter()
    process = lab.speak(S2G_SPEAKER_FILE=str(heard))
    eventually(audible, 60)
    took = time.perf_counter() - began
    process.terminate()
    process.wait(15)
    return took


def rebooted(lab: Lab) -> None:
    """Another boot of the machine: its monotonic clock tells nothing of the saved line."""
    saved = lab.folder / "data" / "clock.json"
    saved.write_text(saved.read_text().replace('"boot":"', '"boot":"other-'))


def bare() -> float:
    """Seconds of a Python that does nothing."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", ""], check=True)
    return time.perf_counter() - began


def main() -> int:
    """Exit status 1 if one boot took longer than the goal."""
    broker = start_mosquitto()
    try:
        with tempfile.TemporaryDirectory() as folder, open_lab(broker, Path(folder)) as lab:
            prepared(lab)
            restarts = [first_sound(lab, n) for n in range(RUNS)]
            reboots = []
            for n in range(RUNS, 2 * RUNS):
                rebooted(lab)
                reboots.append(first_sound(lab, n))
    finally:
        broker.stop()
    python = quantile([bare() for _ in range(RUNS)], 0.5)
    report(
        "boot",
        {
            f"{name}_{what}": Metric(quantile(values, q), "s", python)
            for name, values in (("restart", restarts), ("reboot", reboots))
            for what, q in (("p50", 0.5), ("max", 1.0))
        },
        f"{RUNS} of each, without any server; baseline: a Python that does nothing",
    )
    return int(max(*restarts, *reboots) > GOAL)


if __name__ == "__main__":
    sys.exit(main())
