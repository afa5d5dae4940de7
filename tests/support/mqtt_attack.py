"""Attacks on the broker's access rules: generated, carried out, and judged by what is delivered."""

import os
import signal
import ssl
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from hypothesis import strategies as st

from support.mqtt_raw import DISCONNECT, Raw, Will, packet, publish, subscribe, text
from support.services import MosquittoServer
from sync2gear_broker import access, topics
from sync2gear_cli.services import process
from sync2gear_cli.services.mosquitto import password_line

A = "0190aaaa-0000-7000-8000-000000000001"
B = "0190aaaa-0000-7000-8000-000000000002"
OURS = "0190aaaa-0000-7000-8000-00000000000d"
SIBLING = "0190aaaa-0000-7000-8000-0000000000dd"
THEIRS = "0190aaaa-0000-7000-8000-00000000000e"
OUR_ZONE = "0190aaaa-0000-7000-8000-00000000a001"
THEIR_ZONE = "0190aaaa-0000-7000-8000-00000000b001"
OUR_ACCOUNT = "0190aaaa-0000-7000-8000-0000000000ac"
THEIR_ACCOUNT = "0190aaaa-0000-7000-8000-0000000000bc"

DEVICE = topics.username(A, OURS)
VICTIM = topics.username(B, THEIRS)
INTEGRATION = topics.integration_username(OUR_ACCOUNT)
STRANGER = topics.integration_username(THEIR_ACCOUNT)
OBSERVER = "observer"
SECRET = "secret"

Who = Literal["device", "integration"]
USERNAMES: dict[Who, str] = {"device": DEVICE, "integration": INTEGRATION}

FULL_RIGHTS = f"user {OBSERVER}\n" + "".join(
    f"topic readwrite {f}\n" for f in ("#", "$SYS/#", "$CONTROL/#", "$queue/#", "$s2g/#")
)

CANARIES = (
    f"s2g/1/{B}/_z/{THEIR_ZONE}/desired",
    f"s2g/1/{B}/{THEIRS}/dn/zone",
    f"s2g/1/{B}/{THEIRS}/dn/config",
    f"s2g/1/{B}/{THEIRS}/up/status",
    f"s2g/1/{B}/{THEIRS}/up/state",
    f"s2g/1/{B}/{OURS}/dn/zone",
    f"s2g/1/{A}/{SIBLING}/dn/zone",
    f"s2g/1/{A}/{SIBLING}/up/status",
    f"s2g/1/{A}/{OURS}0/dn/zone",
    f"s2g/1/{A}/{OURS[:-1]}/dn/zone",
    f"s2g/1/{A}0/_z/{OUR_ZONE}/desired",
    f"s2g/1/{A[:-1]}/_z/{OUR_ZONE}/desired",
    f"s2g/1/{A.upper()}/{OURS.upper()}/dn/zone",
    f"s2g/1/{A}/{OURS}/DN/zone",
    f"s2g/1//{OURS}/dn/zone",
    f"s2g/1/{A}//dn/zone",
    f"s2g/2/{A}/{OURS}/dn/zone",
    f"/s2g/1/{A}/{OURS}/dn/zone",
    "s2g/1/_sys/gen",
    "s2g/1/caf\u00e9/_z/x",
    "s2g/1/cafe\u0301/_z/x",
    "elsewhere",
    f"s2g/1/{A}/_z/{OUR_ZONE}/desired",
    f"s2g/1/{A}/{OURS}/dn/zone",
)
"""What stands on the broker, retained and said again and again: to each identity mostly foreign."""


def is_own(who: Who, act: Literal["hear", "say"], topic: str) -> bool:
    """What the contract gives ``who``; written apart from `access.py`, to judge it."""
    if who == "device":
        if act == "hear":
            return f"{topic}/".startswith(f"s2g/1/{A}/{OURS}/dn/")
        head, _, last = topic.rpartition("/")
        said = {"status", "hb", "state", "ev", "re", "time"}
        return head == f"s2g/1/{A}/{OURS}/up" and last in said
    return act == "hear" and f"{topic}/".startswith(f"s2g/1/{A}/_z/")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One thing that is tried; ``options`` are a subscription's, ``longer`` pads the topic."""

    kind: Literal["subscribe", "publish", "will", "response", "alias"]
    topic: str
    qos: int = 0
    retain: bool = False
    options: int = 0
    longer: bool = False

    @property
    def name(self) -> bytes:
        """The topic's bytes, at most as many as fit."""
        raw = self.topic.encode("utf-8", "surrogatepass")
        return (raw + b"x" * 65535 if self.longer else raw)[:65535]


