"""Which channel people chose for a zone, and what it was like when it was played from last."""

import sqlalchemy as sa
from alembic import op

revision = "0080"
down_revision = "0079"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nullable: what was chosen before goes on as it is, until somebody chooses again."""
    op.add_column("zone_playback", sa.Column("channel_id", sa.Uuid(), nullable=True))
    op.add_column("zone_playback", sa.Column("chosen_frame", sa.BigInteger(), nullable=True))
    op.add_column(
        "zone_playback",
        sa.Column("chosen_digest", sa.String(64), nullable=False, server_default=""),
    )
    op.create_foreign_key(
        op.f("fk_zone_playback_client_id_channel_id"),
        "zone_playback",
        "channels",
        ["client_id", "channel_id"],
        ["client_id", "id"],
        ondelete="SET NULL (channel_id)",
    )


def downgrade() -> None:
    for column in ("chosen_digest", "chosen_frame", "channel_id"):
        op.drop_column("zone_playback", column)
