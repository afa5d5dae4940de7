"""Calendars that are imported, schedules that meet, and schedules that other programs read."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx2
from icalendar import Calendar

from support.music import add_folder, add_zone
from support.wishes import add_announcement, facts_of, marked
from support.world import Tenant, World

BERLIN = ZoneInfo("Europe/Berlin")


def code(answer: httpx2.Response) -> tuple[int, str]:
    told = answer.json() if answer.content else {}
    return answer.status_code, str(told.get("code", ""))


def file(*events: str) -> bytes:
    bodies = "".join(f"BEGIN:VEVENT\r\n{one}\r\nEND:VEVENT\r\n" for one in events)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{bodies}END:VCALENDAR\r\n".encode()


async def send(tenant: Tenant, calendar: str, data: bytes, **params: Any) -> httpx2.Response:
    return await tenant.http.post(
        f"/api/v1/calendars/{calendar}/import/",
        content=data,
        params=params,
        headers={"Content-Type": "text/calendar"},
    )


async def test_a_calendar_is_imported_and_heard(world: World) -> None:
    tenant = await world.tenant()
    zone = await add_zone(tenant)
    folder = str(await add_folder(world, tenant, ("One",)))
    year = world.clock.now().year + 1
    own = f"{year}-02-02"
    made = await tenant.make("/calendars/", name="Feasts", days=[{"day": own, "name": "Ours"}])
    await tenant.make(
        "/schedules/", name="P", type="music", folder_id=folder, everywhere=True,
        never_calendar_ids=[made["id"]],
    )  # fmt: skip
    before = await marked(world, tenant)
    data = file(
        f"SUMMARY:New  Year\r\nDTSTART;VALUE=DATE:{year}0101\r\nRRULE:FREQ=YEARLY;COUNT=2",
        f"SUMMARY:Theirs\r\nDTSTART;VALUE=DATE:{year}0202",
        "SUMMARY:Long ago\r\nDTSTART;VALUE=DATE:19990101",
        f"SUMMARY:Off\r\nDTSTART;VALUE=DATE:{year}0303\r\nSTATUS:CANCELLED",
    )
    answer = await send(tenant, made["id"], data)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["calendar"]["days"] == [
        {"day": f"{year}-01-01", "name": "New Year"},
        {"day": own, "name": "Ours"},
        {"day": f"{year + 1}-01-01", "name": "New Year"},
    ]
    assert (told["new"], told["skipped"]) == (2, [{"name": "Off", "code": "cancelled"}])
    assert (await marked(world, tenant))[zone] > before[zone]
    assert len((await facts_of(world, tenant, zone)).calendars.days.popitem()[1]) == 3
    answer = await send(tenant, made["id"], data, replace=True)
    assert [one["name"] for one in answer.json()["calendar"]["days"]][1] == "Theirs"
    summary = (await tenant.read("/calendars/"))["results"][0]
    assert (summary["name"], summary["size"]) == ("Feasts", 3)
    assert "days" not in summary
    stale = await tenant.http.post(
        f"/api/v1/calendars/{made['id']}/import/", content=data,
        headers={"Content-Type": "text/calendar", "If-Match": '"1"'},
    )  # fmt: skip
    assert code(stale) == (412, "stale")


async def test_what_is_no_calendar_or_too_much_is_refused(world: World) -> None:
    tenant, other = await world.tenant(), await world.tenant("Other")
    made = await tenant.make("/calendars/", name="Feasts")
    assert code(await send(tenant, made["id"], b"nonsense")) == (422, "bad_calendar")
    assert code(await send(tenant, made["id"], b"x" * 400_001)) == (422, "bad_calendar")
    assert code(await send(tenant, made["id"], b"")) == (422, "bad_calendar")
    slow = "DTSTART;VALUE=DATE:19000101\r\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=2"
    assert code(await send(tenant, made["id"], file(*[slow] * 100))) == (422, "calendar_too_large")
    today = world.clock.now().date()
    every = f"DTSTART;VALUE=DATE:{today:%Y%m%d}\r\nRRULE:FREQ=DAILY"
    answer = await send(tenant, made["id"], file(every))
    assert answer.status_code == 200, "five years are less than the most"
    assert len(answer.json()["calendar"]["days"]) == 5 * 366 + 1
    old = (today - timedelta(days=366)).strftime("%Y%m%d")
    answer = await send(tenant, made["id"], file(f"DTSTART;VALUE=DATE:{old}\r\nRRULE:FREQ=DAILY"))
    assert code(answer) == (409, "too_many_days")
    for asker, calendar in ((other, made["id"]), (tenant, str(uuid4()))):
        assert code(await send(asker, calendar, file(every))) == (404, "not_found")
    days = [{"day": "2027-01-01"}] * 2001
    answer = await tenant.http.post("/api/v1/calendars/", json={"name": "Many", "days": days})
    assert code(answer) == (422, "invalid_request")


async def test_schedules_that_meet_are_listed(world: World) -> None:
    tenant = await world.tenant()
    here, there = [await add_zone(tenant, name) for name in ("here", "there")]
    folder = str(await add_folder(world, tenant, ("One",)))
    said = await add_announcement(world, tenant, "Hello")

    async def plan(name: str, **values: Any) -> dict[str, Any]:
        content = {"folder_id": folder} if "when" not in values else {"announcement_id": said}
        kind = "music" if "when" not in values else "announcement"
        return await tenant.make("/schedules/", name=name, type=kind, **content, **values)

    await plan("day", start_time="08:00", end_time="20:00", everywhere=True)
    await plan("evening", start_time="18:00", end_time="23:00", everywhere=True)
    await plan("narrower", start_time="08:00", end_time="20:00", zone_ids=[here])
    await plan("louder", start_time="08:00", end_time="20:00", everywhere=True, priority=90)
    await plan("night", start_time="23:00", end_time="08:00", everywhere=True)
    at = {"kind": "at", "times": ["19:45"]}
    await plan("closing", when=at, zone_ids=[here])
    await plan("offer", when={"kind": "minutes", "minutes": [15, 45]}, zone_ids=[here])
    found = await tenant.read("/schedules/conflicts/", days=2)
    assert not found["truncated"]
    told = {(one["winner"]["name"], one["loser"]["name"]): one for one in found["results"]}
    assert set(told) == {("day", "evening"), ("closing", "offer")}
    day = told["day", "evening"]
    assert (day["kind"], day["decided_by"], day["priority"]) == ("music", "younger", 30)
    assert sorted(day["zone_ids"]) == sorted([here, there])
    starts = datetime.fromisoformat(day["starts_at"]).astimezone(BERLIN)
    ends = datetime.fromisoformat(day["ends_at"]).astimezone(BERLIN)
    assert ends.strftime("%H:%M") == "20:00"
    assert 18 <= starts.hour < 20
    assert told["closing", "offer"]["zone_ids"] == [here]
    only = await tenant.read("/schedules/conflicts/", zone_id=there)
    assert [one["winner"]["name"] for one in only["results"]] == ["day"]
    answer = await tenant.http.get(f"/api/v1/schedules/conflicts/?zone_id={uuid4()}")
    assert code(answer) == (404, "not_found")


async def test_a_feed_is_read_with_its_address_until_it_is_revoked(world: World) -> None:
    tenant, other = await world.tenant(), await world.tenant("Other")
    here, there = [await add_zone(tenant, name) for name in ("here", "there")]
    folder = str(await add_folder(world, tenant, ("One",)))
    said = await add_announcement(world, tenant, "Hello")
    music = {"type": "music", "folder_id": folder}
    await tenant.make(
        "/schedules/", name="Day, all", start_time="08:00", end_time="20:00", everywhere=True,
        **music,
    )  # fmt: skip
    await tenant.make("/schedules/", name="There", zone_ids=[there], **music)
    spoken = {"type": "announcement", "announcement_id": said, "zone_ids": [here]}
    await tenant.make(
        "/schedules/", name="Closing", when={"kind": "at", "times": ["19:45"]}, **spoken
    )
    await tenant.make(
        "/schedules/", name="Offers", when={"kind": "every", "minutes": 20}, start_time="09:00",
        end_time="17:00", **spoken,
    )  # fmt: skip
    theirs = str(await add_folder(world, other, ("Two",)))
    await other.make("/schedules/", name="Foreign", type="music", folder_id=theirs, everywhere=True)
    zone_feed = await tenant.make("/schedules/feeds/", name="Lobby", zone_id=here)
    all_feed = await tenant.make("/schedules/feeds/", name="All")
    anybody = await world.http()

    async def names(feed: dict[str, Any]) -> set[str]:
        answer = await anybody.get(feed["url"])
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
        shown = Calendar.from_ical(answer.content)
        assert str(shown["X-WR-CALNAME"]) == feed["name"]
        return {str(event["SUMMARY"]) for event in shown.walk("VEVENT")}

    assert await names(zone_feed) == {"Day, all", "Closing", "Offers (every 20 minutes)"}
    assert await names(all_feed) == {"Day, all", "Closing", "Offers (every 20 minutes)", "There"}
    shown = Calendar.from_ical((await anybody.get(zone_feed["url"])).content)
    day = next(e for e in shown.walk("VEVENT") if str(e["SUMMARY"]) == "Day, all")
    assert (day["DTSTART"].dt.hour, day["DTEND"].dt.hour) == (8, 20), "by the venue's clock"
    uids = [str(event["UID"]) for event in shown.walk("VEVENT")]
    assert len(uids) == len(set(uids)) > 60
    listed = (await tenant.read("/schedules/feeds/"))["results"]
    assert [one["name"] for one in listed] == ["All", "Lobby"]
    assert all("url" not in one for one in listed), "shown once"
    path = f"/api/v1/schedules/feeds/{zone_feed['id']}/"
    assert code(await other.http.delete(path)) == (404, "not_found")
    assert (await tenant.http.delete(path)).status_code == 204
    for url in (zone_feed["url"], zone_feed["url"].replace("feed/", "feed/x")):
        assert code(await anybody.get(url)) == (404, "not_found")
    assert await names(all_feed)
    answer = await tenant.http.post(
        "/api/v1/schedules/feeds/", json={"name": "x", "zone_id": str(uuid4())}
    )
    assert code(answer) == (404, "not_found")
    viewer = await world.colleague(tenant, "viewer")
    answer = await viewer.post("/api/v1/schedules/feeds/", json={"name": "x"})
    assert answer.status_code == 403
