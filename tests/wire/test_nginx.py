"""The product's file for nginx, live: redirect, sign-in, WebSocket, streamed uploads, who calls."""

import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from support.proxy import Nginx, configure, program, run_nginx
from support.services import PostgresServer, open_folder
from support.stack import Program
from support.world import PASSWORD, SECRET, Tenant, World, cloned_database, make_settings
from sync2gear_cli.services import process
from sync2gear_cli.tls import authority

CALLER = "127.0.0.5"
LIE = "203.0.113.9"


@pytest.fixture(scope="module")
def folder() -> Path:
    place = open_folder("nginx-tls")
    authority.ready(place, datetime.now(UTC))
    return place


@dataclass
class Site:
    """nginx before an api of its own, and a client of the platform's with its manager."""

    nginx: Nginx
    tenant: Tenant
    context: ssl.SSLContext

    def open(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(
            "localhost", self.nginx.https, timeout=20, context=self.context,
            source_address=(CALLER, 0),
        )  # fmt: skip

    def ask(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        link = self.open()
        try:
            sent = None if body is None else json.dumps(body)
            link.request(method, path, sent, {"Content-Type": "application/json", **headers})
            answer = link.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, told, answer.read()
        finally:
            link.close()

    def sign_in(self) -> str:
        login = {"email": self.tenant.email, "password": PASSWORD}
        status, _, body = self.ask("POST", "/api/v1/auth/login/", login)
        assert status == 200, body
        return str(json.loads(body)["access"])


@pytest.fixture
async def site(postgres: PostgresServer, folder: Path, tmp_path: Path) -> AsyncIterator[Site]:
    with cloned_database(postgres) as (admin_url, app_url):
        async with World.open(make_settings(tmp_path, app_url, admin_url)) as world:
            tenant = await world.tenant()
            port = process.free_port()
            env = {
                **os.environ,
                "S2G_ENV": "dev",
                "S2G_DATA_DIR": str(tmp_path),
                "S2G_SECRET_KEY": SECRET,
                "S2G_DATABASE_URL": app_url,
                "S2G_HTTP_PORT": str(port),
                "S2G_PUBLIC_URL": "https://localhost",
                "S2G_TRUSTED_PROXIES": "127.0.0.1",
                "S2G_ARGON2_MEMORY_KIB": "1024",
            }
            command = [sys.executable, "-m", "sync2gear_platform", "api"]
            api = Program("api", command, env, tmp_path / "api.log")
            api.start()
            try:
                assert process.wait_until(lambda: process.answers(port), 60, 0.05), api.tail()
                with run_nginx(port, *authority.server_files(folder, "api")) as nginx:
                    trust = authority.trust_file(folder).read_text()
                    yield Site(nginx, tenant, ssl.create_default_context(cadata=trust))
            finally:
                api.stop()


async def test_the_whole_product_through_it(site: Site) -> None:
    # HTTP leads to HTTPS, the path and its query with it
    plain = http.client.HTTPConnection("localhost", site.nginx.http, timeout=20)
    plain.request("GET", "/zones?x=1")
    moved = plain.getresponse()
    plain.close()
    assert (moved.status, moved.getheader("Location")) == (308, "https://localhost/zones?x=1")

    # what is announced to browsers, once each
    status, told, _ = site.ask("GET", "/api/v1/health/")
    assert status == 200
    assert told["strict-transport-security"] == "max-age=31536000"
    assert told["x-content-type-options"] == "nosniff"
    assert "nginx/" not in told["server"]

    # who calls: the address that nginx saw, whatever the caller says of itself
    bearer = {"Authorization": f"Bearer {site.sign_in()}"}
    lies = {
        "X-Forwarded-For": LIE, "X-Real-IP": LIE, "Forwarded": f"for={LIE}",
        "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http",
    }  # fmt: skip
    place = {"name": "Harbour", "timezone": "Europe/Berlin"}
    status, _, body = site.ask("POST", "/api/v1/locations/", place, **bearer, **lies)
    assert status == 201, body
    trail = json.loads(site.ask("GET", "/api/v1/audit/?page_size=50", **bearer)[2])
    mine = [one for one in trail["results"] if one["after"] and "Harbour" in str(one["after"])]
    assert [one["address"] for one in mine] == [CALLER]

    # WebSocket, from a page of this very site and from no other
    url = f"wss://localhost:{site.nginx.https}/ws/playback/"
    for origin, first in ((f"https://localhost:{site.nginx.https}", "snapshot"), ("https://x", "")):
        try:
            async with connect(
                url, ssl=site.context, additional_headers={"Origin": origin}
            ) as live:
                await live.send(json.dumps({"type": "auth", "token": bearer["Authorization"][7:]}))
                kind = json.loads(await live.recv())["type"]
        except Exception:  # noqa: BLE001 - refused before or after the handshake: both are refusals
            kind = ""
        assert kind == first, origin

    # files of the dashboard come from nginx where it has them, and else from the api
    (site.nginx.web / "assets").mkdir()
    (site.nginx.web / "assets" / "app-1a2b.js").write_text("1")
    status, told, body = site.ask("GET", "/assets/app-1a2b.js")
    assert (status, body) == (200, b"1")
    assert told["cache-control"] == "public, max-age=31536000, immutable"
    assert "strict-transport-security" in told


def test_the_file_as_it_stands_is_what_nginx_reads(folder: Path) -> None:
    place = open_folder("nginx-t")
    configure(place, 8080, *authority.server_files(folder, "api"))
    command = [program(), "-p", str(place), "-c", str(place / "nginx.conf"), "-t"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr
    broken = place / "sync2gear.conf"
    broken.write_text(broken.read_text().replace("proxy_pass", "proxy_past", 1))
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1


# -- an upstream that says what reaches it -------------------------------------------------------


class Upstream:
    """A server for one request, which keeps what has arrived so far."""

    def __init__(self) -> None:
        self.received = b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        link, _ = self.listener.accept()
        with link:
            while b"END" not in self.received[-8:]:
                part = link.recv(65536)
                if not part:
                    return
                self.received += part
            link.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    def close(self) -> None:
        self.listener.close()


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    one = Upstream()
    yield one
    one.close()


def test_an_upload_streams(upstream: Upstream, folder: Path) -> None:
    size, half = 8_000_000, 4_000_000
    trust = authority.trust_file(folder).read_text()
    context = ssl.create_default_context(cadata=trust)
    with run_nginx(upstream.port, *authority.server_files(folder, "api")) as nginx:
        link = http.client.HTTPSConnection("localhost", nginx.https, timeout=20, context=context)
        link.putrequest("POST", "/api/v1/music/")
        link.putheader("Content-Length", str(size))
        link.endheaders()
        link.send(b"x" * half)
        # half of it has reached the api before the other half was sent
        assert process.wait_until(lambda: len(upstream.received) > half, 20, 0.02)
        link.send(b"x" * (size - half - 3) + b"END")
        assert link.getresponse().status == 204
        link.close()
        assert not list((nginx.folder / "body").rglob("*.*"))
        head = upstream.received.partition(b"\r\n\r\n")[0].decode().lower()
        assert "x-forwarded-for: 127.0.0.1" in head
        assert "x-forwarded-proto: https" in head


def test_what_is_no_upload_is_small(folder: Path, upstream: Upstream) -> None:
    trust = authority.trust_file(folder).read_text()
    context = ssl.create_default_context(cadata=trust)
    with run_nginx(upstream.port, *authority.server_files(folder, "api")) as nginx:
        for path in ("/", "/ws/playback/", "/assets/x"):
            link = http.client.HTTPSConnection(
                "localhost", nginx.https, timeout=20, context=context
            )
            link.putrequest("POST", path)
            link.putheader("Content-Length", "2000000")
            link.endheaders()
            assert link.getresponse().status == 413, path
            link.close()
    assert upstream.received == b""


def test_old_protocols_are_refused(folder: Path, upstream: Upstream) -> None:
    with run_nginx(upstream.port, *authority.server_files(folder, "api")) as nginx:
        for version, accepted in (("-tls1_1", False), ("-tls1_2", True), ("-tls1_3", True)):
            done = subprocess.run(
                ["openssl", "s_client", version, "-connect", f"127.0.0.1:{nginx.https}"],
                input=b"", capture_output=True, check=False, timeout=20,
            )  # fmt: skip
            assert (b"BEGIN CERTIFICATE" in done.stdout) is accepted, version
