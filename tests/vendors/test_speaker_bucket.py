"""A speaker fetches audio of a bucket: led there by the platform, resumed, its secret kept."""

import asyncio
import http.server
import threading
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn

from support import audio
from support.bucket import Buckets
from support.services import PostgresServer
from support.stack import eventually
from support.world import World, cloned_database, make_settings
from sync2gear_broker.messages import Media
from sync2gear_cli.services import process
from sync2gear_firmware.allowance import Allowance
from sync2gear_firmware.cache import Cache
from sync2gear_firmware.facts import Fact, MediaHeld, Trouble, Want
from sync2gear_firmware.fetcher import Fetcher
from sync2gear_firmware.settings import Credential
from sync2gear_firmware.trust import Trust
from sync2gear_platform.library import service


@dataclass
class Front:
    """What stands before the bucket: notes what it is asked, and breaks off when told to."""

    port: int
    asked: list[dict[str, str]] = field(default_factory=list)
    cut_after: int | None = None
    damage: bool = False


@contextmanager
def front(server: Buckets) -> Iterator[Front]:
    state = Front(process.free_port())

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append({name.lower(): value for name, value in self.headers.items()})
            wanted = {"Range": self.headers["Range"]} if self.headers["Range"] else {}
            there = urllib.request.Request(f"{server.endpoint}{self.path}", headers=wanted)
            with urllib.request.urlopen(there) as answer:
                data = answer.read()
                self.send_response(answer.status)
                for name in ("Content-Range", "Content-Type"):
                    if name in answer.headers:
                        self.send_header(name, answer.headers[name])
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if state.damage:
                data = bytes(len(data))
            cut, state.cut_after = state.cut_after, None
            self.wfile.write(data[:cut])

        def log_message(self, *_: object) -> None:
            """Nothing."""

    serving = http.server.ThreadingHTTPServer(("127.0.0.1", state.port), Handler)
    thread = threading.Thread(target=serving.serve_forever)
    thread.start()
    try:
        yield state
    finally:
        serving.shutdown()
        thread.join()
        serving.server_close()


@asynccontextmanager
async def served(world: World) -> AsyncIterator[str]:
    port = process.free_port()
    server = uvicorn.Server(uvicorn.Config(world.app, port=port, log_config=None, lifespan="off"))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # not ours
    serving = asyncio.create_task(server.serve())

    async def started() -> bool:
        return server.started

    await eventually(started, "the server listens")
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await serving


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)


@pytest.fixture
async def world(postgres: PostgresServer, s3: Buckets, tmp_path: Path) -> AsyncIterator[World]:
    with cloned_database(postgres) as (admin_url, app_url):
        url = s3.url(s3.make())
        with front(s3) as before:
            settings = make_settings(
                tmp_path,
                app_url,
                admin_url,
                media_url=url,
                media_base_url=f"http://127.0.0.1:{before.port}",
            )
            async with World.open(settings) as opened:
                opened.app.state.front = before
                yield opened


async def test_a_speaker_is_led_to_the_bucket_and_keeps_its_secret(
    world: World, tmp_path: Path
) -> None:
    tenant, before = await world.tenant(), world.app.state.front
    content = audio.wav_bytes(audio.sine(2))
    write(tmp_path / "in" / "a.wav", content)
    await service.import_folder(
        world.db, world.app.state.blobs, tenant.id, tmp_path / "in", "Stock"
    )
    track = (await tenant.read("/music/files/"))["results"][0]
    made = (await tenant.make("/devices/register/", name="Bar", hardware_id="card"))["credential"]
    told: list[Fact] = []
    async with served(world) as url:
        credential = Credential.model_validate({**made, "http_url": url})
        cache = Cache(tmp_path / "speaker")
        trust = Trust(tmp_path / "speaker", credential, 0.0, lambda: 2e9)
        fetcher = Fetcher(cache, credential, told.append, trust, Allowance())
        media = Media(sha256=track["sha256"], bytes=len(content), frames=96_000, kind="music")
        before.cut_after = 70_000
        fetcher.want(Want(media=(media,), limit=1 << 30))
        fetcher.start()

        async def held() -> bool:
            return MediaHeld(track["sha256"]) in told

        try:
            await eventually(held, "the speaker has it")
            path = cache.media(track["sha256"])
            assert path is not None
            assert path.read_bytes() == content
            # Cut short once, it went on from there, and told nobody else who it is.
            first, second = before.asked
            assert "range" not in first
            resumed = int(second["range"].removeprefix("bytes=").removesuffix("-"))
            assert 0 < resumed <= 70_000
            assert not {"authorization", "cookie"} & (first.keys() | second.keys())
            # Other bytes are not believed, wherever they come from.
            cache.drop(track["sha256"])
            before.damage = True
            fetcher.again()

            async def refused() -> bool:
                return any(isinstance(t, Trouble) and "hash_mismatch" in str(t) for t in told)

            await eventually(refused, "the speaker does not believe it")
            assert cache.media(track["sha256"]) is None
        finally:
            fetcher.stop()
