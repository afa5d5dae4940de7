"""Every topic of the contract, spelled once: built from opaque ids and parsed back."""

import re
from dataclasses import dataclass
from typing import Final, Literal

from sync2gear_broker.messages import (
    Command,
    DeviceConfig,
    DeviceState,
    DeviceStatus,
    Document,
    EventsAck,
    Generation,
    Heartbeat,
    PlayEvents,
    Prefetch,
    Reply,
    TimeReply,
    TimeRequest,
    ZoneState,
)

ROOT: Final = "s2g/1"

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_IS_UUID = re.compile(_UUID)


@dataclass(frozen=True, slots=True)
class Channel:
    """One row of the topic table: who says what, how reliably, and how large it may be."""

    name: str
    template: str
    body: type[Document]
    qos: Literal[0, 1]
    retained: bool
    max_bytes: int
    sender: Literal["platform", "device"]
    summary: str
    expiry_seconds: int | None = None


ZONE_DESIRED = Channel(
    "zone_desired", "{client}/_z/{zone}/desired", ZoneState, 1, True, 8192, "platform",
    "Canonical zone state, for integrations and the dashboard",
)  # fmt: skip
DEVICE_ZONE = Channel(
    "device_zone", "{client}/{device}/dn/zone", ZoneState, 1, True, 8192, "platform",
    "The same zone state, a copy for each speaker of the zone",
)  # fmt: skip
DEVICE_CONFIG = Channel(
    "device_config", "{client}/{device}/dn/config", DeviceConfig, 1, True, 8192, "platform",
    "Volume bounds, output, latency trim and limits of one device",
)  # fmt: skip
DEVICE_PREFETCH = Channel(
    "device_prefetch", "{client}/{device}/dn/prefetch", Prefetch, 1, True, 8192, "platform",
    "What may be announced at once: fetched before anybody asks",
)  # fmt: skip
DEVICE_COMMAND = Channel(
    "device_command", "{client}/{device}/dn/cmd", Command, 1, False, 4096, "platform",
    "What is only right now: identify, test tone, reboot, send logs", 30,
)  # fmt: skip
EVENTS_ACK = Channel(
    "events_ack", "{client}/{device}/dn/evack", EventsAck, 0, False, 256, "platform",
    "Play events that are committed and may be deleted",
)  # fmt: skip
TIME_REPLY = Channel(
    "time_reply", "{client}/{device}/dn/time", TimeReply, 0, False, 256, "platform",
    "Clock reply; only the leader answers",
)  # fmt: skip
DEVICE_STATUS = Channel(
    "device_status", "{client}/{device}/up/status", DeviceStatus, 1, True, 512, "device",
    "Presence; last will with a delay of 15 s",
)  # fmt: skip
HEARTBEAT = Channel(
    "heartbeat", "{client}/{device}/up/hb", Heartbeat, 0, False, 1024, "device",
    "Heartbeat every 30 s +-20 %",
)  # fmt: skip
DEVICE_STATE = Channel(
    "device_state", "{client}/{device}/up/state", DeviceState, 1, True, 4096, "device",
    "What the device has made true, on change",
)  # fmt: skip
PLAY_EVENTS = Channel(
    "play_events", "{client}/{device}/up/ev", PlayEvents, 1, False, 16384, "device",
    "Play events in batches of at most 50",
)  # fmt: skip
REPLY = Channel(
    "reply", "{client}/{device}/up/re", Reply, 1, False, 4096, "device",
    "Answers to commands", 30,
)  # fmt: skip
TIME_REQUEST = Channel(
    "time_request", "{client}/{device}/up/time", TimeRequest, 0, False, 256, "device",
    "Clock request",
)  # fmt: skip
GENERATION = Channel(
    "generation", "_sys/gen", Generation, 1, True, 128, "platform",
    "The broker's generation marker",
)  # fmt: skip

CHANNELS: Final[tuple[Channel, ...]] = (
    ZONE_DESIRED,
    DEVICE_ZONE,
    DEVICE_CONFIG,
    DEVICE_PREFETCH,
    DEVICE_COMMAND,
    EVENTS_ACK,
    TIME_REPLY,
    DEVICE_STATUS,
    HEARTBEAT,
    DEVICE_STATE,
    PLAY_EVENTS,
    REPLY,
    TIME_REQUEST,
    GENERATION,
)


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed topic: its channel and the ids in it."""

    channel: Channel
    client: str | None = None
    device: str | None = None
    zone: str | None = None


def identity(value: str) -> str:
    """``value``, if it is one of the ids that topics are made of; otherwise ValueError."""
    if not _IS_UUID.fullmatch(value):
        raise ValueError(f"not a lower-case UUID: {value[:80]!r}")
    return value


def build(channel: Channel, **ids: str) -> str:
    """The topic of ``channel`` for ``client``, ``device`` or ``zone``; ValueError unless UUIDs."""
    return f"{ROOT}/" + channel.template.format(**{k: identity(v) for k, v in ids.items()})


_PATTERNS: Final = tuple(
    (c, re.compile(re.escape(f"{ROOT}/") + re.sub(r"\{(\w+)\}", rf"(?P<\1>{_UUID})", c.template)))
    for c in CHANNELS
)


def parse(topic: str) -> Address | None:
    """The address that ``topic`` spells, or None for a topic that is not of this contract."""
    for channel, pattern in _PATTERNS:
        if match := pattern.fullmatch(topic):
            return Address(channel, **match.groupdict())
    return None


def everyone(channel: Channel) -> str:
    """The subscription filter of ``channel`` over all clients, devices and zones."""
    return f"{ROOT}/" + re.sub(r"\{\w+\}", "+", channel.template)


def username(client: str, device: str) -> str:
    """A device's MQTT username, which is also its client id: ``{client}/{device}``."""
    return f"{identity(client)}/{identity(device)}"


def split_username(name: str) -> tuple[str, str] | None:
    """``(client, device)`` of a device's username, or None if it is not one."""
    client, _, device = name.partition("/")
    if _IS_UUID.fullmatch(client) and _IS_UUID.fullmatch(device):
        return client, device
    return None


def integration_username(account: str) -> str:
    """The MQTT username of an integration account: no part of it is an id of a topic."""
    return f"integration-{identity(account)}"


def zones_filter(client: str) -> str:
    """The one filter that an integration account reads: the state of its client's zones."""
    return f"{ROOT}/{identity(client)}/_z/#"


def device_filter(client: str, device: str) -> str:
    """The one filter that a device reads."""
    return f"{ROOT}/{username(client, device)}/dn/#"
