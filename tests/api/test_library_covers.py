"""Covers of tracks and folders, embedded and sent, and waveforms."""

import io
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import numpy as np
import pytest
from PIL import Image
from sqlalchemy import text

from support import audio
from support.corpus import put_cover
from support.images import huge_png, picture
from support.music import add_folder
from support.world import Tenant, World
from sync2gear_platform.kit.blobs import Blobs, open_blobs
from sync2gear_platform.library import housekeeping, service
from sync2gear_platform.library.covers import MAX_BYTES

FILES = "/api/v1/music/files/"
FOLDERS = "/api/v1/music/folders/"


def blobs_of(world: World) -> Blobs:
    return open_blobs(world.settings.blobs_url)


async def count(world: World) -> int:
    return len([d async for some in blobs_of(world).digests() for d in some])


async def take(world: World, tenant: Tenant, path: Path) -> list[dict[str, Any]]:
    """The tracks that an import of ``path`` makes."""
    await service.import_folder(world.db, blobs_of(world), tenant.id, path, "Music")
    tracks: list[dict[str, Any]] = (await tenant.read("/music/files/"))["results"]
    return tracks


def covered(path: Path, image: bytes, hz: float = 440) -> Path:
    """Music with a cover in it."""
    put_cover(audio.encode(path, audio.sine(1, hz)), image)
    return path


async def some_track(world: World, tenant: Tenant) -> tuple[str, str]:
    """Addresses of the cover of a track and of its folder."""
    folder = await add_folder(world, tenant, ("One",))
    track = (await tenant.read("/music/files/", folder_id=str(folder)))["results"][0]
    return f"{FILES}{track['id']}/cover/", f"{FOLDERS}{folder}/cover/"


def seen(answer: httpx2.Response) -> Image.Image:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/webp"
    return Image.open(io.BytesIO(answer.content)).convert("RGB")


