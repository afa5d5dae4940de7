"""Rows of the audit trail: insert-only by grant."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Field, SQLModel

from sync2gear_platform.kit.db import by_client, document, moment
from sync2gear_platform.kit.ids import uuid7


class AuditEntry(SQLModel, table=True):
    """Who did what to which thing, when, and what it was before and after."""

    __tablename__ = "audit_entries"
    __table_args__ = (by_client("audit_entries", "id"),)

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    client_id: UUID = Field(foreign_key="clients.id", ondelete="CASCADE")
    at: datetime = moment()
    actor_kind: str = Field(max_length=16)
    actor_id: UUID | None = None
    actor_label: str = Field(default="", max_length=320)
    action: str = Field(max_length=64)
    subject_type: str = Field(max_length=32)
    subject_id: UUID | None = None
    before: dict[str, Any] | None = document(default=None, nullable=True)
    after: dict[str, Any] | None = document(default=None, nullable=True)
    trace: str = Field(default="", max_length=64)
