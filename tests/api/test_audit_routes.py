"""The trail over HTTP: lists, filters, exports and verification, each client its own."""

import csv
import io
import json
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from support.world import Tenant, World
from sync2gear_platform.audit import service
from sync2gear_platform.audit.anchoring import Anchoring
from sync2gear_platform.kit.context import Origin

SCRIPT = Path(__file__).parents[2] / "scripts" / "verify_audit_export.py"
KIM, SAM = uuid4(), uuid4()
BAR = uuid4()


async def written(world: World, tenant: Tenant) -> None:
    """A few entries of two people."""
    deeds: list[tuple[UUID, str, str, UUID, dict[str, Any]]] = [
        (KIM, "zone.update", "zone", BAR, {"name": "Bar"}),
        (SAM, "zone.delete", "zone", BAR, {"name": "Lounge"}),
        (KIM, "playback.play", "zone", BAR, {"folder": "Jazz"}),
        (SAM, "zonefoo.update", "zonefoo", uuid4(), {}),
        (SAM, "import.start", "import", uuid4(), {"source": "50%_off"}),
    ]
    for number, (person, action, subject, subject_id, after) in enumerate(deeds):
        async with world.ctx(tenant.id) as ctx:
            label = {KIM: "kim@example.test", SAM: "=cmd|' /C calc'!A0"}[person]
            actor = replace(ctx.actor, kind="user", id=person, label=label)
            inside = replace(ctx, actor=actor, now=ctx.now + timedelta(hours=number),
                             origin=Origin("192.0.2.1", "@Browser"))  # fmt: skip
            service.record(inside, action, subject, subject_id, before={"x": 1.5}, after=after)


def actions(page: dict[str, Any]) -> list[str]:
    return [one["action"] for one in page["results"]]


async def test_the_list_shows_who_did_what_from_where(world: World) -> None:
    tenant = await world.tenant()
    await written(world, tenant)
    page = await tenant.read("/audit/", actor_id=str(KIM), count=True)
    assert page["count"] == 2
    shown = page["results"][1]
    assert shown["actor"] == {
        "kind": "user", "id": str(KIM), "label": "kim@example.test", "session_id": None,
    }  # fmt: skip
    assert (shown["address"], shown["agent"]) == ("192.0.2.1", "@Browser")
    assert (shown["before"], shown["after"]) == ({"x": 1.5}, {"name": "Bar"})
    assert (shown["activity"], shown["operation"]) == ("crud", "update")
    assert shown["client_id"] == str(tenant.id)
    assert shown["erased"] is False


@pytest.mark.parametrize(("params", "expected"), [
    ({"action": "zone."}, ["zone.delete", "zone.update"]),
    ({"action": "zone"}, ["zonefoo.update", "zone.delete", "zone.update"]),
    ({"action": "zone_"}, []),
    ({"action": "%"}, []),
    ({"activity": "sync"}, ["import.start"]),
    ({"activity": "service"}, ["playback.play"]),
    ({"operation": "delete"}, ["zone.delete"]),
    ({"subject_type": "zonefoo"}, ["zonefoo.update"]),
    ({"subject_id": str(BAR)}, ["playback.play", "zone.delete", "zone.update"]),
    ({"search": "lounge"}, ["zone.delete"]),
    ({"search": "50%_OFF"}, ["import.start"]),
    ({"search": "kim@example"}, ["playback.play", "zone.update"]),
    ({"actor_id": str(SAM), "action": "zone.", "operation": "update"}, []),
])  # fmt: skip
async def test_filters_narrow_the_list_and_the_export_alike(
    world: World, params: dict[str, str], expected: list[str]
) -> None:
    tenant = await world.tenant()
    await written(world, tenant)
    # the entries of tenant() itself come from other people
    assert [a for a in actions(await tenant.read("/audit/", **params)) if a in DEEDS] == expected
    answer = await tenant.http.get("/api/v1/audit/export/", params=params)
    exported = [json.loads(json.loads(line)["canonical"])[6] for line in answer.text.splitlines()]
    assert [a for a in reversed(exported) if a in DEEDS] == expected


DEEDS = {"zone.update", "zone.delete", "playback.play", "zonefoo.update", "import.start"}


async def test_a_span_of_time_includes_its_beginning_only(world: World) -> None:
    tenant = await world.tenant()
    await written(world, tenant)
    times = [one["at"] for one in (await tenant.read("/audit/"))["results"]][:5]
    page = await tenant.read("/audit/", **{"from": times[3], "to": times[1]})
    assert actions(page) == ["playback.play", "zone.delete"]


