"""The order of documents: ``(epoch, rev)``, one sequence for all retained documents."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Sequence, select
from sqlmodel import Field, SQLModel, col

from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.db import moment

_revs = Sequence("document_rev_seq", metadata=SQLModel.metadata)


class Installation(SQLModel, table=True):
    """The one row of this installation.

    ``epoch`` is raised when a database is restored, so that its documents win over newer ones
    that devices still hold. ``generation`` is what the broker's retained marker must equal.
    ``public_url`` is the address that documents name now; ``None``: nobody knows what they name.
    """

    __tablename__ = "installation"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: int = Field(default=1, primary_key=True)
    epoch: int = Field(default=1, sa_type=BigInteger)
    generation: UUID | None = None
    generation_at: datetime | None = moment(default=None, nullable=True)
    public_url: str | None = Field(default=None, max_length=500)


async def next_version(ctx: Ctx) -> tuple[int, int]:
    """The ``(epoch, rev)`` of a document about to be written; draw it under the row's lock."""
    row = (
        await ctx.db.execute(select(col(Installation.epoch), _revs.next_value().label("rev")))
    ).one()
    return int(row[0]), int(row[1])
