"""Forgetting lines and events that are older than their client keeps them; sums stay."""

from datetime import UTC, datetime, time, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select

from sync2gear_platform.kit import setbacks
from sync2gear_platform.kit.clock import Clock, frames_of
from sync2gear_platform.kit.context import touch
from sync2gear_platform.kit.db import Database
from sync2gear_platform.kit.setbacks import Subject
from sync2gear_platform.proof.tables import ProofAccount

LABEL: Final = "proof"
CHUNK: Final = 10_000
"""Rows of one transaction: others wait for none of them."""

_OLD: Final = {
    "proof_lines": "day < :day",
    "play_events": "received_at < :moment",
    "play_gaps": "to_frame < :frame",
    "proof_reasons": "seen_on < :day",
}


async def purge(db: Database, clock: Clock) -> int:
    """Forget what is old, client by client; how many rows that were."""
    async with db.system() as session:
        known = (await session.exec(select(ProofAccount.client_id, ProofAccount.keep_days))).all()
    kept = dict(known)

    async def purge_one(one: Subject) -> int:
        return await _purge(db, clock, one.id, kept[one.id])

    clients = [Subject(client, client) for client in sorted(kept)]
    return await setbacks.each(db, clock, "proof.retention", clients, purge_one)


async def _purge(db: Database, clock: Clock, client: UUID, days: int) -> int:
    day = clock.now().date() - timedelta(days=days)
    moment = datetime.combine(day, time(), UTC)
    async with touch(db, client, clock.now(), LABEL) as ctx:
        mine = select(ProofAccount).where(col(ProofAccount.client_id) == client)
        account = (await ctx.db.exec(mine.with_for_update())).one_or_none()
        if account is None:
            return 0
        account.purged_before = max(day, account.purged_before or day)
        ctx.db.add(account)
    asked = {
        "client": client, "day": day, "moment": moment, "frame": frames_of(moment), "most": CHUNK,
    }  # fmt: skip
    gone = 0
    for table, old in _OLD.items():
        some = f"SELECT ctid FROM {table} WHERE client_id = :client AND {old} LIMIT :most"  # noqa: S608 - names of ours
        statement = text(f"DELETE FROM {table} WHERE ctid = ANY (ARRAY({some}))")  # noqa: S608 - likewise
        taken = CHUNK
        while taken == CHUNK:
            async with db.system() as session:
                done = await session.execute(statement, asked)
            taken = int(getattr(done, "rowcount", 0))
            gone += taken
    return gone
