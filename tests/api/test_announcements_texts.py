"""Templates, pronunciations, chimes, variants, and where they are heard."""

import asyncio
import io
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from sqlmodel import col, select

from support.world import Tenant, World
from sync2gear_broker.messages import ZoneState
from sync2gear_platform.announcements import chimes, levels
from sync2gear_platform.kit.blobs import open_blobs
from sync2gear_platform.library.sound import Stereo, decode
from sync2gear_platform.playback.tables import ZonePlayback

TEMPLATES = "/announcements/templates/"
CALL = {
    "name": "Call",
    "texts": [
        {"language": "en", "text": "{{name}} to {{place}}, please."},
        {"language": "de", "text": "{{name}} bitte zu {{place}}."},
    ],
    "variables": [
        {"name": "name", "max_length": 40},
        {"name": "place", "type": "choice", "choices": ["the till", "the door"]},
    ],
}


async def heard_in(world: World, tenant: Tenant, zone: str) -> Any:
    """The media of the newest announcement in a zone, as speakers are told it."""
    async with world.ctx(tenant.id) as ctx:
        found = select(ZonePlayback).where(col(ZonePlayback.zone_id) == zone)
        row = (await ctx.db.exec(found)).one()
    return ZoneState.model_validate(row.document).live[-1].media


async def samples(world: World, sha256: str) -> Stereo:
    blobs = open_blobs(world.settings.blobs_url)
    data = b"".join([piece async for piece in blobs.read(sha256)])
    return decoded(data)


def decoded(data: bytes) -> Stereo:
    return np.concatenate([block.copy() for block in decode(io.BytesIO(data), len(data))])


async def refused(tenant: Tenant, path: str, body: dict[str, Any], method: str = "POST") -> str:
    answer = await tenant.http.request(method, f"/api/v1{path}", json=body)
    assert not answer.is_success, answer.text
    return str(answer.json()["code"])


async def test_a_template_is_kept_previewed_said_and_removed(world: World) -> None:
    tenant = await world.tenant()
    zone = (await tenant.make("/zones/", name="Bar"))["id"]
    made = await tenant.make(TEMPLATES, **CALL)
    path = f"{TEMPLATES}{made['id']}/"
    assert (await tenant.read(path)) == made
    values = {"name": "Ms. Smith", "place": "the till"}
    shown = await tenant.make(f"{path}preview/", variables=values, languages=["en"])
    assert [one["text"] for one in shown["results"]] == ["Ms. Smith to the till, please."]
    said = (await tenant.make(f"{path}say/", variables=values, zone_ids=[zone]))["results"]
    assert len(said) == 1
    assert said[0]["announcement"]["title"] == "Call"
    assert said[0]["announcement"]["text"] == (
        "Ms. Smith to the till, please.\nMs. Smith bitte zu the till."
    )
    again = (await tenant.make(f"{path}say/", variables=values, zone_ids=[zone]))["results"]
    assert again[0]["announcement"]["id"] == said[0]["announcement"]["id"]
    changed = await tenant.http.patch(f"/api/v1{path}", json={"name": "Other"})
    assert changed.json()["texts"] == made["texts"]
    assert (await tenant.read(TEMPLATES, search="othe"))["results"] == [changed.json()]
    assert (await tenant.http.delete(f"/api/v1{path}")).status_code == 204
    assert (await tenant.read(TEMPLATES))["results"] == []


