"""Reads of the audit trail for screens and for taking away."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import tuple_
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from sync2gear_platform.audit import rules
from sync2gear_platform.audit.schemas import ActorOut, EntryOut, Format
from sync2gear_platform.audit.tables import AuditDetails, AuditEntry, AuditSeal
from sync2gear_platform.audit.verify import Door
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.paging import Page, Window, page
from sync2gear_platform.kit.sheets import sheet

BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Filters:
    """What a caller wants to see; ``chain`` is ``None`` for all that the door shows."""

    chain: UUID | None = None
    actor_id: UUID | None = None
    action: str = ""
    activity: str | None = None
    operation: str | None = None
    subject_type: str | None = None
    subject_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    search: str = ""

    def apply(self, statement: Any) -> Any:
        """``statement`` over AuditEntry, narrowed. ``action`` is a prefix, ``until`` excluded."""
        if self.chain == rules.INSTALLATION:
            statement = statement.where(col(AuditEntry.client_id).is_(None))
        elif self.chain is not None:
            statement = statement.where(col(AuditEntry.client_id) == self.chain)
        if self.action:
            statement = statement.where(
                col(AuditEntry.action).startswith(self.action, autoescape=True)
            )
        for name in ("actor_id", "activity", "operation", "subject_type", "subject_id"):
            if (value := getattr(self, name)) is not None:
                statement = statement.where(col(getattr(AuditEntry, name)) == value)
        if self.since is not None:
            statement = statement.where(col(AuditEntry.at) >= self.since)
        if self.until is not None:
            statement = statement.where(col(AuditEntry.at) < self.until)
        return statement


async def entries(ctx: Ctx, window: Window, filters: Filters) -> Page[EntryOut]:
    """Entries, the newest first."""
    statement = (
        select(AuditEntry, AuditDetails, AuditSeal)
        .join(AuditSeal, col(AuditSeal.entry_id) == col(AuditEntry.id))
        .outerjoin(AuditDetails, col(AuditDetails.entry_id) == col(AuditEntry.id))
    )
    return await page(
        ctx,
        window,
        filters.apply(statement),
        keys={"at": col(AuditEntry.at)},
        default="-at",
        tiebreak=col(AuditEntry.id),
        search=(AuditEntry.action, AuditDetails.body),
        shape=lambda row: _shown(*row),
    )


def _shown(entry: AuditEntry, details: AuditDetails | None, seal: AuditSeal) -> EntryOut:
    body = json.loads(details.body) if details else {}
    return EntryOut(
        seq=seal.seq,
        hash=seal.hash,
        actor=ActorOut(
            kind=entry.actor_kind,
            id=entry.actor_id,
            label=body.get("label", ""),
            session_id=entry.session_id,
        ),
        address=body.get("address", ""),
        agent=body.get("agent", ""),
        before=body.get("before"),
        after=body.get("after"),
        erased=details is None,
        **entry.model_dump(
            include={"id", "client_id", "at", "action", "activity", "operation", "subject_type",
                     "subject_id", "trace"}
        ),
    )  # fmt: skip


async def export(door: Door, filters: Filters, form: Format) -> AsyncIterator[bytes]:
    """The entries in the order of their chains, as one document in pieces.

    Each batch is a transaction of its own, so that a slow reader holds none open.
    """
    after: tuple[UUID, int] | None = None
    if form == "csv":
        yield sheet([COLUMNS])
    while True:
        async with door() as session:
            rows = list((await session.execute(_batch(filters, after))).all())
        if rows:
            write = _csv_rows if form == "csv" else _lines
            yield write(rows)
            after = rows[-1][2].chain, rows[-1][2].seq
        if len(rows) < BATCH:
            return


def _batch(filters: Filters, after: tuple[UUID, int] | None) -> Any:
    before = aliased(AuditSeal)
    place = (col(AuditSeal.chain), col(AuditSeal.seq))
    statement = (
        select(AuditEntry, AuditDetails, AuditSeal, before.hash)
        .join(AuditSeal, col(AuditSeal.entry_id) == col(AuditEntry.id))
        .outerjoin(
            before,
            (col(before.chain) == col(AuditSeal.chain))
            & (col(before.seq) == col(AuditSeal.seq) - 1),
        )
        .outerjoin(AuditDetails, col(AuditDetails.entry_id) == col(AuditEntry.id))
        .order_by(*place)
        .limit(BATCH)
    )
    if filters.chain is not None:
        statement = statement.where(col(AuditSeal.chain) == filters.chain)
    if filters.search:
        found = col(AuditEntry.action).icontains(filters.search, autoescape=True) | col(
            AuditDetails.body
        ).icontains(filters.search, autoescape=True)
        statement = statement.where(found)
    if after is not None:
        statement = statement.where(tuple_(*place) > after)
    return filters.apply(statement)


def _lines(rows: list[Any]) -> bytes:
    """JSON lines: all that a stranger needs to hash each entry anew."""
    return b"".join(
        json.dumps(
            {
                "chain": str(seal.chain),
                "seq": seal.seq,
                "previous": previous or rules.GENESIS,
                "hash": seal.hash,
                "canonical": rules.canonical(entry.facts),
                "salt": details.salt if details else None,
                "body": details.body if details else None,
            },
            ensure_ascii=False,
        ).encode()
        + b"\n"
        for entry, details, seal, previous in rows
    )


COLUMNS: Final = (
    "client_id", "seq", "at", "actor_kind", "actor_id", "actor", "address", "agent", "session_id",
    "action", "activity", "operation", "subject_type", "subject_id", "before", "after", "trace",
    "id", "hash",
)  # fmt: skip


def _csv_rows(rows: list[Any]) -> bytes:
    table = []
    for entry, details, seal, _ in rows:
        shown = _shown(entry, details, seal)
        values = {
            **shown.model_dump(mode="json"),
            **{f"actor_{name}": value for name, value in shown.actor.model_dump().items()},
            "actor": shown.actor.label,
            "session_id": shown.actor.session_id,
        }
        for name in ("before", "after"):
            value = values[name]
            values[name] = "" if value is None else json.dumps(value, ensure_ascii=False)
        table.append([values[name] for name in COLUMNS])
    return sheet(table)
