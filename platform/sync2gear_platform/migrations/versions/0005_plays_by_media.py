"""Find out quickly which speakers have played some media before, and so hold it."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NAME = "ix_play_events_client_sha256_device_id"


def upgrade() -> None:
    """Asked for every announcement."""
    op.create_index(NAME, "play_events", ["client_id", "sha256", "device_id"])


def downgrade() -> None:
    """Back to reading every event of a device."""
    op.drop_index(NAME, table_name="play_events")
