"""Whether speakers fetch an announcement before anybody plays it."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What is there already is kept at hand, as what was made on purpose is."""
    column: sa.Column[bool] = sa.Column(
        "prefetch", sa.Boolean(), nullable=False, server_default=sa.true()
    )
    op.add_column("announcements", column)


def downgrade() -> None:
    """Nothing is fetched ahead."""
    op.drop_column("announcements", "prefetch")