async def test_languages_follow_each_other_without_a_frame_too_many(world: World) -> None:
    tenant = await world.tenant()
    zone = (await tenant.make("/zones/", name="Bar"))["id"]
    made = await tenant.make(TEMPLATES, **CALL)
    values = {"name": "Kim", "place": "the door"}

    async def said(*languages: str) -> Stereo:
        await tenant.make(
            f"{TEMPLATES}{made['id']}/say/", variables=values, languages=languages, zone_ids=[zone]
        )
        return await samples(world, (await heard_in(world, tenant, zone)).sha256)

    english, german = await said("en"), await said("de")
    both, turned = await said("en", "de"), await said("de", "en")
    assert len(both) == len(english) + levels.BETWEEN + len(german) == len(turned)
    assert (both[len(english) : len(english) + levels.BETWEEN] == 0).all()
    assert not np.array_equal(both, turned)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"variables": {"name": "x", "place": "the roof"}}, "variable_invalid"),
        ({"variables": {"name": "x" * 41, "place": "the till"}}, "variable_too_long"),
        ({"variables": {"place": "the till"}}, "variable_missing"),
        ({"variables": {"name": "x", "place": "the till", "who": "x"}}, "variable_unknown"),
        ({"languages": ["fr"]}, "language_missing"),
    ],
)
async def test_what_does_not_fit_a_template_is_not_said(
    world: World, body: dict[str, Any], code: str
) -> None:
    tenant = await world.tenant()
    zone = (await tenant.make("/zones/", name="Bar"))["id"]
    made = await tenant.make(TEMPLATES, **CALL)
    path = f"{TEMPLATES}{made['id']}/say/"
    assert await refused(tenant, path, {**body, "zone_ids": [zone]}) == code
    assert (await tenant.read("/announcements/", count=True))["count"] == 0


async def test_a_template_that_cannot_be_said_is_not_kept(world: World) -> None:
    tenant = await world.tenant()

    def text(words: str, language: str = "en") -> dict[str, Any]:
        return {"name": "x", "texts": [{"language": language, "text": words}]}

    assert await refused(tenant, TEMPLATES, text("{{who}}")) == "variable_unknown"
    assert await refused(tenant, TEMPLATES, text("{{a")) == "template_syntax"
    assert await refused(tenant, TEMPLATES, text("x", "xx")) == "language_unknown"
    twice = {"name": "x", "texts": [*text("a")["texts"], *text("b")["texts"]]}
    assert await refused(tenant, TEMPLATES, twice) == "language_twice"
    chime = {**text("a"), "chime_before": {"name": "bell"}}
    assert await refused(tenant, TEMPLATES, chime) == "chime_unknown"


async def test_each_place_hears_its_own_name_and_time(world: World) -> None:
    tenant = await world.tenant()
    zones = []
    for name, timezone in (("Berlin shop", "Europe/Berlin"), ("Tokyo shop", "Asia/Tokyo")):
        place = await tenant.make("/locations/", name=name, timezone=timezone)
        zones += [
            (await tenant.make("/zones/", name=n, location_id=place["id"]))["id"] for n in "ab"
        ]
    made = await tenant.make(
        TEMPLATES,
        name="Time",
        texts=[{"language": "en", "text": "{{venue}}: {{local_time}}."}],
    )
    said = (await tenant.make(f"{TEMPLATES}{made['id']}/say/", zone_ids=zones))["results"]
    words = [one["announcement"]["text"].split(":")[0] for one in said]
    assert words == ["Berlin shop", "Tokyo shop"]
    assert [[p["zone_id"] for p in one["plays"]] for one in said] == [zones[:2], zones[2:]]
    assert said[0]["announcement"]["text"] != said[1]["announcement"]["text"]


async def test_words_are_said_as_the_client_wants(world: World) -> None:
    tenant, other = await world.tenant(), await world.tenant("Other")
    words = "/announcements/pronunciations/"
    as_written = await tenant.make("/announcements/tts/", text="The GIF is here.")
    made = await tenant.make(words, word="GIF", replacement="jiff")
    replaced = await tenant.make("/announcements/tts/", text="The GIF is here.", title="Again")
    meant = await tenant.make("/announcements/tts/", text="The jiff is here.")
    theirs = await other.make("/announcements/tts/", text="The GIF is here.")
    assert replaced["text"] == "The GIF is here."
    assert replaced["sha256"] == meant["sha256"] != as_written["sha256"]
    assert theirs["sha256"] == as_written["sha256"]
    assert await refused(tenant, words, {"word": "GIF", "replacement": "x"}) == "word_taken"
    german = await tenant.make(words, word="GIF", language="de", replacement="Bild")
    path = f"{words}{german['id']}/"
    assert await refused(tenant, path, {"language": ""}, "PATCH") == "word_taken"
    for one in (made, german):
        assert (await tenant.http.delete(f"/api/v1{words}{one['id']}/")).status_code == 204
    assert (await tenant.read(words))["results"] == []


