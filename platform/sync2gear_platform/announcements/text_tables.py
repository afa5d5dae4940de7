"""Rows around a text: templates, pronunciations, variants, chimes, and what was joined."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field

from sync2gear_platform.kit.db import Owned, belongs_to, by_client, document, moment, owned


class Template(Owned, table=True):
    """A text in one or more languages with variables (``templates.py``).

    ``texts`` by language, in the order in which they are said; ``voices`` by language too, where
    it is not the client's default.
    """

    __tablename__ = "announcement_templates"
    __table_args__ = owned(by_client("announcement_templates", "name", "id"))

    name: str = Field(max_length=255)
    texts: list[dict[str, str]] = document(default_factory=list)
    ssml: bool = Field(default=False)
    variables: list[dict[str, Any]] = document(default_factory=list)
    mode: str = Field(default="pause", max_length=8)
    priority: int = Field(default=50)
    chime_before: dict[str, Any] | None = document(default=None, nullable=True)
    chime_after: dict[str, Any] | None = document(default=None, nullable=True)
    volume_offset: int = Field(default=0)


class Pronunciation(Owned, table=True):
    """How a word is said (``pronunciation.py``); without a language in every one.

    ``ipa`` for voices that speak phonemes, the replacement for the others.
    """

    __tablename__ = "announcement_pronunciations"
    __table_args__ = owned(UniqueConstraint("client_id", "language", "word"))

    word: str = Field(max_length=100)
    language: str = Field(default="", max_length=35)
    replacement: str = Field(max_length=200)
    ipa: str = Field(default="", max_length=200)
    match_case: bool = Field(default=False)


class Variant(Owned, table=True):
    """One of the sounds of a message (``variants.py``); each is an announcement itself."""

    __tablename__ = "announcement_variants"
    __table_args__ = owned(
        UniqueConstraint("client_id", "announcement_id", "sound_id"),
        belongs_to("announcements", "announcement_id"),
        belongs_to("announcements", "sound_id"),
        Index(
            "uq_announcement_variants_evergreen",
            "client_id",
            "announcement_id",
            unique=True,
            postgresql_where="evergreen",
        ),
        CheckConstraint("weight BETWEEN 0 AND 1000", name="weight"),
        CheckConstraint("starts_on <= ends_on", name="dates"),
        CheckConstraint("(from_minute IS NULL) = (to_minute IS NULL)", name="day_part"),
    )

    announcement_id: UUID
    sound_id: UUID
    weight: int = Field(default=1)
    starts_on: date | None = None
    ends_on: date | None = None
    days: list[int] = document(default_factory=list)
    from_minute: int | None = None
    to_minute: int | None = None
    evergreen: bool = Field(default=False)


class Joined(Owned, table=True):
    """Pieces that were joined once (``key``), and the sound of it."""

    __tablename__ = "announcement_joins"
    __table_args__ = owned(
        UniqueConstraint("client_id", "key"),
        belongs_to("media", "sha256", on=("sha256",), ondelete="RESTRICT"),
    )

    key: str = Field(max_length=64)
    sha256: str = Field(max_length=64)
    used_at: datetime = moment(index=True)


class SoundDefaults(Owned, table=True):
    """What a client's announcements sound like where nobody says otherwise; one row a client."""

    __tablename__ = "announcement_defaults"
    __table_args__ = owned(UniqueConstraint("client_id"))

    chime_before: dict[str, Any] | None = document(default=None, nullable=True)
    chime_after: dict[str, Any] | None = document(default=None, nullable=True)
    volume_offset: int = Field(default=0)
