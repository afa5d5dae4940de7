"""Schedules that recur by a rule: every second week, the first Monday of each month."""

import sqlalchemy as sa
from alembic import op

revision = "0081"
down_revision = "0080"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Empty for those that there are: they recur each week, as before."""
    op.add_column(
        "schedules", sa.Column("recurrence", sa.String(200), nullable=False, server_default="")
    )
    op.create_check_constraint(
        op.f("ck_schedules_recurrence"), "schedules", "recurrence = '' OR first_date IS NOT NULL"
    )


def downgrade() -> None:
    """What recurred by a rule recurs each week."""
    op.drop_constraint(op.f("ck_schedules_recurrence"), "schedules")
    op.drop_column("schedules", "recurrence")
