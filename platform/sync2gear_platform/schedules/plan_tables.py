"""Rows of what was compiled for each zone, and of the account that each programme gives."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary
from sqlmodel import Field, SQLModel

from sync2gear_platform.kit.db import belongs_to, moment


class ZonePlan(SQLModel, table=True):
    """What was compiled for a zone last, from facts of the digest ``facts``.

    ``renew_at`` is when it reaches less far than it should; until ``hurry_frame`` its programme
    takes over as soon as speakers have it. ``problem``: why there is none for those facts.
    """

    __tablename__ = "zone_plans"
    __table_args__ = (
        belongs_to("zones", "zone_id"),
        Index("ix_zone_plans_renew_at", "renew_at"),
        Index("ix_zone_plans_hurry_frame", "hurry_frame"),
    )

    client_id: UUID = Field(primary_key=True, foreign_key="clients.id", ondelete="CASCADE")
    zone_id: UUID = Field(primary_key=True)
    facts: str = Field(max_length=64)
    programme: str = Field(default="", max_length=64)
    until_frame: int = Field(sa_type=BigInteger)
    hurry_frame: int | None = Field(default=None, sa_type=BigInteger)
    problem: str = Field(default="", max_length=64)
    renew_at: datetime = moment()
    compiled_at: datetime = moment()


class PlanLedger(SQLModel, table=True):
    """The account of one programme of a zone; it goes with the programme."""

    __tablename__ = "plan_ledgers"
    __table_args__ = (
        belongs_to("zones", "zone_id"),
        belongs_to("programmes", "programme", on=("sha256",)),
        Index("ix_plan_ledgers_client_id_programme", "client_id", "programme"),
    )

    client_id: UUID = Field(primary_key=True, foreign_key="clients.id", ondelete="CASCADE")
    zone_id: UUID = Field(primary_key=True)
    programme: str = Field(primary_key=True, max_length=64)
    from_frame: int = Field(sa_type=BigInteger)
    body: bytes = Field(sa_type=LargeBinary)
    created_at: datetime = moment()
