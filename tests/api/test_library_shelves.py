"""Folders in folders; tracks found, changed and removed in numbers; rules; playlists."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlmodel import col, select

from support.music import add_folder, add_zone
from support.world import Tenant, World
from sync2gear_platform.library import filters, smart
from sync2gear_platform.library.tables import Track


async def folder(tenant: Tenant, name: str, parent: str | None = None, **more: Any) -> str:
    return str((await tenant.make("/music/folders/", name=name, parent_id=parent, **more))["id"])


async def tracks(tenant: Tenant, **asked: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await tenant.read("/music/files/", **asked))["results"]
    return found


async def titles(tenant: Tenant, **asked: Any) -> list[str]:
    return [track["title"] for track in await tracks(tenant, **asked)]


async def patch(tenant: Tenant, track: dict[str, Any], **changes: Any) -> None:
    path = f"/api/v1/music/files/{track['id']}/"
    answer = await tenant.http.patch(path, json=changes)
    assert answer.status_code == 200, answer.text


async def test_folders_nest_and_never_in_a_circle(world: World) -> None:
    tenant = await world.tenant()
    ids = [await folder(tenant, "1")]
    for depth in range(2, 9):
        ids.append(await folder(tenant, str(depth), ids[-1]))
    deep = {"name": "9", "parent_id": ids[-1]}
    answer = await tenant.http.post("/api/v1/music/folders/", json=deep)
    assert (answer.status_code, answer.json()["code"]) == (409, "folders_too_deep")

    async def move(one: str, into: str | None) -> str:
        path = f"/api/v1/music/folders/{one}/"
        moved = await tenant.http.patch(path, json={"parent_id": into})
        return str(moved.json().get("code", moved.status_code))

    assert await move(ids[0], ids[3]) == "folder_cycle"
    assert await move(ids[2], ids[2]) == "folder_cycle"
    outside = await folder(tenant, "outside")
    assert await move(ids[0], outside) == "folders_too_deep"
    assert await move(ids[4], None) == "200"
    assert await move(ids[0], outside) == "200"
    # Two that move into each other at once: one is refused.
    for turn in range(5):
        pair = [await folder(tenant, f"a{turn}"), await folder(tenant, f"b{turn}")]
        codes = await asyncio.gather(move(pair[0], pair[1]), move(pair[1], pair[0]))
        assert sorted(codes) == ["200", "folder_cycle"]
    jingles = await folder(tenant, "jingles", type="announcement")
    assert await move(jingles, outside) == "wrong_parent"
    children = await tenant.read("/music/folders/", parent_id=outside)
    assert [one["name"] for one in children["results"]] == ["1"]
    gone = await tenant.http.delete(f"/api/v1/music/folders/{ids[0]}/")
    assert gone.status_code == 204
    children = await tenant.read("/music/folders/", parent_id=outside)
    assert [one["name"] for one in children["results"]] == ["2"], "moved to where it was"


async def test_a_list_shows_subfolders_too_when_asked(world: World) -> None:
    tenant = await world.tenant()
    inner = str(await add_folder(world, tenant, ("Deep",)))
    outer = await folder(tenant, "outer")
    await tenant.http.patch(f"/api/v1/music/folders/{inner}/", json={"parent_id": outer})
    assert await titles(tenant, folder_id=outer) == []
    assert await titles(tenant, folder_id=outer, subfolders=True) == ["Deep"]


async def test_words_are_found_by_their_beginning_without_case_and_accents(world: World) -> None:
    tenant, other = await world.tenant(), await world.tenant()
    for one in (tenant, other):
        await add_folder(world, one, ("Jóga", "Army of Me", "Hunter-Gatherer"))
    assert await titles(tenant, search="jog") == ["Jóga"]
    assert await titles(tenant, search="JÓGA test") == ["Jóga"], "the artist's word counts too"
    assert await titles(tenant, search="me army") == ["Army of Me"]
    assert await titles(tenant, search="gath") == ["Hunter-Gatherer"]
    assert await titles(tenant, search="rmy") == [], "not in the middle of a word"
    assert await titles(tenant, search="%") == []
    [track] = await tracks(tenant, search="joga")
    await patch(tenant, track, title="Bachelorette")
    assert await titles(tenant, search="joga") == ["Bachelorette"], "its file is called so"
    assert await titles(tenant, search="bach") == ["Bachelorette"]
    assert await titles(other, search="bach") == []
    await tenant.http.delete(f"/api/v1/music/files/{track['id']}/")
    assert await titles(tenant, search="bach") == []


async def test_the_index_answers_a_search_behind_row_level_security(world: World) -> None:
    tenant = await world.tenant()
    await add_folder(world, tenant, ("One",))
    async with world.ctx() as ctx:
        await ctx.db.execute(
            text(
                "INSERT INTO track_words SELECT client_id, 'w' || n, id, title FROM tracks,"
                " generate_series(1, 20000) AS n"
            )
        )
    owner = world.settings.database_admin_url
    assert owner is not None
    with psycopg.connect(owner.get_secret_value(), autocommit=True) as connection:
        connection.execute("ANALYZE track_words")
    async with world.ctx(tenant.id) as ctx:
        asked = select(Track.id).where(
            col(Track.client_id) == tenant.id, filters.matching(ctx, "w1999")
        )
        compiled = asked.compile(
            dialect=world.db.engine.dialect, compile_kwargs={"literal_binds": True}
        )
        await ctx.db.execute(text("SET LOCAL enable_seqscan = off"))
        plan = "\n".join(row[0] for row in await ctx.db.execute(text(f"EXPLAIN {compiled}")))
    [condition] = [line for line in plan.splitlines() if "Index Cond" in line and "w1999" in line]
    assert "word >= 'w1999'" in condition, plan
    assert "word < " in condition, plan


async def test_a_list_is_narrowed_by_what_is_known_of_tracks(world: World) -> None:
    tenant = await world.tenant()
    await add_folder(world, tenant, ("A", "B", "C"), seconds=100)
    a, b, _ = await tracks(tenant)
    rights = {"licence": "GEMA", "regions": ["DE"], "offline_allowed": False}
    days = {"valid_from": "2026-12-01", "valid_until": "2026-12-24"}
    await patch(tenant, a, explicit=True, tags=["calm", "calm"], genre="Jazz", year=1959)
    await patch(tenant, b, **rights, **days)
    for asked, expected in (
        ({"explicit": True}, ["A"]),
        ({"explicit": False}, ["B", "C"]),
        ({"tag": "calm"}, ["A"]),
        ({"genre": "jazz"}, ["A"]),
        ({"year_from": 1950, "year_to": 1960}, ["A"]),
        ({"longer_than": 101}, []),
        ({"shorter_than": 100}, ["A", "B", "C"]),
        ({"offline_allowed": False}, ["B"]),
        ({"licence": "gema"}, ["B"]),
        ({"valid_on": "2026-12-24"}, ["A", "B", "C"]),
        ({"valid_on": "2026-12-25"}, ["A", "C"]),
        ({"added_from": "2020-01-01T00:00:00"}, ["A", "B", "C"]),
        ({"added_to": "2020-01-01T00:00:00Z"}, []),
        ({"duplicates": True}, []),
        ({"artist": "the testers", "ordering": "-title"}, ["C", "B", "A"]),
    ):
        assert await titles(tenant, **asked) == expected, asked
    await add_folder(world, tenant, ("D",))
    async with world.ctx(tenant.id) as ctx:
        row = (await ctx.db.exec(select(Track).where(Track.title == "D"))).one()
        row.sha256 = a["sha256"]
    assert await titles(tenant, duplicates=True) == ["A", "D"]
    path = f"/api/v1/music/files/{a['id']}/"
    bad = {"valid_from": "2026-12-02", "valid_until": "2026-12-01"}
    assert (await tenant.http.patch(path, json=bad)).status_code == 422
    late = await tenant.http.patch(
        f"/api/v1/music/files/{b['id']}/", json={"valid_until": "2026-11-01"}
    )
    assert late.status_code == 409


async def test_many_tracks_are_changed_or_none(world: World) -> None:
    tenant, other = await world.tenant(), await world.tenant()
    await add_folder(world, tenant, ("A", "B"))
    ids = [track["id"] for track in await tracks(tenant)]
    await add_folder(world, other, ("X",))
    [foreign] = [track["id"] for track in await tracks(other)]
    target = await folder(tenant, "target")
    changes = {"genre": "Jazz", "tags": ["evening"], "folder_id": target}

    async def bulk(path: str, **body: Any) -> tuple[int, Any]:
        answer = await tenant.http.post(f"/api/v1/music/files/{path}/", json=body)
        return answer.status_code, answer.json()

    status, said = await bulk("bulk", track_ids=[*ids, foreign], changes=changes)
    assert (status, said["code"]) == (404, "not_found")
    assert {track["genre"] for track in await tracks(tenant)} == {""}
    assert await bulk("bulk", track_ids=ids, changes=changes) == (200, {"tracks": 2})
    found = await tracks(tenant, folder_id=target)
    assert [(t["title"], t["position"], t["genre"]) for t in found] == [
        ("A", 1, "Jazz"),
        ("B", 2, "Jazz"),
    ]
    status, said = await bulk("bulk-delete", track_ids=[ids[0], foreign])
    assert (status, said["code"]) == (404, "not_found")
    assert await bulk("bulk-delete", track_ids=ids) == (200, {"tracks": 2})
    assert await tracks(tenant) == []
    assert len(await tracks(other)) == 1
    assert (await bulk("bulk", track_ids=[], changes={}))[0] == 422
    assert (await bulk("bulk", track_ids=[ids[0]] * 1001, changes={}))[0] == 422


async def test_what_is_used_is_removed_only_by_force(world: World) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant, "Bar")
    music = str(await add_folder(world, tenant, ("A", "B")))
    await tenant.make("/playback/play/", zone_id=zone, folder_id=music)
    [track, _] = await tracks(tenant)
    for path in (f"/api/v1/music/folders/{music}/", f"/api/v1/music/files/{track['id']}/"):
        refused = await tenant.http.delete(path)
        assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
        assert refused.json()["used_by"] == [{"kind": "zone", "id": zone, "name": "Bar"}]
        assert (await tenant.http.get(path)).status_code == 200
        assert (await tenant.http.delete(path, params={"force": "true"})).status_code == 204
    view = (await tenant.read("/playback/state/", zone_id=zone))["results"][0]
    assert view["status"] == "playing", "what plays plays on"


async def test_announcements_say_what_they_use(world: World) -> None:
    tenant, other = await world.tenant(), await world.tenant()
    music = str(await add_folder(world, tenant, ("Gong", "B")))
    gong, spare = await tracks(tenant)
    jingle = await tenant.make("/announcements/tts/", title="Jingle", text="ding")
    call = await tenant.make("/announcements/tts/", title="Closing", text="We close")
    for one, body in (
        (call, {"chime_before": {"track_id": gong["id"]}}),
        (call, {"chime_after": {"announcement_id": jingle["id"]}}),
    ):
        path = f"/api/v1/announcements/{one['id']}/"
        assert (await tenant.http.patch(path, json=body)).status_code == 200
    path = f"/announcements/{call['id']}/variants/"
    await tenant.make(path, sound_id=jingle["id"])
    closing = {"kind": "announcement", "id": call["id"], "name": "Closing"}

    async def asked(method: str, path: str, **more: Any) -> tuple[int, Any]:
        answer = await tenant.http.request(method, f"/api/v1{path}", **more)
        return answer.status_code, answer.json().get("used_by") if answer.content else None

    both = {"track_ids": [spare["id"], gong["id"]]}
    assert await asked("POST", "/music/files/bulk-delete/", json=both) == (409, [closing])
    assert len(await tracks(tenant)) == 2
    assert await asked("DELETE", f"/music/files/{gong['id']}/") == (409, [closing])
    assert await asked("DELETE", f"/announcements/{jingle['id']}/") == (409, [closing])
    assert await asked("DELETE", f"/announcements/{call['id']}/") == (204, None)
    assert await asked("DELETE", f"/announcements/{jingle['id']}/") == (204, None)
    assert await asked("POST", "/music/files/bulk-delete/", json=both) == (200, None)
    assert await asked("DELETE", f"/music/folders/{music}/") == (204, None)
    assert await tracks(other) == []


async def test_every_client_has_the_folders_of_the_product(world: World) -> None:
    tenant = await world.tenant()
    found = (await tenant.read("/music/folders/"))["results"]
    assert [(one["name"], one["is_system"]) for one in found] == [
        ("All music", True),
        ("Recently added", True),
    ]
    await add_folder(world, tenant, ("A", "B"))
    zone = await add_zone(tenant)
    everything, lately = (one["id"] for one in found)
    assert await titles(tenant, folder_id=everything) == ["A", "B"]
    assert sorted(await titles(tenant, folder_id=lately)) == ["A", "B"]
    await tenant.make("/playback/play/", zone_id=zone, folder_id=everything)
    for path in (f"/api/v1/music/folders/{everything}/", f"/api/v1/music/folders/{lately}/"):
        renamed = await tenant.http.patch(path, json={"name": "Mine"})
        removed = await tenant.http.delete(path, params={"force": "true"})
        for answer in (renamed, removed):
            assert (answer.status_code, answer.json()["code"]) == (409, "system_folder")


JAZZ = {"all": [{"field": "genre", "op": "is", "value": "jazz"}]}


async def test_a_smart_folder_holds_what_its_rules_fit_and_is_played(world: World) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    await add_folder(world, tenant, ("A", "B", "C"))
    a, b, _ = await tracks(tenant)
    chosen = await folder(tenant, "Jazz", rules=JAZZ, order="-title", most=2)
    play = {"zone_id": zone, "folder_id": chosen}
    assert (await tenant.http.post("/api/v1/playback/play/", json=play)).status_code >= 400
    for one in (a, b):
        await patch(tenant, one, genre="Jazz")
    assert await titles(tenant, folder_id=chosen) == ["B", "A"]
    assert (await tenant.read(f"/music/folders/{chosen}/"))["tracks"] == 2
    preview = await tenant.http.post(
        "/api/v1/music/smart/preview/", json={"rules": JAZZ, "most": 1}
    )
    assert [track["title"] for track in preview.json()["results"]] == ["A"]
    await tenant.make("/playback/play/", **play)
    view = (await tenant.read("/playback/state/", zone_id=zone))["results"][0]
    assert {segment["title"] for segment in view["segments"]} <= {"A", "B"}
    path = f"/api/v1/music/folders/{chosen}/"
    for change, code in (
        ({"rules": None}, "smart_folder"),
        ({"rules": {"all": []}}, "invalid_request"),
        ({"rules": {"all": [], "any": []}}, "invalid_request"),
        ({"order": "secret"}, "invalid_request"),
    ):
        answer = await tenant.http.patch(path, json=change)
        assert answer.json()["code"] == code, (change, answer.text)
    move = await tenant.http.patch(f"/api/v1/music/files/{a['id']}/", json={"folder_id": chosen})
    assert move.json()["code"] == "smart_folder"
    nested: dict[str, Any] = JAZZ
    for _ in range(4):
        nested = {"any": [nested]}
    answer = await tenant.http.post(
        "/api/v1/music/folders/", json={"name": "deep", "rules": nested}
    )
    assert answer.status_code == 422


def conditions() -> st.SearchStrategy[dict[str, Any]]:
    def leaf(field: list[str], ops: list[str], value: st.SearchStrategy[Any]) -> Any:
        return st.fixed_dictionaries(
            {"field": st.sampled_from(field), "op": st.sampled_from(ops), "value": value}
        )

    return st.one_of(
        leaf(["title", "artist", "genre"], ["is", "is_not", "begins", "contains"],
             st.sampled_from(["a", "B", "Jazz", "ä", "%", "_"])),
        leaf(["tags"], ["has", "has_not"], st.sampled_from(["calm", "loud"])),
        leaf(["year"], ["is", "at_least", "at_most"], st.sampled_from([1958, 1959, 2000])),
        leaf(["duration"], ["is", "at_least", "at_most"], st.sampled_from([99, 100, 180])),
        leaf(["play_count"], ["is", "at_least", "at_most"], st.sampled_from([0, 1, 3])),
        leaf(["added", "last_played"], ["within_days", "not_within_days"],
             st.sampled_from([1, 10, 100])),
        leaf(["explicit", "offline_allowed", "valid"], ["is"], st.booleans()),
    )  # fmt: skip


GROUPS = st.recursive(
    conditions(),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"all": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=3)}),
    ),
    max_leaves=6,
).map(lambda tree: {"all": [tree]})


async def test_the_database_chooses_what_the_rules_say(world: World) -> None:
    tenant = await world.tenant()
    await add_folder(world, tenant, ("A", "Bä", "Jazz", "a%", "_"), seconds=100)
    async with world.ctx(tenant.id) as ctx:
        rows = list(await ctx.db.exec(select(Track).order_by(col(Track.id))))
        today = ctx.now.date()
        for number, row in enumerate(rows):
            row.genre = ("Jazz", "jazz", "", "Pop", "Ä")[number]
            row.tags = [["calm"], ["calm", "loud"], [], ["loud"], []][number]
            row.year = [1959, None, 2000, 1958, None][number]
            row.duration_millis = [99_999, 100_000, 100_999, 180_000, 1][number]
            row.play_count = number
            row.last_played_at = ctx.now - timedelta(days=10 * number) if number else None
            row.created_at = ctx.now - timedelta(days=5 * number)
            row.explicit = number % 2 == 0
            row.offline_allowed = number > 1
            row.valid_from = today + timedelta(days=1) if number == 3 else None
            row.valid_until = (today, None, today, None, today - timedelta(days=1))[number]
    chosen = 0

    async with world.ctx(tenant.id) as ctx:
        loop = asyncio.get_running_loop()
        wanted: asyncio.Queue[smart.Rules | None] = asyncio.Queue()
        found: asyncio.Queue[list[UUID]] = asyncio.Queue()

        @settings(max_examples=150)
        @given(tree=GROUPS)
        def same(tree: dict[str, Any]) -> None:
            nonlocal chosen
            try:
                rules = smart.Rules.model_validate(tree)
            except ValueError:  # deeper than folders may be
                return
            asyncio.run_coroutine_threadsafe(wanted.put(rules), loop).result()
            by_database = asyncio.run_coroutine_threadsafe(found.get(), loop).result()
            expected = [row.id for row in rows if smart.fits(rules, row, ctx.now)]
            assert sorted(by_database) == sorted(expected), tree
            chosen += bool(expected)

        async def serve() -> None:
            while (rules := await wanted.get()) is not None:
                asked = select(Track.id).where(
                    col(Track.client_id) == tenant.id, smart.condition(rules, ctx.now)
                )
                await found.put(list(await ctx.db.exec(asked)))

        serving = asyncio.create_task(serve())
        await asyncio.to_thread(same)
        await wanted.put(None)
        await serving
    assert chosen > 50, "the rules of this test choose something"


async def test_a_playlist_travels_from_one_client_to_another(world: World) -> None:
    one, other = await world.tenant(), await world.tenant()
    source = str(await add_folder(world, one, ("Jóga", "B, with a comma", "C")))
    await add_folder(world, other, ("C", "Jóga"))
    for kind in ("m3u8", "xspf"):
        path = f"/api/v1/music/folders/{source}/export/"
        answer = await one.http.get(path, params={"format": kind})
        assert answer.status_code == 200
        assert "attachment" in answer.headers["content-disposition"]
        target = await folder(other, f"from {kind}")
        path = f"/api/v1/music/folders/{target}/import/"
        headers = {"Content-Type": "application/octet-stream"}
        read = await other.http.post(path, content=answer.content, headers=headers)
        assert read.status_code == 200, read.text
        assert read.json()["matched"] == 2
        outcomes = [(line["name"], line["outcome"]) for line in read.json()["results"]]
        assert outcomes == [
            ("Jóga.flac", "matched"),
            ("B, with a comma.flac", "missing"),
            ("C.flac", "matched"),
        ]
        assert await titles(other, folder_id=target) == ["Jóga", "C"], "in the playlist's order"
    refused = await other.http.post(path, content=b"<!DOCTYPE x><playlist/>", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (422, "bad_playlist")


@pytest.mark.parametrize("asked", [{"search": "x" * 201}, {"year_from": -1}, {"valid_on": "soon"}])
async def test_nonsense_is_refused(world: World, asked: dict[str, Any]) -> None:
    tenant = await world.tenant()
    answer = await tenant.http.get("/api/v1/music/files/", params=asked)
    assert answer.status_code == 422
