"""What documents own of channels, schedules and what these share."""

import sqlalchemy as sa
from alembic import op

from sync2gear_platform.migrations.fences import fence

revision = "0074"
down_revision = "0072"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
TABLE = "managed_objects"
OWNED = {
    "priority_level_id": "priority_levels",
    "day_part_id": "day_parts",
    "calendar_id": "calendars",
    "channel_id": "channels",
    "schedule_id": "schedules",
}


def upgrade() -> None:
    """One table."""
    op.create_table(
        TABLE,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("document", sa.String(100), nullable=False),
        sa.Column("noun", sa.String(16), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        *(sa.Column(column, sa.Uuid(), nullable=True) for column in OWNED),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f(f"fk_{TABLE}_client_id"), ondelete="CASCADE"
        ),
        *(
            sa.ForeignKeyConstraint(
                ["client_id", column],
                [f"{table}.client_id", f"{table}.id"],
                name=op.f(f"fk_{TABLE}_client_id_{column}"),
                ondelete="CASCADE",
            )
            for column, table in OWNED.items()
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{TABLE}")),
        sa.UniqueConstraint("client_id", "id", name=op.f(f"uq_{TABLE}_client_id_id")),
        sa.UniqueConstraint(
            "client_id", "document", "noun", "name",
            name=op.f(f"uq_{TABLE}_client_id_document_noun_name"),
        ),
        *(
            sa.UniqueConstraint(
                "client_id", column, name=op.f(f"uq_{TABLE}_client_id_{column}")
            )
            for column in OWNED
        ),
        sa.CheckConstraint(
            " AND ".join(
                f"(noun = '{column.removesuffix('_id')}') = ({column} IS NOT NULL)"
                for column in OWNED
            ),
            name=op.f(f"ck_{TABLE}_subject"),
        ),
        sa.CheckConstraint(
            f"num_nonnulls({', '.join(OWNED)}) = 1", name=op.f(f"ck_{TABLE}_one")
        ),
    )  # fmt: skip
    fence(TABLE)


def downgrade() -> None:
    op.drop_table(TABLE)
