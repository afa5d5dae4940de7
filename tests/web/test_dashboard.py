"""The dashboard in a real browser, over the whole product: what floor staff see, press and hear."""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, WebSocketRoute, expect

from support.browser import DESKTOP, PHONE, Scheme, card, check, open_page, sign_in, tick
from support.hearing import RATE
from support.pictures import keep_picture
from support.stack import Stack, wait_until
from support.tracks import TRACKS

pytestmark = pytest.mark.timeout(240)

SAYING = "Dear customers, the bakery opens in five minutes. Warm bread is waiting for you."


def position(zone: Locator) -> int:
    """Seconds into what the zone sounds."""
    return int(zone.get_by_role("progressbar").get_attribute("aria-valuenow") or "-1")


def state(stack: Stack, name: str) -> dict[str, Any]:
    """What the platform says of a zone."""
    with stack.http() as http:
        zones = http.get("/api/v1/playback/state/").json()["results"]
    found: dict[str, Any] = next(z for z in zones if z["name"] == name)
    return found


def test_a_wrong_password_is_told_and_can_be_corrected(page: Page, stack: Stack) -> None:
    page.goto(stack.base_url)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Write your e-mail address.")).to_be_visible()
    page.get_by_label("E-mail address").fill(stack.email)
    page.get_by_label("Password", exact=True).fill("not the password")
    page.get_by_role("button", name="Sign in").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The e-mail address or the password is wrong")
    expect(alert).to_be_focused()
    page.get_by_label("Password", exact=True).fill(stack.password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Zones")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Zones")).to_be_visible()
    page.get_by_role("button", name="Account").click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_every_zone_moves_without_asking_the_server(page: Page, stack: Stack) -> None:
    sign_in(page, stack)
    expect(page.get_by_role("status", name="Connection")).to_have_text("Live")
    names = [zone["name"] for zone in stack.zones]
    for name in names:
        expect(card(page, name).get_by_text("Playing", exact=True)).to_be_visible()
        expect(card(page, name)).to_contain_text(re.compile("|".join(t for t, _ in TRACKS)))
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    before = {name: (time.monotonic(), position(card(page, name))) for name in names}
    for name in names:
        began, at = before[name]
        bar = card(page, name).get_by_role("progressbar")
        # Another track may begin meanwhile; then it moves from nought.
        expect(bar).not_to_have_attribute("aria-valuenow", str(at))
        expect(bar).not_to_have_attribute("aria-valuenow", str(at + 1))
        assert position(card(page, name)) <= at + (time.monotonic() - began) + 2
    assert requests == []


def test_the_position_is_the_platforms(page: Page, stack: Stack) -> None:
    sign_in(page, stack)
    name = stack.zones[0]["name"]

    def agree() -> bool:
        there: float = state(stack, name)["music"]["offset"] / RATE
        return abs(position(card(page, name)) - there) < 1.5

    wait_until(agree, "the page shows the platform's position")


def test_pause_play_and_next(page: Page, stack: Stack) -> None:
    sign_in(page, stack)
    name = stack.zones[0]["name"]
    zone = card(page, name)
    zone.get_by_role("button", name=f"Pause {name}").press("Enter")
    expect(zone.get_by_text("Paused", exact=True)).to_be_visible()
    wait_until(lambda: state(stack, name)["status"] == "paused", "the platform has paused")
    wait_until(lambda: not state(stack, name)["music"]["running"], "the music stands still")
    expect(zone.locator("[data-moving]")).to_have_count(0)
    at = position(zone)
    page.wait_for_timeout(2_500)  # as long as a moving bar needs to show it
    assert position(zone) == at
    zone.get_by_role("button", name=f"Play {name}").click()
    expect(zone.get_by_text("Playing", exact=True)).to_be_visible()
    expect(zone.get_by_role("progressbar")).not_to_have_attribute("aria-valuenow", str(at))
    item = state(stack, name)["music"]["sha256"]
    title = zone.get_by_role("progressbar").get_attribute("aria-label") or ""
    zone.get_by_role("button", name=f"Next track in {name}").click()
    expect(zone.get_by_role("progressbar", name=title)).to_have_count(0)
    assert state(stack, name)["music"]["sha256"] != item
    expect(page.get_by_role("status", name="What plays now")).to_contain_text(name)


