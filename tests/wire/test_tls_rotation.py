"""TLS of api and broker with real processes: nobody notices a renewal, nor a roll of the root."""

import asyncio
import gc
import http.client
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from support.services import MosquittoServer, PostgresServer, open_folder
from support.stack import Program
from support.world import SECRET
from sync2gear_broker import topics
from sync2gear_cli.services import process
from sync2gear_cli.services.listener import TlsListener
from sync2gear_cli.services.mosquitto import Mosquitto, password_line
from sync2gear_cli.services.process import ServiceError
from sync2gear_cli.tls import authority
from sync2gear_platform.kit import mqtt

CLIENT = "0190aaaa-0000-7000-8000-000000000001"
DEVICE = f"{CLIENT}/0190aaaa-0000-7000-8000-00000000000d"
OTHER = f"{CLIENT}/0190aaaa-0000-7000-8000-00000000000e"
VISITORS = 8


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An authority with certificates for both servers."""
    authority.ready(tmp_path / "tls", now())
    return tmp_path / "tls"


def renew(folder: Path) -> str:
    """New certificates; the serial number of the api's."""
    made = authority.issue(folder, authority.SERVERS, now(), days=90)
    return f"{made[0].certificate.serial_number:X}"


def bundle(folder: Path) -> str:
    return authority.trust_file(folder).read_text()


class Crowd:
    """Threads that visit a server over and over, each time over a new connection."""

    def __init__(self, visit: Callable[[], str], visitors: int = VISITORS) -> None:
        self.failures: list[str] = []
        self.visits: list[tuple[int, str]] = []
        self._visit = visit
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._go) for _ in range(visitors)]

    def __enter__(self) -> "Crowd":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(20)

    def _go(self) -> None:
        while not self._over.is_set():
            try:
                before = len(self.visits)
                self.visits.append((before, self._visit()))
            except Exception as error:  # noqa: BLE001 - each failure is what is counted
                self.failures.append(repr(error))

    @property
    def seen(self) -> set[str]:
        return {serial for _, serial in self.visits}

    def sees(self, serial: str) -> None:
        """Wait until a visitor was shown this certificate; nobody who comes later sees another."""
        assert process.wait_until(lambda: serial in self.seen, 20, 0.02)
        count = len(self.visits)
        assert process.wait_until(lambda: len(self.visits) > count + 3 * VISITORS, 20, 0.02)
        assert {shown for before, shown in self.visits if before >= count} == {serial}


# -- the api ----------------------------------------------------------------------------------


