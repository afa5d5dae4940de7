"""Rows of rotations: how far each one is."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from sync2gear_platform.kit.db import moment
from sync2gear_platform.kit.ids import uuid7


class Rotation(SQLModel, table=True):
    """One rotation. ``total`` rows lay under older keys when it was asked for, ``remaining`` after.

    Values of the job queue count in ``resealed`` only.
    """

    __tablename__ = "vault_rotations"
    __table_args__ = (CheckConstraint("state IN ('running', 'done', 'incomplete')", name="state"),)

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    state: str = Field(default="running", max_length=16)
    total: int = Field(default=0)
    resealed: int = Field(default=0)
    unreadable: int = Field(default=0)
    remaining: int = Field(default=0)
    created_at: datetime = moment()
    ended_at: datetime | None = moment(default=None, nullable=True)
