"""Reports of errors to a Sentry that is a socket of ours: that they come, and what is left out."""

import gzip
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import sentry_sdk
from fastapi import APIRouter, Request

from support.stack import wait_until
from support.world import SECRET, World
from sync2gear_platform.kit import log, reports
from sync2gear_platform.kit.web import unguarded

CANARY = "canary-4711"


@dataclass
class Sink:
    """What was sent to it."""

    dsn: str = ""
    bodies: list[bytes] = field(default_factory=list)

    def events(self) -> list[dict[str, Any]]:
        """The events of all envelopes: a head, then pairs of an item's head and its payload."""
        found = []
        for body in self.bodies:
            lines = body.split(b"\n")
            for head, payload in zip(lines[1::2], lines[2::2], strict=False):
                if json.loads(head).get("type") == "event":
                    found.append(json.loads(payload))
        return found


@contextmanager
def sentry() -> Iterator[Sink]:
    """A server that takes envelopes."""
    sink = Sink()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            sink.bodies.append(body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        sink.dsn = f"http://public@127.0.0.1:{server.server_port}/1"
        yield sink
        server.shutdown()
        thread.join()


async def test_a_bug_is_reported_by_its_place_and_trace_and_nothing_else(world: World) -> None:
    router = APIRouter()

    @router.post("/api/v1/bug/", dependencies=[unguarded()])
    async def bug(request: Request) -> None:
        local = (await request.body()).decode()
        raise ZeroDivisionError(f"{CANARY} {local}")

    world.app.router.routes.insert(0, router.routes[0])
    acme = await world.tenant()
    with sentry() as sink:
        report = reports.start(sink.dsn, "test")
        log.configure(level="info", json=True, report=report)
        try:
            answer = await acme.http.post(
                "/api/v1/bug/",
                params={"q": CANARY},
                json={"password": CANARY},
                headers={"User-Agent": CANARY, "Cookie": f"session={CANARY}"},
            )
            log.get("test").error("an error without an exception", detail=CANARY)
            error = KeyError(CANARY)
            logging.getLogger("somebody.else").error("elsewhere %s", CANARY, exc_info=error)
            sentry_sdk.flush(10)
        finally:
            sentry_sdk.get_client().close()
            log.configure(level="info", json=True)
        bug_event, other = sink.events()
    assert bug_event["tags"] == {"trace": answer.json()["trace"]}
    [told] = bug_event["exception"]["values"]
    assert told["type"] == "ZeroDivisionError"
    last = told["stacktrace"]["frames"][-1]
    assert (last["function"], Path(last["abs_path"]).name) == ("bug", Path(__file__).name)
    assert bug_event["environment"] == "test"
    assert bug_event["release"].startswith("sync2gear-platform@")
    assert [v["type"] for v in other["exception"]["values"]] == ["KeyError"]
    everything = b"".join(sink.bodies).decode()
    assert CANARY not in everything
    assert acme.email not in everything
    assert str(acme.id) not in everything
    assert os.uname().nodename not in everything


def test_the_canaries_would_be_found_in_what_sentry_sends_by_itself() -> None:
    with sentry() as sink:
        sentry_sdk.init(sink.dsn, default_integrations=False)
        sentry_sdk.capture_exception(ValueError(CANARY))
        sentry_sdk.flush(10)
        sentry_sdk.get_client().close()
    assert CANARY in b"".join(sink.bodies).decode()


def run(code: list[str], folder: Path, dsn: str) -> "subprocess.CompletedProcess[str]":
    env = {
        **os.environ,
        "S2G_ENV": "dev",
        "S2G_DATA_DIR": str(folder),
        "S2G_SECRET_KEY": SECRET,
        "S2G_DATABASE_URL": f"postgresql://somebody:{CANARY}@127.0.0.1:1/nowhere",
        "S2G_SENTRY_DSN": dsn,
    }
    return subprocess.run(
        [sys.executable, *code], env=env, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_program_that_crashes_is_reported(tmp_path: Path) -> None:
    with sentry() as sink:
        done = run(["-m", "sync2gear_platform", "migrate"], tmp_path, sink.dsn)
        assert done.returncode == 1
        wait_until(sink.events, "the report came", 10)
        assert sink.events()[0]["exception"]["values"][-1]["type"] == "OperationalError"
        assert CANARY not in b"".join(sink.bodies).decode()


def test_without_the_package_it_says_what_to_install(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['sentry_sdk'] = None; sys.argv = ['x', 'migrate'];"
        "from sync2gear_platform.__main__ import main; main()"
    )
    done = run(["-c", code], tmp_path, "http://public@127.0.0.1:1/1")
    assert done.returncode == 1
    assert "pip install 'sync2gear-platform[sentry]'" in done.stderr
    assert "Traceback" not in done.stderr