async def test_a_cover_comes_with_its_music_in_three_sizes(world: World, tmp_path: Path) -> None:
    tenant = await world.tenant()
    folder = tmp_path / "in"
    folder.mkdir()
    same = picture("PNG", (1600, 800))
    for number, suffix in enumerate(("mp3", "flac", "m4a", "opus")):
        covered(folder / f"{number}.{suffix}", same, 400 + number * 50)
    audio.encode(folder / "plain.wav", audio.sine(1, 880))
    tracks = await take(world, tenant, folder)
    assert len({t["cover_id"] for t in tracks if t["cover_id"]}) == 1
    assert [t["cover_id"] for t in tracks].count(None) == 1
    assert await count(world) == 5 + 3
    for track in tracks:
        address = f"{FILES}{track['id']}/cover/"
        if track["cover_id"] is None:
            assert (await tenant.http.get(address)).status_code == 404
            continue
        for asked, size in ((1, 96), (96, 96), (97, 320), (321, 1024), (9000, 1024)):
            image = seen(await tenant.http.get(address, params={"size": asked}))
            assert image.size == (size, size // 2)
            left, right = image.getpixel((5, 5)), image.getpixel((size - 5, 5))
            assert isinstance(left, tuple)
            assert isinstance(right, tuple)
            assert left[0] > 200 > left[2]
            assert right[2] > 200 > right[0]
    # what was imported again, or by a copy, keeps it
    assert len({t["cover_id"] for t in await take(world, tenant, folder)}) == 2


@pytest.mark.parametrize("form", [False, True], ids=["body", "form"])
async def test_a_cover_is_sent_shown_and_removed(world: World, form: bool) -> None:
    tenant = await world.tenant()
    for address in await some_track(world, tenant):
        exif = Image.Exif()
        exif[0x0112] = 6  # turned by a quarter
        exif[0x010E] = "canary: my home"
        sent = picture("JPEG", (200, 100), exif=exif, comment=b"canary") + b"canary"
        body: dict[str, Any] = (
            {"files": {"file": ("c.jpg", sent, "image/jpeg")}} if form else {"content": sent}
        )
        assert (await tenant.http.delete(address)).status_code == 404
        answer = await tenant.http.post(address, **body)
        assert answer.status_code == 204, answer.text
        shown = await tenant.http.get(address, params={"size": 1024})
        assert seen(shown).size == (100, 200)  # never larger than it was
        assert b"canary" not in shown.content
        tag = {"If-None-Match": shown.headers["etag"]}
        same = await tenant.http.get(address, params={"size": 1024}, headers=tag)
        assert (same.status_code, same.content) == (304, b"")
        assert (await tenant.http.delete(address)).status_code == 204
        assert (await tenant.http.get(address)).status_code == 404


async def test_a_large_picture_is_taken_and_a_larger_one_is_not(world: World) -> None:
    tenant = await world.tenant()
    address, _ = await some_track(world, tenant)
    noise = np.random.default_rng(1).integers(0, 255, (1100, 1100, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, "PNG")
    assert 3_000_000 < len(out.getvalue()) < MAX_BYTES
    assert (await tenant.http.post(address, content=out.getvalue())).status_code == 204
    answer = await tenant.http.post(address, content=bytes(MAX_BYTES + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    answer = await tenant.http.post(address, content=bytes(MAX_BYTES + 100_000))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    "data", [b"", b"<svg onload='alert(1)'/>", picture("GIF"), huge_png(8000)],
    ids=["empty", "svg", "gif", "bomb"],
)  # fmt: skip
async def test_what_is_no_picture_is_refused(world: World, data: bytes) -> None:
    tenant = await world.tenant()
    for address in await some_track(world, tenant):
        answer = await tenant.http.post(address, content=data)
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_picture")
        form = await tenant.http.post(address, files={"file": ("x.png", data)})
        assert (form.status_code, form.json()["code"]) == (422, "bad_picture")
    assert await count(world) == 0


async def test_a_stranger_and_a_viewer_change_nothing(world: World) -> None:
    tenant, stranger = await world.tenant(), await world.tenant("Other")
    viewer = await world.colleague(tenant, "viewer")
    for address in await some_track(world, tenant):
        assert (await tenant.http.post(address, content=picture())).status_code == 204
        assert (await viewer.get(address)).status_code == 200
        assert (await viewer.post(address, content=picture())).status_code == 403
        assert (await viewer.delete(address)).status_code == 403
        assert (await stranger.http.get(address)).status_code == 404
        assert (await stranger.http.post(address, content=picture())).status_code == 404
        assert (await stranger.http.delete(address)).status_code == 404


async def test_covers_count_as_storage(world: World) -> None:
    tenant = await world.tenant()
    address, _ = await some_track(world, tenant)
    async with world.db.system() as session:
        await session.execute(text("UPDATE clients SET max_storage_gb = 0"))
    answer = await tenant.http.post(address, content=picture())
    assert (answer.status_code, answer.json()["code"]) == (409, "quota_exceeded")


async def test_covers_are_forgotten_when_nothing_has_them(world: World, tmp_path: Path) -> None:
    tenant = await world.tenant()
    folder = tmp_path / "in"
    folder.mkdir()
    covered(folder / "a.mp3", picture("PNG", (1200, 1200)))
    (track,) = await take(world, tenant, folder)
    address = f"{FOLDERS}{track['folder_id']}/cover/"
    assert (await tenant.http.post(address, content=picture())).status_code == 204
    assert await count(world) == 1 + 3 + 3
    assert (await tenant.http.delete(address)).status_code == 204
    await housekeeping.collect(world.db, blobs_of(world), world.clock)
    assert await count(world) == 1 + 3 + 3  # somebody may be about to use it
    async with world.db.system() as session:
        await session.execute(text("UPDATE covers SET updated_at = updated_at - interval '2 h'"))
    await housekeeping.collect(world.db, blobs_of(world), world.clock)
    assert await count(world) == 1 + 3
    assert (await tenant.http.get(f"{FILES}{track['id']}/cover/")).status_code == 200
    async with world.db.system() as session:  # as when the client is deleted
        await session.execute(text("DELETE FROM tracks"))
        assert await housekeeping.forget_some(session, blobs_of(world), tenant.id) == 2
        assert await housekeeping.forget_some(session, blobs_of(world), tenant.id) == 0
    assert await count(world) == 0


async def test_a_waveform_shows_where_it_is_loud(world: World, tmp_path: Path) -> None:
    tenant = await world.tenant()
    folder = tmp_path / "in"
    folder.mkdir()
    quiet, loud = np.zeros(96_000, np.int16), audio.sine(2, 100, 0.5)
    audio.encode(folder / "a.flac", np.concatenate([quiet, loud, quiet]))
    (track,) = await take(world, tenant, folder)
    shown = await tenant.read(f"/music/files/{track['id']}/peaks/")
    assert (shown["frames"], shown["frames_per_peak"]) == (288_000, 480)
    # a mono file plays on both sides, each 3 dB lower
    assert shown["peaks"] == [0] * 200 + [int(0.5 / 2**0.5 * 255)] * 200 + [0] * 200
    assert abs(shown["lead"] - 96_000) < 5
    assert abs(shown["tail"] - 96_000) < 5
    bare = await add_folder(world, tenant, ("Row",))
    (row,) = (await tenant.read("/music/files/", folder_id=str(bare)))["results"]
    assert (await tenant.http.get(f"{FILES}{row['id']}/peaks/")).status_code == 404
    other = await world.tenant("Other")
    assert (await other.http.get(f"{FILES}{UUID(track['id'])}/peaks/")).status_code == 404