async def test_pages_hold_every_entry_once_in_both_directions(world: World) -> None:
    tenant = await world.tenant()
    await written(world, tenant)
    everything = [one["id"] for one in (await tenant.read("/audit/"))["results"]]
    seen, path = [], "/api/v1/audit/?page_size=2"
    while path:
        page = (await tenant.http.get(path)).json()
        seen += [one["id"] for one in page["results"]]
        path = page["next"]
    assert seen == everything


async def test_each_client_reads_its_own_and_a_floor_reads_nothing(world: World) -> None:
    mine, theirs = await world.tenant("Mine"), await world.tenant("Theirs")
    await written(world, theirs)
    for path in ("/audit/", f"/audit/?client_id={theirs.id}"):
        page = await mine.read(path)
        assert {one["client_id"] for one in page["results"]} == {str(mine.id)}
    answer = await mine.http.get(f"/api/v1/audit/export/?client_id={theirs.id}")
    assert {json.loads(line)["chain"] for line in answer.text.splitlines()} == {str(mine.id)}
    answer = await mine.http.post("/api/v1/audit/verify/", json={"client_id": str(theirs.id)})
    assert answer.json()["chain"] == str(mine.id)
    assert (await mine.http.get("/api/v1/audit/chains/")).status_code == 403
    floor = await world.colleague(mine, "floor")
    for method, path in (("GET", "audit/"), ("GET", "audit/export/"), ("POST", "audit/verify/")):
        answer = await floor.request(
            method, f"/api/v1/{path}", json={} if method == "POST" else None
        )
        assert answer.status_code == 403, path


# taking it away


async def test_a_stranger_verifies_an_export_with_twenty_lines(world: World) -> None:
    tenant = await world.tenant()
    await written(world, tenant)
    async with world.ctx() as ctx:
        await service.erase_person(ctx, KIM)
    answer = await tenant.http.get("/api/v1/audit/export/")
    assert answer.headers["content-type"].startswith("application/jsonl")
    assert answer.headers["cache-control"] == "no-store"
    lines = answer.text.splitlines(keepends=True)

    def verified(changed: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, SCRIPT], input="".join(changed), capture_output=True, text=True,
            check=False,
        )  # fmt: skip

    def altered(number: int, **values: Any) -> list[str]:
        changed = {**json.loads(lines[number]), **values}
        return [*lines[:number], json.dumps(changed) + "\n", *lines[number + 1 :]]

    good = verified(lines)
    assert good.returncode == 0, good.stderr
    verdict = (await tenant.http.post("/api/v1/audit/verify/", json={})).json()
    assert f"{tenant.id}: {len(lines)} entries, head " in good.stdout
    assert verdict["seq"] == len(lines), "an export holds the entry that it was made"
    canonical = json.loads(lines[4])["canonical"]
    assert (
        "line 5: altered"
        in verified(altered(4, canonical=canonical.replace("zone", "zona"))).stderr
    )
    assert "line 4: details" in verified(altered(3, body="{}")).stderr
    assert "missing" in verified([*lines[:2], *lines[3:]]).stderr
    assert verified([*lines[:2], lines[3], lines[2], *lines[4:]]).returncode != 0


