"""kill -9 between staging, keeping and the commit: a sweep leaves nothing, in every store."""

import asyncio
import sys
from pathlib import Path

import pytest

from support import audio
from support.bucket import Buckets
from support.services import PostgresServer
from support.world import World, cloned_database, make_settings
from sync2gear_platform.kit.blobs import Blobs
from sync2gear_platform.library import housekeeping, service

WRITER = """
import asyncio, os, signal, sys
import sync2gear_platform.tables
from uuid import UUID
from sync2gear_platform.kit.blobs import open_blobs
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.kit.context import Actor, Ctx
from sync2gear_platform.kit.db import Database
from sync2gear_platform.library import probe, service

async def main(stop, path):
    database, url, client = sys.argv[1:4]
    blobs, db = open_blobs(url), Database(database)
    data = open(path, "rb").read()
    actor = Actor(kind="system", id=None, client_id=UUID(client))

    def here(stage):
        if stage == stop:
            os.kill(os.getpid(), signal.SIGKILL)

    sound = probe.measure_bytes(data)
    async with blobs.stage(data) as staged:
        here("staged")
        await staged.prepare()
        here("prepared")
        async with db.tenant(UUID(client)) as session:
            ctx = Ctx(db=session, actor=actor, now=Clock().now(), trace="")
            await service.add_media(ctx, sha256=staged.sha256, size=staged.size, sound=sound)
            here("named")
            await staged.keep()
            here("kept")
    here("committed")

for argument in sys.argv[4:]:
    stage, _, path = argument.partition("=")
    child = os.fork()
    if not child:
        asyncio.run(main(stage, path))
        os._exit(0)
    print(stage, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""

STAGES = ("staged", "prepared", "named", "kept", "committed")


@pytest.fixture(params=["folder", "bucket"])
def media_url(request: pytest.FixtureRequest) -> str:
    if request.param == "folder":
        return ""
    server: Buckets = request.getfixturevalue("s3")
    return server.url(server.make())


async def everything(blobs: Blobs) -> set[str]:
    return {one async for some in blobs.digests() for one in some}


def write(folder: Path) -> list[str]:
    """A piece of audio for each stage."""
    for number, stage in enumerate(STAGES):
        (folder / f"{stage}.wav").write_bytes(audio.tiny_wav(number))
    return [f"{stage}={folder}/{stage}.wav" for stage in STAGES]


def on_the_way(folder: Path) -> list[Path]:
    places = (folder / "media" / "staging", folder / "media-scratch")
    return [file for place in places for file in place.glob("*")]


async def test_a_writer_that_dies_leaves_nothing_but_what_it_committed(
    postgres: PostgresServer, tmp_path: Path, media_url: str
) -> None:
    with cloned_database(postgres) as (admin_url, app_url):
        settings = make_settings(tmp_path, app_url, admin_url, media_url=media_url)
        async with World.open(settings) as world:
            tenant, blobs = await world.tenant(), world.app.state.blobs
            writer = await asyncio.create_subprocess_exec(
                sys.executable, "-c", WRITER, app_url, settings.blobs_url, str(tenant.id),
                *write(tmp_path), stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            output, _ = await writer.communicate()
            assert output.decode().split() == [w for s in STAGES for w in (s, "-9")]
            await blobs.sweep()
            await housekeeping.collect(world.db, blobs, world.clock)
            assert on_the_way(tmp_path) == []
            async with world.ctx(tenant.id) as ctx:
                (sha256,) = await everything(blobs)
                media = await service.media(ctx, sha256)
                assert await blobs.size(sha256) == media.bytes == len(audio.tiny_wav(4))
