"""A channel that people play by hand: in its own order, where it may be played, until its end."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlmodel import col, select

from support.live import hear, say, serving, watching
from support.music import add_folder, add_zone
from support.planning import add_schedule, add_words, compiled, newest, score
from support.world import Tenant, World
from sync2gear_platform.library.tables import Track


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
