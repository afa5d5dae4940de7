"""Places over REST: the contract of every list and every row, and the fence between clients."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from support.world import Tenant, World

NOUNS = ("locations", "facilities", "floors", "zones")


async def make_one(tenant: Tenant, noun: str) -> dict[str, Any]:
    """One row of ``noun`` with what it needs."""
    body: dict[str, Any] = {"name": f"A {noun}"}
    if noun == "facilities":
        body["location_id"] = (await tenant.read("/locations/"))["results"][0]["id"]
    return await tenant.make(f"/{noun}/", **body)


@pytest.mark.parametrize("noun", NOUNS)
async def test_a_place_is_made_read_changed_and_removed(world: World, noun: str) -> None:
    tenant = await world.tenant()
    made = await make_one(tenant, noun)
    url = f"/api/v1/{noun}/{made['id']}/"
    read = await tenant.http.get(url)
    assert read.json() == made
    assert read.headers["etag"] == '"1"'
    changed = await tenant.http.patch(url, json={"name": "New"}, headers={"If-Match": '"1"'})
    assert changed.json()["name"] == "New"
    assert changed.headers["etag"] == '"2"'
    stale = await tenant.http.patch(url, json={"name": "Old"}, headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale")
    blank = await tenant.http.patch(url, json={"name": "  "})
    assert blank.status_code == 422
    assert (await tenant.http.delete(url)).status_code == 204
    assert (await tenant.http.get(url)).status_code == 404


@pytest.mark.parametrize("noun", NOUNS)
async def test_a_foreign_place_and_an_unknown_one_answer_alike(world: World, noun: str) -> None:
    mine, theirs = await world.tenant("Mine"), await world.tenant("Theirs")
    foreign = (await make_one(theirs, noun))["id"]
    for method, body in (("GET", None), ("PATCH", {"name": "Stolen"}), ("DELETE", None)):
        answers = []
        for row_id in (foreign, str(uuid4())):
            answer = await mine.http.request(method, f"/api/v1/{noun}/{row_id}/", json=body)
            problem = answer.json()
            problem.pop("trace")
            answers.append((answer.status_code, problem))
        assert answers[0] == answers[1]
        assert answers[0][0] == 404
    listed = await mine.read(f"/{noun}/", count=True)
    assert foreign not in [row["id"] for row in listed["results"]]
    assert (await theirs.read(f"/{noun}/{foreign}/"))["name"] == f"A {noun}"


async def test_a_place_cannot_refer_to_a_foreign_one(world: World) -> None:
    mine, theirs = await world.tenant("Mine"), await world.tenant("Theirs")
    location = (await theirs.read("/locations/"))["results"][0]["id"]
    floor = await theirs.make("/floors/", name="Ground")
    for path, body in (
        ("/facilities/", {"name": "x", "location_id": location}),
        ("/floors/", {"name": "x", "location_id": location}),
        ("/zones/", {"name": "x", "location_id": location}),
        ("/zones/", {"name": "x", "floor_id": floor["id"]}),
    ):
        answer = await mine.http.post(f"/api/v1{path}", json=body)
        assert answer.status_code in {404, 409}
        assert "values" not in answer.text


async def test_a_zone_takes_its_location_from_its_floor_and_keeps_it(world: World) -> None:
    tenant = await world.tenant()
    other = await tenant.make("/locations/", name="Harbour", timezone="Europe/Berlin")
    floor = await tenant.make("/floors/", name="Quay", location_id=other["id"], level=-1)
    zone = await tenant.make("/zones/", name="Terrace", floor_id=floor["id"])
    assert zone["location_id"] == other["id"]
    elsewhere = await tenant.make("/floors/", name="Attic")
    moved = await tenant.http.patch(
        f"/api/v1/zones/{zone['id']}/", json={"floor_id": elsewhere["id"]}
    )
    assert (moved.status_code, moved.json()["code"]) == (422, "floor_elsewhere")
    used = await tenant.http.delete(f"/api/v1/floors/{floor['id']}/")
    assert (used.status_code, used.json()["code"]) == (409, "reference")


async def test_pages_go_forth_and_back_and_survive_new_rows(world: World) -> None:
    tenant = await world.tenant()
    for number in range(7):
        await tenant.make("/zones/", name=f"Zone {number}")
    first = await tenant.read("/zones/", page_size=3, count=True, ordering="name")
    assert [z["name"] for z in first["results"]] == ["Zone 0", "Zone 1", "Zone 2"]
    assert (first["count"], first["previous"]) == (7, None)
    await tenant.make("/zones/", name="Zone 00")
    second = (await tenant.http.get(first["next"])).json()
    assert [z["name"] for z in second["results"]] == ["Zone 3", "Zone 4", "Zone 5"]
    last = (await tenant.http.get(second["next"])).json()
    assert [z["name"] for z in last["results"]] == ["Zone 6"]
    assert last["next"] is None
    back = (await tenant.http.get(last["previous"])).json()
    assert [z["name"] for z in back["results"]] == ["Zone 3", "Zone 4", "Zone 5"]
    newest = await tenant.read("/zones/", ordering="-created_at", page_size=2)
    assert newest["results"][0]["name"] == "Zone 00"
    following = (await tenant.http.get(newest["next"])).json()
    assert following["results"][0]["name"] == "Zone 5"
    found = await tenant.read("/zones/", search="zone 0")
    assert [z["name"] for z in found["results"]] == ["Zone 0", "Zone 00"]
    assert (await tenant.read("/zones/", search="%"))["results"] == []


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"page_size": 201}, "invalid_request"),
        ({"page_size": 0}, "invalid_request"),
        ({"ordering": "secret"}, "bad_ordering"),
        ({"cursor": "!!!"}, "bad_cursor"),
        ({"cursor": "W10"}, "bad_cursor"),
        ({"cursor": "WzEsMiwzXQ"}, "bad_cursor"),
        ({"search": "x" * 300}, "invalid_request"),
        ({"floor_id": "nobody"}, "invalid_request"),
    ],
)
async def test_a_list_refuses_what_it_cannot_do(
    world: World, params: dict[str, Any], code: str
) -> None:
    tenant = await world.tenant()
    answer = await tenant.http.get("/api/v1/zones/", params=params)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "x" * 256},
        {"name": "a\x00b"},
        {"name": "ok", "default_volume": 101},
        {"name": "ok", "default_volume": -1},
        {"name": "ok", "default_volume": "70"},
        {"name": "ok", "client_id": str(uuid4())},
        {"name": "ok", "floor_id": "x"},
    ],
)
async def test_a_zone_that_cannot_be_is_refused(world: World, body: dict[str, Any]) -> None:
    tenant = await world.tenant()
    answer = await tenant.http.post("/api/v1/zones/", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_names_may_hold_anything_that_people_write(world: World) -> None:
    tenant = await world.tenant()
    for name in ("Café ☕️", "a/b+c#d", "../../etc/passwd", "<script>alert(1)</script>", "'; --"):
        assert (await tenant.make("/zones/", name=name))["name"] == name


@pytest.mark.parametrize("path", ["/api/v1/zones", "/api/zones/", "/api/zones", "/api/v1/zones/"])
async def test_every_spelling_of_a_path_leads_to_the_same_list(world: World, path: str) -> None:
    tenant = await world.tenant()
    await tenant.make("/zones/", name="One")
    assert [z["name"] for z in (await tenant.http.get(path)).json()["results"]] == ["One"]


async def test_every_change_is_written_down(world: World) -> None:
    tenant = await world.tenant()
    zone = await tenant.make("/zones/", name="Bar")
    await tenant.http.patch(f"/api/v1/zones/{zone['id']}/", json={"name": "Lounge"})
    await tenant.http.delete(f"/api/v1/zones/{zone['id']}/")
    async with world.ctx(tenant.id) as ctx:
        query = text(
            "SELECT action, body::jsonb->'before'->>'name', body::jsonb->'after'->>'name',"
            " body::jsonb->>'label' FROM audit_entries JOIN audit_details ON entry_id = id"
            " WHERE subject_id = :id ORDER BY id"
        )
        found = (await ctx.db.execute(query, {"id": zone["id"]})).all()
    assert [tuple(row) for row in found] == [
        ("zone.create", None, "Bar", tenant.email),
        ("zone.update", "Bar", "Lounge", tenant.email),
        ("zone.delete", "Lounge", None, tenant.email),
    ]
