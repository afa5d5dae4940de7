"""What becomes of an upload: one track, a reason, or nothing that is left lying about."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from support import audio
from support.uploads import VERSION, begun, ingested, kitchen, parts, send, sent
from support.world import Tenant, World
from sync2gear_platform.kit.blobs import Folder, open_blobs
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.library import housekeeping, ingest, sweeping
from sync2gear_platform.library import local as library_local
from sync2gear_platform.library.prober import Finding
from sync2gear_platform.library.tables import Media, Upload


def stored(world: World) -> list[str]:
    blobs = open_blobs(world.settings.blobs_url)
    assert isinstance(blobs, Folder)
    return [p.name for p in blobs.root.rglob("*") if p.is_file()]


def song(tmp_path: Path, name: str = "a.mp3", hz: float = 440, **tags: str) -> bytes:
    path = tmp_path / name
    audio.encode(path, audio.sine(1.5, hz), **tags)
    return path.read_bytes()


async def later(world: World, hours: float) -> None:
    """Let all uploads be so much older."""
    async with world.db.system() as session:
        await session.execute(
            text("UPDATE uploads SET expires_at = expires_at - :by, updated_at = updated_at - :by"),
            {"by": timedelta(hours=hours)},
        )


async def test_an_upload_becomes_a_track(world: World, tmp_path: Path) -> None:
    tenant = await world.tenant()
    folder = await tenant.make("/music/folders/", name="New")
    data = song(tmp_path, title="Tagged", artist="Ärtist")
    one = await sent(tenant, data, filename="01 a.mp3", folder_id=folder["id"])
    assert (await tenant.read("/music/files/"))["results"] == []
    done = await ingested(world, tenant, one)
    assert (done["state"], done["progress"], done["code"]) == ("ready", 100, "")
    assert done["duplicate_of"] is None
    track = await tenant.read(f"/music/files/{done['track_id']}/")
    assert (track["title"], track["artist"], track["position"]) == ("Tagged", "Ärtist", 1)
    assert (track["folder_id"], track["sha256"]) == (folder["id"], done["sha256"])
    heard = await tenant.http.get(f"/api/v1/music/files/{track['id']}/audio/")
    assert heard.content == data
    assert parts(world) == []
    assert stored(world) == [track["sha256"]]
    named = await sent(tenant, song(tmp_path, hz=300), filename="b.mp3", title="Called so")
    done = await ingested(world, tenant, named)
    assert (await tenant.read(f"/music/files/{done['track_id']}/"))["title"] == "Called so"


async def test_the_same_bytes_again_are_told(world: World, tmp_path: Path) -> None:
    tenant = await world.tenant()
    folder = await tenant.make("/music/folders/", name="New")
    data = song(tmp_path)
    first = await ingested(world, tenant, await sent(tenant, data, folder_id=folder["id"]))
    again = await ingested(world, tenant, await sent(tenant, data, folder_id=folder["id"]))
    assert again["track_id"] == again["duplicate_of"] == first["track_id"]
    elsewhere = await ingested(world, tenant, await sent(tenant, data))
    assert elsewhere["track_id"] != elsewhere["duplicate_of"] == first["track_id"]
    assert (await tenant.read("/music/files/", count=True))["count"] == 2
    assert len(stored(world)) == 1
    other = await world.tenant("Other")
    theirs = await ingested(world, other, await sent(other, data))
    assert theirs["duplicate_of"] is None


async def test_the_same_sound_in_another_file_is_told(world: World, tmp_path: Path) -> None:
    tenant = await world.tenant()
    folder = await tenant.make("/music/folders/", name="New")
    ids = []
    for name in ("a.flac", "a.wav"):
        data = audio.wav_bytes(audio.sine(1.5)) if name == "a.wav" else song(tmp_path, name)
        ids.append(await sent(tenant, data, filename=name, folder_id=folder["id"]))
    first, second = [await ingested(world, tenant, one) for one in ids]
    assert first["sha256"] != second["sha256"]
    assert second["duplicate_of"] == first["track_id"] == second["track_id"]
    assert (await tenant.read("/music/files/", count=True))["count"] == 1
    held = (await tenant.read("/music/usage/"))["kinds"]
    assert (held["music"]["files"], held["other"]["files"]) == (1, 0)
    # in another folder it is a track of the audio that is there, under the name it has here
    flac = first["track_id"]
    await tenant.http.patch(f"/api/v1/music/files/{flac}/", json={"title": "Corrected"})
    again = audio.wav_bytes(audio.sine(1.5))
    third = await ingested(world, tenant, await sent(tenant, again, filename="c.wav"))
    assert third["duplicate_of"] == flac != third["track_id"]
    track = await tenant.read(f"/music/files/{third['track_id']}/")
    assert (track["title"], track["sha256"]) == ("Corrected", first["sha256"])
    # two at once, in files that differ: one is the other
    tools = kitchen(world)
    both = [
        await sent(tenant, data, folder_id=folder["id"])
        for data in (song(tmp_path, "x.flac", 700), audio.wav_bytes(audio.sine(1.5, 700)))
    ]
    await asyncio.gather(*(ingest.ingest(tools, tenant.id, UUID(one)) for one in both))
    made = [await tenant.read(f"/music/uploads/{one}/") for one in both]
    assert made[0]["track_id"] == made[1]["track_id"]


async def test_what_is_no_audio_is_refused_and_leaves_nothing(world: World, tmp_path: Path) -> None:
    tenant = await world.tenant()
    for data, code in (
        (b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1/x.mp3\n", "playlist"),
        (b"\0" * 5000, "not_audio"),
        (b"", "empty"),
    ):
        place = await begun(tenant.http, len(data), filename="a.mp3")
        if data:
            await send(tenant.http, place, 0, data)
        done = await ingested(world, tenant, place.strip("/").rpartition("/")[2])
        assert (done["state"], done["code"]) == ("failed", code)
        assert done["detail"]
        assert not done["retryable"]
        retried = await tenant.http.post(f"{place}retry/")
        assert retried.status_code in {409, 410}
    assert parts(world) == []
    assert stored(world) == []
    assert (await tenant.read("/music/files/"))["results"] == []


async def test_a_failure_of_ours_can_be_tried_again(world: World, tmp_path: Path) -> None:
    tenant = await world.tenant()
    one = await sent(tenant, song(tmp_path))
    await ingest.give_up(kitchen(world), tenant.id, UUID(one))
    shown = await tenant.read(f"/music/uploads/{one}/")
    assert (shown["state"], shown["code"], shown["retryable"]) == ("failed", "interrupted", True)
    retried = await tenant.http.post(f"/api/v1/music/uploads/{one}/retry/")
    assert (retried.status_code, retried.json()["state"]) == (202, "uploaded")
    again = await tenant.http.post(f"/api/v1/music/uploads/{one}/retry/")
    assert (again.status_code, again.json()["code"]) == (409, "not_retryable")
    assert (await ingested(world, tenant, one))["state"] == "ready"


async def test_lost_bytes_are_told(world: World, tmp_path: Path) -> None:
    tenant = await world.tenant()
    one = await sent(tenant, song(tmp_path))
    (file,) = parts(world)
    file.unlink()
    assert (await ingested(world, tenant, one))["code"] == "bytes_lost"


async def test_cancelled_in_the_middle_of_the_work(world: World, tmp_path: Path) -> None:
    tenant = await world.tenant()
    one = await sent(tenant, song(tmp_path))

    async def cancelling(ctx: Ctx, upload: Upload, media: Media, found: Finding) -> UUID:
        raise AssertionError("what is cancelled is not finished")

    tools = kitchen(world)
    row = await _processing(world, tenant, one)
    await tenant.http.delete(f"/api/v1/music/uploads/{one}/", headers=VERSION)
    object.__setattr__(tools, "finishers", {"track": cancelling})
    file = tools.partials.path(row.id)
    file.write_bytes(song(tmp_path))  # a worker that had opened it before
    assert await ingest._work(tools, row) == ""
    assert (await tenant.read(f"/music/uploads/{one}/"))["code"] == "cancelled"
    await sweeping.sweep(tools)
    await housekeeping.collect(world.db, tools.blobs, Clock())
    assert parts(world) == []
    assert stored(world) == []


async def _processing(world: World, tenant: Tenant, upload_id: str) -> Upload:
    async with world.ctx(tenant.id) as ctx:
        row = await ctx.db.get_one(Upload, UUID(upload_id))
        row.state = "processing"
    return row


async def test_what_nobody_finishes_expires(world: World, tmp_path: Path) -> None:
    tenant = await world.tenant()
    data = song(tmp_path)
    half = await begun(tenant.http, len(data))
    await send(tenant.http, half, 0, data[:1000])
    whole = await begun(tenant.http, len(data))
    tools = kitchen(world)
    whole_id = UUID(whole.strip("/").rpartition("/")[2])
    tools.partials.path(whole_id).write_bytes(data)  # the api died before the row followed
    await sweeping.sweep(tools)
    assert len(parts(world)) == 2
    await later(world, 25)
    assert (await sweeping.sweep(tools)).files == 1
    assert (await tenant.http.head(half, headers=VERSION)).status_code == 410
    shown = await tenant.read(half.removeprefix("/api/v1"))
    assert (shown["state"], shown["code"]) == ("failed", "expired")
    assert (await ingested(world, tenant, str(whole_id)))["state"] == "ready"
    await later(world, 24 * 31)
    await sweeping.sweep(tools)
    assert (await tenant.read("/music/uploads/"))["results"] == []
    assert (await tenant.read("/music/files/", count=True))["count"] == 1


async def test_the_sweep_takes_bytes_that_are_nobodys(world: World) -> None:
    tools = kitchen(world)
    tools.partials.root.mkdir(parents=True)
    tools.partials.path(uuid4()).write_bytes(b"x")
    assert (await sweeping.sweep(tools)).files == 1
    assert parts(world) == []


async def test_a_command_sweeps_at_once_and_says_what_went(world: World, tmp_path: Path) -> None:
    tenant = await world.tenant()
    await ingested(world, tenant, await sent(tenant, song(tmp_path)))
    await begun(tenant.http, 1000)
    tools = kitchen(world)
    tools.partials.path(uuid4()).write_bytes(b"x")
    async with tools.blobs.stage(b"kept, and nobody's") as staged:
        await staged.keep()
    await later(world, 25)
    first, again = [await library_local.sweep(world.settings) for _ in range(2)]
    assert first == {
        "uploads_expired": 1, "uploads_interrupted": 0, "upload_files_removed": 1,
        "upload_files_kept": 0, "staged_files_removed": 0, "media_forgotten": 0,
        "blobs_removed": 1, "blobs_kept": 1,
    }  # fmt: skip
    assert again == {**dict.fromkeys(first, 0), "blobs_kept": 1}


async def test_an_upload_whose_job_is_gone_says_so(world: World, tmp_path: Path) -> None:
    tenant = await world.tenant()
    one = await sent(tenant, song(tmp_path))
    await later(world, 1)
    await sweeping.sweep(kitchen(world))  # its job waits: all is well
    assert (await tenant.read(f"/music/uploads/{one}/"))["state"] == "uploaded"
    async with world.db.system() as session:
        await session.execute(text("DELETE FROM procrastinate_jobs"))
    await sweeping.sweep(kitchen(world))
    shown = await tenant.read(f"/music/uploads/{one}/")
    assert (shown["code"], shown["retryable"]) == ("interrupted", True)


async def test_housekeeping_spares_what_is_being_worked_on(world: World, tmp_path: Path) -> None:
    tenant = await world.tenant()
    one = await sent(tenant, song(tmp_path))
    tools = kitchen(world)
    row = await _processing(world, tenant, one)
    async with tools.blobs.stage(tools.partials.path(row.id)) as staged:
        await ingest._note(tools, row, ingest.STAGED, staged.sha256)
        await staged.keep()
    await housekeeping.collect(world.db, tools.blobs, Clock())
    assert len(stored(world)) == 1
    async with world.ctx(tenant.id) as ctx:
        (await ctx.db.get_one(Upload, row.id)).reserved = 0
    await housekeeping.collect(world.db, tools.blobs, Clock())
    assert stored(world) == []


@pytest.mark.parametrize("purpose", ["announcement"])
async def test_a_purpose_without_a_finisher_is_told(world: World, purpose: str) -> None:
    tenant = await world.tenant()
    one = await sent(tenant, b"RIFF")
    async with world.ctx(tenant.id) as ctx:
        (await ctx.db.get_one(Upload, UUID(one))).purpose = purpose
    await ingest.ingest(replace(kitchen(world), finishers={}), tenant.id, UUID(one))
    async with world.ctx(tenant.id) as ctx:
        assert (await ctx.db.get_one(Upload, UUID(one))).code == "unsupported"