REAL = (
    *CANARIES,
    *(f"s2g/1/{B}/{THEIRS}/up/{last}" for last in ("hb", "ev", "re", "time", "job")),
    *(f"s2g/1/{A}/{OURS}/up/{last}" for last in ("status", "state", "ev", "re", "job", "x/y")),
    *(f"s2g/1/{name}/up/status" for name in (INTEGRATION, STRANGER, OBSERVER)),
    *(f"s2g/1/{name}/dn/zone" for name in (INTEGRATION, STRANGER, OBSERVER)),
    f"s2g/1/{A}/{OURS}/dn",
    f"s2g/1/{A}/_z",
    "$SYS/broker/version",
    "$SYS/broker/clients/total",
    "$CONTROL/dynamic-security/v1",
)
_LEVELS = st.one_of(
    st.sampled_from(
        (
            A, B, OURS, SIBLING, THEIRS, OUR_ZONE, THEIR_ZONE, INTEGRATION, "s2g", "1", "2", "_z",
            "_sys", "gen", "dn", "up", "zone", "config", "status", "state", "desired", "", "+", "#",
            "++", "#x", "%u", "%c", "$SYS", "$share", "$CONTROL", "$queue", "$s2g", "..", "*",
            A.upper(), A[:-1], f"{A}0", OURS[:8], "DN", "Up", "caf\u00e9", "cafe\u0301", "\0",
            "a\0b", "\ufffe", "\ufeff", "\ud800", "\x7f", "\u200b", DEVICE, VICTIM,
        )
    ),
    st.text(st.characters(codec=None), max_size=4),
)  # fmt: skip
_GRAMMAR = st.lists(_LEVELS, min_size=1, max_size=8).map("/".join)


@st.composite
def _mutated(draw: st.DrawFn) -> str:
    """A real topic with some of its levels replaced, left out or put in, or otherwise spelled."""
    levels = draw(st.sampled_from(REAL)).split("/")
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(levels) - 1))
        levels[at : at + draw(st.integers(0, 1))] = draw(st.lists(_LEVELS, max_size=2))
        levels = levels or [""]
    topic = "/".join(levels)
    form = draw(st.sampled_from(("", "", "", "NFD", "NFC", "upper")))
    if form == "upper":
        return topic.upper()
    return unicodedata.normalize(form, topic) if form else topic


WILD = (
        "#", "+/#", "s2g/#", "s2g/1/#", "s2g/1/+/+/dn/#", "s2g/1/+/_z/#", "s2g/+/+/_z/+/desired",
        "+/+/+/+/+/+", "$SYS/#", "$SYS/broker/version", "$CONTROL/#", "/#", f"s2g/1/{B}/#",
        f"s2g/1/{A}/#", f"s2g/1/{A}/+/dn/zone", f"s2g/1/{A}/{OURS}/#", f"s2g/1/+/{OURS}/dn/#",
)  # fmt: skip
_NEAR = st.sampled_from(
    (
        *(f"s2g/1/{A}/{OURS}/up/{last}" for last in ("status", "state", "hb", "ev")),
        f"s2g/1/{A}/{OURS}/up/more",
        f"s2g/1/{A}/{OURS}/dn/zone",
        f"s2g/1/{A}/_z/{OUR_ZONE}/desired",
        f"s2g/1/{INTEGRATION}/up/status",
    )
)
_TOPIC = st.one_of(_mutated(), _mutated(), st.sampled_from(REAL), _GRAMMAR, _GRAMMAR, _NEAR)
_WILD = st.sampled_from(WILD)
_FILTER = st.one_of(
    _WILD,
    _TOPIC,
    st.builds("$share/{}/{}".format, st.sampled_from(("g", "sync2gear", "")), _WILD | _TOPIC),
)
_OPTIONS = st.builds(
    lambda qos, local, published, handling: qos | local << 2 | published << 3 | handling << 4,
    st.integers(0, 2), st.booleans(), st.booleans(), st.integers(0, 2),
)  # fmt: skip
_LONG = st.sampled_from((False,) * 15 + (True,))

