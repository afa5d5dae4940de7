"""Second factors, links to the sign-in provider, pictures of people."""

import sqlalchemy as sa
from alembic import op

from sync2gear_platform.migrations.fences import system_only

revision = "0012"
down_revision = "0006"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def of_a_person(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["user_id"], ["users.id"], name=op.f(f"fk_{table}_user_id"), ondelete="CASCADE"
    )


def upgrade() -> None:
    op.add_column(
        "clients",
        sa.Column("require_second_factor", sa.Boolean(), nullable=False, server_default="false"),
    )
    op.execute("GRANT UPDATE (require_second_factor) ON clients TO sync2gear_tenant")
    op.create_table(
        "second_factors",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_at", MOMENT, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("tries_since", MOMENT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        of_a_person("second_factors"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_second_factors")),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        of_a_person("recovery_codes"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_codes")),
        sa.UniqueConstraint(
            "user_id", "code_hash", name=op.f("uq_recovery_codes_user_id_code_hash")
        ),
    )
    op.create_table(
        "provider_links",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("issuer", sa.String(500), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        of_a_person("provider_links"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_links")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_provider_links_issuer_subject")),
        sa.UniqueConstraint("issuer", "user_id", name=op.f("uq_provider_links_issuer_user_id")),
    )
    op.create_index(op.f("ix_provider_links_user_id"), "provider_links", ["user_id"])
    op.create_table(
        "provider_returns",
        sa.Column("state_hash", sa.String(64), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("state_hash", name=op.f("pk_provider_returns")),
    )
    op.create_index(op.f("ix_provider_returns_expires_at"), "provider_returns", ["expires_at"])
    op.create_table(
        "avatars",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("image", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        of_a_person("avatars"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_avatars")),
    )
    for table in ("second_factors", "recovery_codes", "provider_links", "provider_returns"):
        system_only(table)
    system_only("avatars", tenant_verbs="SELECT")
    # colleagues see each other's pictures, as they see each other's names
    op.execute("ALTER TABLE avatars ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE avatars FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY tenant ON avatars TO sync2gear_tenant"
        " USING (user_id IN (SELECT user_id FROM memberships))"
    )
    op.execute("CREATE POLICY system ON avatars TO sync2gear_system USING (true) WITH CHECK (true)")


def downgrade() -> None:
    for table in (
        "avatars", "provider_returns", "provider_links", "recovery_codes", "second_factors",
    ):  # fmt: skip
        op.drop_table(table)
    op.drop_column("clients", "require_second_factor")