@pytest.fixture
def api(postgres: PostgresServer, folder: Path, tmp_path: Path) -> Iterator[Program]:
    env = {
        **os.environ,
        "S2G_ENV": "dev",
        "S2G_DATA_DIR": str(tmp_path),
        "S2G_SECRET_KEY": SECRET,
        "S2G_DATABASE_URL": postgres.app_url,
        "S2G_HTTP_PORT": str(process.free_port()),
        "S2G_HTTPS_PORT": str(process.free_port()),
        "S2G_TLS_CERT": str(folder / "api.crt"),
        "S2G_TLS_KEY": str(folder / "api.key"),
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-m", "sync2gear_platform", "api"]
    program = Program("api", command, env, tmp_path / "api.log")
    program.start()
    port = int(env["S2G_HTTPS_PORT"])
    assert process.wait_until(lambda: process.answers(port) or not program.running, 60, 0.05)
    assert program.running, program.tail()
    yield program
    program.stop()


def https(api: Program, trust: str, host: str = "127.0.0.1") -> http.client.HTTPSConnection:
    context = ssl.create_default_context(cadata=trust)
    return http.client.HTTPSConnection(
        host, int(api.env["S2G_HTTPS_PORT"]), timeout=20, context=context
    )


def ask(link: http.client.HTTPConnection) -> int:
    link.request("GET", "/api/v1/health/")
    answer = link.getresponse()
    answer.read()
    return answer.status


def shown(link: http.client.HTTPSConnection) -> str:
    assert isinstance(link.sock, ssl.SSLSocket)
    return str((link.sock.getpeercert() or {})["serialNumber"]).lstrip("0")


def test_nobody_notices_that_the_apis_certificate_is_renewed(api: Program, folder: Path) -> None:
    trust = bundle(folder)

    def visit() -> str:
        link = https(api, trust)
        try:
            assert ask(link) == 200
            return shown(link)
        finally:
            link.close()

    kept = https(api, trust)
    assert ask(kept) == 200
    first = shown(kept)

    def stay() -> str:
        threading.Event().wait(0.1)
        assert ask(kept) == 200
        return shown(kept)

    with Crowd(stay, 1) as regular, Crowd(visit) as crowd:
        for _ in range(3):
            crowd.sees(renew(folder))
    assert crowd.failures == regular.failures == []
    assert len(crowd.seen) >= 3
    assert regular.seen == {first}
    kept.close()


def test_half_of_a_new_pair_is_never_shown(api: Program, folder: Path) -> None:
    trust = bundle(folder)
    first = https(api, trust)
    assert ask(first) == 200
    authority.ready(folder.with_name("other"), now())
    shutil.copy(folder.with_name("other") / "api.key", folder / "api.key")
    assert process.wait_until(lambda: "tls.not_reloaded" in api.tail(), 10, 0.05)
    second = https(api, trust)
    assert ask(second) == 200
    assert shown(second) == shown(first)
    serial = renew(folder)
    assert process.wait_until(lambda: "tls.reloaded" in api.tail(), 10, 0.05)
    third = https(api, trust)
    assert ask(third) == 200
    assert shown(third) == serial
    for link in (first, second, third):
        link.close()


def test_a_roll_of_the_root_is_safe_for_those_with_the_bundle_only(
    api: Program, folder: Path
) -> None:
    old = bundle(folder)
    authority.prepare_roll(folder, now(), days=100)
    both = bundle(folder)

    def visit() -> str:
        link = https(api, both)
        try:
            assert ask(link) == 200
            return shown(link)
        finally:
            link.close()

    with Crowd(visit) as crowd:
        made = authority.switch_roll(folder, now(), days=90)
        crowd.sees(f"{made[0].certificate.serial_number:X}")
    assert crowd.failures == []
    late = https(api, old)
    with pytest.raises(ssl.SSLCertVerificationError):
        ask(late)
    late.close()
    authority.finish_roll(folder)
    in_time = https(api, bundle(folder))
    assert ask(in_time) == 200
    in_time.close()


def test_a_stranger_and_an_old_protocol_are_refused(api: Program, folder: Path) -> None:
    nobody = https(api, bundle(folder))
    nobody._context = ssl.create_default_context()  # type: ignore[attr-defined]  # the system's
    with pytest.raises(ssl.SSLCertVerificationError):
        ask(nobody)
    nobody.close()
    done = subprocess.run(
        ["openssl", "s_client", "-tls1_1", "-connect", f"127.0.0.1:{api.env['S2G_HTTPS_PORT']}"],
        input=b"", capture_output=True, check=False, timeout=20,
    )  # fmt: skip
    assert done.returncode != 0


def test_http_still_answers_beside_it(api: Program) -> None:
    link = http.client.HTTPConnection("127.0.0.1", int(api.env["S2G_HTTP_PORT"]), timeout=20)
    assert ask(link) == 200
    link.close()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"S2G_TLS_KEY": ""}, "set both or neither"),
        ({"S2G_TLS_CERT": "/no/where.crt"}, "No such file"),
    ],
)
def test_what_cannot_work_is_said_at_the_start(
    folder: Path, more: dict[str, str], said: str
) -> None:
    env = {
        **os.environ, "S2G_ENV": "dev", "S2G_TLS_CERT": str(folder / "api.crt"),
        "S2G_TLS_KEY": str(folder / "api.key"), **more,
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "sync2gear_platform", "api"],
        env=env, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert said in done.stderr


