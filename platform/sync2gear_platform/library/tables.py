"""Rows of media, folders, tracks, uploads and imports."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    ForeignKeyConstraint,
    Index,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.event import listens_for
from sqlmodel import Field, SQLModel

from sync2gear_platform.kit.db import Owned, belongs_to, by_client, document, moment, owned
from sync2gear_platform.library import separation


def _media_key(ondelete: str = "RESTRICT") -> ForeignKeyConstraint:
    return belongs_to("media", "sha256", on=("sha256",), ondelete=ondelete)


class Media(SQLModel, table=True):
    """Audio by content, as one client has it. ``frames`` are of 48 kHz after decoding.

    ``loudness`` (integrated, EBU R128) and ``true_peak`` are in hundredths of LUFS and dBTP,
    null where the audio is too quiet or too short to measure; ``gain`` is applied at playback.
    ``lead`` and ``tail`` are frames of silence at its ends, ``pcm_sha256`` is the digest of what is
    decoded (``library/sound.py``); null where it was taken before they were measured.
    """

    __tablename__ = "media"
    __table_args__ = (
        CheckConstraint("frames > 0 AND bytes > 0", name="audible"),
        by_client("media", "pcm_sha256"),
    )

    client_id: UUID = Field(primary_key=True, foreign_key="clients.id", ondelete="CASCADE")
    sha256: str = Field(primary_key=True, max_length=64)
    bytes: int = Field(sa_type=BigInteger)
    frames: int = Field(sa_type=BigInteger)
    codec: str = Field(max_length=32)
    loudness: int | None = None
    true_peak: int | None = None
    gain: int = Field(default=0)
    lead: int | None = Field(default=None, sa_type=BigInteger)
    tail: int | None = Field(default=None, sa_type=BigInteger)
    pcm_sha256: str | None = Field(default=None, max_length=64)
    created_at: datetime = moment()


class MediaPeaks(SQLModel, table=True):
    """The waveform of a piece of media: a byte for every ``frames_per_peak`` frames."""

    __tablename__ = "media_peaks"
    __table_args__ = (_media_key("CASCADE"),)

    client_id: UUID = Field(primary_key=True, foreign_key="clients.id", ondelete="CASCADE")
    sha256: str = Field(primary_key=True, max_length=64)
    frames_per_peak: int
    peaks: bytes


class Cover(Owned, table=True):
    """A picture of tracks and folders, once by its content; its sizes lie in the blob store.

    ``small``, ``medium`` and ``large`` are digests of WebP, as large as ``rules.COVER_SIDES`` say
    or as it was; ``bytes`` is all of them.
    """

    __tablename__ = "covers"
    __table_args__ = owned(UniqueConstraint("client_id", "large"))

    # indexed over all clients: housekeeping asks who names a blob
    small: str = Field(max_length=64, index=True)
    medium: str = Field(max_length=64, index=True)
    large: str = Field(max_length=64, index=True)
    bytes: int


class Folder(Owned, table=True):
    """A list of tracks in order; what a zone is told to play.

    With ``rules`` it is smart: its tracks are those that the rules fit, in ``order`` (as lists
    take it), at most ``most`` of them. Otherwise tracks say in which folder they are. Those of the
    product (``is_system``) are made with the client, by a trigger, and stay as they are.
    """

    __tablename__ = "folders"
    __table_args__ = owned(
        by_client("folders", "name"),
        by_client("folders", "parent_id"),
        belongs_to("folders", "parent_id", ondelete="SET NULL"),
        belongs_to("covers", "cover_id", ondelete="SET NULL"),
        CheckConstraint("type IN ('music', 'announcement')", name="type"),
        Index("uq_folders_system", "client_id", "name", unique=True, postgresql_where="is_system"),
    )

    name: str = Field(max_length=255)
    description: str = Field(default="", max_length=2000)
    type: str = Field(default="music", max_length=16)
    is_system: bool = Field(default=False)
    cover_id: UUID | None = None
    parent_id: UUID | None = None
    created_by: UUID | None = None
    rules: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    order: str = Field(default="title", max_length=32)
    most: int | None = None


class Track(Owned, table=True):
    """A piece of music with what people call it, and what may be done with it.

    ``isrc`` is ISO 3901, without hyphens. ``regions`` are ISO 3166-1 countries, none: all;
    ``valid_from`` and ``valid_until`` are days, both included. ``words`` and the two keys follow
    from the names (:func:`_named`).
    """

    __tablename__ = "tracks"
    __table_args__ = owned(
        by_client("tracks", "folder_id", "position", "id"),
        by_client("tracks", "title", "id"),
        Index("ix_tracks_client_id_with_title", "client_id", "id", postgresql_include=["title"]),
        _media_key(),
        belongs_to("folders", "folder_id", ondelete="SET NULL"),
        belongs_to("covers", "cover_id", ondelete="SET NULL"),
        CheckConstraint("valid_until >= valid_from", name="valid_days"),
    )

    folder_id: UUID | None = None
    sha256: str = Field(max_length=64)
    filename: str = Field(max_length=255)
    title: str = Field(max_length=255)
    artist: str = Field(default="", max_length=255)
    album: str = Field(default="", max_length=255)
    genre: str = Field(default="", max_length=100)
    year: int | None = None
    isrc: str = Field(default="", max_length=12)
    composer: str = Field(default="", max_length=255)
    duration_millis: int = Field(sa_type=BigInteger)
    position: int = Field(default=0)
    cover_id: UUID | None = None
    explicit: bool = Field(default=False)
    tags: list[str] = document(default_factory=list)
    licence: str = Field(default="", max_length=255)
    regions: list[str] = document(default_factory=list)
    offline_allowed: bool = Field(default=True)
    valid_from: date | None = None
    valid_until: date | None = None
    play_count: int = Field(default=0)
    last_played_at: datetime | None = moment(default=None, nullable=True)
    words: str = Field(default="", sa_type=Text)
    artist_keys: list[str] = document(default_factory=list)
    title_key: str = Field(default="", max_length=255)


@listens_for(Track, "before_insert")
@listens_for(Track, "before_update")
def _named(_: object, __: object, track: Track) -> None:
    track.words = " ".join(
        separation.words(track.title, track.artist, track.album, track.genre, track.filename)
    )
    track.artist_keys = separation.artist_keys(track.artist)
    track.title_key = separation.title_key(track.title)[:255]


class TrackWord(SQLModel, table=True):
    """A word of a track, for searches by its beginning, with the title that they are sorted by.

    A trigger keeps it like ``Track.words`` and ``Track.title``. Two indexes hold all of it: the
    primary key's by word, and one by the first two letters, of which each has the order of titles.

    A table of its own: PostgreSQL lets no index answer a full-text operator behind row-level
    security, as that operator could tell of rows it saw; comparing texts cannot.
    """

    __tablename__ = "track_words"
    __table_args__ = (
        belongs_to("tracks", "track_id"),
        by_client("track_words", "track_id", "word"),
        Index(
            "ix_track_words_client_begins_title_track_id",
            "client_id",
            "begins",
            "title",
            "track_id",
            postgresql_include=["word"],
        ),
    )

    client_id: UUID = Field(primary_key=True)
    word: str = Field(primary_key=True, sa_type=Text(collation="C"))
    track_id: UUID = Field(primary_key=True)
    title: str = Field(max_length=255)
    begins: str = Field(sa_column=Column(Text(collation="C"), Computed("left(word, 2)")))


class Upload(Owned, table=True):
    """A file on its way in, and what became of it.

    ``offset`` of its ``size`` bytes are here; the file itself says so first. ``reserved`` bytes of
    the client's storage are held for it: nobody's any more once it is ``ready``, refused, cancelled
    or expired, and then its bytes are gone too. ``via``: how it comes (``tus``, ``form``,
    ``direct``); ``store_id`` is what the store calls one that goes straight into it. What stands
    in ``sha256`` is kept from housekeeping while something is reserved.
    """

    __tablename__ = "uploads"
    __table_args__ = owned(
        by_client("uploads", "created_at", "id"),
        Index("ix_uploads_expires_at", "expires_at"),
        belongs_to("folders", "folder_id", ondelete="SET NULL"),
        belongs_to("tracks", "track_id", ondelete="SET NULL"),
        belongs_to("announcements", "announcement_id", ondelete="SET NULL"),
        CheckConstraint("purpose IN ('track', 'announcement', 'recording')", name="purpose"),
        CheckConstraint(
            "state IN ('receiving', 'uploaded', 'processing', 'ready', 'failed')", name="state"
        ),
        CheckConstraint("(state = 'failed') = (code <> '')", name="failed_says_why"),
        CheckConstraint('"offset" BETWEEN 0 AND size AND reserved >= 0', name="bytes"),
        CheckConstraint("progress BETWEEN 0 AND 100", name="progress"),
    )

    purpose: str = Field(max_length=16)
    via: str = Field(default="tus", max_length=16)
    filename: str = Field(max_length=255)
    title: str = Field(default="", max_length=255)
    told: str = Field(default="", max_length=4096)
    folder_id: UUID | None = None
    size: int = Field(sa_type=BigInteger)
    offset: int = Field(default=0, sa_type=BigInteger)
    reserved: int = Field(sa_type=BigInteger)
    state: str = Field(default="receiving", max_length=16)
    progress: int = Field(default=0)
    code: str = Field(default="", max_length=64)
    detail: str = Field(default="", max_length=1000)
    sha256: str | None = Field(default=None, max_length=64)
    store_id: str | None = Field(default=None, max_length=1024)
    track_id: UUID | None = None
    announcement_id: UUID | None = None
    duplicate_of: UUID | None = None
    expires_at: datetime = moment()
    created_by: UUID | None = None


class Import(Owned, table=True):
    """One reading of a folder into the library, with what became of each file."""

    __tablename__ = "imports"
    __table_args__ = owned(
        CheckConstraint("state IN ('running', 'done', 'failed')", name="state"),
    )

    source: str = Field(max_length=255)
    folder_id: UUID | None = None
    state: str = Field(default="running", max_length=16)
    found: int = Field(default=0)
    imported: int = Field(default=0)
    duplicates: int = Field(default=0)
    rejected: int = Field(default=0)
    finished_at: datetime | None = moment(default=None, nullable=True)


class ImportItem(Owned, table=True):
    """One file of an import: taken, known already, or refused with a code and a reason."""

    __tablename__ = "import_items"
    __table_args__ = owned(
        by_client("import_items", "import_id", "id"),
        belongs_to("imports", "import_id"),
        CheckConstraint("outcome IN ('imported', 'duplicate', 'rejected')", name="outcome"),
    )

    import_id: UUID
    name: str = Field(max_length=255)
    outcome: str = Field(max_length=16)
    code: str = Field(default="", max_length=64)
    detail: str = Field(default="", max_length=1000)
    track_id: UUID | None = None
