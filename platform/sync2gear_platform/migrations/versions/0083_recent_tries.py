"""When an address tried to sign in lately, for all processes to count together."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from sync2gear_platform.migrations.fences import system_only

revision = "0083"
down_revision = "0082"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Not logged: a crash forgets them, and no backup holds them."""
    op.create_table(
        "recent_tries",
        sa.Column("site", sa.String(64), nullable=False),
        sa.Column("tries", postgresql.ARRAY(MOMENT), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("site", name=op.f("pk_recent_tries")),
        prefixes=["UNLOGGED"],
    )
    op.create_index(op.f("ix_recent_tries_at"), "recent_tries", ["at"])
    system_only("recent_tries")


def downgrade() -> None:
    op.drop_table("recent_tries")
