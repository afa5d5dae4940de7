"""Playing, pausing and skipping over REST, and what a zone's view says of it."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest

from support.music import add_folder, add_media, add_zone
from support.stack import eventually
from support.world import Tenant, World
from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.library.tables import Media
from sync2gear_platform.playback import service

TITLES = ("One", "Two", "Three")


async def command(tenant: Tenant, verb: str, **body: Any) -> dict[str, Any]:
    """One command to one zone; returns the zone's view after it."""
    answer = await tenant.http.post(f"/api/v1/playback/{verb}/", json=body)
    assert answer.status_code == 200, answer.text
    view: dict[str, Any] = answer.json()["results"][0]
    return view


async def refused(tenant: Tenant, verb: str, **body: Any) -> tuple[int, str]:
    answer = await tenant.http.post(f"/api/v1/playback/{verb}/", json=body)
    return answer.status_code, answer.json()["code"]


@contextmanager
def stopped(world: World) -> Iterator[None]:
    """Within: the platform's clock stands still, however long a busy machine takes."""
    now = world.clock.micros()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.clock, "micros", lambda: now)
        yield


async def started(world: World, tenant: Tenant, zone: str) -> None:
    """Play three tracks and wait until the first one has begun."""
    folder = await add_folder(world, tenant, TITLES)
    with stopped(world):
        await command(tenant, "play", zone_id=zone, folder_id=str(folder))
        assert await refused(tenant, "next", zone_id=zone) == (409, "about_to_begin")

    async def begun() -> bool:
        music = (await tenant.read("/playback/state/", zone_id=zone))["results"][0]["music"]
        return bool(music and music["running"])

    await eventually(begun, "the first track has begun", 5)


async def test_a_folder_plays_in_order_and_in_every_zone_from_the_same_frame(world: World) -> None:
    tenant = await world.tenant()
    zones = [await add_zone(tenant, name) for name in ("A", "B")]
    folder = await add_folder(world, tenant, TITLES)
    answer = await tenant.http.post(
        "/api/v1/playback/play/", json={"zone_ids": zones, "folder_id": str(folder)}
    )
    views = answer.json()["results"]
    assert [v["name"] for v in views] == ["A", "B"]
    assert {v["status"] for v in views} == {"playing"}
    assert views[0]["segments"] == views[1]["segments"]
    segments = views[0]["segments"]
    assert [s["title"] for s in segments[:4]] == ["One", "Two", "Three", "One"]
    assert all(a["end"] == b["start"] for a, b in itertools.pairwise(segments))
    assert views[0]["frame"] < segments[0]["start"] < views[0]["frame"] + 6 * FRAME_RATE
    assert segments[0]["offset"] == 0
    assert segments[0]["duration"] == 180 * FRAME_RATE
    assert views[0]["folder_id"] == str(folder)


async def test_pause_keeps_the_place_and_resume_goes_on_from_it(world: World) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    await started(world, tenant, zone)
    await command(tenant, "next", zone_id=zone)
    paused = await command(tenant, "pause", zone_id=zone)
    assert paused["status"] == "paused"
    later = (await tenant.read("/playback/state/", zone_id=zone))["results"][0]
    assert later["music"]["title"] == paused["music"]["title"]
    resumed = await command(tenant, "play", zone_id=zone)
    assert resumed["status"] == "playing"
    assert resumed["rev"] > paused["rev"]
    assert resumed["segments"][-1]["role"] == "music"


async def test_next_previous_and_seek_move_the_music(world: World) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    await started(world, tenant, zone)
    view = await command(tenant, "next", zone_id=zone)
    assert view["music"]["title"] == "Two"
    view = await command(tenant, "previous", zone_id=zone)
    assert view["music"]["title"] == "One"
    view = await command(tenant, "seek", zone_id=zone, position_millis=60_000)
    assert view["music"] == view["music"] | {"title": "One", "offset": 60 * FRAME_RATE}
    view = await command(tenant, "previous", zone_id=zone)
    assert view["music"] == view["music"] | {"title": "One", "offset": 0}
    assert await refused(tenant, "seek", zone_id=zone, position_millis=180_000) == (
        422,
        "seek_beyond_end",
    )


