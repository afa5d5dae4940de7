"""How often and when music was played, as the domain that hears of plays tells it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession


@dataclass(frozen=True, slots=True)
class Play:
    """One piece of audio that was played once by one client, however many speakers sounded."""

    client_id: UUID
    sha256: str
    at: datetime


_COUNT: Final = text(
    # Locked by id, as people who change many tracks lock them: nobody waits in a circle.
    "WITH told AS (SELECT * FROM unnest(cast(:clients AS uuid[]), cast(:digests AS text[]),"
    " cast(:times AS int[]), cast(:moments AS timestamptz[])) AS t(client_id, sha256, times, at)),"
    " locked AS (SELECT tracks.id, told.times, told.at FROM tracks"
    " JOIN told ON told.client_id = tracks.client_id AND told.sha256 = tracks.sha256"
    " ORDER BY tracks.id FOR UPDATE OF tracks)"
    " UPDATE tracks SET play_count = play_count + locked.times,"
    " last_played_at = greatest(last_played_at, locked.at)"
    " FROM locked WHERE tracks.id = locked.id"
)


async def count(db: AsyncSession, plays: Sequence[Play]) -> None:
    """Add ``plays``, each of which was never told before, to all tracks of their audio.

    In the transaction in which the plays are kept, so that each counts once. It is no change that
    somebody made: versions stay, and nothing is recorded or announced.
    """
    if not plays:
        return
    times = Counter((play.client_id, play.sha256) for play in plays)
    last = {key: max(p.at for p in plays if (p.client_id, p.sha256) == key) for key in times}
    await db.execute(
        _COUNT,
        {
            "clients": [client for client, _ in times],
            "digests": [digest for _, digest in times],
            "times": list(times.values()),
            "moments": [last[key] for key in times],
        },
    )
