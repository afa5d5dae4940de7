"""What of a source's two channels a device sounds."""

import sqlalchemy as sa
from alembic import op

revision = "0078"
down_revision = "0077"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A column with a default: old programs write devices that stay stereo."""
    op.add_column(
        "devices", sa.Column("channels", sa.String(6), nullable=False, server_default="stereo")
    )
    op.create_check_constraint(
        op.f("ck_devices_channels"), "devices", "channels IN ('stereo', 'mono', 'left', 'right')"
    )


def downgrade() -> None:
    op.drop_column("devices", "channels")
