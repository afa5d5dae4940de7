"""A channel that people play by hand: in its own order, where it may be played, until its end."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlmodel import col, select

from support.live import hear, say, serving, watching
from support.music import add_folder, add_media, add_zone
from support.planning import add_schedule, add_words, compiled, newest, score
from support.world import Tenant, World
from sync2gear_platform.library.tables import Track
from sync2gear_platform.playback import service as playback
from sync2gear_platform.schedules import changes


async def channel_of(tenant: Tenant, folder: UUID, words: UUID) -> str:
    """Two tracks, an announcement, two tracks, an announcement."""
    channel = await tenant.make("/channels/", name="Daytime", crossfade_millis=2_000)
    path = f"/channels/{channel['id']}/items/"
    await tenant.make(path, folder_id=str(folder))
    await tenant.make(path, announcement_id=str(words), after_tracks=2)
    return str(channel["id"])


async def music_at(tenant: Tenant, zone: str, at: str) -> str:
    answer = await tenant.read("/playback/state/", zone_id=zone, at=at)
    return str(answer["results"][0]["music"]["title"])


async def test_a_channel_by_hand_is_heard_with_its_calls_until_the_plan_goes_on(
    world: World,
) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    plan = await add_folder(world, tenant, tuple(f"Plan {n}" for n in range(8)))
    mine = await add_folder(world, tenant, tuple(f"Mine {n}" for n in range(5)))
    channel = await channel_of(tenant, mine, await add_words(world, tenant, "Coffee"))
    await add_schedule(world, tenant, zone, folder_id=plan, name="All day")
    await compiled(world)
    times = {m: world.clock.now() + timedelta(minutes=m) for m in (30, 120)}
    expected = await music_at(tenant, zone, times[120].isoformat())
    until = (world.clock.now() + timedelta(hours=1)).isoformat()
    body = {"zone_id": zone, "channel_id": channel, "until": until}
    (view,) = (await tenant.make("/playback/channel/", **body))["results"]
    assert (view["status"], view["folder_id"]) == ("playing", None)

    async def check() -> None:
        heard = await music_at(tenant, zone, times[30].isoformat())
        assert heard.startswith("Mine") or heard == "Coffee"
        assert await music_at(tenant, zone, times[120].isoformat()) == expected

    await check()

    async def chosen(after: timedelta) -> list[tuple[str, str | None, str]]:
        at = (world.clock.now() + after).isoformat()
        (view,) = (await tenant.read("/playback/state/", zone_id=zone, at=at))["results"]
        assert {one["item"] for one in view["chosen"]} <= {view["music"]["item"]}
        return [(one["kind"], one["id"], one["name"]) for one in view["chosen"]]

    assert await chosen(timedelta(minutes=20)) == [("channel", channel, "Daytime")]
    assert await chosen(timedelta(hours=2)) == [], "the schedule has the music again"
    renamed = await tenant.http.patch(f"/api/v1/channels/{channel}/", json={"name": "Day"})
    assert renamed.is_success
    assert await chosen(timedelta(minutes=20)) == [("channel", channel, "Day")]
    block = newest(await score(world, tenant, zone)).blocks[0]
    kinds = [newest(await score(world, tenant, zone)).media[i].kind for i in block.items[:9]]
    assert kinds == [*(["music"] * 2 + ["announcement"]) * 3]
    assert block.crossfade == 96_000
    await compiled(world)
    await check()
    assert await chosen(timedelta(minutes=20)) == [("channel", channel, "Day")], "and its name"
    answer = await tenant.http.post("/api/v1/playback/channel/", json={**body, "rev": 1})
    assert answer.json()["code"] == "rev_conflict"
    state = await tenant.make("/playback/schedule/", zone_id=zone)
    assert state["results"][0]["segments"][-1]["title"].startswith("Plan")
    await tenant.make("/playback/play/", zone_id=zone, folder_id=str(mine))
    folder = ("folder", str(mine), (await tenant.read(f"/music/folders/{mine}/"))["name"])
    assert await chosen(timedelta(minutes=20)) == [folder]
    await compiled(world)
    assert await chosen(timedelta(minutes=20)) == [folder], "no block comes after that of all day"
    await compiled(world)
    assert await chosen(timedelta(days=3)) == [folder]
    await tenant.make("/playback/schedule/", zone_id=zone)
    assert await chosen(timedelta(minutes=20)) == []


async def test_what_people_chose_for_good_keeps_its_name_when_a_schedule_had_the_music_since(
    world: World,
) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    mine = await add_folder(world, tenant, ("One", "Two"), name="Mine")
    plan = await add_folder(world, tenant, ("Plan",))
    await tenant.make("/playback/play/", zone_id=zone, folder_id=str(mine))
    await compiled(world)
    soon = world.clock.now().astimezone(ZoneInfo("Europe/Berlin")) + timedelta(hours=2)
    await add_schedule(
        world, tenant, zone, folder_id=plan, name="Two hours on",
        start_time=soon.time().replace(second=0, microsecond=0),
        end_time=(soon + timedelta(hours=1)).time().replace(second=0, microsecond=0),
    )  # fmt: skip
    await compiled(world)

    async def heard(hours: float) -> list[str]:
        at = (world.clock.now() + timedelta(hours=hours)).isoformat()
        (view,) = (await tenant.read("/playback/state/", zone_id=zone, at=at))["results"]
        return [one["name"] for one in view["chosen"]]

    assert await heard(0.5) == ["Mine"]
    assert await heard(2.5) == []
    assert await heard(3.5) == ["Mine"], "after the schedule, and until it begins again"


async def test_what_may_not_be_played_there_is_refused_and_others_do_not_exist(
    world: World,
) -> None:
    tenant, stranger = await world.tenant(), await world.tenant("Stranger")
    zone = await add_zone(tenant)
    folder = await add_folder(world, tenant, ("One", "Two"))
    channel = await channel_of(tenant, folder, await add_words(world, tenant))

    async def refused(http: Any, **body: object) -> tuple[int, str]:
        asked = {"zone_id": zone, "channel_id": channel, **body}
        answer = await http.post("/api/v1/playback/channel/", json=asked)
        return answer.status_code, answer.json()["code"]

    assert await refused(stranger.http) == (404, "not_found")
    assert await refused(tenant.http, channel_id=str(uuid4())) == (404, "not_found")
    assert await refused(tenant.http, zone_id=str(uuid4())) == (404, "not_found")
    past = (world.clock.now() - timedelta(hours=1)).isoformat()
    assert await refused(tenant.http, until=past) == (422, "until_when")
    async with serving(world) as url, watching(url, tenant, zone) as socket:
        await hear(socket)
        asked = {"channel_id": channel}
        await say(socket, type="command", id="1", command="channel", body=asked)
        while (answer := await hear(socket))["type"] != "done":
            assert answer["type"] != "refused", answer
        assert answer["zones"][0]["status"] == "playing"
    async with world.ctx(tenant.id) as ctx:
        for track in await ctx.db.exec(select(Track).where(col(Track.client_id) == tenant.id)):
            track.regions = ["NZ"]
    (place,) = (await tenant.read("/locations/"))["results"]
    path = f"/api/v1/locations/{place['id']}/"
    assert (await tenant.http.patch(path, json={"country": "DE"})).is_success
    assert await refused(tenant.http) == (409, "channel_empty")
    assert (await tenant.http.patch(path, json={"country": "NZ"})).is_success
    (view,) = (await tenant.make("/playback/channel/", zone_id=zone, channel_id=channel))["results"]
    assert view["segments"][-1]["title"] in {"One", "Two", "Hello"}


async def test_a_channel_that_is_played_once_gives_way_when_it_is_over(world: World) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    plan = await add_folder(world, tenant, ("Plan",))
    mine = await add_folder(world, tenant, ("One", "Two"))
    channel = await tenant.make("/channels/", name="Show", mode="ordered", loop=False)
    path = f"/channels/{channel['id']}/items/"
    await tenant.make(path, folder_id=str(mine), order="given")
    await add_schedule(world, tenant, zone, folder_id=plan, priority=10)
    await compiled(world)
    heard = [(1, "One"), (4, "Two"), (7, "Plan"), (60, "Plan")]
    at = {m: (world.clock.now() + timedelta(minutes=m)).isoformat() for m, _ in heard}

    async def check() -> None:
        assert [await music_at(tenant, zone, at[m]) for m, _ in heard] == [t for _, t in heard]

    await tenant.make("/playback/channel/", zone_id=zone, channel_id=channel["id"])
    await check()
    await compiled(world)
    await check()
    await tenant.make("/playback/schedule/", zone_id=zone)
    await add_schedule(world, tenant, zone, channel_id=UUID(channel["id"]), priority=90)
    await compiled(world)
    await check()


async def once(world: World, tenant: Tenant) -> str:
    """Two pieces of three minutes, played once."""
    mine = await add_folder(world, tenant, ("One", "Two"), name="Show")
    channel = await tenant.make("/channels/", name="Show", mode="ordered", loop=False)
    await tenant.make(f"/channels/{channel['id']}/items/", folder_id=str(mine), order="given")
    return str(channel["id"])


async def announced(world: World, tenant: Tenant, zone: str, *, minutes: int) -> None:
    """Something long is called out at once, and the music stands still for it."""
    media = await add_media(world, tenant, f"{minutes} minutes", minutes * 60)
    async with world.ctx(tenant.id) as ctx:
        await playback.announce(ctx, zone_ids=[UUID(zone)], media=media, title="Long")


async def test_played_once_in_a_zone_that_has_nothing_else_it_is_followed_by_silence(
    world: World,
) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    channel = await once(world, tenant)
    await tenant.make("/playback/channel/", zone_id=zone, channel_id=channel)
    begun = world.clock.now()

    async def heard(*minutes: float) -> list[str | None]:
        found = []
        for minute in minutes:
            at = (begun + timedelta(minutes=minute)).isoformat()
            (view,) = (await tenant.read("/playback/state/", zone_id=zone, at=at))["results"]
            found.append(view["music"] and view["music"]["title"])
        return found

    expected = ["One", "Two", None, None, None]
    assert await heard(1, 4, 7, 60, 60 * 24 * 6) == expected
    await compiled(world)
    assert await heard(1, 4, 7, 60, 60 * 24 * 6) == expected
    await announced(world, tenant, zone, minutes=5)
    for _ in range(2):
        assert await heard(7, 8.5, 10.5, 12, 60) == ["One", "Two", "Two", None, None]
        await compiled(world)


async def test_what_is_called_out_cuts_nothing_off_a_channel_that_is_played_once(
    world: World,
) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    plan = await add_folder(world, tenant, ("Plan",), name="Plan")
    await add_schedule(world, tenant, zone, folder_id=plan)
    await compiled(world)
    begun = world.clock.now()
    await tenant.make("/playback/channel/", zone_id=zone, channel_id=await once(world, tenant))

    async def heard(*minutes: float) -> list[str]:
        return [
            await music_at(tenant, zone, (begun + timedelta(minutes=minute)).isoformat())
            for minute in minutes
        ]

    for worked_off in (True, False):
        if worked_off:
            await compiled(world)
        assert await heard(1, 4, 7) == ["One", "Two", "Plan"]
    await announced(world, tenant, zone, minutes=10)
    for _ in range(2):
        assert await heard(12, 14, 15.5, 17, 60) == ["One", "Two", "Two", "Plan", "Plan"]
        async with world.ctx(tenant.id) as ctx:
            changes.changed(ctx, None)
        await compiled(world)


async def test_back_to_the_schedule_before_it_begins_is_silence_until_it_does(world: World) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    plan, mine = [await add_folder(world, tenant, (name,), name=name) for name in ("Plan", "Mine")]
    soon = world.clock.now().astimezone(ZoneInfo("Europe/Berlin")) + timedelta(hours=2)
    hours = {
        "start_time": soon.time().replace(second=0, microsecond=0),
        "end_time": (soon + timedelta(hours=1)).time().replace(second=0, microsecond=0),
    }
    await add_schedule(world, tenant, zone, folder_id=plan, **hours)
    await compiled(world)
    await tenant.make("/playback/play/", zone_id=zone, folder_id=str(mine))
    await compiled(world)
    (view,) = (await tenant.make("/playback/schedule/", zone_id=zone))["results"]
    assert view["music"] is None
    for hours_on, title in ((1.0, None), (2.5, "Plan")):
        at = (world.clock.now() + timedelta(hours=hours_on)).isoformat()
        (view,) = (await tenant.read("/playback/state/", zone_id=zone, at=at))["results"]
        assert (view["music"] and view["music"]["title"]) == title


async def test_what_people_play_by_hand_is_not_removed_unasked_and_then_plays_on(
    world: World,
) -> None:
    tenant, stranger = await world.tenant(), await world.tenant("Stranger")
    bar, hall = [await add_zone(tenant, name) for name in ("Bar", "Hall")]
    plan = await add_folder(world, tenant, ("Plan",), name="Plan")
    folder = str(await add_folder(world, tenant, ("One", "Two"), name="Mine"))
    smart = await tenant.make(
        "/music/folders/", name="Smart", type="music",
        rules={"all": [{"field": "title", "op": "is", "value": "One"}]},
    )  # fmt: skip
    channel = await tenant.make("/channels/", name="Show")
    await tenant.make(f"/channels/{channel['id']}/items/", folder_id=folder)
    await add_schedule(world, tenant, hall, folder_id=plan)
    await compiled(world)
    other = await add_zone(stranger, "Other")
    theirs = str(await add_folder(world, stranger, ("Theirs",)))
    await stranger.make("/playback/play/", zone_id=other, folder_id=theirs)

    async def users(path: str) -> list[tuple[str, str]]:
        answer = await tenant.http.delete(f"/api/v1{path}")
        if answer.status_code == 204:
            return []
        assert (answer.status_code, answer.json()["code"]) == (409, "in_use")
        return [(one["kind"], one["name"]) for one in answer.json()["used_by"]]

    zones = [("zone", "Bar"), ("zone", "Hall")]
    for path, body in (
        (f"/channels/{channel['id']}/", {"channel_id": channel["id"]}),
        (f"/music/folders/{smart['id']}/", {"folder_id": smart["id"]}),
    ):
        verb = "channel" if "channel_id" in body else "play"
        await tenant.make(f"/playback/{verb}/", zone_ids=[bar, hall], **body)
        for _ in range(2):
            assert await users(path) == zones
            await compiled(world)
        await tenant.make("/playback/schedule/", zone_id=hall)
        assert await users(path) == zones[:1], "in the hall the schedule has the music again"
        removed = await tenant.http.delete(f"/api/v1{path}", params={"force": "true"})
        assert removed.status_code == 204
        await compiled(world)
        later = (world.clock.now() + timedelta(hours=5)).isoformat()
        assert await music_at(tenant, bar, later) in {"One", "Two"}, "and plays on"
        assert await music_at(tenant, hall, later) == "Plan"
    await tenant.make("/playback/play/", zone_id=bar, folder_id=folder)
    until = (world.clock.now() + timedelta(minutes=30)).isoformat()
    await tenant.make("/playback/play/", zone_id=hall, folder_id=folder, until=until)
    assert await users(f"/music/folders/{folder}/") == zones
    await tenant.make("/playback/play/", zone_id=bar, folder_id=str(plan))
    assert await users(f"/music/folders/{folder}/") == zones[1:]
