"""How often a zone's programme could not be worked out, and which emergencies are everywhere."""

import sqlalchemy as sa
from alembic import op

revision = "0073"
down_revision = "0074"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Columns with defaults: old programs mark zones, and raise emergencies, as before."""
    op.add_column(
        "zone_compiles", sa.Column("failures", sa.Integer(), nullable=False, server_default="0")
    )
    op.add_column(
        "zone_compiles", sa.Column("failure", sa.String(300), nullable=False, server_default="")
    )
    op.add_column(
        "emergencies",
        sa.Column("everywhere", sa.Boolean(), nullable=False, server_default=sa.false()),
    )


def downgrade() -> None:
    op.drop_column("emergencies", "everywhere")
    op.drop_column("zone_compiles", "failure")
    op.drop_column("zone_compiles", "failures")
