"""Nothing is left of what was deleted, also after kills and restores: rows, files, jobs, trail."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from support.privacy import (
    ask,
    dump,
    exists,
    let_time_pass,
    purge,
    restore,
    run_exports,
)
from support.services import PostgresServer
from support.world import PASSWORD, Tenant, World
from sync2gear_platform.audit import verify
from sync2gear_platform.audit.anchoring import Anchoring
from sync2gear_platform.identity import service as identity
from sync2gear_platform.jobs import app as jobs
from sync2gear_platform.kit.usage import Usage
from sync2gear_platform.library.tables import Media, Track
from sync2gear_platform.privacy import purging, tombstones
from sync2gear_platform.privacy.tombstones import Tombstone

CANARY = "Kanari"


def say(world: World, postgres: PostgresServer, word: str = CANARY) -> list[str]:
    """The lines of a dump and of every file of the installation that say ``word``."""
    needle = word.lower().encode()
    found = [line for line in dump(world, postgres, "--inserts").lower().splitlines()
             if needle in line]  # fmt: skip
    found += [
        str(path).encode()
        for path in world.settings.data_dir.rglob("*")
        if path.is_file() and needle in path.read_bytes().lower()
    ]
    return [line[:200].decode() for line in found]


async def canary_tenant(world: World) -> tuple[Tenant, str]:
    """A client that says the canary wherever it can say anything; and a hash of its audio."""
    email = f"{CANARY}-{uuid4().hex[:6]}@example.test"
    async with world.ctx() as ctx:
        client = await identity.create_client(ctx, name=f"{CANARY} Ltd", max_devices=9)
        await identity.create_user(
            ctx, world.passwords, client_id=client.id, email=email, name=f"Kim {CANARY}",
            password=PASSWORD, role="client",
        )  # fmt: skip
    http = await world.http(await world.token(email))
    http.headers["User-Agent"] = f"{CANARY} browser"
    http.headers["Idempotency-Key"] = f"{CANARY}-key"
    tenant = Tenant(client.id, email, http)
    place = await tenant.make("/locations/", name=f"{CANARY} street", address=f"{CANARY} 1",
                              timezone="Europe/Berlin")  # fmt: skip
    facility = await tenant.make("/facilities/", name=CANARY, location_id=place["id"])
    floor = await tenant.make("/floors/", name=CANARY, location_id=place["id"],
                              facility_id=facility["id"])  # fmt: skip
    zone = await tenant.make("/zones/", name=CANARY, description=CANARY, floor_id=floor["id"])
    await tenant.make("/devices/register/", name=CANARY, hardware_id=CANARY, model=CANARY,
                      zone_id=zone["id"])  # fmt: skip
    folder = await tenant.make("/music/folders/", name=CANARY, description=CANARY)
    await tenant.make("/invitations/", email=f"{CANARY}.new@example.com", role="viewer")
    await tenant.make("/integrations/mqtt/", name=CANARY)
    changed = await http.patch("/api/v1/client/", json={"name": f"{CANARY} Inc",
                               "email": f"{CANARY}@example.com"})  # fmt: skip
    assert changed.is_success, changed.text
    changed = await http.patch("/api/v1/auth/me/", json={"name": f"Kim {CANARY} two"})
    assert changed.is_success, changed.text
    async with world.app.state.blobs.stage(f"{CANARY} sings".encode() * 50) as staged:
        await staged.keep()
    async with world.ctx(client.id) as ctx:
        owner: dict[str, Any] = {"client_id": client.id, "created_at": ctx.now}
        ctx.db.add(Media(sha256=staged.sha256, bytes=600, frames=10, codec="flac", **owner))
        await ctx.db.flush()
        ctx.db.add(Track(sha256=staged.sha256, folder_id=UUID(folder["id"]), filename=CANARY,
                         title=CANARY, artist=CANARY, album=CANARY, genre=CANARY,
                         duration_millis=1, updated_at=ctx.now, **owner))  # fmt: skip
        await jobs.defer(ctx, "library:import_folder", import_id=str(uuid4()), folder=CANARY)
    await run_exports(world)
    await tenant.make("/privacy/exports/")
    await run_exports(world)
    return tenant, str(staged.sha256)


async def faults(world: World) -> list[Any]:
    """What a verification of the trail with its anchors finds."""
    anchoring = Anchoring(world.db, world.clock, world.settings.anchors_path)
    await anchoring.tick()
    anchoring.close()
    steps = verify.verify_all(world.db.system, anchors_file=world.settings.anchors_path)
    return [step.fault async for step in steps if step.fault is not None]


async def test_no_word_of_a_client_and_its_people_is_left(
    world: World, postgres: PostgresServer
) -> None:
    gone, sha256 = await canary_tenant(world)
    stays = await world.tenant("Stays")
    async with world.ctx(stays.id) as ctx:
        ctx.db.add(Media(client_id=stays.id, sha256="ab" * 32, bytes=1, frames=1, codec="flac",
                         created_at=ctx.now))  # fmt: skip
    assert await faults(world) == []
    assert len(say(world, postgres)) > 20, "the canary sings"
    before = await stays.read("/locations/")
    await ask(gone.http, "/client/deletion/")
    await ask(gone.http, "/auth/me/deletion/")
    await let_time_pass(world)
    assert await purge(world) == 2
    assert say(world, postgres) == []
    # its id: topics that are to be cleared, the removal in the trail, and the tombstone
    for line in say(world, postgres, str(gone.id)):
        assert any(word in line for word in ("outbox", "audit_", "tombstones", "anchors")), line
    assert await world.app.state.blobs.size(sha256) is None
    assert list(world.settings.exports_path.iterdir()) == []
    assert await faults(world) == []
    assert await stays.read("/locations/") == before
    assert len((await stays.read("/audit/"))["results"]) > 0


async def test_audio_that_another_client_has_too_stays(world: World) -> None:
    gone, sha256 = await canary_tenant(world)
    other = await world.tenant("Other")
    async with world.ctx(other.id) as ctx:
        ctx.db.add(Media(client_id=other.id, sha256=sha256, bytes=600, frames=1, codec="flac",
                         created_at=ctx.now))  # fmt: skip
    await ask(gone.http, "/client/deletion/")
    await let_time_pass(world)
    await purge(world)
    assert await world.app.state.blobs.size(sha256) is not None


async def test_a_person_goes_and_the_client_stays(world: World, postgres: PostgresServer) -> None:
    tenant = await world.tenant()
    email = f"{CANARY}@example.test"
    async with world.ctx() as ctx:
        await identity.create_user(ctx, world.passwords, client_id=tenant.id, email=email,
                                   name=CANARY, password=PASSWORD, role="client")  # fmt: skip
    http = await world.http(await world.token(email))
    http.headers["User-Agent"] = CANARY
    kim = Tenant(tenant.id, email, http)
    await kim.make("/zones/", name="Made by somebody")
    await kim.make("/auth/me/export/")
    await run_exports(world)
    await (await world.http()).post("/api/v1/auth/password-reset/", json={"email": email})
    assert say(world, postgres)
    await ask(http, "/auth/me/deletion/")
    await let_time_pass(world)
    assert await purge(world) == 1
    assert say(world, postgres) == []
    assert (await tenant.read("/zones/"))["results"][0]["name"] == "Made by somebody"
    assert await faults(world) == []
    # the address is free again
    async with world.ctx() as ctx:
        await identity.create_person(ctx, email=email, name="New", password_hash="x")


DIE = """
import asyncio, os, sys
from datetime import timedelta
import sync2gear_platform.tables
from sync2gear_platform.kit.blobs import open_blobs
from sync2gear_platform.kit.db import Database
from sync2gear_platform.privacy import exporting, purging
from sync2gear_platform.settings import Settings

