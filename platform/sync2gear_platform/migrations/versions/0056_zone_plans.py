"""What was compiled for each zone, and the account that each programme gives of itself."""

import sqlalchemy as sa
from alembic import op

from sync2gear_platform.migrations.fences import fence

revision = "0056"
down_revision = "0051"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Two tables; old programs know neither and publish nothing by themselves."""
    op.create_table(
        "zone_plans",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("zone_id", sa.Uuid(), nullable=False),
        sa.Column("facts", sa.String(length=64), nullable=False),
        sa.Column("programme", sa.String(length=64), nullable=False),
        sa.Column("until_frame", sa.BigInteger(), nullable=False),
        sa.Column("hurry_frame", sa.BigInteger(), nullable=True),
        sa.Column("problem", sa.String(length=64), nullable=False),
        sa.Column("renew_at", MOMENT, nullable=False),
        sa.Column("compiled_at", MOMENT, nullable=False),
        *_places("zone_plans"),
        sa.PrimaryKeyConstraint("client_id", "zone_id", name=op.f("pk_zone_plans")),
    )
    op.create_index("ix_zone_plans_renew_at", "zone_plans", ["renew_at"])
    op.create_index("ix_zone_plans_hurry_frame", "zone_plans", ["hurry_frame"])
    op.create_table(
        "plan_ledgers",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("zone_id", sa.Uuid(), nullable=False),
        sa.Column("programme", sa.String(length=64), nullable=False),
        sa.Column("from_frame", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        *_places("plan_ledgers"),
        sa.ForeignKeyConstraint(
            ["client_id", "programme"],
            ["programmes.client_id", "programmes.sha256"],
            name=op.f("fk_plan_ledgers_client_id_programme"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("client_id", "zone_id", "programme", name=op.f("pk_plan_ledgers")),
    )
    op.create_index(
        "ix_plan_ledgers_client_id_programme", "plan_ledgers", ["client_id", "programme"]
    )
    for table in ("zone_plans", "plan_ledgers"):
        fence(table)


def _places(table: str) -> tuple[sa.ForeignKeyConstraint, sa.ForeignKeyConstraint]:
    return (
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f(f"fk_{table}_client_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["client_id", "zone_id"],
            ["zones.client_id", "zones.id"],
            name=op.f(f"fk_{table}_client_id_zone_id"),
            ondelete="CASCADE",
        ),
    )


def downgrade() -> None:
    op.drop_table("plan_ledgers")
    op.drop_table("zone_plans")
