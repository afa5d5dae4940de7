"""Uploads straight into a bucket: in parts, taken up again, put together once, not believed."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from sqlalchemy import text

from support import audio
from support.bucket import Buckets
from support.killing import api, command, gate, start_api, waiting
from support.services import PostgresServer
from support.stack import wait_until
from support.uploads import PATH, begun, ingested, kitchen, sent
from support.world import Tenant, World, cloned_database, make_settings
from sync2gear_platform.kit.blobs import open_blobs
from sync2gear_platform.library import housekeeping, ingest, sweeping
from sync2gear_platform.library.direct_routes import PART_BYTES

DIRECT = f"{PATH}direct/"


@pytest.fixture
def bucket(s3: Buckets) -> str:
    return s3.make()


@pytest.fixture
async def abroad(
    postgres: PostgresServer, tmp_path: Path, s3: Buckets, bucket: str
) -> AsyncIterator[World]:
    """An installation whose bucket takes uploads itself."""
    with cloned_database(postgres) as (admin_url, app_url):
        url = f"{s3.url(bucket)}&direct=yes"
        async with World.open(make_settings(tmp_path, app_url, admin_url, media_url=url)) as world:
            yield world


async def begin(tenant: Tenant, size: int, **more: Any) -> dict[str, Any]:
    answer = await tenant.http.post(DIRECT, json={"filename": "a.wav", "size": size, **more})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def put(parts: list[dict[str, Any]], data: bytes) -> None:
    """What a browser does: each part to its address, without any credential."""
    async with httpx2.AsyncClient(timeout=60) as browser:
        for part in parts:
            piece = data[part["start"] : part["start"] + part["size"]]
            answer = await browser.put(part["url"], content=piece)
            assert answer.status_code == 200, answer.text
            part["etag"] = answer.headers["etag"]


async def together(tenant: Tenant, one: str, etags: list[str]) -> httpx2.Response:
    return await tenant.http.post(f"{PATH}{one}/complete/", json={"etags": etags})


async def whole(tenant: Tenant, data: bytes, **more: Any) -> str:
    """The id of an upload that is put together."""
    begun = await begin(tenant, len(data), **more)
    await put(begun["parts"], data)
    done = await together(tenant, begun["upload"]["id"], [p["etag"] for p in begun["parts"]])
    assert done.status_code == 202, done.text
    return str(begun["upload"]["id"])


async def age(world: World, hours: float) -> None:
    async with world.db.system() as session:
        await session.execute(
            text("UPDATE uploads SET expires_at = expires_at - :by, updated_at = updated_at - :by"),
            {"by": timedelta(hours=hours)},
        )


async def test_a_file_goes_into_the_bucket_and_becomes_one_track(
    abroad: World, s3: Buckets, bucket: str
) -> None:
    tenant, other = await abroad.tenant(), await abroad.tenant("Other")
    folder = await tenant.make("/music/folders/", name="New")
    assert (await tenant.read("/music/uploads/direct/"))["direct"] is True
    data = audio.wav_bytes(audio.sine(180, 300))
    assert PART_BYTES < len(data) < 2 * PART_BYTES
    begun = await begin(tenant, len(data), folder_id=folder["id"], title="Called so")
    one, parts = begun["upload"]["id"], begun["parts"]
    assert [(p["start"], p["size"]) for p in parts] == [
        (0, PART_BYTES), (PART_BYTES, len(data) - PART_BYTES),
    ]  # fmt: skip
    assert all("content-length" in p["url"] and "a-secret-key" not in p["url"] for p in parts)
    assert (await tenant.read("/music/usage/"))["kinds"]["uploads"]["bytes"] == len(data)
    # the line breaks: what is there is not sent again
    await put(parts[1:], data)
    early = await together(tenant, one, ['"no"', parts[1]["etag"]])
    assert (early.status_code, early.json()["code"]) == (409, "parts_differ")
    seen = await tenant.read(f"/music/uploads/{one}/parts/")
    assert [p["etag"] for p in seen["parts"]] == [None, parts[1]["etag"]]
    assert [p["url"] is None for p in seen["parts"]] == [False, True]
    assert seen["upload"]["offset"] == len(data) - PART_BYTES
    await put(seen["parts"][:1], data)
    etags = [p["etag"] for p in seen["parts"]]
    # nobody else's, and no other way
    for answer in (
        await other.http.get(f"{PATH}{one}/parts/"),
        await together(other, one, etags),
        await other.http.delete(f"{PATH}{one}/"),
    ):
        assert answer.status_code == 404
    head = await tenant.http.head(f"{PATH}{one}/", headers={"Tus-Resumable": "1.0.0"})
    assert head.status_code == 409
    done = await asyncio.gather(*(together(tenant, one, etags) for _ in range(3)))
    assert [d.status_code for d in done] == [202] * 3
    assert (await together(tenant, one, etags)).json()["state"] == "uploaded"
    async with abroad.db.system() as session:
        jobs = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'library:ingest'"
        assert (await session.execute(text(jobs))).scalar_one() == 1
    made = await ingested(abroad, tenant, one)
    assert (made["state"], made["code"]) == ("ready", "")
    track = await tenant.read(f"/music/files/{made['track_id']}/")
    assert (track["title"], track["folder_id"]) == ("Called so", folder["id"])
    assert s3.keys(bucket) == [f"s2g/blobs/{track['sha256']}"]
    assert s3.unfinished(bucket) == []
    usage = (await tenant.read("/music/usage/"))["kinds"]
    assert (usage["uploads"]["bytes"], usage["music"]["bytes"]) == (0, len(data))


async def test_what_is_put_together_is_not_believed(
    abroad: World, s3: Buckets, bucket: str
) -> None:
    tenant = await abroad.tenant()
    page = await whole(tenant, b"<html>" * 100)
    assert (await ingested(abroad, tenant, page))["code"] == "not_audio"
    # moto lets more come than was signed for; the length is asked again
    begun = await begin(tenant, 1000)
    async with httpx2.AsyncClient() as browser:
        sent_too_much = await browser.put(begun["parts"][0]["url"], content=b"x" * 2000)
    one = begun["upload"]["id"]
    done = await together(tenant, one, [sent_too_much.headers["etag"]])
    assert (done.json()["state"], done.json()["code"]) == ("failed", "size_differs")
    assert (await together(tenant, one, ['"x"'])).status_code == 410
    assert (s3.keys(bucket), s3.unfinished(bucket)) == ([], [])
    async with abroad.ctx() as ctx:
        await ctx.db.execute(text("UPDATE clients SET max_storage_gb = 0"))
    full = await tenant.http.post(DIRECT, json={"filename": "a", "size": 1})
    assert (full.status_code, full.json()["code"]) == (409, "quota_exceeded")
    large = await tenant.http.post(DIRECT, json={"filename": "a", "size": 1 << 40})
    assert large.status_code == 422


async def test_whoever_dies_on_the_way_leaves_nothing_or_one_track(
    abroad: World, s3: Buckets, bucket: str
) -> None:
    tenant, tools = await abroad.tenant(), kitchen(abroad)
    direct = tools.arrivals.direct
    data = audio.wav_bytes(audio.sine(1, 400))
    # the api died between the store's completion and its own: whoever asks again goes on
    asked = await begin(tenant, len(data))
    await put(asked["parts"], data)
    etags = [p["etag"] for p in asked["parts"]]
    one, late = UUID(asked["upload"]["id"]), await begin(tenant, len(data))
    async with abroad.ctx(tenant.id) as ctx:
        found = await ctx.db.execute(text("SELECT id, store_id FROM uploads"))
        known = {row[0]: row[1] for row in found}
    assert await direct.complete(one, known[one], etags) == len(data)
    seen = await tenant.read(f"/music/uploads/{one}/parts/")
    assert seen["upload"]["state"] == "uploaded"
    assert [(p["url"], p["etag"]) for p in seen["parts"]] == [(None, None)], "no dead addresses"
    assert (await together(tenant, str(one), etags)).json()["state"] == "uploaded"
    # and if nobody asks again, the sweep does
    two = UUID(late["upload"]["id"])
    await put(late["parts"], data)
    await direct.complete(two, known[two], [p["etag"] for p in late["parts"]])
    # one that nobody finishes, one that is cancelled, one whose row is gone
    half, given_up = await begin(tenant, len(data)), await begin(tenant, len(data))
    await put(half["parts"], data)
    await put(given_up["parts"], data)
    gone = await tenant.http.delete(f"{PATH}{given_up['upload']['id']}/")
    assert gone.status_code == 204
    await direct.begin(uuid4())
    assert len(s3.unfinished(bucket)) == 2
    await sweeping.sweep(tools)
    assert s3.unfinished(bucket) == [f"s2g/uploads/{half['upload']['id']}"]
    await age(abroad, 25)
    await sweeping.sweep(tools)
    assert s3.unfinished(bucket) == []
    expired = await tenant.http.get(f"{PATH}{half['upload']['id']}/parts/")
    assert expired.status_code == 410
    # the worker died before it had removed what it had made a track of
    first = await ingested(abroad, tenant, str(one))
    await ingest.ingest(tools, tenant.id, one)
    second = await ingested(abroad, tenant, str(two))
    assert second["duplicate_of"] == first["track_id"]
    await sweeping.sweep(tools)
    await housekeeping.collect(abroad.db, tools.blobs, abroad.clock)
    assert s3.keys(bucket) == [f"s2g/blobs/{first['sha256']}"]


PUT_TOGETHER = (
    "BEFORE UPDATE ON uploads FOR EACH ROW"
    " WHEN (OLD.state = 'receiving' AND NEW.state = 'uploaded')"
)


@pytest.mark.timeout(180)
async def test_the_command_goes_on_when_the_api_is_killed_as_it_puts_the_parts_together(
    abroad: World, s3: Buckets, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = await abroad.tenant()
    song = tmp_path / "song.wav"
    song.write_bytes(audio.wav_bytes(audio.sine(180, 500)))
    monkeypatch.setenv("S2G_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("S2G_TOKEN", tenant.http.headers["authorization"].removeprefix("Bearer "))
    admin = abroad.settings.database_admin_url
    assert admin is not None
    url = admin.get_secret_value()
    with api(abroad, tmp_path) as (made, port):
        monkeypatch.setenv("S2G_URL", f"http://127.0.0.1:{port}")
        with gate(url, PUT_TOGETHER):
            sending = asyncio.create_task(
                command("music", "upload", str(song), "--no-wait", "--json")
            )
            try:
                await asyncio.to_thread(wait_until, lambda: waiting(url), "it is put together")
            finally:
                made.kill()
        assert len(s3.keys(bucket)) == 1, "the store has it whole, and nobody wrote that down"
        start_api(made, port)
        status, said = await sending
    (row,) = json.loads(said)["results"]
    assert (status, row["outcome"]) == (0, "sent")
    ready = await ingested(abroad, tenant, row["id"])
    assert ready["state"] == "ready"
    assert (await tenant.read("/music/files/", count=True))["count"] == 1
    assert s3.unfinished(bucket) == []
    assert len(s3.keys(bucket)) == 1


async def test_without_such_a_bucket_it_is_refused(
    world: World, s3: Buckets, bucket: str, tmp_path: Path
) -> None:
    tenant = await world.tenant()
    assert (await tenant.read("/music/uploads/direct/"))["direct"] is False
    refused = await tenant.http.post(DIRECT, json={"filename": "a", "size": 1})
    assert (refused.status_code, refused.json()["code"]) == (409, "no_direct_uploads")
    place = await begun(tenant.http, 10)
    for answer in (
        await tenant.http.get(f"{place}parts/"),
        await tenant.http.post(f"{place}complete/", json={"etags": ["x"]}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "other_way")
    one = await sent(tenant, audio.wav_bytes(audio.sine(1)))
    assert (await ingested(world, tenant, one))["state"] == "ready"
    plain = f"{s3.url(bucket)}&scratch={tmp_path}"
    assert open_blobs(plain).direct is None
    with pytest.raises(ValueError, match="yes or no"):
        open_blobs(f"{plain}&direct=maybe")
