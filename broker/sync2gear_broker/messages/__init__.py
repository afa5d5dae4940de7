"""The bodies of the contract, one module per subject."""

from sync2gear_broker.messages.base import Document, Value, canonical_json, sha256_hex
from sync2gear_broker.messages.device import (
    Channels,
    Command,
    DeviceConfig,
    DeviceState,
    DeviceStatus,
    Fault,
    FetchWindow,
    Generation,
    Heartbeat,
    Prefetch,
    PrefetchItem,
    Receipt,
    Reply,
)
from sync2gear_broker.messages.plays import EventsAck, PlayEvent, PlayEvents
from sync2gear_broker.messages.programme import Block, Cue, Event, Media, Programme
from sync2gear_broker.messages.time import TimeReply, TimeRequest
from sync2gear_broker.messages.zone import (
    Anchor,
    Emergency,
    EmergencyOrder,
    LiveEvent,
    OpenEvent,
    ProgrammeRef,
    Window,
    ZoneState,
)

__all__ = [
    "Anchor",
    "Block",
    "Channels",
    "Command",
    "Cue",
    "DeviceConfig",
    "DeviceState",
    "DeviceStatus",
    "Document",
    "Emergency",
    "EmergencyOrder",
    "Event",
    "EventsAck",
    "Fault",
    "FetchWindow",
    "Generation",
    "Heartbeat",
    "LiveEvent",
    "Media",
    "OpenEvent",
    "PlayEvent",
    "PlayEvents",
    "Prefetch",
    "PrefetchItem",
    "Programme",
    "ProgrammeRef",
    "Receipt",
    "Reply",
    "TimeReply",
    "TimeRequest",
    "Value",
    "Window",
    "ZoneState",
    "canonical_json",
    "sha256_hex",
]