# -- the broker -------------------------------------------------------------------------------


def start_broker(
    folder: Path, *, require: bool = False, host: str = process.LOOPBACK
) -> MosquittoServer:
    certificate, key = authority.server_files(folder, "broker")
    tls = TlsListener(
        process.free_port(),
        host,
        certificate,
        key,
        authority.trust_file(folder),
        require,
    )
    server = MosquittoServer(
        Mosquitto(open_folder("broker"), process.free_port(), process.free_port(), tls=tls)
    )
    server.start()
    register(server, DEVICE, OTHER)
    return server


def register(broker: MosquittoServer, *names: str) -> None:
    text = "".join(password_line(name, "secret") + "\n" for name in names)
    process.write_file(broker.password_file, text, 0o640, process.account("mosquitto"))
    broker.reload()


@pytest.fixture
def broker(folder: Path) -> Iterator[MosquittoServer]:
    server = start_broker(folder)
    yield server
    server.stop()


class Speaker:
    """One MQTT connection of a device over TLS."""

    def __init__(
        self,
        broker: MosquittoServer,
        trust: str,
        name: str = DEVICE,
        own: tuple[Path, Path] | None = None,
    ) -> None:
        self.ended = threading.Event()
        self.code: int | None = None
        self.client = Client(
            CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTProtocolVersion.MQTTv5
        )
        context = ssl.create_default_context(cadata=trust)
        if own:
            context.load_cert_chain(*own)
        self.client.tls_set_context(context)
        self.client.username_pw_set(name, "secret")
        self.client.on_connect = self._connected
        self.client.on_disconnect = lambda *_: self.ended.set()
        self.port = broker.service.tls.port if broker.service.tls else 0

    def _connected(self, *arguments: object) -> None:
        self.code = int(arguments[3].value)  # type: ignore[attr-defined]  # paho's reason code

    def open(self, host: str = "127.0.0.1") -> int | None:
        self.client.connect(host, self.port)
        self.client.reconnect_delay_set(60)
        self.client.loop_start()
        process.wait_until(lambda: self.code is not None or self.ended.is_set(), 10)
        return self.code

    def serial(self) -> str:
        sock = self.client.socket()
        assert isinstance(sock, ssl.SSLSocket)
        return str((sock.getpeercert() or {})["serialNumber"]).lstrip("0")

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()
        if (sock := self.client.socket()) is not None:  # paho leaves one that was cut early
            sock.close()


def greet(broker: MosquittoServer, trust: str, host: str = process.LOOPBACK) -> None:
    """Shake hands and no more."""
    port = broker.service.tls.port if broker.service.tls else 0
    context = ssl.create_default_context(cadata=trust)
    with (
        socket.create_connection((host, port)) as link,
        context.wrap_socket(link, server_hostname=host),
    ):
        pass


def test_nobody_notices_that_the_brokers_certificate_is_renewed(
    broker: MosquittoServer, folder: Path
) -> None:
    trust = bundle(folder)
    kept = Speaker(broker, trust)
    assert kept.open() == 0

    def visit() -> str:
        one = Speaker(broker, trust, OTHER)
        one.client.connect("127.0.0.1", one.port)
        serial = one.serial()
        one.client.disconnect()
        return serial

    assert broker.service.refresh() is False
    with Crowd(visit) as crowd:
        for _ in range(3):
            made = authority.issue(folder, ["broker"], now(), days=90)
            assert broker.service.refresh()
            crowd.sees(f"{made[0].certificate.serial_number:X}")
    assert crowd.failures == []
    assert not kept.ended.is_set()
    kept.client.publish(f"{topics.ROOT}/{DEVICE}/up/hb", "still here", 1).wait_for_publish(5)
    kept.close()


