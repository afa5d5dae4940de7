"""Rows of clients, their members, and the sign-ins, tokens and links that speak for them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    UniqueConstraint,
    text,
)
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


class Client(SQLModel, table=True):
    """A business: the tenant. Everything else belongs to exactly one.

    ``deleted_at`` takes it out of sight; it can be restored until it is purged.
    """

    __tablename__ = "clients"
    __table_args__ = (
        CheckConstraint("status IN ('active', 'suspended', 'cancelled')", name="status"),
        CheckConstraint(
            "subscription_tier IN ('basic', 'professional', 'enterprise')", name="tier"
        ),
        CheckConstraint("max_devices >= 0 AND max_storage_gb >= 0", name="limits"),
    )

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    name: str = Field(max_length=255)
    email: str = Field(default="", max_length=320)
    phone: str = Field(default="", max_length=50)
    status: str = Field(default="active", max_length=16)
    subscription_tier: str = Field(default="basic", max_length=16)
    subscription_start: date | None = None
    subscription_end: date | None = None
    max_devices: int = Field(default=5)
    max_storage_gb: int = Field(default=10)
    premium_features: dict[str, Any] = document(
        default_factory=dict, sa_column_kwargs={"server_default": "{}"}
    )
    require_second_factor: bool = Field(default=False)
    version: int = Field(default=1)
    deleted_at: datetime | None = moment(default=None, nullable=True)
    created_at: datetime = moment()
    updated_at: datetime = moment()


class User(SQLModel, table=True):
    """A person. ``session_version`` ends every sign-in made before it was raised.

    ``staff_role`` makes one of sync2gear's own people of it: ``staff`` or ``admin``.
    """

    __tablename__ = "users"
    __table_args__ = (
        Index("uq_users_email", text("lower(email)"), unique=True),
        CheckConstraint("staff_role IN ('staff', 'admin')", name="staff_role"),
    )

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    email: str = Field(max_length=320)
    name: str = Field(max_length=255)
    phone: str = Field(default="", max_length=50)
    timezone: str = Field(default="UTC", max_length=64)
    locale: str = Field(default="en", max_length=16)
    password_hash: str = Field(max_length=255)
    session_version: int = Field(default=1)
    staff_role: str | None = Field(default=None, max_length=16)
    is_active: bool = Field(default=True)
    version: int = Field(default=1)
    deleted_at: datetime | None = moment(default=None, nullable=True)
    created_at: datetime = moment()
    updated_at: datetime = moment()


class Placed(SQLModel):
    """Where something holds: in one place of the client, or in all of it when none is named."""

    location_id: UUID | None = None
    facility_id: UUID | None = None
    floor_id: UUID | None = None
    zone_id: UUID | None = None

    @property
    def place(self) -> UUID | None:
        """The place that it is confined to."""
        return self.location_id or self.facility_id or self.floor_id or self.zone_id


PLACES = {
    "location": "locations", "facility": "facilities", "floor": "floors", "zone": "zones",
}  # fmt: skip


def _placed() -> tuple[ForeignKeyConstraint | CheckConstraint, ...]:
    """At most one place; what is confined to it goes with it, and never becomes wider."""
    columns = [f"{kind}_id" for kind in PLACES]
    return (
        *(belongs_to(table, f"{kind}_id") for kind, table in PLACES.items()),
        CheckConstraint(f"num_nonnulls({', '.join(columns)}) <= 1", name="one_place"),
    )


class Membership(Owned, table=True):
    """A person's belonging to a client; what it may do there, its assignments say."""

    __tablename__ = "memberships"
    __table_args__ = owned(UniqueConstraint("client_id", "user_id"))

    user_id: UUID = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    is_active: bool = Field(default=True)


class RoleAssignment(Owned, Placed, table=True):
    """A role of a member, in the whole client or in one place."""

    __tablename__ = "role_assignments"
    __table_args__ = owned(
        belongs_to("memberships", "membership_id"),
        *_placed(),
        by_client("role_assignments", "membership_id"),
    )

    membership_id: UUID
    role: str = Field(max_length=32)


class Invitation(Owned, Placed, table=True):
    """An open offer to join a client. The link that was mailed is kept as a hash."""

    __tablename__ = "invitations"
    __table_args__ = owned(
        *_placed(),
        Index("uq_invitations_token", "token_hash", unique=True),
        by_client("invitations", "created_at", "id"),
    )

    email: str = Field(max_length=320)
    role: str = Field(max_length=32)
    token_hash: str = Field(max_length=64)
    invited_by: UUID | None = Field(default=None, foreign_key="users.id", ondelete="SET NULL")
    expires_at: datetime = moment()
    accepted_at: datetime | None = moment(default=None, nullable=True)
    revoked_at: datetime | None = moment(default=None, nullable=True)


class ApiToken(Owned, Placed, table=True):
    """A key for programs: what it may do is the lesser of what it names and what its maker may."""

    __tablename__ = "api_tokens"
    __table_args__ = owned(
        belongs_to("memberships", "membership_id"),
        *_placed(),
        by_client("api_tokens", "created_at", "id"),
    )

    membership_id: UUID
    name: str = Field(max_length=255)
    permissions: list[str] = document()
    secret_hash: str = Field(max_length=64)
    expires_at: datetime | None = moment(default=None, nullable=True)
    last_used_at: datetime | None = moment(default=None, nullable=True)
    revoked_at: datetime | None = moment(default=None, nullable=True)


