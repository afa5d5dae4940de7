"""Zones without music, quiet hours, shares of voice and music that waits, over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from support.music import add_folder, add_zone
from support.planning import add_words, begun, compiled, marks, newest, score
from support.world import Tenant, World

DAY = {"start_time": "00:00", "end_time": "00:00"}


async def shop(world: World) -> tuple[Tenant, str, UUID]:
    """A zone of announcements alone, each quarter of an hour; the announcement."""
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    words = await add_words(world, tenant)
    when = {"kind": "minutes", "minutes": [0, 15, 30, 45]}
    await plan(tenant, zone, type="announcement", announcement_id=str(words), when=when)
    await compiled(world)
    return tenant, zone, words


async def plan(tenant: Tenant, zone: str, **values: Any) -> dict[str, Any]:
    return await tenant.make("/schedules/", **{"name": "S", "zone_ids": [zone], **values})


async def change(tenant: Tenant, path: str, **values: Any) -> dict[str, Any]:
    answer = await tenant.http.patch(f"/api/v1{path}", json=values)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_zone_of_announcements_alone_is_silent_between_them(world: World) -> None:
    tenant, zone, _ = await shop(world)
    found = newest(await score(world, tenant, zone))
    assert [block.silent for block in found.blocks] == [True]
    assert len(found.events) > 660
    await begun(world, found)
    (state,) = (await tenant.read("/playback/state/", zone_id=zone))["results"]
    assert (state["status"], state["music"]) == ("playing", None)
    assert {one["role"] for one in state["segments"]} == {"event"}
    answer = await tenant.http.post("/api/v1/playback/next/", json={"zone_id": zone})
    assert (answer.status_code, answer.json()["code"]) == (409, "no_music_now")
    until = world.clock.now() + timedelta(hours=2)
    await tenant.make("/playback/stop/", zone_id=zone, until=until.isoformat())
    stopped = {"from": world.clock.now().isoformat(), "to": until.isoformat()}
    heard = await tenant.read(f"/zones/{zone}/forecast/", **stopped)
    assert not heard["pieces"]
    assert {one["reason"] for one in heard["unheard"]} == {"stopped"}
    after = {"from": until.isoformat(), "to": (until + timedelta(hours=1)).isoformat()}
    assert len((await tenant.read(f"/zones/{zone}/forecast/", **after))["pieces"]) in {4, 5}


async def test_quiet_hours_of_a_location_hold_in_its_zones_but_for_those_with_their_own(
    world: World,
) -> None:
    tenant, zone, _ = await shop(world)
    location = (await tenant.read(f"/zones/{zone}/"))["location_id"]
    shown = await change(tenant, f"/locations/{location}/", quiet_hours=[DAY])
    usual = {"days_of_week": [], "music": True}
    assert shown["quiet_hours"] == [{**DAY, **usual}]
    assert await marks(world) == 1
    await compiled(world)
    assert newest(await score(world, tenant, zone)).events == ()
    hours = {"from": world.clock.now().isoformat()}
    forecast = await tenant.read(f"/zones/{zone}/forecast/", **hours)
    assert {one["reason"] for one in forecast["unheard"]} == {"quiet_hours"}
    item = forecast["unheard"][0]["item"]
    why = await tenant.read(f"/zones/{zone}/why/{item}/")
    assert why["limited_by"] == "quiet_hours"
    assert (await change(tenant, f"/zones/{zone}/", quiet_hours=[]))["quiet_hours"] == []
    await compiled(world)
    assert len(newest(await score(world, tenant, zone)).events) > 660
    back = await change(tenant, f"/zones/{zone}/", quiet_hours=None)
    assert back["quiet_hours"] is None
    for wrong in ({"start_time": "7:00", "end_time": "08:00"}, {"start_time": "07:00"}):
        answer = await tenant.http.patch(f"/api/v1/zones/{zone}/", json={"quiet_hours": [wrong]})
        assert answer.json()["code"] == "invalid_request"


async def test_music_off_a_share_of_voice_and_a_soft_start(world: World) -> None:
    tenant, zone, words = await shop(world)
    folder = await add_folder(world, tenant, ("One", "Two", "Three"))
    when = {"kind": "share", "seconds_per_hour": 60}
    share = await plan(tenant, zone, type="announcement", announcement_id=str(words), when=when)
    assert share["when"] == when
    start = {"mode": "wait", "max_wait_millis": 90_000}
    await plan(tenant, zone, type="music", folder_id=str(folder), start=start)
    tomorrow = (datetime.now(UTC) + timedelta(days=2)).weekday()
    night = {**DAY, "days_of_week": [tomorrow], "music": False}
    await change(tenant, f"/zones/{zone}/", quiet_hours=[night])
    await compiled(world)
    found = newest(await score(world, tenant, zone))
    music = next(block for block in found.blocks if not block.silent)
    assert (music.when, music.max_wait) == ("wait", 90 * 48_000)
    assert [block.silent for block in found.blocks].count(True) >= 1
    mine = UUID(share["id"]).hex
    spread = [event.start for event in found.events if event.id.startswith(mine)]
    assert 6 * 6 * 24 - 40 < len(spread) <= 6 * 7 * 24
    wrong = await tenant.http.post(
        "/api/v1/schedules/",
        json={"name": "S", "type": "announcement", "announcement_id": str(words),
              "zone_ids": [zone], "when": {"kind": "share", "seconds_per_hour": 0}},
    )  # fmt: skip
    assert wrong.json()["code"] == "invalid_request"
