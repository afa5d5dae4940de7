"""The connection to the broker: the only importer of paho, one thread that alone touches it.

paho's own network thread dies silently on an exception and reconnects without jitter; so the
client is driven here through its external-loop interface, a fresh one for each attempt.
"""

import logging
import queue
import random
import select
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from sync2gear_broker import topics
from sync2gear_broker.messages import DeviceStatus
from sync2gear_firmware.facts import Connected, Disconnected, Fact, Heard, Receipt
from sync2gear_firmware.machine import this_thread_is
from sync2gear_firmware.settings import Credential
from sync2gear_firmware.trust import Trust

log = logging.getLogger(__name__)

KEEPALIVE: Final = 30
SESSION_EXPIRY: Final = 300
WILL_DELAY: Final = 15
_CONNECT_SECONDS = 10.0
_BACKOFF = (0.5, 20.0)
_MAX_OUT = 1000
_BYE_SECONDS = 2.0

Body = bytes | Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class _Out:
    channel: topics.Channel
    body: Body


class Link:
    """Keeps one connection up; facts go to ``tell``, readings come from ``local`` (µs).

    ``publish`` and ``acknowledge`` only enqueue and may be called from any thread; what cannot be
    sent while the connection is down is dropped, for everything that must arrive is said again.
    """

    def __init__(
        self,
        credential: Credential,
        boot: str,
        local: Callable[[], int],
        tell: Callable[[Fact], None],
        trust: Trust,
    ) -> None:
        self._credential = credential
        self._trust = trust
        self._boot = boot
        self._local = local
        self._tell = tell
        self._out: queue.Queue[_Out | Receipt] = queue.Queue(_MAX_OUT)
        self._wake_r, self._wake_w = socket.socketpair()
        self._wake_r.setblocking(False)
        self._wake_w.setblocking(False)
        self._stop = threading.Event()
        self._lapsed = threading.Event()
        self._up = False
        self._session = 0
        self._sess = str(uuid4())
        self._failed: str = ""
        self.rounds = 0
        """Counts whatever shows that the connection is attended to."""
        self._thread = threading.Thread(target=self._run, name="link", daemon=True)

    def start(self) -> None:
        """Begin to connect, for ever."""
        self._thread.start()

    def publish(self, channel: topics.Channel, body: Body) -> None:
        """Send ``body`` (a function is called at the moment of sending) on a channel of ours."""
        if not self._up:
            return
        self._put(_Out(channel, body))

    def acknowledge(self, receipt: Receipt) -> None:
        """Tell the broker that a message has been dealt with."""
        self._put(receipt)

    def again(self) -> None:
        """Connect anew: after the machine slept, who knows what the connection is worth."""
        self._lapsed.set()
        self._nudge()

    def abandon(self) -> None:
        """It stands still: whatever it may do yet is heard by nobody, another takes its place."""
        self._tell = _nobody
        self._stop.set()
        self._lapsed.set()

    def stop(self) -> None:
        """Say bye, disconnect cleanly and end the thread; at most a few seconds."""
        self._stop.set()
        self.again()
        self._thread.join(_BYE_SECONDS + 2)
        self._wake_r.close()
        self._wake_w.close()

    def _put(self, item: _Out | Receipt) -> None:
        try:
            self._out.put_nowait(item)
        except queue.Full:
            log.warning("link.full dropped=%s", type(item).__name__)
        self._nudge()

    def _nudge(self) -> None:
        try:
            self._wake_w.send(b"\0")
        except BlockingIOError:
            return  # it is already awake

    def _status(self, state: str) -> bytes:
        return DeviceStatus.model_validate(
            {"state": state, "boot": self._boot, "sess": self._sess}
        ).canonical()

    def _topic(self, channel: topics.Channel) -> str:
        who = self._credential
        return topics.build(channel, client=who.client, device=who.device)

    def _run(self) -> None:
        this_thread_is("link")
        delay = _BACKOFF[0]
        while not self._stop.is_set():
            self.rounds += 1
            self._session += 1
            self._sess = str(uuid4())
            self._failed = ""
            self._lapsed.clear()
            reached = False
            try:
                client = self._client()
                reached = self._attend(client)
            except Exception as error:  # noqa: BLE001 - the edge: no fault of one attempt may end the link
                self._failed = self._failed or f"{type(error).__name__}: {error}"
            was_up, self._up = self._up, False
            self._drain()
            if was_up:
                self._tell(Disconnected(self._failed))
            if self._stop.is_set():
                return
            if self._lapsed.is_set():
                log.info("link.down reason=%r retry_in=0", self._failed)
                delay = _BACKOFF[0]
                continue
            delay = _BACKOFF[0] if reached else min(delay * 2, _BACKOFF[1])
            wait = delay * random.uniform(0.5, 1.5)  # noqa: S311 - jitter, not a secret
            log.info("link.down reason=%r retry_in=%.1f", self._failed, wait)
            self._lapsed.wait(wait)

    def _client(self) -> Client:
        url = urlsplit(self._credential.mqtt_url)
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._credential.username,
            protocol=MQTTProtocolVersion.MQTTv5,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        client.suppress_exceptions = True
        client.connect_timeout = _CONNECT_SECONDS
        client.username_pw_set(self._credential.username, self._credential.secret)
        if url.scheme == "mqtts":
            client.tls_set_context(self._trust.context())
        client.on_socket_open = _no_delay
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_subscribe = self._on_subscribe
        will = _properties(PacketTypes.WILLMESSAGE)
        will.WillDelayInterval = WILL_DELAY
        client.will_set(self._topic(topics.DEVICE_STATUS), self._status("lost"), 1, True, will)
        connect = _properties(PacketTypes.CONNECT)
        connect.SessionExpiryInterval = SESSION_EXPIRY
        connect.ReceiveMaximum = 64
        client.connect(
            url.hostname or "",
            url.port or (8883 if url.scheme == "mqtts" else 1883),
            KEEPALIVE,
            clean_start=False,
            properties=connect,
        )
        return client

    def _attend(self, client: Client) -> bool:
        """Serve one connection until it is lost; whether it was ever up."""
        reached = False
        began = self._local()
        while not self._stop.is_set():
            if not self._turn(client, 1.0):
                return reached
            reached = reached or self._up
            if self._lapsed.is_set() and not self._stop.is_set():
                self._failed = "woke"
                return reached
            if not reached and self._local() - began > _CONNECT_SECONDS * 1e6:
                self._failed = "no CONNACK"
                return False
            if self._up:
                self._send(client)
        if self._up:
            self._say_bye(client)
        return reached

    def _turn(self, client: Client, timeout: float) -> bool:
        self.rounds += 1
        sock = client.socket()
        if sock is None:
            return False
        pending = isinstance(sock, ssl.SSLSocket) and sock.pending() > 0
        writing = [sock] if client.want_write() else []
        ready, writable, _ = select.select(
            [sock, self._wake_r], writing, [], 0.0 if pending else timeout
        )
        ok = MQTTErrorCode.MQTT_ERR_SUCCESS
        if self._wake_r in ready:
            self._wake_r.recv(4096)
        if (sock in ready or pending) and (code := client.loop_read()) != ok:
            self._failed = self._failed or code.name
            return False
        if writable and (code := client.loop_write()) != ok:
            self._failed = self._failed or code.name
            return False
        if (code := client.loop_misc()) != ok:
            self._failed = self._failed or code.name
            return False
        return True

    def _send(self, client: Client) -> None:
        while True:
            try:
                item = self._out.get_nowait()
            except queue.Empty:
                return
            if isinstance(item, Receipt):
                if item.session == self._session:
                    client.ack(item.mid, item.qos)
                continue
            body = item.body() if callable(item.body) else item.body
            properties = None
            if item.channel.expiry_seconds is not None:
                properties = _properties(PacketTypes.PUBLISH)
                properties.MessageExpiryInterval = item.channel.expiry_seconds
            client.publish(
                self._topic(item.channel), body, item.channel.qos, item.channel.retained, properties
            )

    def _say_bye(self, client: Client) -> None:
        self._send(client)
        bye = client.publish(self._topic(topics.DEVICE_STATUS), self._status("bye"), 1, True)
        until = self._local() + int(_BYE_SECONDS * 1e6)
        while not bye.is_published() and self._local() < until and self._turn(client, 0.1):
            continue
        client.disconnect()
        client.loop_write()

    def _drain(self) -> None:
        while not self._out.empty():
            try:
                self._out.get_nowait()
            except queue.Empty:
                return

    def _on_connect(
        self, client: Client, _u: Any, flags: ConnectFlags, reason: ReasonCode, _p: Any
    ) -> None:
        if reason.is_failure:
            self._failed = f"refused: {reason}"
            return
        who = self._credential
        options = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_ON_SUBSCRIBE)
        client.subscribe(topics.device_filter(who.client, who.device), options=options)
        log.info("link.up session_present=%s", flags.session_present)

    def _on_subscribe(
        self, client: Client, _u: Any, _mid: int, reasons: list[ReasonCode], _p: Any
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            self._failed = f"subscription refused: {reasons[0]}"
            client.disconnect()
            return
        client.publish(self._topic(topics.DEVICE_STATUS), self._status("online"), 1, True)
        self._up = True
        self._tell(Connected())

    def _on_disconnect(
        self, _c: Client, _u: Any, _flags: DisconnectFlags, reason: ReasonCode, _p: Any
    ) -> None:
        self._failed = self._failed or str(reason)

    def _on_message(self, _c: Client, _u: Any, message: MQTTMessage) -> None:
        at = self._local()
        receipt = Receipt(self._session, message.mid, message.qos) if message.qos else None
        self._tell(Heard(message.topic, bytes(message.payload), at, receipt))


def _nobody(_fact: Fact) -> None:
    """Nobody hears it."""


def _no_delay(_c: Client, _u: Any, sock: Any) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _properties(kind: int) -> Properties:
    return Properties(kind)  # type: ignore[no-untyped-call] # paho leaves this one untyped
