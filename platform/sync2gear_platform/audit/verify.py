"""Verification: every link of a chain hashed anew, here and in batches, and held to the anchors.

Nothing of it asks the trigger that sealed. Each batch is a transaction of its own: a chain only
grows, so that what was followed once stays followed, and no transaction stays open for long.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, any_, func, literal, true, tuple_
from sqlalchemy import select as sql_select
from sqlmodel import col, select

from sync2gear_platform.audit import anchors, rules
from sync2gear_platform.audit.anchors import Altered, Anchor
from sync2gear_platform.audit.rules import Details, Facts, Fault, Place, Sealed
from sync2gear_platform.audit.tables import AuditDetails, AuditEntry, AuditHead, AuditSeal
from sync2gear_platform.kit.db import AsyncSession

BATCH: Final = 500
_WIDE_BATCH: Final = 5_000

Door = Callable[[], AbstractAsyncContextManager[AsyncSession]]
"""Opens one transaction: as the client whose chain it is, or as the system."""

_FACTS: Final = tuple(Facts.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Anchored:
    """What the anchors' file remembers: how many lines were compared, the last of the chain."""

    compared: int
    seq: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a chain was followed; ``done`` with its end or with the first fault.

    ``anchored`` is known at the end only, and ``None`` where there is no file of anchors.
    """

    chain: UUID
    place: Place
    head: int
    done: bool = False
    fault: Fault | None = None
    anchored: Anchored | None = None


async def verify(
    door: Door, chain: UUID, *, anchors_file: Path | None, start: Place | None = None
) -> AsyncGenerator[Progress, None]:
    """Follow ``chain`` from ``start`` to its end, telling after each batch how far it is.

    The last progress is ``done``: the chain holds, or its ``fault`` is the first one. A fault of
    the chain itself comes before what only an anchor tells.
    """
    place = start or Place()
    while True:
        async with door() as session:
            batch = await links(session, chain, place.seq, BATCH)
            head = await _head(session, chain)
            place, fault = await _judge(session, chain, place, batch)
            if fault is None and len(batch) < BATCH:
                fault, place, ended = await _end(session, chain, place)
            else:
                ended = False
        if fault is not None:
            yield Progress(chain, place, max(head, place.seq), done=True, fault=fault)
            return
        if ended:
            break
        yield Progress(chain, place, max(head, place.seq))
    fault = await _strays(door, chain)
    anchored = None
    if fault is None and anchors_file is not None:
        anchored, fault = await compare(door, anchors_file, chain)
    yield Progress(chain, place, place.seq, done=True, fault=fault, anchored=anchored)


async def chains(session: AsyncSession) -> list[UUID]:
    """Every chain that there is, by its head or its first link or an entry of its client."""
    heads = set(await session.exec(select(AuditHead.chain)))
    sealed = set(await session.exec(select(AuditSeal.chain).distinct()))
    written = set(await session.exec(select(AuditEntry.client_id).distinct()))
    return sorted(heads | sealed | {client or rules.INSTALLATION for client in written})


async def links(session: AsyncSession, chain: UUID, after: int, limit: int) -> list[Sealed]:
    """The next links of ``chain`` after number ``after``.

    Three reads by key and no join: the planner knows nothing yet of a table that grows quickly, and
    a wrong join costs the square of its length.
    """
    found = await session.exec(
        select(AuditSeal.seq, AuditSeal.entry_id, AuditSeal.hash)
        .where(col(AuditSeal.chain) == chain, col(AuditSeal.seq) > after)
        .order_by(col(AuditSeal.seq))
        .limit(limit)
    )
    seals = found.all()
    ids = [entry_id for _, entry_id, _ in seals]
    facts = {
        row[0]: Facts(*row)
        for row in await session.execute(
            sql_select(*(getattr(AuditEntry, name) for name in _FACTS)).where(
                _any(AuditEntry.id, ids)
            )
        )
    }
    details = {
        entry_id: Details(*rest)
        for entry_id, *rest in await session.exec(
            select(
                AuditDetails.entry_id, AuditDetails.client_id, AuditDetails.salt, AuditDetails.body
            ).where(_any(AuditDetails.entry_id, ids))
        )
    }
    return [
        Sealed(seq, entry_id, link, facts.get(entry_id), details.get(entry_id))
        for seq, entry_id, link in seals
    ]


def _any(column: Any, ids: list[UUID]) -> ColumnElement[bool]:
    """``column`` is one of ``ids``, as one parameter however many there are."""
    return col(column) == any_(literal(ids, ARRAY(Uuid)))


async def _judge(
    session: AsyncSession, chain: UUID, place: Place, batch: list[Sealed]
) -> tuple[Place, Fault | None]:
    erased = await _erased(session, chain, [b for b in batch if b.facts and not b.details])
    for found in batch:
        fault = rules.judge(chain, place, found)
        if fault is None and found.details is None and found.seq not in erased:
            fault = Fault("details_missing", chain, found.seq, found.entry_id)
        if fault is not None:
            return place, fault
        place = Place(found.seq, found.hash)
    return place, None


async def _erased(session: AsyncSession, chain: UUID, bare: list[Sealed]) -> set[int]:
    """Which of these links without details an erasure later in the chain explains."""
    covered = {b.seq: rules.covered_by(b.facts) for b in bare if b.facts}
    if not covered:
        return set()
    statement = (
        select(AuditEntry.subject_id, func.max(AuditSeal.seq))
        .join(AuditSeal, col(AuditSeal.entry_id) == col(AuditEntry.id))
        .where(
            col(AuditEntry.action) == rules.ERASE,
            col(AuditSeal.chain) == chain,
            col(AuditEntry.subject_id).in_({one for ids in covered.values() for one in ids}),
        )
        .group_by(col(AuditEntry.subject_id))
    )
    latest: dict[UUID | None, int] = dict((await session.exec(statement)).all())
    return {seq for seq, ids in covered.items() if any(latest.get(i, 0) > seq for i in ids)}


async def _head(session: AsyncSession, chain: UUID) -> int:
    head = await session.get(AuditHead, chain)
    return head.seq if head else 0


async def _end(
    session: AsyncSession, chain: UUID, place: Place
) -> tuple[Fault | None, Place, bool]:
    """Whether ``place`` is the end: the last link and the head agree, seen in one snapshot."""
    last = (
        select(AuditSeal.seq, AuditSeal.hash)
        .where(col(AuditSeal.chain) == chain)
        .order_by(col(AuditSeal.seq).desc())
        .limit(1)
        .subquery()
    )
    head = select(AuditHead.seq, AuditHead.hash).where(col(AuditHead.chain) == chain).subquery()
    one = select(literal(1).label("one")).subquery()
    # one statement, because a writer may commit between two
    both = select(
        func.coalesce(last.c.seq, 0),
        func.coalesce(last.c.hash, rules.GENESIS),
        func.coalesce(head.c.seq, 0),
        func.coalesce(head.c.hash, rules.GENESIS),
    ).select_from(one.outerjoin(last, true()).outerjoin(head, true()))
    seq, link, head_seq, head_hash = (await session.execute(both)).one()
    if (seq, link) != (head_seq, head_hash):
        return Fault("head", chain, max(head_seq, seq)), place, True
    if (seq, link) == (place.seq, place.hash):
        return None, place, True
    if seq > place.seq:
        return None, place, False  # it has grown meanwhile
    return Fault("head", chain, place.seq), place, True


async def _strays(door: Door, chain: UUID) -> Fault | None:
    """An entry that no link of this chain names, or details of no entry of it."""

    def here(column: Any) -> ColumnElement[bool]:
        return col(column).is_(None) if chain == rules.INSTALLATION else col(column) == chain

    async def missing(
        own: Any, mine: ColumnElement[bool], partner: Any, theirs: ColumnElement[bool]
    ) -> UUID | None:
        """The first of ``own`` keys that ``partner`` lacks."""
        after: UUID | None = None
        while True:
            page = select(own).where(mine).order_by(col(own)).limit(_WIDE_BATCH)
            async with door() as session:
                ids = list(
                    await session.exec(page if after is None else page.where(col(own) > after))
                )
                known = set(await session.exec(select(partner).where(theirs, _any(partner, ids))))
            for one in ids:
                if one not in known:
                    return cast("UUID", one)
            if len(ids) < _WIDE_BATCH:
                return None
            after = ids[-1]

    entry = await missing(
        AuditEntry.id, here(AuditEntry.client_id),
        AuditSeal.entry_id, col(AuditSeal.chain) == chain,
    )  # fmt: skip
    if entry is not None:
        return Fault("unsealed", chain, None, entry)
    details = await missing(
        AuditDetails.entry_id, here(AuditDetails.client_id),
        AuditEntry.id, here(AuditEntry.client_id),
    )  # fmt: skip
    return Fault("details_foreign", chain, None, details) if details is not None else None


async def compare(
    door: Door, path: Path, chain: UUID | None
) -> tuple[Anchored | None, Fault | None]:
    """Hold every anchor of ``chain`` (or of all chains) to the link that it remembers."""
    lines = await asyncio.to_thread(_open, path)
    if lines is None:
        return None, None
    compared, last = 0, dict[UUID, int]()
    while batch := await asyncio.to_thread(list, islice(lines, _WIDE_BATCH)):
        mine = []
        for found in batch:
            if isinstance(found, Altered):
                return None, Fault("anchors_altered", chain or rules.INSTALLATION, line=found.line)
            if chain is not None and found.chain != chain:
                continue
            if found.seq < last.get(found.chain, 0):
                return None, Fault("anchors_rewound", found.chain, found.seq, line=found.line)
            last[found.chain] = found.seq
            mine.append(found)
        for start in range(0, len(mine), BATCH):
            async with door() as session:
                fault = await _hold(session, mine[start : start + BATCH])
            if fault is not None:
                return None, fault
        compared += len(mine)
    return Anchored(compared, max(last.values(), default=0)), None


def _open(path: Path) -> Iterator[Anchor | Altered] | None:
    return anchors.read(path) if path.is_file() else None


async def _hold(session: AsyncSession, batch: list[Anchor]) -> Fault | None:
    keys = {(a.chain, a.seq) for a in batch}
    statement = select(AuditSeal.chain, AuditSeal.seq, AuditSeal.hash).where(
        tuple_(col(AuditSeal.chain), col(AuditSeal.seq)).in_(keys)
    )
    hashes = {(c, s): h for c, s, h in (await session.exec(statement)).all()}
    gone: set[UUID] | None = None
    for anchor in batch:
        found = hashes.get((anchor.chain, anchor.seq))
        if found == anchor.hash:
            continue
        if found is not None:
            return Fault("rewritten", anchor.chain, anchor.seq, line=anchor.line)
        if gone is None:
            gone = await removed(session, {a.chain for a in batch})
        if anchor.chain in gone:
            continue
        alive = await session.get(AuditHead, anchor.chain)
        kind: rules.Kind = "truncated" if alive else "chain_missing"
        return Fault(kind, anchor.chain, anchor.seq, line=anchor.line)
    return None


async def removed(session: AsyncSession, wanted: set[UUID]) -> set[UUID]:
    """Which of these chains the installation's chain says were removed."""
    statement = select(AuditEntry.subject_id).where(
        col(AuditEntry.client_id).is_(None),
        col(AuditEntry.action) == rules.REMOVE,
        col(AuditEntry.subject_id).in_(wanted),
    )
    return {one for one in await session.exec(statement) if one is not None}


async def verify_all(door: Door, *, anchors_file: Path | None) -> AsyncGenerator[Progress, None]:
    """Every chain of the installation, and at last the anchors of all of them at once."""
    async with door() as session:
        found = await chains(session)
    for chain in found:
        async for progress in verify(door, chain, anchors_file=None):
            yield progress
    if anchors_file is not None:
        anchored, fault = await compare(door, anchors_file, None)
        yield Progress(
            fault.chain if fault else rules.INSTALLATION,
            Place(),
            0,
            done=True,
            fault=fault,
            anchored=anchored,
        )


def doors(db: Any, client_id: UUID | None) -> Door:
    """The door through which a client, or nobody but the system, reads its chain."""
    return db.system if client_id is None else partial(db.tenant, client_id)
