"""A private Mosquitto: who gets in, what a bad store does, what restarts and reloads keep."""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from support.services import MosquittoServer, open_folder, start_mosquitto
from sync2gear_broker import access
from sync2gear_cli.services import process
from sync2gear_cli.services.mosquitto import Mosquitto, connect_code, password_line
from sync2gear_cli.services.process import ServiceError

CLIENT = "0190aaaa-0000-7000-8000-000000000001"
DEVICE = f"{CLIENT}/0190aaaa-0000-7000-8000-00000000000d"
OTHER = f"{CLIENT}/0190aaaa-0000-7000-8000-00000000000e"
GENERATION = "s2g/1/_sys/gen"


@pytest.fixture
def broker() -> Iterator[MosquittoServer]:
    server = start_mosquitto()
    yield server
    server.stop()


def register(broker: MosquittoServer, *names: str) -> None:
    """Give these devices the password ``secret`` the way the platform does."""
    text = "".join(password_line(name, "secret") + "\n" for name in names)
    temporary = broker.password_file.with_name("new")
    temporary.write_text(text)
    temporary.chmod(0o640)
    temporary.replace(broker.password_file)
    broker.reload()


class Link:
    """One MQTT 5 connection with what it received."""

    def __init__(self, url: str, username: str, password: str, client_id: str = "") -> None:
        self.received: list[MQTTMessage] = []
        self.code: int | None = None
        self.ended = threading.Event()
        self.client = Client(
            CallbackAPIVersion.VERSION2, client_id or username, protocol=MQTTProtocolVersion.MQTTv5
        )
        self.client.username_pw_set(username, password)
        self.client.on_connect = self._connected
        self.client.on_message = lambda _client, _data, message: self.received.append(message)
        self.client.on_disconnect = lambda *_: self.ended.set()
        self._url = urlsplit(url)

    def _connected(self, *arguments: Any) -> None:
        self.code = arguments[3].value

    def open(self, expiry: int = 0) -> int:
        """Connect; the reason code of CONNACK (0: accepted)."""
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = expiry
        assert self._url.hostname
        assert self._url.port
        self.client.connect(
            self._url.hostname, self._url.port, clean_start=expiry == 0, properties=properties
        )
        self.client.loop_start()
        eventually(lambda: self.code is not None)
        assert self.code is not None
        return self.code

    def subscribe(self, topic: str) -> None:
        done = threading.Event()
        self.client.on_subscribe = lambda *_: done.set()
        self.client.subscribe(topic, 1)
        assert done.wait(5)

    def publish(self, topic: str, payload: str, *, retain: bool = False) -> None:
        self.client.publish(topic, payload, 1, retain).wait_for_publish(5)

    def cut(self) -> None:
        """Lose the network without a word."""
        sock = self.client.socket()
        assert sock is not None
        sock.shutdown(socket.SHUT_RDWR)
        self.client.disconnect()

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def eventually(reached: Callable[[], bool], seconds: float = 5) -> None:
    assert process.wait_until(reached, seconds)


@contextmanager
def platform(broker: MosquittoServer, client_id: str = "leader") -> Iterator[Link]:
    url = urlsplit(broker.platform_url)
    link = Link(broker.platform_url, str(url.username), str(url.password), client_id)
    assert link.open() == 0
    try:
        yield link
    finally:
        link.close()


def test_only_known_accounts_enter_and_only_at_their_own_listener(broker: MosquittoServer) -> None:
    register(broker, DEVICE)
    url = urlsplit(broker.platform_url)
    secret = str(url.password)
    device_port, platform_port = broker.service.device_port, broker.service.platform_port
    eventually(lambda: connect_code(device_port, DEVICE, "secret") == 0)
    assert connect_code(device_port, DEVICE, "wrong") == 5
    assert connect_code(device_port, "", "") == 5
    assert connect_code(device_port, "platform", secret) == 5
    assert connect_code(platform_port, DEVICE, "secret") == 5
    assert connect_code(platform_port, "platform", secret) == 0


