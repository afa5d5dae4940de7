"""Music that may not be played here today: left out of what people play, or refused, saying why."""

from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from support.music import add_folder
from support.world import Tenant, World

EAST, WEST = "Pacific/Kiritimati", "Pacific/Niue"
"""UTC+14 and UTC-11: their days are never the same."""


async def place(tenant: Tenant, name: str, timezone: str = "UTC", country: str = "") -> str:
    """A zone at a location of its own."""
    body = {"name": name, "timezone": timezone, "country": country}
    location = (await tenant.make("/locations/", **body))["id"]
    return str((await tenant.make("/zones/", name=name, location_id=location))["id"])


async def license_(tenant: Tenant, title: str, **values: Any) -> None:
    rows = (await tenant.read("/music/files/", page_size=200))["results"]
    (track,) = [row for row in rows if row["title"] == title]
    answer = await tenant.http.patch(f"/api/v1/music/files/{track['id']}/", json=values)
    assert answer.is_success, answer.text


async def played(tenant: Tenant, folder: UUID, *zones: str) -> list[str]:
    """The titles of one round of what plays now in the first of these zones."""
    body = {"zone_ids": list(zones), "folder_id": str(folder)}
    answer = await tenant.http.post("/api/v1/playback/play/", json=body)
    assert answer.status_code == 200, answer.text
    titles = [one["title"] for one in answer.json()["results"][0]["segments"]]
    return titles[: titles.index(titles[0], 1)] if titles[0] in titles[1:] else titles


async def test_only_what_may_be_played_today_and_there_is_played(world: World) -> None:
    tenant = await world.tenant()
    folder = await add_folder(world, tenant, ("Always", "Old", "New", "Abroad", "Stream", "Home"))
    berlin = await place(tenant, "Berlin", "Europe/Berlin", "DE")
    nowhere = await place(tenant, "Nowhere")
    today = world.clock.now().astimezone(ZoneInfo("Europe/Berlin")).date()
    await license_(tenant, "Old", valid_until=str(today - timedelta(days=2)))
    await license_(tenant, "New", valid_from=str(today + timedelta(days=2)))
    await license_(tenant, "Abroad", regions=["FR", "US"])
    await license_(tenant, "Stream", offline_allowed=False)
    await license_(tenant, "Home", regions=["AT", "DE"], valid_from=str(today),
                   valid_until=str(today))  # fmt: skip
    assert await played(tenant, folder, berlin) == ["Always", "Home"]
    # without a country nobody asks for one
    assert "Abroad" in await played(tenant, folder, nowhere)
    # one programme for all: what one of them may not play is left out
    assert "Abroad" not in await played(tenant, folder, nowhere, berlin)


async def test_each_location_has_its_own_day(world: World) -> None:
    tenant = await world.tenant()
    folder = await add_folder(world, tenant, ("Always", "Last day"))
    east, west = await place(tenant, "East", EAST), await place(tenant, "West", WEST)
    yesterday = world.clock.now().astimezone(ZoneInfo(WEST)).date()
    await license_(tenant, "Last day", valid_until=str(yesterday))
    assert await played(tenant, folder, west) == ["Always", "Last day"]
    assert await played(tenant, folder, east) == ["Always"]
    assert await played(tenant, folder, west, east) == ["Always"]


async def test_where_nothing_is_left_it_says_why_and_nothing_changes(world: World) -> None:
    tenant = await world.tenant()
    folder = await add_folder(world, tenant, ("Old", "Older", "Abroad"))
    berlin = await place(tenant, "Berlin", "Europe/Berlin", "DE")
    for title in ("Old", "Older"):
        await license_(tenant, title, valid_until="2020-01-01")
    await license_(tenant, "Abroad", regions=["FR"])
    before = (await tenant.read("/playback/state/"))["results"]
    tracks = [row["id"] for row in (await tenant.read("/music/files/"))["results"]]
    for what in ({"folder_id": str(folder)}, {"track_ids": tracks}):
        answer = await tenant.http.post("/api/v1/playback/play/", json={"zone_id": berlin, **what})
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (409, "nothing_playable")
        assert problem["left_out"] == {"no_longer_valid": 2, "not_in_region": 1}
        assert "2 no longer valid" in problem["detail"]
    after = (await tenant.read("/playback/state/"))["results"]
    assert [(z["rev"], z["status"]) for z in after] == [(z["rev"], z["status"]) for z in before]


async def test_who_has_one_zone_is_asked_for_its_location_all_the_same(world: World) -> None:
    tenant, stranger = await world.tenant("Mine"), await world.tenant("Theirs")
    folder = await add_folder(world, tenant, ("Always", "Abroad"))
    berlin = await place(tenant, "Berlin", "Europe/Berlin", "DE")
    await license_(tenant, "Abroad", regions=["FR"])
    floor = Tenant(tenant.id, "", await world.colleague(tenant, "floor", ("zone", UUID(berlin))))
    assert await played(floor, folder, berlin) == ["Always"]
    foreign = await place(stranger, "Paris", "Europe/Paris", "FR")
    body = {"zone_ids": [foreign], "folder_id": str(folder)}
    answer = await tenant.http.post("/api/v1/playback/play/", json=body)
    assert answer.status_code == 404