def test_certificates_that_do_not_fit_do_not_reach_the_broker(
    broker: MosquittoServer, folder: Path
) -> None:
    authority.ready(folder.with_name("other"), now())
    shutil.copy(folder.with_name("other") / "broker.key", folder / "broker.key")
    with pytest.raises(ServiceError, match="mismatch"):
        broker.service.refresh()
    one = Speaker(broker, bundle(folder))
    assert one.open() == 0
    one.close()


def test_the_brokers_roll_is_safe_for_those_with_the_bundle_only(
    broker: MosquittoServer, folder: Path
) -> None:
    old = bundle(folder)
    authority.prepare_roll(folder, now(), days=100)
    both = bundle(folder)
    kept = Speaker(broker, old)
    assert kept.open() == 0
    made = authority.switch_roll(folder, now(), days=90)
    assert broker.service.refresh()
    serial = next(f"{m.certificate.serial_number:X}" for m in made if m.name == "broker")

    def rolled() -> bool:
        one = Speaker(broker, both, OTHER)
        code = one.open()
        found = code == 0 and one.serial() == serial
        one.close()
        return found

    assert process.wait_until(rolled, 10, 0.1)
    with pytest.raises(ssl.SSLCertVerificationError):
        greet(broker, old)
    assert not kept.ended.is_set()
    kept.close()


def test_a_device_over_tls_is_fenced_and_removed_like_any_other(
    broker: MosquittoServer, folder: Path
) -> None:
    one = Speaker(broker, bundle(folder))
    assert one.open() == 0
    register(broker, OTHER)
    assert one.ended.wait(5)
    one.close()
    again = Speaker(broker, bundle(folder))
    assert again.open() != 0
    again.close()


def test_a_broker_under_another_name_is_refused(folder: Path) -> None:
    broker = start_broker(folder, host="127.0.0.2")
    try:
        with pytest.raises(ssl.SSLCertVerificationError, match="IP address mismatch"):
            greet(broker, bundle(folder), "127.0.0.2")
    finally:
        broker.stop()


def test_where_certificates_are_required_a_secret_alone_opens_nothing(
    folder: Path, tmp_path: Path
) -> None:
    broker = start_broker(folder, require=True)
    try:
        own = (tmp_path / "device.crt", tmp_path / "device.key")
        for there, accepted in ((folder, True), (tmp_path / "strangers", False)):
            authority.ready(there, now())
            made = authority.device(there, DEVICE, now(), days=10)
            own[0].write_text(made.certificate_pem())
            own[1].write_text(made.key_pem())
            one = Speaker(broker, bundle(folder), own=own)
            assert (_code(one) == 0) is accepted
            one.close()
        one = Speaker(broker, bundle(folder))
        assert _code(one) != 0
        one.close()
        # a server's certificate is none of a device
        one = Speaker(broker, bundle(folder), own=authority.server_files(folder, "api"))
        assert _code(one) != 0
        one.close()
    finally:
        broker.stop()


def _code(one: Speaker) -> int | None:
    """What the broker answers; None where it does not get that far."""
    try:
        return one.open()
    except OSError:
        return None


# paho leaves the socket of a handshake that failed to the garbage collector
@pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl.SSLSocket")
def test_the_platform_reaches_a_broker_over_tls(broker: MosquittoServer, folder: Path) -> None:
    """``mqtts://`` in S2G_MQTT_URL, with the bundle of S2G_TLS_CA and without."""

    async def attempt(ca: Path | None) -> None:
        port = broker.service.tls.port if broker.service.tls else 0
        name = DEVICE.replace("/", "%2F")
        url = f"mqtts://{name}:secret@127.0.0.1:{port}"
        async with mqtt.session(url, client_id="x", heard=lambda _: None, ca=ca) as session:
            await session.publish(f"{topics.ROOT}/{DEVICE}/up/hb", b"hello", qos=1)

    asyncio.run(attempt(authority.trust_file(folder)))
    with pytest.raises(mqtt.BrokerLost):
        asyncio.run(attempt(None))
    with pytest.raises(mqtt.BrokerLost, match="cannot be read"):
        asyncio.run(attempt(folder / "none.pem"))
    gc.collect()
