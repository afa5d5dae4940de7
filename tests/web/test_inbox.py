"""The development inbox in Chromium: letters can be read and their links opened, nothing runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from playwright.async_api import async_playwright, expect

from support.browser import ARGS, CHROMIUM
from support.mail import inbox
from support.world import World
from sync2gear_platform.jobs import app as jobs


@asynccontextmanager
async def served(world: World) -> AsyncIterator[str]:
    """The application of ``world`` on a port of this machine."""
    config = uvicorn.Config(world.app, port=0, lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(20):
            while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
                await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await running


async def test_a_letter_is_read_and_its_link_followed(world: World) -> None:
    async with served(world) as url:
        link = f"{url}/api/v1/health/?reset=token-1"
        async with world.ctx() as ctx:
            await jobs.defer(
                ctx, "notifications:mail", to="kim@example.com", template="invitation", locale="en",
                values={
                    "client": "<img src=x onerror=alert(1)>",
                    "inviter": "<script>alert(1)</script>",
                    "url": link,
                },
            )  # fmt: skip
        await inbox(world)
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
            page = await browser.new_page()
            complaints: list[str] = []
            page.on("dialog", lambda dialog: complaints.append(dialog.message))
            page.on("console", lambda message: complaints.append(message.text))
            await page.goto(f"{url}/dev/inbox/")
            await page.get_by_role("link", name="invites you to sync2gear").click()
            text = page.locator("pre")
            await expect(text).to_contain_text("<script>alert(1)</script> invites you")
            async with page.context.expect_page() as opened:
                await text.get_by_role("link").click()
            assert (await opened.value).url == link
            frame = page.frame_locator("iframe")
            await expect(frame.locator("body")).to_contain_text("<script>alert(1)</script> invites")
            background = "getComputedStyle(document.querySelector('a')).backgroundColor"
            [letter] = [one for one in page.frames if one.url.endswith("/html/")]
            assert await letter.evaluate(background) == "rgb(31, 95, 208)"
            async with page.context.expect_page() as opened:
                await frame.get_by_role("link", name="Accept the invitation").click()
            assert (await opened.value).url == link
            await browser.close()
        assert complaints == []
