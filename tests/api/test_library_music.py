"""Folders, tracks, imports over the API, and audio for speakers."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from support import audio
from support.world import Tenant, World
from sync2gear_platform.jobs.app import open_app, run_worker
from sync2gear_platform.kit.blobs import open_blobs
from sync2gear_platform.kit.partials import Partials
from sync2gear_platform.library import jobs, service
from sync2gear_platform.library.tables import Import


async def stock(world: World, tenant: Tenant, tmp_path: Path, count: int = 5) -> Import:
    audio.tiny_files(tmp_path / "stock", count)
    blobs = open_blobs(world.settings.blobs_url)
    return await service.import_folder(world.db, blobs, tenant.id, tmp_path / "stock", "Stock")


async def test_folders_from_first_to_last(world: World, tmp_path: Path) -> None:
    tenant = await world.tenant()
    row = await stock(world, tenant, tmp_path)
    path = f"/api/v1/music/folders/{row.folder_id}/"
    read = await tenant.http.get(path)
    folder = read.json()
    assert (folder["name"], folder["tracks"], folder["duration_millis"]) == ("Stock", 5, 50)
    renamed = await tenant.http.patch(
        path, json={"name": "Evening"}, headers={"If-Match": read.headers["etag"]}
    )
    assert renamed.json()["name"] == "Evening"
    stale = await tenant.http.patch(
        path, json={"name": "Night"}, headers={"If-Match": read.headers["etag"]}
    )
    assert (stale.status_code, stale.json()["code"]) == (412, "stale")
    empty = await tenant.make("/music/folders/", name="Empty")
    assert (empty["tracks"], empty["duration_millis"]) == (0, 0)
    listed = await tenant.read("/music/folders/", type="music", count=True)
    own = [f["name"] for f in listed["results"] if not f["is_system"]]
    assert own == ["Empty", "Evening"]
    assert listed["count"] == 4
    assert (await tenant.http.delete(path)).status_code == 204
    assert (await tenant.http.get(path)).status_code == 404
    tracks = await tenant.read("/music/files/", count=True)
    assert tracks["count"] == 5
    assert {t["folder_id"] for t in tracks["results"]} == {None}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": " "},
        {"name": "x" * 256},
        {"name": "a\x00b"},
        {"name": "a\nb"},
        {"name": "ok", "type": "films"},
        {"name": "ok", "is_system": True},
    ],
)
async def test_a_folder_that_makes_no_sense(world: World, body: dict[str, Any]) -> None:
    tenant = await world.tenant()
    answer = await tenant.http.post("/api/v1/music/folders/", json=body)
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_request"


async def test_a_folder_is_put_in_order(world: World, tmp_path: Path) -> None:
    tenant = await world.tenant()
    row = await stock(world, tenant, tmp_path)
    listed = await tenant.read("/music/files/", folder_id=str(row.folder_id))
    ids = [t["id"] for t in listed["results"]]
    path = f"/api/v1/music/folders/{row.folder_id}/reorder/"
    wanted = [ids[3], ids[0], ids[4], ids[2], ids[1]]
    answer = await tenant.http.post(path, json={"track_ids": wanted})
    assert answer.status_code == 200
    listed = await tenant.read("/music/files/", folder_id=str(row.folder_id))
    assert [t["id"] for t in listed["results"]] == wanted
    async with world.ctx(tenant.id) as ctx:
        ordered = await service.folder_media(ctx, row.folder_id or uuid4())
        assert [str(track.id) for track, _ in ordered] == wanted
        chosen = [UUID(i) for i in (ids[1], ids[1], ids[0])]
        assert [t.id for t, _ in await service.tracks_media(ctx, chosen)] == chosen
    for wrong in ([], wanted[:-1], [*wanted, wanted[0]], [*wanted[:-1], str(uuid4())]):
        refused = await tenant.http.post(path, json={"track_ids": wrong})
        assert (refused.status_code, refused.json()["code"]) == (409, "wrong_order")


async def test_tracks_are_found_renamed_moved_and_removed(world: World, tmp_path: Path) -> None:
    tenant = await world.tenant()
    row = await stock(world, tenant, tmp_path)
    found = await tenant.read("/music/search/", search="TRACK 3")
    assert [t["title"] for t in found["results"]] == ["track 3"]
    path = f"/api/v1/music/files/{found['results'][0]['id']}/"
    changed = await tenant.http.patch(path, json={"title": "100 % _sure_", "year": 1977})
    assert (changed.json()["title"], changed.json()["year"]) == ("100 % _sure_", 1977)
    for needle, count in (("%", 0), ("_", 0), ("\\", 0), ("100 % _s", 1), ("SUR 10", 1)):
        found = await tenant.read("/music/search/", search=needle)
        assert len(found["results"]) == count, needle
    other = await tenant.make("/music/folders/", name="Other")
    moved = await tenant.http.patch(path, json={"folder_id": other["id"]})
    assert (moved.json()["folder_id"], moved.json()["position"]) == (other["id"], 1)
    nowhere = await tenant.http.patch(path, json={"folder_id": str(uuid4())})
    assert nowhere.status_code == 404
    for body in ({"title": ""}, {"year": 99}, {"year": "1999"}, {"sha256": "0" * 64}):
        assert (await tenant.http.patch(path, json=body)).status_code == 422, body
    heard = await tenant.http.get(f"{path}audio/")
    assert heard.content == audio.tiny_wav(3)
    assert (await tenant.http.delete(path)).status_code == 204
    assert (await tenant.http.get(path)).status_code == 404
    rest = await tenant.read("/music/files/", folder_id=str(row.folder_id), count=True)
    assert rest["count"] == 4


async def test_lists_come_in_pages(world: World, tmp_path: Path) -> None:
    tenant = await world.tenant()
    row = await stock(world, tenant, tmp_path, 12)
    titles: list[str] = []
    path: str | None = f"/api/v1/music/files/?folder_id={row.folder_id}&page_size=5"
    pages = 0
    while path:
        answer = (await tenant.http.get(path)).json()
        titles += [t["title"] for t in answer["results"]]
        path = answer["next"]
        pages += 1
    assert pages == 3
    assert titles == [f"track {n}" for n in range(12)]


async def test_nobody_sees_another_clients_music(world: World, tmp_path: Path) -> None:
    mine, theirs = await world.tenant("Mine"), await world.tenant("Theirs")
    row = await stock(world, mine, tmp_path, 1)
    track = (await mine.read("/music/files/"))["results"][0]
    folder = await theirs.make("/music/folders/", name="Theirs")
    for path in (
        f"/music/folders/{row.folder_id}/",
        f"/music/files/{track['id']}/",
        f"/music/files/{track['id']}/audio/",
        f"/music/imports/{row.id}/",
        f"/music/imports/{row.id}/items/",
        f"/music/files/?folder_id={row.folder_id}",
    ):
        assert (await theirs.http.get(f"/api/v1{path}")).status_code == 404, path
    stolen = await mine.http.patch(
        f"/api/v1/music/files/{track['id']}/", json={"folder_id": folder["id"]}
    )
    assert stolen.status_code == 404
    assert (await theirs.read("/music/files/"))["results"] == []
    assert (await theirs.read("/music/imports/"))["results"] == []


async def test_an_import_over_the_api(world: World, tmp_path: Path) -> None:
    tenant = await world.tenant()
    disabled = await tenant.http.post("/api/v1/music/imports/", json={"folder": "in"})
    assert (disabled.status_code, disabled.json()["code"]) == (409, "import_disabled")
    shelf = tmp_path / "shelf"
    audio.tiny_files(shelf / "in", 7)
    (shelf / "in" / "00" / "readme.txt").write_text("not music")
    (shelf / "out").symlink_to("/etc")
    (shelf / "file").write_text("no folder")
    world.settings.import_dir = shelf
    for folder in ("nowhere", "..", ".", "out", "file"):
        answer = await tenant.http.post("/api/v1/music/imports/", json={"folder": folder})
        assert (answer.status_code, answer.json()["code"]) == (422, "no_such_source"), folder
    for folder in ("", "in/00", "a\x00b", "x" * 256):
        answer = await tenant.http.post("/api/v1/music/imports/", json={"folder": folder})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request"), folder
    answer = await tenant.http.post("/api/v1/music/imports/", json={"folder": "in", "name": "Shop"})
    assert answer.status_code == 202
    begun = answer.json()
    assert begun["state"] == "running"
    await work_off(world, tenant, begun["id"])
    done = await tenant.read(f"/music/imports/{begun['id']}/")
    assert (done["state"], done["found"], done["imported"], done["rejected"]) == ("done", 8, 7, 1)
    refused = await tenant.read(f"/music/imports/{begun['id']}/items/", outcome="rejected")
    assert [(i["name"], i["code"]) for i in refused["results"]] == [("00/readme.txt", "not_audio")]
    folders = (await tenant.read("/music/folders/"))["results"]
    assert [f["name"] for f in folders if not f["is_system"]] == ["Shop"]


async def test_an_import_whose_source_went_away_fails(world: World, tmp_path: Path) -> None:
    tenant = await world.tenant()
    world.settings.import_dir = tmp_path
    (tmp_path / "gone").mkdir()
    begun = await tenant.make("/music/imports/", folder="gone")
    (tmp_path / "gone").rmdir()
    await work_off(world, tenant, begun["id"])
    assert (await tenant.read(f"/music/imports/{begun['id']}/"))["state"] == "failed"


async def test_an_import_goes_on_after_its_worker_was_stopped(world: World, tmp_path: Path) -> None:
    tenant = await world.tenant()
    world.settings.import_dir = tmp_path
    audio.tiny_files(tmp_path / "many", 200)
    begun = await tenant.make("/music/imports/", folder="many")
    async with worker(world, grace=0):
        await until(tenant, begun["id"], lambda row: row["imported"] >= 50)
    stopped = await tenant.read(f"/music/imports/{begun['id']}/")
    assert stopped["state"] == "running"
    assert stopped["imported"] < 200
    await work_off(world, tenant, begun["id"])
    done = await tenant.read(f"/music/imports/{begun['id']}/")
    assert (done["state"], done["found"], done["imported"]) == ("done", 200, 200)
    assert done["duplicates"] == done["rejected"] == 0


@asynccontextmanager
async def worker(world: World, grace: float = 5) -> AsyncIterator[None]:
    """A worker that runs the library's jobs."""
    stop = asyncio.Event()
    blobs = open_blobs(world.settings.blobs_url)
    tasks = {
        "library": jobs.blueprint(
            world.db, blobs, world.settings.import_dir, Partials(world.settings.uploads_path)
        )
    }
    async with open_app(world.settings.database_url.get_secret_value(), tasks) as app:
        running = asyncio.create_task(run_worker(app, stop, grace=grace))
        yield
        stop.set()
        await running


