"""Plays: who reads what became of an announcement, and what speakers and people make of it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from support.music import add_zone
from support.world import Tenant, World
from sync2gear_broker import topics
from sync2gear_broker.messages import DeviceState, PlayEvent, Receipt
from sync2gear_broker.topics import Address
from sync2gear_platform.playback import plays
from sync2gear_platform.playback.ingest import Batch, Ingest
from sync2gear_platform.playback.receipts import Receipts


async def speaker(tenant: Tenant, zone: str, name: str) -> str:
    body = {"name": name, "hardware_id": f"hw {name}", "zone_id": zone}
    return str((await tenant.make("/devices/register/", **body))["device"]["id"])


async def say(tenant: Tenant, *zones: str, text: str = "Till two, please.") -> dict[str, Any]:
    return await tenant.make("/announcements/say/", text=text, zone_ids=list(zones))


async def receive(world: World, tenant: Tenant, device: str, *told: Receipt) -> None:
    """What a speaker reports, on the way that its reports take."""
    receipts = Receipts(world.db)
    address = Address(topics.DEVICE_STATE, client=str(tenant.id), device=device)
    receipts.heard(address, DeviceState(receipts=told).canonical())
    await receipts.write(receipts.take())


def speakers_of(tree: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {
        one["name"]: (one["state"], one["reason"])
        for zone in tree["zones"]
        for one in zone["speakers"]
    }


async def test_one_call_is_one_play_over_all_zones_and_its_facts_come_from_speakers(
    world: World,
) -> None:
    tenant = await world.tenant()
    bar, lobby = await add_zone(tenant, "Bar"), await add_zone(tenant, "Lobby")
    left, right = await speaker(tenant, bar, "Left"), await speaker(tenant, lobby, "Right")
    made = await say(tenant, bar, lobby)
    (play_id,) = {play["play_id"] for play in made["plays"]}
    tree = await tenant.read(f"/plays/{play_id}/")
    assert [zone["name"] for zone in tree["zones"]] == ["Bar", "Lobby"]
    assert tree["announcement_id"] == made["announcement"]["id"]
    assert tree["zones"][0]["starts_at"] == made["plays"][0]["starts_at"]
    assert tree["counts"] == {"pending": 2}

    start = made["plays"][0]["start_frame"]
    event = UUID(play_id).hex
    await receive(world, tenant, left, Receipt(event=event, received=start - 9600))
    await receive(world, tenant, right, Receipt(event=event, received=start - 4800, cached=start))
    # again, and later by the clock: the first word is the one that counts
    await receive(world, tenant, left, Receipt(event=event, received=start))
    tree = await tenant.read(f"/plays/{play_id}/")
    assert speakers_of(tree) == {"Left": ("received", ""), "Right": ("cached", "")}
    assert tree["zones"][1]["speakers"][0]["cached_at"] == tree["zones"][1]["starts_at"]
    assert tree["zones"][0]["speakers"][0]["received_at"] < tree["zones"][0]["starts_at"]

    ingest = Ingest(world.db, world.clock)
    ends = {"started": start + 480, "finished": start + 48_000}
    said: dict[int, PlayEvent | None] = {
        n: PlayEvent.model_validate(
            {"id": str(uuid4()), "seq": n, "kind": kind, "zone": bar, "item": event,
             "media": made["announcement"]["sha256"], "media_kind": "announcement",
             "at": at, "planned": start}
        )
        for n, (kind, at) in enumerate(ends.items(), 1)
    }  # fmt: skip
    batch = Batch(tenant.id, UUID(left), uuid4(), said)
    await ingest.write([batch])
    await ingest.write([batch])
    tree = await tenant.read(f"/plays/{play_id}/")
    assert speakers_of(tree) == {"Left": ("finished", ""), "Right": ("cached", "")}
    assert tree["zones"][0]["speakers"][0]["late_millis"] == 10
    assert tree["counts"] == {"finished": 1, "cached": 1}


async def test_a_cancelled_announcement_was_missed_for_that_reason(world: World) -> None:
    tenant = await world.tenant()
    bar = await add_zone(tenant, "Bar")
    await speaker(tenant, bar, "Left")
    (play,) = (await say(tenant, bar))["plays"]
    body = {"zone_id": bar, "event_id": play["event_id"]}
    assert (await tenant.http.post("/api/v1/playback/cancel/", json=body)).is_success
    tree = await tenant.read(f"/plays/{play['play_id']}/")
    assert speakers_of(tree) == {"Left": ("missed", "cancelled")}
    assert tree["zones"][0]["cancelled_at"] is not None


async def test_an_announcement_that_was_cut_off_was_not_heard_to_its_end(world: World) -> None:
    tenant = await world.tenant()
    bar = await add_zone(tenant, "Bar")
    left = await speaker(tenant, bar, "Left")
    made = await say(tenant, bar, text="A long sentence, of which nobody hears more than a word.")
    (play,) = made["plays"]
    start, event = play["start_frame"], UUID(play["play_id"]).hex
    said: dict[int, PlayEvent | None] = {
        n: PlayEvent.model_validate(
            {"id": str(uuid4()), "seq": n, "kind": kind, "zone": bar, "item": event,
             "media": made["announcement"]["sha256"], "media_kind": "announcement",
             "at": at, "planned": start}
        )
        for n, (kind, at) in enumerate({"started": start, "finished": start + 9600}.items(), 1)
    }  # fmt: skip
    await Ingest(world.db, world.clock).write([Batch(tenant.id, UUID(left), uuid4(), said)])
    tree = await tenant.read(f"/plays/{play['play_id']}/")
    assert speakers_of(tree) == {"Left": ("finished", "cut")}
    body = {"zone_id": bar, "event_id": play["event_id"]}
    assert (await tenant.http.post("/api/v1/playback/cancel/", json=body)).is_success
    tree = await tenant.read(f"/plays/{play['play_id']}/")
    assert speakers_of(tree) == {"Left": ("finished", "cancelled")}


async def test_nobody_tells_of_what_is_not_theirs(world: World) -> None:
    tenant, other = await world.tenant("A"), await world.tenant("B")
    bar, elsewhere = await add_zone(tenant, "Bar"), await add_zone(tenant, "Elsewhere")
    await speaker(tenant, bar, "Left")
    away = await speaker(tenant, elsewhere, "Away")
    foreign = await speaker(other, await add_zone(other, "Bar"), "Foreign")
    (play,) = (await say(tenant, bar))["plays"]
    told = Receipt(event=play["event_id"], received=1)
    await receive(world, tenant, away, told)
    await receive(world, other, foreign, told)
    await receive(world, other, away, told)
    assert speakers_of(await tenant.read(f"/plays/{play['play_id']}/")) == {"Left": ("pending", "")}
    assert (await other.http.get(f"/api/v1/plays/{play['play_id']}/")).status_code == 404
    assert (await other.read("/plays/"))["results"] == []


async def test_floor_staff_read_of_their_own_zones_only(world: World) -> None:
    tenant = await world.tenant()
    mine, theirs = await add_zone(tenant, "Mine"), await add_zone(tenant, "Theirs")
    floor = await world.colleague(tenant, "floor", ("zone", UUID(mine)))
    both = (await say(tenant, mine, theirs))["plays"][0]["play_id"]
    beyond = (await say(tenant, theirs, text="Elsewhere."))["plays"][0]["play_id"]
    tree = (await floor.get(f"/api/v1/plays/{both}/")).json()
    assert [zone["name"] for zone in tree["zones"]] == ["Mine"]
    assert (await floor.get(f"/api/v1/plays/{beyond}/")).status_code == 404
    listed = (await floor.get("/api/v1/plays/", params={"count": True})).json()
    assert [(one["id"], one["zone_ids"]) for one in listed["results"]] == [(both, [mine])]
    assert listed["count"] == 1
    answer = await floor.post(
        "/api/v1/announcements/say/", json={"text": "Mine.", "zone_ids": [mine]}
    )
    assert answer.status_code == 202, "who is confined begins plays too"


async def test_lists_by_zone_and_announcement_in_pages_and_for_so_long(world: World) -> None:
    tenant = await world.tenant()
    bar, lobby = await add_zone(tenant, "Bar"), await add_zone(tenant, "Lobby")
    made = [await say(tenant, zone, text="Hello.") for zone in (bar, lobby, bar)]
    ids = [one["plays"][0]["play_id"] for one in made]
    found = await tenant.read("/plays/", page_size=2)
    assert [one["id"] for one in found["results"]] == [ids[2], ids[1]]
    rest = (await tenant.http.get(found["next"])).json()
    assert [one["id"] for one in rest["results"]] == [ids[0]]
    here = await tenant.read("/plays/", zone=bar, announcement=made[0]["announcement"]["id"])
    assert [one["id"] for one in here["results"]] == [ids[2], ids[0]]
    later = (world.clock.now() + timedelta(hours=1)).isoformat()
    assert (await tenant.read("/plays/", **{"from": later}))["results"] == []

    async with world.ctx() as ctx:
        assert await plays.collect(ctx) == 0
    world_later = world.clock.now() + plays.KEEP + timedelta(days=1)
    async with world.ctx() as ctx:
        assert await plays.collect(replace(ctx, now=world_later)) == 3
    assert (await tenant.http.get(f"/api/v1/plays/{ids[0]}/")).status_code == 404
