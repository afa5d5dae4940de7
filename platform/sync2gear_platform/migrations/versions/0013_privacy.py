"""Archives, deletions that are to come, and topics that are cleared after their client is gone."""

import sqlalchemy as sa
from alembic import op

from sync2gear_platform.migrations.fences import fence

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
TABLES = ("privacy_exports", "privacy_deletions")


def subject(table: str) -> list[sa.schema.SchemaItem]:
    """A client or a person, and who asked."""
    goes = {"client_id": "clients", "user_id": "users"}
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"), ondelete="CASCADE"
            )
            for column, target in goes.items()
        ),
        sa.ForeignKeyConstraint(
            ["requested_by"], ["users.id"], name=op.f(f"fk_{table}_requested_by"),
            ondelete="SET NULL",
        ),
        sa.CheckConstraint(
            "num_nonnulls(client_id, user_id) = 1", name=op.f(f"ck_{table}_one_subject")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "privacy_exports",
        *subject("privacy_exports"),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "state IN ('running', 'ready', 'failed')", name=op.f("ck_privacy_exports_state")
        ),
    )
    for column in ("client_id", "user_id"):
        op.create_index(op.f(f"ix_privacy_exports_{column}"), "privacy_exports", [column])
    op.create_table(
        "privacy_deletions",
        *subject("privacy_deletions"),
        sa.Column("by_request", sa.Boolean(), nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("purging_at", MOMENT, nullable=True),
        sa.UniqueConstraint("client_id", name=op.f("uq_privacy_deletions_client_id")),
        sa.UniqueConstraint("user_id", name=op.f("uq_privacy_deletions_user_id")),
    )
    op.create_index(op.f("ix_privacy_deletions_due_at"), "privacy_deletions", ["due_at"])
    fence("privacy_exports", tenant_verbs="SELECT, INSERT")
    fence("privacy_deletions", tenant_verbs="SELECT")
    # A mark outlives its client: the relay clears what the broker retains of it.
    op.drop_constraint("fk_outbox_client_id", "outbox", type_="foreignkey")


def downgrade() -> None:
    op.execute("DELETE FROM outbox WHERE client_id NOT IN (SELECT id FROM clients)")
    op.create_foreign_key(
        "fk_outbox_client_id", "outbox", "clients", ["client_id"], ["id"], ondelete="CASCADE"
    )
    for table in TABLES:
        op.drop_table(table)
