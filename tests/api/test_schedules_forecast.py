"""By hand and back to the schedule; what will sound and why; what a change would do."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from support.music import add_folder, add_zone
from support.planning import add_schedule, add_words, compiled, marks, newest, score
from support.world import Tenant, World
from sync2gear_broker.units import FRAME_RATE


async def shop(world: World) -> tuple[Tenant, str, UUID, UUID]:
    """A zone with music all day and a call each half hour; the music's folder, and another."""
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    plan = await add_folder(world, tenant, tuple(f"Plan {n}" for n in range(8)))
    other = await add_folder(world, tenant, tuple(f"Mine {n}" for n in range(5)))
    words = await add_words(world, tenant)
    await add_schedule(world, tenant, zone, folder_id=plan, name="All day")
    await add_schedule(
        world, tenant, zone, type="announcement", announcement_id=words, name="Call",
        when={"kind": "minutes", "minutes": [0, 30]},
    )  # fmt: skip
    await compiled(world)
    return tenant, zone, plan, other


def soon(world: World, **more: float) -> str:
    return (world.clock.now() + timedelta(**more)).isoformat()


async def forecast(tenant: Tenant, zone: str, **asked: str) -> dict[str, Any]:
    return await tenant.read(f"/zones/{zone}/forecast/", **asked)


async def playing(world: World, tenant: Tenant, zone: str, **later: float) -> str:
    """The title of the music that has the zone then."""
    at = soon(world, **later)
    answer = await tenant.read("/playback/state/", zone_id=zone, at=at)
    return str(answer["results"][0]["music"]["title"])


async def test_music_by_hand_lasts_until_its_end_and_then_the_plan_goes_on(world: World) -> None:
    tenant, zone, _, other = await shop(world)
    expected = await playing(world, tenant, zone, hours=2)
    until = soon(world, hours=1)
    await tenant.make("/playback/play/", zone_id=zone, folder_id=str(other), until=until)
    assert (await playing(world, tenant, zone, minutes=30)).startswith("Mine")
    assert await playing(world, tenant, zone, hours=2) == expected
    await compiled(world)
    assert (await playing(world, tenant, zone, minutes=30)).startswith("Mine")
    assert await playing(world, tenant, zone, hours=2) == expected
    assert len(newest(await score(world, tenant, zone)).events) > 330
    answer = await tenant.http.post(
        "/api/v1/playback/play/",
        json={"zone_id": zone, "folder_id": str(other), "until": soon(world, days=30)},
    )
    assert answer.json()["code"] == "until_when"


async def test_back_to_the_schedule_ends_what_people_chose(world: World) -> None:
    tenant, zone, _, other = await shop(world)
    expected = await playing(world, tenant, zone, minutes=20)
    until = soon(world, hours=5)
    await tenant.make("/playback/play/", zone_id=zone, folder_id=str(other), until=until)
    await compiled(world)
    await tenant.make("/playback/stop/", zone_id=zone)
    state = await tenant.make("/playback/schedule/", zone_id=zone)
    assert state["results"][0]["status"] == "playing"
    assert await playing(world, tenant, zone, minutes=20) == expected
    await compiled(world)
    assert await playing(world, tenant, zone, minutes=20) == expected
    stale = await tenant.http.post("/api/v1/playback/schedule/", json={"zone_id": zone, "rev": 1})
    assert stale.json()["code"] == "rev_conflict"
    empty = await add_zone(tenant, "Empty")
    nothing = await tenant.http.post("/api/v1/playback/schedule/", json={"zone_id": empty})
    assert (nothing.status_code, nothing.json()["code"]) == (409, "nothing_scheduled")


async def test_a_stop_for_a_while_ends_by_itself(world: World) -> None:
    tenant, zone, _, _ = await shop(world)
    until = soon(world, hours=1)
    stopped = await tenant.make("/playback/stop/", zone_id=zone, until=until)
    assert stopped["results"][0]["status"] == "stopped"
    later = await tenant.read("/playback/state/", zone_id=zone, at=soon(world, hours=2))
    assert later["results"][0]["status"] == "playing"
    assert later["results"][0]["music"]["running"]


async def test_shuffle_goes_on_with_what_plays_and_can_be_taken_back(world: World) -> None:
    tenant, zone, _, _ = await shop(world)
    refused = await tenant.http.post(
        "/api/v1/playback/shuffle/", json={"zone_id": zone, "shuffle": True}
    )
    assert refused.json()["code"] == "not_chosen"
    many = await add_folder(world, tenant, tuple(f"Many {n:02}" for n in range(30)))
    other = await add_zone(tenant, "Other")
    await tenant.make("/playback/play/", zone_id=other, folder_id=str(many))

    async def order() -> list[str]:
        programme = newest(await score(world, tenant, other))
        return [programme.media[i].title for i in programme.blocks[0].items]

    given = await order()
    assert given == sorted(given)
    shown = await tenant.make("/playback/shuffle/", zone_id=other, shuffle=True)
    assert shown["results"][0]["shuffle"]
    shuffled = await order()
    assert shuffled[0] == given[0]
    assert shuffled != given
    assert sorted(shuffled) == given
    assert await playing(world, tenant, other, seconds=30) == given[0]
    await tenant.make("/playback/shuffle/", zone_id=other, shuffle=False)
    assert await order() == given
    assert await playing(world, tenant, other, seconds=30) == given[0]


