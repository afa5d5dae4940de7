"""People: assignments with places, sign-ins, tokens, links; and rows confined to places."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from sync2gear_platform.kit.db import SYSTEM_ROLE
from sync2gear_platform.migrations.fences import confine, fence, system_only

revision = "0006"
down_revision = "0019"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
PLACES = {
    "location_id": "locations",
    "facility_id": "facilities",
    "floor_id": "floors",
    "zone_id": "zones",
}


def owned() -> list[sa.Column[Any]]:
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
    ]


def ownership(table: str) -> list[sa.Constraint]:
    return [
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f(f"fk_{table}_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("client_id", "id", name=op.f(f"uq_{table}_client_id_id")),
    ]


def placed(table: str) -> list[sa.schema.SchemaItem]:
    return [
        *(sa.Column(column, sa.Uuid(), nullable=True) for column in PLACES),
        *(reference(table, target, column) for column, target in PLACES.items()),
        sa.CheckConstraint(
            f"num_nonnulls({', '.join(PLACES)}) <= 1", name=op.f(f"ck_{table}_one_place")
        ),
    ]


def reference(table: str, target: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["client_id", column],
        [f"{target}.client_id", f"{target}.id"],
        name=op.f(f"fk_{table}_client_id_{column}"),
        ondelete="CASCADE",
    )


def upgrade() -> None:
    clients()
    users()
    members()
    sessions()
    places()


def clients() -> None:
    text, day = sa.Text(), sa.Date()
    for column, kind, default in (
        ("email", sa.String(320), ""),
        ("phone", sa.String(50), ""),
        ("subscription_tier", sa.String(16), "basic"),
        ("version", sa.Integer(), "1"),
    ):
        op.add_column("clients", sa.Column(column, kind, nullable=False, server_default=default))
        op.alter_column("clients", column, server_default=None, existing_type=text)
    op.add_column("clients", sa.Column("subscription_start", day, nullable=True))
    op.add_column("clients", sa.Column("subscription_end", day, nullable=True))
    op.add_column("clients", sa.Column("deleted_at", MOMENT, nullable=True))
    op.add_column(
        "clients",
        sa.Column("premium_features", postgresql.JSONB(), nullable=False, server_default="{}"),
    )
    op.create_check_constraint(
        op.f("ck_clients_tier"),
        "clients",
        "subscription_tier IN ('basic', 'professional', 'enterprise')",
    )
    op.create_check_constraint(
        op.f("ck_clients_limits"), "clients", "max_devices >= 0 AND max_storage_gb >= 0"
    )
    op.execute("GRANT UPDATE (name, email, phone, version, updated_at) ON clients"
               " TO sync2gear_tenant")  # fmt: skip


def users() -> None:
    for column, kind, default in (
        ("phone", sa.String(50), ""),
        ("timezone", sa.String(64), "UTC"),
        ("locale", sa.String(16), "en"),
        ("version", sa.Integer(), "1"),
    ):
        op.add_column("users", sa.Column(column, kind, nullable=False, server_default=default))
        op.alter_column("users", column, server_default=None, existing_type=kind)
    op.add_column("users", sa.Column("staff_role", sa.String(16), nullable=True))
    op.add_column("users", sa.Column("deleted_at", MOMENT, nullable=True))
    op.create_check_constraint(
        op.f("ck_users_staff_role"), "users", "staff_role IN ('staff', 'admin')"
    )


def members() -> None:
    op.add_column(
        "memberships", sa.Column("is_active", sa.Boolean(), nullable=False, server_default="true")
    )
    op.alter_column("memberships", "is_active", server_default=None)
    op.create_table(
        "role_assignments",
        *owned(),
        sa.Column("membership_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        *placed("role_assignments"),
        reference("role_assignments", "memberships", "membership_id"),
        *ownership("role_assignments"),
    )
    op.create_index(
        "ix_role_assignments_client_membership_id",
        "role_assignments",
        ["client_id", "membership_id"],
    )
    # who was something in a client is the same in all of it
    op.execute(
        "INSERT INTO role_assignments"
        " (id, client_id, version, created_at, updated_at, membership_id, role)"
        " SELECT gen_random_uuid(), client_id, 1, created_at, updated_at, id,"
        " CASE role WHEN 'admin' THEN 'client' WHEN 'staff' THEN 'viewer' ELSE role END"
        " FROM memberships"
    )
    op.drop_column("memberships", "role")
    op.create_table(
        "invitations",
        *owned(),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("invited_by", sa.Uuid(), nullable=True),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("accepted_at", MOMENT, nullable=True),
        sa.Column("revoked_at", MOMENT, nullable=True),
        *placed("invitations"),
        sa.ForeignKeyConstraint(
            ["invited_by"], ["users.id"], name=op.f("fk_invitations_invited_by"),
            ondelete="SET NULL",
        ),
        *ownership("invitations"),
    )  # fmt: skip
    op.create_index("uq_invitations_token", "invitations", ["token_hash"], unique=True)
    op.create_index(
        "ix_invitations_client_created_at_id", "invitations", ["client_id", "created_at", "id"]
    )
    op.create_table(
        "api_tokens",
        *owned(),
        sa.Column("membership_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("permissions", postgresql.JSONB(), nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.Column("last_used_at", MOMENT, nullable=True),
        sa.Column("revoked_at", MOMENT, nullable=True),
        *placed("api_tokens"),
        reference("api_tokens", "memberships", "membership_id"),
        *ownership("api_tokens"),
    )
    op.create_index(
        "ix_api_tokens_client_created_at_id", "api_tokens", ["client_id", "created_at", "id"]
    )
    for table in ("role_assignments", "invitations", "api_tokens"):
        fence(table)
    # members of a client see each other's names; nothing else of a person
    op.execute(
        "GRANT SELECT (id, email, name, phone, timezone, locale, is_active, deleted_at,"
        " created_at, updated_at, version, staff_role, session_version)"
        " ON users TO sync2gear_tenant"
    )
    op.execute("ALTER TABLE users ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE users FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY tenant ON users TO sync2gear_tenant"
        " USING (id IN (SELECT user_id FROM memberships))"
    )
    op.execute(f"CREATE POLICY system ON users TO {SYSTEM_ROLE} USING (true) WITH CHECK (true)")


def sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("viewing", sa.Boolean(), nullable=False),
        sa.Column("session_version", sa.Integer(), nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("rotated_at", MOMENT, nullable=False),
        sa.Column("idle_seconds", sa.Integer(), nullable=False),
        sa.Column("last_used_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("end_reason", sa.String(32), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("agent", sa.String(300), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint("kind IN ('browser', 'token')", name=op.f("ck_sessions_kind")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_sessions_user_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_sessions_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    op.create_index("ix_sessions_user_id_created_at", "sessions", ["user_id", "created_at"])
    op.create_index("ix_sessions_ended_at", "sessions", ["ended_at"])
    op.create_index(op.f("ix_sessions_client_id"), "sessions", ["client_id"])
    fence("sessions", tenant_verbs="")
    op.create_table(
        "tickets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("wanted", postgresql.JSONB(), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=True),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "purpose IN ('signup', 'password_reset', 'email_change')",
            name=op.f("ck_tickets_purpose"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_tickets_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tickets")),
    )
    op.create_index("uq_tickets_token", "tickets", ["token_hash"], unique=True)
    op.create_index("ix_tickets_expires_at", "tickets", ["expires_at"])
    op.create_table(
        "sign_in_attempts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("ok", sa.Boolean(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_attempts")),
    )
    op.create_index(
        "ix_sign_in_attempts_account_at", "sign_in_attempts", ["account", "at"]
    )  # fmt: skip
    op.create_index("ix_sign_in_attempts_address_at", "sign_in_attempts", ["address", "at"])
    op.create_index("ix_sign_in_attempts_at", "sign_in_attempts", ["at"])
    for table in ("tickets", "sign_in_attempts"):
        system_only(table)


def places() -> None:
    """Rows that stand somewhere are seen by whoever is confined to that place, and no others."""
    confine("locations", "id = ANY ({reach})")
    confine("facilities", "id = ANY ({reach}) OR location_id = ANY ({reach})")
    confine(
        "floors",
        "id = ANY ({reach}) OR location_id = ANY ({reach}) OR facility_id = ANY ({reach})",
    )
    confine(
        "zones",
        "id = ANY ({reach}) OR location_id = ANY ({reach})"
        " OR floor_id IN (SELECT f.id FROM floors f)",
    )
    inside = "zone_id IN (SELECT z.id FROM zones z)"
    # one that was just revoked stands nowhere any more; the code shows it to nobody
    confine("devices", f"{inside} OR revoked_at IS NOT NULL")
    confine("device_presence", "device_id IN (SELECT d.id FROM devices d)")
    confine("zone_playback", inside)
    confine("play_events", inside)


def downgrade() -> None:
    raise RuntimeError("assignments with places do not fit the old schema: restore a backup")
