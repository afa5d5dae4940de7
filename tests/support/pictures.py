"""Pictures for the documentation, taken where asked for by ``S2G_PICTURES=1``."""

import os
from pathlib import Path

from playwright.sync_api import Page

IMAGES = Path(__file__).parents[2] / "docs" / "images"


def keep_picture(page: Page, name: str) -> None:
    """Keep what the page shows as ``docs/images/NAME``."""
    if os.environ.get("S2G_PICTURES"):
        IMAGES.mkdir(parents=True, exist_ok=True)
        page.set_viewport_size({"width": 1440, "height": 720})
        page.wait_for_timeout(1_500)
        page.screenshot(path=IMAGES / name)
