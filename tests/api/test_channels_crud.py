"""Channels over HTTP: lines of every kind, nesting, order, and what they sound like."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx2
from sqlmodel import col, select

from support.music import add_folder, add_zone
from support.wishes import add_announcement, add_channel, facts_of, marked
from support.world import Tenant, World
from sync2gear_platform.channels.model import Apart
from sync2gear_platform.library.tables import Track


def code(answer: httpx2.Response) -> tuple[int, str]:
    told = answer.json() if answer.content else {}
    return answer.status_code, str(told.get("code", ""))


async def titles(tenant: Tenant, channel: str, **asked: Any) -> list[str]:
    found = await tenant.read(f"/channels/{channel}/preview/", **asked)
    return [turn["title"] for turn in found["results"]]


async def track(world: World, tenant: Tenant, title: str) -> str:
    async with world.ctx(tenant.id) as ctx:
        found = select(Track.id).where(col(Track.title) == title)
        return str((await ctx.db.exec(found)).one())


async def test_every_field_of_a_channel_arrives_where_it_is_played(world: World) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    folder = await add_folder(world, tenant, ("One", "Two", "Three"))
    said = await add_announcement(world, tenant, "Hello")
    made = await tenant.make(
        "/channels/", name=" Pop ", description="d", mode="ordered", hourly=True, loop=False,
        crossfade_millis=2000, artist_apart=3, title_apart=9, again_hours=4,
    )  # fmt: skip
    path = f"/channels/{made['id']}"
    one = await tenant.make(f"{path}/items/", folder_id=str(folder), weight=7, order="given")
    two = await tenant.make(f"{path}/items/", track_id=await track(world, tenant, "Two"))
    three = await tenant.make(f"{path}/items/", announcement_id=said, after_tracks=4)
    four = await tenant.make(f"{path}/items/", announcement_id=said, after_minutes=30)
    answer = await tenant.http.patch(
        f"/api/v1{path}/", json={"pattern": [one["id"], one["id"], two["id"]]}
    )
    assert answer.status_code == 200, answer.text
    shown = await tenant.read(f"{path}/")
    assert shown["name"] == "Pop"
    assert [item["id"] for item in shown["items"]] == [i["id"] for i in (one, two, three, four)]
    await tenant.make(
        "/schedules/", name="All day", type="music", channel_id=made["id"], zones=[zone]
    )
    (built,) = (await facts_of(world, tenant, zone)).channels.values()
    assert (built.id, built.mode, built.hourly, built.loop) == (made["id"], "ordered", True, False)
    assert (built.crossfade, built.apart) == (96_000, Apart(3, 9, 4 * 3600 * 48_000))
    assert built.pattern == (one["id"], one["id"], two["id"])
    assert [(i.id, i.weight, i.order, len(i.pieces)) for i in built.items] == [
        (one["id"], 7, "given", 3), (two["id"], 1, "shuffled", 1),
    ]  # fmt: skip
    assert [(i.id, i.tracks, i.frames) for i in built.inlines] == [
        (three["id"], 4, 0), (four["id"], 0, 30 * 60 * 48_000),
    ]  # fmt: skip
    assert built.inlines[0].pieces[0].media.kind == "announcement"


async def test_a_preview_says_what_comes_and_between_what(world: World) -> None:
    tenant = await world.tenant()
    folder = await add_folder(world, tenant, ("One", "Two", "Three", "Four"))
    said = await add_announcement(world, tenant, "Hello")
    channel = await add_channel(tenant, mode="ordered")
    path = f"/channels/{channel}/items/"
    assert await titles(tenant, channel) == []
    await tenant.make(path, folder_id=str(folder), order="given")
    await tenant.make(path, announcement_id=said, after_tracks=2)
    found = await tenant.read(f"/channels/{channel}/preview/", count=6, at="2027-03-01T09:00:00")
    assert [turn["title"] for turn in found["results"]] == [
        "One", "Two", "Hello", "Three", "Four", "Hello",
    ]  # fmt: skip
    assert found["results"][1]["starts_at"] == "2027-03-01T09:03:00Z"
    assert {turn["kind"] for turn in found["results"]} == {"music", "announcement"}
    shuffled = await add_channel(tenant, folder)
    first = await titles(tenant, shuffled, count=8)
    assert first == await titles(tenant, shuffled, count=8), "whoever asks hears the same"
    assert sorted(first[:4]) == ["Four", "One", "Three", "Two"], "each once in a round"
    answer = await tenant.http.get(f"/api/v1/channels/{channel}/preview/?count=201")
    assert code(answer) == (422, "invalid_request")


async def test_lines_are_listed_with_what_they_are_called(world: World) -> None:
    tenant, stranger = await world.tenant(), await world.tenant()
    folder = await add_folder(world, tenant, ("One", "Two"))
    said = await add_announcement(world, tenant, "Hello")
    inner = await add_channel(tenant, folder, name="Lounge")
    channel = await add_channel(tenant, folder, name="Day")
    path = f"/channels/{channel}/items/"
    await tenant.make(path, inner_channel_id=inner, weight=3)
    await tenant.make(path, announcement_id=said, after_tracks=4)
    track = (await tenant.read("/music/files/"))["results"][0]
    await tenant.make(path, track_id=track["id"])
    lines = (await tenant.read(path))["results"]
    whole = (await tenant.read(f"/channels/{channel}/"))["items"]
    assert [{k: v for k, v in line.items() if k != "name"} for line in lines] == whole
    music = (await tenant.read(f"/music/folders/{folder}/"))["name"]
    assert [line["name"] for line in lines] == [music, "Lounge", "Hello", track["title"]]
    assert (await stranger.http.get(f"/api/v1{path}")).status_code == 404


async def test_channels_nest_and_never_in_a_circle(world: World) -> None:
    tenant = await world.tenant()
    folder = await add_folder(world, tenant, ("One", "Two"))
    ids = [await add_channel(tenant, name=str(n)) for n in range(5)]

    async def put(outer: str, inner: str) -> str:
        path = f"/api/v1/channels/{outer}/items/"
        return code(await tenant.http.post(path, json={"inner_channel_id": inner}))[1] or "made"

    assert [await put(ids[n], ids[n + 1]) for n in range(3)] == ["made"] * 3
    assert await put(ids[0], ids[0]) == "channel_cycle"
    assert await put(ids[3], ids[0]) == "channel_cycle"
    assert await put(ids[3], ids[4]) == "channels_too_deep"
    assert await put(ids[4], ids[0]) == "channels_too_deep"
    await tenant.make(f"/channels/{ids[3]}/items/", folder_id=str(folder))
    assert sorted(await titles(tenant, ids[0], count=2)) == ["One", "Two"], "of the innermost"
    pair = [await add_channel(tenant, name=name) for name in "ab"]
    codes = await asyncio.gather(put(pair[0], pair[1]), put(pair[1], pair[0]))
    assert sorted(codes) == ["channel_cycle", "made"], "two at once"
    lone = await add_channel(tenant, folder, name="lone")
    item = (await tenant.read(f"/channels/{lone}/"))["items"][0]
    into = f"/api/v1/channels/{lone}/items/{item['id']}/"
    assert code(await tenant.http.patch(into, json={"inner_channel_id": lone}))[1] == (
        "channel_cycle"
    )
    moved = await tenant.http.patch(into, json={"inner_channel_id": ids[2]})
    assert (moved.json()["folder_id"], moved.json()["inner_channel_id"]) == (None, ids[2])


async def test_lines_are_put_in_order_changed_and_removed(world: World) -> None:
    tenant = await world.tenant()
    folder = await add_folder(world, tenant, ("One", "Two"))
    channel = await add_channel(tenant, folder, folder, folder)
    path = f"/api/v1/channels/{channel}"
    before = await tenant.http.get(f"{path}/")
    ids = [item["id"] for item in before.json()["items"]]
    for wrong in (ids[:2], [*ids[:2], ids[0]], [*ids[:2], str(uuid4())]):
        answer = await tenant.http.post(f"{path}/reorder/", json={"item_ids": wrong})
        assert code(answer) == (409, "wrong_order")
    etag = before.headers["etag"]
    turned = [ids[2], ids[0], ids[1]]
    asked = {"json": {"item_ids": turned}, "headers": {"If-Match": etag}}
    answer = await tenant.http.post(f"{path}/reorder/", **asked)
    assert [item["id"] for item in answer.json()["items"]] == turned
    again = await tenant.http.post(f"{path}/reorder/", **asked)
    assert code(again) == (412, "stale"), "lines are part of a channel's version"
    answer = await tenant.http.patch(f"{path}/", json={"pattern": [ids[0], ids[1]]})
    assert answer.json()["pattern"] == ids[:2]
    answer = await tenant.http.patch(f"{path}/", json={"pattern": [str(uuid4())]})
    assert code(answer) == (422, "pattern_invalid")
    answer = await tenant.http.patch(f"{path}/items/{ids[0]}/", json={"after_tracks": 3})
    assert answer.json()["after_tracks"] == 3
    assert (await tenant.read(f"/channels/{channel}/"))["pattern"] == [ids[1]]
    assert (await tenant.http.delete(f"{path}/items/{ids[1]}/")).status_code == 204
    left = await tenant.read(f"/channels/{channel}/")
    assert (left["pattern"], [i["id"] for i in left["items"]]) == ([], [ids[2], ids[0]])


async def test_a_line_is_one_thing_that_is_here(world: World) -> None:
    tenant, other = await world.tenant(), await world.tenant("Other")
    channel, foreign = await add_channel(tenant), await add_channel(other)
    path = f"/api/v1/channels/{channel}/items/"
    theirs = {
        "folder_id": str(await add_folder(world, other, ("One",))),
        "track_id": await track(world, other, "One"),
        "announcement_id": await add_announcement(world, other, "Hi"),
        "inner_channel_id": foreign,
    }
    for name, id_ in theirs.items():
        told = [await tenant.http.post(path, json={name: one}) for one in (id_, str(uuid4()))]
        assert [code(answer) for answer in told] == [(404, "not_found")] * 2
        assert told[0].json()["detail"] == told[1].json()["detail"]
    for body in ({}, {"track_id": theirs["track_id"], "folder_id": theirs["folder_id"]}):
        assert code(await tenant.http.post(path, json=body)) == (422, "item_subject")
    for bad in ({"weight": -1}, {"order": "x"}, {"after_tracks": 1.5}, {"more": 1}):
        body = {"inner_channel_id": channel, **bad}
        assert code(await tenant.http.post(path, json=body)) == (422, "invalid_request")
    gone = await tenant.http.get(f"/api/v1/channels/{foreign}/")
    assert code(gone) == (404, "not_found")
    assert (await tenant.read("/channels/"))["results"][0]["id"] == channel
    for role, status in (("floor", 403), ("client_user", 403), ("tenant_admin", 201)):
        http = await world.colleague(tenant, role)
        assert (await http.get("/api/v1/channels/")).status_code == 200
        made = await http.post("/api/v1/channels/", json={"name": "x"})
        assert made.status_code == status, role


async def test_what_is_used_is_not_removed_unasked(world: World) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    folder = await add_folder(world, tenant, ("One",))
    inner = await add_channel(tenant, folder, name="Inner")
    outer = await add_channel(tenant, name="Outer")
    await tenant.make(f"/channels/{outer}/items/", inner_channel_id=inner)
    plan = await tenant.make(
        "/schedules/", name="Plan", type="music", channel_id=inner, everywhere=True
    )
    answer = await tenant.http.delete(f"/api/v1/channels/{inner}/")
    assert code(answer) == (409, "in_use")
    assert [(u["kind"], u["name"]) for u in answer.json()["used_by"]] == [
        ("channel", "Outer"), ("schedule", "Plan"),
    ]  # fmt: skip
    answer = await tenant.http.delete(f"/api/v1/music/folders/{folder}/")
    assert [u["name"] for u in answer.json()["used_by"]] == ["Inner"]
    before = await marked(world, tenant)
    assert (await tenant.http.delete(f"/api/v1/channels/{inner}/?force=true")).status_code == 204
    assert (await marked(world, tenant))[zone] > before[zone]
    assert (await tenant.read(f"/channels/{outer}/"))["items"] == []
    assert (await tenant.read(f"/schedules/{plan['id']}/"))["channel_id"] is None
    assert (await facts_of(world, tenant, zone)).channels == {}


async def test_a_change_is_heard_in_the_zones_that_play_it_and_in_no_other(world: World) -> None:
    tenant = await world.tenant()
    here, there = [await add_zone(tenant, name) for name in ("here", "there")]
    folder = await add_folder(world, tenant, ("One",))
    inner = await add_channel(tenant, folder, name="Inner")
    outer = await add_channel(tenant, name="Outer")
    await tenant.make(f"/channels/{outer}/items/", inner_channel_id=inner)
    await tenant.make("/schedules/", name="P", type="music", channel_id=outer, zone_ids=[here])
    song = await track(world, tenant, "One")
    said = await add_announcement(world, tenant, "Hello")
    await tenant.make(f"/channels/{inner}/items/", announcement_id=said, after_tracks=2)
    path = "/api/v1/"

    async def touched(method: str, at: str, body: dict[str, Any] | None = None) -> set[str]:
        before = await marked(world, tenant)
        answer = await tenant.http.request(method, path + at, json=body)
        assert answer.is_success, answer.text
        return {z for z, mark in (await marked(world, tenant)).items() if mark != before.get(z)}

    assert await touched("PATCH", f"channels/{inner}/", {"loop": False}) == {here}
    assert await touched("PATCH", f"music/folders/{folder}/", {"name": "New"}) == {here}
    assert await touched("PATCH", f"music/files/{song}/", {"title": "New"}) == {here}
    assert await touched("PATCH", f"announcements/{said}/", {"title": "New"}) == {here}
    assert await touched("PATCH", f"zones/{there}/", {"tags": ["x"]}) == {there}
    place = (await tenant.read("/locations/"))["results"][0]["id"]
    assert await touched("PATCH", f"locations/{place}/", {"timezone": "UTC"}) == {here, there}
    lone = await add_channel(tenant, folder, name="Lone")
    assert await touched("PATCH", f"channels/{lone}/", {"loop": False}) == set()
