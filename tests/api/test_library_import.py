"""Reading folders of strangers into the library."""

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import mutagen
import pytest
from sqlalchemy import text

from support import audio
from support.probes import probes
from support.world import Tenant, World
from sync2gear_platform.kit.blobs import Folder, open_blobs
from sync2gear_platform.library import housekeeping, service
from sync2gear_platform.library.probe import Unfit
from sync2gear_platform.library.prober import Prober
from sync2gear_platform.library.tables import Import
from sync2gear_platform.library.walk import walk


def blobs_of(world: World) -> Folder:
    blobs = open_blobs(world.settings.blobs_url)
    assert isinstance(blobs, Folder)
    return blobs


async def take(world: World, tenant: Tenant, path: Path, name: str = "Music") -> Import:
    return await service.import_folder(world.db, blobs_of(world), tenant.id, path, name)


async def items(tenant: Tenant, row: Import) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    path: str | None = f"/api/v1/music/imports/{row.id}/items/?page_size=200"
    while path:
        answer = (await tenant.http.get(path)).json()
        found.update({item["name"]: item for item in answer["results"]})
        path = answer["next"]
    return found


def stored(blobs: Folder) -> list[Path]:
    return [p for p in blobs.root.rglob("*") if p.is_file()]


async def test_real_containers_are_taken_with_their_tags_and_lengths(
    world: World, tmp_path: Path
) -> None:
    tenant = await world.tenant()
    folder = tmp_path / "in"
    folder.mkdir()
    for number, suffix in enumerate(("wav", *audio.CODECS)):
        tags = {} if suffix in {"wav", "mka", "aiff", "aac", "webm"} else {
            "title": f"Title {suffix}", "artist": "Ärtist", "album": "Album", "date": "1999-04-01",
            "composer": "Clara Schumann",
        }  # fmt: skip
        audio.encode(folder / f"{number} {suffix}.{suffix}", audio.sine(1.5, 300 + number), **tags)
    row = await take(world, tenant, folder)
    assert (row.state, row.found, row.imported, row.rejected) == ("done", 10, 10, 0)
    tracks = (await tenant.read("/music/files/", folder_id=str(row.folder_id)))["results"]
    assert [t["position"] for t in tracks] == list(range(1, 11))
    by_suffix = {t["filename"].rpartition(".")[2]: t for t in tracks}
    mp3 = by_suffix["mp3"]
    assert (mp3["title"], mp3["artist"], mp3["year"]) == ("Title mp3", "Ärtist", 1999)
    assert by_suffix["wav"]["title"] == "0 wav"
    assert {track["composer"] for track in tracks if track["artist"]} == {"Clara Schumann"}
    for track in tracks:
        assert 1490 <= track["duration_millis"] <= 1560, track
    async with world.ctx(tenant.id) as ctx:
        for track, media in await service.folder_media(ctx, row.folder_id or UUID(int=0)):
            wire = service.wire_media(track, media)
            assert wire.frames == media.frames
            assert abs(wire.frames - 72_000) < 2_600, (media.codec, media.frames)
            # A mono sine of level 0.25 is at -15 LUFS: brought down to -16 by about 1 dB.
            assert -200 < wire.gain < 80, (media.codec, wire.gain)


async def test_odd_files_are_listed_with_a_reason_and_never_fatal(
    world: World, tmp_path: Path
) -> None:
    tenant = await world.tenant()
    odd = audio.odd_files(tmp_path / "in")
    row = await take(world, tenant, tmp_path / "in")
    assert row.state == "done"
    found = await items(tenant, row)
    assert {name: item["code"] for name, item in found.items()} == {o.name: o.code for o in odd}
    for item in found.values():
        assert bool(item["detail"]) == (item["outcome"] == "rejected") == (item["track_id"] is None)
    # What is one content under two names is one track.
    same = {found[n]["track_id"] for n in ("fine.mp3", "called flac.flac")}
    assert len(same) == 1
    assert {found[n]["outcome"] for n in ("fine.mp3", "called flac.flac")} == {
        "imported",
        "duplicate",
    }
    counted = row.imported + row.duplicates + row.rejected
    assert counted == row.found == len(odd)
    assert len(stored(blobs_of(world))) == row.imported


async def test_hostile_names_are_kept_as_inert_text(world: World, tmp_path: Path) -> None:
    tenant = await world.tenant()
    count = audio.hostile_files(tmp_path / "in")
    row = await take(world, tenant, tmp_path / "in", "a/+#\U0001f3b5")
    assert (row.imported, row.rejected) == (count, 0)
    found = await items(tenant, row)
    assert len(found) == count
    assert all(name.isprintable() and len(name) <= 255 for name in found)
    assert r"new\x0aline.wav" in found
    assert r"\xff\xfe not utf-8 \x80.wav" in found
    for file in stored(blobs_of(world)):
        relative = str(file.relative_to(blobs_of(world).root))
        assert set(relative) <= set("0123456789abcdef/"), relative


