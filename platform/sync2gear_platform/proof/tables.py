"""Rows of the proof of play: lines of what was planned and heard, and what they add up to."""

from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Index, Uuid, text
from sqlmodel import Field, SQLModel

from sync2gear_platform.kit.db import Owned, by_client, document, moment, owned

KEPT_DAYS: Final = 400
"""How long lines are kept where a client says nothing: a year, and the time to settle it."""

FEWEST_DAYS, MOST_DAYS = 35, 3660
"""Bounds of that: a month has to be whole when its report is due; ten years are enough for all."""


UNUSUAL: Final = (
    "outcome IN ('late', 'missed', 'unknown') OR manner <> 'planned'"
    " OR source IN ('call', 'emergency')"
)
"""Lines that people look for among all the others: few, and spread over years."""


def _count() -> Any:
    return Field(default=0, sa_type=BigInteger)


class ProofLine(SQLModel, table=True):
    """One piece in one zone: planned at ``begins`` for ``frames`` until ``ends``, and heard or not.

    ``id`` follows from zone and item, so a line is the same however often it is worked out.
    ``speakers`` stood in the zone then. ``silenced`` is why the plan itself lets it not be heard.
    ``subject`` is what lines of one work share: an announcement's id, otherwise the audio. The
    zone may be gone: what was played stays.
    """

    __tablename__ = "proof_lines"
    __table_args__ = (
        by_client("proof_lines", "begins", "id"),
        by_client("proof_lines", "zone_id", "begins", "id"),
        by_client("proof_lines", "subject", "begins"),
        by_client("proof_lines", "day"),
        Index(
            "ix_proof_lines_client_pending",
            "client_id",
            "begins",
            "id",
            postgresql_where=text("outcome = 'pending'"),
        ),
        Index(
            "ix_proof_lines_client_unusual",
            "client_id",
            "begins",
            "id",
            "outcome",
            "manner",
            "source",
            postgresql_where=text(UNUSUAL),
        ),
        Index(
            "ix_proof_lines_client_schedule",
            "client_id",
            "schedule_id",
            "begins",
            "id",
            postgresql_where=text("schedule_id IS NOT NULL"),
        ),
        CheckConstraint(
            "outcome IN ('pending', 'played', 'late', 'missed', 'unknown')", name="outcome"
        ),
        CheckConstraint("manner IN ('planned', 'unplanned', 'stand_in')", name="manner"),
    )

    client_id: UUID = Field(primary_key=True, foreign_key="clients.id", ondelete="CASCADE")
    id: UUID = Field(primary_key=True)
    zone_id: UUID
    day: date
    begins: int = Field(sa_type=BigInteger)
    ends: int = Field(sa_type=BigInteger)
    frames: int = Field(sa_type=BigInteger)
    kind: str = Field(max_length=16)
    manner: str = Field(default="planned", max_length=16)
    source: str = Field(max_length=16)
    item: str = Field(max_length=64)
    sha256: str = Field(max_length=64)
    subject: str = Field(max_length=64)
    schedule_id: UUID | None = None
    announcement_id: UUID | None = None
    why: str = Field(default="", max_length=64)
    silenced: str = Field(default="", max_length=32)
    outcome: str = Field(default="pending", max_length=16)
    reason: str = Field(default="", max_length=64)
    began: int | None = Field(default=None, sa_type=BigInteger)
    heard: int = _count()
    heard_by: int = Field(default=0)
    speakers: list[UUID] = Field(default_factory=list, sa_type=ARRAY(Uuid))


class ProofWork(SQLModel, table=True):
    """What is played, as it was called last: kept when the track or announcement is gone."""

    __tablename__ = "proof_works"

    client_id: UUID = Field(primary_key=True, foreign_key="clients.id", ondelete="CASCADE")
    subject: str = Field(primary_key=True, max_length=64)
    kind: str = Field(max_length=16)
    title: str = Field(default="", max_length=255)
    artist: str = Field(default="", max_length=255)
    album: str = Field(default="", max_length=255)
    isrc: str = Field(default="", max_length=12)
    composer: str = Field(default="", max_length=255)
    frames: int = Field(sa_type=BigInteger)
    seen_on: date


