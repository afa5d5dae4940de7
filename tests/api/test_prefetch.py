"""What speakers fetch before anybody asks: which sounds, who is told, and how early they obey."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from support.music import add_zone
from support.world import Tenant, World
from sync2gear_broker import topics
from sync2gear_broker.messages import DeviceState, Prefetch, ZoneState
from sync2gear_broker.messages.device import MAX_PREFETCH, PREFIX_DIGITS
from sync2gear_broker.topics import Address
from sync2gear_platform.announcements import ahead
from sync2gear_platform.announcements.changes import PREFETCH
from sync2gear_platform.playback import prefetch
from sync2gear_platform.playback.tables import ZonePlayback
from sync2gear_platform.sites.tables import DevicePresence


async def refresh(world: World, tenant: Tenant) -> bool:
    """What the job does."""
    state = world.app.state
    kit = ahead.Kit(world.db, state.blobs, state.splicer, world.clock)
    return await ahead.refresh(kit, tenant.id)


async def jobs(world: World, tenant: Tenant) -> int:
    """How many jobs wait to find out the list anew; they are taken out."""
    async with world.ctx() as ctx:
        taken = await ctx.db.execute(
            text(
                "DELETE FROM procrastinate_jobs WHERE task_name = :task"
                " AND args->>'client_id' = :client RETURNING id"
            ),
            {"task": PREFETCH, "client": str(tenant.id)},
        )
        return len(taken.all())


async def speaker(tenant: Tenant, name: str, zone: str | None = None) -> str:
    body = {"name": name, "hardware_id": f"hw {name}", "zone_id": zone}
    return str((await tenant.make("/devices/register/", **body))["device"]["id"])


async def listed(world: World, tenant: Tenant, device: str) -> Prefetch | None:
    """What a speaker's retained topic holds."""
    address = Address(topics.DEVICE_PREFETCH, client=str(tenant.id), device=device)
    async with world.ctx() as ctx:
        found = await prefetch.read(ctx.db, [address])
    return Prefetch.parse(found[address]) if address in found else None


async def hashes(world: World, tenant: Tenant, device: str) -> list[str]:
    found = await listed(world, tenant, device)
    assert found is not None
    return [item.sha256 for item in found.items]


async def dirty(world: World) -> set[str]:
    async with world.ctx() as ctx:
        taken = await ctx.db.execute(text("DELETE FROM outbox RETURNING topic"))
        return {topic for (topic,) in taken.all() if topic.endswith("/dn/prefetch")}


async def make(tenant: Tenant, words: str, **more: Any) -> dict[str, Any]:
    return await tenant.make("/announcements/tts/", text=words, **more)


async def play(world: World, tenant: Tenant, made: str, zone: str) -> tuple[str, int]:
    """The hash that speakers are told, and the milliseconds that they have."""
    before = world.clock.frames()
    answer = await tenant.make(f"/announcements/{made}/play-instant/", zone_ids=[zone])
    async with world.ctx(tenant.id) as ctx:
        row = select(ZonePlayback).where(col(ZonePlayback.zone_id) == UUID(zone))
        state = ZoneState.model_validate((await ctx.db.exec(row)).one().document)
    return state.live[-1].media.sha256, (answer["plays"][0]["start_frame"] - before) // 48


