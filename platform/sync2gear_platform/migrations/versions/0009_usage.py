"""How often each client calls the API."""

import sqlalchemy as sa
from alembic import op

from sync2gear_platform.kit.db import SYSTEM_ROLE
from sync2gear_platform.migrations.fences import fence

revision = "0009"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One row per client, day and class of traffic."""
    op.create_table(
        "api_usage",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("traffic", sa.String(16), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("errors", sa.BigInteger(), nullable=False),
        sa.Column("bytes_sent", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_api_usage_client_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("client_id", "day", "traffic", name=op.f("pk_api_usage")),
    )
    fence("api_usage", verbs="SELECT")
    op.execute(f"GRANT INSERT, UPDATE, DELETE ON api_usage TO {SYSTEM_ROLE}")


def downgrade() -> None:
    """Forget the counts."""
    op.drop_table("api_usage")
