"""Putting every sealed text under the vault's first key while the installation goes on working.

Each batch is one transaction that locks only its own rows and passes over those that somebody else
holds; a row says itself under which key it lies. So a rotation that was killed goes on where it
stopped, two of them share the work, and readers never wait: they open either key's text.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, Table, and_, func, or_, select, tuple_, update
from sqlmodel import SQLModel

from sync2gear_platform.kit import log
from sync2gear_platform.kit.db import AsyncSession
from sync2gear_platform.kit.vault import Locked, Vault

logger = log.get(__name__)

BATCH: Final = 200


@dataclass(frozen=True, slots=True)
class Place:
    """Where a rotation is: the table, and the key of the row that it treated last."""

    table: str = ""
    after: tuple[Any, ...] | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction did: rows resealed, rows that no key opens, and where it stopped.

    ``place`` is ``None`` once every table was passed. Rows that others held were passed over.
    """

    resealed: int
    unreadable: int
    place: Place | None


def sealed_tables() -> Iterator[tuple[Table, list[Column[Any]]]]:
    """Every table with sealed columns, by name, and those columns."""
    for name in sorted(SQLModel.metadata.tables):
        table = SQLModel.metadata.tables[name]
        columns = [column for column in table.columns if column.info.get("sealed")]
        if columns:
            yield table, columns


async def left(session: AsyncSession, vault: Vault) -> int:
    """How many rows hold something that is not under the first key."""
    total = 0
    for table, columns in sealed_tables():
        counted = select(func.count()).select_from(table).where(_old(columns, vault))
        total += (await session.execute(counted)).scalar_one()
    return total


async def reseal_batch(
    session: AsyncSession, vault: Vault, place: Place, *, size: int = BATCH
) -> Batch:
    """Reseal up to ``size`` rows after ``place`` in this transaction, which is the system's."""
    for table, columns in sealed_tables():
        if table.name < place.table:
            continue
        keys = list(table.primary_key.columns)
        wanted = select(*keys, *columns).where(_old(columns, vault)).order_by(*keys).limit(size)
        if table.name == place.table and place.after is not None:
            wanted = wanted.where(tuple_(*keys) > tuple_(*place.after))
        found = (await session.execute(wanted.with_for_update(skip_locked=True))).all()
        if not found:
            continue
        unreadable = []
        for row in found:
            try:
                values = {
                    column: text if text is None else vault.reseal(text)
                    for column, text in zip(columns, row[len(keys) :], strict=True)
                }
            except Locked:
                unreadable.append(str(row[: len(keys)]))
                continue
            this = and_(*(key == at for key, at in zip(keys, row, strict=False)))
            await session.execute(update(table).where(this).values(values))
        if unreadable:
            logger.error("vault.unreadable", table=table.name, rows=unreadable)
        place = Place(table.name, tuple(found[-1][: len(keys)]))
        return Batch(len(found) - len(unreadable), len(unreadable), place)
    return Batch(0, 0, None)


def _old(columns: list[Column[Any]], vault: Vault) -> Any:
    """The condition that any of ``columns`` lies under another key than the first."""
    return or_(*(~column.startswith(vault.prefix, autoescape=True) for column in columns))
