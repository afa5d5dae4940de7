"""Addresses at which schedules are read as calendars."""

import sqlalchemy as sa
from alembic import op

from sync2gear_platform.migrations.fences import fence

revision = "0052"
down_revision = "0043"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """One table."""
    op.create_table(
        "schedule_feeds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("zone_id", sa.Uuid(), nullable=True),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_schedule_feeds_client_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["client_id", "zone_id"],
            ["zones.client_id", "zones.id"],
            name=op.f("fk_schedule_feeds_client_id_zone_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule_feeds")),
        sa.UniqueConstraint("client_id", "id", name=op.f("uq_schedule_feeds_client_id_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_schedule_feeds_token_hash")),
    )
    op.create_index(
        "ix_schedule_feeds_client_name_id", "schedule_feeds", ["client_id", "name", "id"]
    )
    fence("schedule_feeds")


def downgrade() -> None:
    op.drop_table("schedule_feeds")
