"""Long texts: written down first, spoken by a worker, failed with a reason, tried again."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from support import google_speech
from support.google_speech import KEY, GoogleSpeech
from support.speaking import desk, spoken
from support.world import Tenant, World
from sync2gear_platform.announcements import accounts, housekeeping, rendering
from sync2gear_platform.announcements.rules import AT_ONCE
from sync2gear_platform.announcements.speech_tables import Rendered, SpeechCall
from sync2gear_platform.announcements.tables import Announcement
from sync2gear_platform.kit import events, listen

TTS = "/api/v1/announcements/tts/"
LONG = "We close in ten minutes, please come to the till. " * 8
VOICE = "en-US-Neural2-C"
assert len(LONG) > AT_ONCE


@pytest.fixture
def google() -> Iterator[GoogleSpeech]:
    """Google's service on a socket."""
    with google_speech.rest() as service:
        yield service


async def offered(world: World, google: GoogleSpeech, **more: Any) -> None:
    staff = await world.staff("admin")
    body = {
        "kind": "google", "name": "Google", "priority": 10, "api_key": KEY, "is_default": True,
        "settings": {"endpoint": google.endpoint}, "unit_price": 16, **more,
    }  # fmt: skip
    answer = await staff.post("/api/v1/admin/ai-providers/", json=body)
    assert answer.status_code == 201, answer.text


async def waiting(world: World) -> int:
    async with world.db.system() as session:
        found = text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = :task")
        told = await session.execute(found, {"task": "announcements:render"})
        return int(told.scalar_one())


