"""The queue: jobs are part of their transaction, and the worker outlives its database."""

import asyncio
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest
from procrastinate import App, Blueprint
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from support.services import open_folder, start_postgres
from support.world import World, make_settings
from sync2gear_platform.jobs.app import RETRY, defer, open_app, rescue, run_worker
from sync2gear_platform.migrations.run import migrate


def recorder(ran: list[str]) -> Blueprint:
    tasks = Blueprint()

    @tasks.task(name="note", retry=RETRY)
    async def note(client_id: str, word: str) -> None:
        """Write a word down."""
        assert UUID(client_id)
        ran.append(word)

    return tasks


@asynccontextmanager
async def working(url: str, ran: list[str]) -> AsyncIterator[App]:
    stop = asyncio.Event()
    async with open_app(url, {"test": recorder(ran)}) as app:
        worker = asyncio.create_task(run_worker(app, stop))
        try:
            yield app
        finally:
            stop.set()
            async with asyncio.timeout(20):
                await worker


async def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "nothing happened in time"
        await asyncio.sleep(0.02)


async def jobs_left(world: World) -> list[tuple[str, str]]:
    async with world.db.system() as session:
        rows = await session.execute(text("SELECT task_name, status FROM procrastinate_jobs"))
        return [(row[0], str(row[1])) for row in rows]


async def test_a_job_lives_and_dies_with_its_transaction(world: World) -> None:
    tenant = await world.tenant()

    async def change_of_mind() -> None:
        async with world.ctx(tenant.id) as ctx:
            await defer(ctx, "test:note", word="rolled back")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await change_of_mind()
    async with world.ctx(tenant.id) as ctx:
        await defer(ctx, "test:note", word="committed")
    ran: list[str] = []
    async with working(world.settings.database_url.get_secret_value(), ran):
        await until(lambda: bool(ran))
    assert ran == ["committed"]
    assert await jobs_left(world) == []


async def test_jobs_of_one_lock_run_in_order(world: World) -> None:
    tenant = await world.tenant()
    async with world.ctx(tenant.id) as ctx:
        for number in range(3):
            await defer(ctx, "test:note", lock="one", word=str(number))
    ran: list[str] = []
    async with working(world.settings.database_url.get_secret_value(), ran):
        await until(lambda: len(ran) == 3)
    assert ran == ["0", "1", "2"]


@pytest.mark.timeout(180)
@pytest.mark.parametrize("death", ["restart", "kill"])
async def test_the_worker_outlives_its_database(tmp_path: Path, death: str) -> None:
    place = open_folder("jobs")
    server = start_postgres(place)
    try:
        migrate(server.admin_url, server.app_url)
        settings = make_settings(tmp_path, server.app_url, server.admin_url)
        async with World.open(settings) as world:
            tenant = await world.tenant()

            async def note(word: str) -> None:
                async with world.ctx(tenant.id) as ctx:
                    await defer(ctx, "test:note", word=word)

            ran: list[str] = []
            async with working(server.app_url, ran):
                await note("before")
                await until(lambda: "before" in ran)
                if death == "restart":
                    server.restart()
                else:
                    server.kill()
                    server.start()
                await patiently(note, "after")
                await until(lambda: "after" in ran, 60)
            assert ran == ["before", "after"]
    finally:
        server.stop()
        shutil.rmtree(place, ignore_errors=True)


async def patiently(note: Callable[[str], Awaitable[None]], word: str) -> None:
    """Defer once the pool has noticed that its connections are new."""
    deadline = time.monotonic() + 30
    while True:
        try:
            return await note(word)
        except DBAPIError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.1)


WORKER = """
import asyncio, sys
from procrastinate import Blueprint
from sync2gear_platform.jobs.app import open_app, run_worker

async def main():
    tasks = Blueprint()

    @tasks.task(name="note")
    async def note(client_id, word):
        print("begun", flush=True)
        await asyncio.sleep(3600)

    async with open_app(sys.argv[1], {"test": tasks}) as app:
        await run_worker(app, asyncio.Event())

asyncio.run(main())
"""


async def test_the_job_of_a_killed_worker_runs_again(world: World) -> None:
    tenant = await world.tenant()
    url = world.settings.database_url.get_secret_value()
    async with world.ctx(tenant.id) as ctx:
        await defer(ctx, "test:note", word="again")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WORKER, url, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        assert await process.stdout.readline() == b"begun\n"
    process.send_signal(signal.SIGKILL)
    await process.communicate()
    assert await jobs_left(world) == [("test:note", "doing")]
    ran: list[str] = []
    async with working(url, ran) as app:
        assert await rescue(app) == 0
        assert await rescue(app, stalled_seconds=0) == 1
        await until(lambda: bool(ran))
    assert ran == ["again"]


async def test_without_a_database_the_worker_waits_and_stops_when_told() -> None:
    ran: list[str] = []
    async with working("postgresql://nobody@127.0.0.1:1/nothing", ran):
        await asyncio.sleep(0.5)  # long enough for several attempts
    assert ran == []


async def test_a_job_carries_its_client(world: World) -> None:
    tenant = await world.tenant()
    async with world.ctx(tenant.id) as ctx:
        await defer(ctx, "test:note", word="x")
    async with world.db.system() as session:
        rows = await session.execute(text("SELECT args FROM procrastinate_jobs"))
        assert [row[0] for row in rows] == [{"client_id": str(tenant.id), "word": "x"}]
