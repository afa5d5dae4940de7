"""A channel or folder that people play by hand is edited: it is heard, and what plays goes on."""

from datetime import timedelta
from uuid import UUID

from sqlmodel import col, select

from support.music import add_folder, add_zone
from support.planning import add_schedule, add_words, compiled, marks, newest, score
from support.stack import eventually
from support.world import Tenant, World
from sync2gear_broker import timeline
from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.kit.clock import frames_of
from sync2gear_platform.library.tables import Track
from sync2gear_platform.schedules.tables import ZoneCompile

LEAD = 2 * FRAME_RATE


async def titles(world: World, tenant: Tenant, zone: str, minutes: int = 60) -> list[str]:
    """What is heard from now on, each time a piece begins or goes on."""
    found = await score(world, tenant, zone)
    now = frames_of(world.clock.now()) + LEAD
    settled = timeline.settle(found.programmes, found.state)
    pieces = timeline.segments(settled, now, now + minutes * 60 * FRAME_RATE)
    return [one.media.title for one in pieces]


async def position(world: World, tenant: Tenant, zone: str, at: int) -> tuple[str, int]:
    found = await score(world, tenant, zone)
    here = timeline.music_at(timeline.settle(found.programmes, found.state), at)
    assert here is not None
    return here.media.title, here.offset


async def of_folder(tenant: Tenant, folder: UUID, **more: object) -> str:
    channel = await tenant.make("/channels/", name="Daytime", **more)
    path = f"/channels/{channel['id']}/items/"
    await tenant.make(path, folder_id=str(folder), order="given")
    return str(channel["id"])


async def skip(tenant: Tenant, zone: str) -> None:
    """To the next piece, as soon as this one has begun."""

    async def done() -> bool:
        answer = await tenant.http.post("/api/v1/playback/next/", json={"zone_id": zone})
        return answer.is_success

    await eventually(done, "the music has begun")


async def test_a_channel_by_hand_is_heard_as_it_was_edited_after_what_plays(world: World) -> None:
    tenant = await world.tenant()
    zone, other = await add_zone(tenant), await add_zone(tenant, "Other")
    mine = await add_folder(world, tenant, tuple(f"Mine {n}" for n in range(4)))
    more = await add_folder(world, tenant, ("More",))
    channel = await of_folder(tenant, mine)
    await tenant.make("/playback/channel/", zone_id=zone, channel_id=channel)
    await compiled(world)
    heard = await titles(world, tenant, zone)
    assert heard[:5] == ["Mine 0", "Mine 1", "Mine 2", "Mine 3", "Mine 0"]
    await skip(tenant, zone)
    at = frames_of(world.clock.now()) + 30 * FRAME_RATE
    before = await position(world, tenant, zone, at)
    words = await add_words(world, tenant, "Coffee")
    path = f"/channels/{channel}/items/"
    await tenant.make(path, announcement_id=str(words), after_tracks=1)
    rev = (await score(world, tenant, zone)).state.rev
    assert await compiled(world) == 1, "only the zone that plays it is looked at"
    assert (await score(world, tenant, other)).row is None
    assert await position(world, tenant, zone, at) == before, "what plays goes on as it was"
    heard = await titles(world, tenant, zone)
    assert heard[:5] == ["Mine 1", "Coffee", "Mine 2", "Coffee", "Mine 3"], "where it had come to"
    view = (await tenant.read("/playback/state/", zone_id=zone))["results"][0]
    assert {(one["kind"], one["id"]) for one in view["chosen"]} == {("channel", channel)}
    assert (await score(world, tenant, zone)).state.rev > rev
    await tenant.http.patch(f"/api/v1/channels/{channel}/", json={"name": "Day"})
    rev = (await score(world, tenant, zone)).state.rev
    await compiled(world)
    assert (await score(world, tenant, zone)).state.rev == rev, "a name changes nothing audible"
    await tenant.make(path, folder_id=str(more), order="given")
    await compiled(world)
    assert "More" in await titles(world, tenant, zone)


async def test_an_end_and_a_pause_stay_as_they_were(world: World) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    plan = await add_folder(world, tenant, tuple(f"Plan {n}" for n in range(8)))
    mine = await add_folder(world, tenant, tuple(f"Mine {n}" for n in range(5)))
    channel = await of_folder(tenant, mine)
    await add_schedule(world, tenant, zone, folder_id=plan, name="All day")
    await compiled(world)
    until = world.clock.now() + timedelta(minutes=20)
    body = {"zone_id": zone, "channel_id": channel, "until": until.isoformat()}
    await tenant.make("/playback/channel/", **body)
    await compiled(world)
    after = frames_of(until) + 60 * FRAME_RATE
    expected = await position(world, tenant, zone, after)
    assert expected[0].startswith("Plan")
    words = await add_words(world, tenant, "Coffee")
    path = f"/channels/{channel}/items/"
    await tenant.make(path, announcement_id=str(words), after_tracks=1)
    await compiled(world)
    assert "Coffee" in await titles(world, tenant, zone, 19)
    assert await position(world, tenant, zone, after) == expected
    await tenant.make("/playback/pause/", zone_id=zone)
    line = (await tenant.read(f"/channels/{channel}/items/"))["results"][-1]
    answer = await tenant.http.delete(f"/api/v1/channels/{channel}/items/{line['id']}/")
    assert answer.is_success, answer.text
    await compiled(world)
    view = (await tenant.read("/playback/state/", zone_id=zone))["results"][0]
    assert view["status"] == "paused"
    await tenant.make("/playback/resume/", zone_id=zone)
    assert "Coffee" not in await titles(world, tenant, zone, 19)


async def test_a_folder_by_hand_plays_what_is_in_it_and_what_left_it_ends_with_itself(
    world: World,
) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    mine = await add_folder(world, tenant, ("One", "Two", "Three"))
    await tenant.make("/playback/play/", zone_id=zone, folder_id=str(mine))
    await compiled(world)
    tracks = (await tenant.read("/music/files/", folder_id=str(mine)))["results"]
    first = next(track for track in tracks if track["title"] == "One")
    answer = await tenant.http.delete(f"/api/v1/music/files/{first['id']}/?force=true")
    assert answer.is_success, answer.text
    await compiled(world)
    heard = await titles(world, tenant, zone)
    assert heard[:4] == ["One", "Two", "Three", "One"], "it goes on to its end"
    assert await marks(world) == 1, "and is taken out of the round after that"
    await skip(tenant, zone)
    async with world.ctx() as ctx:
        (mark,) = (await ctx.db.exec(select(ZoneCompile))).all()
        assert timedelta(minutes=2) < mark.wanted_at - world.clock.now() < timedelta(minutes=4)
        mark.wanted_at = ctx.now
    await compiled(world)
    assert (await titles(world, tenant, zone))[:4] == ["Two", "Three", "Two", "Three"]
    assert await marks(world) == 0
    async with world.ctx(tenant.id) as ctx:
        row = (await ctx.db.exec(select(Track).where(col(Track.title) == "Three"))).one()
        last = row.id
    path = f"/api/v1/music/files/{last}/"
    assert (await tenant.http.patch(path, json={"title": "Third"})).is_success
    await compiled(world)
    assert (await titles(world, tenant, zone))[:3] == ["Two", "Third", "Two"]
    assert newest(await score(world, tenant, zone)).blocks[0].items == (0, 1)
