"""The speaker's service: systemd reads it without a complaint, and confines it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SYSTEM = Path("/usr/lib/systemd/system")
UNIT = "sync2gear-speaker.service"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the package installs, beside what a system's units refer to."""
    root = tmp_path_factory.mktemp("root")
    subprocess.run([ROOT / "scripts/build-deb", "--tree", root], check=True)
    for unit in (*SYSTEM.glob("*.target"), *SYSTEM.glob("*.slice")):
        shutil.copy(unit, root / "usr/lib/systemd/system")
    return root


def analysed(tree: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", f"--root={tree}", *words], capture_output=True, text=True, check=False
    )


def test_systemd_has_nothing_to_say_against_the_unit(tree: Path) -> None:
    found = analysed(tree, "verify", UNIT)
    assert (found.returncode, found.stdout + found.stderr) == (0, "")


def test_the_unit_is_confined(tree: Path) -> None:
    found = analysed(tree, "security", "--offline=true", UNIT)
    exposure = re.search(r"exposure level for .*: ([0-9.]+)", found.stdout)
    assert exposure is not None, found.stderr
    assert float(exposure.group(1)) <= 2.0


def test_a_mistake_in_the_unit_is_found(tree: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "root"
    shutil.copytree(tree, wrong)
    (wrong / "usr/bin/sync2gear-speaker").unlink()
    assert analysed(wrong, "verify", UNIT).returncode != 0