async def test_importing_again_takes_nothing_twice(world: World, tmp_path: Path) -> None:
    tenant = await world.tenant()
    audio.tiny_files(tmp_path / "in", 20)
    first = await take(world, tenant, tmp_path / "in")
    again = await take(world, tenant, tmp_path / "in")
    assert (first.imported, first.duplicates) == (20, 0)
    assert (again.imported, again.duplicates) == (0, 20)
    assert again.folder_id == first.folder_id
    elsewhere = await take(world, tenant, tmp_path / "in", "Elsewhere")
    assert (elsewhere.imported, elsewhere.duplicates) == (0, 20)
    for folder_id in (first.folder_id, elsewhere.folder_id):
        listed = await tenant.read("/music/files/", folder_id=str(folder_id), count=True)
        assert listed["count"] == 20
    assert len(stored(blobs_of(world))) == 20


async def test_the_same_sound_in_another_file_is_a_duplicate(world: World, tmp_path: Path) -> None:
    tenant = await world.tenant()
    folder = tmp_path / "in"
    folder.mkdir()
    tune = audio.sine(2, 523, rate=44_100)
    for name in ("a.flac", "b.wav", "c.aiff"):
        audio.encode(folder / name, tune, rate=44_100)
    audio.encode(folder / "d.mp3", audio.sine(2, 659), title="Before")
    first = await take(world, tenant, folder)
    assert (first.imported, first.duplicates) == (2, 2)
    retagged = mutagen.File(folder / "d.mp3", easy=True)
    retagged["title"] = "After"
    retagged.save(folder / "d.mp3")
    again = await take(world, tenant, folder)
    assert (again.imported, again.duplicates, again.rejected) == (0, 4, 0)
    found = await items(tenant, again)
    assert len({found[n]["track_id"] for n in ("a.flac", "b.wav", "c.aiff")}) == 1
    tracks = (await tenant.read("/music/files/"))["results"]
    assert sorted(t["title"] for t in tracks) == ["Before", "a"]
    assert len(stored(blobs_of(world))) == 2
    other = await world.tenant("Other")
    assert (await take(world, other, folder)).imported == 2


async def test_clients_share_bytes_but_nothing_else(world: World, tmp_path: Path) -> None:
    mine, theirs = await world.tenant("Mine"), await world.tenant("Theirs")
    audio.tiny_files(tmp_path / "in", 3)
    await take(world, mine, tmp_path / "in")
    row = await take(world, theirs, tmp_path / "in")
    assert row.imported == 3
    assert len(stored(blobs_of(world))) == 3
    assert (await mine.read("/music/files/", count=True))["count"] == 3
    assert (await mine.http.get(f"/api/v1/music/imports/{row.id}/")).status_code == 404


async def test_a_full_storage_refuses_with_a_reason(world: World, tmp_path: Path) -> None:
    tenant = await world.tenant()
    audio.tiny_files(tmp_path / "in", 3)
    async with world.db.system() as session:
        await session.execute(text("UPDATE clients SET max_storage_gb = 0"))
    row = await take(world, tenant, tmp_path / "in")
    assert (row.state, row.imported, row.rejected) == ("done", 0, 3)
    assert {i["code"] for i in (await items(tenant, row)).values()} == {"quota_exceeded"}
    assert stored(blobs_of(world)) == []


async def test_a_folder_that_is_not_there_fails_the_import(world: World, tmp_path: Path) -> None:
    tenant = await world.tenant()
    with pytest.raises(FileNotFoundError):
        await take(world, tenant, tmp_path / "nowhere")
    listed = (await tenant.read("/music/imports/"))["results"]
    assert [row["state"] for row in listed] == ["failed"]


async def test_deep_and_hidden_folders(world: World, tmp_path: Path) -> None:
    tenant = await world.tenant()
    deep = tmp_path / "in" / "/".join("d" * 20)
    deep.mkdir(parents=True)
    (deep / "too deep.wav").write_bytes(audio.tiny_wav(1))
    hidden = tmp_path / "in" / ".hidden"
    hidden.mkdir()
    (hidden / "a.wav").write_bytes(audio.tiny_wav(2))
    (tmp_path / "in" / "d" / "ok.wav").write_bytes(audio.tiny_wav(3))
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in")
    row = await take(world, tenant, tmp_path / "in")
    codes = {name: item["code"] for name, item in (await items(tenant, row)).items()}
    assert codes.pop("d/ok.wav") == ""
    assert codes.pop("loop") == "not_a_file"
    assert list(codes.values()) == ["too_deep"]


def test_a_walk_ends_where_it_must(tmp_path: Path) -> None:
    audio.tiny_files(tmp_path, 5)
    entries = list(walk(tmp_path, max_files=2))
    assert [e.code for e in entries] == ["", "", "too_many"]
    with pytest.raises(NotADirectoryError):
        list(walk(tmp_path / "00" / "track 0.wav"))


