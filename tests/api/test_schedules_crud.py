"""Schedules over HTTP: every word arrives where zones are planned, and sounds as the rules say."""

from datetime import date, datetime, time
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from support.music import add_folder, add_zone
from support.wishes import (
    add_announcement,
    add_channel,
    blocks,
    calls,
    facts_of,
    heard,
    marked,
)
from support.world import Tenant, World
from sync2gear_platform.schedules.model import (
    AfterTracks,
    At,
    Days,
    Every,
    Limits,
    Minutes,
    Schedule,
    Span,
    Special,
    Start,
    Timing,
)
from sync2gear_platform.schedules.recurrence import Rule

MONDAY = datetime(2027, 3, 1)  # noqa: DTZ001 - a reading of the clock on the wall


def code(answer: httpx2.Response) -> tuple[int, str]:
    told = answer.json() if answer.content else {}
    return answer.status_code, str(told.get("code", ""))


async def plan(tenant: Tenant, **values: Any) -> dict[str, Any]:
    where = {} if {"zones", "zone_ids", "tags", "floor_ids"} & set(values) else {"everywhere": True}
    kind = "announcement" if "announcement_id" in values else "music"
    return await tenant.make("/schedules/", **{"name": "Plan", "type": kind, **where, **values})


async def only(world: World, tenant: Tenant, zone: str) -> Schedule:
    (one,) = (await facts_of(world, tenant, zone)).schedules
    return one


async def test_every_field_arrives_and_comes_back(world: World) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    said = await add_announcement(world, tenant, "Closing")
    feasts, school = [
        (await tenant.make("/calendars/", name=name))["id"] for name in ("feasts", "school")
    ]
    sent = {
        "name": "Closing", "type": "announcement", "is_active": True, "priority": 80,
        "announcement_id": said, "start_time": "22:00:00", "end_time": "06:30:30",
        "days_of_week": [0, 6], "first_date": "2027-01-01", "last_date": "2027-12-31",
        "recurrence": "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO",
        "only_calendar_ids": [feasts], "never_calendar_ids": [school],
        "special_days": [
            {"calendar_id": feasts, "start_time": "10:00:00", "end_time": "12:00:00"},
            {"calendar_id": school, "start_time": None, "end_time": None},
        ],
        "when": {"kind": "at", "times": ["19:45:00", "19:55:00"]}, "gap": "skip", "fold": "both",
        "begin": "restart", "on_end": "next",
        "start": {
            "mode": "wait", "max_wait_millis": 1000, "late_by_millis": None, "mix": "duck",
            "duck": -900, "fade_in_millis": 10, "fade_out_millis": 20, "gain": -100,
            "on_cut": "restart",
        },
        "limits": {"max_per_hour": 2, "min_gap_millis": 60_000, "group": "offers"},
        "everywhere": False, "location_ids": [], "floor_ids": [], "zone_ids": [zone],
        "tags": ["quiet"],
        "exceptions": {"location_ids": [], "floor_ids": [], "zone_ids": [], "tags": ["loud"]},
    }  # fmt: skip
    made = await tenant.make("/schedules/", **sent)
    assert {name: made[name] for name in sent} == sent
    assert made["effective_priority"] == 80
    one = await only(world, tenant, zone)
    assert one == Schedule(
        id=UUID(made["id"]),
        name="Closing",
        timing=Timing(
            span=Span(time(22), time(6, 30, 30)),
            days=Days(
                frozenset({0, 6}), date(2027, 1, 1), date(2027, 12, 31),
                frozenset({UUID(feasts)}), frozenset({UUID(school)}),
                Rule("WEEKLY", interval=2, weekdays=((0, 6), (0, 0))),
            ),
            specials=(Special(UUID(feasts), Span(time(10), time(12))), Special(UUID(school))),
            when=At((time(19, 45), time(19, 55))),
            gap="skip",
            fold="both",
        ),
        message=UUID(said),
        priority=80,
        breadth="zone",
        begin="restart",
        on_end="next",
        start=Start("wait", 1000, None, "duck", -900, 10, 20, -100, "restart"),
        limits=Limits(2, 60_000, "offers"),
    )  # fmt: skip
    path = f"/api/v1/schedules/{made['id']}/"
    for when, value in (
        ({"kind": "minutes", "minutes": [30, 5, 5]}, Minutes((5, 30))),
        ({"kind": "every", "minutes": 20, "anchored": False}, Every(20, anchored=False)),
        ({"kind": "after_tracks", "tracks": 4}, AfterTracks(4)),
    ):
        answer = await tenant.http.patch(path, json={"when": when})
        assert answer.status_code == 200, answer.text
        assert (await only(world, tenant, zone)).timing.when == value


