"""The scripts behind `make` and the hosting's workflow: their rules, and that they run at all."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def measured(covered: int, whole: int) -> dict[str, Any]:
    return {
        "missing_lines": list(range(whole - covered)),
        "summary": {"covered_lines": covered, "num_statements": whole},
    }


@pytest.mark.parametrize(
    ("pure", "rest", "held"),
    [((10, 10), (81, 100), True), ((9, 10), (100, 100), False), ((10, 10), (80, 100), False)],
)
def test_the_gate_holds_both_bounds(
    pure: tuple[int, int], rest: tuple[int, int], held: bool
) -> None:
    gate = script("coverage_gate")
    files = {
        "broker/sync2gear_broker/timeline/walk.py": measured(*pure),
        "platform/sync2gear_platform/app.py": measured(*rest),
    }
    lines, verdict = gate.verdict(files)
    assert verdict is held
    assert "pure core" in lines[-1]
    assert len(lines) == (2 if pure[0] < pure[1] else 1)


@pytest.mark.parametrize(("covered", "held"), [(10, True), (9, False)])
def test_the_pure_core_is_held_where_nothing_else_was_measured(covered: int, held: bool) -> None:
    gate = script("coverage_gate")
    files = {
        "broker/sync2gear_broker/units.py": measured(covered, 10),
        "cli/sync2gear_cli/app.py": measured(0, 90),
    }
    assert gate.verdict(files, core=True)[1] is held
    assert not gate.verdict(files)[1]


def test_the_pure_core_is_named() -> None:
    gate = script("coverage_gate")
    assert gate.is_pure("broker/sync2gear_broker/units.py")
    assert gate.is_pure("platform/sync2gear_platform/playback/engine.py")
    assert gate.is_pure("firmware_py/sync2gear_firmware/clock.py")
    assert not gate.is_pure("platform/sync2gear_platform/kit/clock.py")


def test_a_broken_off_run_counts_as_a_failure(tmp_path: Path) -> None:
    runner = script("run_tests")
    report = tmp_path / "report.xml"
    assert runner.count(report) == runner.Count(failed=1)
    report.write_text("<testsuites><testsuite")
    assert runner.count(report) == runner.Count(failed=1)
    report.write_text(
        '<testsuites><testsuite tests="9" failures="1" errors="2" skipped="1"/></testsuites>'
    )
    assert runner.count(report) == runner.Count(passed=5, failed=3, skipped=1)


def test_what_failed_is_named(tmp_path: Path) -> None:
    runner = script("run_tests")
    report = tmp_path / "report.xml"
    report.write_text(
        '<testsuites><testsuite tests="3" failures="1" errors="1">'
        '<testcase classname="tests.api.test_a" name="test_one[x]"><failure/></testcase>'
        '<testcase classname="tests.api.test_a" name="test_two"/>'
        '<testcase classname="tests.web.test_b" name="test_three"><error/></testcase>'
        "</testsuite></testsuites>"
    )
    names = ("tests/api/test_a.py::test_one[x]", "tests/web/test_b.py::test_three")
    assert runner.count(report) == runner.Count(passed=1, failed=2, names=names)


def test_every_tier_is_run() -> None:
    runner = script("run_tests")
    tiers = {path.name for path in (ROOT / "tests").iterdir() if any(path.glob("test_*.py"))}
    assert tiers <= {tier for run in runner.RUNS for tier in run.tiers}


def test_a_user_without_rights_is_told_the_one_line(tmp_path: Path) -> None:
    """An account without sudo, on a system that lacks a package: the line to run, and status 1."""
    (tmp_path / "id").write_text("#!/bin/sh\necho 1000\n")
    (tmp_path / "id").chmod(0o755)
    for name in (
        "bash", "dirname", "flock", "python3", "mktemp", "rm", "sh", "grep", "apt-get", "setpriv",
    ):  # fmt: skip
        found = next(
            (p for folder in ("/usr/bin", "/bin") if (p := Path(folder, name)).exists()), None
        )
        if found:
            (tmp_path / name).symlink_to(found)
    done = subprocess.run(
        ["/bin/bash", str(ROOT / "scripts/setup")],
        env={"PATH": str(tmp_path), "HOME": str(tmp_path), "PYTHON": sys.executable},
        capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done
    assert "run this as root, then try again" in done.stderr
    assert "apt-get install -y --no-install-recommends" in done.stderr
    assert "espeak-ng" in done.stderr


def test_the_hosting_runs_the_same_script() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    steps = workflow["jobs"]["test"]["steps"]
    assert [step["run"] for step in steps if "run" in step] == [".ci/run"]
    assert os.access(ROOT / ".ci/run", os.X_OK)
