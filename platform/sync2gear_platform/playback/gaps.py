"""What speakers told and nobody can know any more: written down, so that silence is not a miss."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from sync2gear_platform.kit.clock import frames_of
from sync2gear_platform.playback.tables import PlayGap, PlayLog

Key = tuple[UUID, UUID]


async def earlier(db: AsyncSession, logs: Mapping[Key, PlayLog]) -> dict[UUID, int]:
    """The latest frame of which devices told in another log, for those that begin one here.

    A speaker begins a new log when it has lost the old one, with whatever was not told of it.
    """
    fresh = {row.device_id for row in logs.values() if row.acked == 0}
    if not fresh:
        return {}
    told = (
        select(PlayLog.device_id, func.max(PlayLog.last_frame))
        .where(col(PlayLog.device_id).in_(fresh), col(PlayLog.last_frame).is_not(None))
        .group_by(col(PlayLog.device_id))
    )
    return {device: last for device, last in (await db.exec(told)).all() if last is not None}


class Lost:
    """The gaps of one transaction: begun where numbers are missing, ended by the next event."""

    def __init__(self, earlier: Mapping[UUID, int], now: datetime) -> None:
        self._earlier = earlier
        self._now = now
        self._open: dict[Key, dict[str, Any]] = {}
        self._found: list[dict[str, Any]] = []

    def begin(self, row: PlayLog, after: int) -> None:
        """The events after number ``after`` of a log are lost, up to the one that stands there."""
        gap = self._open.setdefault(
            (row.device_id, row.log),
            {
                "client_id": row.client_id,
                "device_id": row.device_id,
                "log": row.log,
                "after": after,
                "from_frame": row.last_frame or self._earlier.get(row.device_id, 0),
                "noticed_at": self._now,
            },
        )
        gap["until"] = row.acked + 1

    def end(self, row: PlayLog, at: int) -> None:
        """An event of the frame ``at`` is known: what was lost before it lies before it."""
        at = min(at, frames_of(self._now))  # a speaker's frames are its word: none is later
        if row.last_frame is None and row.device_id in self._earlier:
            self.begin(row, 0)
        gap = self._open.pop((row.device_id, row.log), None)
        if gap is not None:
            self._found.append({**gap, "to_frame": max(at, gap["from_frame"])})
        row.last_frame = max(at, row.last_frame or 0)

    async def keep(self, db: AsyncSession) -> None:
        """Write them down; those after which nothing is known yet reach until now."""
        now = frames_of(self._now)
        found = [*self._found, *({**gap, "to_frame": now} for gap in self._open.values())]
        if found:
            await db.execute(insert(PlayGap).on_conflict_do_nothing(), found)