async def test_document_001_is_understood(world: World) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    folder = str(await add_folder(world, tenant, ("One", "Two")))
    said = await add_announcement(world, tenant, "Offer")
    http = tenant.http
    answer = await http.post(
        "/api/schedules",
        json={
            "name": "Offers", "type": "announcement", "content_type": "announcement",
            "announcement": said, "mode": "interval", "interval_type": "time",
            "interval_minutes": 20, "start_time": "09:00", "end_time": "17:00",
            "days_of_week": [], "zones": [zone], "priority": 5, "is_active": True,
        },
    )  # fmt: skip
    assert answer.status_code == 201, answer.text
    offers = answer.json()
    assert offers["when"] == {"kind": "every", "minutes": 20, "anchored": True}
    assert (offers["mode"], offers["interval_type"], offers["interval_minutes"]) == (
        "interval", "time", 20,
    )  # fmt: skip
    music = await tenant.make(
        "/schedules/", name="Day", type="music", content_type="folder", folder=folder,
        mode="timeline", start_time="08:00", end_time="20:00", zones=[zone],
    )  # fmt: skip
    assert (music["when"], music["content_type"], music["mode"]) == (None, "folder", "timeline")
    found = await heard(world, tenant, zone, MONDAY, MONDAY.replace(day=2))
    assert calls(found)[:2] == [("01.03. 09:00", "Offer"), ("01.03. 09:20", "Offer")]
    assert len(calls(found)) == 24, "default days are every day"
    assert blocks(found) == [("01.03. 08:00", "01.03. 20:00", folder)]
    path = f"/api/v1/schedules/{offers['id']}/"
    answer = await http.patch(path, json={"interval_type": "tracks", "interval_minutes": 4})
    assert answer.json()["when"] == {"kind": "after_tracks", "tracks": 4}
    answer = await http.patch(path, json={"interval_minutes": 5})
    assert answer.json()["when"] == {"kind": "after_tracks", "tracks": 5}
    answer = await http.patch(path, json={"mode": "timeline", "start_time": "10:30"})
    assert answer.json()["when"] == {"kind": "at", "times": ["10:30:00"]}
    off = await http.post(f"{path}toggle/")
    assert off.json()["is_active"] is False
    assert len((await facts_of(world, tenant, zone)).schedules) == 1
    assert (await http.post(f"{path}toggle/")).json()["is_active"] is True


async def test_levels_day_parts_and_calendars_are_shared(world: World) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    day, night = [str(await add_folder(world, tenant, t)) for t in (("D",), ("N", "O"))]
    levels = {one["name"]: one for one in (await tenant.read("/priority-levels/"))["results"]}
    assert {name: one["priority"] for name, one in levels.items()} == {
        "Background": 10, "Normal": 30, "Important": 50, "Urgent": 70,
    }  # fmt: skip
    part = await tenant.make("/day-parts/", name="Evening", start_time="18:00", end_time="02:00")
    feasts = await tenant.make(
        "/calendars/", name="Feasts", days=[{"day": "2027-03-02", "name": "Feast"}]
    )
    await plan(tenant, name="Day", folder_id=day, priority=20)
    evening = await plan(
        tenant, name="Evening", folder_id=night, day_part_id=part["id"],
        priority_level_id=levels["Background"]["id"],
        special_days=[{"calendar_id": feasts["id"]}],
    )  # fmt: skip
    assert evening["effective_priority"] == 10

    async def heard_at_night() -> list[tuple[str, str, str]]:
        found = await heard(world, tenant, zone, MONDAY, MONDAY.replace(day=3))
        return [block for block in blocks(found) if block[2] == night]

    assert await heard_at_night() == []
    level = f"/api/v1/priority-levels/{levels['Background']['id']}/"
    before = await marked(world, tenant)
    assert (await tenant.http.patch(level, json={"priority": 25})).status_code == 200
    assert (await marked(world, tenant))[zone] > before[zone]
    assert await heard_at_night() == [
        ("01.03. 00:00", "01.03. 02:00", night), ("01.03. 18:00", "02.03. 02:00", night),
    ], "but on the feast"  # fmt: skip
    where = f"/api/v1/day-parts/{part['id']}/"
    answer = await tenant.http.patch(where, json={"start_time": "19:00"})
    assert answer.json()["start_time"] == "19:00:00"
    assert (await heard_at_night())[1][0] == "01.03. 19:00"
    calendar = f"/api/v1/calendars/{feasts['id']}/"
    answer = await tenant.http.patch(calendar, json={"days": []})
    assert answer.status_code == 200
    starts = [block[0] for block in await heard_at_night()]
    assert starts == ["01.03. 00:00", "01.03. 19:00", "02.03. 19:00"]
    for url in (level, where, calendar):
        answer = await tenant.http.delete(url)
        assert code(answer) == (409, "in_use")
        assert answer.json()["used_by"][0]["name"] == "Evening"
        used = (await tenant.http.get(f"{url}usage/")).json()["results"]
        assert [one["id"] for one in used] == [evening["id"]]
    assert (await tenant.http.delete(f"/api/v1/schedules/{evening['id']}/")).status_code == 204
    for url in (level, where, calendar):
        assert (await tenant.http.delete(url)).status_code == 204
    again = await tenant.http.post(
        "/api/v1/priority-levels/", json={"name": "Urgent", "priority": 1}
    )
    assert code(again) == (409, "name_taken")


