"""Announcements in a real browser: a template, its gaps filled in, and said."""

import re

import pytest
from playwright.sync_api import Page, expect

from support.browser import check, open_announcements, tick
from support.pictures import keep_picture
from support.stack import Stack

pytestmark = pytest.mark.timeout(240)


def test_a_template_is_written_filled_in_and_said(page: Page, stack: Stack) -> None:
    zone = stack.zones[0]["name"]
    open_announcements(page, stack)
    page.get_by_role("button", name="New template").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Call somebody")
    dialog.get_by_label("Text", exact=True).fill("{{name}}, please come to {{place}}.")
    expect(dialog.get_by_text("To fill in: name, place")).to_be_visible()
    check(page)
    dialog.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Say Call somebody").click()
    dialog.get_by_label("name", exact=True).fill("Mister Young")
    dialog.get_by_label("place", exact=True).fill("the till")
    dialog.get_by_role("button", name="Show what is said").click()
    expect(dialog.get_by_text("Mister Young, please come to the till.")).to_be_visible()
    expect(dialog.get_by_role("button", name="Choose where")).to_be_disabled()
    tick(dialog.get_by_role("checkbox", name=zone, exact=True))
    check(page)
    dialog.get_by_role("button", name="Say it in 1 zone").click()
    starts = re.compile(rf"It starts at \d\d:\d\d:\d\d in {re.escape(zone)}\.")
    expect(dialog.get_by_text(starts)).to_be_visible()
    dialog.get_by_role("button", name="Close").last.click()
    said = page.get_by_role("list", name="Announcements")
    expect(said).to_contain_text("Mister Young, please come to the till.")
    expect(page.get_by_role("list", name="Templates")).to_contain_text("Call somebody")
    check(page)
    keep_picture(page, "announcements.png")


def test_a_message_has_variants_that_say_when_they_are_heard(page: Page, stack: Stack) -> None:
    with stack.http() as http:
        for text in ("We open soon.", "Good morning, we open soon.", "Happy new year."):
            made = http.post("/api/v1/announcements/tts/", json={"text": text, "title": text})
            assert made.status_code == 201, made.text
    open_announcements(page, stack)
    page.get_by_role("button", name="Variants of We open soon.", exact=True).click()
    dialog = page.get_by_role("dialog", name="Variants of We open soon.")
    expect(dialog.get_by_text("There is no variant yet.")).to_be_visible()
    dialog.get_by_role("button", name="Add a variant").click()
    dialog.get_by_label("What is heard").select_option("Good morning, we open soon.")
    dialog.get_by_label("Mon").check()
    dialog.get_by_label("From", exact=True).fill("08:00")
    dialog.get_by_role("button", name="Add it").click()
    expect(dialog.get_by_role("alert")).to_contain_text("both a begin and an end")
    dialog.get_by_label("To", exact=True).fill("09:30")
    check(page)
    dialog.get_by_role("button", name="Add it").click()
    variants = dialog.get_by_role("list", name="Variants").get_by_role("listitem")
    expect(variants).to_contain_text(["Mon \u00b7 08:00 to 09:30"])
    dialog.get_by_role("button", name="Add a variant").click()
    dialog.get_by_label("What is heard").select_option("Happy new year.")
    dialog.get_by_label("Evergreen").check()
    dialog.get_by_role("button", name="Add it").click()
    expect(variants).to_have_count(2)
    first = variants.filter(has_text="Good morning")
    first.get_by_role("button", name="Change the variant").click()
    dialog.get_by_label("Weight").fill("3")
    dialog.get_by_role("button", name="Save the variant").click()
    expect(first).to_contain_text("weight 3")
    variants.filter(has_text="evergreen").get_by_role("button", name="Take").click()
    expect(variants).to_have_count(1)
    check(page)
