"""Rows of mail: what was asked for, and what became of it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from sync2gear_platform.kit.db import moment, sealed
from sync2gear_platform.kit.ids import uuid7


class Mail(SQLModel, table=True):
    """One letter. ``content`` (a sealed JSON ``Letter``) is forgotten once it was sent.

    ``waiting`` is tried until ``sent`` or ``dead`` (``reason`` says why); ``kept`` lies in the
    development inbox. One job makes one letter, however often it runs.
    """

    __tablename__ = "mails"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'sent', 'kept', 'dead')", name="state"),
        CheckConstraint("state <> 'sent' OR content IS NULL", name="forgotten"),
        UniqueConstraint("job_id"),
        Index("ix_mails_created_at", "created_at"),
    )

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    job_id: int = Field(sa_type=BigInteger)
    client_id: UUID | None = Field(default=None, foreign_key="clients.id", ondelete="CASCADE")
    recipient: str = Field(max_length=320)
    template: str = Field(max_length=64)
    locale: str = Field(max_length=8)
    content: str | None = sealed(default=None, nullable=True)
    state: str = Field(default="waiting", max_length=8)
    attempts: int = Field(default=0)
    reason: str = Field(default="", max_length=500)
    created_at: datetime = moment()
    ended_at: datetime | None = moment(default=None, nullable=True)
