"""Proof of play: what was planned beside what speakers told, over HTTP."""

from typing import Any
from uuid import UUID

from support.music import add_folder, add_zone
from support.planning import add_schedule, add_words, compiled
from support.proving import MINUTE, Teller, reckoned, segments, speaker
from support.world import Tenant, World


async def shop(world: World) -> tuple[Tenant, str, UUID]:
    """A zone with music all day and a call each half hour; the announcement."""
    tenant = await world.tenant()
    zone = await add_zone(tenant, "Bar")
    plan = await add_folder(world, tenant, tuple(f"Plan {n}" for n in range(8)))
    words = await add_words(world, tenant)
    await add_schedule(world, tenant, zone, folder_id=plan, name="All day")
    await add_schedule(
        world, tenant, zone, type="announcement", announcement_id=words, name="Call",
        when={"kind": "minutes", "minutes": [0, 15, 30, 45]},
    )  # fmt: skip
    await compiled(world)
    return tenant, zone, words


async def lines(tenant: Tenant, **asked: Any) -> list[dict[str, Any]]:
    found = await tenant.read("/proof/", ordering="planned_at", **asked)
    results: list[dict[str, Any]] = found["results"]
    return results


def outcomes(found: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(one["outcome"], one["reason"]) for one in found]


async def test_what_was_planned_is_set_beside_what_speakers_told(world: World) -> None:
    tenant, zone, words = await shop(world)
    left = Teller(world, tenant, await speaker(tenant, zone, "Left"), zone)
    right = Teller(world, tenant, await speaker(tenant, zone, "Right"), zone)
    due = await segments(world, tenant, zone, hours=1)
    assert [one.media.kind for one in due].count("announcement") >= 3
    music = [one for one in due if one.role == "music" and one.end - one.start > 2 * MINUTE]
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
