"""Rows of announcements."""

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlmodel import Field

from sync2gear_platform.kit.db import Owned, belongs_to, by_client, document, owned


class Announcement(Owned, table=True):
    """A text with its voice and its audio; or a file that was sent, or a recording.

    ``voice`` was asked for (empty: the client's default); ``spoken_voice`` of ``spoken_provider``
    was heard, which is another one where the provider asked first failed; ``provider_id`` is asked
    first. What failed says why by ``failure_code`` and ``failure``. ``volume_offset`` is in
    hundredths of dB; a chime that is null is the client's (``chiming.py``). ``prefetch``:
    speakers fetch it before anybody plays it; what was said at once is not likely to come again.
    """

    __tablename__ = "announcements"
    __table_args__ = owned(
        by_client("announcements", "created_at", "id"),
        Index("ix_announcements_client_words", "client_id", "voice", text("md5(text)")),
        by_client("announcements", "title", "id"),
        by_client("announcements", "folder_id", "id"),
        Index(
            "ix_announcements_provider_id",
            "provider_id",
            postgresql_where=text("provider_id IS NOT NULL"),
        ),
        belongs_to("media", "sha256", on=("sha256",), ondelete="RESTRICT"),
        belongs_to("folders", "folder_id", ondelete="SET NULL"),
        CheckConstraint("state IN ('rendering', 'ready', 'failed')", name="state"),
        CheckConstraint("(state = 'ready') = (sha256 IS NOT NULL)", name="ready_has_media"),
    )

    title: str = Field(max_length=255)
    is_tts: bool = Field(default=True)
    text: str = Field(default="", max_length=5000)
    ssml: bool = Field(default=False)
    voice: str = Field(default="", max_length=64)
    state: str = Field(default="rendering", max_length=16)
    failure: str = Field(default="", max_length=1000)
    failure_code: str = Field(default="", max_length=64)
    sha256: str | None = Field(default=None, max_length=64)
    duration_millis: int = Field(default=0, sa_type=BigInteger)
    language: str = Field(default="", max_length=35)
    prosody: dict[str, Any] | None = document(default=None, nullable=True)
    provider_id: UUID | None = Field(
        default=None, foreign_key="ai_providers.id", ondelete="SET NULL"
    )
    spoken_provider: str = Field(default="", max_length=100)
    spoken_voice: str = Field(default="", max_length=64)
    folder_id: UUID | None = None
    is_recording: bool = Field(default=False)
    tags: list[str] = document(default_factory=list)
    volume_offset: int = Field(default=0)
    chime_before: dict[str, Any] | None = document(default=None, nullable=True)
    chime_after: dict[str, Any] | None = document(default=None, nullable=True)
    prefetch: bool = Field(default=True)
    created_by: UUID | None = None
