"""Sessions and people in a real browser: signing in by cookie, inviting, resetting, tokens."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect
from psycopg import sql

from support.browser import DESKTOP, PHONE, Scheme, card, check, fill_sign_in, open_page, sign_in
from support.pictures import keep_picture
from support.stack import Stack, wait_until
from sync2gear_platform.kit.db import SYSTEM_ROLE

pytestmark = pytest.mark.timeout(240)

PASSWORD, OTHER = "violet teapot under seven rivers", "amber kettle beside nine lakes"
PAUSE = """async ([zone_id, csrf]) => {
    const headers = {"Content-Type": "application/json"};
    if (csrf) headers["X-CSRFToken"] = csrf;
    const body = JSON.stringify({zone_id});
    const answer = await fetch("/api/v1/playback/resume/", {method: "POST", headers, body});
    return [answer.status, (await answer.json()).code ?? ""];
}"""


@contextmanager
def another(
    browser: Browser, complaints: list[str], size: tuple[int, int], *, touch: bool = False
) -> Iterator[Page]:
    """Somebody else's browser."""
    opened = open_page(browser, size, "light", complaints, touch=touch)
    yield opened
    opened.context.close()


def open_letter(page: Page, stack: Stack, to: str, subject: str) -> None:
    """Follow the link of the newest letter with this subject in the development inbox."""
    row = page.get_by_role("row").filter(has_text=to).filter(has_text=subject)
    for _ in range(60):
        page.goto(f"{stack.base_url}/dev/inbox/")
        if row.count():
            break
        page.wait_for_timeout(250)
    row.first.get_by_role("link").click()
    link = page.locator("pre a[href*='#token=']").first.get_attribute("href")
    assert link is not None
    page.goto(link)


def buttons(page: Page) -> set[str]:
    """The names of everything to press or move in what the page is about."""
    inside = page.get_by_role("main")
    found = inside.locator("button, input, select, textarea, a").all()
    return {(one.get_attribute("aria-label") or one.inner_text()).strip() for one in found} - {""}


def test_the_session_is_a_cookie_that_no_script_reads(page: Page, stack: Stack) -> None:
    sign_in(page, stack)
    [cookie] = page.context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["secure"]) == ("__Host-s2g", True, True)
    assert cookie["sameSite"] == "Strict"
    kept = page.evaluate("[document.cookie, sessionStorage.length, Object.keys(localStorage)]")
    assert kept[0] == ""
    assert kept[1] == 0
    assert set(kept[2]) <= {"mantine-color-scheme-value"}
    page.reload()
    expect(page.get_by_role("status", name="Connection")).to_have_text("Live")
    page.get_by_role("button", name="Account").click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_text("You have signed out.")).to_be_visible()
    assert page.context.cookies() == []
    answer = httpx2.get(
        f"{stack.base_url}/api/v1/auth/me/", headers={"Cookie": f"__Host-s2g={cookie['value']}"}
    )
    assert answer.status_code == 401


def test_a_change_by_cookie_alone_is_refused(page: Page, stack: Stack) -> None:
    sign_in(page, stack)
    zone = stack.zones[0]["id"]
    assert page.evaluate(PAUSE, [zone, ""]) == [403, "csrf_failed"]
    assert page.evaluate(PAUSE, [zone, "0" * 64]) == [403, "csrf_failed"]
    token = page.evaluate("fetch('/api/v1/csrf/').then((a) => a.json())")["csrf_token"]
    assert page.evaluate(PAUSE, [zone, token]) == [200, ""]


def test_a_session_that_is_ended_elsewhere_ends_here(page: Page, stack: Stack) -> None:
    sign_in(page, stack)
    with stack.http() as http:
        sessions = http.get("/api/v1/auth/sessions/").json()["results"]
        for one in sessions:
            if one["kind"] == "browser":
                http.delete(f"/api/v1/auth/sessions/{one['id']}/").raise_for_status()
    expect(page.get_by_text("Your session has ended")).to_be_visible()


def test_a_business_signs_up_and_its_letter_completes_it_with_the_password(
    browser: Browser, stack: Stack, complaints: list[str]
) -> None:
    email = "lee@bakery.example"
    with another(browser, complaints, PHONE) as page:
        page.goto(f"{stack.base_url}/signup")
        page.get_by_label("Your name").fill("Lee Baker")
        page.get_by_label("Business").fill("Bakery")
        page.get_by_label("E-mail address").fill(email)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign up").click()
        expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
        open_letter(page, stack, email, "Confirm your e-mail address")
        begin = page.get_by_role("button", name="Begin")
        expect(begin).to_be_disabled()
        page.get_by_label("The password that you chose").fill(OTHER)
        begin.click()
        expect(page.get_by_role("alert")).to_contain_text("not the password")
        complaints.clear()  # the browser's line about that answer
        page.get_by_label("The password that you chose").fill(PASSWORD)
        begin.click()
        expect(page.get_by_role("banner")).to_contain_text("Bakery")


