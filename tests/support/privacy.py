"""Archives and deletions of a test's installation: what is due happens when a test says so."""

import io
import json
import subprocess
import zipfile
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import psycopg
from sqlalchemy import text

from support.mail import run_jobs
from support.services import PostgresServer
from support.world import PASSWORD, World
from sync2gear_cli.services.postgres import programs
from sync2gear_platform.notifications import jobs as notifications
from sync2gear_platform.privacy import exporting, jobs, purging
from sync2gear_platform.privacy.exporting import Place

GRACE = timedelta(days=30)


def place_of(world: World) -> Place:
    """What a worker of this installation works with."""
    return exporting.open_place(world.settings, world.db, world.app.state.blobs)


async def run_exports(world: World) -> None:
    """Have every archive written that was asked for."""
    place = place_of(world)
    office = notifications.open_office(world.settings, world.db)
    domains = {
        "privacy": jobs.blueprint(place, world.settings.public_url, 30),
        "notifications": notifications.blueprint(office),
    }
    await run_jobs(world, domains)


async def fetch(http: httpx2.AsyncClient, path: str, export_id: str) -> zipfile.ZipFile:
    """The archive over HTTP."""
    answer = await http.get(f"/api/v1{path}{export_id}/file/")
    assert answer.status_code == 200, answer.text
    return zipfile.ZipFile(io.BytesIO(answer.content))


def rows_in(archive: zipfile.ZipFile, table: str) -> list[dict[str, Any]]:
    """The lines of one table."""
    return [json.loads(line) for line in archive.read(f"data/{table}.jsonl").splitlines()]


async def ask(http: httpx2.AsyncClient, path: str) -> dict[str, Any]:
    """Ask for a deletion, with the password."""
    answer = await http.post(f"/api/v1{path}", json={"password": PASSWORD})
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def let_time_pass(world: World, days: int = 31) -> None:
    """Everything that was asked for was asked for so many days earlier."""
    async with world.ctx() as ctx:
        for column in ("created_at", "due_at"):
            await ctx.db.execute(
                text(f"UPDATE privacy_deletions SET {column} = {column} - :days"),
                {"days": timedelta(days=days)},
            )
        for table, column in (("sessions", "created_at"), ("clients", "deleted_at")):
            await ctx.db.execute(
                text(f"UPDATE {table} SET {column} = {column} - :days"),
                {"days": timedelta(days=days)},
            )


async def purge(world: World) -> int:
    """What the worker does every few minutes."""
    return await purging.purge_due(place_of(world), GRACE)


async def exists(world: World, table: str, row_id: UUID | str) -> bool:
    """Whether a row is there."""
    async with world.ctx() as ctx:
        query = text(f"SELECT count(*) FROM {table} WHERE id = :id")
        return bool((await ctx.db.execute(query, {"id": str(row_id)})).scalar_one())


def superuser_url(world: World, postgres: PostgresServer) -> str:
    """This test's database as a role that no fence stops."""
    name = world.settings.database_url.get_secret_value().rpartition("/")[2]
    return f"{postgres.superuser_url.rpartition('/')[0]}/{name}"


def refuse(
    world: World, postgres: PostgresServer, deed: str, table: str, column: str, value: UUID
) -> None:
    """Let the database fail in some of a table's rows."""
    row = "OLD" if deed == "DELETE" else "NEW"
    with psycopg.connect(superuser_url(world, postgres), autocommit=True) as connection:
        connection.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN IF {row}.{column} = '{value}' THEN RAISE EXCEPTION 'hush'; END IF;"
            f" RETURN {row}; END $$"
        )
        connection.execute(
            f"CREATE TRIGGER refuse BEFORE {deed} ON {table} FOR EACH ROW EXECUTE FUNCTION refuse()"
        )


def dump(world: World, postgres: PostgresServer, *options: str) -> bytes:
    """What an operator's backup holds; as text unless ``options`` say otherwise."""
    command = [str(programs() / "pg_dump"), *options, superuser_url(world, postgres)]
    return subprocess.run(command, capture_output=True, check=True, timeout=120).stdout


def restore(world: World, postgres: PostgresServer, data: bytes) -> None:
    """Put a backup in place of what is there."""
    command = [
        str(programs() / "pg_restore"), "--clean", "--if-exists", "--single-transaction",
        "--dbname", superuser_url(world, postgres),
    ]  # fmt: skip
    subprocess.run(command, input=data, capture_output=True, check=True, timeout=120)
