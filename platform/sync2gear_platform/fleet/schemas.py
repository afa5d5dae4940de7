"""REST bodies of the fleet."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from sync2gear_broker.messages import Channels, FetchWindow
from sync2gear_broker.units import Percent

Text = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=255, pattern=r"^[^\x00-\x1f]*$")
]
Name = Annotated[Text, StringConstraints(min_length=1)]
Trim = Annotated[int, Field(strict=True, ge=-1000, le=1000)]
FetchRate = Annotated[int, Field(strict=True, ge=0, le=1_000_000_000)]


class RegisterIn(BaseModel):
    """A device that somebody holds in their hands. ``hardware_id`` is what names it for ever."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    hardware_id: Name
    zone_id: UUID | None = None
    device_type: Annotated[Name, StringConstraints(max_length=50)] = "speaker"
    model: Annotated[Text, StringConstraints(max_length=100)] = ""


class DevicePatch(BaseModel):
    """What may change of a device. A null ``zone_id`` takes it out of its zone.

    ``channels``: both of its channels sound their own, the mean of the two, the left or the right.
    ``fetch_rate`` bounds its downloads in bytes a second (0: what its own settings say), and
    ``fetch_window`` says at which hours of its location's day it fetches what is not needed soon,
    such as ``22:00-06:00`` (empty: all day). What a person sends now is not held up by either.
    """

    model_config = ConfigDict(extra="forbid")

    name: Name = "unnamed"
    zone_id: UUID | None = None
    volume: Percent = 100
    trim_millis: Trim = 0
    channels: Channels = "stereo"
    fetch_rate: FetchRate = 0
    fetch_window: FetchWindow = ""


class DeviceVolumeIn(BaseModel):
    """The loudest that a device may be."""

    model_config = ConfigDict(extra="forbid")

    volume: Percent


class FaultOut(BaseModel):
    """Something that the device cannot do right now."""

    code: str
    detail: str


class HealthOut(BaseModel):
    """How a device's machine was at its last heartbeat; what it does not measure is null.

    ``uptime`` in milliseconds, ``temperature`` in degrees Celsius, ``disk_free`` and
    ``cache_bytes`` in bytes, ``clock_error`` and ``sync_error`` in milliseconds, ``level`` as the
    peak in dBFS (null: digital silence), ``underruns`` since its start. ``wall_error`` is by how
    many milliseconds its own clock is ahead of the platform's, ``ntp`` whether NTP keeps that one;
    ``dead_letters`` are play events that it could not read any more.
    """

    uptime: int
    load: float | None
    temperature: float | None
    disk_free: int | None
    cache_bytes: int | None
    clock_error: float | None
    sync_error: float | None
    underruns: int | None
    level: float | None
    wall_error: float | None = None
    ntp: bool | None = None
    dead_letters: int | None = None


class DeviceOut(BaseModel):
    """A device with what it last said of itself; ``applied`` is the ``(epoch, rev)`` it obeys."""

    id: UUID
    name: str
    device_type: str
    hardware_id: str
    model: str
    zone_id: UUID | None
    volume: int
    trim_millis: int
    channels: Channels
    fetch_rate: int
    fetch_window: str
    is_online: bool
    last_seen: datetime | None
    firmware_version: str
    applied: tuple[int, int] | None
    faults: list[FaultOut]
    clock: Literal["none", "holdover", "synced"]
    trust: str | None
    cache_24h: int
    cache_72h: int
    health: HealthOut | None
    created_at: datetime
    updated_at: datetime


class CredentialOut(BaseModel):
    """What the device needs to connect; the secret is shown this once.

    ``ca`` are the roots that it is to trust (PEM); empty: those of its system.
    """

    client: UUID
    device: UUID
    secret: str
    mqtt_url: str
    http_url: str
    ca: str = ""


class TrustOut(BaseModel):
    """The roots that devices are to trust from now on (PEM); empty: those of their systems."""

    ca: str


class RegisteredOut(BaseModel):
    """A new device and its credential."""

    device: DeviceOut
    credential: CredentialOut


class IntegrationIn(BaseModel):
    """A program that wants to read the zones over MQTT; without ``expires_at`` until revoked."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    expires_at: AwareDatetime | None = None


class IntegrationOut(BaseModel):
    """An MQTT account of an integration; ``username`` is its MQTT client id too."""

    id: UUID
    name: str
    username: str
    expires_at: datetime | None
    created_at: datetime


class IntegrationCredentialOut(BaseModel):
    """What an integration needs to connect and listen; the secret is shown this once."""

    username: str
    secret: str
    mqtt_url: str
    topic_filter: str


class IntegrationMadeOut(BaseModel):
    """A new account and its credential."""

    account: IntegrationOut
    credential: IntegrationCredentialOut