ATTEMPTS: st.SearchStrategy[Attempt] = st.one_of(
    st.builds(Attempt, st.just("subscribe"), _FILTER, options=_OPTIONS, longer=_LONG),
    st.builds(
        Attempt, st.sampled_from(("publish", "publish", "response", "alias", "will")), _TOPIC,
        st.integers(0, 2), st.booleans(), longer=_LONG,
    ),
)  # fmt: skip

SURE: tuple[Attempt, ...] = (
    *(Attempt("subscribe", f, options=o) for f in (*WILD, *REAL) for o in (0, 1 | 1 << 3)),
    *(Attempt("subscribe", f"$share/g/{f}", options=1) for f in WILD),
    *(Attempt("publish", t, qos, retain) for t in REAL for qos, retain in ((0, True), (1, False))),
    *(Attempt(kind, t, 1, retain=True) for t in REAL for kind in ("will", "alias", "response")),
)
"""What is tried each time, before what is generated: chance alone would leave some of it out."""


@dataclass
class Verdict:
    """What came of many attempts. ``own`` counts what was rightly delivered, by kind."""

    attempts: int = 0
    foreign_deliveries: list[str] = field(default_factory=list)
    foreign_writes: list[str] = field(default_factory=list)
    own: dict[str, int] = field(default_factory=dict)

    def add(self, other: "Verdict") -> None:
        """Sum up."""
        self.attempts += other.attempts
        self.foreign_deliveries += other.foreign_deliveries
        self.foreign_writes += other.foreign_writes
        for kind, count in other.own.items():
            self.own[kind] = self.own.get(kind, 0) + count


