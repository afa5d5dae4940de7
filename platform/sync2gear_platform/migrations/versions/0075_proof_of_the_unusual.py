"""Lines of the proof of play that are asked for by what is rare about them, found by an index."""

import sqlalchemy as sa
from alembic import op

revision = "0075"
down_revision = "0076"
branch_labels = None
depends_on = None

UNUSUAL = (
    "outcome IN ('late', 'missed', 'unknown') OR manner <> 'planned'"
    " OR source IN ('call', 'emergency')"
)


def upgrade() -> None:
    """Indexes only: old programs do not notice."""
    op.create_index(
        "ix_proof_lines_client_unusual",
        "proof_lines",
        ["client_id", "begins", "id", "outcome", "manner", "source"],
        postgresql_where=sa.text(UNUSUAL),
    )
    op.create_index(
        "ix_proof_lines_client_schedule",
        "proof_lines",
        ["client_id", "schedule_id", "begins", "id"],
        postgresql_where=sa.text("schedule_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_proof_lines_client_schedule", "proof_lines")
    op.drop_index("ix_proof_lines_client_unusual", "proof_lines")