async def until(tenant: Tenant, import_id: str, enough: Callable[[dict[str, Any]], bool]) -> None:
    deadline = time.monotonic() + 60
    while not enough(await tenant.read(f"/music/imports/{import_id}/")):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


async def work_off(world: World, tenant: Tenant, import_id: str) -> None:
    """Run a worker until the import is no longer running."""
    async with worker(world):
        await until(tenant, import_id, lambda row: row["state"] != "running")


async def speaker(world: World, tenant: Tenant, number: int = 1) -> httpx2.AsyncClient:
    """HTTP as a registered speaker of ``tenant``."""
    made = await tenant.make("/devices/register/", name="Bar", hardware_id=f"card-{number}")
    credential = made["credential"]
    name = f"{credential['client']}/{credential['device']}"
    token = base64.b64encode(f"{name}:{credential['secret']}".encode()).decode()
    http = await world.http()
    http.headers["Authorization"] = f"Basic {token}"
    return http


async def test_a_speaker_fetches_audio_whole_and_in_parts(world: World, tmp_path: Path) -> None:
    tenant = await world.tenant()
    await stock(world, tenant, tmp_path, 1)
    sha256 = (await tenant.read("/music/files/"))["results"][0]["sha256"]
    content = audio.tiny_wav(0)
    http = await speaker(world, tenant)
    path = f"/api/v1/media/{sha256}/"
    whole = await http.get(path)
    assert (whole.status_code, whole.content) == (200, content)
    assert whole.headers["etag"] == f'"{sha256}"'
    assert whole.headers["accept-ranges"] == "bytes"
    assert whole.headers["content-type"] == "audio/wav"
    assert whole.headers["content-disposition"].startswith("attachment")
    head = await http.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(content))
    rest = await http.get(path, headers={"Range": "bytes=100-", "If-Range": f'"{sha256}"'})
    assert (rest.status_code, rest.content) == (206, content[100:])
    assert rest.headers["content-range"] == f"bytes 100-{len(content) - 1}/{len(content)}"
    changed = await http.get(path, headers={"Range": "bytes=100-", "If-Range": '"other"'})
    assert (changed.status_code, changed.content) == (200, content)
    beyond = await http.get(path, headers={"Range": f"bytes={len(content)}-"})
    assert beyond.status_code == 416
    assert beyond.headers["content-range"] == f"bytes */{len(content)}"
    known = await http.get(path, headers={"If-None-Match": f'W/"{sha256}", "other"'})
    assert (known.status_code, known.content) == (304, b"")


