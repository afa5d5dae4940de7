"""Announcements that are recorded in the browser or sent as files: heard, sent, and what became of
them.
"""

import re
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect
from psycopg import sql

from support.browser import (
    DESKTOP,
    MICROPHONE,
    PHONE,
    check,
    launched,
    open_announcements,
    open_page,
)
from support.stack import Stack
from support.tracks import write_track
from sync2gear_platform.kit.db import SYSTEM_ROLE

pytestmark = pytest.mark.timeout(240)

RECORDING = re.compile(r"/api/v1/announcements/recording/")


def open_recorder(page: Page, stack: Stack) -> Locator:
    open_announcements(page, stack)
    return recorder(page)


def recorder(page: Page) -> Locator:
    page.get_by_role("button", name="Record", exact=True).click()
    return page.get_by_role("dialog", name="Record an announcement")


def record(dialog: Locator, button: str = "Start recording") -> None:
    """A second or two of the microphone that beeps."""
    dialog.get_by_role("button", name=button).click()
    meter = dialog.get_by_role("meter", name="Level of the microphone")
    expect(meter).to_have_attribute("aria-valuenow", re.compile(r"^[1-9]\d"))
    expect(dialog.get_by_role("timer")).to_have_text(re.compile(r"^0:0[1-9]$"))
    dialog.get_by_role("button", name="Stop").click()
    expect(dialog.get_by_text("recorded.")).to_be_visible()


def test_a_recording_is_made_heard_and_sent(
    browser: Browser, page: Page, stack: Stack, complaints: list[str]
) -> None:
    dialog = open_recorder(page, stack)
    expect(dialog.get_by_role("button", name="Send the recording")).to_be_disabled()
    check(page)
    record(dialog)
    dialog.get_by_role("button", name="Listen to the recording").click()
    expect(dialog.get_by_role("button", name="Stop listening to the recording")).to_be_visible()
    dialog.get_by_role("button", name="Discard").click()
    expect(dialog.get_by_role("button", name="Start recording")).to_be_visible()
    record(dialog)
    record(dialog, "Record again")
    dialog.get_by_label("Title").fill("Fire drill at noon")
    check(page)

    def cut(route: Route) -> None:
        route.abort("connectionreset")

    page.route(RECORDING, cut)  # a line that breaks costs the button, not the recording
    dialog.get_by_role("button", name="Send the recording").click()
    expect(dialog.get_by_role("alert")).to_contain_text("The recording was not sent")
    page.unroute(RECORDING)
    dialog.get_by_role("button", name="Send the recording").click()
    expect(dialog).to_have_count(0)
    line = page.get_by_role("list", name="Files").get_by_role("listitem")
    expect(line).to_contain_text("Fire drill at noon")
    expect(line).to_contain_text("Ready")
    made = page.get_by_role("list", name="Announcements").get_by_role("listitem")
    expect(made.filter(has_text="Fire drill at noon")).to_contain_text("recorded here")
    made.get_by_role("button", name="Listen to Fire drill at noon").click()
    expect(made.get_by_role("button", name="Stop listening to Fire drill at noon")).to_be_visible()
    check(page)
    with stack.http() as http:
        found = http.get("/api/v1/announcements/?search=Fire+drill").json()["results"]
    (one,) = found
    assert one["is_recording"]
    assert one["duration_millis"] > 500

    phone = open_page(browser, PHONE, "dark", complaints)
    record(open_recorder(phone, stack))
    check(phone)
    phone.context.close()


def test_a_recording_is_not_lost_by_a_slip(page: Page, stack: Stack) -> None:
    dialog = open_recorder(page, stack)
    record(dialog)
    page.keyboard.press("Escape")
    question = dialog.get_by_role("group", name="Discard the recording?")
    check(page)
    question.get_by_role("button", name="Keep it").click()
    expect(dialog.get_by_text("recorded.")).to_be_visible()
    page.keyboard.press("Escape")
    question.get_by_role("button", name="Discard it").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_without_a_microphone_or_https_it_says_what_to_do(
    browser: Browser, stack: Stack, complaints: list[str]
) -> None:
    kind = browser.browser_type
    with launched(kind, "--use-fake-ui-for-media-stream") as deaf:  # allowed, but there is none
        page = open_page(deaf, DESKTOP, "light", complaints)
        dialog = open_recorder(page, stack)
        dialog.get_by_role("button", name="Start recording").click()
        expect(dialog.get_by_role("alert")).to_contain_text("There is no microphone")
        expect(dialog.get_by_role("button", name="Try the microphone again")).to_be_enabled()
        check(page)
    with launched(kind, MICROPHONE[0], "--deny-permission-prompts") as shy:
        page = open_page(shy, PHONE, "dark", complaints)
        dialog = open_recorder(page, stack)
        dialog.get_by_role("button", name="Start recording").click()
        expect(dialog.get_by_role("alert")).to_contain_text("The microphone was not allowed")
        check(page)
        # as a browser has it that opened the page by its plain address
        page.add_init_script("Object.defineProperty(window, 'isSecureContext', {value: false})")
        page.reload()
        dialog = recorder(page)
        dialog.get_by_role("button", name="Start recording").click()
        expect(dialog.get_by_role("alert")).to_contain_text("The microphone needs HTTPS")
        check(page)
    assert complaints == []


