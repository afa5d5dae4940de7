"""Rows of places and devices."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from sync2gear_platform.kit.db import Owned, belongs_to, by_client, document, moment, owned


class Location(Owned, table=True):
    """An address with its own local time; ``country`` (ISO 3166-1) where licences ask for it.

    ``quiet_hours`` are documents as ``schemas.py`` has them, of all zones without their own.
    """

    __tablename__ = "locations"
    __table_args__ = owned(by_client("locations", "name"))

    name: str = Field(max_length=255)
    address: str = Field(default="", max_length=1000)
    timezone: str = Field(default="UTC", max_length=64)
    country: str = Field(default="", max_length=2)
    quiet_hours: list[dict[str, Any]] = document(
        default_factory=list, sa_column_kwargs={"server_default": "[]"}
    )


class Facility(Owned, table=True):
    """A building or unit of a location; optional."""

    __tablename__ = "facilities"
    __table_args__ = owned(
        UniqueConstraint("client_id", "location_id", "id"),
        belongs_to("locations", "location_id"),
    )

    location_id: UUID
    name: str = Field(max_length=255)


class Floor(Owned, table=True):
    """A storey of a location."""

    __tablename__ = "floors"
    __table_args__ = owned(
        UniqueConstraint("client_id", "location_id", "id"),
        belongs_to("locations", "location_id"),
        belongs_to(
            "facilities",
            "location_id",
            "facility_id",
            on=("location_id", "id"),
            ondelete="RESTRICT",
        ),
    )

    location_id: UUID
    facility_id: UUID | None = None
    name: str = Field(max_length=255)
    level: int = Field(default=0)


class Zone(Owned, table=True):
    """Where sound comes out: an area that hears one timeline.

    ``quiet_hours`` null: those of its location.
    """

    __tablename__ = "zones"
    __table_args__ = owned(
        by_client("zones", "name"),
        belongs_to("locations", "location_id", ondelete="RESTRICT"),
        belongs_to(
            "floors", "location_id", "floor_id", on=("location_id", "id"), ondelete="RESTRICT"
        ),
        CheckConstraint("default_volume BETWEEN 0 AND 100", name="volume"),
    )

    location_id: UUID
    floor_id: UUID | None = None
    name: str = Field(max_length=255)
    description: str = Field(default="", max_length=2000)
    default_volume: int = Field(default=70)
    is_active: bool = Field(default=True)
    tags: list[str] = document(default_factory=list)
    quiet_hours: list[dict[str, Any]] | None = Field(
        default=None, sa_type=JSONB(none_as_null=True), nullable=True
    )


class Device(Owned, table=True):
    """A speaker or another MQTT client. Without a zone it is unclaimed and plays nothing.

    ``secret_hash`` is the broker's own form (Mosquitto's ``$7$``), also checked over HTTP; a
    device with ``revoked_at`` set has no account anywhere.
    """

    __tablename__ = "devices"
    __table_args__ = owned(
        UniqueConstraint("client_id", "hardware_id"),
        by_client("devices", "zone_id"),
        belongs_to("zones", "zone_id", ondelete="SET NULL"),
        CheckConstraint("volume BETWEEN 0 AND 100", name="volume"),
        CheckConstraint("channels IN ('stereo', 'mono', 'left', 'right')", name="channels"),
        CheckConstraint("fetch_rate >= 0", name="fetch_rate"),
    )

    zone_id: UUID | None = None
    name: str = Field(max_length=255)
    device_type: str = Field(default="speaker", max_length=50)
    hardware_id: str = Field(max_length=255)
    model: str = Field(default="", max_length=100)
    volume: int = Field(default=100)
    trim_millis: int = Field(default=0)
    channels: str = Field(
        default="stereo", max_length=6, sa_column_kwargs={"server_default": "stereo"}
    )
    fetch_rate: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    fetch_window: str = Field(default="", max_length=11, sa_column_kwargs={"server_default": ""})
    secret_hash: str = Field(max_length=255)
    revoked_at: datetime | None = moment(default=None, nullable=True)
    config_epoch: int = Field(default=1)
    config_rev: int = Field(default=1)


class DevicePresence(SQLModel, table=True):
    """What a device last said of itself; written by the fleet, apart because it changes often."""

    __tablename__ = "device_presence"
    __table_args__ = (belongs_to("devices", "device_id"),)

    device_id: UUID = Field(primary_key=True)
    client_id: UUID = Field(foreign_key="clients.id", ondelete="CASCADE", index=True)
    online: bool = Field(default=False)
    boot: UUID | None = None
    sess: UUID | None = None
    last_seen_at: datetime | None = moment(default=None, nullable=True)
    firmware_version: str = Field(default="", max_length=200)
    heartbeat: dict[str, Any] | None = document(default=None, nullable=True)
    state: dict[str, Any] | None = document(default=None, nullable=True)