async def test_audio_is_only_for_the_clients_own_speakers(world: World, tmp_path: Path) -> None:
    mine, theirs = await world.tenant("Mine"), await world.tenant("Theirs")
    await stock(world, mine, tmp_path, 1)
    sha256 = (await mine.read("/music/files/"))["results"][0]["sha256"]
    stranger = await speaker(world, theirs)
    answers = [
        await stranger.get(f"/api/v1/media/{name}/")
        for name in (sha256, "0" * 64, sha256.upper(), "..", "%2e%2e%2fetc%2fpasswd", "a" * 64)
    ]
    assert {a.status_code for a in answers} == {404}
    bodies = [{k: v for k, v in a.json().items() if k != "trace"} for a in answers[:2]]
    assert bodies[0] == bodies[1]
    assert (await mine.http.get(f"/api/v1/media/{sha256}/")).status_code == 403
    anonymous = await world.http()
    assert (await anonymous.get(f"/api/v1/media/{sha256}/")).status_code == 401


async def test_what_is_lost_from_the_store_is_not_found_until_imported_again(
    world: World, tmp_path: Path
) -> None:
    tenant = await world.tenant()
    await stock(world, tenant, tmp_path, 1)
    track = (await tenant.read("/music/files/"))["results"][0]
    blobs = open_blobs(world.settings.blobs_url)
    await blobs.delete(track["sha256"])
    path = f"/api/v1/music/files/{track['id']}/audio/"
    assert (await tenant.http.get(path)).status_code == 404
    await service.import_folder(world.db, blobs, tenant.id, tmp_path / "stock", "Stock")
    assert (await tenant.http.get(path)).content == audio.tiny_wav(0)
    assert len((await tenant.read("/music/files/"))["results"]) == 1


@pytest.mark.parametrize("url", ["s3://bucket", "", "media", "file:relative", "file://host/x"])
def test_an_address_that_is_no_store_is_named(url: str) -> None:
    with pytest.raises(ValueError, match="S2G_MEDIA_URL"):
        open_blobs(url)
