"""API usage per client: counted in memory, written in batches, never a row per request."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlmodel import Field, SQLModel, col

from sync2gear_platform.kit import log
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.db import Database

logger = log.get(__name__)

FLUSH_SECONDS: Final = 15.0
"""What a killed process loses at most."""

MAX_COUNTERS: Final = 100_000
"""Clients times classes times days while the database is away; what is beyond is not counted."""


class ApiUsage(SQLModel, table=True):
    """Requests of one client on one UTC day in one class of traffic."""

    __tablename__ = "api_usage"

    client_id: UUID = Field(primary_key=True, foreign_key="clients.id", ondelete="CASCADE")
    day: date = Field(primary_key=True)
    traffic: str = Field(primary_key=True, max_length=16)
    requests: int = Field(default=0, sa_type=BigInteger)
    errors: int = Field(default=0, sa_type=BigInteger)
    bytes_sent: int = Field(default=0, sa_type=BigInteger)


Key = tuple[UUID, date, str]


class Usage:
    """The counters of this process since they were last written."""

    def __init__(self) -> None:
        self._counters: dict[Key, list[int]] = {}

    def count(self, client_id: UUID, day: date, traffic: str, *, failed: bool, sent: int) -> None:
        """One request: whether it was answered with 4xx or 5xx, and with how many bytes."""
        key = client_id, day, traffic
        if key not in self._counters and len(self._counters) >= MAX_COUNTERS:
            return
        counter = self._counters.setdefault(key, [0, 0, 0])
        counter[0] += 1
        counter[1] += failed
        counter[2] += sent

    async def flush(self, db: Database) -> int:
        """Add what was counted to the rows; what could not be written is kept. Rows written."""
        taken, self._counters = self._counters, {}
        try:
            if taken:
                await _add(db, taken)
        except BaseException:
            for (client, day, traffic), values in taken.items():
                counter = self._counters.setdefault((client, day, traffic), [0, 0, 0])
                counter[:] = [a + b for a, b in zip(counter, values, strict=True)]
            raise
        return len(taken)


async def _add(db: Database, taken: dict[Key, list[int]]) -> None:
    rows: list[dict[str, Any]] = [
        {
            "client_id": client,
            "day": day,
            "traffic": traffic,
            "requests": requests,
            "errors": errors,
            "bytes_sent": sent,
        }
        # in one order everywhere, so that two processes never wait for each other
        for (client, day, traffic), (requests, errors, sent) in sorted(taken.items())
    ]
    async with db.system() as session:
        # a client that was deleted meanwhile must not keep the others' counts from being written
        asked = text("SELECT id FROM clients WHERE id = ANY(:ids) FOR KEY SHARE")
        ids = {"ids": [client for client, _, _ in taken]}
        known = set((await session.execute(asked, ids)).scalars())
        rows = [row for row in rows if row["client_id"] in known]
        if not rows:
            return
        new = insert(ApiUsage).values(rows)
        merged = {
            name: getattr(ApiUsage, name) + new.excluded[name]
            for name in ("requests", "errors", "bytes_sent")
        }
        await session.execute(
            new.on_conflict_do_update(index_elements=["client_id", "day", "traffic"], set_=merged)
        )


@asynccontextmanager
async def flushing(usage: Usage, db: Database, every: float = FLUSH_SECONDS) -> AsyncIterator[None]:
    """Write ``usage`` down regularly, and once more at the end."""

    async def flush() -> None:
        try:
            await usage.flush(db)
        except (DBAPIError, InterfaceError, OSError, TimeoutError) as error:
            logger.warning("usage.not_written", error=str(error)[:300])

    async def regularly() -> None:
        while True:
            await asyncio.sleep(every)
            await flush()

    task = asyncio.create_task(regularly(), name="usage")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await flush()


@dataclass(frozen=True, slots=True)
class Used:
    """What one client asked in one class of traffic, over some days."""

    client_id: UUID
    traffic: str
    requests: int
    errors: int
    bytes_sent: int


async def of_clients(
    ctx: Ctx, since: date, until: date, client_id: UUID | None = None
) -> list[Used]:
    """Sums by client and class of the days ``since`` to ``until``, both included.

    As the system over all clients, or of one; as a tenant its own only.
    """
    statement = (
        select(
            col(ApiUsage.client_id),
            col(ApiUsage.traffic),
            *(func.sum(c) for c in (ApiUsage.requests, ApiUsage.errors, ApiUsage.bytes_sent)),
        )
        .where(col(ApiUsage.day) >= since, col(ApiUsage.day) <= until)
        .group_by(col(ApiUsage.client_id), col(ApiUsage.traffic))
        .order_by(col(ApiUsage.client_id), col(ApiUsage.traffic))
    )
    if client_id is not None:
        statement = statement.where(col(ApiUsage.client_id) == client_id)
    found = (await ctx.db.execute(statement)).all()
    return [Used(row[0], row[1], int(row[2]), int(row[3]), int(row[4])) for row in found]
