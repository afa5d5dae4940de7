"""Rows of archives that were asked for, and of deletions that are to come."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from sync2gear_platform.kit.db import moment
from sync2gear_platform.kit.ids import uuid7

ONE = "num_nonnulls(client_id, user_id) = 1"


class Export(SQLModel, table=True):
    """An archive of all of a client's or of all of a person's data.

    Its file exists under its final name only when it is ``ready``; ``requested_by`` may fetch a
    client's archive as every other manager may.
    """

    __tablename__ = "privacy_exports"
    __table_args__ = (
        CheckConstraint(ONE, name="one_subject"),
        CheckConstraint("state IN ('running', 'ready', 'failed')", name="state"),
    )

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    client_id: UUID | None = Field(
        default=None, foreign_key="clients.id", ondelete="CASCADE", index=True
    )
    user_id: UUID | None = Field(
        default=None, foreign_key="users.id", ondelete="CASCADE", index=True
    )
    requested_by: UUID | None = Field(default=None, foreign_key="users.id", ondelete="SET NULL")
    state: str = Field(default="running", max_length=8)
    bytes: int = Field(default=0, sa_type=BigInteger)
    sha256: str = Field(default="", max_length=64)
    created_at: datetime = moment()
    finished_at: datetime | None = moment(default=None, nullable=True)
    expires_at: datetime = moment()


class Deletion(SQLModel, table=True):
    """A client or a person that will be deleted at ``due_at``.

    ``by_request``: somebody of theirs asked for it; otherwise an operator took them out of sight.
    ``purging_at`` is the point of no return: from then on it is finished whatever happens.
    """

    __tablename__ = "privacy_deletions"
    __table_args__ = (
        CheckConstraint(ONE, name="one_subject"),
        UniqueConstraint("client_id"),
        UniqueConstraint("user_id"),
    )

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    client_id: UUID | None = Field(default=None, foreign_key="clients.id", ondelete="CASCADE")
    user_id: UUID | None = Field(default=None, foreign_key="users.id", ondelete="CASCADE")
    requested_by: UUID | None = Field(default=None, foreign_key="users.id", ondelete="SET NULL")
    by_request: bool = Field(default=True)
    created_at: datetime = moment()
    due_at: datetime = moment(index=True)
    purging_at: datetime | None = moment(default=None, nullable=True)
