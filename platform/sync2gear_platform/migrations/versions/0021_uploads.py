"""Files on their way in, with the room that is held for them."""

import sqlalchemy as sa
from alembic import op

from sync2gear_platform.migrations.fences import fence

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def _kept(column: str, table: str) -> sa.ForeignKeyConstraint:
    """A row that an upload refers to may go; the upload stays."""
    return sa.ForeignKeyConstraint(
        ["client_id", column],
        [f"{table}.client_id", f"{table}.id"],
        name=op.f(f"fk_uploads_client_id_{column}"),
        ondelete=f"SET NULL ({column})",
    )


def upgrade() -> None:
    """One row per file that somebody sends."""
    op.create_table(
        "uploads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("via", sa.String(16), nullable=False),
        sa.Column("filename", sa.String(255), nullable=False),
        sa.Column("title", sa.String(255), nullable=False),
        sa.Column("told", sa.String(4096), nullable=False),
        sa.Column("folder_id", sa.Uuid(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("progress", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("detail", sa.String(1000), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=True),
        sa.Column("track_id", sa.Uuid(), nullable=True),
        sa.Column("announcement_id", sa.Uuid(), nullable=True),
        sa.Column("duplicate_of", sa.Uuid(), nullable=True),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "purpose IN ('track', 'announcement', 'recording')", name=op.f("ck_uploads_purpose")
        ),
        sa.CheckConstraint(
            "state IN ('receiving', 'uploaded', 'processing', 'ready', 'failed')",
            name=op.f("ck_uploads_state"),
        ),
        sa.CheckConstraint(
            "(state = 'failed') = (code <> '')", name=op.f("ck_uploads_failed_says_why")
        ),
        sa.CheckConstraint(
            '"offset" BETWEEN 0 AND size AND reserved >= 0', name=op.f("ck_uploads_bytes")
        ),
        sa.CheckConstraint("progress BETWEEN 0 AND 100", name=op.f("ck_uploads_progress")),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_uploads_client_id"), ondelete="CASCADE"
        ),
        _kept("folder_id", "folders"),
        _kept("track_id", "tracks"),
        _kept("announcement_id", "announcements"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
        sa.UniqueConstraint("client_id", "id", name=op.f("uq_uploads_client_id_id")),
    )
    op.create_index("ix_uploads_client_created_at_id", "uploads", ["client_id", "created_at", "id"])
    op.create_index("ix_uploads_expires_at", "uploads", ["expires_at"])
    fence("uploads")


def downgrade() -> None:
    """Forget them."""
    op.drop_table("uploads")