async def test_the_list_holds_what_would_be_heard_and_follows_every_change(world: World) -> None:
    tenant, other = await world.tenant("A"), await world.tenant("B")
    zone = await add_zone(tenant)
    inside, unclaimed = await speaker(tenant, "In", zone), await speaker(tenant, "Out")
    foreign = await speaker(other, "Foreign", await add_zone(other))
    topic = topics.build(topics.DEVICE_PREFETCH, client=str(tenant.id), device=inside)
    assert topic in await dirty(world), "a new speaker is told at once"
    first = await listed(world, tenant, inside)
    assert first is not None
    assert first.items == ()

    plain = await make(tenant, "We close soon.")
    chimed = await make(tenant, "Till two, please.", chime_before={"name": "ding"})
    await make(tenant, "Not this one.", prefetch=False)
    assert await jobs(world, tenant) == 2, "what is not fetched ahead changes nothing"
    assert await refresh(world, tenant)
    both = {topics.build(topics.DEVICE_PREFETCH, client=str(tenant.id), device=d)
            for d in (inside, unclaimed)}  # fmt: skip
    assert await dirty(world) == both
    found = await listed(world, tenant, inside)
    assert found is not None
    assert (found.epoch, found.rev) > (first.epoch, first.rev)
    told = [item.sha256 for item in found.items]
    assert len(told) == 2
    assert told[1] == plain["sha256"], "the latest first"
    assert told[0] != chimed["sha256"], "with its chime it is another file"
    assert (await play(world, tenant, chimed["id"], zone))[0] == told[0]
    assert await hashes(world, tenant, unclaimed) == told
    assert await hashes(world, other, foreign) == [], "nothing of another client's"
    assert await listed(world, other, inside) is None
    assert not await refresh(world, tenant), "nothing has changed"

    # what was said at once comes behind, as it was heard, from the next look on
    await jobs(world, tenant)
    said = await tenant.make("/announcements/say/", text="Just now.", zone_ids=[zone])
    assert await jobs(world, tenant) == 0, "saying something costs no job"
    await refresh(world, tenant)
    assert await hashes(world, tenant, inside) == [*told, said["announcement"]["sha256"]]

    # a message is heard by its variants, in the message's manner
    variants = f"/announcements/{chimed['id']}/variants/"
    await tenant.make(variants, sound_id=plain["id"], evergreen=True)
    assert await jobs(world, tenant) == 1
    await refresh(world, tenant)
    heard = (await play(world, tenant, chimed["id"], zone))[0]
    assert heard not in {plain["sha256"], told[0]}
    assert (await hashes(world, tenant, inside))[0] == heard

    answer = await tenant.http.delete(f"/api/v1/announcements/{plain['id']}/?force=true")
    assert answer.status_code == 204
    assert await jobs(world, tenant) == 1
    await refresh(world, tenant)
    assert plain["sha256"] not in await hashes(world, tenant, inside)
    await tenant.http.delete(f"/api/v1/devices/{inside}/")
    assert topic in await dirty(world)
    assert await listed(world, tenant, inside) is None


async def test_what_every_speaker_says_to_hold_is_announced_with_the_small_lead(
    world: World,
) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    devices = [await speaker(tenant, name, zone) for name in ("Left", "Right")]
    made = await make(tenant, "Till two, please.")

    async def holding(*held: str) -> None:
        async with world.ctx() as ctx:
            for device in devices:
                mine = DeviceState(ahead=30, prefetched=held if device == devices[0] else held[:1])
                row = DevicePresence(
                    device_id=UUID(device), client_id=tenant.id, online=True,
                    state=mine.model_dump(mode="json"),
                )  # fmt: skip
                await ctx.db.merge(row)

    digits = made["sha256"][:PREFIX_DIGITS]
    await holding("0" * PREFIX_DIGITS, digits)
    _, one_lacks_it = await play(world, tenant, made["id"], zone)
    await tenant.make("/playback/queue/clear/", zone_ids=[zone])  # nobody goes behind it
    await holding(digits)
    _, both_hold_it = await play(world, tenant, made["id"], zone)
    # 600 ms to fetch it are more than this machine takes from one reading of the clock to another
    assert one_lacks_it - both_hold_it > 300, (one_lacks_it, both_hold_it)


@pytest.mark.parametrize(
    ("chosen", "size", "room"),
    [
        ({}, 1, True),
        ({"a" * 64: 1}, 1, False),
        ({"b" * 64: prefetch.MAX_BYTES - 1}, 1, True),
        ({"b" * 64: prefetch.MAX_BYTES - 1}, 2, False),
        ({f"{n:064x}": 1 for n in range(MAX_PREFETCH)}, 1, False),
    ],
)
def test_a_list_is_bounded_in_files_and_bytes(
    chosen: dict[str, int], size: int, room: bool
) -> None:
    assert prefetch.fits(chosen, "a" * 64, size) is room
