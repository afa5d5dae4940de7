"""What the store calls an upload that goes straight into it."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One column, of a table that is fenced."""
    op.add_column("uploads", sa.Column("store_id", sa.String(1024), nullable=True))


def downgrade() -> None:
    """Take it away."""
    op.drop_column("uploads", "store_id")
