"""Rows of announcements."""

from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlmodel import Field

from sync2gear_platform.kit.db import Owned, belongs_to, by_client, owned


class Announcement(Owned, table=True):
    """A text with its voice and, once rendered, its audio."""

    __tablename__ = "announcements"
    __table_args__ = owned(
        by_client("announcements", "created_at", "id"),
        Index("ix_announcements_client_words", "client_id", "voice", text("md5(text)")),
        belongs_to("media", "sha256", on=("sha256",), ondelete="RESTRICT"),
        CheckConstraint("state IN ('rendering', 'ready', 'failed')", name="state"),
        CheckConstraint("(state = 'ready') = (sha256 IS NOT NULL)", name="ready_has_media"),
    )

    title: str = Field(max_length=255)
    is_tts: bool = Field(default=True)
    text: str = Field(default="", max_length=5000)
    voice: str = Field(default="", max_length=64)
    state: str = Field(default="rendering", max_length=16)
    failure: str = Field(default="", max_length=1000)
    sha256: str | None = Field(default=None, max_length=64)
    duration_millis: int = Field(default=0, sa_type=BigInteger)
    created_by: UUID | None = None
