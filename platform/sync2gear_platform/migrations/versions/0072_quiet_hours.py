"""Quiet hours of locations, and of zones that have their own."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0072"
down_revision = "0070"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two columns; old programs make places without quiet hours meanwhile."""
    op.add_column(
        "locations", sa.Column("quiet_hours", JSONB(), nullable=False, server_default="[]")
    )
    op.add_column("zones", sa.Column("quiet_hours", JSONB(none_as_null=True), nullable=True))


def downgrade() -> None:
    op.drop_column("zones", "quiet_hours")
    op.drop_column("locations", "quiet_hours")
