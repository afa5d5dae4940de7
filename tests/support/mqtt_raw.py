"""MQTT 5 byte by byte over a blocking socket: says what no client library lets a program say."""

import socket
import ssl
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

LOOPBACK = "127.0.0.1"
SECONDS = 10.0

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = 1, 2, 3, 4, 5, 6, 7
SUBSCRIBE, SUBACK, PINGREQ, PINGRESP, DISCONNECT = 8, 9, 12, 13, 14


def varint(number: int) -> bytes:
    """A variable byte integer (MQTT 5, section 1.5.5)."""
    out = bytearray()
    while True:
        number, low = divmod(number, 128)
        out.append(low | (0x80 if number else 0))
        if not number:
            return bytes(out)


def text(value: str | bytes) -> bytes:
    """A length and so many bytes; what UTF-8 cannot hold is sent all the same."""
    raw = value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")
    return len(raw).to_bytes(2, "big") + raw


def packet(kind: int, body: bytes, flags: int = 0) -> bytes:
    """A whole control packet."""
    return bytes([kind << 4 | flags]) + varint(len(body)) + body


def publish(
    topic: str | bytes,
    payload: bytes,
    *,
    qos: int = 0,
    retain: bool = False,
    mid: int = 1,
    properties: bytes = b"",
) -> bytes:
    """A PUBLISH (section 3.3)."""
    number = mid.to_bytes(2, "big") if qos else b""
    body = text(topic) + number + varint(len(properties)) + properties + payload
    return packet(PUBLISH, body, qos << 1 | int(retain))


def subscribe(topic_filter: str | bytes, options: int, mid: int = 1) -> bytes:
    """A SUBSCRIBE to one filter (section 3.8); ``options`` as in 3.8.3.1."""
    body = mid.to_bytes(2, "big") + b"\0" + text(topic_filter) + bytes([options])
    return packet(SUBSCRIBE, body, 2)


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker shall say when the connection breaks."""

    topic: str | bytes
    payload: bytes
    qos: int = 0
    retain: bool = False


@dataclass(frozen=True, slots=True)
class Heard:
    """A message that was delivered."""

    topic: str
    payload: bytes
    retained: bool


@dataclass
class Raw:
    """One connection. ``code`` is CONNACK's reason, None where the broker just hung up."""

    port: int
    username: str
    password: str
    client_id: str = ""
    will: Will | None = None
    clean: bool = True
    expiry: int = 0
    tls: ssl.SSLContext | None = None
    heard: list[Heard] = field(default_factory=list)
    code: int | None = None

    def __post_init__(self) -> None:
        self._link = socket.create_connection((LOOPBACK, self.port), timeout=SECONDS)
        self._link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls is not None:
            self._link = self.tls.wrap_socket(self._link, server_hostname=LOOPBACK)
        self._buffer = b""
        flags = 0xC0 | int(self.clean) << 1
        properties = b"\x11" + self.expiry.to_bytes(4, "big")
        will = b""
        if self.will is not None:
            flags |= 0x04 | self.will.qos << 3 | int(self.will.retain) << 5
            will = b"\0" + text(self.will.topic) + text(self.will.payload)
        head = text("MQTT") + bytes([5, flags]) + (60).to_bytes(2, "big")
        head += varint(len(properties)) + properties
        tail = text(self.client_id or self.username) + will
        self.send(packet(CONNECT, head + tail + text(self.username) + text(self.password)))
        answer = self._read()
        if answer is not None and answer[0] == CONNACK:
            self.code = answer[2][1]
        if self.code != 0:
            self.close()

    def __enter__(self) -> Self:
        assert self.code == 0, f"{self.username} is not let in: {self.code}"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.send(packet(DISCONNECT, b""))
        self.close()

    @property
    def refused(self) -> bool:
        """Whether the broker said no, or hung up."""
        return self.code is None or self.code >= 0x80

    def close(self) -> None:
        """Break the connection without a word."""
        self._link.close()

    def send(self, data: bytes) -> None:
        """Send; a broken connection is found when it is listened to."""
        try:
            self._link.sendall(data)
        except OSError:
            return

    def ping(self) -> bool:
        """Take in all that the broker had for us up to now; False when the connection is gone."""
        self.send(packet(PINGREQ, b""))
        while (found := self._read()) is not None:
            kind, flags, body = found
            if kind == PINGRESP:
                return True
            if kind == PUBLISH:
                self._deliver(flags, body)
            elif kind == PUBREL:
                self.send(packet(PUBCOMP, body[:2]))
        return False

    def _deliver(self, flags: int, body: bytes) -> None:
        length = int.from_bytes(body[:2], "big")
        topic, rest = body[2 : 2 + length], body[2 + length :]
        if qos := flags >> 1 & 3:
            self.send(packet(PUBACK if qos == 1 else PUBREC, rest[:2]))
            rest = rest[2:]
        size, used = _varint_of(rest)
        payload = rest[used + size :]
        self.heard.append(Heard(topic.decode("utf-8", "replace"), payload, bool(flags & 1)))

    def _read(self) -> tuple[int, int, bytes] | None:
        """``(kind, flags, body)`` of the next packet, or None when the connection is gone."""
        while True:
            size, used = _varint_of(self._buffer[1:])
            if used and len(self._buffer) >= 1 + used + size:
                head = self._buffer[0]
                body = self._buffer[1 + used : 1 + used + size]
                self._buffer = self._buffer[1 + used + size :]
                return head >> 4, head & 15, body
            try:
                more = self._link.recv(65536)
            except (ConnectionError, ssl.SSLError):
                return None
            if not more:
                return None
            self._buffer += more


def _varint_of(data: bytes) -> tuple[int, int]:
    """``(number, bytes used)`` at the beginning of ``data``; ``(0, 0)`` if it is incomplete."""
    number = 0
    for index, byte in enumerate(data[:4]):
        number |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return number, index + 1
    return 0, 0
