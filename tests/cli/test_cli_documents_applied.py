"""Documents on the command line: planned, applied and exported, and where mistakes are told."""

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from support.live import serving, token_of
from support.music import add_folder, add_zone
from support.world import Tenant, World
from sync2gear_cli.main import app

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
async def shop(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Tenant]:
    """A tenant with a zone and a folder, served on a port; the command line asks as its manager."""
    for name in [one for one in os.environ if one.startswith("S2G_")]:
        monkeypatch.delenv(name)
    tenant = await world.tenant()
    await add_zone(tenant, "Shop floor")
    await add_folder(world, tenant, ("One", "Two"), name="Jazz")
    async with serving(world) as url:
        monkeypatch.setenv("S2G_CONFIG_DIR", str(tmp_path / "config"))
        monkeypatch.setenv("S2G_URL", url.replace("ws://", "http://"))
        monkeypatch.setenv("S2G_TOKEN", token_of(tenant))
        yield tenant


async def call(*arguments: str) -> Result:
    """A command, beside the server that it asks."""
    return await asyncio.to_thread(CliRunner().invoke, app, list(arguments))


async def shown(*arguments: str) -> str:
    result = await call(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


async def answer(*arguments: str) -> Any:
    return json.loads(await shown(*arguments, "--json"))


SHOPS = """\
document: shops
channels:
  - name: Café music
    items: [{folder: FOLDER}]
schedules:
  - name: Evening
    type: music
    channel: Café music
    start_time: 18:00
    end_time: 23:00
    zones: [Shop floor]
    priority: 44
"""


async def test_a_document_is_planned_and_applied_once(shop: Tenant, tmp_path: Path) -> None:
    file = tmp_path / "shops.yaml"
    file.write_text(SHOPS.replace("FOLDER", "Jazz"), encoding="utf-8")
    result = await call("plan", str(file), "--detailed-exitcode")
    assert result.exit_code == 2, result.output
    assert "+ schedule Evening" in result.stdout
    assert "start_time: 18:00:00" in result.stdout
    assert "+ Shop floor" in result.stdout
    assert "Heard otherwise in Shop floor" in result.stdout
    assert "shops: 2 to create, 0 as they are." in result.stdout
    assert (await call("plan", str(file))).exit_code == 0

    asked = await call("apply", str(file))
    assert asked.exit_code == 2, "nobody is there to be asked"
    assert "+ schedule Evening" in asked.stderr
    assert await shown("apply", str(file), "--yes") == (
        "channel Café music is made\nschedule Evening is made\n"
    )
    again = "Nothing to do: 2 objects are as 'shops' says.\n"
    assert await shown("apply", str(file), "--yes") == again
    result = await call("plan", str(file), "--detailed-exitcode")
    assert (result.exit_code, result.stdout) == (0, again)
    assert (await answer("apply", str(file), "--yes"))["changes"] == []

    exported = tmp_path / "exported.yaml"
    await shown("export", "--document", "shops", "--to", str(exported))
    assert await shown("plan", str(exported)) == again
    exported.write_text(exported.read_text(encoding="utf-8").replace("44", "45"), encoding="utf-8")
    changed = await shown("plan", str(exported), "--zone", "Shop floor")
    assert "~ schedule Evening\n    priority: 44 -> 45\n" in changed
    assert "name: Normal" in await shown("export")
    exported.write_text("document: shops\n", encoding="utf-8")
    gone = (await answer("apply", str(exported), "--yes"))["changes"]
    assert [one["action"] for one in gone] == ["remove", "remove"]


async def test_a_stretch_over_midnight_says_its_day(shop: Tenant, tmp_path: Path) -> None:
    file = tmp_path / "shops.yaml"
    night = SHOPS.replace("FOLDER", "Jazz").replace("18:00", "12:00").replace("23:00", "11:00")
    file.write_text(night, encoding="utf-8")
    told = await shown("plan", str(file))
    assert re.search(r"\+ \S+ to \d{4}-\d\d-\d\d \d\d:\d\d:\d\d Evening\n", told), told


async def test_what_is_wrong_is_told_where_it_stands(shop: Tenant, tmp_path: Path) -> None:
    file = tmp_path / "shops.yaml"
    for text, where, code in (
        (SHOPS, "4:14", "unknown_reference"),
        (SHOPS.replace("18:00", "25:00"), "9:5", "invalid_request"),
        (SHOPS + "    wat: 1\n", "13:5", "invalid_request"),
        (SHOPS + "   x: 1\n", "13:4", "document_invalid"),
    ):
        file.write_text(text, encoding="utf-8")
        result = await call("plan", str(file))
        assert result.exit_code == 1, result.output
        assert result.stderr.startswith(f"error: shops.yaml:{where}: "), result.stderr
        assert result.stderr.endswith(f"({code})\n")
    assert (await call("apply", str(tmp_path / "none.yaml"))).stderr.endswith("(not_readable)\n")
