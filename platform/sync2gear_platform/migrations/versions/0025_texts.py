"""Announcements in folders, with tags, chimes and loudness; templates, words, variants, joins."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from sync2gear_platform.migrations.fences import fence

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


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


def upgrade() -> None:
    announcements()
    op.create_table(
        "announcement_templates",
        *owned("announcement_templates"),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("texts", JSONB(), nullable=False),
        sa.Column("ssml", sa.Boolean(), nullable=False),
        sa.Column("variables", JSONB(), nullable=False),
        sa.Column("mode", sa.String(8), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        *chimes(),
    )
    op.create_index(
        "ix_announcement_templates_client_name_id",
        "announcement_templates",
        ["client_id", "name", "id"],
    )
    fence("announcement_templates")
    op.create_table(
        "announcement_pronunciations",
        *owned("announcement_pronunciations"),
        sa.Column("word", sa.String(100), nullable=False),
        sa.Column("language", sa.String(35), nullable=False),
        sa.Column("replacement", sa.String(200), nullable=False),
        sa.Column("match_case", sa.Boolean(), nullable=False),
        sa.UniqueConstraint(
            "client_id", "language", "word",
            name=op.f("uq_announcement_pronunciations_client_id_language_word"),
        ),
    )  # fmt: skip
    fence("announcement_pronunciations")
    variants()
    op.create_table(
        "announcement_joins",
        *owned("announcement_joins"),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("used_at", MOMENT, nullable=False),
        sa.UniqueConstraint(
            "client_id", "key", name=op.f("uq_announcement_joins_client_id_key")
        ),
        sa.ForeignKeyConstraint(
            ["client_id", "sha256"], ["media.client_id", "media.sha256"],
            name=op.f("fk_announcement_joins_client_id_sha256"), ondelete="RESTRICT",
        ),
    )  # fmt: skip
    op.create_index("ix_announcement_joins_used_at", "announcement_joins", ["used_at"])
    fence("announcement_joins")
    op.create_table(
        "announcement_defaults",
        *owned("announcement_defaults"),
        *chimes(),
        sa.UniqueConstraint("client_id", name=op.f("uq_announcement_defaults_client_id")),
    )
    fence("announcement_defaults")


def chimes() -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("chime_before", JSONB(), nullable=True),
        sa.Column("chime_after", JSONB(), nullable=True),
        sa.Column("volume_offset", sa.Integer(), nullable=False),
    ]


def announcements() -> None:
    for column in (
        sa.Column("folder_id", sa.Uuid(), nullable=True),
        sa.Column("is_recording", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("tags", JSONB(), nullable=False, server_default="[]"),
        sa.Column("volume_offset", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("chime_before", JSONB(), nullable=True),
        sa.Column("chime_after", JSONB(), nullable=True),
    ):
        op.add_column("announcements", column)
        if column.server_default is not None:
            op.alter_column("announcements", column.name, server_default=None)
    op.create_foreign_key(
        op.f("fk_announcements_client_id_folder_id"), "announcements", "folders",
        ["client_id", "folder_id"], ["client_id", "id"], ondelete="SET NULL (folder_id)",
    )  # fmt: skip
    for name in ("folder_id", "title"):
        op.create_index(
            f"ix_announcements_client_{name}_id", "announcements", ["client_id", name, "id"]
        )


def variants() -> None:
    table = "announcement_variants"
    op.create_table(
        table,
        *owned(table),
        sa.Column("announcement_id", sa.Uuid(), nullable=False),
        sa.Column("sound_id", sa.Uuid(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("days", JSONB(), nullable=False),
        sa.Column("from_minute", sa.Integer(), nullable=True),
        sa.Column("to_minute", sa.Integer(), nullable=True),
        sa.Column("evergreen", sa.Boolean(), nullable=False),
        sa.CheckConstraint("weight BETWEEN 0 AND 1000", name=op.f(f"ck_{table}_weight")),
        sa.CheckConstraint("starts_on <= ends_on", name=op.f(f"ck_{table}_dates")),
        sa.CheckConstraint(
            "(from_minute IS NULL) = (to_minute IS NULL)", name=op.f(f"ck_{table}_day_part")
        ),
        *(
            sa.ForeignKeyConstraint(
                ["client_id", name], ["announcements.client_id", "announcements.id"],
                name=op.f(f"fk_{table}_client_id_{name}"), ondelete="CASCADE",
            )
            for name in ("announcement_id", "sound_id")
        ),
        sa.UniqueConstraint(
            "client_id", "announcement_id", "sound_id",
            name=op.f(f"uq_{table}_client_id_announcement_id_sound_id"),
        ),
    )  # fmt: skip
    op.create_index(
        f"uq_{table}_evergreen", table, ["client_id", "announcement_id"], unique=True,
        postgresql_where=sa.text("evergreen"),
    )  # fmt: skip
    fence(table)


def downgrade() -> None:
    for table in ("defaults", "joins", "variants", "pronunciations", "templates"):
        op.drop_table(f"announcement_{table}")
    for column in (
        "chime_after", "chime_before", "volume_offset", "tags", "is_recording", "folder_id",
    ):  # fmt: skip
        op.drop_column("announcements", column)
