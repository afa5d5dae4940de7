"""Rows of clients, users and their memberships."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from sync2gear_platform.kit.db import Owned, moment, owned
from sync2gear_platform.kit.ids import uuid7


class Client(SQLModel, table=True):
    """A business: the tenant. Everything else belongs to exactly one."""

    __tablename__ = "clients"
    __table_args__ = (
        CheckConstraint("status IN ('active', 'suspended', 'cancelled')", name="status"),
    )

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    name: str = Field(max_length=255)
    status: str = Field(default="active", max_length=16)
    max_devices: int = Field(default=5)
    max_storage_gb: int = Field(default=10)
    created_at: datetime = moment()
    updated_at: datetime = moment()


class User(SQLModel, table=True):
    """A person. ``session_version`` ends every token made before it was raised."""

    __tablename__ = "users"
    __table_args__ = (Index("uq_users_email", text("lower(email)"), unique=True),)

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    email: str = Field(max_length=320)
    name: str = Field(max_length=255)
    password_hash: str = Field(max_length=255)
    session_version: int = Field(default=1)
    is_active: bool = Field(default=True)
    created_at: datetime = moment()
    updated_at: datetime = moment()


class Membership(Owned, table=True):
    """What a user is in a client; the role names a row of the permission matrix."""

    __tablename__ = "memberships"
    __table_args__ = owned(UniqueConstraint("client_id", "user_id"))

    user_id: UUID = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    role: str = Field(max_length=32)
