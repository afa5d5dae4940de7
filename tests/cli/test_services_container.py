"""The container's broker script with a real Mosquitto: it renders, reloads, guards and ends."""

import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.services import open_folder
from sync2gear_cli.services import process
from sync2gear_cli.services.mosquitto import connect_code, password_line

FILES = Path(__file__).parents[2] / "mosquitto"
DEVICE = "0190aaaa-0000-7000-8000-000000000001/0190aaaa-0000-7000-8000-00000000000d"


@dataclass
class Container:
    """A folder that stands for the container's volumes, and two ports."""

    root: Path
    device_port: int
    platform_port: int

    def environment(self) -> dict[str, str]:
        return {
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
