"""A speaker over TLS: whom it believes, how it learns of a new root, and what it does in 1970."""

import hashlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from support.services import MosquittoServer, open_folder
from support.speaker_lab import Lab, eventually, noise, open_lab, wav
from sync2gear_broker import topics
from sync2gear_broker.messages import DeviceState
from sync2gear_cli.services import process
from sync2gear_cli.services.listener import TlsListener
from sync2gear_cli.services.mosquitto import Mosquitto
from sync2gear_cli.tls import authority, certificates
from sync2gear_firmware.settings import Credential
from sync2gear_firmware.trust import RELEASED, Refused, Trust

TRUST = "/api/v1/devices/trust/"
CLIENT, DEVICE = "0190aaaa-0000-7000-8000-000000000001", "0190aaaa-0000-7000-8000-00000000000d"


def now() -> datetime:
    return datetime.now(UTC)


def bundle(folder: Path) -> str:
    return authority.trust_file(folder).read_text()


def name_of(pem: str) -> str:
    return hashlib.sha256(pem.encode()).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    authority.ready(tmp_path / "tls", now())
    return tmp_path / "tls"


@contextmanager
def open_broker(folder: Path, *, require: bool = False) -> Iterator[MosquittoServer]:
    certificate, key = authority.server_files(folder, "broker")
    trust = authority.trust_file(folder)
    tls = TlsListener(process.free_port(), process.LOOPBACK, certificate, key, trust, require)
    server = MosquittoServer(
        Mosquitto(open_folder("broker"), process.free_port(), process.free_port(), tls=tls)
    )
    server.start()
    yield server
    server.stop()


@contextmanager
def open_world(folder: Path, ca: str, *, require: bool = False, **more: str) -> Iterator[Lab]:
    """A broker and a platform with certificates of ``folder``; a speaker that trusts ``ca``."""
    home = folder.parent / f"speaker-{time.monotonic_ns()}"
    home.mkdir()
    with (
        open_broker(folder, require=require) as broker,
        open_lab(broker, home, authority.server_files(folder, "api"), ca=ca, **more) as lab,
    ):
        yield lab


def state(lab: Lab) -> DeviceState | None:
    said = lab.said(topics.DEVICE_STATE, DeviceState)
    return said[-1] if said else None


def trusts(lab: Lab, pem: str) -> Callable[[], bool]:
    def look() -> bool:
        latest = state(lab)
        return latest is not None and latest.trust == name_of(pem)

    return look


def play(lab: Lab) -> None:
    music = noise(1, 10)
    lab.publish_music((lab.offer(wav(music), len(music)),))


def test_it_plays_over_encrypted_connections_only(folder: Path) -> None:
    with open_world(folder, bundle(folder)) as lab:
        play(lab)
        lab.speak()
        eventually(lambda: "ready" in lab.log(), 30)
        eventually(trusts(lab, bundle(folder)))
        credential = json.loads((lab.folder / "credential.json").read_text())
        assert credential["mqtt_url"].startswith("mqtts://")
        assert any(path.startswith("/api/v1/media/") for path, _ in lab.shelf.requests)


def test_it_believes_nobody_else(folder: Path) -> None:
    authority.ready(folder.with_name("stranger"), now())
    for ca in (bundle(folder.with_name("stranger")), ""):
        with open_world(folder, ca) as lab:
            play(lab)
            lab.speak()
            eventually(lambda world=lab: "CERTIFICATE_VERIFY_FAILED" in world.log(), 30)  # type: ignore[misc]  # bound
            assert lab.heard == []
            assert lab.shelf.requests == []


def test_a_broker_that_asks_for_a_certificate_gets_it(folder: Path) -> None:
    made = authority.device(folder, f"{CLIENT}/{DEVICE}", now(), days=10)
    own = {"certificate": made.certificate_pem(), "key": made.key_pem()}
    with open_world(folder, bundle(folder), require=True, **own) as lab:
        play(lab)
        lab.speak()
        eventually(lambda: "ready" in lab.log(), 30)
        assert not (lab.folder / "data" / "device.pem").exists(), "its key lies in one file only"
    with open_world(folder, bundle(folder), require=True) as lab:
        lab.speak()
        eventually(lambda: "link.down" in lab.log(), 30)
        assert lab.heard == []