class Rig:
    """A broker with its accounts, an observer with full rights, and what is said all the time."""

    def __init__(
        self,
        broker: MosquittoServer,
        rules: str | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """``rules`` replaces the product's access file, for a control; with ``tls`` everybody but
        the observer comes over the listener with certificates."""
        self.broker = broker
        self.tls = tls
        listener = broker.service.tls if tls else None
        self.port = listener.port if listener else broker.service.device_port
        names = (DEVICE, topics.username(A, SIBLING), VICTIM, INTEGRATION, STRANGER)
        lines = "".join(password_line(name, SECRET) + "\n" for name in names)
        self._write(broker.password_file, lines)
        accounts = [(A, OUR_ACCOUNT), (B, THEIR_ACCOUNT)]
        text_of = rules or access.acl_file([access.PLATFORM_USER], accounts)
        self._write(broker.password_file.with_name("acl"), f"{text_of}\n{FULL_RIGHTS}")
        platform = broker.password_file.with_name("platform")
        kept = platform.read_text().splitlines()[0]
        self._write(platform, f"{kept}\n{password_line(OBSERVER, SECRET)}\n")
        os.kill(broker.pid, signal.SIGHUP)
        assert process.wait_until(self._lets_observers_in, 10)
        self.observer = self._observer()
        for topic_filter in ("#", "$SYS/#", "$CONTROL/#", "$queue/#", "$s2g/#"):
            self.observer.send(subscribe(topic_filter, 1))
        self.volley = b"".join(publish(t, b"canary") for t in CANARIES)
        self.observer.send(b"".join(publish(t, b"canary", retain=True) for t in CANARIES))
        assert self.observer.ping()
        self.observer.heard.clear()
        self._tried = 0
        # What an earlier rig on the same broker left there is not this one's.
        self._mark = b"attack-%s-" % os.urandom(6).hex().encode()

    @staticmethod
    def _write(path: "os.PathLike[str]", content: str) -> None:
        draft = Path(f"{os.fspath(path)}.new")
        draft.write_text(content)
        draft.chmod(0o640)
        draft.replace(path)

    def close(self) -> None:
        """Let the observer go; the broker stays."""
        self.observer.close()

    def _lets_observers_in(self) -> bool:
        probe = self._observer()
        probe.close()
        return probe.code == 0

    def _observer(self) -> Raw:
        return Raw(self.broker.service.platform_port, OBSERVER, SECRET, f"o{os.urandom(6).hex()}")

    def enter(self, username: str, **more: object) -> Raw:
        """Connect at the devices' listener."""
        return Raw(self.port, username, SECRET, tls=self.tls, **more)  # type: ignore[arg-type]  # its own

    def attack(self, who: Who, attempts: Sequence[Attempt]) -> Verdict:
        """Carry out ``attempts`` one after the other as ``who``."""
        verdict = Verdict()
        attacker = self.enter(USERNAMES[who])
        assert attacker.code == 0
        try:
            for attempt in attempts:
                self._tried += 1
                token = self._mark + b"%d" % self._tried
                attacker = self._carry_out(who, attacker, attempt, token)
                verdict.add(self._judged(who, attacker, attempt))
        finally:
            attacker.send(packet(DISCONNECT, b""))
            attacker.close()
        verdict.foreign_writes += self._retained(who)
        return verdict

    def _carry_out(self, who: Who, attacker: Raw, attempt: Attempt, token: bytes) -> Raw:
        """Try it, until the broker has dealt with it; a new connection where it hung up."""
        name, qos, retain = attempt.name, attempt.qos, attempt.retain
        match attempt.kind:
            case "subscribe":
                attacker.send(subscribe(name, attempt.options))
            case "publish":
                attacker.send(publish(name, token, qos=qos, retain=retain))
            case "response":
                own = f"s2g/1/{A}/{OURS}/up/re"
                asks = b"\x08" + text(name) + b"\x09" + text(b"token")
                attacker.send(publish(own, token, qos=qos, retain=retain, properties=asks))
            case "alias":
                alias = b"\x23\x00\x01"
                attacker.send(publish(name, token, qos=qos, retain=retain, properties=alias))
                attacker.send(publish(b"", token, qos=qos, retain=retain, properties=alias))
            case "will":
                attacker.close()
                will = Will(name, token, min(qos, 1), retain)
                self.enter(USERNAMES[who], will=will).close()
                # Whoever comes with the same id ends the one before: its will is said by now.
                attacker = self.enter(USERNAMES[who])
        if not attacker.ping():
            heard = attacker.heard
            attacker.close()
            attacker = self.enter(USERNAMES[who], heard=heard)
        assert attacker.code == 0, f"the broker is gone after {attempt}"
        return attacker

    def _judged(self, who: Who, attacker: Raw, attempt: Attempt) -> Verdict:
        if attempt.kind == "subscribe":
            self.observer.send(self.volley)
        assert self.observer.ping()
        assert attacker.ping()
        verdict = Verdict(1)
        for heard in attacker.heard:
            if is_own(who, "hear", heard.topic):
                verdict.own["hear"] = verdict.own.get("hear", 0) + 1
            else:
                verdict.foreign_deliveries.append(f"{attempt}: {heard.topic[:200]}")
        for heard in self.observer.heard:
            if not heard.payload.startswith(self._mark):
                continue
            if is_own(who, "say", heard.topic):
                verdict.own[attempt.kind] = verdict.own.get(attempt.kind, 0) + 1
            else:
                verdict.foreign_writes.append(f"{attempt}: {heard.topic[:200]}")
        attacker.heard.clear()
        self.observer.heard.clear()
        return verdict

    def _retained(self, who: Who) -> list[str]:
        """Topics on which the broker keeps what an attacker said and may not say."""
        with self._observer() as fresh:
            fresh.send(subscribe("#", 0))
            assert fresh.ping()
            said = [h.topic for h in fresh.heard if h.payload.startswith(self._mark)]
        return [f"retained: {t[:200]}" for t in said if not is_own(who, "say", t)]
