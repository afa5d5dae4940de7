"""Providers of voices: kept as data, asked in turn, paid once, within a budget."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlmodel import col, select

from support import google_speech
from support.google_speech import KEY, GoogleSpeech
from support.world import Tenant, World
from sync2gear_platform.announcements.breaker import FAILURES
from sync2gear_platform.announcements.speech import open_booth
from sync2gear_platform.announcements.speech_tables import AiProvider, SpeechCall
from sync2gear_platform.audit.tables import AuditDetails
from sync2gear_platform.kit.blobs import open_blobs

TTS = "/api/v1/announcements/tts/"
OWN = "/api/v1/ai-providers/"
OFFERED = "/api/v1/admin/ai-providers/"
VOICE = "en-US-Neural2-C"


@pytest.fixture
def google() -> Iterator[GoogleSpeech]:
    """Google's service on a socket."""
    with google_speech.rest() as service:
        yield service


async def offered(world: World, google: GoogleSpeech, **more: Any) -> dict[str, Any]:
    """Google as the installation's default provider."""
    staff = await world.staff("admin")
    body = {
        "kind": "google", "name": "Google", "priority": 10, "api_key": KEY, "is_default": True,
        "settings": {"endpoint": google.endpoint}, "unit_price": 16, **more,
    }  # fmt: skip
    answer = await staff.post(OFFERED, json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def calls(world: World, tenant: Tenant) -> list[tuple[str, str]]:
    async with world.ctx(tenant.id) as ctx:
        found = select(SpeechCall).where(col(SpeechCall.client_id) == tenant.id)
        rows = await ctx.db.exec(found.order_by(col(SpeechCall.id)))
        return [(row.kind, row.state) for row in rows]


async def test_the_first_provider_speaks_and_the_account_says_so(
    world: World, google: GoogleSpeech
) -> None:
    provider = await offered(world, google)
    tenant = await world.tenant()
    made = await tenant.make("/announcements/tts/", text="Hello there.", language="en-US")
    assert (made["spoken_provider"], made["spoken_voice"]) == ("Google", VOICE)
    assert made["voice"] == ""
    assert google.spoken[0]["input"]["text"] == "Hello there."
    german = await tenant.make("/announcements/tts/", text="Guten Tag.", language="de")
    assert german["spoken_voice"] == "de-DE-Wavenet-F"
    local = await tenant.make("/announcements/tts/", text="Hello there.", voice="en-gb")
    assert local["spoken_provider"] == "espeak-ng"
    usage = await tenant.read("/announcements/tts/usage/")
    lines = {line["provider"]: line for line in usage["results"]}
    assert lines["Google"]["provider_id"] == provider["id"]
    assert lines["Google"]["characters"] == len("Hello there.Guten Tag.")
    assert lines["Google"]["cost"] == 16 * len("Hello there.Guten Tag.")
    assert lines["espeak-ng"]["cost"] == 0
    one = await tenant.read(f"/ai-providers/{provider['id']}/usage/")
    assert [line["provider"] for line in one["results"]] == ["Google"]
    assert (await (await world.tenant("Other")).read("/announcements/tts/usage/"))["results"] == []


async def test_asked_by_many_at_once_it_is_paid_once(world: World, google: GoogleSpeech) -> None:
    await offered(world, google)
    tenant = await world.tenant()
    google.pause = 0.3
    other = open_booth(world.settings, world.app.state.open_voice)  # as another process has one
    mine = world.app.state.speech
    try:
        asked = []
        for number in range(8):
            world.app.state.speech = other if number % 2 else mine
            body = {"text": "We close now.", "voice": VOICE, "title": f"n{number}"}
            asked.append(asyncio.create_task(tenant.http.post(TTS, json=body)))
            await asyncio.sleep(0.01)
        answers = await asyncio.gather(*asked)
    finally:
        world.app.state.speech = mine
        await other.close()
    assert [answer.status_code for answer in answers] == [201] * 8, answers[-1].text
    assert len({answer.json()["sha256"] for answer in answers}) == 1
    assert len(google.spoken) == 1
    assert await calls(world, tenant) == [("google", "done")]
    await tenant.make("/announcements/tts/", text="We close now.", voice=VOICE)
    assert len(google.spoken) == 1
    slower = {"rate": 80}
    await tenant.make("/announcements/tts/", text="We close now.", voice=VOICE, prosody=slower)
    assert len(google.spoken) == 2
    neighbour = await world.tenant("Neighbour")
    await neighbour.make("/announcements/tts/", text="We close now.", voice=VOICE)
    assert len(google.spoken) == 3, "what one client paid is not another's to know"


async def test_what_was_spoken_outlives_its_announcement(
    world: World, google: GoogleSpeech
) -> None:
    await offered(world, google)
    tenant = await world.tenant()
    for _ in range(2):
        made = await tenant.make("/announcements/tts/", text="Kept.", voice=VOICE)
        await tenant.http.delete(f"/api/v1/announcements/{made['id']}/")
    assert len(google.spoken) == 1


@pytest.mark.parametrize("trouble", ["down", "quota", "garbage"])
async def test_the_next_one_speaks_when_the_first_cannot(
    world: World, google: GoogleSpeech, trouble: Any
) -> None:
    await offered(world, google)
    tenant = await world.tenant()
    await tenant.read("/announcements/voices/")
    google.trouble = trouble
    made = await tenant.make("/announcements/tts/", text="Never mind.", voice=VOICE)
    assert (made["spoken_provider"], made["spoken_voice"]) == ("espeak-ng", "en-us")
    assert made["voice"] == VOICE
    state = "lost" if trouble == "garbage" else "failed"
    assert await calls(world, tenant) == [("google", state), ("espeak", "done")]
    google.trouble = ""
    again = await tenant.make("/announcements/tts/", text="Never mind.", voice=VOICE)
    assert again["spoken_provider"] == "Google"


@pytest.mark.parametrize("listed", [True, False])
async def test_a_client_may_want_no_other_voice(
    world: World, google: GoogleSpeech, listed: bool
) -> None:
    await offered(world, google)
    tenant = await world.tenant()
    changed = await tenant.http.patch(
        "/api/v1/announcements/tts/settings/", json={"voice": VOICE, "fall_back": False}
    )
    assert changed.status_code == 200, changed.text
    if listed:
        await tenant.read("/announcements/voices/")
    google.trouble = "down"
    answer = await tenant.http.post(TTS, json={"text": "Never."})
    assert (answer.status_code, answer.json()["code"]) == (503, "tts_unavailable")
    assert (await tenant.read("/announcements/", count=True))["count"] == 0


async def test_a_provider_that_fails_again_and_again_is_left_alone(
    world: World, google: GoogleSpeech
) -> None:
    await offered(world, google)
    tenant = await world.tenant()
    now = 1000.0
    booth = world.app.state.speech
    booth._clock = lambda: now
    await tenant.read("/announcements/voices/")
    google.trouble = "down"
    for number in range(FAILURES + 3):
        await tenant.make("/announcements/tts/", text=f"Number {number}.", voice=VOICE)
    assert len(google.spoken) == FAILURES
    google.trouble = ""
    await tenant.make("/announcements/tts/", text="Still resting.", voice=VOICE)
    assert len(google.spoken) == FAILURES
    now += 60
    made = await tenant.make("/announcements/tts/", text="Back again.", voice=VOICE)
    assert made["spoken_provider"] == "Google"


async def test_a_budget_holds_when_many_ask_at_once(world: World, google: GoogleSpeech) -> None:
    await offered(world, google, monthly_characters=30)
    tenant = await world.tenant()
    google.pause = 0.1
    texts = [f"Ten chars{n}" for n in range(8)]
    answers = await asyncio.gather(
        *(tenant.http.post(TTS, json={"text": text, "voice": VOICE}) for text in texts)
    )
    by = [answer.json()["spoken_provider"] for answer in answers]
    assert by.count("Google") == 3
    assert by.count("espeak-ng") == 5
    assert len(google.spoken) == 3
    usage = await tenant.read("/announcements/tts/usage/")
    assert next(u for u in usage["results"] if u["kind"] == "google")["characters"] == 30
    fresh = await world.tenant("Other")
    made = await fresh.make("/announcements/tts/", text="My own ten", voice=VOICE)
    assert made["spoken_provider"] == "Google", "each client has a budget of its own"


async def test_a_budget_in_money_without_another_voice_refuses(
    world: World, google: GoogleSpeech
) -> None:
    await offered(world, google, monthly_cost=100)
    tenant = await world.tenant()
    await tenant.http.patch(
        "/api/v1/announcements/tts/settings/", json={"voice": VOICE, "fall_back": False}
    )
    await tenant.make("/announcements/tts/", text="Six ch")
    answer = await tenant.http.post(TTS, json={"text": "Too dear by now"})
    assert (answer.status_code, answer.json()["code"]) == (409, "tts_budget_exceeded")
    assert len(google.spoken) == 1


async def test_a_provider_that_is_removed_and_added_again_has_no_new_budget(
    world: World, google: GoogleSpeech
) -> None:
    first = await offered(world, google, monthly_characters=20)
    tenant = await world.tenant()
    await tenant.make("/announcements/tts/", text="Fifteen letters", voice=VOICE)
    staff = await world.staff("admin")
    assert (await staff.delete(f"{OFFERED}{first['id']}/")).status_code == 204
    await offered(world, google, monthly_characters=20)
    made = await tenant.make("/announcements/tts/", text="Ten chars.", voice=VOICE)
    assert made["spoken_provider"] == "espeak-ng"
    made = await tenant.make("/announcements/tts/", text="Five.", voice=VOICE)
    assert made["spoken_provider"] == "Google"


async def test_what_a_dead_process_began_counts_and_does_not_block(
    world: World, google: GoogleSpeech
) -> None:
    await offered(world, google)
    tenant = await world.tenant()
    await tenant.make("/announcements/tts/", text="Half done.", voice=VOICE)
    # As a process leaves it that died after it had asked: the call open, nothing kept.
    async with world.ctx() as ctx:
        row = (await ctx.db.exec(select(SpeechCall))).one()
        row.state = "open"
    sha256 = (await tenant.read("/announcements/"))["results"][0]["sha256"]
    await open_blobs(world.settings.blobs_url).delete(sha256)
    again = await tenant.make("/announcements/tts/", text="Half done.", voice=VOICE, title="B")
    assert again["sha256"] == sha256
    assert await calls(world, tenant) == [("google", "lost"), ("google", "done")]
    usage = (await tenant.read("/announcements/tts/usage/"))["results"][0]
    assert (usage["lost"], usage["characters"]) == (1, 2 * len("Half done."))


async def test_voices_are_listed_over_all_providers_and_heard(
    world: World, google: GoogleSpeech
) -> None:
    provider = await offered(world, google)
    tenant = await world.tenant()
    everything = (await tenant.read("/announcements/voices/"))["results"]
    assert {voice["kind"] for voice in everything} == {"espeak", "google"}
    german = (await tenant.read("/announcements/voices/", language="de"))["results"]
    assert {voice["language"].partition("-")[0] for voice in german} == {"de"}
    own = await tenant.read("/announcements/voices/", provider=provider["id"])
    assert len(own["results"]) == len(google_speech.VOICES)
    assert google.lists == 1
    heard = await preview(tenant, "de-DE-Wavenet-F")
    assert heard.status_code == 200
    assert heard.content.startswith(b"RIFF")
    assert heard.headers["x-spoken-provider"] == "Google"
    assert (await preview(tenant, "de-DE-Wavenet-F")).content == heard.content
    assert len(google.spoken) == 1
    answers = [await preview(tenant, "en", text=f"Number {n}") for n in range(12)]
    assert answers[-1].status_code == 429
    assert answers[-1].json()["code"] == "too_many_previews"
    assert (await preview(tenant, "nobody")).json()["code"] == "voice_unknown"


async def preview(tenant: Tenant, voice: str, **more: Any) -> httpx2.Response:
    return await tenant.http.post(
        "/api/v1/announcements/voices/preview/", json={"voice": voice, **more}
    )


async def test_markup_is_understood_or_refused_with_a_place(
    world: World, google: GoogleSpeech
) -> None:
    await offered(world, google)
    tenant = await world.tenant()
    text = "<speak>Hi <break time='1s'/><emphasis>you</emphasis></speak>"
    made = await tenant.make("/announcements/tts/", text=text, ssml=True, voice=VOICE)
    assert made["title"] == "Hi you"
    assert google.spoken[0]["input"]["ssml"].startswith("<speak>Hi <break")
    words = {"word": "Worcester", "replacement": "Wooster", "ipa": "w\u028ast\u0259"}
    await tenant.make("/announcements/pronunciations/", **words)
    await tenant.make("/announcements/tts/", text="To Worcester & back.", voice=VOICE)
    assert google.spoken[1]["input"]["ssml"] == (
        '<speak>To <phoneme alphabet="ipa" ph="w\u028ast\u0259">Wooster</phoneme>'
        " &amp; back.</speak>"
    )
    bomb = '<!DOCTYPE a [<!ENTITY b "c">]><speak>&b;</speak>'
    for bad, code in ((bomb, "ssml_doctype"), ("<speak><audio/></speak>", "ssml_element")):
        answer = await tenant.http.post(TTS, json={"text": bad, "ssml": True})
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert answer.json()["line"] == 1


# as data


async def test_a_key_is_sealed_and_never_shown(world: World) -> None:
    tenant = await world.tenant()
    body = {"kind": "google", "name": "Ours", "api_key": "AIza-secret-canary-9876"}
    made = await tenant.make("/ai-providers/", **body)
    assert made["api_key_end"] == "9876"
    path = f"{OWN}{made['id']}/"
    changed = await tenant.http.patch(path, json={"api_key": "AIza-second-canary-1234"})
    assert changed.json()["api_key_end"] == "1234"
    seen = [made, changed.json(), (await tenant.http.get(path)).json()]
    seen.append((await tenant.http.get(OWN)).json())
    assert "canary" not in str(seen)
    async with world.ctx() as ctx:
        row = await ctx.db.get_one(AiProvider, UUID(made["id"]))
        assert row.api_key is not None
        assert "canary" not in row.api_key
        assert ctx.vault.open(row.api_key) == "AIza-second-canary-1234"
        told = " ".join(one.body for one in await ctx.db.exec(select(AuditDetails)))
    assert "Ours" in told
    assert "canary" not in told
    assert row.api_key not in told
    assert (await tenant.http.delete(path)).status_code == 204
    assert (await tenant.http.get(path)).status_code == 404


async def test_settings_are_those_of_the_kind(world: World) -> None:
    tenant, staff = await world.tenant(), await world.staff("admin")
    for body in (
        {"kind": "google", "settings": {"transport": "pigeon"}},
        {"kind": "google", "settings": {"endpoint": "http://169.254.169.254"}},
        {"kind": "google", "settings": {"endpoint": "file:///etc/passwd"}},
        {"kind": "piper", "settings": {"voice": "../../etc/passwd"}},
        {"kind": "espeak", "settings": {"program": "/bin/sh"}},
    ):
        answer = await tenant.http.post(OWN, json={"name": "x", **body})
        assert (answer.status_code, answer.json()["code"]) == (422, "provider_settings")
    assert (await tenant.http.post(OWN, json={"name": "x", "kind": "sh"})).status_code == 422
    answer = await staff.post(
        OFFERED, json={"kind": "google", "name": "x", "settings": {"endpoint": "http://a/b"}}
    )
    assert answer.status_code == 422


async def test_what_is_offered_is_seen_and_not_changed(world: World, google: GoogleSpeech) -> None:
    provider = await offered(world, google)
    tenant, other = await world.tenant(), await world.tenant("Other")
    listed = (await tenant.read("/ai-providers/"))["results"]
    assert {(one["name"], one["is_offered"]) for one in listed} == {
        ("espeak-ng", True), ("Google", True),
    }  # fmt: skip
    path = f"{OWN}{provider['id']}/"
    assert (await tenant.http.patch(path, json={"name": "y"})).json()["code"] == "provider_offered"
    assert (await tenant.http.delete(path)).status_code == 403
    mine = await tenant.make("/ai-providers/", kind="espeak", name="Mine", is_default=True)
    assert (await other.http.get(f"{OWN}{mine['id']}/")).status_code == 404
    made = await tenant.make("/announcements/tts/", text="By mine.")
    assert made["spoken_provider"] == "Mine"
    theirs = await other.make("/announcements/tts/", text="By mine.")
    assert theirs["spoken_provider"] == "Google"
    second = await tenant.make("/ai-providers/", kind="espeak", name="Newer", is_default=True)
    assert second["is_default"]
    assert not (await tenant.read(f"/ai-providers/{mine['id']}/"))["is_default"]
    trial = (await tenant.http.post(f"{OWN}{second['id']}/test/")).json()
    assert trial["ok"]
    assert trial["voices"] > 50
    staff = await world.staff("admin")
    wrong = await staff.patch(f"{OFFERED}{provider['id']}/", json={"api_key": "AIza-of-another"})
    assert wrong.status_code == 200
    trial = (await staff.post(f"{OFFERED}{provider['id']}/test/")).json()
    assert (trial["ok"], trial["code"]) == (False, "tts_key_refused")
    viewer = await world.colleague(tenant, "viewer")
    assert (await viewer.get(OWN)).status_code == 403


async def test_a_month_that_is_over_counts_no_more(world: World, google: GoogleSpeech) -> None:
    await offered(world, google, monthly_characters=10)
    tenant = await world.tenant()
    await tenant.make("/announcements/tts/", text="Ten chars.", voice=VOICE)
    async with world.ctx() as ctx:
        row = (await ctx.db.exec(select(SpeechCall))).one()
        row.month = (row.month - timedelta(days=1)).replace(day=1)
    made = await tenant.make("/announcements/tts/", text="Another 10", voice=VOICE)
    assert made["spoken_provider"] == "Google"
    assert len((await tenant.read("/announcements/tts/usage/"))["results"]) == 1
    assert len((await tenant.read("/announcements/tts/usage/", months=2))["results"]) == 2
