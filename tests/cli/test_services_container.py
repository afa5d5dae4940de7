"""The container's broker script with a real Mosquitto: it renders, reloads, guards and ends."""

import os
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from support.mqtt_raw import Raw, publish, subscribe
from support.services import open_folder
from sync2gear_broker import access, topics
from sync2gear_cli.services import process
from sync2gear_cli.services.mosquitto import connect_code, password_line
from sync2gear_cli.tls import authority

FILES = Path(__file__).parents[2] / "mosquitto"
DEVICE = "0190aaaa-0000-7000-8000-000000000001/0190aaaa-0000-7000-8000-00000000000d"


@dataclass
class Container:
    """A folder that stands for the container's volumes, and two ports."""

    root: Path
    device_port: int
    platform_port: int
    tls_port: int = 0
    tls: Path | None = None

    def environment(self) -> dict[str, str]:
        over_tls = {}
        if self.tls is not None:
            certificate, key = authority.server_files(self.tls, "broker")
            over_tls = {
                "S2G_MQTT_TLS_PORT": str(self.tls_port),
                "S2G_TLS_CERT": str(certificate),
                "S2G_TLS_KEY": str(key),
                "S2G_TLS_CA": str(authority.trust_file(self.tls)),
            }
        return {
            **over_tls,
            **os.environ,
            "S2G_BROKER_FILES": str(FILES),
            "S2G_BROKER_DIR": str(self.root),
            "S2G_MQTT_HOST": process.LOOPBACK,
            "S2G_MQTT_DEVICE_PORT": str(self.device_port),
            "S2G_MQTT_PLATFORM_PORT": str(self.platform_port),
            "S2G_MQTT_PLATFORM_PASSWORD": "secret",
        }

    def start(self) -> "subprocess.Popen[bytes]":
        child = subprocess.Popen(
            ["sh", str(FILES / "entrypoint.sh")], env=self.environment(), process_group=0
        )
        assert process.wait_until(lambda: self.platform_code() == 0, 10, 0.05)
        return child

    def platform_code(self) -> int | None:
        return connect_code(self.platform_port, "platform", "secret")

    def device_code(self) -> int | None:
        return connect_code(self.device_port, DEVICE, "password")


@pytest.fixture
def container() -> Iterator[Container]:
    container = Container(open_folder(), process.free_port(), process.free_port())
    yield container
    pid_file = container.root / "data" / "pid"
    if pid_file.exists() and process.is_alive(int(pid_file.read_text())):
        os.kill(int(pid_file.read_text()), signal.SIGKILL)


def test_accounts_that_the_platform_writes_are_loaded(container: Container) -> None:
    child = container.start()
    assert container.device_code() == 5
    new = container.root / "accounts" / "devices.new"
    new.write_text(password_line(DEVICE, "password") + "\n")
    new.chmod(0o640)
    new.replace(container.root / "accounts" / "devices")
    assert process.wait_until(lambda: container.device_code() == 0, 10, 0.05)
    assert process.stop(child, signal.SIGTERM, 10) == 0
    assert not process.answers(container.platform_port)


def test_sections_that_the_platform_writes_are_loaded_and_kept(container: Container) -> None:
    account = "0190aaaa-0000-7000-8000-0000000000ac"
    client = DEVICE.partition("/")[0]
    name, topic = topics.integration_username(account), f"s2g/1/{client}/_z/x/desired"
    child = container.start()
    with Raw(container.platform_port, "platform", "secret", "test") as platform:
        platform.send(publish(topic, b"{}", retain=True))
        assert platform.ping()
    rules = container.root / "accounts" / "acl"
    whole = access.acl_file(["platform"], [(client, account)])
    for path, text in ((rules, whole), (rules.with_name("devices"), password_line(name, "s"))):
        draft = path.with_name(f"{path.name}.new")
        draft.write_text(f"{text}\n")
        draft.chmod(0o640)
        draft.replace(path)

    def hears() -> bool:
        ears = Raw(container.device_port, name, "s")
        if ears.code == 0:
            ears.send(subscribe("#", 0))
            ears.ping()
            ears.close()
        return [h.topic for h in ears.heard] == [topic]

    assert process.wait_until(hears, 10, 0.05)
    assert process.stop(child, signal.SIGTERM, 10) == 0
    child = container.start()
    assert hears()
    assert process.stop(child, signal.SIGTERM, 10) == 0


def test_a_renewed_certificate_is_shown(container: Container) -> None:
    container.tls, container.tls_port = container.root / "tls", process.free_port()
    now = datetime.now(UTC)
    authority.ready(container.tls, now)
    trust = authority.trust_file(container.tls).read_text()

    def serial() -> str:
        context = ssl.create_default_context(cadata=trust)
        with (
            socket.create_connection((process.LOOPBACK, container.tls_port)) as link,
            context.wrap_socket(link, server_hostname=process.LOOPBACK) as safe,
        ):
            return str((safe.getpeercert() or {})["serialNumber"]).lstrip("0")

    child = container.start()
    first = serial()
    made = authority.issue(container.tls, ["broker"], now, days=90)
    wanted = f"{made[0].certificate.serial_number:X}"
    assert first != wanted
    assert process.wait_until(lambda: serial() == wanted, 15, 0.1)
    pair = container.root / "accounts" / "pair.pem"
    assert pair.stat().st_mode & 0o777 == 0o640
    assert process.stop(child, signal.SIGTERM, 10) == 0


def test_a_bad_store_is_moved_aside(container: Container) -> None:
    store = container.root / "data" / "mosquitto.db"
    store.parent.mkdir()
    store.write_bytes(b"garbage" * 100)
    child = container.start()
    assert store.with_name("mosquitto.db.damaged").exists()
    assert process.stop(child, signal.SIGTERM, 10) == 0


def test_the_placeholder_is_refused(container: Container) -> None:
    environment = container.environment() | {"S2G_MQTT_PLATFORM_PASSWORD": "change-me"}
    done = subprocess.run(
        ["sh", str(FILES / "entrypoint.sh")],
        env=environment, capture_output=True, text=True, timeout=10, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "placeholder" in done.stderr


def test_the_end_of_the_broker_is_the_end_of_the_container(container: Container) -> None:
    child = container.start()
    os.kill(int((container.root / "data" / "pid").read_text()), signal.SIGKILL)
    assert child.wait(10) == 128 + signal.SIGKILL
