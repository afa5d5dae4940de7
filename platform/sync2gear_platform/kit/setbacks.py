"""Work over many clients, zones or letters: one that fails waits, longer each time, and no other.

What is put off stands in a table, so that health counts it and another leader knows of it.
"""

import traceback
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar
from uuid import UUID

from psycopg import errors as pg
from pydantic import ValidationError
from sqlalchemy import delete, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlmodel import Field, SQLModel, col, select

from sync2gear_platform.kit import log
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.kit.db import Database, moment

logger = log.get(__name__)

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")

POSTPONED: Final = timedelta(minutes=1)
"""How long the first failure makes something wait; each further one makes it twice as long."""

MOST_DOUBLINGS: Final = 8
"""After so many failures it waits no longer each time: a bit more than four hours."""

FORGOTTEN: Final = timedelta(days=1)
"""What nobody has tried again for so long after its time is gone, or due no more."""


class Setback(SQLModel, table=True):
    """Something that could not be done for one subject, and when it is tried again.

    ``since``: from when on something is left to do for it.
    """

    __tablename__ = "setbacks"

    work: str = Field(primary_key=True, max_length=32)
    subject_id: UUID = Field(primary_key=True)
    client_id: UUID | None = Field(
        default=None, foreign_key="clients.id", ondelete="CASCADE", index=True
    )
    since: datetime = moment()
    again_at: datetime = moment()
    failures: int
    failure: str = Field(max_length=300)


@dataclass(frozen=True, slots=True)
class Subject:
    """For whom something is done: a client, or something of a client's.

    ``since`` is from when on something is left to do; without it, from now on.
    """

    id: UUID
    client: UUID | None
    since: datetime | None = None


def passing(error: Exception) -> bool:
    """Whether it is the database's own trouble, and nobody's in particular: away, full, a circle.

    A statement that took too long is its subject's: the others' do not.
    """
    if isinstance(error, PoolTimeoutError):
        return True
    return isinstance(error, OperationalError | InterfaceError) and not _too_slow(error)


def _too_slow(error: Exception) -> bool:
    return isinstance(error, DBAPIError) and isinstance(error.orig, pg.QueryCanceled)


def said(error: Exception) -> str:
    """What went wrong and where, without the data: neither values nor a statement's parameters."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    what = type(cause).__name__
    if isinstance(error, ValidationError):
        places = (".".join(str(key) for key in one["loc"]) for one in error.errors())
        what += f" at {', '.join(places)}"
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "sync2gear_" in frame.filename]
    where = "".join(f" in {Path(f.filename).name}:{f.lineno}" for f in ours[-1:])
    return f"{what[:200]}{where}"


async def apart(
    many: Sequence[T],
    deed: Callable[[Sequence[T]], Awaitable[Mapping[K, V]]],
    failed: Callable[[T, Exception], None],
) -> dict[K, V]:
    """Do it for all of these at once, and where that raises for each half, down to who fails alone.

    Returns what the deeds gave. What is the database's own trouble raises, and so does a statement
    that took too long: each half would wait as long again.
    """
    try:
        return dict(await deed(many))
    except Exception as error:
        if passing(error) or _too_slow(error):
            raise
        if len(many) <= 1:
            for one in many:
                failed(one, error)
            return {}
    half = len(many) // 2
    first = await apart(many[:half], deed, failed)
    return first | await apart(many[half:], deed, failed)


async def known(db: Database, work: str, client: UUID | None = None) -> dict[UUID, Setback]:
    """What of this work is put off, by subject; of one client's only where one is given."""
    wanted = select(Setback).where(col(Setback.work) == work)
    if client is not None:
        wanted = wanted.where(col(Setback.client_id) == client)
    async with db.system() as session:
        return {row.subject_id: row for row in await session.exec(wanted)}


async def each(
    db: Database,
    clock: Clock,
    work: str,
    subjects: Iterable[Subject],
    deed: Callable[[Subject], Awaitable[int]],
) -> int:
    """Do it for each of these whose time has come; returns what the deeds add up to.

    A deed commits by itself. One that raises is put off and written down; what is the database's
    own trouble raises, since it would meet all of them.
    """
    subjects = list(subjects)
    late = await known(db, work) if subjects else {}
    done = 0
    for one in subjects:
        before = late.get(one.id)
        if before is not None and before.again_at > clock.now():
            continue
        since = before.since if before is not None else one.since
        try:
            done += await deed(Subject(one.id, one.client, since))
        except Exception as error:
            if passing(error):
                raise
            await _put_off(db, clock, work, one, error)
        else:
            if before is not None:
                await _well_again(db, work, one)
    return done


async def together(
    db: Database,
    clock: Clock,
    work: str,
    subjects: Iterable[Subject],
    deed: Callable[[Sequence[Subject]], Awaitable[int]],
) -> int:
    """The same with a deed that does many at once; where that fails each is done by itself."""
    late = await known(db, work)
    subjects = list(subjects)
    well = [one for one in subjects if one.id not in late]
    alone = [one for one in subjects if one.id in late]
    done = 0
    try:
        if well:
            done = await deed(well)
    except Exception as error:
        if passing(error):
            raise
        logger.warning("work.failed_together", work=work, subjects=len(well), error=said(error))
        alone = subjects

    async def by_itself(one: Subject) -> int:
        return await deed([one])

    return done + await each(db, clock, work, alone, by_itself)


async def _put_off(db: Database, clock: Clock, work: str, one: Subject, error: Exception) -> None:
    now = clock.now()
    late = text(
        "INSERT INTO setbacks AS late"
        " (work, subject_id, client_id, since, again_at, failures, failure)"
        " SELECT :work, :subject, CAST(:client AS uuid), :since,"
        " CAST(:now AS timestamptz) + CAST(:wait AS interval), 1, :failure"
        # who was deleted meanwhile waits for nothing
        " WHERE CAST(:client AS uuid) IS NULL OR EXISTS (SELECT FROM clients WHERE id = :client)"
        " ON CONFLICT (work, subject_id) DO UPDATE SET failures = late.failures + 1,"
        " failure = excluded.failure, again_at = CAST(:now AS timestamptz)"
        " + CAST(:wait AS interval) * power(2, least(late.failures, :most))"
        " RETURNING failures, again_at"
    )
    values = {
        "work": work, "subject": one.id, "client": one.client, "since": one.since or now,
        "now": now, "wait": POSTPONED, "most": MOST_DOUBLINGS, "failure": said(error)[:300],
    }  # fmt: skip
    async with db.system() as session:
        row = (await session.execute(late, values)).one_or_none()
    if row is not None:
        logger.error(
            "work.put_off", work=work, subject=str(one.id), client_id=str(one.client),
            failures=row.failures, again_at=row.again_at.isoformat(), error=said(error),
        )  # fmt: skip


async def _well_again(db: Database, work: str, one: Subject) -> None:
    mine = (col(Setback.work) == work, col(Setback.subject_id) == one.id)
    async with db.system() as session:
        await session.execute(delete(Setback).where(*mine))
    logger.info("work.well_again", work=work, subject=str(one.id), client_id=str(one.client))


async def forget(db: Database, clock: Clock) -> None:
    """Forget what nobody has tried again: a zone that is gone, a deletion that was taken back."""
    async with db.system() as session:
        old = col(Setback.again_at) < clock.now() - FORGOTTEN
        await session.execute(delete(Setback).where(old))
