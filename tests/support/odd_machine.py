"""The speaker on a machine whose clocks are off: run as a program, by what a file says.

The file holds two numbers: by how many seconds the clock on the wall is off, and for how many
seconds the machine was suspended. Only what Linux gives is replaced, nothing of the speaker.
"""

import os
import runpy
import time
from pathlib import Path

ODDITIES = "S2G_TEST_CLOCKS"


def write(file: Path, wall: float = 0.0, asleep: float = 0.0) -> None:
    """Step the clocks of the machine of ``file``."""
    new = file.with_suffix(".new")
    new.write_text(f"{wall} {asleep}")
    new.replace(file)


def pretend(file: Path) -> None:
    """Let this process live by the clocks of ``file``."""
    wall_now, read_ns = time.time, time.clock_gettime_ns

    def odd() -> tuple[float, float]:
        wall, asleep = file.read_text().split()
        return float(wall), float(asleep)

    def time_() -> float:
        return wall_now() + odd()[0]

    def clock_gettime_ns(clock: int) -> int:
        slept = int(odd()[1] * 1e9) if clock == time.CLOCK_BOOTTIME else 0
        return read_ns(clock) + slept

    time.time, time.clock_gettime_ns = time_, clock_gettime_ns


if __name__ == "__main__":
    pretend(Path(os.environ[ODDITIES]))
    runpy.run_module("sync2gear_firmware", run_name="__main__")