@pytest.mark.timeout(480)  # two people's journeys, and everything starts before
def test_floor_staff_are_invited_and_see_only_what_they_may_do(
    page: Page, browser: Browser, stack: Stack, complaints: list[str]
) -> None:
    email, zone = "kim@example.com", stack.zones[1]["name"]
    sign_in(page, stack)
    page.get_by_role("link", name="People").click()
    expect(page.get_by_role("heading", name="People")).to_be_visible()
    page.get_by_role("button", name="Invite somebody").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("E-mail address").fill(email)
    dialog.get_by_label("Role").select_option(label="Floor staff")
    dialog.get_by_label("Where").select_option(label=f"Zone {zone}")
    check(page)
    dialog.get_by_role("button", name="Send the invitation").click()
    expect(page.get_by_role("list", name="Open invitations")).to_contain_text(email)
    with another(browser, complaints, (390, 844), touch=True) as floor:
        open_letter(floor, stack, email, "invites you")
        expect(floor.get_by_text("Floor staff")).to_be_visible()
        assert "#" not in floor.url
        check(floor)
        floor.get_by_label("Your name").fill("Kim Miller")
        floor.get_by_label("Password", exact=True).fill("12345")
        floor.get_by_role("button", name="Accept the invitation").click()
        expect(floor.get_by_role("alert")).to_contain_text("at least 10 characters")
        floor.get_by_label("Password", exact=True).fill(PASSWORD)
        floor.get_by_role("button", name="Accept the invitation").click()
        expect(floor.get_by_role("heading", name="Welcome to Demo")).to_be_visible()
        floor.get_by_role("link", name="Sign in").click()
        fill_sign_in(floor, email, PASSWORD)
        expect(card(floor, zone)).to_be_visible()
        expect(floor.get_by_role("article")).to_have_count(1)
        pages = floor.get_by_role("navigation", name="Pages").get_by_role("link")
        expect(pages).to_have_text(["Zones", "Schedules", "Announcements", "Proof of play"])
        assert buttons(floor) == {
            f"Pause {zone}", f"Previous track in {zone}", f"Next track in {zone}",
            f"Mute {zone}", f"Volume of {zone}", "Say something",
        }  # fmt: skip
        rounds(floor, stack, zone)
        floor.goto(f"{stack.base_url}/people")
        expect(card(floor, zone)).to_be_visible()
        page.reload()
        expect(page.get_by_role("list", name="Members")).to_contain_text("Floor staff, Zone")
        check(page)
        keep_picture(page, "people.png")
        page.get_by_role("button", name="Keep out Kim Miller").click()
        expect(page.get_by_role("button", name="Let in Kim Miller")).to_be_visible()
        expect(floor.get_by_text("Your session has ended")).to_be_visible()
        page.get_by_role("button", name="Let in Kim Miller").click()
        expect(page.get_by_role("button", name="Keep out Kim Miller")).to_be_visible()
        reset(floor, stack, email)
    page.get_by_role("button", name="Remove Kim Miller").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_role("list", name="Members")).not_to_contain_text(email)


def rounds(page: Page, stack: Stack, zone: str) -> None:
    """What floor staff do with a thumb: pause, play, softer, say something and take it back."""
    mine = card(page, zone)
    mine.get_by_role("button", name=f"Pause {zone}").tap()
    expect(mine.get_by_text("Paused", exact=True)).to_be_visible()
    mine.get_by_role("button", name=f"Play {zone}").tap()
    expect(mine.get_by_text("Playing", exact=True)).to_be_visible()
    slider = mine.get_by_role("slider", name=f"Volume of {zone}")
    box = slider.bounding_box()
    assert box is not None
    slider.tap(position={"x": box["width"] / 4, "y": box["height"] / 2})
    chosen = int(slider.input_value())
    assert 15 < chosen < 35
    with stack.http() as http:

        def known() -> dict[str, object]:
            zones = http.get("/api/v1/playback/state/").raise_for_status().json()["results"]
            return next(one for one in zones if one["name"] == zone)

        wait_until(lambda: known()["volume"] == chosen, "the platform knows the volume")
    page.get_by_role("button", name="Say something").tap()
    dialog = page.get_by_role("dialog", name="Say something")
    words = dialog.get_by_role("textbox", name="Text")
    expect(words).to_be_focused()
    check(page)  # once the drawer stands still, or a thumb would miss what it aims at
    dialog.get_by_role("checkbox", name=zone, exact=True).tap()
    expect(dialog.get_by_role("checkbox", name=zone, exact=True)).to_be_checked()
    words.fill(" ".join(["Dear customers, warm bread is waiting for you."] * 8))
    dialog.get_by_role("button", name="Say it now").tap()
    expect(dialog).to_be_hidden()
    expect(mine.get_by_text("Announcement", exact=True)).to_be_visible()
    check(page)
    mine.get_by_role("button", name=f"Stop the announcement in {zone}").tap()
    expect(mine.get_by_text("Announcement", exact=True)).to_have_count(0)
    expect(mine.get_by_text("Playing", exact=True)).to_be_visible()


