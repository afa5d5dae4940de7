"""The outbox: in the same transaction, a row says that a topic's document has changed.

The relay reads the current document, publishes it and forgets the mark, unless a newer one was
made meanwhile. The mark holds no payload: the database is the truth and the topic its projection.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Sequence, func, text
from sqlalchemy.orm import Session
from sqlmodel import Field, SQLModel

from sync2gear_platform.kit import marks
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.db import AsyncSession, moment

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


def dirty(ctx: Ctx, *topics: str) -> None:
    """Say that these topics must be published again once this transaction has committed."""
    mark(ctx.db, ctx.now, ((topic, ctx.client_id) for topic in topics))


def mark(db: AsyncSession, now: datetime, dirtied: Iterable[tuple[str, UUID]]) -> None:
    """:func:`dirty` for topics of any clients."""
    marks.gather(db, _mark, ((topic, client, now) for topic, client in dirtied))


_MARK = text(
    "INSERT INTO outbox (topic, client_id, created_at)"
    " SELECT DISTINCT ON (topic) topic, client_id, created_at"
    " FROM unnest(cast(:topics AS text[]), cast(:clients AS uuid[]),"
    " cast(:moments AS timestamptz[])) AS t(topic, client_id, created_at)"
    " ORDER BY topic, created_at"
    " ON CONFLICT (topic) DO UPDATE SET mark = nextval('outbox_mark_seq')"
)


def _mark(session: Session, dirtied: Collection[tuple[str, UUID, datetime]]) -> None:
    topics, clients, moments = (list(column) for column in zip(*dirtied, strict=True))
    session.execute(_MARK, {"topics": topics, "clients": clients, "moments": moments})
    session.execute(func.pg_notify(CHANNEL, "").select())
