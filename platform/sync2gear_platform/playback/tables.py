"""Rows of programmes, zone states and proof of play."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from sync2gear_platform.kit.db import belongs_to, by_client, document, moment


class ProgrammeRow(SQLModel, table=True):
    """An immutable programme by the hash of its canonical JSON, which is the body."""

    __tablename__ = "programmes"

    client_id: UUID = Field(primary_key=True, foreign_key="clients.id", ondelete="CASCADE")
    sha256: str = Field(primary_key=True, max_length=64)
    body: bytes = Field(sa_type=LargeBinary)
    created_at: datetime = moment()


class ProgrammeMedia(SQLModel, table=True):
    """Which media a programme refers to: what its zone's speakers may fetch."""

    __tablename__ = "programme_media"
    __table_args__ = (
        belongs_to("programmes", "programme", on=("sha256",)),
        belongs_to("media", "sha256", on=("sha256",), ondelete="RESTRICT"),
    )

    client_id: UUID = Field(primary_key=True, foreign_key="clients.id", ondelete="CASCADE")
    programme: str = Field(primary_key=True, max_length=64)
    sha256: str = Field(primary_key=True, max_length=64)


class ZonePlayback(SQLModel, table=True):
    """The canonical state of one zone: the document that is published, and where it came from."""

    __tablename__ = "zone_playback"
    __table_args__ = (
        belongs_to("zones", "zone_id"),
        belongs_to("folders", "folder_id", ondelete="SET NULL"),
    )

    zone_id: UUID = Field(primary_key=True)
    client_id: UUID = Field(foreign_key="clients.id", ondelete="CASCADE", index=True)
    epoch: int = Field(sa_type=BigInteger)
    rev: int = Field(sa_type=BigInteger)
    document: dict[str, Any] = document()
    folder_id: UUID | None = None
    shuffle: bool = Field(default=False)
    updated_at: datetime = moment()


class PlayLog(SQLModel, table=True):
    """How far one outbox of a device is committed: what ``evack`` says."""

    __tablename__ = "play_logs"
    __table_args__ = (belongs_to("devices", "device_id"),)

    device_id: UUID = Field(primary_key=True)
    log: UUID = Field(primary_key=True)
    client_id: UUID = Field(foreign_key="clients.id", ondelete="CASCADE", index=True)
    acked: int = Field(default=0, sa_type=BigInteger)
    updated_at: datetime = moment()


class PlayEventRow(SQLModel, table=True):
    """One play event, once; kept after its device is gone (proof of play)."""

    __tablename__ = "play_events"
    __table_args__ = (
        UniqueConstraint("device_id", "log", "seq"),
        by_client("play_events", "received_at", "id"),
        by_client("play_events", "zone_id", "at_frame"),
        by_client("play_events", "sha256", "device_id"),
        CheckConstraint("kind IN ('started', 'finished', 'missed')", name="kind"),
    )

    id: UUID = Field(primary_key=True)
    client_id: UUID = Field(primary_key=True, foreign_key="clients.id", ondelete="CASCADE")
    device_id: UUID
    log: UUID
    seq: int = Field(sa_type=BigInteger)
    kind: str = Field(max_length=16)
    zone_id: UUID
    item: str = Field(max_length=64)
    sha256: str = Field(max_length=64)
    media_kind: str = Field(max_length=16)
    at_frame: int = Field(sa_type=BigInteger)
    planned_frame: int = Field(sa_type=BigInteger)
    frames: int = Field(default=0, sa_type=BigInteger)
    audible: bool = Field(default=True)
    reason: str = Field(default="", max_length=64)
    received_at: datetime = moment()