def roll(lab: Lab, folder: Path) -> None:
    """The servers show certificates of the new root, and whoever was connected is not any more."""
    authority.switch_roll(folder, now(), days=90)
    lab.broker.stop()
    lab.broker.start()
    lab.renew(authority.server_files(folder, "api"))


def test_it_learns_of_a_new_root_before_that_signs(folder: Path) -> None:
    old = bundle(folder)
    authority.prepare_roll(folder, now(), days=100)
    both = bundle(folder)
    with open_world(folder, old) as lab:
        play(lab)
        lab.shelf.bodies[TRUST] = json.dumps({"ca": both}).encode()
        speaker = lab.speak()
        eventually(trusts(lab, both), 30)
        roll(lab, folder)
        count = len(lab.heard)
        eventually(lambda: len(lab.heard) > count, 30)
        speaker.terminate()
        assert speaker.wait(15) == 0
        lab.speak()  # and it remembers, although its credential knows the old root only
        count = lab.log().count("link.up")
        eventually(lambda: lab.log().count("link.up") > count, 30)
        assert "CERTIFICATE_VERIFY_FAILED" not in lab.log().rpartition("stopped")[2]


def test_one_that_was_never_told_is_lost_after_the_roll(folder: Path) -> None:
    old = bundle(folder)
    authority.prepare_roll(folder, now(), days=100)
    with open_world(folder, old) as lab:
        play(lab)
        lab.speak()
        eventually(trusts(lab, old), 30)
        roll(lab, folder)
        eventually(lambda: "CERTIFICATE_VERIFY_FAILED" in lab.log(), 30)


def test_roots_that_do_not_know_its_servers_are_refused_and_told(folder: Path) -> None:
    authority.ready(folder.with_name("stranger"), now())
    wrong = bundle(folder.with_name("stranger"))
    with open_world(folder, bundle(folder)) as lab:
        play(lab)
        lab.shelf.bodies[TRUST] = json.dumps({"ca": wrong}).encode()
        lab.speak()

        def told() -> bool:
            latest = state(lab)
            return latest is not None and any(fault.code == "trust" for fault in latest.faults)

        eventually(told, 30)
        assert trusts(lab, bundle(folder))()
        assert not (lab.folder / "data" / "trust.pem").exists()


def test_in_1970_it_connects_all_the_same(folder: Path) -> None:
    """Certificates that begin in a month are to our clock what today's are to one of 1970."""
    later = now() + timedelta(days=30)
    future = folder.with_name("future")
    authority.ready(future, later)
    with open_world(future, bundle(future)) as lab:
        play(lab)
        lab.speak()
        eventually(lambda: "ready" in lab.log(), 30)
        assert "clock.wrong" in lab.log()


