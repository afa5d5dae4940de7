"""A slot of music counts once, however many speakers tell of it and however often."""

import json
from typing import Any
from uuid import UUID, uuid4

from support.music import add_folder, add_zone, digest
from support.world import Tenant, World
from sync2gear_broker.topics import PLAY_EVENTS, Address
from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.playback import ingest

FAR = 4_000_000_000 * FRAME_RATE
"""In the year 2096: a speaker is not believed that it played then."""

BEFORE = 1_700_000_000 * FRAME_RATE


def event(seq: int, zone: str, **more: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()), "seq": seq, "kind": "started", "zone": zone, "item": "b",
        "media": digest("A"), "media_kind": "music", "at": BEFORE + 5, "planned": BEFORE, **more,
    }  # fmt: skip


async def told(world: World, tenant: Tenant, *sent: tuple[str, UUID, list[dict[str, Any]]]) -> None:
    """What speakers send, in one transaction."""
    batches = [
        ingest.read(
            Address(PLAY_EVENTS, client=str(tenant.id), device=device),
            json.dumps({"v": 1, "log": str(log), "events": events}).encode(),
        )
        for device, log, events in sent
    ]
    await ingest.Ingest(world.db, world.clock).write(batches)


async def test_a_slot_of_music_counts_once(world: World) -> None:
    tenant, other = await world.tenant(), await world.tenant()
    for one in (tenant, other):
        await add_folder(world, one, ("A", "B"))
    await add_folder(world, tenant, ("A again",))
    zones = [await add_zone(tenant, "Bar"), await add_zone(tenant, "Shop")]
    one, two = [
        (await tenant.make("/devices/register/", name="d", hardware_id=f"{n}"))["device"]["id"]
        for n in range(2)
    ]
    logs = [uuid4(), uuid4()]

    async def counts() -> dict[str, int]:
        found = (await tenant.read("/music/files/"))["results"]
        return {track["title"]: track["play_count"] for track in found}

    first = event(1, zones[0])
    await told(world, tenant, (one, logs[0], [first]), (two, logs[1], [event(1, zones[0])]))
    assert await counts() == {"A": 1, "A again": 0, "B": 0}, "two speakers of one zone"
    await told(world, tenant, (one, logs[0], [first]))
    await told(world, tenant, (two, logs[1], [event(2, zones[0])]))
    assert (await counts())["A"] == 1, "told again, and begun again after a pause"
    ended = event(2, zones[0], kind="finished", frames=1)
    mute = event(3, zones[0], planned=BEFORE + 10, audible=False)
    voice = event(4, zones[0], planned=BEFORE + 20, media_kind="announcement")
    await told(world, tenant, (one, logs[0], [ended, mute, voice]))
    assert (await counts())["A"] == 1, "what was not heard, or is no music"
    elsewhere, later = event(5, zones[1]), event(6, zones[0], planned=FAR)
    await told(world, tenant, (one, logs[0], [elsewhere, later]))
    assert await counts() == {"A": 3, "A again": 0, "B": 0}
    a = (await tenant.read("/music/files/"))["results"][0]
    assert a["last_played_at"][:4] == str(world.clock.now().year), "never later than now"
    untouched = (await other.read("/music/files/"))["results"]
    assert {track["play_count"] for track in untouched} == {0}
    assert {track["last_played_at"] for track in untouched} == {None}
