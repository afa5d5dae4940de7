"""Nested and smart folders; what may be done with a track; the words that searches find it by."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from sync2gear_platform.library import separation
from sync2gear_platform.migrations.fences import fence

revision = "0023"
down_revision = "0026"
branch_labels = None
depends_on = None


def _tracks() -> "tuple[sa.Column[Any], ...]":
    return (
        sa.Column("explicit", sa.Boolean(), nullable=False, server_default="false"),
        sa.Column("tags", JSONB(), nullable=False, server_default="[]"),
        sa.Column("licence", sa.String(255), nullable=False, server_default=""),
        sa.Column("regions", JSONB(), nullable=False, server_default="[]"),
        sa.Column("offline_allowed", sa.Boolean(), nullable=False, server_default="true"),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("play_count", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("last_played_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("words", sa.Text(), nullable=False, server_default=""),
        sa.Column("artist_keys", JSONB(), nullable=False, server_default="[]"),
        sa.Column("title_key", sa.String(255), nullable=False, server_default=""),
    )


def _folders() -> "tuple[sa.Column[Any], ...]":
    return (
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("rules", JSONB(), nullable=True),
        sa.Column("order", sa.String(32), nullable=False, server_default="title"),
        sa.Column("most", sa.Integer(), nullable=True),
    )


SLOTS = "ix_play_events_client_zone_id_planned_frame"
FOLLOW = """
CREATE FUNCTION track_words_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    DELETE FROM track_words WHERE client_id = OLD.client_id AND track_id = OLD.id;
  END IF;
  INSERT INTO track_words (client_id, word, track_id)
    SELECT DISTINCT NEW.client_id, w, NEW.id
    FROM unnest(string_to_array(NEW.words, ' ')) AS w WHERE w <> '';
  RETURN NULL;
END $$
"""


def upgrade() -> None:
    for table, columns in (("tracks", _tracks()), ("folders", _folders())):
        for column in columns:
            op.add_column(table, column)
    op.create_check_constraint(op.f("ck_tracks_valid_days"), "tracks", "valid_until >= valid_from")
    op.create_foreign_key(
        op.f("fk_folders_client_id_parent_id"),
        "folders",
        "folders",
        ["client_id", "parent_id"],
        ["client_id", "id"],
        ondelete="SET NULL (parent_id)",
    )
    op.create_index("ix_folders_client_parent_id", "folders", ["client_id", "parent_id"])
    op.create_index(SLOTS, "play_events", ["client_id", "zone_id", "planned_frame"])
    op.create_table(
        "track_words",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("word", sa.Text(collation="C"), nullable=False),
        sa.Column("track_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id", "track_id"],
            ["tracks.client_id", "tracks.id"],
            name=op.f("fk_track_words_client_id_track_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("client_id", "word", "track_id", name=op.f("pk_track_words")),
    )
    op.create_index("ix_track_words_client_track", "track_words", ["client_id", "track_id"])
    fence("track_words")
    op.execute(FOLLOW)
    op.execute(
        "CREATE TRIGGER words_inserted AFTER INSERT ON tracks"
        " FOR EACH ROW EXECUTE FUNCTION track_words_follow()"
    )
    op.execute(
        "CREATE TRIGGER words_updated AFTER UPDATE OF words ON tracks"
        " FOR EACH ROW WHEN (OLD.words IS DISTINCT FROM NEW.words)"
        " EXECUTE FUNCTION track_words_follow()"
    )
    # The owner is fenced off like anybody; the fences come back in this transaction.
    for table in ("tracks", "track_words"):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    _describe()
    for table in ("tracks", "track_words"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def _describe() -> None:
    """Give the tracks that are there their words and keys, some at a time."""
    connection = op.get_bind()
    tracks = sa.table(
        "tracks",
        *(sa.column(n) for n in ("id", "title", "artist", "album", "genre", "filename", "words")),
        sa.column("artist_keys", JSONB()),
        sa.column("title_key"),
    )
    last = None
    while True:
        some = sa.select(tracks).order_by(tracks.c.id).limit(1000)
        if last is not None:
            some = some.where(tracks.c.id > last)
        found = connection.execute(some).all()
        if not found:
            return
        for row in found:
            texts = (row.title, row.artist, row.album, row.genre, row.filename)
            values = {
                "words": " ".join(separation.words(*texts)),
                "artist_keys": separation.artist_keys(row.artist),
                "title_key": separation.title_key(row.title)[:255],
            }
            connection.execute(tracks.update().where(tracks.c.id == row.id).values(values))
        last = found[-1].id


def downgrade() -> None:
    op.execute("DROP TRIGGER words_updated ON tracks")
    op.execute("DROP TRIGGER words_inserted ON tracks")
    op.execute("DROP FUNCTION track_words_follow()")
    op.drop_table("track_words")
    op.drop_index(SLOTS, table_name="play_events")
    for table, columns in (("tracks", _tracks()), ("folders", _folders())):
        for column in columns:
            op.drop_column(table, column.name)
