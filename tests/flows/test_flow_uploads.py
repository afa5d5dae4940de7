"""Uploads over bad lines and through kills: nothing is sent twice, nothing becomes two."""

import asyncio
import json
import os
import random
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest
from procrastinate import Blueprint
from sqlalchemy import text

from support import audio
from support.killing import another_worker, api, command, gate, program, start_api, waiting
from support.line import bad_line
from support.stack import wait_until
from support.uploads import PATH, PIECE, VERSION, kitchen, parts, sent
from support.world import Tenant, World
from sync2gear_platform.kit.blobs import Folder
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.library import housekeeping, jobs, sweeping

STAGES = {
    "begun": "BEFORE UPDATE ON uploads FOR EACH ROW WHEN (NEW.state = 'processing' "
    "AND OLD.state = 'uploaded')",
    "staged": "BEFORE UPDATE ON uploads FOR EACH ROW WHEN (NEW.progress = 20)",
    "examined": "BEFORE UPDATE ON uploads FOR EACH ROW WHEN (NEW.progress = 70)",
    "kept": "BEFORE UPDATE ON uploads FOR EACH ROW WHEN (NEW.progress = 90)",
    "media": "BEFORE INSERT ON media FOR EACH ROW",
    "track": "BEFORE INSERT ON tracks FOR EACH ROW",
    "ready": "BEFORE UPDATE ON uploads FOR EACH ROW WHEN (NEW.state = 'ready')",
    "committing": "AFTER UPDATE ON uploads DEFERRABLE INITIALLY DEFERRED FOR EACH ROW "
    "WHEN (NEW.state = 'ready')",
}
"""Where a trigger holds the worker up, in the order in which an upload comes by."""

SAMPLE = ("kept", "track", "committing")


def tasks(world: World) -> dict[str, Blueprint]:
    """What a worker does for the library."""
    tools = kitchen(world)
    return {"library": jobs.blueprint(world.db, tools.blobs, None, tools.partials)}


async def ended(tenant: Tenant, upload_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while True:
        shown = await tenant.read(f"/music/uploads/{upload_id}/")
        if shown["state"] in {"ready", "failed"}:
            return shown
        assert time.monotonic() < deadline, shown
        await asyncio.sleep(0.1)


async def exactly_one(world: World, tenant: Tenant) -> None:
    """One track, one media, one blob; no partial file, no staging, no reservation."""
    tools = kitchen(world)
    await sweeping.sweep(tools)
    await housekeeping.collect(world.db, tools.blobs, Clock())
    assert isinstance(tools.blobs, Folder)
    files = [p for p in tools.blobs.root.rglob("*") if p.is_file()]
    assert len(files) == 1, files
    assert parts(world) == []
    async with world.db.system() as session:
        for table, expected in (("media", 1), ("tracks", 1)):
            count = await session.execute(text(f"SELECT count(*) FROM {table}"))
            assert count.scalar_one() == expected, table
        held = await session.execute(text("SELECT sum(reserved) FROM uploads"))
        assert held.scalar_one() == 0
    assert (await tenant.read("/music/files/", count=True))["count"] == 1


async def killed_at(world: World, folder: Path, stage: str) -> None:
    """Send a song, kill the worker at ``stage``, let another one go on, and count."""
    tenant = await world.tenant()
    admin = world.settings.database_admin_url
    assert admin is not None
    url = admin.get_secret_value()
    worker = program(world, folder, "worker", 0)
    with gate(url, STAGES[stage]):
        one = await sent(tenant, audio.wav_bytes(audio.sine(2, 300)), filename="a.wav")
        worker.start()
        try:
            await asyncio.to_thread(wait_until, lambda: waiting(url), f"the worker is at {stage}")
        finally:
            worker.kill()
    async with another_worker(world, tasks(world)):
        shown = await ended(tenant, one)
        assert (shown["state"], shown["code"]) == ("ready", ""), shown
        assert shown["duplicate_of"] is None
    await exactly_one(world, tenant)


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    "stage",
    [pytest.param(name, marks=[] if name in SAMPLE else [pytest.mark.soak]) for name in STAGES],
)
async def test_a_worker_killed_at_any_stage_makes_one_track(
    world: World, tmp_path: Path, stage: str
) -> None:
    await killed_at(world, tmp_path, stage)


@pytest.mark.timeout(180)
async def test_the_count_would_notice_a_second_track(world: World, tmp_path: Path) -> None:
    tenant = await world.tenant()
    for hz in (300, 301):
        one = await sent(tenant, audio.wav_bytes(audio.sine(1, hz)))
        async with another_worker(world, tasks(world)):
            await ended(tenant, one)
    with pytest.raises(AssertionError):
        await exactly_one(world, tenant)


