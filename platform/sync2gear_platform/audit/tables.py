"""Rows of the audit trail: entries, what may be erased of them, and the chains that seal them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Text, Uuid, text
from sqlmodel import Field, SQLModel

from sync2gear_platform.audit.rules import ACTIVITIES, ERASE, OPERATIONS, Facts
from sync2gear_platform.kit.db import by_client, moment
from sync2gear_platform.kit.ids import uuid7


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


class AuditEntry(SQLModel, table=True):
    """Who did what to which thing, and when. Insert-only; sealed into its chain at the commit."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        _one_of("activity", ACTIVITIES),
        _one_of("operation", OPERATIONS),
        by_client("audit_entries", "id"),
        by_client("audit_entries", "at", "id"),
        by_client("audit_entries", "actor_id", "at", "id"),
        by_client("audit_entries", "subject_id", "at", "id"),
        by_client("audit_entries", "action", "at", "id"),
        Index("ix_audit_entries_at_id", "at", "id"),
        Index(
            "ix_audit_entries_erasures", "subject_id", postgresql_where=text(f"action = '{ERASE}'")
        ),
    )

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    client_id: UUID | None = Field(default=None, foreign_key="clients.id")
    at: datetime = moment()
    actor_kind: str = Field(max_length=16)
    actor_id: UUID | None = None
    session_id: UUID | None = None
    action: str = Field(max_length=64)
    activity: str = Field(max_length=16)
    operation: str = Field(max_length=16)
    subject_type: str = Field(max_length=32)
    subject_id: UUID | None = None
    trace: str = Field(default="", max_length=64)
    digest: str = Field(max_length=64)

    @property
    def facts(self) -> Facts:
        """This row as the value that is hashed."""
        return Facts(**{name: getattr(self, name) for name in Facts.__slots__})


class AuditDetails(SQLModel, table=True):
    """Names, addresses, old and new values of an entry: all of it that may be erased.

    ``body`` is the exact text that was hashed, JSON in itself.
    """

    __tablename__ = "audit_details"
    __table_args__ = (by_client("audit_details", "entry_id"),)

    entry_id: UUID = Field(
        primary_key=True,
        sa_type=Uuid,
        sa_column_args=[
            # the unit of work may write either row first
            ForeignKey("audit_entries.id", deferrable=True, initially="DEFERRED")
        ],
    )
    client_id: UUID | None = None
    salt: str = Field(max_length=64)
    body: str = Field(sa_type=Text)


class AuditSeal(SQLModel, table=True):
    """A link of a chain: the hash over all entries up to this one. Written by the database."""

    __tablename__ = "audit_seals"

    chain: UUID = Field(primary_key=True)
    seq: int = Field(primary_key=True, sa_type=BigInteger)
    entry_id: UUID = Field(foreign_key="audit_entries.id", unique=True)
    hash: str = Field(max_length=64)


class AuditHead(SQLModel, table=True):
    """The last link of a chain: the row that two writers of one chain wait for at their commit."""

    __tablename__ = "audit_heads"

    chain: UUID = Field(primary_key=True)
    seq: int = Field(sa_type=BigInteger)
    hash: str = Field(max_length=64)