async def test_what_sounded_at_an_instant_is_known_afterwards(world: World) -> None:
    tenant, zone, _, other = await shop(world)
    before = world.clock.now()
    was = (await tenant.read("/playback/state/", zone_id=zone, at=before.isoformat()))["results"]
    await tenant.make("/playback/volume/", zone_id=zone, volume=3)
    await tenant.make("/playback/play/", zone_id=zone, folder_id=str(other))
    then = (await tenant.read("/playback/state/", zone_id=zone, at=before.isoformat()))["results"]
    assert then[0]["volume"] == was[0]["volume"] != 3
    assert then[0]["segments"][:1] == was[0]["segments"][:1]
    never = (before - timedelta(days=2)).isoformat()
    idle = await tenant.read("/playback/state/", zone_id=zone, at=never)
    assert idle["results"][0]["status"] == "idle"
    far = await tenant.http.get(
        "/api/v1/playback/state/", params={"zone_id": zone, "at": soon(world, days=9)}
    )
    assert far.json()["code"] == "too_far"


async def test_a_forecast_says_what_when_by_the_venues_clock_and_why(world: World) -> None:
    tenant, zone, _, _ = await shop(world)
    found = await forecast(
        tenant, zone, **{"from": soon(world, hours=1), "to": soon(world, hours=3)}
    )
    calls = [one for one in found["pieces"] if one["role"] == "event"]
    assert len(calls) == 4
    assert {one["why"]["name"] for one in calls} == {"Call"}
    assert {datetime.fromisoformat(one["starts_at"]).minute for one in calls} == {0, 30}
    assert found["timezone"] == "Europe/Berlin"
    music = [one for one in found["pieces"] if one["role"] == "music"]
    assert {one["why"]["name"] for one in music} == {"All day"}
    why = await tenant.read(f"/zones/{zone}/why/{calls[0]['item']}/")
    assert (why["source"], why["name"]) == ("schedule", "Call")
    one = await forecast(tenant, zone, at=calls[0]["starts_at"])
    assert calls[0]["item"] in {piece["item"] for piece in one["pieces"]}


async def test_a_forecast_reaches_beyond_what_is_published(world: World) -> None:
    tenant, zone, _, _ = await shop(world)
    found = await forecast(
        tenant, zone, **{"from": soon(world, days=9), "to": soon(world, days=9, hours=2)}
    )
    assert len([one for one in found["pieces"] if one["role"] == "event"]) == 4


async def test_a_schedule_that_only_loses_is_a_rival_for_as_long_as_it_wants_the_music(
    world: World,
) -> None:
    tenant, zone, _, other = await shop(world)
    here = datetime.fromisoformat((await forecast(tenant, zone))["pieces"][0]["starts_at"])
    before = newest(await score(world, tenant, zone)).blocks[0].id

    async def rivals(**asked: str) -> set[tuple[str, str]]:
        found = (await forecast(tenant, zone, **asked))["pieces"]
        assert {one["why"]["name"] for one in found if one["role"] == "music"} == {"All day"}
        return {
            (rival["name"], rival["lost_by"])
            for one in found if one["role"] == "music"
            for rival in one["why"]["rivals"]
        }  # fmt: skip

    assert await rivals() == set()
    await add_schedule(world, tenant, zone, folder_id=other, name="Always", priority=5)
    span = {"start_time": (here + timedelta(hours=2)).time().replace(microsecond=0),
            "end_time": (here + timedelta(hours=4)).time().replace(microsecond=0)}  # fmt: skip
    await add_schedule(world, tenant, zone, folder_id=other, name="Lunch", priority=5, **span)
    await compiled(world)
    assert newest(await score(world, tenant, zone)).blocks[0].id == before
    always, lunch = ("Always", "priority"), ("Lunch", "priority")
    assert await rivals() == {always}
    assert await rivals(at=soon(world, hours=3)) == {always, lunch}
    assert await rivals(at=soon(world, hours=5)) == {always}
    why = await tenant.read(f"/zones/{zone}/why/{before}/")
    assert {one["name"] for one in why["rivals"]} == {"Always", "Lunch"}
    assert len(why["rivals"]) == 2, "each once, however often it wants the music"


async def test_forecasts_have_their_limits_and_belong_to_their_tenant(world: World) -> None:
    tenant, zone, _, _ = await shop(world)
    other = await world.tenant("Other")
    for asked in (
        {"from": soon(world, days=20)},
        {"from": soon(world, hours=1), "to": soon(world, days=9)},
        {"from": soon(world, hours=2), "to": soon(world, hours=1)},
        {"at": soon(world, days=-3)},
    ):
        answer = await tenant.http.get(f"/api/v1/zones/{zone}/forecast/", params=asked)
        assert answer.json()["code"] == "forecast_range", asked
    for path in (f"/zones/{zone}/forecast/", f"/zones/{zone}/why/b1/"):
        foreign = await other.http.get(f"/api/v1{path}")
        unknown = await other.http.get(f"/api/v1{path.replace(zone, str(uuid4()))}")
        assert (foreign.status_code, foreign.json()["code"]) == (404, "not_found")
        assert unknown.json()["detail"] == foreign.json()["detail"]
    unknown = await tenant.http.get(f"/api/v1/zones/{zone}/why/nothing/")
    assert unknown.status_code == 404