async def killed_api(world: World, tenant: Tenant, folder: Path, kills: int, seed: int) -> None:
    """Send piece after piece, kill the api meanwhile: what was acknowledged is there."""
    dice = random.Random(seed)
    data = dice.randbytes(6_000_000)
    headers = {"Authorization": tenant.http.headers["authorization"]}
    with api(world, folder) as (made, port):
        base = f"http://127.0.0.1:{port}"
        begun = httpx2.post(
            base + PATH, headers={**headers, **VERSION, "Upload-Length": str(len(data))}
        )
        place = base + begun.headers["location"]
        told = 0

        def push() -> None:
            nonlocal told
            while told < len(data):
                piece = data[told : told + 50_000]
                sent_headers = {**headers, **PIECE, "Upload-Offset": str(told)}
                try:
                    answer = httpx2.patch(place, headers=sent_headers, content=piece, timeout=10)
                except httpx2.HTTPError:
                    return
                assert answer.status_code == 204, answer.text
                told = int(answer.headers["upload-offset"])

        for _ in range(kills):
            sender = threading.Thread(target=push)
            sender.start()
            await asyncio.sleep(dice.uniform(0.1, 0.6))  # the moment of the kill is tried out
            made.kill()
            await asyncio.to_thread(sender.join)
            start_api(made, port)
            asked = httpx2.head(place, headers={**headers, **VERSION})
            offset = int(asked.headers["upload-offset"])
            assert offset >= told
            told = offset
        await asyncio.to_thread(push)
        assert told == len(data)
    (file,) = parts(world)
    assert file.read_bytes() == data


@pytest.mark.timeout(120)
async def test_a_killed_api_loses_nothing_that_it_acknowledged(
    world: World, tmp_path: Path
) -> None:
    await killed_api(world, await world.tenant(), tmp_path, 2, 4712)


@pytest.mark.soak
@pytest.mark.timeout(1200)
async def test_an_api_killed_often_loses_nothing(world: World, tmp_path: Path) -> None:
    await killed_api(world, await world.tenant(), tmp_path, 40, random.randrange(1 << 30))


@pytest.mark.soak
@pytest.mark.timeout(3600)
async def test_a_folder_of_real_music_comes_in(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``S2G_MUSIC``: a folder of full-length tagged files, such as Debian's wesnoth-1.16-music."""
    music = Path(os.environ["S2G_MUSIC"])
    tenant = await world.tenant()
    monkeypatch.setenv("S2G_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("S2G_TOKEN", tenant.http.headers["authorization"].removeprefix("Bearer "))
    with api(world, tmp_path) as (_, port):
        monkeypatch.setenv("S2G_URL", f"http://127.0.0.1:{port}")
        async with another_worker(world, tasks(world)):
            status, said = await command(
                "music", "upload", str(music), "--folder", "Real", "--json", seconds=3000
            )
    rows = json.loads(said)["results"]
    for row in rows:
        sys.stderr.write(f"{Path(row['file']).name:<40} {row['outcome']:<10} {row['size']:>12}\n")
    assert status == 0
    assert rows
    assert {row["outcome"] for row in rows} <= {"ready", "duplicate"}
    assert (await tenant.read("/music/files/", count=True))["count"] == len(rows)


@pytest.mark.timeout(180)
async def test_a_folder_goes_over_a_line_that_breaks_and_no_byte_goes_twice(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = await world.tenant()
    music = tmp_path / "Album"
    (music / "CD 2").mkdir(parents=True)
    for number, name in enumerate(("1.wav", "2.wav", "CD 2/3.wav")):
        (music / name).write_bytes(audio.wav_bytes(audio.sine(12, 300 + number)))
    (music / "notes.txt").write_text("not music")
    (music / "broken.mp3").write_bytes(b"this is no audio at all" * 100)
    size = sum(p.stat().st_size for p in music.rglob("*") if p.suffix in {".wav", ".mp3"})
    monkeypatch.setenv("S2G_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("S2G_TOKEN", tenant.http.headers["authorization"].removeprefix("Bearer "))
    with api(world, tmp_path) as (_, port):
        with bad_line(port, [400_000, 1_000_000, 300_000, 500_000, 10]) as line:
            monkeypatch.setenv("S2G_URL", f"http://127.0.0.1:{line.port}")
            async with another_worker(world, tasks(world)):
                status, said = await command(
                    "music", "upload", str(music), "--folder", "Album", "--json"
                )
        assert status == 1
        rows = {Path(r["file"]).name: r for r in json.loads(said)["results"]}
        assert {n: r["outcome"] for n, r in rows.items()} == {
            "1.wav": "ready", "2.wav": "ready", "3.wav": "ready", "broken.mp3": "failed",
        }  # fmt: skip
        assert rows["broken.mp3"]["code"] == "not_audio"
        assert len(line.forwarded) > 5
        assert sum(line.forwarded) < size + 200_000, "bytes went twice"
        assert (await tenant.read("/music/files/", count=True))["count"] == 3
        monkeypatch.setenv("S2G_URL", f"http://127.0.0.1:{port}")
        status, said = await command("music", "uploads", "--json")
        assert (status, len(json.loads(said)["results"])) == (0, 4)
