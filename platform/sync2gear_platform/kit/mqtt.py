"""The connection to the broker: the only importer of aiomqtt, with its measured faults cured.

aiomqtt queues without bound what it has acknowledged already and discards when bounded; here every
message is handed over while it is read, so nothing waits unseen. A client that lost its connection
cannot be entered again, so each attempt gets a fresh one. A PUBACK that says no is an error and not
silence. Nagle's algorithm is off.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import unquote, urlsplit

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from sync2gear_platform.kit import log
from sync2gear_platform.kit.errors import Unavailable

logger = log.get(__name__)

KEEPALIVE: Final = 15
"""Seconds. A broker that is gone without a word is noticed after one and a half of them."""

MAX_INFLIGHT: Final = 100
"""Publications on their way to a PUBACK at the same time."""

T = TypeVar("T")

_TIMEOUT: Final = 10.0
_REFUSED: Final = 0x80


class BrokerLost(Unavailable):
    """The broker does not answer: what was said takes effect when it is back."""

    code = "broker_unavailable"


@dataclass(frozen=True, slots=True)
class Message:
    """What arrived. ``retained``: it was kept by the broker, so it may be old."""

    topic: str
    payload: bytes
    retained: bool


Heard = Callable[[Message], None]
"""Takes every message while it is read: must be quick, and must not raise."""


class BrokerRefuses(BrokerLost):
    """The broker refuses what the platform says: its access file is not ours."""

    code = "broker_refuses"


class Session:
    """One connection that stands. Every method raises :class:`BrokerLost` once it does not."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client

    async def publish(
        self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False
    ) -> None:
        """Say ``payload``; with QoS 1, returns when the broker has taken it.

        Raises :class:`BrokerRefuses` when its PUBACK says that it has not.
        """
        try:
            await self._client.publish(topic, payload, qos=qos, retain=retain)
        except _PublishRefused as error:
            raise BrokerRefuses(
                f"the broker refuses {topic} ({error}): check its ACL file"
            ) from error
        except (aiomqtt.MqttError, ValueError) as error:
            raise BrokerLost(str(error)) from error

    async def subscribe(
        self, filters: Iterable[tuple[str, int]], *, show_retain: bool = False
    ) -> None:
        """Ask for ``(filter, qos)``; a refusal in the SUBACK is an error, not silence.

        With ``show_retain`` a message counts as retained also while it is said, where its sender
        asked the broker to keep it.
        """
        asked = list(filters)
        options = [(f, SubscribeOptions(qos, retainAsPublished=show_retain)) for f, qos in asked]
        try:
            codes = await self._client.subscribe(options)
        except aiomqtt.MqttError as error:
            raise BrokerLost(str(error)) from error
        refused = [f for (f, _), code in zip(asked, codes, strict=True) if _value(code) >= _REFUSED]
        if refused:
            raise BrokerLost(f"the broker refuses {', '.join(refused)}: check its ACL file")

    async def unsubscribe(self, topic_filter: str) -> None:
        """Ask no more for ``topic_filter``."""
        try:
            await self._client.unsubscribe(topic_filter)
        except aiomqtt.MqttError as error:
            raise BrokerLost(str(error)) from error

    async def until_lost(self) -> None:
        """Wait; raises :class:`BrokerLost` when the connection is gone."""
        try:
            async for _ in self._client.messages:
                """Never reached: messages are handed over, not queued."""
        except aiomqtt.MqttError as error:
            raise BrokerLost(str(error)) from error


@asynccontextmanager
async def session(
    url: str, *, client_id: str, heard: Heard, ca: Path | None = None
) -> AsyncIterator[Session]:
    """One attempt at a connection (MQTT 5, clean start), disconnected at the end.

    ``url`` is ``mqtt://user:password@host:port``, or ``mqtts://`` for TLS, where the broker's
    certificate must name the host and come from ``ca`` (None: from whom the system trusts).
    A fixed ``client_id`` takes the connection over
    from whoever holds it. Raises :class:`BrokerLost` if the broker does not let us in.
    """
    at = urlsplit(url)
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho's
    properties.ReceiveMaximum = 1000
    tls = None
    if at.scheme == "mqtts":
        try:
            tls = ssl.create_default_context(cafile=ca)  # read anew: the bundle may have changed
        except OSError as error:
            raise BrokerLost(f"{ca} cannot be read: {error}") from error
    client = _Client(
        at.hostname or "localhost",
        at.port or (8883 if tls else 1883),
        tls_context=tls,
        username=unquote(at.username) if at.username else None,
        password=unquote(at.password) if at.password else None,
        identifier=client_id,
        protocol=aiomqtt.ProtocolVersion.V5,
        clean_start=True,
        properties=properties,
        keepalive=KEEPALIVE,
        timeout=_TIMEOUT,
        queue_type=_handover(heard),
        max_inflight_messages=MAX_INFLIGHT,
        max_concurrent_outgoing_calls=MAX_INFLIGHT,
        socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
    )
    client.pending_calls_threshold = 2 * MAX_INFLIGHT
    try:
        await client.__aenter__()
    except aiomqtt.MqttError as error:
        raise BrokerLost(str(error)) from error
    try:
        yield Session(client)
    finally:
        try:
            await client.__aexit__(None, None, None)
        except aiomqtt.MqttError as error:
            logger.info("broker.goodbye_failed", error=str(error))


class _PublishRefused(aiomqtt.MqttError):
    """The broker acknowledged a publication with a reason code that says no."""


class _Client(aiomqtt.Client):
    """aiomqtt hides the reason code of a PUBACK; this one raises where it is a refusal.

    And it waits with Python 3.11's ``asyncio.wait_for``, which forgets a cancellation that arrives
    with the answer; this one lets it through.
    """

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._refusals: dict[int, str] = {}

    def _on_publish(
        self, client: Any, userdata: Any, mid: int, reason_code: Any, properties: Any
    ) -> None:
        if _value(reason_code) >= _REFUSED and mid in self._pending_publishes:
            self._refusals[mid] = str(reason_code)
        super()._on_publish(client, userdata, mid, reason_code, properties)

    async def _wait_for(self, fut: Awaitable[T], timeout: float | None) -> T:  # noqa: ASYNC109 - aiomqtt's
        try:
            async with asyncio.timeout(self.timeout if timeout is None else timeout):
                return await fut
        except TimeoutError:
            raise aiomqtt.MqttError("the broker does not answer in time") from None

    @contextmanager
    def _pending_call(self, mid: int, value: T, pending_dict: dict[int, T]) -> Iterator[None]:
        try:
            with super()._pending_call(mid, value, pending_dict):
                yield
        finally:
            refusal = self._refusals.pop(mid, None)
        if refusal is not None:
            raise _PublishRefused(refusal)


def _handover(heard: Heard) -> type[asyncio.Queue[aiomqtt.Message]]:
    class Handover(asyncio.Queue[aiomqtt.Message]):
        """A queue that keeps nothing: what is put into it has been dealt with."""

        def put_nowait(self, item: aiomqtt.Message) -> None:
            payload = item.payload if isinstance(item.payload, bytes) else b""
            message = Message(item.topic.value, payload, bool(item.retain))
            try:
                heard(message)
            except Exception:
                logger.exception("mqtt.handler_failed", topic=message.topic[:300])

    return Handover


def _value(code: Any) -> int:
    return int(getattr(code, "value", code))
