"""Searches are answered by indexes alone until the rows of a page are known (ADR 0032)."""

from alembic import op

revision = "0031"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_track_words_client_track_id_word", "track_words", ["client_id", "track_id", "word"]
    )
    op.drop_index("ix_track_words_client_track", table_name="track_words")
    op.create_index(
        "ix_tracks_client_id_with_title",
        "tracks",
        ["client_id", "id"],
        postgresql_include=["title"],
    )
    op.execute("ALTER TABLE track_words ALTER word SET STATISTICS 1000")


def downgrade() -> None:
    op.execute("ALTER TABLE track_words ALTER word SET STATISTICS -1")
    op.drop_index("ix_tracks_client_id_with_title", table_name="tracks")
    op.create_index("ix_track_words_client_track", "track_words", ["client_id", "track_id"])
    op.drop_index("ix_track_words_client_track_id_word", table_name="track_words")
