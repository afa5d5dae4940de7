"""A real browser: opened as every test of the dashboard needs it, and what holds for each page."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from playwright.sync_api import Browser, BrowserType, Locator, Page, expect, sync_playwright

from support.stack import Stack

Scheme = Literal["light", "dark"]

DESKTOP, PHONE = (1440, 960), (375, 812)

CHROMIUM = os.environ.get("S2G_CHROMIUM", "/usr/bin/chromium")
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
MICROPHONE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
"""One that beeps, and nobody who has to allow it."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium, without a window."""
    with sync_playwright() as playwright, launched(playwright.chromium, *MICROPHONE) as browser:
        yield browser


@contextmanager
def launched(kind: BrowserType, *more: str) -> Iterator[Browser]:
    """Another one beside it; ``more`` arguments say what of a microphone it has."""
    browser = kind.launch(executable_path=CHROMIUM, args=[*ARGS, *more])
    yield browser
    browser.close()


def open_page(
    browser: Browser,
    size: tuple[int, int],
    scheme: Scheme,
    complaints: list[str],
    *,
    touch: bool = False,
) -> Page:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,
        locale="en-GB",
        has_touch=touch,
    )
    context.set_default_timeout(30_000)
    opened = context.new_page()
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda m: complaints.append(m.text) if is_refusal(m.text) else None)
    return opened


def is_refusal(message: str) -> bool:
    """Whether the content policy refused something that we meant to load.

    ReDoc draws a badge from a host of its maker, at any moment after the page is there. It is
    refused on purpose: the maker learns nothing of who reads here.
    """
    return "Content Security Policy" in message and "https://cdn.redoc.ly/" not in message


def fill_sign_in(page: Page, email: str, password: str) -> None:
    """Sign in on the page that asks for it."""
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def sign_in(page: Page, stack: Stack) -> None:
    """Sign in as the manager, and see every zone."""
    page.goto(stack.base_url)
    fill_sign_in(page, stack.email, stack.password)
    expect(page.get_by_role("article")).to_have_count(len(stack.zones))


def open_announcements(page: Page, stack: Stack) -> None:
    """Sign in, and look at the announcements."""
    sign_in(page, stack)
    page.get_by_role("link", name="Announcements", exact=True).click()
    expect(page.get_by_role("heading", name="Announcements", exact=True)).to_be_visible()


def tick(box: Locator) -> None:
    """Choose a box or radio below its label's text as people do: press the label once it rests."""
    box.locator("xpath=ancestor::label").click()
    expect(box).to_be_checked()


def card(page: Page, name: str) -> Locator:
    """A zone's card."""
    return page.get_by_role("article", name=name, exact=True)


def check(page: Page) -> None:
    """Fits the width; everything to press has a name and is big enough; text can be read."""
    page.wait_for_function(STILL)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("document.documentElement.lang") == "en"
    expect(page.get_by_role("main")).to_have_count(1)
    found = {
        "nameless": nameless(page),
        "small": page.evaluate(SMALL),
        "faint": page.evaluate(FAINT),
    }
    assert not any(found.values()), found


def nameless(page: Page) -> list[str]:
    """Roles of the controls that a screen reader could not name, as the browser computes them."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    roles = {"button", "textbox", "slider", "checkbox", "combobox", "progressbar", "dialog"}
    return [
        n["role"]["value"]
        for n in nodes
        if not n["ignored"]
        and n["role"]["value"] in roles
        and not n.get("name", {}).get("value", "").strip()
    ]


SMALL = """() => [...document.querySelectorAll("button, select, input, textarea")]
    .filter((e) => e.checkVisibility() && !e.closest("[aria-hidden=true]"))
    .map((e) => [e.getAttribute("aria-label") || e.textContent || e.name, e.closest("label") || e])
    .map(([name, e]) => [name, e.getBoundingClientRect()])
    .filter(([, r]) => Math.min(r.width, r.height) < 44)
    .map(([name, r]) => `${name}: ${r.width} x ${r.height}`)
"""
"""Targets below 44 CSS pixels (WCAG 2.2, 2.5.5)."""

FAINT = """() => {
    const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
    const rgba = (colour) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const over = ([r, g, b, a], under) =>
        [r, g, b].map((c, i) => c * a / 255 + under[i] * (1 - a / 255));
    const ground = (e) => {
        const chain = [];
        for (let at = e; at; at = at.parentElement) {
            chain.unshift(rgba(getComputedStyle(at).backgroundColor));
        }
        return chain.reduce((under, colour) => over(colour, under), [255, 255, 255]);
    };
    const light = (c) => c.map((v) => v / 255)
        .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const e = walker.currentNode.parentElement;
        const text = walker.currentNode.textContent.trim();
        if (!text || !e.checkVisibility()) continue;
        if (e.closest("script, style, noscript, [disabled], [data-disabled]")) continue;
        const under = ground(e);
        const [a, b] = [light(over(rgba(getComputedStyle(e).color), under)), light(under)];
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (ratio < 4.5) found.push(`${text}: ${ratio.toFixed(2)}`);
    }
    return found;
}"""
"""Text whose contrast with its ground is under 4.5 to 1 (WCAG 2.2, 1.4.3)."""


STILL = """() => document.getAnimations().every((a) =>
    a.playState !== "running" || a.effect.getTiming().iterations === Infinity
    || a.effect.target.closest("[role=progressbar]"))"""
"""Nothing moves but what always does."""