class ProofReason(SQLModel, table=True):
    """Why lines are there, once by its digest: the schedule, what it beat, the rules' version."""

    __tablename__ = "proof_reasons"

    client_id: UUID = Field(primary_key=True, foreign_key="clients.id", ondelete="CASCADE")
    digest: str = Field(primary_key=True, max_length=64)
    document: dict[str, Any] = document()
    seen_on: date


class ProofZone(SQLModel, table=True):
    """From where to where a zone's plan is written down; its name stays when the zone is gone.

    ``looked_frame`` is up to where it was looked at: what went on there is written down later.
    """

    __tablename__ = "proof_zones"
    __table_args__ = (by_client("proof_zones", "looked_frame"),)

    client_id: UUID = Field(primary_key=True, foreign_key="clients.id", ondelete="CASCADE")
    zone_id: UUID = Field(primary_key=True)
    name: str = Field(max_length=255)
    timezone: str = Field(default="UTC", max_length=64)
    since_frame: int = Field(sa_type=BigInteger)
    until_frame: int = Field(sa_type=BigInteger)
    looked_frame: int = Field(sa_type=BigInteger)


class ProofDay(SQLModel, table=True):
    """What lines of a zone's day (by the venue's clock) add up to; kept when they are gone."""

    __tablename__ = "proof_days"
    __table_args__ = (by_client("proof_days", "day"),)

    client_id: UUID = Field(primary_key=True, foreign_key="clients.id", ondelete="CASCADE")
    zone_id: UUID = Field(primary_key=True)
    day: date = Field(primary_key=True)
    kind: str = Field(primary_key=True, max_length=16)
    planned: int = _count()
    played: int = _count()
    late: int = _count()
    missed: int = _count()
    unknown: int = _count()
    pending: int = _count()
    heard: int = _count()


class ProofMonth(SQLModel, table=True):
    """What lines of one work in one zone add up to in a month, which its first day names."""

    __tablename__ = "proof_months"
    __table_args__ = (by_client("proof_months", "month", "kind", "subject"),)

    client_id: UUID = Field(primary_key=True, foreign_key="clients.id", ondelete="CASCADE")
    zone_id: UUID = Field(primary_key=True)
    month: date = Field(primary_key=True)
    kind: str = Field(primary_key=True, max_length=16)
    subject: str = Field(primary_key=True, max_length=64)
    planned: int = _count()
    played: int = _count()
    late: int = _count()
    missed: int = _count()
    unknown: int = _count()
    pending: int = _count()
    heard: int = _count()


class ProofAccount(SQLModel, table=True):
    """A client's proof of play: how long lines are kept, and which events have been read.

    Events up to ``seen_at`` and, at it, ``seen_id``; ``swept`` is the frame up to which pending
    lines have been looked at again. ``purged_before``: lines of earlier days are gone.
    """

    __tablename__ = "proof_accounts"
    __table_args__ = (
        CheckConstraint(f"keep_days BETWEEN {FEWEST_DAYS} AND {MOST_DAYS}", name="keep_days"),
    )

    client_id: UUID = Field(primary_key=True, foreign_key="clients.id", ondelete="CASCADE")
    keep_days: int = Field(default=KEPT_DAYS)
    seen_at: datetime = moment()
    seen_id: UUID
    swept: int = _count()
    purged_before: date | None = None


class ProofTemplate(Owned, table=True):
    """A client's own report: ``columns`` are documents ``{"key": ..., "heading": ...}``."""

    __tablename__ = "proof_templates"
    __table_args__ = owned(
        by_client("proof_templates", "name", "id"),
        CheckConstraint("grain IN ('work', 'work_zone', 'play')", name="grain"),
    )

    name: str = Field(max_length=255)
    grain: str = Field(max_length=16)
    columns: list[dict[str, str]] = document(default_factory=list)
