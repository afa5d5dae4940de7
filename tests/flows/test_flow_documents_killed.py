"""The api dies while a document is applied: all of it is there or nothing, and again ends right."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from support.killing import api, command, gate, start_api, waiting
from support.live import token_of
from support.music import add_folder, add_zone
from support.planning import marks
from support.stack import wait_until
from support.world import Tenant, World

BEFORE: dict[str, Any] = {
    "document": "shops",
    "day_parts": [{"name": "Late", "start_time": "18:00", "end_time": "23:00"}],
    "channels": [{"name": "Lounge", "items": [{"folder": "Jazz"}]}],
    "schedules": [
        {"name": "Evening", "type": "music", "channel": "Lounge", "day_part": "Late",
         "zones": ["Shop floor"], "priority": 40},
        {"name": "Night", "type": "music", "folder": "Pop", "everywhere": True, "priority": 20},
    ],
}  # fmt: skip

AFTER: dict[str, Any] = {
    **BEFORE,
    "channels": [
        {"name": "Lounge", "items": [{"folder": "Pop"}, {"folder": "Jazz", "weight": 2}]},
        {"name": "Morning music", "items": [{"folder": "Jazz"}]},
    ],
    "schedules": [
        {**BEFORE["schedules"][0], "priority": 45},
        {"name": "Morning", "type": "music", "channel": "Morning music", "everywhere": True},
    ],
}
"""A line and a channel are new, a schedule is changed, one is new and one is gone."""

STAGES = {
    "planning": ("BEFORE INSERT ON channels FOR EACH ROW", 0),
    "in the middle": ("BEFORE INSERT ON channels FOR EACH ROW", 1),
    "all written": ("BEFORE INSERT ON managed_objects FOR EACH ROW", 2),
    "committing": ("AFTER INSERT ON schedules DEFERRABLE INITIALLY DEFERRED FOR EACH ROW", 0),
}
"""Where a trigger holds the api up; the plan, which comes first and is undone, goes by."""


async def standing(world: World, tenant: Tenant) -> dict[str, Any]:
    """All that an application writes: what there is, who owns it, what waits, and the trail."""
    found: dict[str, Any] = {}
    for path in ("/channels/", "/schedules/", "/day-parts/"):
        found[path] = (await tenant.read(path))["results"]
    for one in found["/channels/"]:
        found[one["id"]] = (await tenant.read(f"/channels/{one['id']}/items/"))["results"]
    found["document"] = await tenant.read("/schedules/document/", document="shops")
    found["trail"] = len((await tenant.read("/audit/", limit=200))["results"])
    found["marks"] = await marks(world)
    return found


def names(found: dict[str, Any]) -> set[str]:
    return {one["name"] for path in ("/channels/", "/schedules/") for one in found[path]}


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "stages",
    [("in the middle",), pytest.param(tuple(STAGES), marks=[pytest.mark.soak])],
    ids=["sample", "all"],
)
async def test_an_api_killed_while_a_document_is_applied_leaves_nothing_half_written(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stages: tuple[str, ...]
) -> None:
    tenant = await world.tenant()
    await add_zone(tenant, "Shop floor")
    await add_zone(tenant, "Bar")
    for name in ("Jazz", "Pop"):
        await add_folder(world, tenant, (f"{name} one", f"{name} two"), name=name)
    made = await tenant.make("/schedules/document/apply/", document=BEFORE)
    assert len(made["changes"]) == 4
    file = tmp_path / "shops.yaml"
    file.write_text(json.dumps(AFTER), encoding="utf-8")
    before = await standing(world, tenant)
    monkeypatch.setenv("S2G_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("S2G_TOKEN", token_of(tenant))
    assert world.settings.database_admin_url is not None
    url = world.settings.database_admin_url.get_secret_value()
    with api(world, tmp_path) as (program, port):
        monkeypatch.setenv("S2G_URL", f"http://127.0.0.1:{port}")
        for stage in stages:
            moment, let_by = STAGES[stage]
            with gate(url, moment, let_by):
                applying = asyncio.create_task(command("apply", str(file), "--yes"))
                await asyncio.to_thread(wait_until, lambda: waiting(url), f"it is at {stage}")
                program.kill()
                status, _ = await applying
                assert status, stage
            await asyncio.to_thread(wait_until, lambda: not waiting(url), "the database is done")
            if stage != "committing":
                assert await standing(world, tenant) == before, stage
            await asyncio.to_thread(start_api, program, port)
        found = await standing(world, tenant)
        # the database commits what was asked of it, although nobody waits for it any more
        assert found == before or names(found) == {"Lounge", "Morning music", "Evening", "Morning"}
        status, _ = await command("apply", str(file), "--yes")
        assert status == 0
        status, said = await command("apply", str(file), "--yes", "--json")
        assert (status, json.loads(said)["changes"]) == (0, [])
    after = await standing(world, tenant)
    assert names(after) == {"Lounge", "Morning music", "Evening", "Morning"}
    lines = {c["name"]: [line["name"] for line in after[c["id"]]] for c in after["/channels/"]}
    assert lines == {"Lounge": ["Pop", "Jazz"], "Morning music": ["Jazz"]}
    assert {one["name"]: one["priority"] for one in after["/schedules/"]}["Evening"] == 45
    assert after["marks"] == 2