async def changed(world: World, tenant: Tenant, made: dict[str, Any], **body: Any) -> Any:
    answer = await tenant.http.patch(f"/api/v1/announcements/{made['id']}/", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_long_text_is_spoken_behind_the_request(world: World, google: GoogleSpeech) -> None:
    await offered(world, google)
    tenant = await world.tenant()
    zone = (await tenant.make("/zones/", name="Bar"))["id"]
    made = await tenant.make("/announcements/tts/", text=LONG, voice=VOICE)
    assert (made["state"], made["sha256"], made["duration_millis"]) == ("rendering", None, 0)
    assert (len(google.spoken), await waiting(world)) == (0, 1)
    path = f"/api/v1/announcements/{made['id']}/"
    early = await tenant.http.post(f"{path}play-instant/", json={"zone_ids": [zone]})
    assert (early.status_code, early.json()["code"]) == (409, "not_ready")
    early = await tenant.http.post(f"{path}retry/")
    assert (early.status_code, early.json()["code"]) == (409, "not_failed")
    async with await listen.connect(world.db.url) as connection:
        await listen.listen(connection, events.CHANNEL)
        shown = await spoken(world, tenant, made["id"])
        async with asyncio.timeout(30):
            async for _, payload in listen.signals(connection):
                if payload == f"{tenant.id} announcement {made['id']}":
                    break
    assert (shown["state"], shown["spoken_provider"]) == ("ready", "Google")
    assert shown["duration_millis"] > 1000
    played = await tenant.http.post(f"{path}play-instant/", json={"zone_ids": [zone]})
    assert played.status_code == 202
    again = await spoken(world, tenant, made["id"])  # a job that was rescued in vain
    assert (again["updated_at"], len(google.spoken)) == (shown["updated_at"], 1)
    # What was spoken before needs no worker, however long it is.
    twin = await tenant.make("/announcements/tts/", text=LONG, voice=VOICE, title="Again")
    assert (twin["state"], twin["sha256"]) == ("ready", shown["sha256"])
    # Another long text is no more the old sound; the last text is the one that is spoken.
    other = await changed(world, tenant, made, text=LONG + "Now.")
    assert (other["state"], other["sha256"]) == ("rendering", None)
    back = await changed(world, tenant, made, text="Short.")
    assert (back["state"], back["failure"]) == ("ready", "")
    assert (await spoken(world, tenant, made["id"]))["text"] == "Short."
    answer = await tenant.http.post(TTS, json={"text": LONG, "voice": "nobody"})
    assert (answer.status_code, answer.json()["code"]) == (422, "voice_unknown")


async def test_what_fails_says_why_and_is_tried_again(world: World, google: GoogleSpeech) -> None:
    await offered(world, google)
    tenant, other = await world.tenant(), await world.tenant("Other")
    settings = {"voice": VOICE, "fall_back": False}
    await tenant.http.patch("/api/v1/announcements/tts/settings/", json=settings)
    await tenant.read("/announcements/voices/")
    made = await tenant.make("/announcements/tts/", text=LONG)
    google.trouble = "down"
    shown = await spoken(world, tenant, made["id"])
    assert (shown["state"], shown["failure_code"]) == ("failed", "tts_unavailable")
    assert shown["failure"]
    path = f"/api/v1/announcements/{made['id']}/"
    assert (await other.http.post(f"{path}retry/")).status_code == 404
    google.trouble = ""
    answer = await tenant.http.post(f"{path}retry/")
    assert (answer.status_code, answer.json()["state"]) == (202, "rendering")
    assert answer.json()["failure_code"] == ""
    assert (await spoken(world, tenant, made["id"]))["state"] == "ready"
    listed = await tenant.read("/announcements/", state="failed")
    assert listed["results"] == []


async def test_what_renders_without_a_job_is_given_up(world: World) -> None:
    tenant = await world.tenant()
    made = await tenant.make("/announcements/tts/", text=LONG)
    late = world.clock.now() - rendering.PATIENCE - timedelta(seconds=1)
    async with world.ctx() as ctx:
        row = (await ctx.db.exec(select(Announcement))).one()
        row.updated_at = late
    assert await rendering.give_up_orphans(desk(world)) == 0, "its job is still waiting"
    async with world.db.system() as session:
        await session.execute(text("DELETE FROM procrastinate_jobs"))
    assert await rendering.give_up_orphans(desk(world)) == 1
    shown = await tenant.read(f"/announcements/{made['id']}/")
    assert (shown["state"], shown["failure_code"]) == ("failed", "interrupted")


async def test_old_accounts_and_unused_sounds_are_forgotten(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = await world.tenant()
    for word in ("Used", "Unused", "Open"):
        await tenant.make("/announcements/tts/", text=word)
    now = world.clock.now()
    async with world.ctx() as ctx:
        ordered = select(SpeechCall).order_by(col(SpeechCall.id))
        first, second, third = await ctx.db.exec(ordered)
        first.month -= timedelta(days=31 * (accounts.KEPT_MONTHS + 2))
        second.state, second.created_at = "open", now - timedelta(days=1)
        third.state = "open"
        sounds = (await ctx.db.exec(select(Rendered).order_by(col(Rendered.id)))).all()
        sounds[1].used_at = now - housekeeping.UNUSED - timedelta(days=1)
    await housekeeping.collect(world.db, world.clock)
    async with world.ctx() as ctx:
        calls = (await ctx.db.exec(ordered)).all()
        assert [(one.id, one.state) for one in calls] == [(second.id, "lost"), (third.id, "open")]
        kept = {one.key for one in await ctx.db.exec(select(Rendered))}
        assert kept == {sounds[0].key, sounds[2].key}
    monkeypatch.setattr(housekeeping, "MOST", 1)
    await housekeeping.collect(world.db, world.clock)
    async with world.ctx() as ctx:
        assert [one.key for one in await ctx.db.exec(select(Rendered))] == [sounds[2].key]
    listed = (await tenant.read("/announcements/"))["results"]
    assert len(listed) == 3
    for one in listed:  # what an announcement refers to is heard as before
        heard = await tenant.http.get(f"/api/v1/announcements/{one['id']}/audio/")
        assert heard.status_code == 200