def test_the_volume_is_told_once_the_hand_rests(page: Page, stack: Stack) -> None:
    sign_in(page, stack)
    name = stack.zones[1]["name"]
    sent: list[str] = []
    page.on("request", lambda r: sent.append(r.url) if "/volume/" in r.url else None)
    slider = card(page, name).get_by_role("slider", name=f"Volume of {name}")
    slider.focus()
    before = int(slider.input_value())
    for _ in range(5):
        slider.press("ArrowLeft")
    expect(slider).to_have_value(str(before - 5))
    wait_until(lambda: state(stack, name)["volume"] == before - 5, "the volume is the platform's")
    assert len(sent) <= 2
    card(page, name).get_by_role("button", name=f"Mute {name}").click()
    wait_until(lambda: state(stack, name)["mute"], "the zone is mute")
    card(page, name).get_by_role("button", name=f"Mute {name}").click()
    wait_until(lambda: not state(stack, name)["mute"], "the zone is heard again")


def test_something_is_said_and_the_music_comes_back(page: Page, stack: Stack) -> None:
    sign_in(page, stack)
    here, there = (zone["name"] for zone in stack.zones[:2])
    expect(page.get_by_role("button", name="Say it now")).to_be_disabled()
    page.get_by_role("textbox", name="Text").fill(SAYING)
    expect(page.get_by_text(f"{len(SAYING)} of 5,000 characters")).to_be_visible()
    tick(page.get_by_role("checkbox", name=here, exact=True))
    expect(page.get_by_role("checkbox", name="All zones")).not_to_be_checked()
    page.get_by_role("button", name="Say it now").click()
    note = page.get_by_role("alert").filter(has_text="The announcement is on its way")
    expect(note).to_contain_text(re.compile(rf"It starts at \d\d:\d\d:\d\d in {re.escape(here)}"))
    zone = card(page, here)
    expect(zone.get_by_text("Announcement", exact=True)).to_be_visible()
    expect(zone).to_contain_text("Dear customers, the bakery opens")
    expect(zone.get_by_text("Then back to")).to_be_visible()
    expect(card(page, there).get_by_text("Music", exact=True)).to_be_visible()
    keep_picture(page, "dashboard.png")
    expect(page.get_by_role("textbox", name="Text")).to_have_value("")
    expect(zone.get_by_text("Music", exact=True)).to_be_visible()
    expect(zone.get_by_text("Playing", exact=True)).to_be_visible()


def test_an_announcement_can_be_stopped(page: Page, stack: Stack) -> None:
    sign_in(page, stack)
    name = stack.zones[0]["name"]
    page.get_by_role("textbox", name="Text").fill(SAYING * 15)  # longer than is waited below
    page.get_by_role("textbox", name="Text").press("Control+Enter")
    zone = card(page, name)
    stop = zone.get_by_role("button", name=f"Stop the announcement in {name}")
    stop.click()
    expect(zone.get_by_text("Music", exact=True)).to_be_visible()
    other = card(page, stack.zones[1]["name"])
    other.get_by_role("button", name=re.compile("Stop the announcement")).click()
    expect(other.get_by_text("Music", exact=True)).to_be_visible()


def test_what_is_to_come_is_seen_and_taken_back(page: Page, stack: Stack) -> None:
    sign_in(page, stack)
    name = stack.zones[0]["name"]
    page.get_by_text("When", exact=False).first.click()
    page.get_by_label("Begins", exact=True).select_option("In a minute")
    tick(page.get_by_role("checkbox", name=name, exact=True))
    page.get_by_role("textbox", name="Text").fill("Not yet.")
    page.get_by_role("button", name="Say it", exact=True).click()
    queue = card(page, name).get_by_role("region", name=f"Announcements in {name}")
    expect(queue).to_contain_text("begins in")
    check(page)
    queue.get_by_role("button", name=f"Take back Not yet. in {name}").click()
    expect(queue).to_have_count(0)
    expect(page.get_by_role("button", name="Say it now")).to_be_visible()


def test_a_zone_is_silent_for_a_while_and_goes_back_to_what_it_played(
    page: Page, stack: Stack
) -> None:
    sign_in(page, stack)
    name = stack.zones[1]["name"]
    zone = card(page, name)
    zone.get_by_role("button", name=f"Change the music in {name}").click()
    zone.get_by_label(f"Silence in {name}", exact=True).select_option("For an hour")
    check(page)
    zone.get_by_role("button", name=f"Silence {name}").click()
    expect(zone.get_by_text("Stopped", exact=True)).to_be_visible()
    zone.get_by_role("button", name=f"Change the music in {name}").click()
    zone.get_by_role("button", name=f"Back to the schedule in {name}").click()
    expect(zone.get_by_text("Playing", exact=True)).to_be_visible()


