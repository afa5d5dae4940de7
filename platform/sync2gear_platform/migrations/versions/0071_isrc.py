"""The ISRC of a track: what collecting societies know a recording by."""

import sqlalchemy as sa
from alembic import op

revision = "0071"
down_revision = "0073"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A column with a default, which old programs leave as it is."""
    op.add_column(
        "tracks", sa.Column("isrc", sa.String(length=12), nullable=False, server_default="")
    )


def downgrade() -> None:
    op.drop_column("tracks", "isrc")
