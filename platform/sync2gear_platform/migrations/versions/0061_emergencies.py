"""Emergencies: prepared messages, what was raised and where, and the keys that sign it."""

import sqlalchemy as sa
from alembic import op

from sync2gear_platform.migrations.fences import confine, fence

revision = "0061"
down_revision = "0052"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
REACH = "(SELECT nullif(current_setting('s2g.reach', true), ''))"
TENANT = "client_id = nullif(current_setting('s2g.client_id', true), '')::uuid"


def owned(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f(f"fk_{table}_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("client_id", "id", name=op.f(f"uq_{table}_client_id_id")),
    ]


def of(table: str, other: str, column: str, ondelete: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["client_id", column], [f"{other}.client_id", f"{other}.id"],
        name=op.f(f"fk_{table}_client_id_{column}"), ondelete=ondelete,
    )  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "emergency_keys",
        *owned("emergency_keys"),
        sa.Column("public_key", sa.String(44), nullable=False),
        sa.Column("private_key", sa.Text(), nullable=False),
    )
    op.create_index(
        "ix_emergency_keys_client_created_at_id", "emergency_keys",
        ["client_id", "created_at", "id"],
    )  # fmt: skip
    op.create_table(
        "emergency_messages",
        *owned("emergency_messages"),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("announcement_id", sa.Uuid(), nullable=False),
        sa.Column("volume", sa.Integer(), nullable=False),
        of("emergency_messages", "announcements", "announcement_id", "CASCADE"),
        sa.UniqueConstraint("client_id", "name", name=op.f("uq_emergency_messages_client_id_name")),
        sa.CheckConstraint("volume BETWEEN 1 AND 100", name=op.f("ck_emergency_messages_volume")),
    )
    op.create_index(
        "ix_emergency_messages_client_announcement_id", "emergency_messages",
        ["client_id", "announcement_id"],
    )  # fmt: skip
    op.create_table(
        "emergencies",
        *owned("emergencies"),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("drill", sa.Boolean(), nullable=False),
        sa.Column("volume", sa.Integer(), nullable=False),
        sa.Column("gen", sa.BigInteger(), nullable=False),
        sa.Column("raised_by", sa.Uuid(), nullable=True),
        sa.Column("ends_at", MOMENT, nullable=True),
        sa.Column("cleared_at", MOMENT, nullable=True),
        sa.Column("cleared_by", sa.Uuid(), nullable=True),
        of("emergencies", "emergency_messages", "message_id", "SET NULL (message_id)"),
    )
    op.create_index(
        "ix_emergencies_client_created_at_id", "emergencies", ["client_id", "created_at", "id"]
    )
    op.create_table(
        "emergency_zones",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("emergency_id", sa.Uuid(), nullable=False),
        sa.Column("zone_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"],
            name=op.f("fk_emergency_zones_client_id"), ondelete="CASCADE",
        ),
        of("emergency_zones", "emergencies", "emergency_id", "CASCADE"),
        of("emergency_zones", "zones", "zone_id", "CASCADE"),
        sa.PrimaryKeyConstraint(
            "client_id", "emergency_id", "zone_id", name=op.f("pk_emergency_zones")
        ),
    )  # fmt: skip
    op.create_index(
        "ix_emergency_zones_client_zone_id", "emergency_zones", ["client_id", "zone_id"]
    )
    for table in ("emergency_keys", "emergency_messages", "emergencies", "emergency_zones"):
        fence(table)
    confine("emergency_zones", "zone_id IN (SELECT z.id FROM zones z)")
    # Only what is read is confined: one is written before the zones that make it visible.
    op.execute(
        f"ALTER POLICY tenant ON emergencies USING ({TENANT} AND "
        f"({REACH} IS NULL OR id IN (SELECT z.emergency_id FROM emergency_zones z))) "
        f"WITH CHECK ({TENANT})"
    )


def downgrade() -> None:
    for table in ("emergency_zones", "emergencies", "emergency_messages", "emergency_keys"):
        op.drop_table(table)
