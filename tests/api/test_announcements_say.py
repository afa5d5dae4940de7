"""Announcements: texts that become audio once, and what is refused."""

import asyncio
import io
import time
import wave
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
import uvloop

from support.speaking import spoken
from support.world import Tenant, World
from sync2gear_platform.announcements import rules
from sync2gear_platform.announcements.adapters.espeak import Espeak
from sync2gear_platform.announcements.ports import (
    Kind,
    SpeechTooLong,
    SpeechUnavailable,
    UnknownVoice,
)
from sync2gear_platform.announcements.speech import open_booth
from sync2gear_platform.kit.blobs import open_blobs

SAY = "/api/v1/announcements/say/"
TTS = "/api/v1/announcements/tts/"


async def said(tenant: Tenant, **body: Any) -> dict[str, Any]:
    answer = await tenant.http.post(SAY, json=body)
    assert answer.status_code == 202, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_a_text_is_heard_in_zones(world: World) -> None:
    tenant = await world.tenant()
    zones = [(await tenant.make("/zones/", name=name))["id"] for name in ("Bar", "Lobby")]
    told = await said(tenant, text="The doors open in five minutes.", zone_ids=zones)
    announcement = told["announcement"]
    assert announcement["state"] == "ready"
    assert announcement["title"] == "The doors open in five minutes."
    assert 1000 < announcement["duration_millis"] < 6000
    assert [play["zone_id"] for play in told["plays"]] == zones
    assert len({play["start_frame"] for play in told["plays"]}) == 1
    play = told["plays"][0]
    starts_at = datetime.fromisoformat(play["starts_at"])
    assert abs(starts_at.timestamp() - play["start_frame"] / 48_000) < 0.001
    audio = await tenant.http.get(f"/api/v1/announcements/{announcement['id']}/audio/")
    assert audio.status_code == 200
    assert audio.headers["content-type"] == "audio/wav"
    with wave.open(io.BytesIO(audio.content)) as file:
        seconds = file.getnframes() / file.getframerate()
    assert abs(seconds * 1000 - announcement["duration_millis"]) < 20


async def test_the_start_lies_ahead_however_long_rendering_took(world: World) -> None:
    tenant = await world.tenant()
    zone = (await tenant.make("/zones/", name="Bar"))["id"]
    told = await said(tenant, text="A long announcement. " * 200, zone_ids=[zone])
    ready = datetime.fromisoformat(told["announcement"]["created_at"])
    starts = datetime.fromisoformat(told["plays"][0]["starts_at"])
    assert starts > ready
    # The lead counts from when the audio was there, which is about now.
    assert (world.clock.now() - starts).total_seconds() < 1


async def test_the_same_words_are_rendered_once(world: World) -> None:
    tenant = await world.tenant()
    zone = (await tenant.make("/zones/", name="Bar"))["id"]
    first = await said(tenant, text="Again.", zone_ids=[zone])
    again = await said(tenant, text="  Again.\n", zone_ids=[zone])
    assert again["announcement"]["id"] == first["announcement"]["id"]
    named = await tenant.make("/announcements/tts/", text="Again.", title="Named")
    assert named["id"] != first["announcement"]["id"]
    assert named["sha256"] == first["announcement"]["sha256"]
    other = await tenant.make("/announcements/tts/", text="Again.", voice="en-us")
    assert other["sha256"] != named["sha256"]
    foreign = await world.tenant("Other")
    theirs = await foreign.make("/announcements/tts/", text="Again.")
    assert theirs["id"] not in {first["announcement"]["id"], named["id"]}


