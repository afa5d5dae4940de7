"""What is planned, in a real browser: channels, schedules, what they share, and what will sound."""

import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from support.browser import card, check, sign_in, tick
from support.pictures import keep_picture
from support.stack import Stack, wait_until

pytestmark = pytest.mark.timeout(300)

HOLIDAYS = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//EN
BEGIN:VEVENT
UID:1
DTSTART;VALUE=DATE:20270101
RRULE:FREQ=YEARLY;COUNT=3
SUMMARY:New Year
END:VEVENT
BEGIN:VEVENT
UID:2
DTSTART;VALUE=DATE:20270501
STATUS:CANCELLED
SUMMARY:Called off
END:VEVENT
END:VCALENDAR
"""


def at(page: Page, stack: Stack, name: str) -> None:
    """Sign in, and go to one of the pages about schedules."""
    sign_in(page, stack)
    page.get_by_role("link", name="Schedules", exact=True).first.click()
    if name != "Schedules":
        page.get_by_role("navigation", name="About schedules").get_by_role(
            "link", name=name
        ).click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()


def make(stack: Stack, path: str, **body: Any) -> dict[str, Any]:
    with stack.http() as http:
        answer = http.post(f"/api/v1{path}", json=body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())


def shop_folder(stack: Stack) -> dict[str, Any]:
    with stack.http() as http:
        folders = http.get("/api/v1/music/folders/").json()["results"]
    return dict(next(one for one in folders if not one["is_system"] and one["type"] == "music"))


def test_a_channel_is_made_put_in_order_and_listened_ahead(page: Page, stack: Stack) -> None:
    folder = shop_folder(stack)["name"]
    make(stack, "/announcements/tts/", text="Try our new coffee.", title="Coffee offer")
    at(page, stack, "Channels")
    page.get_by_role("button", name="New channel").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Crossfade").fill("90")
    dialog.get_by_role("button", name="Make the channel").click()
    expect(dialog.get_by_text("Give it a name.")).to_be_visible()
    expect(dialog.get_by_text("Seconds, from 0 to 15.")).to_be_visible()
    check(page)
    dialog.get_by_label("Name").fill("Daytime")
    dialog.get_by_label("Crossfade").fill("2,5")
    dialog.get_by_role("button", name="Make the channel").click()
    expect(page.get_by_role("heading", level=1, name="Daytime")).to_be_visible()

    def add(subject: str) -> None:
        page.get_by_role("button", name="Add a line").click()
        page.get_by_role("dialog").get_by_role("radio", name=subject, exact=True).check()

    add("Folder")
    dialog = page.get_by_role("dialog", name="Add a line")
    dialog.get_by_label("Which folder").select_option(label=folder)
    dialog.get_by_label("Weight").fill("3")
    dialog.get_by_role("button", name="Add it").click()
    add("Track")
    dialog.get_by_role("searchbox", name="Which track").fill("tide")
    dialog.get_by_role("radio", name=re.compile("Slow Tide")).check()
    dialog.get_by_role("button", name="Add it").click()
    turns = page.get_by_role("list", name="In turn").get_by_role("listitem")
    expect(turns).to_contain_text([folder, "Slow Tide"])
    add("Announcement")
    dialog.get_by_role("radio", name="Coffee offer").check()
    dialog.get_by_label("Tracks", exact=True).fill("2")
    check(page)
    dialog.get_by_role("button", name="Add it").click()
    between = page.get_by_role("list", name="Between the tracks")
    expect(between).to_contain_text("after every 2 tracks")
    page.get_by_role("button", name="Move Slow Tide up").press("Alt+ArrowUp")
    expect(page.get_by_text("Slow Tide is number 1 of 2")).to_be_visible()
    expect(turns).to_contain_text(["Slow Tide", folder])
    expect(turns.last).to_contain_text("weight 3 \u00b7 about 75 %")
    coming = page.get_by_role("list", name="What comes next").get_by_role("listitem")
    expect(coming.nth(2)).to_contain_text("Coffee offer")
    check(page)


def test_a_schedule_is_tried_out_saved_and_switched(page: Page, stack: Stack) -> None:
    zone = stack.zones[1]["name"]
    channel = make(stack, "/channels/", name="Evening lounge")
    make(stack, f"/channels/{channel['id']}/items/", folder_id=shop_folder(stack)["id"])
    at(page, stack, "Schedules")
    page.get_by_role("button", name="New schedule").click()
    page.get_by_role("button", name="Show what changes").click()
    expect(page.get_by_text("Give it a name.").first).to_be_visible()
    page.get_by_label("Name").fill("All day lounge")
    page.get_by_label("Which channel").select_option(label="Evening lounge")
    page.get_by_role("radio", name="In chosen places").check()
    tick(page.get_by_role("checkbox", name=zone, exact=True).first)
    page.get_by_role("button", name="Show what changes").click()
    changes = page.get_by_role("list", name=f"What changes in {zone}")
    expect(changes).to_contain_text("Dropped")
    expect(changes.get_by_role("listitem").filter(has_text="Added")).to_contain_text(
        ["All day lounge"]
    )
    check(page)
    page.get_by_label("Level").select_option(label="Important (50)")
    expect(page.get_by_text("The form was changed since")).to_be_visible()
    page.get_by_text("Dates and calendars").click()
    page.get_by_label("It recurs").select_option(label="Every second week")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Say from which day on it is counted.").first).to_be_visible()
    page.get_by_label("First day").fill("2026-11-02")
    check(page)
    page.get_by_role("button", name="Save").click()
    listed = page.get_by_role("list", name="Schedules").get_by_role("listitem")
    expect(listed.filter(has_text="All day lounge")).to_contain_text(
        f"Evening lounge \u00b7 in {zone}"
    )
    expect(listed.filter(has_text="All day lounge")).to_contain_text("Important (50)")
    expect(listed.filter(has_text="All day lounge")).to_contain_text("every second week")
    switch = page.get_by_role("switch", name="All day lounge is on")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "false")
    check(page)
    keep_picture(page, "schedules.png")


def test_what_schedules_share_and_feeds(page: Page, stack: Stack) -> None:
    at(page, stack, "Day-parts and calendars")
    page.get_by_role("button", name="New day-part").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Opening hours")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("list", name="Day-parts")).to_contain_text("08:00 to 20:00")
    page.get_by_role("button", name="New calendar").click()
    dialog.get_by_label("Name", exact=True).fill("Holidays")
    dialog.get_by_role("button", name="Make the calendar").click()
    dialog.get_by_label("iCalendar file").set_input_files(
        files=[{"name": "h.ics", "mimeType": "text/calendar", "buffer": HOLIDAYS.encode()}]
    )
    expect(dialog.get_by_text("3 new days.")).to_be_visible()
    expect(dialog.get_by_role("list", name="Left out")).to_contain_text("Called off is cancelled")
    expect(dialog.get_by_label("Day 1", exact=True)).to_have_value("2027-01-01")
    check(page)
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("list", name="Calendars")).to_contain_text("3 days")
    with stack.http() as http:
        parts = http.get("/api/v1/day-parts/").json()["results"]
        part = next(one for one in parts if one["name"] == "Opening hours")
    make(
        stack, "/schedules/", name="Opening music", type="music", everywhere=True,
        folder_id=shop_folder(stack)["id"], day_part_id=part["id"], is_active=False,
    )  # fmt: skip
    page.get_by_role("button", name="Remove Opening hours").click()
    dialog.get_by_role("button", name="Remove", exact=True).click()
    expect(dialog.get_by_role("list", name="Used by")).to_contain_text("Opening music")
    expect(dialog.get_by_role("button", name="Remove it anyway")).to_have_count(0)
    dialog.get_by_role("button", name="Close").last.click()
    page.get_by_role("link", name="Feeds").click()
    page.get_by_role("button", name="New feed").click()
    dialog.get_by_label("Name").fill("The office")
    dialog.get_by_role("button", name="Make the feed").click()
    address = dialog.get_by_role("group", name=re.compile("Address")).inner_text().strip()
    check(page)
    dialog.get_by_role("button", name="I have kept it").click()
    with stack.http() as http:
        assert http.get(address).text.startswith("BEGIN:VCALENDAR")
        page.get_by_role("button", name="Revoke The office").click()
        dialog.get_by_role("button", name="Revoke", exact=True).click()
        expect(page.get_by_text("There is no feed yet.")).to_be_visible()
        assert http.get(address).status_code == 404


def test_what_will_sound_says_who_asked_for_it(page: Page, stack: Stack) -> None:
    zone, folder = stack.zones[0], shop_folder(stack)["id"]
    where = {"type": "music", "folder_id": folder, "zone_ids": [zone["id"]], "priority": 80}
    made = make(stack, "/schedules/", name="Early bird", **where)
    with stack.http() as http:
        path = f"/api/v1/zones/{zone['id']}/forecast/"
        wait_until(lambda: "Early bird" in http.get(path).text, "it is planned")
        at(page, stack, "What will sound")
        page.get_by_label("Zone", exact=True).select_option(label=zone["name"])
        page.get_by_role("button", name="Later").click()
        coming = page.get_by_role("list", name="Early bird").first
        expect(coming.get_by_role("listitem").first).to_contain_text(re.compile(r"\d\d:\d\d:\d\d"))
        check(page)
        keep_picture(page, "forecast.png")
        http.delete(f"/api/v1/schedules/{made['id']}/")


def test_the_turns_of_a_channel_make_a_pattern(page: Page, stack: Stack) -> None:
    channel = make(stack, "/channels/", name="By the hour")
    path = f"/channels/{channel['id']}/items/"
    with stack.http() as http:
        first, second = http.get("/api/v1/music/files/").json()["results"][:2]
    for track in (first, second):
        make(stack, path, track_id=track["id"])
    at(page, stack, "Channels")
    page.get_by_role("link", name="By the hour").click()
    page.get_by_role("button", name="Pattern").press("Enter")
    dialog = page.get_by_role("dialog", name="Pattern of By the hour")
    for title in (first["title"], second["title"], second["title"]):
        dialog.get_by_label("Another turn for").select_option(label=title)
        dialog.get_by_role("button", name="Add the turn").press("Enter")
    turns = dialog.get_by_role("list", name="Turns").get_by_role("listitem")
    turns.nth(1).get_by_role("button", name=f"Move {second['title']} up").press("Alt+ArrowUp")
    expect(turns).to_contain_text([second["title"], first["title"], second["title"]])
    turns.first.get_by_role("button", name=f"Move {second['title']} down").press("Enter")
    expect(turns).to_contain_text([first["title"], second["title"], second["title"]])
    dialog.get_by_role("button", name=f"Remove turn 3, {second['title']}").press("Enter")
    dialog.get_by_label("Another turn for").select_option(label=first["title"])
    dialog.get_by_role("button", name="Add the turn").press("Enter")
    check(page)
    dialog.get_by_role("button", name="Save the pattern").press("Enter")
    expect(dialog).to_be_hidden()
    with stack.http() as http:
        lines = {one["id"]: one["name"] for one in http.get(f"/api/v1{path}").json()["results"]}
        pattern = http.get(f"/api/v1/channels/{channel['id']}/").json()["pattern"]
    assert [lines[turn] for turn in pattern] == [
        first["title"], second["title"], first["title"],
    ]  # fmt: skip
    coming = page.get_by_role("list", name="What comes next").get_by_role("listitem")
    expect(coming).to_contain_text([first["title"], second["title"], first["title"]])
    page.get_by_role("button", name="Pattern").press("Enter")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name="Pattern")).to_be_focused()


def test_a_conflict_is_found_and_a_schedule_changed_until_it_is_gone(
    page: Page, stack: Stack
) -> None:
    folder, (zone, other) = shop_folder(stack)["id"], stack.zones[:2]
    where = {"type": "music", "folder_id": folder, "zone_ids": [zone["id"]], "priority": 71}
    made = [make(stack, "/schedules/", name=name, **where) for name in ("Older", "Younger")]
    at(page, stack, "Conflicts")
    conflicts = page.get_by_role("list", name="Conflicts")
    expect(conflicts).to_contain_text("Older is heard instead of Younger")
    check(page)
    page.get_by_label("In", exact=True).select_option(label=other["name"])
    expect(page.get_by_text("None: it is clear everywhere who is heard.")).to_be_visible()
    page.get_by_label("In", exact=True).select_option(label=zone["name"])
    conflicts.get_by_role("link", name="Younger").click()
    expect(page.get_by_role("heading", level=1, name="Younger")).to_be_visible()
    page.get_by_label("Name").fill("Younger, by day")
    page.get_by_role("radio", name="From and to").check()
    page.get_by_label("From", exact=True).fill("09:00")
    page.get_by_label("To", exact=True).fill("17:30")
    tick(page.get_by_role("checkbox", name="Saturday"))
    page.get_by_label("Priority", exact=True).fill("72")
    check(page)
    page.get_by_role("button", name="Save").click()
    listed = page.get_by_role("list", name="Schedules").get_by_role("listitem")
    expect(listed.filter(has_text="Younger, by day")).to_contain_text("Sat \u00b7 09:00 to 17:30")
    page.get_by_role("link", name="Conflicts").click()
    expect(page.get_by_text("None: it is clear everywhere who is heard.")).to_be_visible()
    page.get_by_role("navigation", name="About schedules").get_by_role(
        "link", name="Schedules"
    ).click()
    page.get_by_label("Heard in").select_option(label=other["name"])
    expect(listed.filter(has_text="Older")).to_have_count(0)
    # somebody else was faster: what is written over is told
    page.get_by_label("Heard in").select_option(label="Any place")
    page.get_by_role("link", name="Older", exact=True).click()
    page.get_by_label("Name").fill("Oldest")
    with stack.http() as http:
        address = f"/api/v1/schedules/{made[0]['id']}/"
        http.patch(address, json={"priority": 70}).raise_for_status()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("alert").filter(has_text="It was not saved")).to_be_focused()
        for one in made:
            http.delete(f"/api/v1/schedules/{one['id']}/").raise_for_status()


def test_a_channel_by_hand_quiet_hours_and_what_sounded_at_an_instant(
    page: Page, stack: Stack
) -> None:
    zone = stack.zones[0]
    channel = make(stack, "/channels/", name="For the evening")
    with stack.http() as http:
        track = http.get("/api/v1/music/files/").json()["results"][-1]
    make(stack, f"/channels/{channel['id']}/items/", track_id=track["id"])
    sign_in(page, stack)
    shown = card(page, zone["name"])
    shown.get_by_role("button", name=f"Change the music in {zone['name']}").click()
    shown.get_by_label(f"Music for {zone['name']}").select_option(label="For the evening")
    expect(shown.get_by_label("Shuffled")).to_have_count(0)
    shown.get_by_label(f"How long in {zone['name']}", exact=True).select_option("For an hour")
    shown.get_by_role("button", name=f"Play in {zone['name']}").click()
    expect(shown.get_by_text(track["title"], exact=True).first).to_be_visible()
    expect(shown.get_by_text("Chosen by hand: For the evening")).to_be_visible()

    page.goto(f"{stack.base_url}/schedules/forecast/{zone['id']}")
    moment = page.get_by_role("region", name="At one moment")
    with stack.http() as http:
        place = http.get("/api/v1/locations/").json()["results"][0]
    soon = datetime.now(ZoneInfo(place["timezone"])) + timedelta(minutes=30)
    moment.get_by_label("When").fill(soon.strftime("%Y-%m-%dT%H:%M:%S"))
    moment.get_by_role("button", name="Look it up").press("Enter")
    told = moment.get_by_role("status", name="At that moment")
    expect(told).to_contain_text(f"Music: {track['title']}")
    moment.get_by_label("When").fill((soon - timedelta(days=3)).strftime("%Y-%m-%dT%H:%M:%S"))
    moment.get_by_role("button", name="Look it up").press("Enter")
    expect(told).to_contain_text("Silence: no music had been chosen")
    moment.get_by_label("When").fill((soon + timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%S"))
    moment.get_by_role("button", name="Look it up").press("Enter")
    expect(moment.get_by_role("alert")).to_contain_text("within a week")
    check(page)

    page.get_by_role("link", name="Quiet hours").click()
    page.get_by_role("button", name=f"Change the quiet hours of {zone['name']}").click()
    dialog = page.get_by_role("dialog", name=f"Quiet hours of {zone['name']}")
    dialog.get_by_role("radio", name="Its own").check()
    dialog.get_by_role("button", name="Add hours").press("Enter")
    dialog.get_by_label("From").fill("23:30")
    dialog.get_by_label("To").fill("")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_text("Give a time.")).to_be_visible()
    dialog.get_by_label("To").fill("05:00")
    tick(dialog.get_by_role("checkbox", name="Sunday"))
    dialog.get_by_label("Music goes on").uncheck()
    check(page)
    dialog.get_by_role("button", name="Save").click()
    line = page.get_by_role("list", name=place["name"]).get_by_role("listitem")
    line = line.filter(has_text=zone["name"])
    expect(line).to_contain_text("23:30 to 05:00, Sun, without music")
    line.get_by_role("button").click()
    dialog.get_by_role("radio", name="As its location").check()
    dialog.get_by_role("button", name="Save").click()
    expect(line).to_contain_text("as its location")
    with stack.http() as http:
        http.post("/api/v1/playback/schedule/", json={"zone_id": zone["id"]})
