"""Mail, and how far rotations of the vault's keys are."""

import sqlalchemy as sa
from alembic import op

from sync2gear_platform.kit.db import TENANT_ROLE
from sync2gear_platform.migrations.fences import fence, system_only

revision = "0008"
down_revision = "0009"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Two tables that only the system reads: letters hold links that sign people in."""
    op.create_table(
        "mails",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column("recipient", sa.String(320), nullable=False),
        sa.Column("template", sa.String(64), nullable=False),
        sa.Column("locale", sa.String(8), nullable=False),
        sa.Column("content", sa.Text(), nullable=True),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'sent', 'kept', 'dead')", name=op.f("ck_mails_state")
        ),
        sa.CheckConstraint("state <> 'sent' OR content IS NULL", name=op.f("ck_mails_forgotten")),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_mails_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mails")),
        sa.UniqueConstraint("job_id", name=op.f("uq_mails_job_id")),
    )
    op.create_index("ix_mails_created_at", "mails", ["created_at"])
    fence("mails")
    op.execute(f"REVOKE ALL ON mails FROM {TENANT_ROLE}")
    op.create_table(
        "vault_rotations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("resealed", sa.Integer(), nullable=False),
        sa.Column("unreadable", sa.Integer(), nullable=False),
        sa.Column("remaining", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "state IN ('running', 'done', 'incomplete')", name=op.f("ck_vault_rotations_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vault_rotations")),
    )
    system_only("vault_rotations")


def downgrade() -> None:
    """Forget both: letters that wait are lost."""
    op.drop_table("vault_rotations")
    op.drop_table("mails")
