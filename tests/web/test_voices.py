"""Voices in a real browser: who speaks, keys that are never seen again, the usual voice, what it
costs, and a text that is tried again.
"""

from collections.abc import Iterator

import httpx2
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from support import google_speech
from support.browser import (
    PHONE,
    check,
    fill_sign_in,
    open_announcements,
    open_page,
)
from support.google_speech import KEY, GoogleSpeech
from support.stack import Stack

pytestmark = pytest.mark.timeout(300)

STAFF, PASSWORD = "root@example.com", "correct horse battery"
LONG = "We close in ten minutes, please come to the till. " * 8


@pytest.fixture(scope="module")
def google() -> Iterator[GoogleSpeech]:
    """Google's service on a socket."""
    with google_speech.rest() as service:
        yield service


@pytest.fixture(scope="module")
def staff(stack: Stack) -> None:
    """One of sync2gear's own people."""
    link = stack._run("create-admin", "--email", STAFF).splitlines()[0]
    body = {"token": link.rpartition("token=")[2], "new_password": PASSWORD}
    with httpx2.Client(base_url=stack.base_url) as http:
        done = http.post("/api/v1/auth/password-reset/confirm/", json=body)
    assert done.status_code == 204, done.text


def provider(page: Page, name: str) -> Locator:
    return page.get_by_role("list", name="Providers").get_by_role("listitem").filter(has_text=name)


def open_voices(page: Page, stack: Stack) -> None:
    open_announcements(page, stack)
    page.get_by_role("link", name="Voices").click()
    expect(page.get_by_role("heading", name="Voices", exact=True)).to_be_visible()


def test_staff_offer_a_cloud_whose_key_is_never_seen_again(
    browser: Browser, page: Page, stack: Stack, google: GoogleSpeech, staff: None
) -> None:
    page.goto(stack.base_url)
    fill_sign_in(page, STAFF, PASSWORD)
    page.get_by_role("link", name="Voices").click()
    expect(provider(page, "espeak-ng")).to_contain_text("costs nothing")
    page.get_by_role("button", name="New provider").click()
    dialog = page.get_by_role("dialog", name="New provider")
    dialog.get_by_role("button", name="Add it").click()
    expect(dialog.get_by_text("Give it a name.")).to_be_visible()
    dialog.get_by_label("Name").fill("The cloud")
    dialog.get_by_label("Key", exact=True).fill("a-key-that-is-wrong-0000")
    dialog.get_by_label("Address").fill(google.endpoint)
    dialog.get_by_label("Price of a million characters").fill("much")
    expect(dialog.get_by_text("Write a number, or leave it empty.")).to_be_visible()
    dialog.get_by_label("Price of a million characters").fill("16")
    dialog.get_by_label("Characters a month, at most").fill("10,000")
    check(page)
    dialog.get_by_role("button", name="Add it").click()
    cloud = provider(page, "The cloud")
    expect(cloud).to_contain_text("key ends in 0000")
    expect(cloud).to_contain_text("16.00 for a million characters")
    cloud.get_by_role("button", name="Test The cloud").click()
    expect(page.get_by_text("The cloud does not answer")).to_be_visible()
    cloud.get_by_role("button", name="Change The cloud").click()
    dialog = page.get_by_role("dialog", name="Change The cloud")
    expect(dialog.get_by_label("Key", exact=True)).to_have_value("")
    dialog.get_by_label("Key", exact=True).fill(KEY)
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    expect(cloud).to_contain_text(f"key ends in {KEY[-4:]}")
    cloud.get_by_role("button", name="Test The cloud").click()
    expect(page.get_by_text("It has 3 voices.")).to_be_visible()
    assert KEY not in page.content()
    check(page)


