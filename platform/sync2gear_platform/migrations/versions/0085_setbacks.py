"""What the worker could not do for one client, zone or letter, and when it tries again."""

import sqlalchemy as sa
from alembic import op

from sync2gear_platform.migrations.fences import fence

revision = "0085"
down_revision = "0084"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Nothing was put off so far: one that failed held up all others."""
    op.create_table(
        "setbacks",
        sa.Column("work", sa.String(32), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("again_at", MOMENT, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failure", sa.String(300), nullable=False),
        sa.PrimaryKeyConstraint("work", "subject_id", name=op.f("pk_setbacks")),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"],
            name=op.f("fk_setbacks_client_id"), ondelete="CASCADE",
        ),
    )  # fmt: skip
    op.create_index(op.f("ix_setbacks_client_id"), "setbacks", ["client_id"])
    fence("setbacks", tenant_verbs="")


def downgrade() -> None:
    op.drop_table("setbacks")
