"""What a device says of itself and what it is told: status, heartbeat, state, config, replies."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from sync2gear_broker.messages.base import Document, Value
from sync2gear_broker.units import Frames, Key, Label, Millis, Percent, Sha256, Uuid

Version = tuple[Annotated[int, Field(strict=True, ge=1)], Annotated[int, Field(strict=True, ge=1)]]
"""``(epoch, rev)`` of an applied document."""


MAX_PREFETCH = 64
"""Files of a prefetch list: its document stays below 8 KB, and the report of it below 1 KB."""

PREFIX_DIGITS = 12
MediaPrefix = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")]
"""The first 48 bits of a SHA-256: enough to tell the files of one client apart."""


PublicKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]{43}=$")]
"""The 32 bytes of an Ed25519 key in padded base64."""


class DeviceStatus(Document):
    """Presence; also the last will, which counts only while ``sess`` is the current session."""

    state: Literal["online", "lost", "bye"]
    boot: Uuid
    sess: Uuid


class Heartbeat(Document):
    """Every 30 s +-20 %: how the machine is. Unknown figures are null.

    ``level`` is the peak since the last heartbeat in dBFS, null in digital silence. ``sync_error``
    is by how many milliseconds the heard position is off the zone clock, ``clock_error`` how far
    that clock may be off; ``underruns`` counts the breaks of sound since the start. ``wall_error``
    is by how many milliseconds the machine's own clock is ahead of the platform's, and ``ntp``
    whether an NTP server keeps it: nothing follows it, a difference is told. ``dead_letters`` are
    the play events that it could not read any more and put aside.
    """

    boot: Uuid
    uptime: Millis
    version: Label = ""
    load: Annotated[float, Field(ge=0)] | None = None
    temperature: float | None = None
    disk_free: Annotated[int, Field(ge=0)] | None = None
    cache_bytes: Annotated[int, Field(ge=0)] | None = None
    clock_error: Annotated[float, Field(ge=0)] | None = None
    level: float | None = None
    sync_error: Annotated[float, Field(ge=0)] | None = None
    underruns: Annotated[int, Field(strict=True, ge=0)] | None = None
    wall_error: float | None = None
    ntp: bool | None = None
    dead_letters: Annotated[int, Field(strict=True, ge=0)] | None = None


class Fault(Value):
    """Something that the device cannot do right now, with a stable code."""

    code: Annotated[str, Field(max_length=64)]
    detail: Label = ""


MAX_RECEIPTS = 8
"""How many of the latest live events a device remembers having received."""


class Receipt(Value):
    """A live event that reached the device: when it was applied, and when its media was there.

    Both are zone frames by the device's clock; ``cached`` is null while the media is not here.
    """

    event: Key
    received: Frames
    cached: Frames | None = None


class DeviceState(Document):
    """Reported on change: what the device has made true. Never what sounds now: that is computed.

    ``cache_24h`` is the percentage of the media of the next 24 hours that is on its disk.
    ``ahead`` is how many milliseconds before its effect a command must leave the broker: the
    slowest trip of late, and what is rendered ahead; null as long as it is not measured.
    ``trust`` names the roots by which it knows its servers; null: those of its system.
    ``receipts`` are of the latest live events, the newest last. ``prefetched`` says what of the
    prefetch list is on its disk, each by the first 12 digits of its hash.
    """

    applied: Version | None = None
    zone: Uuid | None = None
    programme: Sha256 | None = None
    volume: Percent = 0
    clock: Literal["none", "holdover", "synced"] = "none"
    cache_24h: Percent = 0
    cache_72h: Percent = 0
    ahead: Annotated[int, Field(strict=True, ge=0, le=60_000)] | None = None
    trust: Sha256 | None = None
    faults: Annotated[tuple[Fault, ...], Field(max_length=16)] = ()
    receipts: Annotated[tuple[Receipt, ...], Field(max_length=MAX_RECEIPTS)] = ()
    prefetched: Annotated[tuple[MediaPrefix, ...], Field(max_length=MAX_PREFETCH)] = ()


class PrefetchItem(Value):
    """A file that should be on the disk before anybody asks for it."""

    sha256: Sha256
    bytes: Annotated[int, Field(strict=True, ge=1)]


class Prefetch(Document):
    """What may be announced at once, most likely first; ordered by ``(epoch, rev)``.

    A device fetches it behind the music of the next hour and before the rest.
    """

    epoch: Annotated[int, Field(strict=True, ge=1)]
    rev: Annotated[int, Field(strict=True, ge=1)]
    items: Annotated[tuple[PrefetchItem, ...], Field(max_length=MAX_PREFETCH)] = ()


Channels = Literal["stereo", "mono", "left", "right"]
"""What of the two channels of a source a device sounds."""


FetchWindow = Annotated[
    str,
    StringConstraints(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9])?$"),
]
"""Hours of a day, such as ``22:00-06:00``; empty: all of them."""


class DeviceConfig(Document):
    """What an operator sets for one device; ordered by ``(epoch, rev)`` like the zone state.

    ``trim`` shifts its output to make up for the delay of what is behind it. ``channels`` says
    what both of its channels sound: ``stereo`` each its own, ``mono`` their mean, ``left`` and
    ``right`` that one of the two. ``fetch_rate`` is how many bytes a second it may download (0:
    what its own settings say), ``fetch_window`` at which hours what is not needed soon, by the
    clock of ``timezone`` (IANA's name; empty: the machine's). ``media_url`` is where it fetches
    (empty: where its credential says). ``emergency_keys`` are the Ed25519 keys (32 bytes, base64)
    under which emergencies hold, the newest first; a device without any obeys none.
    """

    epoch: Annotated[int, Field(strict=True, ge=1)]
    rev: Annotated[int, Field(strict=True, ge=1)]
    name: Label = ""
    volume_min: Percent = 0
    volume_max: Percent = 100
    trim_millis: Annotated[int, Field(strict=True, ge=-1000, le=1000)] = 0
    channels: Channels = "stereo"
    cache_limit: Annotated[int, Field(strict=True, ge=0)] = 8_000_000_000
    fetch_rate: Annotated[int, Field(strict=True, ge=0)] = 0
    fetch_window: FetchWindow = ""
    timezone: Annotated[str, Field(max_length=64)] = ""
    media_url: Annotated[str, Field(max_length=500)] = ""
    emergency_keys: Annotated[tuple[PublicKey, ...], Field(max_length=2)] = ()


class Command(Document):
    """What is only right now; refused after ``exp`` (zone-clock milliseconds since the epoch)."""

    id: Uuid
    exp: Millis
    do: Literal["identify", "test_tone", "reboot", "send_logs"]
    args: dict[str, Any] = Field(default_factory=dict)


class Reply(Document):
    """The answer to a command, by its id."""

    id: Uuid
    ok: bool
    code: Annotated[str, Field(max_length=64)] = ""
    detail: Label = ""


class Generation(Document):
    """The broker's generation marker: missing or older means that retained state was lost."""

    gen: Uuid
    at: Millis
