"""Providers of voices as data, what was rendered and paid, and which voice spoke."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from sync2gear_platform.kit.db import TENANT_ROLE
from sync2gear_platform.migrations.fences import fence

revision = "0024"
down_revision = "0021"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
TEXTS = {"language": 35, "spoken_provider": 100, "spoken_voice": 64}
ESPEAK = "0195c000-0000-7000-8000-00000000e5ea"
"""The provider that is always there."""


def owned(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f(f"fk_{table}_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("client_id", "id", name=op.f(f"uq_{table}_client_id_id")),
    ]


def provider_key(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["provider_id"], ["ai_providers.id"], name=op.f(f"fk_{table}_provider_id"),
        ondelete="SET NULL",
    )  # fmt: skip


def upgrade() -> None:
    providers()
    op.create_table(
        "speech_renderings",
        *owned("speech_renderings"),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("voice", sa.String(64), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.Column("used_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id", "sha256"], ["media.client_id", "media.sha256"],
            name=op.f("fk_speech_renderings_client_id_sha256"), ondelete="RESTRICT",
        ),
    )  # fmt: skip
    op.create_index(
        "uq_speech_renderings_key", "speech_renderings", ["client_id", "key"], unique=True
    )
    op.create_table(
        "speech_calls",
        *owned("speech_calls"),
        sa.Column("provider_id", sa.Uuid(), nullable=True),
        sa.Column("provider", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("characters", sa.Integer(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.CheckConstraint(
            "state IN ('open', 'done', 'failed', 'lost')", name=op.f("ck_speech_calls_state")
        ),
        provider_key("speech_calls"),
    )
    op.create_index(
        "ix_speech_calls_client_month_provider_id",
        "speech_calls",
        ["client_id", "month", "provider_id"],
    )
    op.create_index("ix_speech_calls_client_key", "speech_calls", ["client_id", "key"])
    op.create_table(
        "speech_defaults",
        *owned("speech_defaults"),
        sa.Column("provider_id", sa.Uuid(), nullable=True),
        sa.Column("voice", sa.String(64), nullable=False),
        sa.Column("language", sa.String(35), nullable=False),
        sa.Column("rate", sa.Integer(), nullable=False),
        sa.Column("pitch", sa.Integer(), nullable=False),
        sa.Column("volume", sa.Integer(), nullable=False),
        sa.Column("fall_back", sa.Boolean(), nullable=False),
        provider_key("speech_defaults"),
    )
    op.create_index("uq_speech_defaults_client", "speech_defaults", ["client_id"], unique=True)
    for table in ("speech_renderings", "speech_calls", "speech_defaults"):
        fence(table)
    for column, length in TEXTS.items():
        op.add_column(
            "announcements",
            sa.Column(column, sa.String(length), nullable=False, server_default=""),
        )
    op.add_column(
        "announcements", sa.Column("ssml", sa.Boolean(), nullable=False, server_default="false")
    )
    op.add_column("announcements", sa.Column("prosody", postgresql.JSONB(), nullable=True))
    # The owner is behind the fence too, unless it is not forced.
    op.execute("ALTER TABLE announcements NO FORCE ROW LEVEL SECURITY")
    op.execute("UPDATE announcements SET spoken_provider = 'espeak-ng', spoken_voice = voice")
    op.execute("ALTER TABLE announcements FORCE ROW LEVEL SECURITY")


def providers() -> None:
    op.create_table(
        "ai_providers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("settings", postgresql.JSONB(), nullable=False),
        sa.Column("api_key", sa.Text(), nullable=True),
        sa.Column("api_key_end", sa.String(4), nullable=False),
        sa.Column("monthly_characters", sa.BigInteger(), nullable=True),
        sa.Column("monthly_cost", sa.BigInteger(), nullable=True),
        sa.Column("unit_price", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_ai_providers_client_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ai_providers")),
        sa.CheckConstraint(
            "kind IN ('espeak', 'google', 'piper')", name=op.f("ck_ai_providers_kind")
        ),
        sa.CheckConstraint(
            "priority BETWEEN 0 AND 1000 AND unit_price >= 0", name=op.f("ck_ai_providers_numbers")
        ),
    )  # fmt: skip
    op.create_index(
        "uq_ai_providers_default", "ai_providers", ["client_id"], unique=True,
        postgresql_where=sa.text("is_default"), postgresql_nulls_not_distinct=True,
    )  # fmt: skip
    op.create_index(
        "ix_ai_providers_client_priority", "ai_providers", ["client_id", "priority", "id"]
    )
    # before the fence: behind it even the owner writes nothing
    op.execute(
        "INSERT INTO ai_providers (id, client_id, version, created_at, updated_at, kind, name,"
        " priority, is_active, is_default, settings, api_key_end, unit_price)"
        f" VALUES ('{ESPEAK}', NULL, 1, now(), now(), 'espeak', 'espeak-ng', 1000, true, false,"
        " '{}', '', 0)"
    )
    fence("ai_providers")
    # A client uses what the installation offers, and sees its key only sealed.
    op.execute(
        f"CREATE POLICY offered ON ai_providers FOR SELECT TO {TENANT_ROLE}"
        " USING (client_id IS NULL)"
    )


def downgrade() -> None:
    for column in ("ssml", "prosody", *TEXTS):
        op.drop_column("announcements", column)
    for table in ("speech_defaults", "speech_calls", "speech_renderings", "ai_providers"):
        op.drop_table(table)
