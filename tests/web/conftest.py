"""The whole product with music playing, and a browser, for every test of the dashboard."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from support.browser import DESKTOP, chromium, open_page
from support.stack import Stack, wait_until
from support.tracks import TRACKS, write_track

# A loaded machine is slow; a test that measures how quick something is says so itself.
expect.set_options(timeout=30_000)

WEB = Path(__file__).parents[2] / "platform" / "web"


@pytest.fixture(scope="module")
def built() -> None:
    """The dashboard, built from the sources as they are now."""
    page = WEB / "dist" / "index.html"
    sources = [p for p in (WEB / "src").rglob("*") if p.is_file()] + [WEB / "index.html"]
    if page.exists() and page.stat().st_mtime > max(p.stat().st_mtime for p in sources):
        return
    assert (WEB / "node_modules").is_dir(), "the dashboard's packages are missing: make setup"
    tools = Path(sys.executable).parent
    env = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
    subprocess.run([str(tools / "npm"), "run", "build"], cwd=WEB, env=env, check=True, timeout=120)


@pytest.fixture(scope="module")
def stack(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Everything runs, and music plays in every zone."""
    music = tmp_path_factory.mktemp("music")
    for seed, (title, artist) in enumerate(TRACKS):
        write_track(music / f"{seed}.flac", seed, title, artist)
    running = Stack.start(music=music, extra={"S2G_WEB_DIR": str(WEB / "dist")})
    try:
        with running.http() as http:

            def sounding() -> bool:
                zones = http.get("/api/v1/playback/state/").json()["results"]
                return len(zones) >= 2 and all(
                    z["segments"] and z["speakers"]["online"] == z["speakers"]["total"]
                    for z in zones
                )

            wait_until(sounding, "music plays in both zones")
        yield running
    except BaseException as error:
        error.add_note(running.logs())
        raise
    finally:
        running.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complained about: exceptions, and refusals of the content policy."""
    return []


@pytest.fixture
def page(browser: Browser, complaints: list[str]) -> Iterator[Page]:
    opened = open_page(browser, DESKTOP, "light", complaints)
    yield opened
    opened.context.close()
    assert complaints == []
