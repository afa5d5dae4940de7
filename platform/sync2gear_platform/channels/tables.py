"""Rows of channels and of the lines that they are made of."""

from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlmodel import Field

from sync2gear_platform.kit.db import Owned, belongs_to, by_client, document, owned


class Channel(Owned, table=True):
    """Music and announcements in one ordered or rotated list (``model.py`` says what it means).

    ``pattern`` are ids of items in their turns. ``artist_apart`` and ``title_apart`` count pieces
    of music, ``again_hours`` is how long one piece is not to come again.
    """

    __tablename__ = "channels"
    __table_args__ = owned(
        by_client("channels", "name", "id"),
        CheckConstraint("mode IN ('ordered', 'rotated')", name="mode"),
        CheckConstraint("crossfade_millis BETWEEN 0 AND 15000", name="crossfade"),
        CheckConstraint(
            "artist_apart BETWEEN 0 AND 200 AND title_apart BETWEEN 0 AND 200"
            " AND again_hours BETWEEN 0 AND 168",
            name="apart",
        ),
    )

    name: str = Field(max_length=255)
    description: str = Field(default="", max_length=2000)
    mode: str = Field(default="rotated", max_length=8)
    pattern: list[str] = document(default_factory=list)
    hourly: bool = Field(default=False)
    loop: bool = Field(default=True)
    crossfade_millis: int = Field(default=0)
    artist_apart: int = Field(default=1)
    title_apart: int = Field(default=5)
    again_hours: int = Field(default=0)


class ChannelItem(Owned, table=True):
    """One line of a channel: a track, a folder, an announcement, or another channel.

    With ``after_tracks`` or ``after_minutes`` it is heard between the tracks instead of in turn.
    """

    __tablename__ = "channel_items"
    __table_args__ = owned(
        by_client("channel_items", "channel_id", "position", "id"),
        by_client("channel_items", "track_id"),
        by_client("channel_items", "folder_id"),
        by_client("channel_items", "announcement_id"),
        by_client("channel_items", "inner_channel_id"),
        belongs_to("channels", "channel_id"),
        belongs_to("tracks", "track_id"),
        belongs_to("folders", "folder_id"),
        belongs_to("announcements", "announcement_id"),
        belongs_to("channels", "inner_channel_id"),
        CheckConstraint(
            "num_nonnulls(track_id, folder_id, announcement_id, inner_channel_id) = 1", name="one"
        ),
        CheckConstraint("inner_channel_id <> channel_id", name="not_itself"),
        CheckConstraint("weight BETWEEN 0 AND 1000", name="weight"),
        CheckConstraint("\"order\" IN ('given', 'shuffled')", name="order"),
        CheckConstraint("after_tracks >= 0 AND after_minutes >= 0", name="after"),
    )

    channel_id: UUID
    position: int
    track_id: UUID | None = None
    folder_id: UUID | None = None
    announcement_id: UUID | None = None
    inner_channel_id: UUID | None = None
    weight: int = Field(default=1)
    order: str = Field(default="shuffled", max_length=8)
    after_tracks: int = Field(default=0)
    after_minutes: int = Field(default=0)

    @property
    def between(self) -> bool:
        """Whether it is heard between the tracks."""
        return self.after_tracks > 0 or self.after_minutes > 0

    def described(self) -> dict[str, Any]:
        """As the audit trail holds it."""
        return self.model_dump(mode="json", exclude={"client_id", "created_at", "updated_at"})
