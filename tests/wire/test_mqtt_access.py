"""Nobody hears or says on the broker what is not theirs: generated attacks, judged by delivery.

`make test-mqtt-access` runs all of it with at least 20,000 attempts for each identity and ends with
a table; `make test` a seeded sample. Every checker is also let loose on rules that are wrong on
purpose, and must find that.
"""

import os
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support import mqtt_attack
from support.mqtt_attack import (
    ATTEMPTS,
    DEVICE,
    INTEGRATION,
    OUR_ACCOUNT,
    SECRET,
    SURE,
    THEIR_ACCOUNT,
    VICTIM,
    A,
    B,
    Rig,
    Verdict,
    Who,
)
from support.mqtt_raw import Raw, publish, subscribe
from support.services import MosquittoServer, open_folder, start_mosquitto
from sync2gear_broker import access
from sync2gear_cli.services import process
from sync2gear_cli.services.listener import TlsListener
from sync2gear_cli.services.mosquitto import Mosquitto
from sync2gear_cli.tls import authority

SAMPLE, ALL = 60, 3000
BATCH = 12
"""Attempts in a row: so many, after those that are sure, for each example."""

VERDICTS: dict[str, Verdict] = {}
CAUGHT: dict[str, str] = {}


@pytest.fixture(scope="module", autouse=True)
def table(request: pytest.FixtureRequest) -> Iterator[None]:
    """Say at the end what came of it."""
    yield
    lines = [f"{'as':<18}{'attempts':>10}{'foreign deliveries':>20}{'foreign writes':>16}  own"]
    for who, v in VERDICTS.items():
        own = ", ".join(f"{kind} {count}" for kind, count in sorted(v.own.items()))
        lines.append(
            f"{who:<18}{v.attempts:>10,}{len(v.foreign_deliveries):>20}"
            f"{len(v.foreign_writes):>16}  {own}"
        )
    lines += [f"control: {name}: {found}" for name, found in CAUGHT.items()]
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        sys.stdout.write("\n" + "\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def ca() -> Path:
    """A certificate authority with a certificate for the broker."""
    folder = open_folder("ca") / "tls"
    authority.ready(folder, datetime.now(UTC))
    return folder


@pytest.fixture(scope="module")
def broker(ca: Path) -> Iterator[MosquittoServer]:
    """A broker with all its listeners."""
    files = authority.server_files(ca, "broker")
    listener = TlsListener(process.free_port(), process.LOOPBACK, *files, authority.trust_file(ca))
    ports = process.free_port(), process.free_port()
    server = MosquittoServer(Mosquitto(open_folder("mosquitto"), *ports, tls=listener))
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["plain", "tls"])
def listener(request: pytest.FixtureRequest, ca: Path) -> ssl.SSLContext | None:
    """How devices and integrations connect."""
    if request.param == "plain":
        return None
    return ssl.create_default_context(cafile=authority.trust_file(ca))


@contextmanager
def opened(
    broker: MosquittoServer, rules: str | None = None, tls: ssl.SSLContext | None = None
) -> Iterator[Rig]:
    """A rig on ``broker`` with the product's rules, or with wrong ones."""
    rig = Rig(broker, rules, tls)
    try:
        yield rig
    finally:
        rig.close()


def attack(rig: Rig, who: Who, examples: int) -> Verdict:
    """All that is sure, and so many batches that hypothesis makes; what they came to together."""
    total = rig.attack(who, SURE)

    @settings(max_examples=examples, database=None)
    @given(st.lists(ATTEMPTS, min_size=BATCH, max_size=BATCH))
    def generated(attempts: list[mqtt_attack.Attempt]) -> None:
        total.add(rig.attack(who, attempts))

    generated()
    return total


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("who", ["device", "integration"])
@pytest.mark.parametrize("examples", [SAMPLE, pytest.param(ALL, marks=pytest.mark.soak)])
def test_nothing_foreign_is_heard_or_said(broker: MosquittoServer, who: Who, examples: int) -> None:
    with opened(broker) as rig:
        verdict = VERDICTS[who] = attack(rig, who, examples)
    assert verdict.foreign_deliveries == []
    assert verdict.foreign_writes == []
    assert verdict.attempts >= (20_000 if examples == ALL else 1000)
    # A rig in which nothing arrives would find nothing either.
    assert verdict.own["hear"] > 20
    if who == "device":
        assert min(verdict.own[kind] for kind in ("publish", "response", "alias", "will")) > 0
    else:
        assert set(verdict.own) == {"hear"}


RIGHT = access.acl_file([access.PLATFORM_USER], [(A, OUR_ACCOUNT), (B, THEIR_ACCOUNT)])


@pytest.mark.parametrize(
    ("name", "who", "wrong", "finds"),
    [
        ("devices hear all", "device", f"{RIGHT}\npattern read s2g/1/#", "deliveries"),
        ("devices hear $SYS", "device", f"{RIGHT}\npattern read $SYS/#", "deliveries"),
        (
            "devices hear their siblings", "device",
            f"{RIGHT}\npattern read s2g/1/{A}/+/dn/#", "deliveries",
        ),
        ("devices say all", "device", f"{RIGHT}\npattern write s2g/1/#", "writes"),
        (
            "devices say a whole branch", "device",
            f"{RIGHT}\npattern write s2g/1/%u/up/#", "writes",
        ),
        (
            "an integration hears every client", "integration",
            RIGHT.replace(f"topic read s2g/1/{A}/_z/#", "topic read s2g/1/+/_z/#"), "deliveries",
        ),
        (
            "an integration is not denied what patterns give", "integration",
            RIGHT.replace("topic deny", "# topic deny"), "writes",
        ),
        (
            "an integration writes too", "integration",
            RIGHT.replace(f"topic read s2g/1/{A}/_z", f"topic readwrite s2g/1/{A}/_z"), "writes",
        ),
    ],
)  # fmt: skip
def test_the_checker_finds_rules_that_are_too_wide(
    broker: MosquittoServer, name: str, who: Who, wrong: str, finds: str
) -> None:
    assert wrong != RIGHT
    with opened(broker, wrong) as rig:
        verdict = attack(rig, who, 5)
    found = verdict.foreign_deliveries if finds == "deliveries" else verdict.foreign_writes
    CAUGHT[name] = f"caught ({len(found)} {finds} in {verdict.attempts} attempts)"
    assert found


