"""MQTT accounts of integrations."""

import sqlalchemy as sa
from alembic import op

from sync2gear_platform.migrations.fences import fence

revision = "0010"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make and fence the table."""
    op.create_table(
        "mqtt_accounts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("secret_hash", sa.String(255), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mqtt_accounts")),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.id"],
            name=op.f("fk_mqtt_accounts_client_id"),
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint("client_id", "id", name=op.f("uq_mqtt_accounts_client_id_id")),
    )
    op.create_index("ix_mqtt_accounts_client_name", "mqtt_accounts", ["client_id", "name"])
    fence("mqtt_accounts")


def downgrade() -> None:
    """Drop it."""
    op.drop_table("mqtt_accounts")
