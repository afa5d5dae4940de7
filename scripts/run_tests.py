"""Runs all tests in their tiers, holds coverage to its bounds and closes with one line of counts.

Measuring costs more than the tests themselves. By itself it is done where it says most: tests of
the pure core have to reach all of it. ``--measure-all`` does it everywhere, programs of other
processes included, and holds the bound of the rest too.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Run:
    """One pytest process: its tiers, how it differs from the others, and whether it is measured."""

    name: str
    tiers: tuple[str, ...]
    options: tuple[str, ...] = ()
    measured: bool = False


MEASURE: Final = ("--cov", "--cov-append", "--cov-report=")

BY_FILE: Final = ("--dist", "loadscope", "--no-loadscope-reorder")
"""The files in their order: the long ones are in the tiers that come first, not at the end."""

RUNS: Final = (
    Run("core", ("pure", "architecture"), ("-n", "2", *BY_FILE), measured=True),
    # Three on two cores: they wait for databases, and for programs that they start.
    Run("services", ("api", "access", "wire", "vendors", "cli"), ("-n", "3", *BY_FILE)),
    # Sound at the pace of real time: alone on the machine.
    Run("flows", ("flows",)),
    # Playwright's own event loop breaks later asynchronous tests in the same process.
    Run("web", ("web",), ("-n", "2", *BY_FILE)),
)


@dataclass(frozen=True, slots=True)
class Count:
    """What one or several runs came to; ``names`` are those of what failed."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    names: tuple[str, ...] = ()

    def __add__(self, other: "Count") -> "Count":
        return Count(
            self.passed + other.passed,
            self.failed + other.failed,
            self.skipped + other.skipped,
            self.names + other.names,
        )


def count(report: Path) -> Count:
    """The counts of a JUnit report; an empty or missing one is one failure (pytest broke off)."""
    try:
        suites = list(ET.parse(report).getroot().iter("testsuite"))  # noqa: S314 - our own file
    except (OSError, ET.ParseError):
        return Count(failed=1)
    total, failed, skipped = (
        sum(int(suite.get(name, "0")) for suite in suites)
        for name in ("tests", "failures", "skipped")
    )
    failed += sum(int(suite.get("errors", "0")) for suite in suites)
    names = tuple(
        f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}"
        for suite in suites
        for case in suite.iter("testcase")
        if case.find("failure") is not None or case.find("error") is not None
    )
    return Count(max(total - failed - skipped, 0), failed, skipped, names)


def execute(run: Run, folder: Path, *, everywhere: bool) -> Count:
    """Run one pytest process; its counts, with a failure added when only its status tells."""
    tiers = [
        f"tests/{tier}" for tier in run.tiers if any((ROOT / "tests" / tier).glob("**/test_*.py"))
    ]
    if not tiers:
        return Count()
    report = folder / f"{run.name.replace(' ', '-')}.xml"
    sys.stdout.write(f"\n== {run.name}: {' '.join(tiers)}\n")
    sys.stdout.flush()
    status = subprocess.run(
        [
            sys.executable, "-m", "pytest", *tiers, *run.options,
            f"--junitxml={report}", *(MEASURE if run.measured or everywhere else ()),
        ],
        cwd=ROOT, stdin=subprocess.DEVNULL, check=False,
    ).returncode  # fmt: skip
    counted = count(report)
    if status and not counted.failed:
        counted += Count(failed=1)
    if counted.failed and not counted.names:
        counted += Count(names=(f"{run.name}: pytest ended with status {status}",))
    return counted


def main() -> int:
    """Exit status 0 only if every test passed and coverage holds."""
    began = time.monotonic()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure-all", action="store_true", help="coverage of every tier")
    everywhere: bool = parser.parse_args().measure_all
    os.chdir(ROOT)
    # Where it is set, each of the hundreds of programs that tests start compiles the sources anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    for old in ROOT.glob(".coverage*"):
        old.unlink()
    total = Count()
    with tempfile.TemporaryDirectory(prefix="s2g-tests-") as folder:
        for run in RUNS:
            total += execute(run, Path(folder), everywhere=everywhere)
    sys.stdout.write("\n")
    sys.stdout.flush()
    # What programs that outlived their pytest wrote; "nothing to combine" is fine.
    subprocess.run(
        [sys.executable, "-m", "coverage", "combine", "--append", "--quiet"],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    gate = subprocess.run(
        [sys.executable, "scripts/coverage_gate.py", *([] if everywhere else ["--core"])],
        cwd=ROOT, check=False,
    )  # fmt: skip
    if gate.returncode:
        total += Count(failed=1, names=("coverage",))
    skipped = f", {total.skipped} skipped" if total.skipped else ""
    for name in total.names:
        sys.stdout.write(f"FAILED {name}\n")
    sys.stdout.write(f"all runs: {time.monotonic() - began:.0f} s\n")
    sys.stdout.write(f"{total.passed} passed, {total.failed} failed{skipped}\n")
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