def reset(page: Page, stack: Stack, email: str) -> None:
    """A forgotten password, by the letter; the old one is no good any more."""
    page.goto(f"{stack.base_url}/forgotten")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_text("If this address has an account")).to_be_visible()
    open_letter(page, stack, email, "Choose a new password")
    page.get_by_label("New password", exact=True).fill(OTHER)
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_role("heading", name="Your password is changed")).to_be_visible()
    page.get_by_role("link", name="Sign in").click()
    fill_sign_in(page, email, PASSWORD)
    expect(page.get_by_role("alert")).to_contain_text("the password is wrong")
    fill_sign_in(page, email, OTHER)
    expect(page.get_by_role("article")).to_have_count(1)


def test_a_token_is_shown_once_and_revoked(page: Page, stack: Stack) -> None:
    sign_in(page, stack)
    page.get_by_role("link", name="API tokens").click()
    page.get_by_role("button", name="New token").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Make the token").click()
    expect(dialog).to_contain_text("Name the program that uses it.")
    dialog.get_by_label("Name").fill("Till")
    dialog.get_by_label("zones.read").check()
    check(page)
    dialog.get_by_role("button", name="Make the token").click()
    token = dialog.get_by_label("Token Till").inner_text().strip()

    def status(path: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return httpx2.get(f"{stack.base_url}/api/v1/{path}", headers=headers).status_code

    assert (status("zones/"), status("users/")) == (200, 403)
    dialog.get_by_role("button", name="I have kept it").click()
    expect(page.get_by_role("list", name="Tokens")).to_contain_text("Till")
    assert token not in page.content()
    page.reload()
    page.get_by_role("button", name="Revoke Till").click()
    assert token not in page.content()
    page.get_by_role("dialog").get_by_role("button", name="Revoke", exact=True).click()
    expect(page.get_by_text("There is no token yet.")).to_be_visible()
    assert status("zones/") == 401


def test_the_account_and_the_audit_trail(page: Page, stack: Stack) -> None:
    sign_in(page, stack)
    page.get_by_role("button", name="Account").click()
    page.get_by_role("menuitem", name="Your account").click()
    page.get_by_label("Phone").fill("+49 30 123")
    page.get_by_label("Time zone").select_option("Europe/Berlin")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your details are changed.")).to_be_visible()
    expect(page.get_by_role("list", name="Sessions")).to_contain_text("this one")
    check(page)
    page.reload()
    expect(page.get_by_label("Phone")).to_have_value("+49 30 123")
    page.get_by_label("Password, to set up a second factor").fill(stack.password)
    page.get_by_role("button", name="Set it up").click()
    expect(page.get_by_role("img", name=re.compile("The secret"))).to_be_visible()
    assert page.locator("img").first.evaluate("(image) => image.naturalWidth > 50")
    page.get_by_role("link", name="Audit trail").click()
    expect(page.get_by_role("list", name="Entries")).to_contain_text("session.begin")
    check(page)
    page.get_by_label("Search").fill("nothing is called like this")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_text("Nothing of that kind is written down.")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    assert download.value.suggested_filename == "audit.csv"
    assert Path(download.value.path()).read_text().count("\n") >= 1


def test_a_suspended_client_is_told_and_nothing_can_be_changed(page: Page, stack: Stack) -> None:
    with psycopg.connect(stack.postgres.app_url, autocommit=True) as db:
        db.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(SYSTEM_ROLE)))
        db.execute("UPDATE clients SET status = 'suspended'")
        try:
            sign_in(page, stack)
            banner = page.get_by_role("status", name="Subscription")
            expect(banner).to_contain_text("Demo is suspended. Music goes on")
            assert buttons(page) == set()
            check(page)
            page.get_by_role("link", name="People").click()
            expect(page.get_by_role("list", name="Members")).to_be_visible()
            expect(banner).to_be_visible()
            assert buttons(page) == set()
        finally:
            db.execute("UPDATE clients SET status = 'active'")
    page.reload()
    expect(page.get_by_role("button", name="Invite somebody")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_a_phone(
    browser: Browser, stack: Stack, complaints: list[str], scheme: Scheme
) -> None:
    page = open_page(browser, PHONE, scheme, complaints)
    sign_in(page, stack)
    for path in ("people", "tokens", "profile", "audit", "library", "announcements", "data"):
        page.goto(f"{stack.base_url}/{path}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.wait_for_load_state("networkidle")
        check(page)
    page.context.close()
    assert complaints == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_open_pages_fit(
    browser: Browser, stack: Stack, complaints: list[str], size: tuple[int, int]
) -> None:
    page = open_page(browser, size, "dark", complaints)
    for path in ("signup", "signup/confirm", "forgotten", "password-reset", "invitation"):
        page.goto(f"{stack.base_url}/{path}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        check(page)
    page.context.close()
    assert complaints == []