async def test_hours_of_ones_own_take_the_place_of_a_day_part(world: World) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    folder = str(await add_folder(world, tenant, ("One",)))
    part = await tenant.make("/day-parts/", name="Day", start_time="08:00", end_time="20:00")
    made = await plan(tenant, folder_id=folder, day_part_id=part["id"])
    path = f"/api/v1/schedules/{made['id']}/"
    both = {"start_time": "09:00", "day_part_id": part["id"]}
    assert code(await tenant.http.patch(path, json=both)) == (422, "two_spans")
    answer = await tenant.http.patch(path, json={"start_time": "09:00", "end_time": "10:00"})
    assert answer.json()["day_part_id"] is None
    assert (await only(world, tenant, zone)).timing.span == Span(time(9), time(10))


async def test_who_hears_it_and_who_is_told(world: World) -> None:
    tenant = await world.tenant()
    floor = await tenant.make("/floors/", name="First")
    zones = {
        name: (await tenant.make("/zones/", name=name, **more))["id"]
        for name, more in {
            "plain": {}, "upstairs": {"floor_id": floor["id"]}, "quiet": {"tags": ["quiet"]},
        }.items()
    }  # fmt: skip
    folder = str(await add_folder(world, tenant, ("One",)))

    async def hearing() -> dict[str, str]:
        found = {}
        for name, zone in zones.items():
            for one in (await facts_of(world, tenant, zone)).schedules:
                found[name] = one.breadth
        return found

    async def touched(answer: httpx2.Response, before: dict[str, int]) -> set[str]:
        assert answer.is_success, answer.text
        after = await marked(world, tenant)
        return {name for name, zone in zones.items() if after.get(zone) != before.get(zone)}

    made = await plan(
        tenant, folder_id=folder, everywhere=True, floor_ids=[floor["id"]],
        exceptions={"tags": ["quiet"]},
    )  # fmt: skip
    assert await hearing() == {"plain": "client", "upstairs": "floor"}
    path = f"/api/v1/schedules/{made['id']}/"
    for name, zone in zones.items():
        listed = (await tenant.read("/schedules/", zone_id=zone))["results"]
        assert bool(listed) == (name != "quiet"), name
    assert len((await tenant.read("/schedules/", floor_id=floor["id"]))["results"]) == 1
    (there,) = (await tenant.read("/locations/"))["results"]
    elsewhere = await tenant.make("/locations/", name="Elsewhere")
    found = [
        len((await tenant.read("/schedules/", location_id=one["id"]))["results"])
        for one in (there, elsewhere)
    ]
    assert found == [1, 0]
    stranger = await world.tenant("Stranger")
    for noun, place in (("floor_id", floor["id"]), ("location_id", there["id"])):
        for page in ("/schedules/", "/schedules/conflicts/", "/proof/", "/proof/summary/"):
            name = noun.removesuffix("_id") if "proof" in page else noun
            answer = await stranger.http.get(f"/api/v1{page}", params={name: place})
            assert answer.status_code == 404, (page, name)
    before = await marked(world, tenant)
    body = {"everywhere": False, "tags": ["quiet"], "exceptions": {}}
    answer = await tenant.http.patch(path, json=body)
    assert await hearing() == {"upstairs": "floor", "quiet": "tag"}
    listed = (await tenant.read("/schedules/", zone_id=zones["quiet"]))["results"]
    assert [one["id"] for one in listed] == [made["id"]], "by its tag"
    assert await touched(answer, before) == set(zones), "also who hears it no more"
    before = await marked(world, tenant)
    answer = await tenant.http.patch(path, json={"name": "New"})
    assert await touched(answer, before) == {"upstairs", "quiet"}
    nowhere = {"floor_ids": [], "tags": []}
    assert code(await tenant.http.patch(path, json=nowhere)) == (422, "no_target")
    before = await marked(world, tenant)
    assert await touched(await tenant.http.delete(path), before) == {"upstairs", "quiet"}
    resting = await tenant.make("/zones/", name="resting", is_active=False)
    await plan(tenant, folder_id=folder)
    assert (await facts_of(world, tenant, resting["id"])).schedules == ()


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no content": ({"channel_id": None}, "schedule_content"),
    "two contents": ({"folder_id": "folder"}, "schedule_content"),
    "the wrong kind": ({"type": "announcement", "when": {"kind": "every", "minutes": 5}},
                       "schedule_content"),
    "music with starts": ({"when": {"kind": "every", "minutes": 5}}, "schedule_when"),
    "no starts": ({"type": "announcement", "channel_id": None, "announcement_id": "said"},
                  "schedule_when"),
    "half an interval": ({"mode": "interval"}, "interval_incomplete"),
    "two words": ({"when": {"kind": "every", "minutes": 5}, "mode": "timeline"}, "when_twice"),
    "dates turned": ({"first_date": "2027-02-01", "last_date": "2027-01-01"}, "dates_invalid"),
    "no recurrence": ({"first_date": "2027-02-01", "recurrence": "FREQ=HOURLY"},
                      "recurrence_unsupported"),
    "one that says where it ends": ({"first_date": "2027-02-01",
                                     "recurrence": "FREQ=DAILY;COUNT=3"}, "recurrence_unsupported"),
    "one without a begin": ({"recurrence": "FREQ=DAILY"}, "recurrence_without_first_date"),
    "a recurrence of words": ({"recurrence": "every other day"}, "invalid_request"),
    "nowhere": ({"everywhere": False}, "no_target"),
    "no weekday": ({"days_of_week": [7]}, "invalid_request"),
    "no time": ({"start_time": "25:00"}, "invalid_request"),
    "a time elsewhere": ({"start_time": "09:00+02:00"}, "invalid_request"),
    "a number for a time": ({"start_time": 900}, "invalid_request"),
    "half a span": ({"special_days": [{"calendar_id": str(uuid4()), "start_time": "09:00"}]},
                    "invalid_request"),
    "too important": ({"priority": 101}, "invalid_request"),
    "no name": ({"name": "  "}, "invalid_request"),
    "nothing known": ({"colour": "red"}, "invalid_request"),
    "too many zones": ({"zone_ids": [str(uuid4())] * 501}, "invalid_request"),
    "a channel of nobody": ({"channel_id": str(uuid4())}, "not_found"),
    "a zone of nobody": ({"zone_ids": [str(uuid4())]}, "not_found"),
    "an exception of nobody": ({"exceptions": {"floor_ids": [str(uuid4())]}}, "not_found"),
    "a calendar of nobody": ({"only_calendar_ids": [str(uuid4())]}, "not_found"),
    "a level of nobody": ({"priority_level_id": str(uuid4())}, "not_found"),
    "a part of nobody": ({"day_part_id": str(uuid4())}, "not_found"),
}  # fmt: skip


