"""Rows of media, folders, tracks and imports."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint
from sqlmodel import Field, SQLModel

from sync2gear_platform.kit.db import Owned, belongs_to, by_client, moment, owned


class Media(SQLModel, table=True):
    """Audio by content, as one client has it. ``frames`` are of 48 kHz after decoding.

    ``loudness`` (integrated, EBU R128) and ``true_peak`` are in hundredths of LUFS and dBTP,
    null where the audio is too quiet or too short to measure; ``gain`` is applied at playback.
    """

    __tablename__ = "media"
    __table_args__ = (CheckConstraint("frames > 0 AND bytes > 0", name="audible"),)

    client_id: UUID = Field(primary_key=True, foreign_key="clients.id", ondelete="CASCADE")
    sha256: str = Field(primary_key=True, max_length=64)
    bytes: int = Field(sa_type=BigInteger)
    frames: int = Field(sa_type=BigInteger)
    codec: str = Field(max_length=32)
    loudness: int | None = None
    true_peak: int | None = None
    gain: int = Field(default=0)
    created_at: datetime = moment()


def _media_key(ondelete: str = "RESTRICT") -> ForeignKeyConstraint:
    return belongs_to("media", "sha256", on=("sha256",), ondelete=ondelete)


class Folder(Owned, table=True):
    """A list of tracks in order; what a zone is told to play."""

    __tablename__ = "folders"
    __table_args__ = owned(
        by_client("folders", "name"),
        CheckConstraint("type IN ('music', 'announcement')", name="type"),
    )

    name: str = Field(max_length=255)
    description: str = Field(default="", max_length=2000)
    type: str = Field(default="music", max_length=16)
    is_system: bool = Field(default=False)


class Track(Owned, table=True):
    """A piece of music with what people call it."""

    __tablename__ = "tracks"
    __table_args__ = owned(
        by_client("tracks", "folder_id", "position", "id"),
        by_client("tracks", "title", "id"),
        _media_key(),
        belongs_to("folders", "folder_id", ondelete="SET NULL"),
    )

    folder_id: UUID | None = None
    sha256: str = Field(max_length=64)
    filename: str = Field(max_length=255)
    title: str = Field(max_length=255)
    artist: str = Field(default="", max_length=255)
    album: str = Field(default="", max_length=255)
    genre: str = Field(default="", max_length=100)
    year: int | None = None
    duration_millis: int = Field(sa_type=BigInteger)
    position: int = Field(default=0)


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
