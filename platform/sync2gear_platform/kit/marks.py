"""Marks: rows that say what is left to do about something, and a number that rises with each.

They are gathered while a transaction works and written at its very end, all kinds in one order and
each kind sorted, so that nobody holds one while it waits for anything else; whoever works marks
off passes over those that are held. So no two wait for each other in a circle.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import delete, func, tuple_
from sqlalchemy.event import listens_for
from sqlalchemy.orm import Session
from sqlmodel import col, select

from sync2gear_platform.kit.db import SYSTEM_ROLE, AsyncSession

Write = Callable[[Session, Collection[Any]], None]
"""Writes marks of one kind, in an order that is the same for everybody, as the system."""

_GATHERED: Final = "marks"


def gather(db: AsyncSession, write: Write, marks: Iterable[Hashable]) -> None:
    """Let ``write`` write these marks at the commit, beside others of its kind; each once."""
    gathered(db, write).update(marks)


def gathered(db: AsyncSession, write: Write) -> set[Any]:
    """What this transaction has gathered for ``write``."""
    kinds: dict[Write, set[Any]] = db.info.setdefault(_GATHERED, {})
    return kinds.setdefault(write, set())


@contextmanager
def ungathered(db: AsyncSession) -> Iterator[None]:
    """Whatever is gathered within is forgotten after it, as what a savepoint takes back."""
    before = {write: set(marks) for write, marks in db.info.get(_GATHERED, {}).items()}
    try:
        yield
    finally:
        db.info[_GATHERED] = before


@listens_for(Session, "before_commit")
def _write(session: Session) -> None:
    if session.in_nested_transaction():
        return
    kinds: dict[Write, set[Any]] = session.info.pop(_GATHERED, {})
    waiting = sorted((w for w, marks in kinds.items() if marks), key=lambda w: w.__module__)
    if not waiting:
        return
    session.flush()
    session.execute(select(func.set_config("role", SYSTEM_ROLE, True)))
    for write in waiting:
        write(session, kinds[write])


async def forget(
    db: AsyncSession, table: type[Any], name: str, done: Collection[tuple[Any, int]]
) -> set[Any]:
    """Take away from ``table`` the marks ``(name, mark)`` of ``done``; returns what went by name.

    One that somebody renews meanwhile stays, and so does one that is held: whoever holds it
    renews it at this moment, or the next time around finds it as it is.
    """
    if not done:
        return set()
    key, mark = col(getattr(table, name)), col(table.mark)
    pair = tuple_(key, mark)
    free = select(key, mark).where(pair.in_(list(done))).with_for_update(skip_locked=True)
    gone = delete(table).where(pair.in_(free)).returning(key)
    return set((await db.execute(gone)).scalars())
