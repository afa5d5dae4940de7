"""What a device may take of its shop's network, and at which hours."""

import sqlalchemy as sa
from alembic import op

revision = "0079"
down_revision = "0078"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Columns with defaults: old programs write devices that are not limited."""
    op.add_column(
        "devices", sa.Column("fetch_rate", sa.Integer(), nullable=False, server_default="0")
    )
    op.add_column(
        "devices", sa.Column("fetch_window", sa.String(11), nullable=False, server_default="")
    )
    op.create_check_constraint(op.f("ck_devices_fetch_rate"), "devices", "fetch_rate >= 0")


def downgrade() -> None:
    op.drop_column("devices", "fetch_window")
    op.drop_column("devices", "fetch_rate")
