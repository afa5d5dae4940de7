"""tus 1.0 over HTTP: each rule of the protocol, and what hostile clients say."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from support.uploads import PATH, VERSION, begin, begun, metadata, parts, send, sent
from support.world import Tenant, World
from sync2gear_platform.library import uploads

DATA = bytes(range(256)) * 40


async def test_options_tell_what_is_spoken_here(world: World) -> None:
    anonymous = await world.http()
    answer = await anonymous.options(PATH)
    assert answer.status_code == 204
    assert answer.headers["tus-resumable"] == "1.0.0"
    assert answer.headers["tus-version"] == "1.0.0"
    assert answer.headers["tus-max-size"] == str(2 << 30)
    assert set(answer.headers["tus-extension"].split(",")) == {
        "creation", "creation-with-upload", "checksum", "termination", "expiration",
    }  # fmt: skip
    assert answer.headers["tus-checksum-algorithm"].split(",")[0] == "sha1"


async def test_from_the_first_byte_to_the_last(world: World) -> None:
    tenant = await world.tenant()
    answer = await begin(tenant.http, len(DATA), filename="a song.mp3", title="A song")
    assert answer.status_code == 201
    assert answer.headers["upload-offset"] == "0"
    assert answer.headers["upload-expires"].endswith(" GMT")
    place = answer.headers["location"]
    assert place.startswith(PATH)
    for at in range(0, len(DATA), 1000):
        piece = await send(tenant.http, place, at, DATA[at : at + 1000])
        assert piece.status_code == 204
        assert piece.headers["upload-offset"] == str(min(at + 1000, len(DATA)))
        asked = await tenant.http.head(place, headers=VERSION)
        assert asked.status_code == 200
        assert asked.headers["upload-offset"] == piece.headers["upload-offset"]
        assert asked.headers["upload-length"] == str(len(DATA))
        assert asked.headers["cache-control"] == "no-store"
        told = metadata(filename="a song.mp3", title="A song")
        assert asked.headers["upload-metadata"] == told
    (file,) = parts(world)
    assert file.read_bytes() == DATA
    shown = await tenant.read(place.removeprefix("/api/v1"))
    assert (shown["state"], shown["offset"]) == ("uploaded", len(DATA))
    assert (shown["filename"], shown["title"]) == ("a song.mp3", "A song")
    again = await send(tenant.http, place, len(DATA), b"")  # the last answer was lost
    assert (again.status_code, again.headers["upload-offset"]) == (204, str(len(DATA)))
    async with world.db.system() as session:
        jobs = await session.execute(
            text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'library:ingest'")
        )
        assert jobs.scalar_one() == 1


async def test_a_creation_may_bring_bytes(world: World) -> None:
    tenant = await world.tenant()
    headers = {
        **VERSION,
        "Upload-Length": str(len(DATA)),
        "Content-Type": "application/offset+octet-stream",
    }
    answer = await tenant.http.post(PATH, headers=headers, content=DATA[:500])
    assert (answer.status_code, answer.headers["upload-offset"]) == (201, "500")
    rest = await send(tenant.http, answer.headers["location"], 500, DATA[500:])
    assert rest.headers["upload-offset"] == str(len(DATA))
    empty = await tenant.http.post(PATH, headers={**VERSION, "Upload-Length": "0"})
    shown = await tenant.read(empty.headers["location"].removeprefix("/api/v1"))
    assert shown["state"] == "uploaded"
    headers["Content-Type"] = "text/plain"
    wrong = await tenant.http.post(PATH, headers=headers, content=DATA)
    assert wrong.status_code == 415


async def test_every_answer_of_the_protocol_has_its_status(world: World) -> None:
    tenant = await world.tenant()
    place = await begun(tenant.http, len(DATA))
    await send(tenant.http, place, 0, DATA[:100])
    for other in ({}, {"Tus-Resumable": "0.2.2"}):
        for answer in (
            await tenant.http.head(place, headers=other),
            await tenant.http.patch(place, headers=other, content=b"x"),
            await tenant.http.post(PATH, headers={**other, "Upload-Length": "1"}),
        ):
            assert answer.status_code == 412
            assert answer.headers["tus-version"] == "1.0.0"
    for at in (0, 99, 101, len(DATA)):
        answer = await send(tenant.http, place, at, DATA[at:])
        assert (answer.status_code, answer.json()["code"]) == (409, "offset_mismatch"), at
    wrong = await send(tenant.http, place, 100, b"x", **{"Content-Type": "text/plain"})
    assert (wrong.status_code, wrong.headers["tus-resumable"]) == (415, "1.0.0")
    more = await send(tenant.http, place, 100, DATA)
    assert more.status_code == 413
    assert (await tenant.http.head(place, headers=VERSION)).headers["upload-offset"] == "100"
    unknown = f"{PATH}{uuid4()}/"
    assert (await tenant.http.head(unknown, headers=VERSION)).status_code == 404
    assert (await send(tenant.http, unknown, 0, b"x")).status_code == 404
    large = await begin(tenant.http, (2 << 30) + 1)
    assert (large.status_code, large.json()["code"]) == (413, "too_large")
    deferred = await tenant.http.post(PATH, headers={**VERSION, "Upload-Defer-Length": "1"})
    assert deferred.status_code == 400
    anonymous = await world.http()
    nobody = await begin(anonymous, 10)
    assert (nobody.status_code, nobody.headers["tus-resumable"]) == (401, "1.0.0")


async def test_checksums(world: World) -> None:
    tenant = await world.tenant()
    place = await begun(tenant.http, len(DATA))

    def said(name: str, data: bytes) -> str:
        return f"{name} {base64.b64encode(hashlib.new(name, data).digest()).decode()}"

    at = 0
    for name in ("sha1", "sha256", "md5"):
        piece = DATA[at : at + 1000]
        spoilt = await send(
            tenant.http, place, at, piece[:-1] + b"!", **{"Upload-Checksum": said(name, piece)}
        )
        assert (spoilt.status_code, spoilt.json()["code"]) == (460, "checksum_mismatch")
        asked = await tenant.http.head(place, headers=VERSION)
        assert asked.headers["upload-offset"] == str(at)
        good = await send(tenant.http, place, at, piece, **{"Upload-Checksum": said(name, piece)})
        assert good.status_code == 204
        at += 1000
    for bad in ("crc32 AAAA", "sha1", "sha1 !!", "sha256 äö", ""):
        answer = await send(
            tenant.http,
            place,
            at,
            b"x",
            **{"Upload-Checksum": bad.encode("latin-1")},  # type: ignore[arg-type]  # bytes that are no ASCII
        )
        assert answer.status_code in {400, 460}, bad
    (file,) = parts(world)
    assert file.read_bytes() == DATA[:3000]


async def test_a_cancelled_upload_is_gone_and_its_room_is_free(world: World) -> None:
    tenant = await world.tenant()
    place = await begun(tenant.http, len(DATA))
    await send(tenant.http, place, 0, DATA[:100])
    assert (await tenant.http.delete(place, headers=VERSION)).status_code == 204
    assert (await tenant.http.head(place, headers=VERSION)).status_code == 410
    assert (await send(tenant.http, place, 100, DATA[100:])).status_code == 410
    assert parts(world) == []
    shown = await tenant.read(place.removeprefix("/api/v1"))
    assert (shown["state"], shown["code"], shown["retryable"]) == ("failed", "cancelled", False)
    assert (await tenant.http.delete(place)).status_code == 204  # forgotten for good
    assert (await tenant.http.get(place)).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Upload-Length": "-1"},
        {"Upload-Length": "1e3"},
        {"Upload-Length": "٣"},
        {"Upload-Length": "9" * 30},
        {"Upload-Length": ""},
        {"Upload-Metadata": "filename"},
        {"Upload-Metadata": "filename äö"},
        {"Upload-Metadata": "filename eA==,filename eA=="},
        {"Upload-Metadata": "filename eA==,,"},
        {"Upload-Metadata": "purpose /w=="},
        {"Upload-Metadata": metadata(purpose="announcement")},
        {"Upload-Metadata": metadata(purpose="virus")},
        {"Upload-Metadata": metadata(folder_id="../../etc")},
        {"Upload-Metadata": metadata(title=b"\xff")},
        {"Upload-Metadata": ",".join(f"k{n} eA==" for n in range(33))},
        {"Upload-Metadata": "k " + "A" * 4096},
    ],
)
async def test_headers_that_make_no_sense(world: World, headers: dict[str, str]) -> None:
    tenant = await world.tenant()
    raw = {k: v.encode() for k, v in {**VERSION, "Upload-Length": "5", **headers}.items()}
    answer = await tenant.http.post(PATH, headers=raw)
    if headers == {"Upload-Metadata": "filename"}:  # a key without a value is allowed
        assert answer.status_code == 201
        return
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_tus_header"), answer.text
    assert (await tenant.read("/music/uploads/"))["results"] == []


async def test_names_from_outside_become_inert_text(world: World) -> None:
    tenant = await world.tenant()
    for given, shown in {
        "../../etc/passwd": "passwd",
        r"C:\Music\a.mp3": "a.mp3",
        "a\nb\x00.mp3": r"a\x0ab\x00.mp3",
        "": "unnamed",
        "x" * 400 + ".mp3": None,
    }.items():
        place = await begun(tenant.http, 5, filename=given)
        row = await tenant.read(place.removeprefix("/api/v1"))
        assert row["filename"].isprintable()
        assert len(row["filename"]) <= 255
        assert shown is None or row["filename"] == shown
    assert parts(world) == []  # nothing is made before the first byte


async def test_nobody_sends_to_another_clients_upload(world: World) -> None:
    mine, theirs = await world.tenant("Mine"), await world.tenant("Theirs")
    place = await begun(mine.http, len(DATA))
    folder = await mine.make("/music/folders/", name="Mine")
    stolen = await begin(theirs.http, 5, folder_id=folder["id"])
    assert stolen.status_code == 404
    for answer in (
        await theirs.http.head(place, headers=VERSION),
        await send(theirs.http, place, 0, DATA),
        await theirs.http.delete(place, headers=VERSION),
        await theirs.http.get(place),
        await theirs.http.post(f"{place}retry/"),
    ):
        assert answer.status_code == 404
    assert (await theirs.read("/music/uploads/"))["results"] == []
    viewer = await world.colleague(mine, "viewer")
    assert (await begin(viewer, 5)).status_code == 403
    assert (await viewer.get(PATH)).json()["results"][0]["offset"] == 0


async def cut_off(world: World, tenant: Tenant, place: str, data: bytes) -> None:
    """PATCH ``data`` with a line that breaks after it."""
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": data, "more_body": True},
        {"type": "http.disconnect"},
    ]
    headers = {
        "host": "platform.test",
        "authorization": tenant.http.headers["authorization"],
        "tus-resumable": "1.0.0",
        "content-type": "application/offset+octet-stream",
        "upload-offset": "0",
    }
    scope = {
        "type": "http", "method": "PATCH", "path": place, "raw_path": place.encode(),
        "query_string": b"", "http_version": "1.1", "scheme": "http", "root_path": "",
        "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
        "client": ("127.0.0.1", 1), "server": ("platform.test", 80),
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def nobody(_: Any) -> None:
        """Nobody is there any more to hear it."""

    await world.app(scope, receive, nobody)


async def test_a_broken_line_loses_nothing_that_came(world: World) -> None:
    tenant = await world.tenant()
    place = await begun(tenant.http, len(DATA))

    await cut_off(world, tenant, place, DATA[:4000])
    asked = await tenant.http.head(place, headers=VERSION)
    assert asked.headers["upload-offset"] == "4000"
    rest = await send(tenant.http, place, 4000, DATA[4000:])
    assert rest.headers["upload-offset"] == str(len(DATA))
    (file,) = parts(world)
    assert file.read_bytes() == DATA


async def test_two_senders_at_once_spoil_nothing(world: World) -> None:
    tenant = await world.tenant()
    data = bytes(range(256)) * 12_000  # three pieces of a megabyte
    place = await begun(tenant.http, len(data))

    async def slowly() -> AsyncIterator[bytes]:
        for at in range(0, len(data), 65_536):
            yield data[at : at + 65_536]
            await asyncio.sleep(0)

    answers = await asyncio.gather(*(send(tenant.http, place, 0, slowly()) for _ in range(4)))
    assert {a.status_code for a in answers} <= {204, 409}
    at = int((await tenant.http.head(place, headers=VERSION)).headers["upload-offset"])
    await send(tenant.http, place, at, data[at:])
    (file,) = parts(world)
    assert file.read_bytes() == data


async def limited(world: World, tenant: Tenant, gigabytes: int) -> None:
    async with world.db.system() as session:
        await session.execute(
            text("UPDATE clients SET max_storage_gb = :gb WHERE id = :id"),
            {"gb": gigabytes, "id": tenant.id},
        )


async def test_twenty_at_once_do_not_exceed_the_quota(world: World) -> None:
    tenant = await world.tenant()
    await limited(world, tenant, 1)
    answers = await asyncio.gather(*(begin(tenant.http, 90_000_000) for _ in range(20)))
    codes = [a.status_code for a in answers]
    assert codes.count(201) == 11  # of 90 MB in a gigabyte
    refused = next(a for a in answers if a.status_code != 201)
    assert (refused.status_code, refused.json()["code"]) == (409, "quota_exceeded")
    place = next(a.headers["location"] for a in answers if a.status_code == 201)
    await tenant.http.delete(place, headers=VERSION)
    assert (await begin(tenant.http, 90_000_000)).status_code == 201
    other = await world.tenant("Other")
    assert (await begin(other.http, 90_000_000)).status_code == 201


async def test_unfinished_uploads_are_counted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MAX_OPEN", 2)
    tenant = await world.tenant()
    assert [(await begin(tenant.http, 5)).status_code for _ in range(3)] == [201, 201, 409]


async def test_lists_show_what_is_on_its_way(world: World) -> None:
    tenant = await world.tenant()
    await sent(tenant, DATA, filename="whole.mp3")
    await begun(tenant.http, 5, filename="half.mp3")
    listed: Any = await tenant.read("/music/uploads/", state="receiving", count=True)
    assert [u["filename"] for u in listed["results"]] == ["half.mp3"]
    listed = await tenant.read("/music/uploads/", search="WHOLE")
    assert [u["state"] for u in listed["results"]] == ["uploaded"]
