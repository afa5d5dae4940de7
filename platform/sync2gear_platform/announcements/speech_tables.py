"""Rows of speech: providers, what was rendered, what it cost, and what a client prefers."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index
from sqlmodel import Field, SQLModel

from sync2gear_platform.kit.db import (
    Owned,
    belongs_to,
    by_client,
    document,
    moment,
    owned,
    sealed,
)
from sync2gear_platform.kit.ids import uuid7


class AiProvider(SQLModel, table=True):
    """A service that speaks: the installation's (without a client), or a client's own.

    Lower ``priority`` is asked first. ``unit_price`` is in millionths of a currency unit for each
    character; the monthly limits hold for each client by itself, null for none.
    """

    __tablename__ = "ai_providers"
    __table_args__ = (
        Index(
            "uq_ai_providers_default",
            "client_id",
            unique=True,
            postgresql_where="is_default",
            postgresql_nulls_not_distinct=True,
        ),
        Index("ix_ai_providers_client_priority", "client_id", "priority", "id"),
        CheckConstraint("kind IN ('espeak', 'google', 'piper')", name="kind"),
        CheckConstraint("priority BETWEEN 0 AND 1000 AND unit_price >= 0", name="numbers"),
    )

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    client_id: UUID | None = Field(default=None, foreign_key="clients.id", ondelete="CASCADE")
    version: int = Field(default=1)
    created_at: datetime = moment()
    updated_at: datetime = moment()
    kind: str = Field(max_length=16)
    name: str = Field(max_length=100)
    priority: int = Field(default=100)
    is_active: bool = Field(default=True)
    is_default: bool = Field(default=False)
    settings: dict[str, Any] = document(default_factory=dict)
    api_key: str | None = sealed(default=None, nullable=True)
    api_key_end: str = Field(default="", max_length=4)
    monthly_characters: int | None = Field(default=None, sa_type=BigInteger)
    monthly_cost: int | None = Field(default=None, sa_type=BigInteger)
    unit_price: int = Field(default=0)


class Rendered(Owned, table=True):
    """Words that were spoken once by a voice in a manner (``key``), and the sound of it."""

    __tablename__ = "speech_renderings"
    __table_args__ = owned(
        Index("uq_speech_renderings_key", "client_id", "key", unique=True),
        belongs_to("media", "sha256", on=("sha256",), ondelete="RESTRICT"),
    )

    key: str = Field(max_length=64)
    kind: str = Field(max_length=16)
    voice: str = Field(max_length=64)
    sha256: str = Field(max_length=64)
    hits: int = Field(default=0)
    used_at: datetime = moment()


class SpeechCall(Owned, table=True):
    """One text given to a provider: ``open`` while it is asked, then what became of it.

    ``done`` was spoken, ``failed`` cost nothing; ``lost`` got no useful answer, or the process died
    meanwhile: it counts, since it may have been billed. ``cost`` in millionths of a currency unit.
    """

    __tablename__ = "speech_calls"
    __table_args__ = owned(
        by_client("speech_calls", "month", "provider_id"),
        by_client("speech_calls", "key"),
        CheckConstraint("state IN ('open', 'done', 'failed', 'lost')", name="state"),
    )

    provider_id: UUID | None = Field(
        default=None, foreign_key="ai_providers.id", ondelete="SET NULL"
    )
    provider: str = Field(max_length=100)
    kind: str = Field(max_length=16)
    key: str = Field(max_length=64)
    purpose: str = Field(default="announcement", max_length=16)
    month: date
    characters: int
    cost: int = Field(sa_type=BigInteger)
    state: str = Field(default="open", max_length=8)


class SpeechDefaults(Owned, table=True):
    """How a client's texts are spoken where nobody says otherwise; at most one row a client."""

    __tablename__ = "speech_defaults"
    __table_args__ = owned(Index("uq_speech_defaults_client", "client_id", unique=True))

    provider_id: UUID | None = Field(
        default=None, foreign_key="ai_providers.id", ondelete="SET NULL"
    )
    voice: str = Field(default="", max_length=64)
    language: str = Field(default="en", max_length=35)
    rate: int = Field(default=100)
    pitch: int = Field(default=0)
    volume: int = Field(default=0)
    fall_back: bool = Field(default=True)
