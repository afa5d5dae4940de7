"""Silence, a digest of the sound and a waveform of media; covers of tracks and folders."""

import sqlalchemy as sa
from alembic import op

from sync2gear_platform.migrations.fences import fence

revision = "0020"
down_revision = "0013"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
DIGESTS = ("small", "medium", "large")


def upgrade() -> None:
    op.add_column("media", sa.Column("lead", sa.BigInteger(), nullable=True))
    op.add_column("media", sa.Column("tail", sa.BigInteger(), nullable=True))
    op.add_column("media", sa.Column("pcm_sha256", sa.String(64), nullable=True))
    op.create_index("ix_media_client_pcm_sha256", "media", ["client_id", "pcm_sha256"])
    op.create_table(
        "media_peaks",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("frames_per_peak", sa.Integer(), nullable=False),
        sa.Column("peaks", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_media_peaks_client_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["client_id", "sha256"],
            ["media.client_id", "media.sha256"],
            name=op.f("fk_media_peaks_client_id_sha256"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("client_id", "sha256", name=op.f("pk_media_peaks")),
    )
    fence("media_peaks")
    op.create_table(
        "covers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        *(sa.Column(name, sa.String(64), nullable=False) for name in DIGESTS),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_covers_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_covers")),
        sa.UniqueConstraint("client_id", "id", name=op.f("uq_covers_client_id_id")),
        sa.UniqueConstraint("client_id", "large", name=op.f("uq_covers_client_id_large")),
    )
    for name in DIGESTS:
        op.create_index(op.f(f"ix_covers_{name}"), "covers", [name])
    fence("covers")
    for table in ("tracks", "folders"):
        op.add_column(table, sa.Column("cover_id", sa.Uuid(), nullable=True))
        op.create_foreign_key(
            op.f(f"fk_{table}_client_id_cover_id"),
            table,
            "covers",
            ["client_id", "cover_id"],
            ["client_id", "id"],
            ondelete="SET NULL (cover_id)",
        )


def downgrade() -> None:
    for table in ("tracks", "folders"):
        op.drop_column(table, "cover_id")
    op.drop_table("covers")
    op.drop_table("media_peaks")
    for column in ("pcm_sha256", "tail", "lead"):
        op.drop_column("media", column)
