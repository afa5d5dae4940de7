"""The library in a real browser: files that arrive over a bad line, and what is done with them."""

import re
import wave
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from support.browser import PHONE, check, open_page, sign_in
from support.hearing import RATE, noise_tune
from support.pictures import keep_picture
from support.stack import Stack
from support.tracks import TRACKS, write_track
from sync2gear_platform.library.rules import REASONS

pytestmark = pytest.mark.timeout(240)

UPLOADS = re.compile(r"/api/v1/music/uploads/")
PIECE = 8 * 1024 * 1024
WINTER = "Seasons \u203a Winter"


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as people have them: music, a picture, and a file that lies about itself."""
    folder = tmp_path_factory.mktemp("album")
    for seed, title in enumerate(("Night Ferry", "Lighthouse")):
        write_track(folder / f"{seed} {title}.flac", 40 + seed, title, "The Lanterns")
    (folder / "cover.jpg").write_bytes(b"\xff\xd8\xff\xe0 a picture")
    (folder / "broken.mp3").write_bytes(b"This is a letter, not music. " * 400)
    return folder


def open_library(page: Page, stack: Stack) -> None:
    sign_in(page, stack)
    page.get_by_role("link", name="Library").click()
    expect(page.get_by_role("heading", name="Library")).to_be_visible()


def test_a_folder_is_sent_and_each_file_tells_what_became_of_it(
    page: Page, stack: Stack, album: Path
) -> None:
    open_library(page, stack)
    page.get_by_label("Folder", exact=True).last.set_input_files(album)
    files = page.get_by_role("list", name="Files")
    expect(page.get_by_text("1 file of that folder stayed behind.")).to_be_visible()
    for title in ("Night Ferry", "Lighthouse"):
        line = files.get_by_role("listitem").filter(has_text=title)
        expect(line).to_contain_text("Ready")
    broken = files.get_by_role("listitem").filter(has_text="broken.mp3")
    expect(broken).to_contain_text("Not taken")
    expect(page.get_by_text("2 of 3 files ready, 1 not taken")).to_be_visible()
    tracks = page.get_by_role("list", name="Tracks")
    expect(tracks).to_contain_text("Night Ferry")
    check(page)
    keep_picture(page, "library.png")


def test_a_cut_line_and_a_reload_lose_nothing(page: Page, stack: Stack, tmp_path: Path) -> None:
    big = tmp_path / "Long Walk.wav"
    with wave.open(str(big), "wb") as written:
        written.setparams((2, 2, RATE, 0, "NONE", ""))
        written.writeframes(noise_tune(77, 50.0).tobytes())
    assert big.stat().st_size > PIECE + 1_000_000  # more than one piece
    open_library(page, stack)
    pieces: list[str] = []

    def cut(route: Route) -> None:
        """Let the first piece arrive, and nothing after it."""
        request = route.request
        if request.method == "PATCH":
            pieces.append(request.headers["upload-offset"])
            if len(pieces) > 1:
                route.abort("connectionreset")
                return
        route.continue_()

    page.route(UPLOADS, cut)
    page.get_by_label("Files", exact=True).set_input_files(big)
    line = page.get_by_role("list", name="Files").get_by_role("listitem")
    expect(line).to_contain_text("trying again by itself")
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    left = page.get_by_role("list", name="Left half-way")
    expect(left).to_contain_text("Long Walk.wav")
    page.unroute(UPLOADS)
    pieces.clear()
    page.on(
        "request",
        lambda r: pieces.append(r.headers["upload-offset"]) if r.method == "PATCH" else None,
    )
    page.get_by_label("Files", exact=True).set_input_files(big)
    expect(line).to_contain_text("Ready")
    assert pieces == [str(PIECE)]  # what had arrived was not sent again
    expect(page.get_by_role("list", name="Tracks")).to_contain_text("Long Walk")


def test_what_was_not_taken_for_our_own_reasons_is_tried_again(
    page: Page, stack: Stack, tmp_path: Path
) -> None:
    write_track(tmp_path / "Second Wind.flac", 91, "Second Wind", "The Lanterns")
    open_library(page, stack)
    stack["worker"].kill()
    page.get_by_label("Files", exact=True).set_input_files(tmp_path / "Second Wind.flac")
    line = page.get_by_role("list", name="Files").get_by_role("listitem")
    expect(line).to_contain_text("Is listened to and measured")
    with psycopg.connect(stack.postgres.superuser_url) as connection:
        # as a worker leaves it whose last attempt is over
        connection.execute("DELETE FROM procrastinate_jobs WHERE task_name LIKE '%ingest'")
        connection.execute(
            "UPDATE uploads SET state = 'failed', code = 'interrupted', detail = %s"
            " WHERE state IN ('uploaded', 'processing')",
            (REASONS["interrupted"],),
        )
    expect(line).to_contain_text("The work on this file was interrupted: try it again.")
    check(page)
    page.get_by_role("button", name="Try Second Wind.flac again").press("Enter")
    expect(line).to_contain_text("Is listened to and measured")
    stack["worker"].start()
    expect(line).to_contain_text("Ready", timeout=60_000)
    expect(page.get_by_role("list", name="Tracks")).to_contain_text("Second Wind")


def open_folder(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Folders").get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", name=re.compile(f"{name}$"), level=2)).to_be_visible()


def make_folder(page: Page, name: str, inside: str) -> None:
    page.get_by_role("button", name="New folder").click()
    dialog = page.get_by_role("dialog", name="New folder")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("In", exact=True).select_option(inside)
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name=re.compile(f"{name}$"), level=2)).to_be_visible()


def test_folders_are_nested_dragged_chosen_by_rules_and_removed(page: Page, stack: Stack) -> None:
    open_library(page, stack)
    tree = page.get_by_role("navigation", name="Folders")
    expect(tree.get_by_role("link")).to_contain_text(["All music", "Recently added"])
    expect(page.get_by_role("button", name="Remove the folder")).to_have_count(0)
    make_folder(page, "Seasons", "No other folder")
    make_folder(page, "Winter", "Seasons")
    expect(page.get_by_role("heading", name=WINTER)).to_be_visible()
    tree.get_by_role("link", name="Winter").hover()
    page.mouse.down()
    for name in ("Seasons", "Out of every folder"):
        for _ in range(2):  # a browser tells of a drag from the second move on
            tree.get_by_role("listitem").filter(has_text=name).hover()
    page.mouse.up()
    expect(page.get_by_role("heading", name="Winter", exact=True)).to_be_visible()
    tree.get_by_role("link", name="Winter").drag_to(tree.get_by_role("link", name="Seasons"))
    expect(page.get_by_role("heading", name=WINTER)).to_be_visible()

    # Rules, by the keyboard: what they would choose is said before anything is saved.
    page.get_by_role("button", name="New folder").press("Enter")
    dialog = page.get_by_role("dialog", name="New folder")
    dialog.get_by_label("Name").fill("By the tide")
    dialog.get_by_label("In", exact=True).select_option("No other folder")
    dialog.get_by_label("Rules choose its tracks").press("Space")
    preview = dialog.get_by_role("status", name="What it would hold")
    expect(preview).to_contain_text("Fill in every condition")
    condition = dialog.get_by_role("group", name="Condition 1")
    condition.get_by_label("What").select_option("Title")
    condition.get_by_label("Value").fill(TRACKS[0][0])
    expect(preview).to_have_text(f"It holds 1 track now: {TRACKS[0][0]}")
    dialog.get_by_role("button", name="Add a group").press("Enter")
    group = dialog.get_by_role("group", name="Group at depth 2")
    group.get_by_label("What").select_option("Added")
    group.get_by_label("How").select_option("not within the last days")
    expect(preview).to_contain_text("It holds 0 tracks now")
    group.get_by_label("How").select_option("within the last days")
    expect(preview).to_contain_text("It holds 1 track now")
    check(page)
    dialog.get_by_role("button", name="Save").press("Enter")
    tracks = page.get_by_role("list", name="Tracks")
    expect(tracks.get_by_role("listitem")).to_have_count(1)

    open_folder(page, "Seasons")
    page.get_by_role("button", name="Remove the folder").click()
    confirm = page.get_by_role("dialog", name="Remove Seasons?")
    expect(confirm).to_contain_text("1 folder in it will be where it was")
    confirm.get_by_role("button", name="Remove", exact=True).click()
    expect(tree.get_by_role("link", name="Seasons")).to_have_count(0)
    expect(tree.get_by_role("link", name="Winter")).to_be_visible()


def test_tracks_are_narrowed_changed_together_and_told_who_uses_them(
    browser: Browser, page: Page, stack: Stack, tmp_path: Path, complaints: list[str]
) -> None:
    open_library(page, stack)
    tracks = page.get_by_role("list", name="Tracks")
    first, second = sorted(title for title, _ in TRACKS)[:2]
    for title in (first, second):
        page.get_by_label(f"Choose {title}", exact=True).check()
    page.get_by_role("button", name="Change", exact=True).click()
    dialog = page.get_by_role("dialog", name="Change 2 tracks")
    dialog.get_by_label("Genre").fill("Harbour")
    dialog.get_by_label("Tags").fill("calm, evening")
    dialog.get_by_label("Licence").fill("GEMA 77")
    dialog.get_by_label("Only in these countries").fill("de, at")
    dialog.get_by_label("Until the end of").fill("2020-02-29")
    dialog.get_by_label("May be kept offline").select_option("No")
    check(page)
    dialog.get_by_role("button", name="Change them").click()
    expect(dialog).to_be_hidden()

    page.get_by_role("button", name="Filters").click()
    filters = page.get_by_role("group", name="Filters")
    filters.get_by_label("Genre").fill("harbour")
    filters.get_by_label("May be kept offline").select_option("No")
    expect(tracks.get_by_role("listitem")).to_have_count(2)
    page.get_by_label("Sorted by").select_option("Title, backwards")
    expect(tracks.get_by_role("listitem")).to_contain_text([second, first])
    check(page)
    filters.get_by_label("May be played on").fill("2020-03-01")
    expect(page.get_by_text("Nothing here is like that.")).to_be_visible()
    filters.get_by_label("May be played on").fill("2020-02-29")
    expect(tracks.get_by_role("listitem")).to_have_count(2)
    page.get_by_role("button", name=f"Details of {first}").click()
    details = page.get_by_role("dialog", name=first)
    expect(details.get_by_label("Only in these countries")).to_have_value("AT, DE")
    expect(details.get_by_label("Tags")).to_have_value("calm, evening")
    details.get_by_label("Until the end of").fill("")
    details.get_by_role("button", name="Save").click()
    expect(details).to_be_hidden()

    # It plays in both zones: whoever removes it is told so first.
    page.get_by_label(f"Choose {first}", exact=True).check()
    page.get_by_role("button", name="Remove", exact=True).click()
    confirm = page.get_by_role("dialog", name=f"Remove {first}?")
    confirm.get_by_role("button", name="Remove", exact=True).click()
    used = confirm.get_by_role("list", name="Used by").get_by_role("listitem")
    expect(used).to_have_count(len(stack.zones))
    expect(used.first).to_contain_text("Zone:")
    check(page)
    confirm.get_by_role("button", name="Keep it").click()

    # Out as a playlist, and in again by it.
    page.get_by_role("button", name="Playlists").click()
    playlists = page.get_by_role("dialog", name="Playlists of All music")
    expect(playlists.get_by_role("button", name="Read a playlist")).to_have_count(0)
    with page.expect_download() as saved:
        playlists.get_by_role("link", name="Save as M3U8").click()
    saved.value.save_as(tmp_path / "all.m3u8")
    page.keyboard.press("Escape")
    make_folder(page, "From elsewhere", "No other folder")
    page.get_by_role("button", name="Playlists").click()
    playlists = page.get_by_role("dialog", name="Playlists of From elsewhere")
    everything = (tmp_path / "all.m3u8").read_text(encoding="utf-8")
    (tmp_path / "all.m3u8").write_text(everything + "gone.mp3\n", encoding="utf-8")
    playlists.get_by_label("Playlist", exact=True).set_input_files(tmp_path / "all.m3u8")
    lines = len([li for li in everything.splitlines() if li and li[0] != "#"])
    expect(playlists.get_by_role("status", name="What was read")).to_have_text(
        f"{lines} of {lines + 1} lines found."
    )
    expect(playlists.get_by_role("list", name="Not found")).to_contain_text("gone.mp3: not here")
    page.keyboard.press("Escape")
    expect(tracks.get_by_role("listitem")).to_have_count(lines)

    phone = open_page(browser, PHONE, "dark", complaints)
    open_library(phone, stack)
    phone.get_by_role("combobox", name="Folder").select_option("From elsewhere")
    expect(phone.get_by_role("list", name="Tracks").get_by_role("listitem")).to_have_count(lines)
    phone.get_by_role("button", name="Filters").click()
    check(phone)
    phone.get_by_role("button", name="New folder").click()
    phone.get_by_label("Rules choose its tracks").check()
    check(phone)
    phone.context.close()