def test_a_device_reads_and_writes_its_own_topics_only(broker: MosquittoServer) -> None:
    register(broker, DEVICE, OTHER)
    eventually(lambda: connect_code(broker.service.device_port, OTHER, "secret") == 0)
    device = Link(broker.device_url, DEVICE, "secret")
    assert device.open() == 0
    device.subscribe("#")
    with platform(broker) as server:
        server.subscribe("s2g/1/#")
        server.publish(f"s2g/1/{OTHER}/dn/zone", "theirs")
        server.publish(f"s2g/1/{CLIENT}/_z/x/desired", "not for devices")
        server.publish(f"s2g/1/{DEVICE}/dn/zone", "mine")
        device.publish(f"s2g/1/{OTHER}/up/status", "forged")
        device.publish(f"s2g/1/{DEVICE}/up/status", "honest")
        eventually(lambda: bool(device.received) and len(server.received) == 4)
        assert [message.payload for message in device.received] == [b"mine"]
        assert b"forged" not in [message.payload for message in server.received]
    device.close()


def test_nobody_takes_over_a_device_by_its_client_id(broker: MosquittoServer) -> None:
    register(broker, DEVICE, OTHER)
    eventually(lambda: connect_code(broker.service.device_port, OTHER, "secret") == 0)
    victim = Link(broker.device_url, DEVICE, "secret", DEVICE)
    assert victim.open() == 0
    thief = Link(broker.device_url, OTHER, "secret", DEVICE)
    assert thief.open() == 0
    victim.subscribe(f"s2g/1/{DEVICE}/dn/#")
    with platform(broker) as server:
        server.publish(f"s2g/1/{DEVICE}/dn/zone", "still here")
        eventually(lambda: len(victim.received) == 1)
    assert not victim.ended.is_set()
    thief.close()
    victim.close()


def test_a_removed_device_is_disconnected_at_once(broker: MosquittoServer) -> None:
    register(broker, DEVICE, OTHER)
    eventually(lambda: connect_code(broker.service.device_port, DEVICE, "secret") == 0)
    revoked, kept = (Link(broker.device_url, name, "secret") for name in (DEVICE, OTHER))
    assert (revoked.open(), kept.open()) == (0, 0)
    began = time.monotonic()
    register(broker, OTHER)
    assert revoked.ended.wait(5)
    assert time.monotonic() - began < 2
    assert connect_code(broker.service.device_port, DEVICE, "secret") == 5
    assert not kept.ended.is_set()
    revoked.close()
    kept.close()


def test_a_late_will_and_a_durable_session_work_at_the_device_listener(
    broker: MosquittoServer,
) -> None:
    register(broker, DEVICE)
    eventually(lambda: connect_code(broker.service.device_port, DEVICE, "secret") == 0)
    device = Link(broker.device_url, DEVICE, "secret")
    delay = Properties(PacketTypes.WILLMESSAGE)
    delay.WillDelayInterval = 1
    device.client.will_set(f"s2g/1/{DEVICE}/up/status", "lost", 1, True, delay)
    assert device.open(expiry=300) == 0
    device.subscribe(f"s2g/1/{DEVICE}/dn/#")
    with platform(broker) as server:
        server.subscribe(f"s2g/1/{DEVICE}/up/status")
        device.cut()
        eventually(lambda: [m.payload for m in server.received] == [b"lost"], 8)
        server.publish(f"s2g/1/{DEVICE}/dn/cmd", "while you were out")
    device.close()
    broker.restart()
    again = Link(broker.device_url, DEVICE, "secret")
    assert again.open(expiry=300) == 0
    eventually(lambda: [m.payload for m in again.received] == [b"while you were out"])
    again.close()


def test_messages_above_the_limit_are_refused(broker: MosquittoServer) -> None:
    with platform(broker) as server, platform(broker, "reader") as reader:
        reader.subscribe("s2g/1/#")
        server.publish(GENERATION, "x" * 65_536)
        eventually(lambda: len(reader.received) == 1)
        server.client.publish(GENERATION, "x" * 65_537, 1)
        assert server.ended.wait(5) or not reader.received[1:]
        assert len(reader.received) == 1