class Session(SQLModel, table=True):
    """One sign-in: a browser's cookie, or an access token with its family of refresh tokens.

    ``secret_hash`` is that of the cookie or of the newest refresh token, ``previous_hash`` that of
    the one before it. ``viewing``: one of sync2gear's own people looks at a client.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        CheckConstraint("kind IN ('browser', 'token')", name="kind"),
        Index("ix_sessions_user_id_created_at", "user_id", "created_at"),
        Index("ix_sessions_ended_at", "ended_at"),
    )

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    user_id: UUID = Field(foreign_key="users.id", ondelete="CASCADE")
    client_id: UUID | None = Field(
        default=None, foreign_key="clients.id", ondelete="CASCADE", index=True
    )
    kind: str = Field(max_length=16)
    viewing: bool = Field(default=False)
    session_version: int = Field(default=1)
    secret_hash: str = Field(max_length=64)
    previous_hash: str = Field(default="", max_length=64)
    rotated_at: datetime = moment()
    idle_seconds: int
    last_used_at: datetime = moment()
    expires_at: datetime = moment()
    ended_at: datetime | None = moment(default=None, nullable=True)
    end_reason: str = Field(default="", max_length=32)
    address: str = Field(default="", max_length=64)
    agent: str = Field(default="", max_length=300)
    created_at: datetime = moment()


class Ticket(SQLModel, table=True):
    """A request that a mailed link completes: to sign up, to reset a password.

    Made for known and unknown addresses alike; a job decides afterwards whether a link is mailed.
    """

    __tablename__ = "tickets"
    __table_args__ = (
        CheckConstraint("purpose IN ('signup', 'password_reset', 'email_change')", name="purpose"),
        Index("uq_tickets_token", "token_hash", unique=True),
        Index("ix_tickets_expires_at", "expires_at"),
    )

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    purpose: str = Field(max_length=16)
    email: str = Field(max_length=320)
    user_id: UUID | None = Field(default=None, foreign_key="users.id", ondelete="CASCADE")
    wanted: dict[str, Any] = document(default_factory=dict)
    token_hash: str | None = Field(default=None, max_length=64)
    expires_at: datetime = moment()
    used_at: datetime | None = moment(default=None, nullable=True)
    created_at: datetime = moment()


class SignInAttempt(SQLModel, table=True):
    """One try to sign in: counted before the password is looked at, kept for a day."""

    __tablename__ = "sign_in_attempts"
    __table_args__ = (
        Index("ix_sign_in_attempts_account_at", "account", "at"),
        Index("ix_sign_in_attempts_address_at", "address", "at"),
        Index("ix_sign_in_attempts_at", "at"),
    )

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    account: str = Field(max_length=64)
    address: str = Field(max_length=64)
    ok: bool = Field(default=False)
    at: datetime = moment()


class SecondFactor(SQLModel, table=True):
    """An authenticator app of a person; it counts once a code of it was shown (``confirmed_at``).

    ``last_step`` is the step of the last code that was taken: an older one is never taken again.
    ``tries`` counts codes that were wrong since ``tries_since``.
    """

    __tablename__ = "second_factors"

    user_id: UUID = Field(foreign_key="users.id", ondelete="CASCADE", primary_key=True)
    secret: str = sealed()
    last_step: int = Field(default=0, sa_type=BigInteger)
    confirmed_at: datetime | None = moment(default=None, nullable=True)
    tries: int = Field(default=0)
    tries_since: datetime = moment()
    created_at: datetime = moment()


class RecoveryCode(SQLModel, table=True):
    """A code that stands in for the app once, kept as a hash."""

    __tablename__ = "recovery_codes"
    __table_args__ = (UniqueConstraint("user_id", "code_hash"),)

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    user_id: UUID = Field(foreign_key="users.id", ondelete="CASCADE")
    code_hash: str = Field(max_length=64)
    used_at: datetime | None = moment(default=None, nullable=True)
    created_at: datetime = moment()


class ProviderLink(SQLModel, table=True):
    """Somebody at the sign-in provider who is a person here."""

    __tablename__ = "provider_links"
    __table_args__ = (UniqueConstraint("issuer", "subject"), UniqueConstraint("issuer", "user_id"))

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    issuer: str = Field(max_length=500)
    subject: str = Field(max_length=255)
    user_id: UUID = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    created_at: datetime = moment()


class ProviderReturn(SQLModel, table=True):
    """A return from the sign-in provider that was taken: it is not taken again."""

    __tablename__ = "provider_returns"

    state_hash: str = Field(max_length=64, primary_key=True)
    expires_at: datetime = moment(index=True)


class Avatar(SQLModel, table=True):
    """The picture of a person, as this program drew it: WebP, ``SIDE`` pixels square."""

    __tablename__ = "avatars"

    user_id: UUID = Field(foreign_key="users.id", ondelete="CASCADE", primary_key=True)
    sha256: str = Field(max_length=64)
    image: bytes = Field(sa_type=LargeBinary)
    updated_at: datetime = moment()