async def test_words_in_phonemes_are_words_for_voices_without_them(world: World) -> None:
    tenant = await world.tenant()
    words = "/announcements/pronunciations/"
    made = await tenant.make(words, word="Worcester", replacement="Wooster", ipa="\u02c8wʊstə")
    assert made["ipa"] == "\u02c8wʊstə"
    said = await tenant.make("/announcements/tts/", text="To Worcester, please.")
    assert (said["text"], said["ssml"]) == ("To Worcester, please.", False)
    text = '<speak>To <sub alias="Wooster">x</sub>, please.</speak>'
    meant = await tenant.make("/announcements/tts/", ssml=True, text=text)
    heard, alike = await samples(world, said["sha256"]), await samples(world, meant["sha256"])
    assert np.array_equal(heard, alike), "espeak-ng says the word that stands for them"
    for bad in ("<b>", "Wuster!", "\u200b"):
        body = {"word": "x", "replacement": "y", "ipa": bad}
        assert await refused(tenant, words, body) == "invalid_request"
    path = f"/api/v1{words}{made['id']}/"
    changed = await tenant.http.patch(path, json={"ipa": ""})
    assert (changed.status_code, changed.json()["ipa"]) == (200, "")
    plain = await tenant.make("/announcements/tts/", text="To Worcester, please.", title="Again")
    wooster = await tenant.make("/announcements/tts/", text="To Wooster, please.")
    assert plain["sha256"] == wooster["sha256"]


async def test_chimes_stand_before_and_after_to_the_frame(world: World) -> None:
    tenant = await world.tenant()
    zone = (await tenant.make("/zones/", name="Bar"))["id"]
    made = await tenant.make("/announcements/tts/", text="Doors open.", chime_after={"name": "up"})
    path = f"/announcements/{made['id']}/play-instant/"
    bare = await samples(world, made["sha256"])
    ding, up = (decoded(chimes.sound(n)) for n in ("ding", "up"))
    await tenant.make(path, zone_ids=[zone], chime_after={"name": "none"})
    assert (await heard_in(world, tenant, zone)).sha256 == made["sha256"]
    await tenant.http.patch("/api/v1/announcements/sound/", json={"chime_before": {"name": "ding"}})
    await tenant.make(path, zone_ids=[zone])
    told = await heard_in(world, tenant, zone)
    sound = await samples(world, told.sha256)
    assert told.frames == len(sound) == len(ding) + len(bare) + len(up) + 2 * levels.GAP
    assert np.abs(sound[: len(ding)] - ding).max() <= 1
    assert np.abs(sound[-len(up) :] - up).max() <= 1
    assert (sound[len(ding) : len(ding) + levels.GAP] == 0).all()
    await tenant.make(path, zone_ids=[zone])
    assert (await heard_in(world, tenant, zone)).sha256 == told.sha256


async def test_an_announcement_may_be_a_chime_and_may_go(world: World) -> None:
    tenant, other = await world.tenant(), await world.tenant("Other")
    zone = (await tenant.make("/zones/", name="Bar"))["id"]
    jingle = await tenant.make("/announcements/tts/", text="La la la.")
    chime = {"announcement_id": jingle["id"]}
    made = await tenant.make("/announcements/tts/", text="Doors open.", chime_before=chime)
    assert made["chime_before"]["announcement_id"] == jingle["id"]
    path = f"/announcements/{made['id']}/play-instant/"
    await tenant.make(path, zone_ids=[zone])
    assert (await heard_in(world, tenant, zone)).sha256 != made["sha256"]
    used = await tenant.http.delete(f"/api/v1/announcements/{jingle['id']}/")
    assert used.json()["code"] == "in_use"
    await tenant.http.delete(f"/api/v1/announcements/{jingle['id']}/", params={"force": "true"})
    await tenant.make(path, zone_ids=[zone])
    assert (await heard_in(world, tenant, zone)).sha256 == made["sha256"]
    lost = await tenant.make("/announcements/tts/", text="Lost.")
    await open_blobs(world.settings.blobs_url).delete(lost["sha256"])
    await tenant.make(path, zone_ids=[zone], chime_before={"announcement_id": lost["id"]})
    assert (await heard_in(world, tenant, zone)).sha256 == made["sha256"]
    foreign = {"text": "x", "chime_before": {"announcement_id": made["id"]}}
    assert await refused(other, "/announcements/tts/", foreign) == "not_found"
    two = {"text": "x", "chime_before": {"name": "ding", "track_id": str(uuid4())}}
    assert await refused(tenant, "/announcements/tts/", two) == "invalid_request"


