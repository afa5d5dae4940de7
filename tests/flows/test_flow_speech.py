"""A worker that is killed while it has a text spoken: one sound, paid once where it was kept."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from procrastinate import Blueprint
from sqlalchemy import text

from support import google_speech
from support.google_speech import KEY, GoogleSpeech
from support.killing import another_worker, gate, program, waiting
from support.speaking import desk
from support.stack import wait_until
from support.uploads import kitchen
from support.world import Tenant, World
from sync2gear_platform.announcements import jobs
from sync2gear_platform.announcements.ahead import Kit
from sync2gear_platform.announcements.rules import AT_ONCE
from sync2gear_platform.announcements.studio import Splicer
from sync2gear_platform.kit.blobs import Folder
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.library import housekeeping, sweeping

WORDS = "We close in ten minutes, please come to the till. " * 8
assert len(WORDS) > AT_ONCE

STAGES = {
    "asking": "BEFORE INSERT ON speech_calls FOR EACH ROW",
    "answered": "BEFORE INSERT ON media FOR EACH ROW",
    "kept": "BEFORE INSERT ON speech_renderings FOR EACH ROW",
    "settling": "AFTER UPDATE ON speech_calls DEFERRABLE INITIALLY DEFERRED FOR EACH ROW "
    "WHEN (NEW.state = 'done')",
    "ready": "BEFORE UPDATE ON announcements FOR EACH ROW WHEN (NEW.state = 'ready')",
    "committing": "AFTER UPDATE ON announcements DEFERRABLE INITIALLY DEFERRED FOR EACH ROW "
    "WHEN (NEW.state = 'ready')",
}
"""Where a trigger holds the worker up, in the order in which a text comes by: before the provider
is asked, with its answer before the blob, with the blob, before each of two commits."""

PAID_TWICE = {"answered", "kept"}
"""Between the provider's answer and the commit that keeps it: nothing can avoid that window. What
has begun to commit, PostgreSQL ends without the worker."""

SAMPLE = ("answered", "committing")


@pytest.fixture
def google() -> Iterator[GoogleSpeech]:
    """Google's service on a socket."""
    with google_speech.rest() as service:
        yield service


def tasks(world: World) -> dict[str, Blueprint]:
    """What a worker does for announcements."""
    here = desk(world)
    kit = Kit(here.db, here.blobs, Splicer(), here.clock)
    return {"announcements": jobs.blueprint(here, kit)}


async def ended(world: World, tenant: Tenant, announcement: str) -> dict[str, Any]:
    """The announcement once no worker has anything left to do about it."""
    deadline = time.monotonic() + 60
    while True:
        shown = await tenant.read(f"/announcements/{announcement}/")
        jobs_left = await count(world, "SELECT count(*) FROM procrastinate_jobs")
        if shown["state"] != "rendering" and jobs_left == 0:
            return shown
        assert time.monotonic() < deadline, shown
        await asyncio.sleep(0.1)


async def count(world: World, query: str) -> int:
    async with world.db.system() as session:
        return int((await session.execute(text(query))).scalar_one())


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    "stage",
    [pytest.param(name, marks=[] if name in SAMPLE else [pytest.mark.soak]) for name in STAGES],
)
async def test_a_worker_killed_at_any_stage_makes_one_sound(
    world: World, tmp_path: Path, google: GoogleSpeech, stage: str
) -> None:
    staff = await world.staff("admin")
    body = {
        "kind": "google", "name": "Google", "priority": 10, "api_key": KEY, "is_default": True,
        "settings": {"endpoint": google.endpoint}, "unit_price": 16,
    }  # fmt: skip
    assert (await staff.post("/api/v1/admin/ai-providers/", json=body)).status_code == 201
    tenant = await world.tenant()
    admin = world.settings.database_admin_url
    assert admin is not None
    url = admin.get_secret_value()
    worker = program(world, tmp_path, "worker", 0)
    with gate(url, STAGES[stage]):
        made = await tenant.make("/announcements/tts/", text=WORDS, language="en-US")
        assert (made["state"], made["sha256"]) == ("rendering", None)
        worker.start()
        try:
            await asyncio.to_thread(wait_until, lambda: waiting(url), f"the worker is at {stage}")
        finally:
            worker.kill()
    async with another_worker(world, tasks(world)):
        shown = await ended(world, tenant, made["id"])
    assert (shown["state"], shown["spoken_provider"]) == ("ready", "Google"), shown
    assert len(google.spoken) == (2 if stage in PAID_TWICE else 1)
    usage = (await tenant.read("/announcements/tts/usage/"))["results"]
    assert [(u["calls"], u["lost"]) for u in usage] == [(2, 1) if stage in PAID_TWICE else (1, 0)]
    tools = kitchen(world)
    await sweeping.sweep(tools)
    await housekeeping.collect(world.db, tools.blobs, Clock())
    assert isinstance(tools.blobs, Folder)
    files = [p for p in tools.blobs.root.rglob("*") if p.is_file()]
    assert len(files) == 1, files
    assert await count(world, "SELECT count(*) FROM media") == 1
    assert await count(world, "SELECT count(*) FROM speech_renderings") == 1
    assert await count(world, "SELECT count(*) FROM announcements") == 1
