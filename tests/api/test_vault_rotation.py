"""Rotating the vault's keys while others read and write, killed half-way, and what a dump shows."""

import asyncio
import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text
from sqlmodel import col, select

from support.mail import inbox
from support.services import PostgresServer
from support.world import World
from sync2gear_cli.services.postgres import programs
from sync2gear_platform.jobs import app as jobs
from sync2gear_platform.kit import rotation
from sync2gear_platform.kit.db import Database
from sync2gear_platform.kit.vault import Locked, Vault
from sync2gear_platform.notifications.tables import Mail
from sync2gear_platform.tables import metadata
from sync2gear_platform.vaulting.rotating import rotate

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))
BEFORE, DURING, AFTER = Vault([OLD]), Vault([NEW, OLD]), Vault([NEW])


async def fill(world: World, rows: int) -> list[UUID]:
    """``rows`` stored secrets under the old key, each its own row's id."""
    ids = [uuid4() for _ in range(rows)]
    async with world.db.system() as session:
        for number, one in enumerate(ids):
            session.add(
                Mail(
                    id=one, job_id=number, recipient="kim@example.com", template="x", locale="en",
                    content=BEFORE.seal(str(one)), created_at=datetime.now(UTC),
                )
            )  # fmt: skip
    return ids


async def contents(world: World) -> dict[UUID, str]:
    async with world.db.system() as session:
        found = await session.exec(select(Mail.id, Mail.content))
        return {one: content for one, content in found.all() if content is not None}


async def left(world: World, vault: Vault = AFTER) -> int:
    async with world.db.system() as session:
        return await rotation.left(session, vault)


@dataclass
class Life:
    """What others did meanwhile."""

    reads: int = 0
    writes: int = 0
    failures: list[Any] = field(default_factory=list)


@asynccontextmanager
async def in_use(world: World, ids: list[UUID]) -> AsyncIterator[Life]:
    """Readers, and writers that seal with the new key, all the while."""
    life = Life()
    ended = asyncio.Event()

    async def read(seed: int) -> None:
        chance = random.Random(seed)
        while not ended.is_set():
            one = chance.choice(ids)
            async with world.db.system() as session:
                content = (
                    await session.exec(select(Mail.content).where(col(Mail.id) == one))
                ).one()
            life.reads += 1
            if content is None or DURING.open(content) != str(one):
                life.failures.append((one, content))

    async def write(seed: int) -> None:
        chance = random.Random(seed)
        while not ended.is_set():
            async with world.db.system() as session:
                mail = await session.get_one(Mail, chance.choice(ids), with_for_update=True)
                mail.content = DURING.seal(str(mail.id))
                await asyncio.sleep(0.01)  # holds the row, so that the rotation must pass over it
            life.writes += 1

    async with asyncio.TaskGroup() as group:
        for number in range(4):
            group.create_task(read(number))
        for number in range(2):
            group.create_task(write(number))
        try:
            yield life
        finally:
            ended.set()


async def rotated_online(world: World, rows: int) -> Life:
    ids = await fill(world, rows)
    async with in_use(world, ids) as life:
        while life.reads < 5 or life.writes < 5:  # noqa: ASYNC110 - tasks that poll, no event
            await asyncio.sleep(0.01)
        report = await rotate(world.db, DURING)
    assert (report.left, report.unreadable) == (0, 0)
    assert report.resealed + life.writes >= rows
    assert {one: AFTER.open(content) for one, content in (await contents(world)).items()} == {
        one: str(one) for one in ids
    }
    assert life.failures == []
    return life


async def test_a_rotation_goes_on_among_readers_and_writers(world: World) -> None:
    await rotated_online(world, 450)


@pytest.mark.soak
async def test_ten_thousand_rows_are_rotated_online(world: World) -> None:
    life = await rotated_online(world, 10_000)
    assert life.reads > 200


async def test_repeating_a_rotation_changes_nothing(world: World) -> None:
    await fill(world, 5)
    assert (await rotate(world.db, DURING)).resealed == 5
    before = await contents(world)
    assert (await rotate(world.db, DURING)).resealed == 0
    assert await contents(world) == before


async def test_two_rotations_share_the_work(world: World) -> None:
    await fill(world, 60)
    reports = await asyncio.gather(*(rotate(world.db, DURING, batch_size=5) for _ in range(2)))
    assert sum(report.resealed for report in reports) == 60
    assert await left(world) == 0


async def test_without_the_old_key_rows_are_left_and_counted(world: World) -> None:
    ids = await fill(world, 3)
    async with world.db.system() as session:
        mail = await session.get_one(Mail, ids[0])
        mail.content = AFTER.seal("fine")
    report = await rotate(world.db, AFTER)
    assert (report.resealed, report.unreadable, report.left) == (0, 2, 2)
    assert (await rotate(world.db, DURING)).resealed == 2


