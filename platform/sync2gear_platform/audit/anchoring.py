"""The leader's duty: remember new heads of all chains in the anchors' file and in the log."""

import asyncio
from pathlib import Path
from uuid import UUID

from sqlmodel import col, select

from sync2gear_platform.audit.anchors import AnchorFile
from sync2gear_platform.audit.rules import REMOVE, Place
from sync2gear_platform.audit.tables import AuditEntry, AuditHead, AuditSeal
from sync2gear_platform.kit import log
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.kit.db import AsyncSession, Database

logger = log.get(__name__)


class Anchoring:
    """One term of it. ``tick`` is called every few seconds and writes nothing while all rests."""

    def __init__(self, db: Database, clock: Clock, path: Path) -> None:
        self._db = db
        self._clock = clock
        self._file = AnchorFile(path)
        self._missed: set[UUID] = set()

    async def tick(self) -> int:
        """Anchor each head that moved; returns how many. ``OSError`` where it cannot be written."""
        await asyncio.to_thread(self._file.open)
        async with self._db.system() as session:
            heads = {h.chain: Place(h.seq, h.hash) for h in await session.exec(select(AuditHead))}
            moved = {
                c: p for c, p in sorted(heads.items()) if p.seq and self._file.last.get(c) != p
            }
            await self._compare(session, heads, moved)
        if moved:
            at = self._clock.now()
            await asyncio.to_thread(self._file.append, moved.items(), at)
        for chain, place in moved.items():
            logger.info("audit.anchor", chain=str(chain), seq=place.seq, hash=place.hash)
        return len(moved)

    def close(self) -> None:
        """Let the next leader write."""
        self._file.close()

    async def _compare(
        self, session: AsyncSession, heads: dict[UUID, Place], moved: dict[UUID, Place]
    ) -> None:
        """Say at once when a chain does not go on from what was anchored of it last."""
        for chain in moved:
            last = self._file.last.get(chain)
            if last is None:
                continue
            seal = await session.get(AuditSeal, (chain, last.seq))
            if seal is None or seal.hash != last.hash:
                logger.error("audit.broken", chain=str(chain), seq=last.seq, hash=last.hash)
        for chain in self._file.last.keys() - heads.keys() - self._missed:
            self._missed.add(chain)
            removal = select(AuditEntry.id).where(
                col(AuditEntry.client_id).is_(None),
                col(AuditEntry.action) == REMOVE,
                col(AuditEntry.subject_id) == chain,
            )
            if (await session.exec(removal)).first() is None:
                logger.error("audit.broken", chain=str(chain), seq=0, hash="")
