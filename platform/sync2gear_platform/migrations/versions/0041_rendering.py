"""Announcements that a worker has spoken: whom it asks first, and why it could not."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two columns; old programs write neither."""
    op.add_column("announcements", sa.Column("provider_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_announcements_provider_id"),
        "announcements",
        "ai_providers",
        ["provider_id"],
        ["id"],
        ondelete="SET NULL",
    )
    op.create_index(
        "ix_announcements_provider_id",
        "announcements",
        ["provider_id"],
        postgresql_where="provider_id IS NOT NULL",
    )
    op.add_column(
        "announcements",
        sa.Column("failure_code", sa.String(64), nullable=False, server_default=""),
    )


def downgrade() -> None:
    """Forget them."""
    op.drop_column("announcements", "failure_code")
    op.drop_column("announcements", "provider_id")