async def test_the_probe_as_a_program(tmp_path: Path) -> None:
    file = tmp_path / "-fine; rm.wav"
    file.write_bytes(audio.tiny_wav(1))

    async def run(*arguments: str) -> tuple[int | None, bytes]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "sync2gear_platform.library.probe",
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        output, _ = await process.communicate()
        return process.returncode, output

    code, output = await run(str(file))
    assert (code, json.loads(output)["sound"]["frames"]) == (0, 480)
    code, output = await run(str(tmp_path / "missing"))
    assert (code, json.loads(output)) == (0, {"code": "unreadable"})
    assert await run() == (2, b"")


IMPORTER = """
import asyncio, sys
from pathlib import Path
from uuid import UUID
from sync2gear_platform.kit.blobs import open_blobs
from sync2gear_platform.kit.db import Database
from sync2gear_platform.library import service

async def main():
    url, blobs, client, path = sys.argv[1:]
    await service.import_folder(
        Database(url), open_blobs(blobs), UUID(client), Path(path), "Music",
        progress=lambda row: print(row.imported, flush=True),
    )

asyncio.run(main())
"""


async def test_killed_in_the_middle_it_goes_on_without_repeating(
    world: World, tmp_path: Path
) -> None:
    tenant = await world.tenant()
    audio.tiny_files(tmp_path / "in", 300)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        IMPORTER,
        world.settings.database_url.get_secret_value(),
        world.settings.blobs_url,
        str(tenant.id),
        str(tmp_path / "in"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        assert await process.stdout.readline() == b"50\n"
    os.kill(process.pid, signal.SIGKILL)
    await process.communicate()
    staging = blobs_of(world).root / "staging"
    (staging / "left by a writer that died").write_bytes(b"half")

    begun = (await tenant.read("/music/imports/"))["results"][0]
    assert begun["state"] == "running"
    assert 50 <= begun["imported"] < 300
    row = await service.import_folder(
        world.db,
        blobs_of(world),
        tenant.id,
        tmp_path / "in",
        "Music",
        import_id=UUID(begun["id"]),
    )
    assert (row.state, row.found, row.imported, row.duplicates) == ("done", 300, 300, 0)
    listed = await tenant.read("/music/files/", count=True)
    assert listed["count"] == 300
    assert len(stored(blobs_of(world))) == 300
    assert not any(staging.iterdir())


async def test_what_nothing_refers_to_is_forgotten(world: World, tmp_path: Path) -> None:
    mine, theirs = await world.tenant("Mine"), await world.tenant("Theirs")
    audio.tiny_files(tmp_path / "in", 3)
    await take(world, mine, tmp_path / "in")
    (tmp_path / "in" / "00" / "track 2.wav").unlink()
    await take(world, theirs, tmp_path / "in")
    spoken = await mine.make("/announcements/tts/", text="I stay.")
    blobs = blobs_of(world)
    async with blobs.stage(b"of a writer that died before its commit") as staged:
        await staged.keep()
    tracks = (await mine.read("/music/files/"))["results"]
    for track in tracks[1:]:
        await mine.http.delete(f"/api/v1/music/files/{track['id']}/")
    assert (await housekeeping.collect(world.db, blobs, world.clock))[:2] == (0, 1)
    async with world.db.system() as session:
        await session.execute(text("UPDATE media SET created_at = created_at - interval '2 hours'"))
    # Mine lost 1 and 2; theirs still has the bytes of 1, nobody those of 2.
    assert (await housekeeping.collect(world.db, blobs, world.clock))[:2] == (2, 1)
    kept = {path.name for path in stored(blobs)}
    assert kept == {tracks[0]["sha256"], tracks[1]["sha256"], spoken["sha256"]}
    assert (await housekeeping.collect(world.db, blobs, world.clock))[:2] == (0, 0)


async def test_probes_that_die_or_hang_are_replaced(tmp_path: Path) -> None:
    data = audio.tiny_wav(1)
    file = tmp_path / "fine.wav"
    file.write_bytes(data)
    patience = 60.0
    async with Prober(1, lambda size: patience) as prober:

        async def ask() -> str:
            try:
                await prober.examine(file, len(data))
            except Unfit as unfit:
                return unfit.code
            return ""

        assert await ask() == ""
        (child,) = probes()
        os.kill(child, signal.SIGKILL)
        assert await ask() == ""
        (another,) = probes()
        assert another != child
        os.kill(another, signal.SIGSTOP)
        patience = 0.5
        assert await ask() == "timeout"
        patience = 60.0
        assert await ask() == ""
    assert probes() == []


@pytest.mark.soak
@pytest.mark.timeout(1800)
async def test_ten_thousand_tiny_files(world: World, tmp_path: Path) -> None:
    tenant = await world.tenant()
    audio.tiny_files(tmp_path / "in", 10_000)
    began = time.monotonic()
    row = await take(world, tenant, tmp_path / "in")
    seconds = time.monotonic() - began
    print(f"10,000 tiny files: {10_000 / seconds:.0f} files/s")  # noqa: T201 - a figure
    assert (row.imported, row.rejected) == (10_000, 0)
    assert seconds < 900