async def main(step):
    settings = Settings()
    db = Database(settings.database_url.get_secret_value(), pool_size=2)
    begun = 0
    begin = db.system
    def counted():
        nonlocal begun
        begun += 1
        if begun == step:
            os._exit(9)
        return begin()
    db.system = counted
    place = exporting.open_place(settings, db, open_blobs(settings.blobs_url))
    await purging.purge_due(place, timedelta(days=30))
    os._exit(0)

asyncio.run(main(int(sys.argv[1])))
"""


def environment(world: World) -> dict[str, str]:
    settings = world.settings
    return {
        **os.environ,
        "S2G_ENV": "dev",
        "S2G_SECRET_KEY": settings.secret_key.get_secret_value(),
        "S2G_DATA_DIR": str(settings.data_dir),
        "S2G_DATABASE_URL": settings.database_url.get_secret_value(),
        "S2G_DATABASE_ADMIN_URL": str(
            settings.database_admin_url and settings.database_admin_url.get_secret_value()
        ),
    }


def run_process(world: World, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], env=environment(world), capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.timeout(300)
async def test_a_purge_that_is_killed_again_and_again_is_finished(
    world: World, postgres: PostgresServer
) -> None:
    gone, _ = await canary_tenant(world)
    await ask(gone.http, "/client/deletion/")
    await ask(gone.http, "/auth/me/deletion/")
    await let_time_pass(world)
    killed, step = 0, 3
    while True:
        # each run gets a little further than the one before
        ended = await asyncio.to_thread(run_process, world, "-c", DIE, str(step))
        if ended.returncode != 9:
            break
        killed, step = killed + 1, step + 9
        if await exists(world, "clients", gone.id):
            late = await gone.http.delete("/api/v1/client/deletion/")
            assert late.status_code in {401, 409}, "there is no way back"
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert killed >= 5
    assert await purge(world) == 0
    assert say(world, postgres) == []
    assert await faults(world) == []
    lines = world.settings.tombstones_path.read_text().splitlines()
    assert len(lines) == 2, "each once, however often it was repeated"


async def test_what_was_deleted_is_deleted_again_after_a_restore(
    world: World, postgres: PostgresServer
) -> None:
    gone, _ = await canary_tenant(world)
    tenant = await world.tenant("Stays")
    kim = await world.colleague(tenant, "viewer")
    me = (await kim.get("/api/v1/auth/me/")).json()["user"]
    backup = await asyncio.to_thread(dump, world, postgres, "--format=custom")
    for http, path in (
        (gone.http, "/client/deletion/"), (gone.http, "/auth/me/deletion/"),
        (kim, "/auth/me/deletion/"),
    ):  # fmt: skip
        await ask(http, path)
    await let_time_pass(world)
    assert await purge(world) == 3
    assert say(world, postgres) == []
    await world.db.engine.dispose()
    await asyncio.to_thread(restore, world, postgres, backup)
    stones = world.settings.tombstones_path
    aside = stones.rename(stones.with_suffix(".aside"))
    # the control: without the file they are back
    without = await asyncio.to_thread(
        run_process, world, "-m", "sync2gear_platform", "reapply-tombstones"
    )
    assert (without.returncode, json.loads(without.stdout)) == (0, [])
    assert await exists(world, "users", me["id"])
    assert await exists(world, "clients", gone.id)
    assert len(say(world, postgres)) > 20
    aside.rename(stones)
    done = await asyncio.to_thread(run_process, world, "-m", "sync2gear_platform", "migrate")
    assert done.returncode == 0, done.stderr[-2000:]
    assert not await exists(world, "users", me["id"])
    assert not await exists(world, "clients", gone.id)
    assert await exists(world, "clients", tenant.id)
    assert say(world, postgres) == []
    again = await asyncio.to_thread(
        run_process, world, "-m", "sync2gear_platform", "reapply-tombstones"
    )
    assert json.loads(again.stdout) == []


async def test_a_file_that_was_tampered_with_stops_the_restore(world: World) -> None:
    path = world.settings.tombstones_path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('{"kind":"client","id":"everything"}\n')
    ended = await asyncio.to_thread(
        run_process, world, "-m", "sync2gear_platform", "reapply-tombstones"
    )
    assert ended.returncode == 1
    assert "line 1 is no tombstone" in ended.stderr


def test_tombstones_are_kept_once_and_half_a_line_is_no_line(tmp_path: Path) -> None:
    path = tmp_path / "below" / "tombstones.jsonl"
    stones = [Tombstone("client", uuid4()), Tombstone("user", uuid4())]
    clock = purging.datetime(2026, 1, 1)
    for stone in (*stones, stones[0]):
        tombstones.write(path, stone, clock)
    assert tombstones.read(path) == stones
    with path.open("ab") as file:
        file.write(b'{"v":1,"kind":"us')
    assert tombstones.read(path) == stones
    tombstones.write(path, Tombstone("user", stones[0].id), clock)
    assert tombstones.read(path) == [*stones, Tombstone("user", stones[0].id)]
    assert set(json.loads(path.read_text().splitlines()[0])) == {"v", "kind", "id", "at"}


async def test_counts_of_a_client_that_is_gone_do_not_stop_the_others(world: World) -> None:
    gone, stays = await world.tenant("Gone"), await world.tenant("Stays")
    await ask(gone.http, "/client/deletion/")
    await let_time_pass(world)
    await purge(world)
    usage, day = Usage(), world.clock.now().date()
    for client in (gone.id, stays.id):
        usage.count(client, day, "reads", failed=False, sent=5)
    await usage.flush(world.db)
    async with world.ctx() as ctx:
        found = await ctx.db.execute(text("SELECT client_id FROM api_usage WHERE bytes_sent = 5"))
        assert [row[0] for row in found] == [stays.id]
