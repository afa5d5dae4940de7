"""The states that zones had, so that what sounded at an instant can be told."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from sync2gear_platform.migrations.fences import confine, fence

revision = "0057"
down_revision = "0061"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A table; what old programs write meanwhile is not remembered."""
    op.create_table(
        "zone_states",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("zone_id", sa.Uuid(), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.Column("from_frame", sa.BigInteger(), nullable=False),
        sa.Column("document", JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_zone_states_client_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["client_id", "zone_id"],
            ["zones.client_id", "zones.id"],
            name=op.f("fk_zone_states_client_id_zone_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("client_id", "zone_id", "rev", name=op.f("pk_zone_states")),
    )
    op.create_index("ix_zone_states_zone_id_from_frame", "zone_states", ["zone_id", "from_frame"])
    fence("zone_states")
    confine("zone_states", "zone_id IN (SELECT z.id FROM zones z)")


def downgrade() -> None:
    op.drop_table("zone_states")
