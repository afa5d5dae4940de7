"""What is planned, in a real browser: channels, schedules, what they share, and what will sound."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from support.browser import check, sign_in
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
    page.get_by_role("checkbox", name=zone, exact=True).first.check(force=True)
    page.get_by_role("button", name="Show what changes").click()
    changes = page.get_by_role("list", name=f"What changes in {zone}")
    expect(changes).to_contain_text("Dropped")
    expect(changes.get_by_role("listitem").filter(has_text="Added")).to_contain_text(
        ["All day lounge"]
    )
    check(page)
    page.get_by_label("Level").select_option(label="Important (50)")
    expect(page.get_by_text("The form was changed since")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    listed = page.get_by_role("list", name="Schedules").get_by_role("listitem")
    expect(listed.filter(has_text="All day lounge")).to_contain_text(
        f"Evening lounge \u00b7 in {zone}"
    )
    expect(listed.filter(has_text="All day lounge")).to_contain_text("Important (50)")
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
        page.get_by_label("Zone").select_option(label=zone["name"])
        page.get_by_role("button", name="Later").click()
        coming = page.get_by_role("list", name="Early bird").first
        expect(coming.get_by_role("listitem").first).to_contain_text(re.compile(r"\d\d:\d\d:\d\d"))
        check(page)
        keep_picture(page, "forecast.png")
        http.delete(f"/api/v1/schedules/{made['id']}/")
