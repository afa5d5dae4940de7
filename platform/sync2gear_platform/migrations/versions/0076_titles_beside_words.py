"""The words of a track bring its title along: a search sorts by it without a look at the track."""

from alembic import op

revision = "0076"
down_revision = "0071"
branch_labels = None
depends_on = None

FOLLOW = """
CREATE OR REPLACE FUNCTION track_words_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    DELETE FROM track_words WHERE client_id = OLD.client_id AND track_id = OLD.id;
  END IF;
  INSERT INTO track_words (client_id, word, track_id{column})
    SELECT DISTINCT NEW.client_id, w, NEW.id{value}
    FROM unnest(string_to_array(NEW.words, ' ')) AS w WHERE w <> '';
  RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.execute("ALTER TABLE track_words ADD COLUMN title varchar(255)")
    # The owner is fenced off like anybody; the fences come back in this transaction.
    for table in ("tracks", "track_words"):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "UPDATE track_words SET title = tracks.title FROM tracks"
        " WHERE tracks.client_id = track_words.client_id AND tracks.id = track_words.track_id"
    )
    for table in ("tracks", "track_words"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE track_words ALTER title SET NOT NULL")
    _key("INCLUDE (title)")
    op.execute(FOLLOW.format(column=", title", value=", NEW.title"))
    _on("words, title", "(OLD.words, OLD.title) IS DISTINCT FROM (NEW.words, NEW.title)")


def downgrade() -> None:
    _on("words", "OLD.words IS DISTINCT FROM NEW.words")
    op.execute(FOLLOW.format(column="", value=""))
    _key("")
    op.execute("ALTER TABLE track_words DROP COLUMN title")


def _key(more: str) -> None:
    op.execute("ALTER TABLE track_words DROP CONSTRAINT pk_track_words")
    op.execute(
        "ALTER TABLE track_words ADD CONSTRAINT pk_track_words"
        f" PRIMARY KEY (client_id, word, track_id) {more}"
    )


def _on(columns: str, changed: str) -> None:
    op.execute("DROP TRIGGER words_updated ON tracks")
    op.execute(
        f"CREATE TRIGGER words_updated AFTER UPDATE OF {columns} ON tracks"
        f" FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION track_words_follow()"
    )
