"""Rows of programmes, zone states and proof of play."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, UniqueConstraint
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
    """The canonical state of one zone: the document that is published, and where it came from.

    What people chose last is a folder or a channel, at ``chosen_frame``; ``chosen_digest`` names
    what that was like when its music was listed (empty: unknown).
    """

    __tablename__ = "zone_playback"
    __table_args__ = (
        belongs_to("zones", "zone_id"),
        belongs_to("folders", "folder_id", ondelete="SET NULL"),
        belongs_to("channels", "channel_id", ondelete="SET NULL"),
    )

    zone_id: UUID = Field(primary_key=True)
    client_id: UUID = Field(foreign_key="clients.id", ondelete="CASCADE", index=True)
    epoch: int = Field(sa_type=BigInteger)
    rev: int = Field(sa_type=BigInteger)
    document: dict[str, Any] = document()
    folder_id: UUID | None = None
    channel_id: UUID | None = None
    chosen_frame: int | None = Field(default=None, sa_type=BigInteger)
    chosen_digest: str = Field(default="", max_length=64, sa_column_kwargs={"server_default": ""})
    shuffle: bool = Field(default=False)
    updated_at: datetime = moment()


class ZoneStateRow(SQLModel, table=True):
    """A state that a zone had from a frame on, for whoever asks what sounded then."""

    __tablename__ = "zone_states"
    __table_args__ = (
        belongs_to("zones", "zone_id"),
        Index("ix_zone_states_zone_id_from_frame", "zone_id", "from_frame"),
    )

    client_id: UUID = Field(primary_key=True, foreign_key="clients.id", ondelete="CASCADE")
    zone_id: UUID = Field(primary_key=True)
    rev: int = Field(primary_key=True, sa_type=BigInteger)
    from_frame: int = Field(sa_type=BigInteger)
    document: dict[str, Any] = document()


class Play(SQLModel, table=True):
    """One call for something to be heard at once, in however many zones; its id names the event."""

    __tablename__ = "plays"
    __table_args__ = (
        by_client("plays", "created_at", "id"),
        by_client("plays", "announcement_id"),
        belongs_to("announcements", "announcement_id", ondelete="SET NULL"),
    )

    client_id: UUID = Field(primary_key=True, foreign_key="clients.id", ondelete="CASCADE")
    id: UUID = Field(primary_key=True)
    announcement_id: UUID | None = None
    title: str = Field(max_length=255)
    created_by: UUID | None = None
    created_at: datetime = moment()


class PlayZone(SQLModel, table=True):
    """Where it was to be heard, from which frame on, and for how many."""

    __tablename__ = "play_zones"
    __table_args__ = (
        by_client("play_zones", "zone_id"),
        belongs_to("plays", "play_id"),
        belongs_to("zones", "zone_id"),
    )

    client_id: UUID = Field(primary_key=True, foreign_key="clients.id", ondelete="CASCADE")
    play_id: UUID = Field(primary_key=True)
    zone_id: UUID = Field(primary_key=True)
    sha256: str = Field(max_length=64)
    start_frame: int = Field(sa_type=BigInteger)
    frames: int = Field(sa_type=BigInteger)
    cancelled_at: datetime | None = moment(default=None, nullable=True)


class PlaySpeaker(SQLModel, table=True):
    """A speaker that stood there then, and what it said of the event before it sounded."""

    __tablename__ = "play_speakers"
    __table_args__ = (
        by_client("play_speakers", "device_id"),
        belongs_to("play_zones", "play_id", "zone_id", on=("play_id", "zone_id")),
        belongs_to("devices", "device_id"),
    )

    client_id: UUID = Field(primary_key=True, foreign_key="clients.id", ondelete="CASCADE")
    play_id: UUID = Field(primary_key=True)
    device_id: UUID = Field(primary_key=True)
    zone_id: UUID
    received_frame: int | None = Field(default=None, sa_type=BigInteger)
    cached_frame: int | None = Field(default=None, sa_type=BigInteger)


class PrefetchList(SQLModel, table=True):
    """What the client's speakers fetch before anybody asks: the document that is published."""

    __tablename__ = "prefetch_lists"

    client_id: UUID = Field(primary_key=True, foreign_key="clients.id", ondelete="CASCADE")
    epoch: int = Field(sa_type=BigInteger)
    rev: int = Field(sa_type=BigInteger)
    document: dict[str, Any] = document()
    updated_at: datetime = moment()


class PlayLog(SQLModel, table=True):
    """How far one outbox of a device is committed: what ``evack`` says.

    ``last_frame`` is the latest of which it told.
    """

    __tablename__ = "play_logs"
    __table_args__ = (belongs_to("devices", "device_id"),)

    device_id: UUID = Field(primary_key=True)
    log: UUID = Field(primary_key=True)
    client_id: UUID = Field(foreign_key="clients.id", ondelete="CASCADE", index=True)
    acked: int = Field(default=0, sa_type=BigInteger)
    last_frame: int | None = Field(default=None, sa_type=BigInteger)
    updated_at: datetime = moment()


class PlayGap(SQLModel, table=True):
    """What a device told and nobody can know any more: numbers ``after`` to ``until``, excluded.

    It lies somewhere in the frames [from_frame, to_frame]: between what was told before and after.
    """

    __tablename__ = "play_gaps"
    __table_args__ = (
        belongs_to("devices", "device_id"),
        by_client("play_gaps", "device_id", "to_frame"),
    )

    client_id: UUID = Field(primary_key=True, foreign_key="clients.id", ondelete="CASCADE")
    device_id: UUID = Field(primary_key=True)
    log: UUID = Field(primary_key=True)
    after: int = Field(primary_key=True, sa_type=BigInteger)
    until: int = Field(sa_type=BigInteger)
    from_frame: int = Field(sa_type=BigInteger)
    to_frame: int = Field(sa_type=BigInteger)
    noticed_at: datetime = moment()


class PlayEventRow(SQLModel, table=True):
    """One play event, once; kept after its device is gone (proof of play)."""

    __tablename__ = "play_events"
    __table_args__ = (
        UniqueConstraint("device_id", "log", "seq"),
        by_client("play_events", "received_at", "id"),
        by_client("play_events", "zone_id", "at_frame"),
        by_client("play_events", "sha256", "device_id"),
        by_client("play_events", "zone_id", "planned_frame"),
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
