"""Holds coverage to its bounds: the pure core at 100 %, everything else together above 80 %."""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

PURE: Final = (
    "*/sync2gear_broker/*",
    "*/rules.py",
    "*/engine.py",
    "*/playback/choices.py",
    "*/sync2gear_firmware/state.py",
    "*/sync2gear_firmware/clock.py",
    "*/sync2gear_firmware/allowance.py",
    "*/sync2gear_firmware/control.py",
    "*/sync2gear_firmware/dac.py",
    "*/sync2gear_firmware/fader.py",
    "*/sync2gear_firmware/limiter.py",
    "*/sync2gear_firmware/renderer.py",
    "*/sync2gear_firmware/resample.py",
    "*/sync2gear_firmware/players/depth.py",
    "*/sync2gear_firmware/players/virtual.py",
    "*/sync2gear_firmware/watch.py",
)
PURE_PERCENT: Final = 100.0
REST_PERCENT: Final = 80.0
_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class Share:
    """What of something was executed: lines and branches together, as coverage.py counts them."""

    covered: int
    whole: int

    @property
    def percent(self) -> float:
        """0 to 100; nothing to execute is all of it."""
        return 100.0 * self.covered / self.whole if self.whole else 100.0


def is_pure(path: str) -> bool:
    """Whether ``path`` belongs to the pure core."""
    return any(fnmatch(f"/{path}", pattern) for pattern in PURE)


def share(files: list[dict[str, Any]]) -> Share:
    """The common share of the files of a ``coverage json`` report."""
    summaries = [file["summary"] for file in files]
    return Share(
        sum(s["covered_lines"] + s.get("covered_branches", 0) for s in summaries),
        sum(s["num_statements"] + s.get("num_branches", 0) for s in summaries),
    )


def _missing(file: dict[str, Any]) -> str:
    """Where to look: the first missing lines as ranges, or the branches never taken."""
    ranges: list[list[int]] = []
    for number in file["missing_lines"]:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    if not ranges:
        branches = file.get("missing_branches", [])[:_SHOWN]
        return "branches " + ", ".join(f"{a}->{b}" for a, b in branches)
    shown = ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in ranges[:_SHOWN])
    return f"lines {shown}" + (", ..." if len(ranges) > _SHOWN else "")


def verdict(files: dict[str, Any], *, core: bool = False) -> tuple[list[str], bool]:
    """Lines to print and whether the bounds hold, for ``files`` of a ``coverage json`` report.

    With ``core``, of the pure core alone: tests of the rest were not measured.
    """
    pure = {path: file for path, file in files.items() if is_pure(path)}
    rest = [file for path, file in files.items() if path not in pure]
    lines = []
    for path, file in sorted(pure.items()):
        if share([file]).percent < PURE_PERCENT:
            lines.append(f"pure core below 100 %: {path} ({_missing(file)})")
    pure_share, rest_share = share(list(pure.values())), share(rest)
    said = f"coverage: pure core {pure_share.percent:.1f} % (bound {PURE_PERCENT:g})"
    held = pure_share.percent >= PURE_PERCENT
    if not core:
        said += f", the rest {rest_share.percent:.1f} % (bound {REST_PERCENT:g})"
        held = held and rest_share.percent > REST_PERCENT
    return [*lines, said], held


def main() -> int:
    """Exit status 0 if the bounds hold for the last run's data; ``--core``: of the pure core."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "coverage.json"
        made = subprocess.run(
            [sys.executable, "-m", "coverage", "json", "--quiet", "-o", str(report)], check=False
        )
        if made.returncode:
            sys.stdout.write("coverage: no data\n")
            return 1
        files = json.loads(report.read_text())["files"]
    lines, held = verdict(files, core="--core" in sys.argv)
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