async def test_what_no_schedule_can_be_is_refused_in_words(world: World) -> None:
    tenant = await world.tenant()
    channel = await add_channel(tenant)
    ids = {
        "folder": str(await add_folder(world, tenant, ("One",))),
        "said": await add_announcement(world, tenant, "Hello"),
    }
    for name, (change, wanted) in BAD.items():
        body = {"name": "P", "type": "music", "channel_id": channel, "everywhere": True, **change}
        body = {k: ids.get(v, v) if isinstance(v, str) else v for k, v in body.items()}
        body = {k: v for k, v in body.items() if v is not None}
        answer = await tenant.http.post("/api/v1/schedules/", json=body)
        assert code(answer)[1] == wanted, f"{name}: {answer.text}"
    assert (await tenant.read("/schedules/"))["results"] == []


@pytest.mark.parametrize("path", ["schedules", "calendars", "day-parts", "priority-levels"])
async def test_managers_write_and_floor_staff_reads(world: World, path: str) -> None:
    tenant = await world.tenant()
    folder = str(await add_folder(world, tenant, ("One",)))
    bodies: dict[str, dict[str, Any]] = {
        "schedules": {"type": "music", "folder_id": folder, "everywhere": True},
        "calendars": {},
        "day-parts": {"start_time": "09:00", "end_time": "10:00"},
        "priority-levels": {"priority": 5},
    }
    for role, status in (("floor", 403), ("client_user", 403), ("tenant_admin", 201)):
        http = await world.colleague(tenant, role)
        assert (await http.get(f"/api/v1/{path}/")).status_code == 200
        made = await http.post(f"/api/v1/{path}/", json={"name": "x", **bodies[path]})
        assert made.status_code == status, role
    other = await world.tenant("Other")
    url = f"/api/v1/{path}/{made.json()['id']}/"
    for method, body in (("GET", None), ("PATCH", {"name": "y"}), ("DELETE", None)):
        answer = await other.http.request(method, url, json=body)
        assert code(answer) == (404, "not_found")
    answer = await tenant.http.patch(url, json={"name": "y"}, headers={"If-Match": '"9"'})
    assert code(answer) == (412, "stale")
    trail = await tenant.read("/audit/", search="")
    assert trail["results"], "it is written down"
