"""Programs of ours on the database of a test, and a gate that holds one up to be killed there."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx2
import psycopg
from procrastinate import Blueprint

from support.stack import Program, wait_until
from support.world import SECRET, World
from sync2gear_cli.services import process
from sync2gear_platform.jobs.app import open_app, rescue, run_worker

GATE = 4712


def program(world: World, folder: Path, verb: str, port: int) -> Program:
    """One program of ours on the database and the files of ``world``."""
    settings = world.settings
    env = {
        **os.environ,
        "S2G_ENV": "dev",
        "S2G_DATA_DIR": str(settings.data_dir),
        "S2G_SECRET_KEY": SECRET,
        "S2G_DATABASE_URL": settings.database_url.get_secret_value(),
        "S2G_HTTP_PORT": str(port),
        "S2G_PUBLIC_URL": "http://platform.test",
        "S2G_MQTT_URL": "mqtt://127.0.0.1:1",
        "S2G_MEDIA_URL": settings.media_url,
    }
    command = [sys.executable, "-m", "sync2gear_platform", verb]
    return Program(verb, command, env, folder / f"{verb}.log")


@contextmanager
def gate(url: str, moment: str, let_by: int = 0) -> Iterator[None]:
    """Hold up whoever does what the trigger ``moment`` is of, until the end.

    The first ``let_by`` times it is done, whatever became of them, nobody is held up.
    """
    kind = "CONSTRAINT TRIGGER" if "DEFERRABLE" in moment else "TRIGGER"
    table = moment.split(" ON ")[1].split()[0]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE SEQUENCE passed_gate")
        connection.execute(
            "CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER"
            f" AS $$ BEGIN IF nextval('public.passed_gate') > {let_by} THEN"
            f" PERFORM pg_advisory_xact_lock({GATE}); END IF; RETURN new; END $$"
        )
        connection.execute(f"CREATE {kind} gate {moment} EXECUTE FUNCTION wait_at_gate()")
        connection.execute("SELECT pg_advisory_lock(%s)", [GATE])
        try:
            yield
        finally:
            connection.execute("SELECT pg_advisory_unlock_all()")
            connection.execute(f"DROP TRIGGER gate ON {table}")
            connection.execute("DROP FUNCTION wait_at_gate()")
            connection.execute("DROP SEQUENCE passed_gate")


def waiting(url: str) -> bool:
    """Whether somebody stands at the gate."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            " AND objid = %s",
            [GATE],
        ).fetchone()
        return row is not None and row[0] > 0


@asynccontextmanager
async def another_worker(world: World, tasks: dict[str, Blueprint]) -> AsyncIterator[None]:
    """A worker in this process that takes over what a dead one left."""
    stop = asyncio.Event()
    async with open_app(world.settings.database_url.get_secret_value(), tasks) as app:
        await rescue(app, stalled_seconds=0)
        working = asyncio.create_task(run_worker(app, stop))
        try:
            yield
        finally:
            stop.set()
            async with asyncio.timeout(20):
                await working


@contextmanager
def api(world: World, folder: Path) -> Iterator[tuple[Program, int]]:
    """An api process that answers, and its port."""
    port = process.free_port()
    made = program(world, folder, "api", port)
    start_api(made, port)
    try:
        yield made, port
    finally:
        made.kill()


def start_api(made: Program, port: int) -> None:
    """Start it, and wait until it answers."""
    made.start()

    def answers() -> bool:
        try:
            return httpx2.get(f"http://127.0.0.1:{port}/api/v1/health/", timeout=2).is_success
        except httpx2.HTTPError:
            return False

    wait_until(answers, "the api answers")


async def command(*arguments: str, seconds: float = 120) -> tuple[int | None, bytes]:
    """The CLI as a process of its own: its exit status, and what it writes."""
    done = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("sync2gear")), *arguments, stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(seconds):
        said, _ = await done.communicate()
    return done.returncode, said
