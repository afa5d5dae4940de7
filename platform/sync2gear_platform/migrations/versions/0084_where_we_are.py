"""Which address devices were last told: a new one is told to all of them."""

import sqlalchemy as sa
from alembic import op

revision = "0084"
down_revision = "0083"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of what they were told so far nobody knows: the next leader tells them once."""
    op.add_column("installation", sa.Column("public_url", sa.String(500), nullable=True))


def downgrade() -> None:
    op.drop_column("installation", "public_url")
