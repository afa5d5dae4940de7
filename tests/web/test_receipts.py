"""What became of an announcement, in a real browser: speaker by speaker, while it becomes so."""

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from support.browser import PHONE, check, open_announcements, open_page, sign_in
from support.stack import Stack

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
    dialog.get_by_role("checkbox", name=here, exact=True).check(force=True)
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
