"""Mail through the real worker, which is killed while it sends."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from support.mail import send_mail
from support.smtp import Sink, smtp_sink
from support.world import World
from sync2gear_platform.jobs import app as jobs


async def ask(world: World) -> None:
    async with world.ctx() as ctx:
        await jobs.defer(
            ctx, "notifications:mail", to="kim@example.com", template="export_ready", locale="en",
            values={"url": "https://sync2gear.example/exports/1"},
        )  # fmt: skip


@asynccontextmanager
async def worker(world: World, sink: Sink) -> AsyncIterator[asyncio.subprocess.Process]:
    """``python -m sync2gear_platform worker`` without a broker."""
    settings = world.settings
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sync2gear_platform", "worker",
        env={
            **os.environ,
            "S2G_ENV": "dev",
            "S2G_DATA_DIR": str(settings.data_dir),
            "S2G_SECRET_KEY": settings.secret_key.get_secret_value(),
            "S2G_DATABASE_URL": settings.database_url.get_secret_value(),
            "S2G_MQTT_URL": "mqtt://127.0.0.1:1",
            "S2G_SMTP_URL": sink.url,
            "S2G_MAIL_FROM": "sound@sync2gear.example",
        },
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()


async def state(world: World) -> tuple[str, int]:
    async with world.db.system() as session:
        found = await session.execute(text("SELECT state, attempts FROM mails"))
        return tuple(found.one())


@pytest.mark.parametrize(("death", "copies"), [("hang", 1), ("take and hang", 2)])
async def test_a_worker_that_is_killed_while_it_sends_loses_no_letter(
    world: World, death: str, copies: int
) -> None:
    """Killed before the server took it: sent once. After that: twice, under one Message-ID."""
    await ask(world)
    async with smtp_sink() as sink:
        sink.answers = [death]
        async with worker(world, sink) as process:
            async with asyncio.timeout(60):
                await sink.hanging.wait()
            process.send_signal(signal.SIGKILL)
            await process.wait()
        assert await state(world) == ("waiting", 0)
        mail = {"smtp_url": SecretStr(sink.url), "mail_from": "sound@sync2gear.example"}
        await send_mail(world, world.settings.model_copy(update=mail))
    assert len(sink.messages) == copies
    assert len({message["Message-ID"] for message in sink.messages}) == 1
    assert await state(world) == ("sent", 1)


async def test_the_worker_sends_what_was_asked_for(world: World) -> None:
    async with smtp_sink() as sink, worker(world, sink):
        await ask(world)
        async with asyncio.timeout(60):
            while not sink.messages:  # noqa: ASYNC110 - it comes from another process
                await asyncio.sleep(0.05)
    assert "https://sync2gear.example/exports/1" in sink.text()