async def test_shuffle_plays_every_track_once_a_round(world: World) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    folder = await add_folder(world, tenant, TITLES, seconds=10)
    view = await command(tenant, "play", zone_id=zone, folder_id=str(folder), shuffle=True)
    titles = [s["title"] for s in view["segments"]]
    assert sorted(titles[:3]) == sorted(TITLES)
    assert titles[3:6] == titles[:3]
    assert len(titles) <= 50, "a view of very many short pieces ends early"


async def test_volume_mute_and_stop(world: World) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    view = await command(tenant, "volume", zone_id=zone, volume=35, mute=True)
    assert (view["status"], view["volume"], view["mute"]) == ("idle", 35, True)
    view = await command(tenant, "volume", zone_id=zone, volume=40)
    assert (view["volume"], view["mute"]) == (40, True)
    folder = await add_folder(world, tenant, TITLES)
    await command(tenant, "play", zone_id=zone, folder_id=str(folder))
    assert (await command(tenant, "stop", zone_id=zone))["status"] == "stopped"
    assert (await command(tenant, "resume", zone_id=zone))["status"] == "playing"


@pytest.mark.parametrize("verb", ["pause", "resume", "stop", "next", "previous"])
async def test_a_zone_without_music_refuses(world: World, verb: str) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    assert await refused(tenant, verb, zone_id=zone) == (409, "nothing_to_play")


async def test_bad_commands_are_refused_with_a_code(world: World) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    unknown = str(uuid4())
    empty = str((await tenant.make("/music/folders/", name="Empty"))["id"])
    assert await refused(tenant, "volume", zone_id=zone, volume=101) == (422, "invalid_request")
    assert await refused(tenant, "pause") == (422, "invalid_request")
    assert await refused(tenant, "pause", zone_id=zone, zone_ids=[zone]) == (
        422,
        "invalid_request",
    )
    assert await refused(tenant, "pause", zone_ids=[zone] * 501) == (422, "invalid_request")
    assert await refused(tenant, "pause", zone_id=unknown) == (404, "not_found")
    assert await refused(tenant, "pause", zone_id=zone, also="this") == (422, "invalid_request")
    assert await refused(tenant, "play", zone_id=zone) == (409, "nothing_to_play")
    assert await refused(tenant, "play", zone_id=zone, folder_id=unknown) == (404, "not_found")
    assert await refused(tenant, "play", zone_id=zone, folder_id=empty) == (409, "folder_empty")
    assert await refused(tenant, "play", zone_id=zone, track_ids=[unknown]) == (404, "not_found")
    assert await refused(tenant, "cancel", zone_id=zone, event_id="nothing") == (
        404,
        "no_such_event",
    )
    assert await refused(tenant, "cancel", zone_id=zone, event_id="a/b#") == (
        422,
        "invalid_request",
    )


async def test_an_expected_rev_guards_against_commands_that_cross(world: World) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    first = await command(tenant, "volume", zone_id=zone, volume=10, rev=1)
    second = await command(tenant, "volume", zone_id=zone, volume=20, rev=first["rev"])
    assert await refused(tenant, "volume", zone_id=zone, volume=30, rev=first["rev"]) == (
        409,
        "rev_conflict",
    )
    assert second["rev"] > first["rev"]


