"""An index to find what was spoken before by its words."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index the announcements of a client by voice and words."""
    op.create_index(
        "ix_announcements_client_words",
        "announcements",
        ["client_id", "voice", sa.literal_column("md5(text)")],
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_announcements_client_words", table_name="announcements")
