"""Proof of play: what was planned beside what speakers told, over HTTP."""

import csv
import json
import time
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlmodel import col, select

from support.music import add_zone
from support.proving import MINUTE, Teller, lines, reckoned, segments, shop, speaker, undisturbed
from support.world import Tenant, World
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.library.tables import Track
from sync2gear_platform.playback.tables import PlayEventRow
from sync2gear_platform.proof import housekeeping, spans
from sync2gear_platform.proof.tables import ProofLine, ProofMonth, ProofWork, ProofZone


def outcomes(found: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(one["outcome"], one["reason"]) for one in found]


async def test_what_was_planned_is_set_beside_what_speakers_told(world: World) -> None:
    tenant, zone, words = await shop(world)
    left = Teller(world, tenant, await speaker(tenant, zone, "Left"), zone)
    right = Teller(world, tenant, await speaker(tenant, zone, "Right"), zone)
    due = await segments(world, tenant, zone, hours=1)
    assert [one.media.kind for one in due].count("announcement") >= 3
    music = undisturbed(due)
    calls = [one for one in due if one.role == "event"]
    await reckoned(world, tenant)
    assert {one["outcome"] for one in await lines(tenant)} == {"pending"}

    await left.tell(left.played(calls[0]) + left.played(music[1], late=MINUTE))
    await right.tell(right.played(music[1], audible=False))
    await reckoned(world, tenant)
    found = {one["planned_at"]: one for one in await lines(tenant)}
    by_item = {one["item"]: one for one in found.values()}
    call = by_item[calls[0].item]
    assert (call["outcome"], call["heard_by"], call["speakers"]) == ("played", 1, 2)
    assert call["announcement_id"] == str(words)
    assert call["source"] == "schedule"
    (late,) = await lines(tenant, outcome="late")
    assert (late["sha256"], late["late_millis"]) == (music[1].media.sha256, 60_000)
    assert late["title"] == music[1].media.title
    assert "pending" in {one["outcome"] for one in found.values()}, "they may tell yet"

    last = due[-1]
    await left.tell(left.played(last))
    await right.tell([right.event("missed", last, last.start, reason="not_held")])
    await reckoned(world, tenant)
    (missed,) = [one for one in await lines(tenant) if one["item"] == calls[1].item]
    assert (missed["outcome"], missed["reason"]) == ("missed", "no_report")
    around = sorted(one["day"] for one in found.values())
    days = {"first_day": around[0], "last_day": around[-1]}
    summary = await tenant.read("/proof/summary/", by="zone", **days)
    (bar,) = summary["results"]
    assert bar["title"] == "Bar"
    assert bar["played"] + bar["late"] == 3
    assert bar["planned"] == len(found)
    (there,) = (await tenant.read("/locations/"))["results"]
    floor = await tenant.make("/floors/", name="First")
    for place, known in (({"location": there["id"]}, True), ({"floor": floor["id"]}, False)):
        total = (await tenant.read("/proof/summary/", **place, **days))["total"]
        assert (total == summary["total"]) is known
        assert bool((await tenant.read("/proof/", **place))["results"]) is known
        export = await tenant.http.get("/api/v1/proof/export/", params={**place, "format": "json"})
        assert bool(export.json()) is known
    tracks = await tenant.read("/proof/summary/", by="track", **days)
    assert tracks["results"][0]["zones"] == 1
    spoken = await tenant.read("/proof/summary/", by="announcement", **days)
    assert spoken["results"][0]["subject"] == words.hex
    assert spoken["total"]["planned"] == len(
        [one for one in found.values() if one["kind"] == "announcement"]
    )


async def test_nobody_reads_of_what_is_not_theirs(world: World) -> None:
    tenant, zone, words = await shop(world)
    other = await world.tenant("Other")
    await reckoned(world, tenant)
    mine = await lines(tenant)
    assert mine
    assert await lines(other) == []
    assert (await other.read("/proof/summary/"))["total"]["planned"] == 0
    for path in (f"/plays/{mine[0]['id']}/why/", f"/zones/{zone}/why/{mine[0]['item']}/"):
        assert (await other.http.get(f"/api/v1{path}")).status_code == 404
        assert (await tenant.http.get(f"/api/v1{path}")).status_code == 200
    strange = await other.http.get("/api/v1/proof/", params={"announcement": str(words)})
    assert strange.status_code == 404
    elsewhere = await add_zone(tenant, "Elsewhere")
    floor = await world.colleague(tenant, "floor", ("zone", UUID(elsewhere)))
    assert (await floor.get("/api/v1/proof/")).json()["results"] == []
    assert (await floor.get("/api/v1/proof/summary/")).json()["results"] == []


