"""What is written down of refusals is what the code says."""

import os
import subprocess
import sys
from pathlib import Path

from sync2gear_platform.kit.refusals import gathering

DOCS = Path(__file__).parents[2] / "docs"
REGENERATE = "run: make docs"

READ = """
from sync2gear_platform.app import make_app
from sync2gear_platform.kit.refusals import gathering
from sync2gear_platform.settings import Settings

found = gathering.gather(make_app(Settings()))
print(gathering.as_json(found), gathering.as_table(found), sep="\\0", end="")
"""


def test_the_refusals_of_every_operation_are_current(tmp_path: Path) -> None:
    """Read by a process of its own: what other tests have imported is nothing of the API's."""
    env = {**os.environ, "S2G_ENV": "dev", "S2G_DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-c", READ]
    said = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=True)
    operations, table = said.stdout.split("\0")
    assert gathering.FILE.read_text(encoding="utf-8") == operations, REGENERATE
    assert (DOCS / gathering.TABLE).read_text(encoding="utf-8") == table, REGENERATE