async def test_lost_audio_is_rendered_anew(world: World) -> None:
    tenant = await world.tenant()
    made = await tenant.make("/announcements/tts/", text="Lost and found.")
    await open_blobs(world.settings.blobs_url).delete(made["sha256"])
    path = f"/api/v1/announcements/{made['id']}/audio/"
    assert (await tenant.http.get(path)).status_code == 404
    again = await tenant.make("/announcements/tts/", text="Lost and found.", title="Again")
    assert again["sha256"] == made["sha256"]
    assert (await tenant.http.get(path)).status_code == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"text": ""}, "text_empty"),
        ({"text": " \t\n\u2028"}, "text_empty"),
        ({"text": "\x00\x07\x1b"}, "text_empty"),
        ({"text": "x" * 5001}, "text_too_long"),
        ({"text": "x" * 100_000}, "text_too_long"),
        ({"text": "hello", "voice": "nobody"}, "voice_unknown"),
        ({"text": "hello", "voice": "--help"}, "voice_unknown"),
        ({"text": "hello", "voice": "../../etc/passwd"}, "invalid_request"),
        ({"text": "hello", "title": "a\nb"}, "invalid_request"),
        ({"text": 5}, "invalid_request"),
        ({"text": "hello", "speed": 3}, "invalid_request"),
    ],
)
async def test_what_cannot_be_said_is_refused_with_a_code(
    world: World, body: dict[str, Any], code: str
) -> None:
    tenant = await world.tenant()
    answer = await tenant.http.post(TTS, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert (await tenant.read("/announcements/", count=True))["count"] == 0


@pytest.mark.parametrize(
    "text",
    [
        "-v de --help",
        "$(reboot); `id` | cat /etc/passwd",
        "<speak><break time='10s'/>no markup</speak>",
        "[[h@l'oU]] %s %n \\x00",
        "Grüße \U0001f3b5 \u202e rückwärts",
        "bell\x07 null\x00 escape\x1b[31m",
        "x" * 5000,
    ],
)
async def test_any_text_is_only_text(world: World, text: str) -> None:
    tenant = await world.tenant()
    made = await tenant.make("/announcements/tts/", text=text)
    if made["state"] == "rendering":
        made = await spoken(world, tenant, made["id"])
    assert made["state"] == "ready"
    assert made["duration_millis"] > 200
    assert "\x00" not in made["text"]
    assert "\x07" not in made["text"]


async def test_a_zone_that_is_not_here_is_refused_before_anything_is_made(world: World) -> None:
    tenant, other = await world.tenant(), await world.tenant("Other")
    foreign = (await other.make("/zones/", name="Theirs"))["id"]
    for zone in (foreign, str(uuid4())):
        answer = await tenant.http.post(SAY, json={"text": "hello", "zone_ids": [zone]})
        assert answer.status_code == 404
    answer = await tenant.http.post(SAY, json={"text": "hello", "zone_ids": []})
    assert answer.status_code == 422
    assert (await tenant.read("/announcements/", count=True))["count"] == 0


async def test_announcements_are_kept_changed_and_removed(world: World) -> None:
    tenant = await world.tenant()
    zone = (await tenant.make("/zones/", name="Bar"))["id"]
    made = await tenant.make("/announcements/tts/", text="One.", title="First")
    path = f"/api/v1/announcements/{made['id']}/"
    read = await tenant.http.get(path)
    assert read.json() == made
    changed = await tenant.http.patch(
        path, json={"text": "One hundred."}, headers={"If-Match": read.headers["etag"]}
    )
    assert changed.status_code == 200
    assert changed.json()["sha256"] != made["sha256"]
    stale = await tenant.http.patch(
        path, json={"title": "x"}, headers={"If-Match": read.headers["etag"]}
    )
    assert (stale.status_code, stale.json()["code"]) == (412, "stale")
    played = await tenant.http.post(f"{path}play-instant/", json={"zone_ids": [zone]})
    assert played.status_code == 202
    assert played.json()["plays"][0]["zone_id"] == zone
    other = await world.tenant("Other")
    assert (await other.http.get(path)).status_code == 404
    assert (await other.http.delete(path)).status_code == 404
    assert (await tenant.http.delete(path)).status_code == 204
    assert (await tenant.http.get(path)).status_code == 404
    found = await tenant.read("/announcements/", search="hundred")
    assert found["results"] == []


async def test_who_may_announce_may_not_write(world: World) -> None:
    tenant = await world.tenant()
    zone = (await tenant.make("/zones/", name="Bar"))["id"]
    floor = await world.colleague(tenant, "floor")
    viewer = await world.colleague(tenant, "viewer")
    body = {"text": "hello", "zone_ids": [zone]}
    assert (await floor.post(SAY, json=body)).status_code == 202
    assert (await floor.post(TTS, json={"text": "hello"})).status_code == 403
    assert (await viewer.post(SAY, json=body)).status_code == 403
    voices = (await viewer.get("/api/v1/announcements/voices/")).json()["results"]
    assert {"en", "en-us", "de"} <= {voice["id"] for voice in voices}


async def test_a_voice_that_fails_leaves_nothing_behind(world: World) -> None:
    tenant = await world.tenant()
    zone = (await tenant.make("/zones/", name="Bar"))["id"]
    spoken_well = world.app.state.speech
    for program in ("no-such-program", "false"):

        def opened(kind: Kind, settings: object, key: str, program: str = program) -> Espeak:
            return Espeak(program)

        world.app.state.speech = booth = open_booth(world.settings, opened)
        answer = await tenant.http.post(SAY, json={"text": "hello", "zone_ids": [zone]})
        await booth.close()
        assert (answer.status_code, answer.json()["code"]) == (503, "tts_unavailable")
    world.app.state.speech = spoken_well
    assert (await tenant.read("/announcements/", count=True))["count"] == 0


async def test_the_voice_itself() -> None:
    speech = Espeak()
    with pytest.raises(UnknownVoice):
        await speech.render("hello", "-v")
    with pytest.raises(SpeechTooLong):
        await speech.render("w! " * 1600, "en")
    spoken = await speech.render("hello", "en")
    assert spoken == await speech.render("hello", "en")


def test_a_voice_that_is_quicker_than_a_busy_server_is_heard_all_the_same() -> None:
    """On the loop that serves, a process that is over before its text is written has no pipe."""

    async def busily() -> bytes:
        async def busy() -> None:
            while True:
                time.sleep(0.005)  # noqa: ASYNC251 - the load itself
                await asyncio.sleep(0)

        load = asyncio.create_task(busy())
        try:
            return await Espeak().render("hello", "en")
        finally:
            load.cancel()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(busily()).startswith(b"RIFF")


async def test_too_many_texts_at_once_are_refused_not_piled_up() -> None:
    speech = Espeak()
    await speech.voices()
    outcomes = await asyncio.gather(
        *(speech.render(f"number {n}", "en") for n in range(20)), return_exceptions=True
    )
    spoken = [o for o in outcomes if isinstance(o, bytes)]
    refused = [o for o in outcomes if isinstance(o, SpeechUnavailable)]
    assert len(spoken) + len(refused) == 20
    assert len(spoken) >= 8
    assert refused


def test_words_are_what_is_left_of_a_text() -> None:
    assert rules.spoken("  a \t b\r\n\r\n c\x00\u2029d ") == "a b\nc\nd"
    assert rules.title_of("word " * 30) == ("word " * 11).strip() + "…"
    assert rules.title_of("x" * 100) == "x" * 59 + "…"
    assert rules.title_of("short\nand sweet") == "short and sweet"