async def test_another_clients_zone_and_folder_do_not_exist(world: World) -> None:
    mine, theirs = await world.tenant("Mine"), await world.tenant("Theirs")
    zone, foreign = await add_zone(mine), await add_zone(theirs)
    folder = await add_folder(world, theirs, ("Secret",))
    assert await refused(mine, "volume", zone_id=foreign, volume=1) == (404, "not_found")
    assert await refused(mine, "volume", zone_ids=[zone, foreign], volume=1) == (404, "not_found")
    assert await refused(mine, "play", zone_id=zone, folder_id=str(folder)) == (404, "not_found")
    seen = await mine.read("/playback/state/")
    assert [v["zone_id"] for v in seen["results"]] == [zone]
    assert seen["results"][0]["volume"] == 70, "nothing of a refused command takes effect"


async def test_a_viewer_may_look_but_not_touch(world: World) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    viewer = await world.colleague(tenant, "viewer")
    assert (await viewer.get("/api/v1/playback/state/")).status_code == 200
    answer = await viewer.post("/api/v1/playback/pause/", json={"zone_id": zone})
    assert answer.status_code == 403


async def announce(
    world: World, tenant: Tenant, zones: list[str], media: Media, **more: Any
) -> list[service.Announced]:
    """An announcement, as the domain above asks for it."""
    async with world.ctx(tenant.id) as ctx:
        ids = [UUID(zone) for zone in zones]
        return await service.announce(ctx, zone_ids=ids, media=media, title="Hello", **more)


async def test_an_announcement_interrupts_and_the_music_goes_on_where_it_stopped(
    world: World,
) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    await started(world, tenant, zone)
    await command(tenant, "seek", zone_id=zone, position_millis=60_000)
    media = await add_media(world, tenant, "a call", seconds=4)
    with stopped(world):
        play = (await announce(world, tenant, [zone], media))[0]
        view = (await tenant.read("/playback/state/", zone_id=zone))["results"][0]
    before, voice, after = view["segments"][:3]
    assert (before["role"], voice["role"], after["role"]) == ("music", "event", "music")
    assert before["end"] == voice["start"] == play.start_frame
    assert voice["end"] == after["start"] == play.start_frame + 4 * FRAME_RATE
    assert after["offset"] == before["offset"] + before["end"] - before["start"]
    assert (voice["item"], voice["title"]) == (play.event_id, "Hello")


async def test_an_announcement_ducks_the_music_and_can_be_cancelled(world: World) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    await started(world, tenant, zone)
    media = await add_media(world, tenant, "a call", seconds=30)
    play = (await announce(world, tenant, [zone], media, mode="duck"))[0]
    view = (await tenant.read("/playback/state/", zone_id=zone))["results"][0]
    assert "event" in [s["role"] for s in view["segments"]]
    view = await command(tenant, "cancel", zone_id=zone, event_id=play.event_id)
    left = [s for s in view["segments"] if s["role"] == "event"]
    assert all(s["end"] - s["start"] < FRAME_RATE for s in left)


async def test_announcements_of_one_rank_wait_for_each_other_and_twelve_are_enough(
    world: World,
) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    media = await add_media(world, tenant, "a call", seconds=5)
    for _ in range(12):
        await announce(world, tenant, [zone], media)
    view = (await tenant.read("/playback/state/", zone_id=zone))["results"][0]
    voices = [s for s in view["segments"] if s["role"] == "event"]
    assert len(voices) == 12
    assert all(a["end"] == b["start"] for a, b in itertools.pairwise(voices))
    with pytest.raises(service.engine.TooManyLiveEvents):
        await announce(world, tenant, [zone], media)


async def test_the_first_music_of_a_zone_does_not_cut_what_is_being_said(world: World) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    media = await add_media(world, tenant, "a call", seconds=20)
    play = (await announce(world, tenant, [zone], media))[0]
    folder = await add_folder(world, tenant, TITLES)
    view = await command(tenant, "play", zone_id=zone, folder_id=str(folder))
    voice = next(s for s in view["segments"] if s["role"] == "event")
    assert voice["end"] == play.start_frame + 20 * FRAME_RATE
    music = next(s for s in view["segments"] if s["role"] == "music")
    assert music["start"] >= voice["end"] or music["end"] <= voice["start"]