async def test_values_that_wait_in_the_queue_are_rotated_too(world: World) -> None:
    url = world.settings.database_url.get_secret_value()
    before = Database(url, pool_size=1, vault=BEFORE)
    try:
        async with world.ctx() as ctx, before.system() as session:
            await jobs.defer(
                type(ctx)(db=session, actor=ctx.actor, now=ctx.now, trace=""),
                "test:task", values={"url": "secret"},
            )  # fmt: skip
    finally:
        await before.close()
    assert (await rotate(world.db, DURING)).resealed == 1
    async with world.db.system() as session:
        [(arguments,)] = await session.execute(text("SELECT args FROM procrastinate_jobs"))
    assert jobs.opened(AFTER, arguments["sealed"]) == {"url": "secret"}


async def rotation_process(world: World, keys: str) -> asyncio.subprocess.Process:
    settings = world.settings
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sync2gear_platform", "rotate-vault",
        env={
            **os.environ,
            "S2G_ENV": "prod",
            "S2G_SECRET_KEY": settings.secret_key.get_secret_value(),
            "S2G_DATABASE_URL": settings.database_url.get_secret_value(),
            "S2G_VAULT_KEYS": keys,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip


async def test_a_rotation_that_is_killed_goes_on_where_it_stopped(world: World) -> None:
    ids = await fill(world, 500)
    held = max(ids)  # the last one that a rotation comes to: it cannot end while this is held
    async with world.db.system() as session:
        await session.get_one(Mail, held, with_for_update=True)
        process = await rotation_process(world, f"{NEW},{OLD}")
        async with asyncio.timeout(60):
            while await left(world) == 500:  # noqa: ASYNC110 - another process works
                await asyncio.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        await process.communicate()
    remaining = await left(world)
    assert 0 < remaining < 500
    opened = {one: DURING.open(content) for one, content in (await contents(world)).items()}
    assert opened == {one: str(one) for one in ids}
    again = await rotation_process(world, f"{NEW},{OLD}")
    async with asyncio.timeout(60):
        told, _ = await again.communicate()
    assert again.returncode == 0
    assert f'"resealed": {remaining}' in told.decode()
    # the old key is gone, and nothing is missed
    assert {AFTER.open(content) for content in (await contents(world)).values()} == {
        str(one) for one in ids
    }
    with pytest.raises(Locked):
        BEFORE.open((await contents(world))[held])


async def test_a_dump_of_the_database_shows_no_secret(
    world: World, postgres: PostgresServer
) -> None:
    """A letter that waits, one that lies in the inbox, a device's secret, an answer kept for a key.

    Held against what pg_dump writes.
    """
    tenant = await world.tenant()
    made = await tenant.http.post(
        "/api/v1/devices/register/",
        json={"name": "Till", "hardware_id": "till-1"},
        headers={"Idempotency-Key": uuid4().hex},
    )
    secret = made.json()["credential"]["secret"]
    for number in range(2):
        if number:
            [kept] = await inbox(world)
            assert "canary" in kept.letter.text
        async with world.ctx() as ctx:
            await jobs.defer(
                ctx, "notifications:mail", to="kim@example.com", template="password_reset",
                locale="en", values={"url": "https://x.example/canary"},
            )  # fmt: skip
    dump = await asyncio.to_thread(dumped, world, postgres)
    assert dump.count("kim@example.com") == 2
    assert dump.count("s1.") == 3
    assert "canary" not in dump
    assert made.status_code == 201
    assert secret not in dump


def dumped(world: World, postgres: PostgresServer) -> str:
    """What an operator's backup holds, as text."""
    name = world.settings.database_url.get_secret_value().rpartition("/")[2]
    url = f"{postgres.superuser_url.rpartition('/')[0]}/{name}"
    return subprocess.run(
        [str(programs() / "pg_dump"), "--inserts", url],
        capture_output=True, text=True, check=True, timeout=60,
    ).stdout  # fmt: skip


SECRET_NAMES = re.compile(r"(^|_)(secret|password|token|key|recovery|private)(_|$|s$)")
NO_SECRETS = {
    "emergency_keys.public_key",  # everybody may know it
    "kept_answers.key",  # a caller's own name for its request
    "tracks.artist_keys", "tracks.title_key",  # names, folded
    # digests of what is said
    "speech_renderings.key", "speech_calls.key", "announcement_joins.key",
    "ai_providers.api_key_end",  # what is shown of a key
}  # fmt: skip


def test_every_column_that_sounds_like_a_secret_is_hashed_or_sealed() -> None:
    bare = [
        f"{table.name}.{column.name}"
        for table in metadata.tables.values()
        for column in table.columns
        if SECRET_NAMES.search(column.name)
        and not column.name.endswith("_hash")
        and not column.info.get("sealed")
    ]
    assert set(bare) <= NO_SECRETS
