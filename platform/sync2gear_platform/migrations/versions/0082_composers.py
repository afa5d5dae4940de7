"""Who composed a track: collecting societies pay them, and files say it."""

import sqlalchemy as sa
from alembic import op

revision = "0082"
down_revision = "0081"
branch_labels = None
depends_on = None

TABLES = ("tracks", "proof_works")


def upgrade() -> None:
    """Columns with a default, which old programs leave as they are."""
    for table in TABLES:
        op.add_column(
            table, sa.Column("composer", sa.String(255), nullable=False, server_default="")
        )


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "composer")
