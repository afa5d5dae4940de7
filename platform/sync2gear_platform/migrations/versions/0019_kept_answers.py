"""Answers kept for a day, so that what is asked twice is done once."""

import sqlalchemy as sa
from alembic import op

from sync2gear_platform.migrations.fences import fence

revision = "0019"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One row per key, sender and route; without a client where staff acts for none."""
    op.create_table(
        "kept_answers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("route", sa.String(200), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_kept_answers_client_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_answers")),
        sa.UniqueConstraint(
            "client_id",
            "actor",
            "route",
            "key",
            name=op.f("uq_kept_answers_client_id_actor_route_key"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index("ix_kept_answers_created_at", "kept_answers", ["created_at"])
    fence("kept_answers", verbs="SELECT, INSERT, UPDATE, DELETE")


def downgrade() -> None:
    """Forget them."""
    op.drop_table("kept_answers")