# -- the rules of trust, each against a real server ---------------------------------------------


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """A server that shakes hands and hangs up; its address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.server_files(folder, "api"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                link, _ = listener.accept()
                try:
                    context.wrap_socket(link, server_side=True).close()
                except OSError:
                    link.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        over.set()
        socket.create_connection(listener.getsockname()).close()
        thread.join(5)


def trust(
    home: Path,
    ca: str,
    *,
    passed: float = 0.0,
    wall: Callable[[], float],
    doubted: Callable[[], bool] = lambda: False,
) -> Trust:
    credential = Credential(
        client=CLIENT, device=DEVICE, secret="s", mqtt_url="mqtt://127.0.0.1:1",
        http_url="https://127.0.0.1:1", ca=ca,
    )  # fmt: skip
    return Trust(home, credential, passed, wall, doubted)


def greet(url: str, context: ssl.SSLContext) -> None:
    host, port = url.removeprefix("https://").split(":")
    with (
        socket.create_connection((host, int(port))) as link,
        context.wrap_socket(link, server_hostname=host),
    ):
        pass


def test_a_wrong_clock_forgives_the_beginning_of_a_certificate_and_not_its_end(
    folder: Path, tmp_path: Path
) -> None:
    future = folder.with_name("future")
    authority.ready(future, now() + timedelta(days=30))
    ca = bundle(future)
    with server(future) as url:
        greet(url, trust(tmp_path, ca, wall=lambda: 0.0).context())
        # a clock that claims to be right is held to it
        with pytest.raises(ssl.SSLCertVerificationError, match="not yet valid"):
            greet(url, trust(tmp_path, ca, wall=lambda: 9e9).context())
        # it has seen a time after the certificate's end: whatever the clock says now, it is over
        ended = (now() + timedelta(days=200)).timestamp()
        late = trust(tmp_path, ca, passed=ended, wall=lambda: 0.0)
        with pytest.raises(ssl.SSLCertVerificationError, match="expired before our last clock"):
            greet(url, late.context())
    with server(folder) as url, pytest.raises(ssl.SSLCertVerificationError, match="verify failed"):
        greet(url, trust(tmp_path, ca, wall=lambda: 0.0).context())


def test_a_clock_that_is_doubted_is_one_of_1970_even_if_it_is_late(
    folder: Path, tmp_path: Path
) -> None:
    over = folder.with_name("over")
    authority.ready(over, now() - timedelta(days=certificates.SERVER_DAYS + 1))
    ca = bundle(over)
    with server(over) as url:
        # to this machine's clock its certificate has ended; the platform says that it is early
        assert trust(tmp_path, ca, wall=time.time, doubted=lambda: True).clock_is_wrong
        greet(url, trust(tmp_path, ca, wall=time.time, doubted=lambda: True).context())
        with pytest.raises(ssl.SSLCertVerificationError, match="has expired"):
            greet(url, trust(tmp_path, ca, wall=time.time).context())
    with server(folder) as url, pytest.raises(ssl.SSLCertVerificationError, match="verify failed"):
        greet(url, trust(tmp_path, ca, wall=time.time, doubted=lambda: True).context())


def test_what_time_it_is_at_least(folder: Path, tmp_path: Path) -> None:
    ca = bundle(folder)
    assert trust(tmp_path, "", wall=lambda: RELEASED - 1).clock_is_wrong
    assert not trust(tmp_path, "", wall=lambda: RELEASED + 1).clock_is_wrong
    assert trust(tmp_path, "", passed=RELEASED + 2, wall=lambda: RELEASED + 1).clock_is_wrong
    assert trust(tmp_path, ca, wall=lambda: (now() - timedelta(days=2)).timestamp()).clock_is_wrong
    assert not trust(tmp_path, ca, wall=time.time).clock_is_wrong


@pytest.mark.parametrize(
    "answer",
    [b"", b"{}", b"[]", b'{"ca": 1}', b'{"ca": "no certificate"}', b'{"ca": "' + b"x" * 200_000],
)
def test_nonsense_is_no_bundle(folder: Path, tmp_path: Path, answer: bytes) -> None:
    one = trust(tmp_path, bundle(folder), wall=time.time)
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, content=answer))
    with httpx2.Client(transport=transport) as http, pytest.raises(Refused, match=r"bundle|large"):
        one.refresh(http, "https://127.0.0.1:1")
    assert one.sha256 == name_of(bundle(folder))


def test_nothing_that_came_without_encryption_is_believed(folder: Path, tmp_path: Path) -> None:
    one = trust(tmp_path, bundle(folder), wall=time.time)
    asked: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(404)

    with httpx2.Client(transport=httpx2.MockTransport(answer)) as http:
        assert one.refresh(http, "http://127.0.0.1:1") is False
        assert asked == []
        assert one.refresh(http, "https://127.0.0.1:1") is False
        assert len(asked) == 1
        assert one.refresh(http, "https://127.0.0.1:1") is False  # not again so soon
        assert len(asked) == 1
        one.soon()
        assert one.refresh(http, "https://127.0.0.1:1") is False
        assert len(asked) == 2


def test_a_damaged_bundle_on_the_disk_falls_back_to_the_credential(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "trust.pem").write_text("garbage")
    assert trust(tmp_path, bundle(folder), wall=time.time).sha256 == name_of(bundle(folder))
    with pytest.raises(ValueError, match="certificates in PEM"):
        trust(tmp_path, "garbage", wall=time.time)