async def sheet(tenant: Tenant, path: str, **asked: Any) -> list[list[str]]:
    answer = await tenant.http.get(f"/api/v1{path}", params=asked)
    assert answer.status_code == 200, answer.text
    assert "attachment" in answer.headers["content-disposition"]
    return list(csv.reader(answer.text.splitlines()))


async def test_reports_exports_and_what_is_forgotten(world: World) -> None:
    tenant, zone, _ = await shop(world)
    one = Teller(world, tenant, await speaker(tenant, zone, "One"), zone)
    async with world.ctx(tenant.id) as ctx:
        for track in await ctx.db.exec(select(Track)):
            track.isrc, track.artist, track.composer = "DEA122700001", "=1+1", "C. Schumann"
            ctx.db.add(track)
    due = [s for s in await segments(world, tenant, zone, hours=1) if s.role == "music"]
    await one.tell([event for piece in due for event in one.played(piece)])
    await reckoned(world, tenant)
    # what sounded when they were asked had begun before: the first one is late
    heard = [one for one in await lines(tenant) if one["outcome"] in {"played", "late"}]
    played = [line for line in heard if line["outcome"] == "played"]
    assert len(played) == len({line["planned_at"] for line in played}) > 5

    days = {
        "first_day": min(line["day"] for line in played),
        "last_day": max(line["day"] for line in played),
    }
    heads, *rows = await sheet(tenant, "/proof/report/", report="usage-by-work", **days)
    assert heads == [
        "Title", "Artist", "Composer", "ISRC", "Duration", "Plays", "Zones", "Seconds heard",
    ]  # fmt: skip
    (row,) = rows  # works of one ISRC are one work
    assert row[1:4] == ["'=1+1", "C. Schumann", "DEA122700001"]
    assert row[4:7] == ["0:03:00", str(len(heard)), "1"]
    heads, *rows = await sheet(tenant, "/proof/report/", report="usage-by-venue", **days)
    assert (heads[0], rows[0][0], len(rows)) == ("Zone", "Bar", 1)
    assert rows[0][1:6] == row[:5]
    assert rows[0][6:] == [row[5], row[7]]
    heads, *rows = await sheet(tenant, "/proof/report/", report="usage-log", **days)
    assert len(rows) == len(heard)
    assert (rows[0][0], rows[0][2]) == (heard[0]["day"], "Bar")
    assert rows[0][5] == "C. Schumann"
    assert rows[0][1][3:] == heard[0]["began_at"][14:19], "by the venue's clock"

    columns = [{"key": "isrc", "heading": "Code"}, {"key": "blank", "heading": "Publisher"}]
    own = await tenant.make("/proof/templates/", name="Ours", grain="work", columns=columns)
    path = f"/proof/templates/{own['id']}/"
    assert await sheet(tenant, f"{path}report/", **days) == [
        ["Code", "Publisher"], ["DEA122700001", ""],
    ]  # fmt: skip
    filled = await tenant.http.get(f"/api/v1{path}report/", params={**days, "format": "json"})
    assert json.loads(filled.text) == [{"Code": "DEA122700001", "Publisher": ""}]
    unnamed = {"columns": [{"key": "isrc"}]}
    assert (await tenant.http.patch(f"/api/v1{path}", json=unnamed)).status_code == 200
    assert (await sheet(tenant, f"{path}report/", **days))[0] == ["isrc"], "it is not nameless"
    wrong = {"columns": [{"key": "zone"}]}
    refused = await tenant.http.patch(f"/api/v1{path}", json=wrong)
    assert refused.json()["code"] == "wrong_column"
    assert (await tenant.http.patch(f"/api/v1{path}", json={"name": "Mine"})).status_code == 200
    assert [t["name"] for t in (await tenant.read("/proof/templates/"))["results"]] == ["Mine"]
    other = await world.tenant("Other")
    assert (await other.http.get(f"/api/v1{path}report/")).status_code == 404
    assert (await tenant.http.delete(f"/api/v1{path}")).status_code == 204

    until = (world.clock.now() + timedelta(days=1)).isoformat()
    heads, *rows = await sheet(tenant, "/proof/export/", outcome="played", to=until)
    assert [row[heads.index("id")] for row in rows] == [line["id"] for line in played]
    answer = await tenant.http.get("/api/v1/proof/export/", params={"format": "json", "to": until})
    exported = {line["id"]: line for line in json.loads(answer.text)}
    assert exported == {line["id"]: line for line in await lines(tenant)}, "as they are listed"
    long = {"from": "2026-01-01T00:00:00Z", "to": "2026-12-01T00:00:00Z"}
    refused = await tenant.http.get("/api/v1/proof/export/", params=long)
    assert refused.json()["code"] == "range_too_long"

    assert await tenant.read("/proof/settings/") == {"keep_days": 400}
    for days_, status in ((10, 422), (35, 200)):
        body = {"keep_days": days_}
        assert (await tenant.http.patch("/api/v1/proof/settings/", json=body)).status_code == status
    later = 37 * 86_400 * 10**9
    assert await housekeeping.purge(world.db, Clock(wall_ns=lambda: time.time_ns() + later)) > 0
    async with world.ctx(tenant.id) as ctx:
        for table in (ProofLine, PlayEventRow):
            assert (await ctx.db.exec(select(table))).all() == []
        counted = (await ctx.db.exec(select(ProofMonth).where(col(ProofMonth.played) > 0))).all()
        assert sum(row.played for row in counted) == len(played)
    part = await tenant.http.get("/api/v1/proof/summary/", params={"by": "track", **days})
    assert part.json()["code"] == "lines_gone"
    month = days["first_day"][:8]
    whole = {
        "first_day": f"{month}01",
        "last_day": spans.month_after(date.fromisoformat(days["last_day"])) - timedelta(days=1),
    }
    known = await tenant.read("/proof/summary/", by="track", **whole)
    assert known["total"]["played"] == len(played)


