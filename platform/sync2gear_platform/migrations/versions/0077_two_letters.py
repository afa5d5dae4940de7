"""The words of one beginning in the order of titles: searches for common words end after a page."""

from alembic import op

revision = "0077"
down_revision = "0075"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        'ALTER TABLE track_words ADD COLUMN begins text COLLATE "C"'
        ' GENERATED ALWAYS AS ("left"(word, 2)) STORED'
    )
    op.execute(
        "CREATE INDEX ix_track_words_client_begins_title_track_id"
        " ON track_words (client_id, begins, title, track_id) INCLUDE (word)"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE track_words DROP COLUMN begins")
