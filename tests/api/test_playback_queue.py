"""The queue of a zone: who sounds, who waits behind whom, who gives up, and stopping all of it."""

from typing import Any
from uuid import UUID

from support.music import add_media, add_zone, digest
from support.stack import eventually
from support.world import Tenant, World
from sync2gear_broker.messages.device import PREFIX_DIGITS
from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.library.tables import Media
from sync2gear_platform.playback import service
from sync2gear_platform.sites.tables import DevicePresence


async def announce(
    world: World, tenant: Tenant, zone: str, media: Media, title: str, **more: Any
) -> service.Announced:
    async with world.ctx(tenant.id) as ctx:
        return (
            await service.announce(ctx, zone_ids=[UUID(zone)], media=media, title=title, **more)
        )[0]


async def queue(tenant: Tenant, zone: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await tenant.read("/playback/queue/", zone_id=zone))["results"][
        0
    ]["entries"]
    return found


async def sounds(tenant: Tenant, zone: str, title: str) -> None:
    async def begun() -> bool:
        now = await queue(tenant, zone)
        return [e["title"] for e in now if e["state"] == "sounding"] == [title]

    await eventually(begun, f"{title} sounds", 30)


async def test_equal_ones_stand_behind_each_other_and_a_higher_one_goes_first(
    world: World,
) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    long, short = [await add_media(world, tenant, f"{n} s", seconds=n) for n in (600, 60)]
    assert await queue(tenant, zone) == []
    await announce(world, tenant, zone, long, "first")
    await sounds(tenant, zone, "first")
    await announce(world, tenant, zone, short, "second")
    await announce(world, tenant, zone, short, "third")
    first, second, third = await queue(tenant, zone)
    assert [e["title"] for e in (first, second, third)] == ["first", "second", "third"]
    assert first["ends"] == second["begins"]
    assert second["ends"] == third["begins"] == second["begins"] + 60 * FRAME_RATE
    assert all(e["live"] and e["priority"] == 50 for e in (first, second, third))
    await announce(world, tenant, zone, short, "urgent", priority=90)
    await sounds(tenant, zone, "urgent")
    titles = [e["title"] for e in await queue(tenant, zone)]
    assert titles == ["urgent", "second", "third"], "what was cut is dropped"


async def test_the_first_asked_for_goes_first_while_its_file_is_fetched(world: World) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    made = await tenant.make("/devices/register/", name="one", hardware_id="1", zone_id=zone)
    async with world.ctx() as ctx:
        ctx.db.add(
            DevicePresence(
                device_id=UUID(made["device"]["id"]), client_id=tenant.id, online=True,
                state={"ahead": 50, "prefetched": [digest("held")[:PREFIX_DIGITS]]},
            )
        )  # fmt: skip
    fetched, held = [await add_media(world, tenant, name, seconds=60) for name in ("new", "held")]
    first = await announce(world, tenant, zone, fetched, "first")
    second = await announce(world, tenant, zone, held, "second")
    assert second.start_frame == first.start_frame + 1, "ready sooner, and behind it all the same"
    assert [e["title"] for e in await queue(tenant, zone)] == ["first", "second"]
    urgent = await announce(world, tenant, zone, held, "urgent", priority=90)
    assert urgent.start_frame < first.start_frame


async def test_who_waits_too_long_gives_up(world: World) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    long, short = [await add_media(world, tenant, f"{n} s", seconds=n) for n in (600, 60)]
    await announce(world, tenant, zone, long, "first")
    await announce(world, tenant, zone, short, "patient")
    await announce(world, tenant, zone, short, "impatient", timeout_millis=1000)
    await sounds(tenant, zone, "first")
    assert [e["title"] for e in await queue(tenant, zone)] == ["first", "patient"]


async def test_a_delayed_one_can_be_taken_back_unheard(world: World) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    spoken = await tenant.make("/announcements/tts/", text="Table four, please.")
    played = await tenant.make(
        f"/announcements/{spoken['id']}/play-instant/",
        zone_ids=[zone], delay_millis=60_000, timeout_millis=5_000,
    )  # fmt: skip
    (entry,) = await queue(tenant, zone)
    assert entry["state"] == "coming"
    assert entry["begins"] == entry["start"]
    event = played["plays"][0]["event_id"]
    cancelled = await tenant.http.post(
        "/api/v1/playback/cancel/", json={"zone_id": zone, "event_id": event}
    )
    assert cancelled.status_code == 200
    assert await queue(tenant, zone) == []


async def test_all_is_stopped_at_once_and_told_so(world: World) -> None:
    tenant = await world.tenant()
    zones = [await add_zone(tenant, name) for name in ("A", "B")]
    media = await add_media(world, tenant, "a call", seconds=600)
    plays = [await announce(world, tenant, zone, media, f"in {zone}") for zone in zones]
    await announce(world, tenant, zones[0], media, "behind")
    for zone in zones:
        await sounds(tenant, zone, f"in {zone}")
    everywhere = (await tenant.read("/playback/queue/"))["results"]
    assert sorted(len(one["entries"]) for one in everywhere) == [1, 2]
    answer = await tenant.http.post("/api/v1/playback/queue/clear/", json={"zone_ids": zones})
    assert answer.status_code == 200

    async def silent() -> bool:
        return (await tenant.read("/playback/queue/"))["results"] == []

    await eventually(silent, "the queues are empty", 30)
    for play in plays:
        tree = await tenant.read(f"/plays/{play.play_id}/")
        assert tree["zones"][0]["cancelled_at"] is not None


async def test_a_neighbour_sees_and_stops_nothing(world: World) -> None:
    tenant, rival = await world.tenant(), await world.tenant()
    zone = await add_zone(tenant)
    media = await add_media(world, tenant, "a call", seconds=600)
    await announce(world, tenant, zone, media, "ours")
    assert (await rival.read("/playback/queue/"))["results"] == []
    seen = await rival.http.get("/api/v1/playback/queue/", params={"zone_id": zone})
    stopped = await rival.http.post("/api/v1/playback/queue/clear/", json={"zone_id": zone})
    assert (seen.status_code, stopped.status_code) == (404, 404)
    assert len(await queue(tenant, zone)) == 1
