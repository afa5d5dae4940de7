"""The pages of the speakers in a real browser: how they are, what is wrong, what can be set."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from support.browser import PHONE, check, fill_sign_in, open_page, sign_in
from support.pictures import keep_picture
from support.stack import Stack, wait_until

pytestmark = pytest.mark.timeout(240)


def figure(page: Page, name: str) -> str:
    term = page.get_by_text(name, exact=True)
    return page.locator("dl > div").filter(has=term).locator("dd").inner_text()


def open_speakers(page: Page) -> None:
    page.get_by_role("link", name="Speakers", exact=True).click()
    expect(page.get_by_role("list", name="Speakers")).to_be_visible()


def test_a_speaker_is_looked_at_and_set(
    browser: Browser, page: Page, stack: Stack, complaints: list[str]
) -> None:
    with stack.http() as http:
        wait_until(
            lambda: all(d["health"] for d in http.get("/api/v1/devices/").json()["results"]),
            "every speaker told how it is",
            90,
        )
    sign_in(page, stack)
    open_speakers(page)
    rows = page.get_by_role("list", name="Speakers").get_by_role("listitem")
    expect(rows).to_have_count(3)
    expect(rows.filter(has_text="shop-left")).to_contain_text("online")
    check(page)
    page.get_by_role("link", name="shop-left").click()
    expect(page.get_by_text("It is online.")).to_be_visible()
    assert figure(page, "Clock").startswith("in step with the platform")
    assert re.fullmatch(r"\d+ minutes?", figure(page, "Running for"))
    check(page)

    page.get_by_label("Loudest, in percent").fill("101")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("A whole number from 0 to 100.")).to_be_visible()
    page.get_by_label("Loudest, in percent").fill("85")
    page.get_by_label("Channels").select_option("mono")
    page.get_by_label("Early by, in milliseconds").fill("-20")
    page.get_by_label("Downloads at most, in kilobytes a second").fill("250")
    page.get_by_label("From", exact=True).fill("22:00")
    page.get_by_label("To", exact=True).fill("06:00")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The speaker has it as soon as it is online.")).to_be_visible()
    check(page)
    keep_picture(page, "speaker.png")
    with stack.http() as http:
        [shown] = [
            d for d in http.get("/api/v1/devices/").json()["results"] if d["name"] == "shop-left"
        ]
    assert (shown["volume"], shown["trim_millis"], shown["channels"]) == (85, -20, "mono")
    assert (shown["fetch_rate"], shown["fetch_window"]) == (250_000, "22:00-06:00")
    wait_until(lambda: "config.applied" in stack["shop-left"].log.read_text(), "the speaker has it")

    phone = open_page(browser, PHONE, "dark", complaints, touch=True)
    phone.goto(f"{stack.base_url}/speakers")
    fill_sign_in(phone, stack.email, stack.password)
    expect(phone.get_by_role("list", name="Speakers")).to_be_visible()
    check(phone)
    phone.get_by_role("link", name="shop-left").tap()
    expect(phone.get_by_label("Channels")).to_have_value("mono")
    check(phone)
    phone.get_by_role("link", name="All speakers").tap()
    phone.goto(f"{stack.base_url}/speakers/00000000-0000-7000-8000-000000000000")
    expect(phone.get_by_role("alert")).to_contain_text("This speaker cannot be shown.")
    check(phone)


def test_what_is_wrong_with_a_speaker_is_said_with_what_to_do(page: Page, stack: Stack) -> None:
    speaker = stack["cafe"]
    speaker.stop()
    usual = dict(speaker.env)
    speaker.env |= {"S2G_SPEAKER_SINK": "card", "S2G_SPEAKER_CARD": "no such card"}
    speaker.start()
    try:
        sign_in(page, stack)
        open_speakers(page)
        row = page.get_by_role("listitem").filter(has_text="cafe")
        expect(row).to_contain_text("It has no sound card", timeout=60_000)
        check(page)
        page.get_by_role("link", name="cafe").click()
        wrong = page.get_by_role("list", name="What is wrong").get_by_role("listitem")
        expect(wrong).to_contain_text("Plug it in: it is found again by itself.")
        check(page)
    finally:
        speaker.stop()
        speaker.env = usual
        speaker.start()
