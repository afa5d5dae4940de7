"""What is written down of refusals is what the code says."""

from pathlib import Path

import pytest

from sync2gear_platform.app import make_app
from sync2gear_platform.kit.refusals import gathering
from sync2gear_platform.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"
REGENERATE = "run: make docs"


def test_the_refusals_of_every_operation_are_current(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("S2G_ENV", "dev")
    found = gathering.gather(make_app(Settings(data_dir=tmp_path)))
    assert gathering.FILE.read_text(encoding="utf-8") == gathering.as_json(found), REGENERATE
    table = (DOCS / gathering.TABLE).read_text(encoding="utf-8")
    assert table == gathering.as_table(found), REGENERATE