async def test_a_spreadsheet_takes_nothing_for_a_formula(world: World) -> None:
    tenant = await world.tenant()
    await written(world, tenant)
    async with world.ctx(tenant.id) as ctx:
        service.record(ctx, "+bad.update", "-zone", None, after={"n": 'a "quoted", line\nbreak'})
    answer = await tenant.http.get("/api/v1/audit/export/", params={"format": "csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["action"] for row in rows][-7:-2] == [
        "zone.update", "zone.delete", "playback.play", "zonefoo.update", "import.start",
    ]  # fmt: skip
    last = rows[-2]
    assert last["action"] == "'+bad.update"
    assert last["subject_type"] == "'-zone"
    assert json.loads(last["after"]) == {"n": 'a "quoted", line\nbreak'}
    sam = next(row for row in rows if row["action"] == "zone.delete")
    assert sam["actor"].startswith("'=cmd|")
    assert sam["agent"] == "'@Browser"
    for row in csv.reader(io.StringIO(answer.text)):
        assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


async def test_a_long_export_is_whole_and_in_order(world: World) -> None:
    tenant = await world.tenant()
    async with world.ctx(tenant.id) as ctx:
        for number in range(1_203):
            service.record(ctx, "zone.update", "zone", None, after={"number": number})
    answer = await tenant.http.get("/api/v1/audit/export/")
    seqs = [json.loads(line)["seq"] for line in answer.text.splitlines()]
    assert seqs == list(range(1, len(seqs) + 1))
    assert len(seqs) > 1_203


async def test_taking_the_trail_away_is_written_down(world: World) -> None:
    tenant = await world.tenant()
    await tenant.http.get("/api/v1/audit/export/", params={"format": "csv"})
    [newest] = (await tenant.read("/audit/", page_size=1))["results"]
    assert (newest["action"], newest["operation"]) == ("audit.export", "read")
    assert newest["actor"]["label"] == tenant.email


# verification over HTTP


async def test_a_long_chain_is_verified_in_slices(world: World) -> None:
    tenant = await world.tenant()
    async with world.ctx(tenant.id) as ctx:
        for _ in range(5_600):
            service.record(ctx, "zone.update", "zone", None)
    anchoring = Anchoring(world.db, world.clock, world.settings.anchors_path)
    await anchoring.tick()
    anchoring.close()
    first = (await tenant.http.post("/api/v1/audit/verify/", json={})).json()
    assert (first["done"], first["seq"], first["fault"]) == (False, 5_000, None)
    assert first["head"] > 5_600
    body = {"after": first["seq"], "hash": first["hash"]}
    last = (await tenant.http.post("/api/v1/audit/verify/", json=body)).json()
    assert (last["done"], last["fault"]) == (True, None)
    assert last["seq"] == last["head"] == first["head"]
    assert last["anchored"] == {"compared": 1, "seq": last["head"]}
    body["hash"] = "0" * 64
    wrong = (await tenant.http.post("/api/v1/audit/verify/", json=body)).json()
    assert wrong["fault"]["kind"] == "entry_altered"
    body["after"] = 99_999
    beyond = (await tenant.http.post("/api/v1/audit/verify/", json=body)).json()
    assert beyond["fault"]["kind"] == "head"


@pytest.mark.parametrize("body", [
    {"after": -1}, {"after": 2**63}, {"hash": "zz"}, {"hash": "A" * 64}, {"more": 1},
    {"client_id": "x"},
])  # fmt: skip
async def test_nonsense_is_refused(world: World, body: dict[str, Any]) -> None:
    tenant = await world.tenant()
    assert (await tenant.http.post("/api/v1/audit/verify/", json=body)).status_code == 422


async def test_no_anchors_is_told_and_no_fault(world: World) -> None:
    tenant = await world.tenant()
    verdict = (await tenant.http.post("/api/v1/audit/verify/", json={})).json()
    assert (verdict["done"], verdict["fault"], verdict["anchored"]) == (True, None, None)


async def test_the_queries_of_the_list_use_their_indexes(world: World) -> None:
    """With 6,000 entries each filter reads what it shows, and not the client's whole trail."""
    tenant = await world.tenant()
    async with world.ctx(tenant.id) as ctx:
        await ctx.db.execute(
            text(
                "INSERT INTO audit_entries (id, client_id, at, actor_kind, actor_id, action,"
                " activity, operation, subject_type, subject_id, trace, digest)"
                " SELECT gen_random_uuid(), :client, now() - n * interval '1 minute', 'user',"
                " gen_random_uuid(), CASE n % 300 WHEN 0 THEN 'rare.update' ELSE 'zone.update' END,"
                " 'crud', 'update', 'zone', gen_random_uuid(), '', audit_hash('', '{}')"
                " FROM generate_series(1, 6000) n"
            ),
            {"client": tenant.id},
        )
        await ctx.db.execute(
            text(
                "INSERT INTO audit_details SELECT id, client_id, '', '{}' FROM audit_entries e"
                " WHERE NOT EXISTS (SELECT FROM audit_details d WHERE d.entry_id = e.id)"
            )
        )
    async with world.ctx(tenant.id) as ctx:
        for condition in ("true", "actor_id = gen_random_uuid()", "subject_id = gen_random_uuid()",
                          "action LIKE 'rare.%'", "at >= now() - interval '1 day'"):  # fmt: skip
            plan = await ctx.db.execute(
                text(
                    "EXPLAIN SELECT * FROM audit_entries e JOIN audit_seals s ON s.entry_id = e.id"
                    f" WHERE client_id = '{tenant.id}' AND {condition}"
                    " ORDER BY at DESC, id DESC LIMIT 51"
                )
            )
            lines = "\n".join(row[0] for row in plan)
            assert "Seq Scan on audit_entries" not in lines, f"{condition}\n{lines}"