async def test_why_something_was_heard_is_told_of_lines_calls_and_plans(world: World) -> None:
    tenant, zone, words = await shop(world)
    await speaker(tenant, zone, "One")
    made = await tenant.make(f"/announcements/{words}/play-instant/", zone_ids=[zone])
    play_id = made["plays"][0]["play_id"]
    told = await tenant.read(f"/plays/{play_id}/why/")
    assert (told["source"], told["announcement"]["id"]) == ("call", str(words))
    me = await tenant.read("/auth/me/")
    assert told["asked_by"] == me["user"]["id"]
    item = UUID(play_id).hex
    here = await tenant.read(f"/zones/{zone}/why/{item}/")
    assert (here["source"], here["zone_id"], here["outcome"]) == ("call", zone, None)

    await reckoned(world, tenant)
    found = await lines(tenant)
    (call,) = [line for line in found if line["source"] == "call"]
    assert (await tenant.read(f"/plays/{call['id']}/why/"))["play_id"] == play_id
    spoken = next(
        line for line in found if line["source"] == "schedule" and line["kind"] == "announcement"
    )
    told = await tenant.read(f"/plays/{spoken['id']}/why/")
    assert (told["name"], told["outcome"], told["sound"]["title"]) == ("Call", "pending", "Hello")
    music = next(line for line in found if line["kind"] == "music")
    told = await tenant.read(f"/plays/{music['id']}/why/")
    assert (told["source"], told["name"]) == ("schedule", "All day")


async def test_sums_by_venue_are_in_the_order_of_names_and_join_what_has_one_isrc(
    world: World,
) -> None:
    tenant, other = await world.tenant(), await world.tenant()
    zones = {name: uuid4() for name in ("Hall", "Bar")}
    works = {
        "a": ("Zebra", "Ann", ""),
        "b": ("Apple", "Bob", "DEA1"),
        "c": ("Apple 2", "Bob", "DEA1"),
    }
    for owner, name in ((tenant, ""), (other, "theirs ")):
        async with world.ctx(owner.id) as ctx:
            day = ctx.now.date()
            for title, zone in zones.items():
                known = {"timezone": "UTC", "since_frame": 0, "until_frame": 0, "looked_frame": 0}
                named = {"name": name + title, "zone_id": zone, "client_id": owner.id, **known}
                ctx.db.add(ProofZone(**named))
            for subject, (title, artist, isrc) in works.items():
                about = {"title": name + title, "artist": artist, "isrc": isrc, "frames": 48_000}
                ctx.db.add(
                    ProofWork(
                        client_id=owner.id, subject=subject, kind="music", seen_on=day, **about
                    )
                )
            for subject in ("a", "b", "c", "unknown"):
                for number, zone in enumerate(zones.values()):
                    counted = {"played": 1 + number, "late": 1, "heard": 48_000 * (3 + number)}
                    played = {} if (subject, number) == ("a", 1) else counted
                    ctx.db.add(
                        ProofMonth(
                            client_id=owner.id, zone_id=zone, month=date(2026, 4, 1), kind="music",
                            subject=subject, **played,
                        )
                    )  # fmt: skip
    days = {"first_day": "2026-04-01", "last_day": "2026-04-30"}
    _, *rows = await sheet(tenant, "/proof/report/", report="usage-by-venue", **days)
    assert rows == [
        ["Bar", "", "", "", "", "0:00:00", "3", "4"],
        ["Bar", "Apple 2", "Bob", "", "DEA1", "0:00:01", "6", "8"],
        ["Hall", "", "", "", "", "0:00:00", "2", "3"],
        ["Hall", "Zebra", "Ann", "", "", "0:00:01", "2", "3"],
        ["Hall", "Apple 2", "Bob", "", "DEA1", "0:00:01", "4", "6"],
    ]