async def test_loudness_adds_up_within_bounds(world: World) -> None:
    tenant = await world.tenant()
    zone = (await tenant.make("/zones/", name="Bar"))["id"]
    made = await tenant.make("/announcements/tts/", text="Doors open.", volume_offset=-300)
    path = f"/announcements/{made['id']}/play-instant/"
    await tenant.make("/announcements/say/", text="Doors open.", zone_ids=[zone])
    usual = (await heard_in(world, tenant, zone)).gain
    await tenant.make(path, zone_ids=[zone])
    assert (await heard_in(world, tenant, zone)).gain == usual - 300
    await tenant.http.patch("/api/v1/announcements/sound/", json={"volume_offset": -200})
    await tenant.make(path, zone_ids=[zone], volume_offset=-100)
    assert (await heard_in(world, tenant, zone)).gain == usual - 600
    await tenant.make(path, zone_ids=[zone], volume_offset=-2400)
    assert (await heard_in(world, tenant, zone)).gain == usual - 2400
    for beyond in (-2401, 601, 1.5):
        body = {"zone_ids": [zone], "volume_offset": beyond}
        assert await refused(tenant, path, body) == "invalid_request"


async def test_variants_take_turns_and_the_evergreen_stands_in(world: World) -> None:
    tenant = await world.tenant()
    zone = (await tenant.make("/zones/", name="Bar"))["id"]
    message, one, two, evergreen = [
        await tenant.make("/announcements/tts/", text=f"Number {n}.") for n in range(4)
    ]
    path = f"/announcements/{message['id']}/variants/"

    async def heard(times: int) -> set[str]:
        found = set()
        for _ in range(times):
            told = await tenant.make(
                f"/announcements/{message['id']}/play-instant/", zone_ids=[zone]
            )
            found.add(told["announcement"]["id"])
            event = told["plays"][0]["event_id"]
            await tenant.make("/playback/cancel/", zone_id=zone, event_id=event)
            await asyncio.sleep(0.1)  # a zone holds twelve calls, and these last for a moment
        return found

    assert await heard(1) == {message["id"]}
    first = await tenant.make(path, sound_id=one["id"])
    second = await tenant.make(path, sound_id=two["id"], ends_on="2020-01-01")
    last = await tenant.make(path, sound_id=evergreen["id"], evergreen=True)
    assert [v["id"] for v in (await tenant.read(path))["results"]] == [
        v["id"] for v in (first, second, last)
    ]
    assert await heard(3) == {one["id"]}
    await tenant.http.patch(f"/api/v1{path}{second['id']}/", json={"ends_on": None})
    assert await heard(20) == {one["id"], two["id"]}
    for variant in (first, second):
        await tenant.http.patch(f"/api/v1{path}{variant['id']}/", json={"ends_on": "2020-01-01"})
    assert await heard(2) == {evergreen["id"]}
    assert (await tenant.http.delete(f"/api/v1{path}{last['id']}/")).status_code == 204
    assert await heard(1) == {message["id"]}
    assert await refused(tenant, path, {"sound_id": one["id"]}) == "variant_taken"
    assert await refused(tenant, path, {"sound_id": str(uuid4())}) == "not_found"
    turned = {"starts_on": "2026-02-02", "ends_on": "2026-02-01"}
    assert await refused(tenant, f"{path}{first['id']}/", turned, "PATCH") == "dates_invalid"