def test_a_new_zone_appears_and_is_given_music(page: Page, stack: Stack) -> None:
    sign_in(page, stack)
    name = "Stock room"
    with stack.http() as http:
        made = http.post("/api/v1/zones/", json={"name": name}).raise_for_status().json()
        zone = card(page, name)
        expect(zone.get_by_text("No music chosen")).to_be_visible()
        expect(zone.get_by_text("No speaker in this zone")).to_be_visible()
        expect(zone.get_by_role("combobox", name=f"Music for {name}")).to_contain_text("4 tracks")
        zone.get_by_role("button", name=f"Play in {name}").click()
        expect(zone.get_by_role("button", name=f"Pause {name}")).to_be_visible()
        expect(zone.get_by_role("progressbar")).to_be_visible()
        http.delete(f"/api/v1/zones/{made['id']}/").raise_for_status()
    page.reload()
    expect(page.get_by_role("article")).to_have_count(len(stack.zones))


def test_more_is_asked_before_the_known_ends(page: Page, stack: Stack) -> None:
    asked: list[str] = []

    def shorten(text: str) -> str:
        """The greeting as of a server that looks only four seconds ahead."""
        message = json.loads(text)
        if message["type"] == "snapshot":
            for zone in message["zones"]:
                zone["until"] = zone["frame"] + 4 * RATE
                zone["segments"] = [s for s in zone["segments"] if s["start"] < zone["until"]]
                for segment in zone["segments"]:
                    segment["end"] = min(segment["end"], zone["until"])
        return json.dumps(message)

    def between(browser_side: WebSocketRoute) -> None:
        server = browser_side.connect_to_server()

        def ask(message: str | bytes) -> None:
            if json.loads(message)["type"] == "more":
                asked.append(json.loads(message)["zone_id"])
            server.send(message)

        browser_side.on_message(ask)
        server.on_message(lambda message: browser_side.send(shorten(str(message))))

    page.route_web_socket(re.compile("/ws/playback/"), between)
    sign_in(page, stack)
    page.wait_for_timeout(6_000)  # beyond what the greeting told
    for zone in stack.zones:
        expect(card(page, zone["name"]).get_by_role("progressbar")).to_be_visible()
    assert sorted(asked) == sorted(zone["id"] for zone in stack.zones)


def test_a_lost_server_is_told_and_found_again(page: Page, stack: Stack) -> None:
    sign_in(page, stack)
    stack["api"].kill()
    expect(page.get_by_role("status", name="Connection")).to_have_text("Reconnecting")
    expect(page.get_by_text("The speakers play on")).to_be_visible()
    name = stack.zones[0]["name"]
    at = position(card(page, name))
    bar = card(page, name).get_by_role("progressbar")
    expect(bar).not_to_have_attribute("aria-valuenow", str(at))
    card(page, name).get_by_role("button", name=f"Next track in {name}").click()
    refusal = page.get_by_role("alert").filter(has_text="The next track did not start")
    expect(refusal).to_contain_text("Check this device's network")
    stack["api"].start()
    expect(page.get_by_role("status", name="Connection")).to_have_text("Live", timeout=40_000)
    expect(page.get_by_text("The speakers play on")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_it_fits_is_named_and_can_be_read(
    browser: Browser,
    stack: Stack,
    complaints: list[str],
    tmp_path: Path,
    size: tuple[int, int],
    scheme: Scheme,
) -> None:
    page = open_page(browser, size, scheme, complaints)
    page.goto(stack.base_url)
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    check(page)
    sign_in(page, stack)
    check(page)
    expect(page.get_by_role("banner")).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    picture = tmp_path / "page.png"
    page.screenshot(path=picture)
    assert picture.stat().st_size > 20_000
    if size == PHONE:
        page.get_by_role("button", name="Say something").click()
        expect(page.get_by_role("dialog", name="Say something")).to_be_visible()
        expect(page.get_by_role("textbox", name="Text")).to_be_focused()
        check(page)
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(page.get_by_role("button", name="Say something")).to_be_focused()
    page.get_by_role("button", name=re.compile("Use .* colours")).click()
    other = "dark" if scheme == "light" else "light"
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", other)
    page.context.close()
    assert complaints == []


@pytest.mark.parametrize(
    ("path", "operation"), [("docs", ".opblock-summary"), ("redoc", "[data-section-id]")]
)
def test_the_documentation_works_under_its_policy(
    stack: Stack, page: Page, path: str, operation: str
) -> None:
    page.goto(f"{stack.base_url}/api/{path}/")
    # both read the whole OpenAPI document first, which takes a busy machine its time
    expect(page.locator(operation).first).to_be_visible()
    page.wait_for_load_state("networkidle")
