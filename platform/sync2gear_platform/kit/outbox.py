"""The outbox: in the same transaction, a row says that a topic's document has changed.

The relay reads the current document, publishes it and forgets the mark, unless a newer one was
made meanwhile. The mark holds no payload: the database is the truth and the topic its projection.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Sequence, func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Field, SQLModel, col

from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.db import moment

CHANNEL = "s2g_outbox"
_marks = Sequence("outbox_mark_seq", metadata=SQLModel.metadata)


class OutboxMark(SQLModel, table=True):
    """A dirty topic. ``mark`` rises each time the topic is dirtied again.

    It outlives its client, whose topics are cleared after it is gone.
    """

    __tablename__ = "outbox"

    topic: str = Field(primary_key=True, max_length=300)
    client_id: UUID = Field(index=True)
    mark: int = Field(
        sa_type=BigInteger, sa_column_kwargs={"server_default": _marks.next_value()}, index=True
    )
    created_at: datetime = moment()


async def dirty(ctx: Ctx, *topics: str) -> None:
    """Say that these topics must be published again once this transaction has committed."""
    if not topics:
        return
    statement = insert(OutboxMark).values(
        [{"topic": t, "client_id": ctx.client_id, "created_at": ctx.now} for t in sorted(topics)]
    )
    await ctx.db.execute(
        statement.on_conflict_do_update(
            index_elements=[col(OutboxMark.topic)], set_={"mark": _marks.next_value()}
        )
    )
    await ctx.db.execute(func.pg_notify(CHANNEL, "").select())