async def test_a_dry_run_says_what_would_be_heard_otherwise_and_changes_nothing(
    world: World,
) -> None:
    tenant, zone, _, other = await shop(world)
    listed = (await tenant.read("/schedules/"))["results"]
    call = next(one for one in listed if one["name"] == "Call")
    before = (await score(world, tenant, zone)).state
    start, end = soon(world, hours=1), soon(world, hours=5)
    answer = await tenant.make(
        "/schedules/dry-run/",
        changes=[
            {"create": {
                "name": "Lunch", "type": "music", "folder_id": str(other), "priority": 90,
                "zone_ids": [zone],
            }},
            {"schedule_id": call["id"]},
        ],
        **{"from": start, "to": end},
    )  # fmt: skip
    (result,) = answer["results"]
    assert (result["zone_id"], result["truncated"]) == (zone, False)
    effects = [
        (one["effect"], one["heard"]["kind"], one["heard"]["name"]) for one in result["differences"]
    ]
    assert answer["conflicts"] == [], "nobody else has its priority"
    assert ("added", "music", "Lunch") in effects
    assert ("dropped", "music", "All day") in effects
    assert effects.count(("dropped", "announcement", "Call")) == 8
    assert [one["name"] for one in (await tenant.read("/schedules/"))["results"]] == [
        one["name"] for one in listed
    ]
    assert await marks(world) == 0
    assert (await score(world, tenant, zone)).state == before


async def test_a_dry_run_moves_what_begins_at_another_time(world: World) -> None:
    tenant, zone, _, _ = await shop(world)
    listed = (await tenant.read("/schedules/"))["results"]
    music = next(one for one in listed if one["name"] == "All day")
    here = datetime.fromisoformat((await forecast(tenant, zone))["pieces"][0]["starts_at"])
    begin = (here + timedelta(hours=2)).strftime("%H:%M")
    finish = (here + timedelta(hours=4)).strftime("%H:%M")
    change = {"start_time": begin, "end_time": finish}
    answer = await tenant.make(
        "/schedules/dry-run/", zone_ids=[zone],
        changes=[{"schedule_id": music["id"], "change": change}],
        **{"from": soon(world, hours=1), "to": soon(world, hours=6)},
    )  # fmt: skip
    (found,) = answer["results"]
    moved = [one for one in found["differences"] if one["effect"] == "moved"]
    assert [one["heard"]["name"] for one in moved] == ["All day"]
    assert moved[0]["heard"]["start"] - moved[0]["before"]["start"] > 3000 * FRAME_RATE


async def test_a_dry_run_says_whom_the_change_would_meet(world: World) -> None:
    tenant, zone, _, other = await shop(world)
    listed = (await tenant.read("/schedules/"))["results"]
    music = next(one for one in listed if one["name"] == "All day")
    create = {
        "name": "Rival", "type": "music", "folder_id": str(other), "zone_ids": [zone],
        "priority": music["priority"],
    }  # fmt: skip
    answer = await tenant.make("/schedules/dry-run/", changes=[{"create": create}])
    (met,) = answer["conflicts"]
    assert (met["winner"]["name"], met["loser"]["name"]) == ("All day", "Rival")
    assert (met["kind"], met["decided_by"], met["zone_ids"]) == ("music", "younger", [zone])
    assert (await tenant.read("/schedules/conflicts/"))["results"] == []


async def test_a_dry_run_refuses_what_the_change_itself_would_be_refused(world: World) -> None:
    tenant, zone, plan, _ = await shop(world)
    other = await world.tenant("Other")
    create = {"name": "X", "type": "music", "folder_id": str(plan), "zone_ids": [zone]}
    foreign = await other.http.post(
        "/api/v1/schedules/dry-run/", json={"changes": [{"create": create}]}
    )
    assert foreign.status_code in {404, 422}
    listed = (await tenant.read("/schedules/"))["results"]
    gone = await other.http.post(
        "/api/v1/schedules/dry-run/", json={"changes": [{"schedule_id": listed[0]["id"]}]}
    )
    assert gone.status_code == 404
    assert (await other.read("/schedules/"))["results"] == []
    for change, code in (
        ({"create": {"name": "X"}}, "invalid_request"),
        ({"change": {"priority": 3}}, "invalid_change"),
        ({"create": create, "schedule_id": listed[0]["id"]}, "invalid_change"),
        ({"schedule_id": listed[0]["id"], "change": {"priority": 1000}}, "invalid_request"),
    ):
        wrong = await tenant.http.post("/api/v1/schedules/dry-run/", json={"changes": [change]})
        assert (wrong.status_code, wrong.json()["code"]) == (422, code), change
