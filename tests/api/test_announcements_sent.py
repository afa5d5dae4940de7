"""Announcements that are sent: files, what a browser records, and what is no announcement."""

import io
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from sqlmodel import select

from support import audio
from support.uploads import VERSION, begin, ingested, send
from support.world import Tenant, World
from sync2gear_platform.announcements import levels, studio
from sync2gear_platform.announcements.text_tables import Joined
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.library import probe
from sync2gear_platform.library.tables import Upload

UPLOADS = "/api/v1/announcements/uploads/"
FILE, RECORDING = "/api/v1/announcements/upload/", "/api/v1/announcements/recording/"
SPOKEN = 48_000 * 3 // 2
"""Frames of tone in a recording, between two seconds of silence."""


def webm(folder: Path, tone: bool = True) -> bytes:
    """What a browser's MediaRecorder makes: Opus in WebM as it is spoken, no length, no index."""
    silence = np.zeros(2 * 48_000, np.int16)
    sound = audio.sine(1.5) if tone else silence
    whole = np.concatenate([silence, sound, silence])
    return audio.encode(folder / "live.webm", whole, options={"live": "1"}).read_bytes()


async def posted(tenant: Tenant, path: str, name: str, data: bytes, **query: str) -> str:
    answer = await tenant.http.post(path, files={"file": (name, data)}, params=query)
    assert answer.status_code == 202, answer.text
    assert answer.json()["state"] == "uploaded"
    return str(answer.json()["id"])


async def test_a_recording_is_heard_from_word_to_word(world: World, tmp_path: Path) -> None:
    tenant = await world.tenant()
    folder = await tenant.make("/music/folders/", name="Calls", type="announcement")
    data = webm(tmp_path)
    one = await posted(
        tenant, RECORDING, "recording.webm", data, title="Table four", folder_id=folder["id"]
    )
    assert (await tenant.read("/announcements/"))["results"] == []  # nothing before it is ready
    done = await ingested(world, tenant, one, "announcements")
    assert (done["state"], done["code"], done["purpose"]) == ("ready", "", "recording")
    made = await tenant.read(f"/announcements/{done['announcement_id']}/")
    assert (made["title"], made["state"], made["folder_id"]) == (
        "Table four",
        "ready",
        folder["id"],
    )
    assert (made["is_tts"], made["is_recording"]) == (False, True)
    assert made["created_by"] is not None
    heard = await tenant.http.get(f"/api/v1/announcements/{made['id']}/audio/")
    sound = probe.measure_bytes(heard.content)
    # Opus rings a little before and after: a twentieth of a second at either end.
    assert abs(sound.frames - SPOKEN - 2 * levels.MARGIN) < 4800
    assert made["duration_millis"] == sound.frames // 48
    assert [
        r["id"] for r in (await tenant.read("/announcements/", kind="recording"))["results"]
    ] == [made["id"]]
    zone = await tenant.make("/zones/", name="Bar")
    played = await tenant.http.post(
        f"/api/v1/announcements/{made['id']}/play-instant/", json={"zone_ids": [zone["id"]]}
    )
    assert played.status_code == 202, played.text

    link = await tenant.read(f"/announcements/{made['id']}/link/")
    anybody = await world.http()
    path = "/api/v1/" + link["url"].partition("/api/v1/")[2]
    assert (await anybody.get(path)).content == heard.content
    other = await world.tenant("Other")
    for foreign in (f"announcements/{made['id']}/link/", f"announcements/uploads/{one}/"):
        assert (await other.http.get(f"/api/v1/{foreign}")).status_code == 404


