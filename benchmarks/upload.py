"""How fast files come in: tus and a form, beside a sink that writes and syncs the same bytes.

The sink is an HTTP server in a process of its own, as the api is one: it reads a body, writes it to
the same disk, syncs, and answers. Nothing of quota, tenancy, rows or parsing is in it.
"""

import asyncio
import os
import socketserver
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from multiprocessing import Process
from pathlib import Path

from bench import Metric, quantile, report

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import httpx2

from support.services import start_postgres
from support.stack import Program, wait_until
from support.uploads import PATH, PIECE, VERSION
from support.world import SECRET, World, cloned_database, make_settings
from sync2gear_cli.services import process
from sync2gear_platform.migrations.run import migrate

ROUNDS = 7
SIZES = {"5 MB": 5_000_000, "100 MB": 100_000_000}
CHUNK = 1 << 18


class Sink(BaseHTTPRequestHandler):
    """Writes a body to a file, syncs it, answers."""

    protocol_version = "HTTP/1.1"
    folder = Path()

    def do_POST(self) -> None:
        """Take one body."""
        left = int(self.headers["Content-Length"])
        with (self.folder / "sink").open("wb") as file:
            while left:
                data = self.rfile.read(min(left, 1 << 20))
                left -= len(data)
                file.write(data)
            file.flush()
            os.fsync(file.fileno())
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - so it is called there
        """Say nothing."""


def serve(port: int, folder: Path) -> None:
    """The sink, for ever."""
    Sink.folder = folder
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    socketserver.ThreadingTCPServer(("127.0.0.1", port), Sink).serve_forever()


def pieces(data: bytes) -> Iterator[bytes]:
    """``data`` as a client reads it off a disk."""
    for at in range(0, len(data), CHUNK):
        yield data[at : at + CHUNK]


def timed(work: Callable[[], None]) -> float:
    """Seconds that ``work`` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def compare(http: httpx2.Client, sink: str) -> dict[str, Metric]:
    """Megabytes a second, the three taking turns."""
    metrics = {}
    for label, size in SIZES.items():
        data = os.urandom(size)
        form = {"file": ("a.bin", data)}
        length = {"Content-Length": str(size)}

        def to_sink(data: bytes = data, length: dict[str, str] = length) -> None:
            answer = httpx2.post(sink, content=pieces(data), headers=length, timeout=120)
            assert answer.status_code == 204

        def by_tus(data: bytes = data, length: dict[str, str] = length) -> None:
            begun = http.post(PATH, headers={**VERSION, "Upload-Length": str(len(data))})
            sent = {**PIECE, **length, "Upload-Offset": "0"}
            answer = http.patch(begun.headers["location"], content=pieces(data), headers=sent)
            assert answer.status_code == 204, answer.text

        def by_form(form: dict[str, tuple[str, bytes]] = form) -> None:
            answer = http.post("/api/v1/music/upload/", files=form)
            assert answer.status_code == 202, answer.text

        times: dict[str, list[float]] = {"sink": [], "tus": [], "form": []}
        for _ in range(ROUNDS):
            times["sink"].append(timed(to_sink))
            times["tus"].append(timed(by_tus))
            times["form"].append(timed(by_form))
        baseline = size / 1e6 / quantile(times["sink"], 0.5)
        for way in ("tus", "form"):
            rate = size / 1e6 / quantile(times[way], 0.5)
            metrics[f"{way}, {label}"] = Metric(rate, "MB/s, beside the sink", baseline)
    return metrics


async def main() -> None:
    """Run it against an api process on a database of its own."""
    server = start_postgres()
    try:
        migrate(server.admin_url, server.app_url)
        with cloned_database(server) as (admin_url, app_url), tempfile.TemporaryDirectory() as home:
            settings = make_settings(Path(home), app_url, admin_url)
            async with World.open(settings) as world:
                tenant = await world.tenant()
            port, sink_port = process.free_port(), process.free_port()
            env = {
                **os.environ, "S2G_ENV": "dev", "S2G_DATA_DIR": home, "S2G_SECRET_KEY": SECRET,
                "S2G_DATABASE_URL": app_url, "S2G_HTTP_PORT": str(port), "S2G_RATE_UPLOADS": "off",
                "S2G_LOG_LEVEL": "warning",
            }  # fmt: skip
            command = [sys.executable, "-m", "sync2gear_platform", "api"]
            api = Program("api", command, env, Path(home) / "api.log")
            sink = Process(target=serve, args=(sink_port, Path(home)), daemon=True)
            api.start()
            sink.start()
            try:
                wait_until(lambda: process.answers(port), "the api answers")
                wait_until(lambda: process.answers(sink_port), "the sink answers")
                headers = {"Authorization": tenant.http.headers["authorization"]}
                base = f"http://127.0.0.1:{port}"
                with httpx2.Client(base_url=base, headers=headers, timeout=120) as http:
                    metrics = compare(http, f"http://127.0.0.1:{sink_port}/")
            finally:
                api.kill()
                sink.terminate()
        report("upload", metrics, f"median of {ROUNDS}, one sender, synced to disk")
    finally:
        server.stop()


if __name__ == "__main__":
    asyncio.run(main())
