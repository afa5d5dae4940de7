"""Plain forms: one file, many with an outcome each, and forms that are none."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from support import audio
from support.uploads import ingested, parts
from support.world import Tenant, World
from sync2gear_platform.identity.tables import Client

ONE, MANY = "/api/v1/music/upload/", "/api/v1/music/upload/batch/"
HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'


async def post(
    tenant: Tenant, path: str, files: Any, data: dict[str, str] | None = None, **query: str
) -> httpx2.Response:
    return await tenant.http.post(path, files=files, data=data or {}, params=query)


async def test_one_file_becomes_a_track(world: World, tmp_path: Path) -> None:
    tenant = await world.tenant()
    folder = await tenant.make("/music/folders/", name="New")
    data = audio.wav_bytes(audio.sine(1.5))
    answer = await post(
        tenant, ONE, {"file": ("a song.wav", data)}, folder_id=folder["id"], title="So"
    )
    assert answer.status_code == 202
    assert (answer.json()["state"], answer.json()["size"]) == ("uploaded", len(data))
    done = await ingested(world, tenant, answer.json()["id"])
    track = await tenant.read(f"/music/files/{done['track_id']}/")
    assert (track["title"], track["filename"]) == ("So", "a song.wav")
    assert track["folder_id"] == folder["id"]
    assert parts(world) == []


async def test_many_files_have_an_outcome_each(world: World, tmp_path: Path) -> None:
    tenant = await world.tenant()
    folder = await tenant.make("/music/folders/", name="New")
    files = [("files", (f"{n}.wav", audio.tiny_wav(n))) for n in range(4)]
    files.append(("files", ("empty.wav", b"")))
    answer = await post(tenant, MANY, files, {"folder_id": folder["id"], "unknown": "x"})
    assert answer.status_code == 202
    results = answer.json()["results"]
    assert [r["filename"] for r in results] == [*(f"{n}.wav" for n in range(4)), "empty.wav"]
    assert {r["upload"]["folder_id"] for r in results} == {folder["id"]}
    done = [await ingested(world, tenant, r["upload"]["id"]) for r in results]
    assert [d["code"] for d in done] == [""] * 4 + ["empty"]
    assert (await tenant.read("/music/files/", count=True))["count"] == 4


async def test_what_does_not_fit_is_told_file_by_file(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync2gear_platform.library.shelving.GIGABYTE", 250_000)
    tenant = await world.tenant()
    async with world.ctx() as ctx:
        (await ctx.db.get_one(Client, tenant.id)).max_storage_gb = 1
    large, small = b"x" * 200_000, b"y" * 20_000
    files = [("files", (n, d)) for n, d in (("a", large), ("b", large), ("c", small))]
    results = (await post(tenant, MANY, files)).json()["results"]
    assert [r["code"] for r in results] == ["", "quota_exceeded", ""]
    assert results[1]["upload"] is None
    alone = await post(tenant, ONE, {"file": ("d", large)})
    assert (alone.status_code, alone.json()["code"]) == (409, "quota_exceeded")
    assert len(parts(world)) == 2


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", b"--b--\r\n"),
        ("multipart/form-data; boundary=b", b"no form at all"),
        ("multipart/form-data; boundary=b", HEAD + b"cut"),
        ("multipart/form-data; boundary=b", HEAD.replace(b"\r\n\r\n", b"\r\nX: " + b"y" * 9000)),
        ("multipart/form-data; boundary=" + "b" * 300, HEAD),
        ("multipart/form-data", HEAD),
        ("application/json", b"{}"),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="folder_id"\r\n\r\n../..\r\n' + HEAD
            + b"\r\n--b--\r\n",
        ),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="folder_id"\r\n\r\n' + b"x" * 5000
            + b"\r\n--b--\r\n",
        ),
    ],
)  # fmt: skip
async def test_forms_that_are_none(world: World, content_type: str, body: bytes) -> None:
    tenant = await world.tenant()
    for path in (ONE, MANY):
        headers = {"Content-Type": content_type}
        answer = await tenant.http.post(path, content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_form"), answer.text
    assert parts(world) == []
    live = await tenant.read("/music/uploads/", state="receiving")
    assert live["results"] == []


async def test_a_form_without_length_and_one_to_nowhere(world: World) -> None:
    tenant = await world.tenant()
    headers = {"Content-Type": "multipart/form-data; boundary=b", "Content-Length": ""}
    answer = await tenant.http.post(ONE, content=HEAD, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (411, "length_required")
    nowhere = await post(tenant, ONE, {"file": ("a", b"x")}, folder_id=str(uuid4()))
    assert nowhere.status_code == 404
    viewer = await world.colleague(tenant, "viewer")
    assert (await viewer.post(ONE, files={"file": ("a", b"x")})).status_code == 403