@pytest.mark.parametrize("damage", ["garbage", "truncated", "empty", "deleted", "bit flipped"])
def test_a_bad_store_never_keeps_the_broker_down(broker: MosquittoServer, damage: str) -> None:
    with platform(broker) as server:
        for number in range(50):
            server.publish(f"s2g/1/{CLIENT}/_z/{number}/desired", "state" * 40, retain=True)
    broker.stop()
    good = broker.store.read_bytes()
    if damage == "deleted":
        broker.store.unlink()
    else:
        broker.store.write_bytes(
            {
                "garbage": b"\xff garbage" * 500,
                "truncated": good[: len(good) // 2],
                "empty": b"",
                "bit flipped": good[:30] + bytes([good[30] ^ 0xFF]) + good[31:],
            }[damage]
        )
    began = time.monotonic()
    broker.start()
    assert time.monotonic() - began < 10
    with platform(broker) as server:
        server.subscribe(GENERATION)
        server.publish(GENERATION, "1", retain=True)
        eventually(lambda: bool(server.received))
    if damage in ("garbage", "truncated"):
        assert list(broker.store.parent.glob("mosquitto.db.damaged-*"))


def test_only_the_latest_damaged_stores_are_kept(broker: MosquittoServer) -> None:
    for _ in range(5):
        broker.stop()
        broker.store.write_bytes(b"garbage")
        broker.start()
    assert len(list(broker.store.parent.glob("mosquitto.db.damaged-*"))) == 3


def test_accounts_of_devices_survive_a_restart(broker: MosquittoServer) -> None:
    register(broker, DEVICE)
    broker.kill()
    broker.start()
    assert connect_code(broker.service.device_port, DEVICE, "secret") == 0


def test_sections_of_integrations_survive_a_restart_and_a_damaged_file_does_not(
    broker: MosquittoServer,
) -> None:
    rules = broker.password_file.with_name("acl")
    whole = access.acl_file([access.PLATFORM_USER], [(CLIENT, CLIENT)])
    process.write_file(rules, whole, 0o640, process.account("mosquitto"))
    broker.restart()
    assert rules.read_text() == whole
    rules.write_text(whole[40:])
    broker.restart()
    assert rules.read_text() == access.acl_file([access.PLATFORM_USER])


def test_a_leftover_of_a_crash_is_replaced() -> None:
    place = open_folder()
    ports = process.free_port(), process.free_port()
    leftover = Mosquitto(place, *ports).start()
    heir = Mosquitto(place, *ports)
    child = heir.start()
    assert leftover.wait(5) == 0
    assert child.pid != leftover.pid
    heir.stop()


def test_a_stranger_on_the_port_is_refused_and_told_nothing() -> None:
    for which in ("device", "platform"):
        with socket.create_server((process.LOOPBACK, 0)) as stranger:
            ports = {"device_port": process.free_port(), "platform_port": process.free_port()}
            ports[f"{which}_port"] = stranger.getsockname()[1]
            with pytest.raises(ServiceError, match=r"in use by another program.*ports\.json"):
                Mosquitto(open_folder(), **ports).start()
            stranger.setblocking(False)
            with pytest.raises(BlockingIOError):
                stranger.accept()


def test_a_broken_template_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    template = tmp_path / "mosquitto.conf"
    template.write_text("no_such_option true\n")
    monkeypatch.setenv("S2G_MOSQUITTO_CONF", str(template))
    service = Mosquitto(open_folder(), process.free_port(), process.free_port())
    with pytest.raises(ServiceError, match=r"did not start(.|\n)*no_such_option"):
        service.start()
    monkeypatch.setenv("S2G_MOSQUITTO_CONF", str(tmp_path / "missing"))
    with pytest.raises(ServiceError, match="S2G_MOSQUITTO_CONF"):
        service.start()


def test_a_silent_stranger_does_not_hold_us_up() -> None:
    with socket.create_server((process.LOOPBACK, 0)) as stranger:
        threading.Timer(0.1, lambda: stranger.accept()[0].close()).start()
        assert connect_code(stranger.getsockname()[1], "platform", "x" * 200) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands a service to another account")
def test_under_root_the_broker_has_its_own_account(broker: MosquittoServer) -> None:
    assert Path(f"/proc/{broker.pid}").stat().st_uid != 0
    assert broker.password_file.stat().st_mode & 0o777 == 0o640
    os.kill(broker.pid, signal.SIGHUP)
    assert int(broker.pid_file.read_text()) == broker.pid