async def test_floors_and_locations_mean_their_zones_each_once(world: World) -> None:
    tenant, other = await world.tenant(), await world.tenant("Other")
    place = await tenant.make("/locations/", name="Mall")
    floor = await tenant.make("/floors/", name="First", location_id=place["id"])
    empty = await tenant.make("/floors/", name="Second", location_id=place["id"])
    upstairs = [
        (await tenant.make("/zones/", name=name, floor_id=floor["id"]))["id"] for name in "ab"
    ]
    outside = (await tenant.make("/zones/", name="c", location_id=place["id"]))["id"]
    await tenant.make("/zones/", name="Elsewhere")

    async def said(**where: Any) -> list[str]:
        told = await tenant.make("/announcements/say/", text="Hello.", **where)
        assert len({play["start_frame"] for play in told["plays"]}) == 1
        return sorted(play["zone_id"] for play in told["plays"])

    assert await said(floor_ids=[floor["id"]]) == sorted(upstairs)
    assert await said(zone_ids=[outside], floor_ids=[floor["id"]]) == sorted([outside, *upstairs])
    everywhere = await said(location_ids=[place["id"]], zone_ids=[upstairs[1]])
    assert everywhere == sorted([outside, *upstairs])
    say = "/announcements/say/"
    assert await refused(tenant, say, {"text": "x", "floor_ids": [empty["id"]]}) == "no_zones"
    assert await refused(tenant, say, {"text": "x"}) == "invalid_request"
    for where in ({"floor_ids": [floor["id"]]}, {"location_ids": [place["id"]]}):
        assert await refused(other, say, {"text": "x", **where}) == "not_found"


async def test_who_has_one_floor_speaks_there_alone(world: World) -> None:
    tenant = await world.tenant()
    place = await tenant.make("/locations/", name="Mall")
    floors = [
        await tenant.make("/floors/", name=name, location_id=place["id"]) for name in ("1", "2")
    ]
    zones = [(await tenant.make("/zones/", name=f["name"], floor_id=f["id"]))["id"] for f in floors]
    mate = await world.colleague(tenant, "floor", place=("floor", UUID(floors[0]["id"])))
    say = "/api/v1/announcements/say/"
    told = await mate.post(say, json={"text": "Hello.", "floor_ids": [floors[0]["id"]]})
    assert [play["zone_id"] for play in told.json()["plays"]] == [zones[0]]
    made = await tenant.make("/announcements/tts/", text="Hello.")
    text = {"language": "en", "text": "Hello from {{venue}}."}
    call = await tenant.make(TEMPLATES, name="Call", texts=[text])
    here = {"zone_ids": [zones[0]]}
    for path in (f"{made['id']}/play-instant", f"templates/{call['id']}/say"):
        answer = await mate.post(f"/api/v1/announcements/{path}/", json=here)
        assert answer.status_code == 202, answer.text
    assert answer.json()["results"][0]["announcement"]["text"] == "Hello from Mall."
    for where in ({"floor_ids": [floors[1]["id"]]}, {"zone_ids": zones}):
        answer = await mate.post(say, json={"text": "Hello.", **where})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_announcements_are_found_by_what_they_are(world: World) -> None:
    tenant = await world.tenant()
    folder = await tenant.make("/music/folders/", name="Calls", type="announcement")
    music = await tenant.make("/music/folders/", name="Jazz")
    one = await tenant.make(
        "/announcements/tts/", text="Grüße.", language="de", tags=["door"], folder_id=folder["id"]
    )
    two = await tenant.make("/announcements/tts/", text="Long. " * 9, title="A", tags=["till"])

    async def found(**query: Any) -> list[str]:
        return [r["id"] for r in (await tenant.read("/announcements/", **query))["results"]]

    assert await found() == [two["id"], one["id"]]
    assert await found(folder_id=folder["id"]) == [one["id"]]
    assert await found(tag="till") == [two["id"]]
    assert await found(language="de", kind="tts", state="ready") == [one["id"]]
    assert await found(kind="recording") == await found(kind="upload") == []
    assert await found(search="long") == [two["id"]]
    assert await found(ordering="duration_millis") == [one["id"], two["id"]]
    path = f"/announcements/{two['id']}/"
    assert await refused(tenant, path, {"folder_id": music["id"]}, "PATCH") == "wrong_folder"
    moved = await tenant.http.patch(f"/api/v1{path}", json={"folder_id": folder["id"], "tags": []})
    assert (moved.json()["sha256"], moved.json()["tags"]) == (two["sha256"], [])
    await tenant.http.delete(f"/api/v1/music/folders/{folder['id']}/")
    assert (await tenant.read(path))["folder_id"] is None