def test_a_manager_chooses_who_speaks_and_sees_what_it_costs(
    browser: Browser, page: Page, stack: Stack, google: GoogleSpeech, complaints: list[str]
) -> None:
    open_voices(page, stack)
    cloud = provider(page, "The cloud")
    expect(cloud).to_contain_text("offered by sync2gear")
    expect(cloud.get_by_role("button")).to_have_text(["Voices"])
    cloud.get_by_role("button", name="Hear the voices of The cloud").click()
    dialog = page.get_by_role("dialog", name="Voices of The cloud")
    dialog.get_by_label("What it says").fill("Good evening.")
    dialog.get_by_role("button", name="Hear the voice", exact=True).click()
    expect(dialog.get_by_role("button", name="Stop")).to_be_visible()
    check(page)
    page.keyboard.press("Escape")
    for name in ("House", "Garden"):
        page.get_by_role("button", name="New provider").click()
        dialog = page.get_by_role("dialog", name="New provider")
        dialog.get_by_label("Kind").select_option("espeak")
        dialog.get_by_label("Name").fill(name)
        expect(dialog.get_by_label("Key", exact=True)).to_have_count(0)
        dialog.get_by_role("button", name="Add it").click()
        expect(dialog).to_have_count(0)
    lines = page.get_by_role("list", name="Providers").get_by_role("listitem")
    expect(lines).to_contain_text(["House", "Garden", "The cloud", "espeak-ng"])
    provider(page, "Garden").get_by_role("button", name="Ask Garden earlier").click()
    expect(lines).to_contain_text(["Garden", "House", "The cloud", "espeak-ng"])
    provider(page, "Garden").get_by_role("button", name="Remove Garden").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
    expect(lines).to_contain_text(["House", "The cloud", "espeak-ng"])

    usual = page.get_by_role("region", name="The usual voice")
    usual.get_by_label("Asked first").select_option("The cloud")
    usual.get_by_label("Voice", exact=True).select_option("en-US-Neural2-C")
    usual.get_by_label("Another provider speaks").uncheck()
    usual.get_by_role("button", name="Save the usual voice").click()
    expect(lines.first).to_contain_text("asked first")
    usage = page.get_by_role("list", name="Usage").get_by_role("listitem")
    expect(usage.filter(has_text="The cloud")).to_contain_text("13 characters in 1 text")
    check(page)

    phone = open_page(browser, PHONE, "dark", complaints)
    open_voices(phone, stack)
    expect(provider(phone, "The cloud")).to_contain_text("asked first")
    check(phone)
    phone.context.close()


def write(page: Page, title: str, text: str) -> Locator:
    """Make an announcement of a text that a worker speaks; its line of the list."""
    page.get_by_role("button", name="From a text").click()
    dialog = page.get_by_role("dialog", name="Announcement from a text")
    dialog.get_by_label("Text", exact=True).fill(text)
    dialog.get_by_label("Title").fill(title)
    dialog.get_by_role("button", name="Make it").click()
    expect(dialog).to_have_count(0)
    shelf = page.get_by_role("list", name="Announcements").get_by_role("listitem")
    return shelf.filter(has_text=title)


def test_a_text_that_could_not_be_spoken_is_tried_again(
    page: Page, stack: Stack, google: GoogleSpeech
) -> None:
    open_announcements(page, stack)
    # from here on the worker knows the voices of the cloud
    opening = write(page, "Opening, at length", LONG.replace("close", "open"))
    expect(opening).to_contain_text("spoken by en-US-Neural2-C, The cloud")
    google.trouble = "down"
    line = write(page, "Closing, at length", LONG)
    expect(line).to_contain_text("not spoken")
    expect(line.get_by_role("button", name="Play Closing, at length now")).to_have_count(0)
    check(page)
    google.trouble = ""
    line.get_by_role("button", name="Try Closing, at length again").click()
    expect(line).to_contain_text("spoken by en-US-Neural2-C, The cloud")
    expect(line.get_by_role("button", name="Play Closing, at length now")).to_be_visible()
    expect(line).not_to_contain_text("not spoken")


def test_words_are_said_as_written_and_chimes_are_usual(page: Page, stack: Stack) -> None:
    open_announcements(page, stack)
    page.get_by_role("link", name="Words and chimes").click()
    expect(page.get_by_text("No word is written down yet")).to_be_visible()
    page.get_by_role("button", name="Add a word").click()
    dialog = page.get_by_role("dialog", name="Add a word")
    dialog.get_by_role("button", name="Add it").click()
    expect(dialog.get_by_text("Write the word.")).to_be_visible()
    dialog.get_by_label("Word", exact=True).fill("Nguyen")
    dialog.get_by_label("Said as").fill("win")
    check(page)
    dialog.get_by_role("button", name="Add it").click()
    words = page.get_by_role("list", name="Words")
    expect(words).to_contain_text("said as “win”")
    page.get_by_role("button", name="Change how Nguyen is said").click()
    page.get_by_label("Phonemes").fill("w\u026an")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(words).to_contain_text("or w\u026an")
    page.get_by_label("Chime before").select_option("gong")
    page.get_by_role("button", name="Save the usual chimes").click()
    expect(page.get_by_role("alert").filter(has_text="Changed")).to_be_visible()
    check(page)
    page.reload()
    expect(page.get_by_label("Chime before")).to_have_value("gong")
    page.get_by_label("Chime before").select_option("None")
    page.get_by_role("button", name="Save the usual chimes").click()
    page.get_by_role("button", name="Remove Nguyen").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_text("No word is written down yet")).to_be_visible()