def takeover(rig: Rig, thief: str, port: int | None = None) -> tuple[int | None, bool, bool]:
    """What comes of ``thief`` connecting with a victim's client id: CONNACK's code, whether the
    victim is still connected, and whether the thief hears what is the victim's."""
    with rig.enter(VICTIM) as victim:
        own = f"s2g/1/{VICTIM}/dn/zone"
        victim.send(subscribe(f"s2g/1/{VICTIM}/dn/#", 1))
        if port is None:
            other = rig.enter(thief, client_id=VICTIM)
        else:
            other = Raw(port, thief, SECRET, client_id=VICTIM)
        if other.code == 0:
            other.send(subscribe(f"s2g/1/{VICTIM}/dn/#", 1))
            assert other.ping()
        rig.observer.send(publish(own, b"theirs"))
        assert rig.observer.ping()
        alive = victim.ping() and b"theirs" in [h.payload for h in victim.heard]
        if other.code == 0:
            other.ping()
        stolen = bool(other.heard)
        other.close()
        return other.code, alive, stolen


@pytest.mark.parametrize("thief", [DEVICE, INTEGRATION])
def test_nobody_takes_over_another_by_its_client_id(
    broker: MosquittoServer, listener: ssl.SSLContext | None, thief: str
) -> None:
    """At the devices' listeners the given id is not believed; at the platform's nobody enters."""
    with opened(broker, tls=listener) as rig:
        assert takeover(rig, thief) == (0, True, False)
        code, alive, stolen = takeover(rig, thief, broker.service.platform_port)
    assert code is None or code >= 0x80
    assert (alive, stolen) == (True, False)


def test_the_listener_over_tls_has_the_same_rules(broker: MosquittoServer, ca: Path) -> None:
    """All that is sure is tried there too; and its control finds what is wrong there."""
    tls = ssl.create_default_context(cafile=authority.trust_file(ca))
    for who in mqtt_attack.USERNAMES:
        with opened(broker, tls=tls) as rig:
            verdict = VERDICTS[f"{who}, TLS"] = rig.attack(who, SURE)
        assert verdict.foreign_deliveries == []
        assert verdict.foreign_writes == []
        assert verdict.own["hear"] > 20
    with opened(broker, f"{RIGHT}\npattern readwrite s2g/1/#", tls) as rig:
        wide = rig.attack("device", SURE)
    assert wide.foreign_deliveries
    assert wide.foreign_writes


@pytest.mark.parametrize("client_id", [DEVICE, VICTIM, INTEGRATION, "", "x", "platform", "#"])
def test_nobody_enters_under_anothers_name_with_a_secret_of_his_own(
    broker: MosquittoServer, ca: Path, client_id: str
) -> None:
    assert broker.service.tls is not None
    doors = {
        broker.service.device_port: None,
        broker.service.platform_port: None,
        broker.service.tls.port: ssl.create_default_context(cafile=authority.trust_file(ca)),
    }
    with opened(broker) as rig, rig.enter(VICTIM) as victim:
        for port, tls in doors.items():
            for name in (VICTIM, "platform", mqtt_attack.OBSERVER, "", VICTIM.upper(), "#"):
                thief = Raw(port, name, "another secret", client_id=client_id, tls=tls)
                assert thief.refused, (port, name)
        assert victim.ping()


def test_the_checker_finds_a_takeover(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Control: where the client id is whatever a client says, the victim is thrown off."""
    template = Path(__file__).parents[2] / "mosquitto/mosquitto.conf"
    wrong = tmp_path / "mosquitto.conf"
    wrong.write_text(
        template.read_text().replace("use_username_as_clientid true", "# left out on purpose")
    )
    monkeypatch.setenv("S2G_MOSQUITTO_CONF", os.fspath(wrong))
    loose = start_mosquitto()
    try:
        with opened(loose) as rig:
            code, alive, _ = takeover(rig, DEVICE)
    finally:
        loose.stop()
    assert (code, alive) == (0, False)
    CAUGHT["anybody's client id"] = "caught (the victim was thrown off)"


def test_no_session_of_another_is_inherited(broker: MosquittoServer) -> None:
    """What waits for a victim that is away is not handed to who comes with its client id."""
    with opened(broker) as rig:
        victim = rig.enter(VICTIM, expiry=60)
        victim.send(subscribe(f"s2g/1/{VICTIM}/dn/#", 1))
        assert victim.ping()
        victim.close()
        rig.observer.send(publish(f"s2g/1/{VICTIM}/dn/cmd", b"theirs", qos=1))
        assert rig.observer.ping()
        for thief in (DEVICE, INTEGRATION):
            with rig.enter(thief, client_id=VICTIM, clean=False) as other:
                assert other.ping()
                assert other.heard == []
        with rig.enter(VICTIM, clean=False) as again:
            assert again.ping()
            assert b"theirs" in [h.payload for h in again.heard], "the rig would have seen it"