async def test_a_file_is_sent_piece_by_piece_and_stays_as_it_was(
    world: World, tmp_path: Path
) -> None:
    tenant = await world.tenant()
    path = audio.encode(tmp_path / "a.mp3", audio.sine(1.5), title="Welcome")
    data = path.read_bytes()
    begun = await begin(tenant.http, len(data), path=UPLOADS, filename="01 a.mp3")
    place = begun.headers["location"]
    assert place.startswith(UPLOADS)
    for at in (0, 1000):
        await send(tenant.http, place, at, data[at : 1000 if at == 0 else None])
    one = place.strip("/").rpartition("/")[2]
    foreign = await world.tenant("Other")
    assert (await foreign.http.head(place, headers=VERSION)).status_code == 404
    assert (await tenant.http.get(f"/api/v1/music/uploads/{one}/")).status_code == 404
    done = await ingested(world, tenant, one, "announcements")
    made = await tenant.read(f"/announcements/{done['announcement_id']}/")
    assert (made["title"], made["is_tts"], made["is_recording"]) == ("Welcome", False, False)
    heard = await tenant.http.get(f"/api/v1/announcements/{made['id']}/audio/")
    assert heard.content == data
    refused = await tenant.http.patch(
        f"/api/v1/announcements/{made['id']}/", json={"text": "No voice"}
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "not_spoken")
    # two announcements may sound the same: one of them is removed without the other
    again = await posted(tenant, FILE, "b.mp3", data, title="Again")
    twin = await ingested(world, tenant, again, "announcements")
    await tenant.http.delete(f"/api/v1/announcements/{made['id']}/")
    kept = await tenant.read(f"/announcements/{twin['announcement_id']}/")
    assert (kept["title"], kept["sha256"]) == ("Again", made["sha256"])


async def test_what_is_no_announcement_is_refused(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(levels, "MAX_SPLICED", 48_000 * 3)
    tenant = await world.tenant()
    for path, name, data, code in (
        (RECORDING, "silent.webm", webm(tmp_path, tone=False), "silent"),
        (FILE, "list.mp3", b"#EXTM3U\nhttp://127.0.0.1/x.mp3\n", "playlist"),
        (FILE, "empty.mp3", b"", "empty"),
        (FILE, "long.wav", audio.wav_bytes(audio.sine(3.1)), "announcement_too_long"),
    ):
        done = await ingested(
            world, tenant, await posted(tenant, path, name, data), "announcements"
        )
        assert (done["state"], done["code"]) == ("failed", code)
        assert done["detail"]
    assert (await tenant.read("/announcements/"))["results"] == []
    music = await tenant.make("/music/folders/", name="Songs")
    wrong = await tenant.http.post(
        FILE, files={"file": ("a", io.BytesIO(b"x"))}, params={"folder_id": music["id"]}
    )
    assert (wrong.status_code, wrong.json()["code"]) == (422, "wrong_folder")
    said = await tenant.make("/music/folders/", name="Said", type="announcement")
    answers = [
        await tenant.http.post("/api/v1/music/upload/", files={"file": ("a", b"x")},
                               params={"folder_id": said["id"]}),
        await tenant.http.post(f"/api/v1/music/folders/{said['id']}/import/", content=b"#EXTM3U\n",
                               headers={"Content-Type": "application/octet-stream"}),
    ]  # fmt: skip
    assert [(a.status_code, a.json()["code"]) for a in answers] == [(422, "wrong_folder")] * 2
    for role in ("viewer", "technician"):
        http = await world.colleague(tenant, role)
        for path in (FILE, RECORDING):
            assert (await http.post(path, files={"file": ("a", b"x")})).status_code == 403


async def test_joins_that_nobody_uses_are_forgotten(world: World, tmp_path: Path) -> None:
    tenant = await world.tenant()
    one = await posted(tenant, RECORDING, "r.webm", webm(tmp_path))
    await ingested(world, tenant, one, "announcements")

    async def kept(ctx: Ctx) -> int:
        return len((await ctx.db.exec(select(Joined))).all())

    async with world.ctx() as ctx:
        assert await kept(ctx) == 1
        assert await studio.forget_joins(ctx, ctx.now - timedelta(days=7)) == 0
        assert await studio.forget_joins(ctx, ctx.now + timedelta(days=7)) == 1
        assert await kept(ctx) == 0
    async with world.ctx(tenant.id) as ctx:
        row = await ctx.db.get_one(Upload, UUID(one))
        assert row.announcement_id is not None  # the announcement holds its sound itself
