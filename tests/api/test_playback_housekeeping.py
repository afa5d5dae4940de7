"""The demonstration that seeds itself, and programmes that are forgotten in time."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from support.music import add_folder, add_zone
from support.world import World
from sync2gear_platform.library.demo import make_album
from sync2gear_platform.playback import history
from sync2gear_platform.playback.tables import ProgrammeMedia, ProgrammeRow, ZonePlayback
from sync2gear_platform.seed import seed


async def test_programmes_are_forgotten_only_when_old_and_unnamed(world: World) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    folder = await add_folder(world, tenant, ("One", "Two"))
    for _ in range(3):
        await tenant.make("/playback/play/", zone_id=zone, folder_id=str(folder))

    async def collected(days: float) -> tuple[int, int, int]:
        async with world.ctx() as ctx:
            later = replace(ctx, now=ctx.now + timedelta(days=days))
            gone = await history.collect_programmes(later)
            left = len((await ctx.db.exec(select(ProgrammeRow))).all())
            media = len((await ctx.db.exec(select(ProgrammeMedia))).all())
            return gone, left, media

    async with world.ctx() as ctx:
        row = (await ctx.db.exec(select(ZonePlayback))).one()
    named = len(row.document["programmes"])
    assert 1 <= named < 3, "the one before still sounds until the newest begins"
    assert await collected(7) == (0, 3, 6)
    assert await collected(9) == (3 - named, named, 2 * named)
    view = (await tenant.read("/playback/state/", zone_id=zone))["results"][0]
    assert view["segments"], "what the zone plays is still there"


def seen(answer: dict[str, Any]) -> dict[str, Any]:
    files = [Path(one["credential_file"]) for one in answer["speakers"]]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    return answer | {"credentials": [file.read_text() for file in files]}


async def test_the_demonstration_plays_and_repeating_it_changes_nothing(
    world: World, tmp_path: Path
) -> None:
    settings = world.settings
    first = seen(await seed(settings, None))
    assert [zone["name"] for zone in first["zones"]] == ["Shop floor", "Café"]
    assert [one["zone"] for one in first["speakers"]] == ["Shop floor", "Shop floor", "Café"]
    assert (settings.data_dir / "seed.json").stat().st_mode & 0o777 == 0o600
    http = await world.http()
    body = {"email": first["email"], "password": first["password"]}
    login = await http.post("/api/v1/auth/login/", json=body)
    assert login.status_code == 200
    http.headers["Authorization"] = f"Bearer {login.json()['access']}"
    views = (await http.get("/api/v1/playback/state/")).json()["results"]
    assert {view["status"] for view in views} == {"playing"}
    titles = {"First Coffee", "Between the Shelves", "Last Customers"}
    assert {s["title"] for v in views for s in v["segments"]} == titles
    assert first["operator"]["password"], "shown by the seeding that made the account, once"
    first["operator"]["password"] = None
    assert seen(await seed(settings, None)) == first
    again = (await http.get("/api/v1/playback/state/")).json()["results"]
    assert [v["rev"] for v in again] == [v["rev"] for v in views]

    music = tmp_path / "my music"
    make_album(music)
    (music / "01-first-coffee.flac").unlink()
    (settings.data_dir / "speakers" / "cafe.json").unlink()
    other = seen(await seed(settings, music))
    assert other["folder"] != first["folder"], "whoever names music hears it"
    assert other["credentials"][:2] == first["credentials"][:2]
    assert other["credentials"][2] != first["credentials"][2], "a lost secret is made anew"
    views = (await http.get("/api/v1/playback/state/")).json()["results"]
    assert {v["folder_id"] for v in views} == {other["folder"]}


@pytest.mark.parametrize("content", ["", "{", "[]"])
async def test_a_damaged_memory_of_the_demonstration_is_made_anew(
    world: World, tmp_path: Path, content: str
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    before = await seed(world.settings, empty)
    (world.settings.data_dir / "seed.json").write_text(content)
    after = await seed(world.settings, empty)
    assert after["client"] == before["client"]
    http = await world.http()
    body = {"email": after["email"], "password": after["password"]}
    assert (await http.post("/api/v1/auth/login/", json=body)).status_code == 200