def test_files_are_sent_and_each_tells_what_became_of_it(
    page: Page, stack: Stack, tmp_path: Path
) -> None:
    open_announcements(page, stack)
    page.get_by_role("button", name="New folder").click()
    dialog = page.get_by_role("dialog", name="New folder")
    dialog.get_by_label("Name").fill("Evenings")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Evenings")).to_be_visible()
    expect(page.get_by_text("There is no announcement in this folder yet.")).to_be_visible()
    write_track(tmp_path / "closing.flac", 71, "We close soon", "Us")
    (tmp_path / "letter.mp3").write_bytes(b"This is a letter, not a voice. " * 400)
    page.get_by_role("button", name="Add files").click()
    dialog = page.get_by_role("dialog", name="Add announcements that are files")
    expect(dialog.get_by_text("They go to “Evenings”")).to_be_visible()
    check(page)
    files = [tmp_path / "closing.flac", tmp_path / "letter.mp3"]
    dialog.get_by_label("Files", exact=True).set_input_files(files)
    expect(dialog).to_have_count(0)
    lines = page.get_by_role("list", name="Files").get_by_role("listitem")
    expect(lines.filter(has_text="closing.flac")).to_contain_text("Ready")
    broken = lines.filter(has_text="letter.mp3")
    expect(broken).to_contain_text("Not taken")
    broken.get_by_role("button", name="Dismiss letter.mp3").click()
    expect(lines).to_have_count(1)
    shelf = page.get_by_role("list", name="Announcements").get_by_role("listitem")
    expect(shelf).to_have_count(1)
    expect(shelf).to_contain_text("We close soon")
    expect(shelf).to_contain_text("a file")
    check(page)
    shelf.get_by_role("button", name="Change We close soon").click()
    dialog = page.get_by_role("dialog", name="Change We close soon")
    dialog.get_by_label("Folder").select_option("In no folder")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text("There is no announcement in this folder yet.")).to_be_visible()
    page.get_by_role("button", name="Remove the folder").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_role("heading", name="All announcements")).to_be_visible()
    expect(shelf.filter(has_text="We close soon")).to_have_count(1)


def test_a_file_whose_work_was_interrupted_is_tried_again(
    page: Page, stack: Stack, tmp_path: Path
) -> None:
    open_announcements(page, stack)
    stack["worker"].stop()
    try:
        write_track(tmp_path / "lost property.flac", 72, "", "")
        page.get_by_role("button", name="Add files").click()
        page.get_by_label("Files", exact=True).set_input_files(tmp_path / "lost property.flac")
        line = page.get_by_role("list", name="Files").get_by_role("listitem")
        expect(line).to_contain_text("Is listened to and measured")
        # what the last of many attempts writes, which take longer than a test may
        with psycopg.connect(stack.postgres.app_url, autocommit=True) as db:
            db.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(SYSTEM_ROLE)))
            done = db.execute(
                "UPDATE uploads SET state = 'failed', code = 'interrupted',"
                " detail = 'The work on this file was interrupted: try it again.'"
                " WHERE filename = 'lost property.flac'"
            )
        assert done.rowcount == 1
        expect(line).to_contain_text("Not taken")
        expect(line).to_contain_text("The work on this file was interrupted")
        check(page)
        line.get_by_role("button", name="Try lost property.flac again").click()
        expect(line).to_contain_text("Is listened to and measured")
    finally:
        stack["worker"].start()
    expect(line).to_contain_text("Ready", timeout=120_000)  # the worker has to come up first
    shelf = page.get_by_role("list", name="Announcements").get_by_role("listitem")
    expect(shelf.filter(has_text="lost property")).to_have_count(1)
