"""What became of announcements and emergencies, in a real browser: told while it becomes so."""

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from support.browser import PHONE, card, check, open_announcements, open_page, sign_in, tick
from support.pictures import keep_picture
from support.stack import Stack, wait_until

pytestmark = pytest.mark.timeout(240)

CLOSING = "Dear customers, we close in ten minutes."


def speaker(tree: Locator, name: str) -> Locator:
    return tree.get_by_role("listitem").filter(has_text=re.compile(rf"^{name}"))


def test_what_is_said_is_followed_to_every_speaker(
    browser: Browser, page: Page, stack: Stack, complaints: list[str]
) -> None:
    here = stack.zones[0]["name"]
    stack["cafe"].stop()
    sign_in(page, stack)
    page.get_by_label("Text").fill(CLOSING)
    page.get_by_role("button", name="Say it now").click()
    page.get_by_role("link", name="Who heard it").click()
    tree = page.get_by_role("list", name=f"What became of {CLOSING}")
    for name in ("shop-left", "shop-right"):
        one = speaker(tree, name)
        expect(one).to_contain_text("heard")
        expect(one.get_by_role("listitem")).to_contain_text(
            ["Received", "Cached", "Started", "Finished"]
        )
        expect(one).not_to_contain_text("\u2013")
    # nobody looks anew: who stays silent has missed it once nobody is waited for any more
    cafe = speaker(tree, "cafe")
    expect(cafe).to_contain_text("not reached yet")
    expect(cafe).to_contain_text("It was not connected.", timeout=60_000)
    expect(page.get_by_text("Heard on 2 of 3 speakers, missed on 1.")).to_be_visible()
    check(page)
    stack["cafe"].start()

    phone = open_page(browser, PHONE, "dark", complaints)
    open_announcements(phone, stack)
    phone.get_by_role("button", name=f"Play {CLOSING} now").click()
    dialog = phone.get_by_role("dialog", name=f"Play {CLOSING}")
    tick(dialog.get_by_role("checkbox", name=here, exact=True))
    dialog.get_by_role("button", name="Play it in 1 zone").click()
    expect(dialog.get_by_text("Heard on 2 of 2 speakers.")).to_be_visible()
    check(phone)
    dialog.get_by_role("button", name="Close").last.click()
    phone.get_by_role("link", name="What was heard").click()
    plays = phone.get_by_role("list", name="Plays", exact=True)
    expect(plays.get_by_role("button", name=f"What became of {CLOSING}")).to_have_count(2)
    plays.get_by_role("button", name=f"What became of {CLOSING}").last.click()
    expect(plays.get_by_text("Heard on 2 of 3 speakers, missed on 1.")).to_be_visible()
    check(phone)
    phone.context.close()


HELD = 1_300
"""Milliseconds for which a button is held that must not be pressed by a slip."""


def test_an_emergency_is_raised_by_holding_and_told_on_every_page_until_the_all_clear(
    browser: Browser, page: Page, stack: Stack, complaints: list[str]
) -> None:
    here, there = (zone["name"] for zone in stack.zones[:2])
    with stack.http() as http:
        spoken = http.post(
            "/api/v1/announcements/tts/", json={"text": "Leave the building.", "title": "Leave"}
        ).json()["id"]
        path = f"/api/v1/announcements/{spoken}/"
        wait_until(lambda: http.get(path).json()["state"] == "ready", "it is spoken")
    sign_in(page, stack)
    page.get_by_role("link", name="Emergencies", exact=True).click()
    expect(page.get_by_text("No message is prepared yet.")).to_be_visible()
    page.get_by_role("button", name="Prepare a message").click()
    dialog = page.get_by_role("dialog", name="Prepare a message")
    dialog.get_by_label("Name").fill("Evacuate")
    dialog.get_by_label("What is heard").select_option("Leave")
    dialog.get_by_role("button", name="Prepare it").click()
    page.get_by_role("button", name="Raise Evacuate").click()
    dialog = page.get_by_role("dialog", name="Raise Evacuate")
    check(page)
    hold = dialog.get_by_role("button", name="Raise it everywhere")
    hold.click()
    hold.press("Enter")
    expect(dialog.get_by_text("Hold it for a second")).to_be_visible()
    with stack.http() as http:
        assert http.get("/api/v1/emergencies/").json()["results"] == [], "a slip raises nothing"
    tick(dialog.get_by_role("radio", name=re.compile("^Drill")))
    tick(dialog.get_by_role("radio", name=re.compile("^Some places")))
    tick(dialog.get_by_role("checkbox", name=here, exact=True))
    dialog.get_by_role("button", name="Begin the drill in 1 zone").click(delay=HELD)
    active = page.get_by_role("region", name="Active drill: Evacuate")
    expect(active).to_contain_text(here)
    expect(active).to_contain_text("Heard on 2 of 2 speakers.")
    keep_picture(page, "emergencies.png")

    phone = open_page(browser, PHONE, "dark", complaints)
    sign_in(phone, stack)
    banner = phone.get_by_role("alert", name="Emergencies")
    expect(banner).to_contain_text(f"Drill: Evacuate sounds in {here}.")
    expect(card(phone, here).get_by_text("Drill", exact=True)).to_be_visible()
    expect(card(phone, there).get_by_text("Music", exact=True)).to_be_visible()
    check(phone)
    banner.get_by_role("link", name="Look").click()
    clear = phone.get_by_role("button", name="All-clear")
    check(phone)
    clear.focus()
    phone.keyboard.down("Space")
    earlier = phone.get_by_role("list", name="Earlier emergencies and drills")
    expect(earlier).to_contain_text("all-clear after less than a minute")
    phone.keyboard.up("Space")
    for one in (page, phone):  # nobody looks anew
        expect(one.get_by_role("alert", name="Emergencies")).to_have_count(0)
        expect(one.get_by_role("button", name="All-clear")).to_have_count(0)
    check(phone)
    phone.context.close()
