"""Rows of prepared messages, of emergencies, and of the zones where they were raised."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from sync2gear_platform.kit.db import Owned, belongs_to, by_client, moment, owned


class EmergencyMessage(Owned, table=True):
    """What can be raised with one press: an announcement that speakers hold, and how loud it is."""

    __tablename__ = "emergency_messages"
    __table_args__ = owned(
        UniqueConstraint("client_id", "name"),
        by_client("emergency_messages", "announcement_id"),
        belongs_to("announcements", "announcement_id"),
        CheckConstraint("volume BETWEEN 1 AND 100", name="volume"),
    )

    name: str = Field(max_length=255)
    announcement_id: UUID
    volume: int = Field(default=100)


class EmergencyRow(Owned, table=True):
    """An emergency or a drill, for ever; ``gen`` is the generation of its latch.

    Over once it is cleared or ``ends_at`` has passed. The message may be gone: its name stands.
    ``everywhere``: zones that are made while it lasts are part of it.
    """

    __tablename__ = "emergencies"
    __table_args__ = owned(
        by_client("emergencies", "created_at", "id"),
        belongs_to("emergency_messages", "message_id", ondelete="SET NULL"),
    )

    name: str = Field(max_length=255)
    message_id: UUID | None = None
    drill: bool = Field(default=False)
    everywhere: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    volume: int
    gen: int = Field(sa_type=BigInteger)
    raised_by: UUID | None = None
    ends_at: datetime | None = moment(default=None, nullable=True)
    cleared_at: datetime | None = moment(default=None, nullable=True)
    cleared_by: UUID | None = None


class EmergencyZone(SQLModel, table=True):
    """A zone in which it was raised."""

    __tablename__ = "emergency_zones"
    __table_args__ = (
        by_client("emergency_zones", "zone_id"),
        belongs_to("emergencies", "emergency_id"),
        belongs_to("zones", "zone_id"),
    )

    client_id: UUID = Field(primary_key=True, foreign_key="clients.id", ondelete="CASCADE")
    emergency_id: UUID = Field(primary_key=True)
    zone_id: UUID = Field(primary_key=True)
