"""How words are said in phonemes, beside the words that stand for them."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0056"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One column; old programs leave it empty."""
    op.add_column(
        "announcement_pronunciations",
        sa.Column("ipa", sa.String(200), nullable=False, server_default=""),
    )


def downgrade() -> None:
    """Forget it."""
    op.drop_column("announcement_pronunciations", "ipa")
