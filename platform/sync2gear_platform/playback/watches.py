"""Plays that are watched: their receipt trees, told at once, after each change and when they are
over.

One task tells everything, so that of two trees the later one is told last.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy.exc import DBAPIError, InterfaceError

from sync2gear_platform.kit import log
from sync2gear_platform.kit.context import Actor, Ctx, Places
from sync2gear_platform.kit.db import Database
from sync2gear_platform.kit.errors import NotFound
from sync2gear_platform.kit.web import Edge
from sync2gear_platform.playback import plays
from sync2gear_platform.playback.play_schemas import PlayTree
from sync2gear_platform.playback.seats import Seat

logger = log.get(__name__)

MAX_WATCHES: Final = 16
"""Plays that one connection may watch at a time."""

EVERY_SECONDS: Final = 0.25
"""Changes of a play within such a time are told as one."""

RETRY_SECONDS: Final = 1.0
_MARGIN: Final = timedelta(milliseconds=1)
"""An instant is rounded to frames, and the last tree must be read behind the last of them."""

_LONGEST_SECONDS: Final = 60.0

Key = tuple[UUID, UUID]
"""``(client, play)``."""


class Watches:
    """Who watches which play in this process. Times are those of the event loop, in seconds."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._edge: Edge | None = None
        self._seats: dict[Key, set[Seat]] = {}
        self._fresh: list[tuple[Key, Seat]] = []
        self._dirty: set[Key] = set()
        self._told: dict[Key, float] = {}
        self._overs: dict[Key, datetime] = {}
        self._woken = asyncio.Event()

    def watch(self, seat: Seat, edge: Edge, play_id: UUID) -> None:
        """``seat`` is told of this play now and from now on; asked again, it is told again."""
        self._edge = edge
        if play_id not in seat.plays and len(seat.plays) >= MAX_WATCHES:
            detail = f"A connection watches {MAX_WATCHES} plays at most."
            seat.offer(unwatched(play_id, "too_many_watches", detail))
            return
        key = seat.client_id, play_id
        seat.plays.add(play_id)
        self._seats.setdefault(key, set()).add(seat)
        if (key, seat) not in self._fresh:
            self._fresh.append((key, seat))
        self._woken.set()

    def unwatch(self, seat: Seat, play_id: UUID) -> None:
        """``seat`` is told of this play no more, and that it is so."""
        self._drop((seat.client_id, play_id), [seat])
        seat.offer(unwatched(play_id))

    def leave(self, seat: Seat) -> None:
        """``seat`` is told of no play any more."""
        for play_id in tuple(seat.plays):
            self._drop((seat.client_id, play_id), [seat])

    def heard(self, client_id: UUID, play_id: UUID) -> None:
        """More is known of this play."""
        if (client_id, play_id) in self._seats:
            self._dirty.add((client_id, play_id))
            self._woken.set()

    def refresh(self) -> None:
        """Signals may have been lost: tell everything again."""
        self._dirty.update(self._seats)
        self._woken.set()

    async def tell(self) -> None:
        """Tell what is due, for ever."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause()):
                    await self._woken.wait()
            self._woken.clear()
            try:
                await self._tell_due()
            except (DBAPIError, InterfaceError, OSError, TimeoutError) as error:
                logger.warning("watches.not_told", error=str(error)[:300])
                await asyncio.sleep(RETRY_SECONDS)

    def _pause(self) -> float:
        """Seconds until something may be due."""
        if self._fresh:
            return 0.0
        now = asyncio.get_running_loop().time()
        pauses = [self._told.get(key, now) + EVERY_SECONDS - now for key in self._dirty]
        if self._edge is not None and self._overs:
            pauses.append((min(self._overs.values()) - self._edge.clock.now()).total_seconds())
        # the clock of the day may be set meanwhile: look again now and then
        return max(0.0, min([*pauses, _LONGEST_SECONDS]))

    async def _tell_due(self) -> None:
        if self._edge is None:
            return
        fresh: dict[Key, set[Seat]] = {}
        for key, seat in self._fresh:
            fresh.setdefault(key, set()).add(seat)
        for key, seats in fresh.items():
            await self._tell(self._edge, key, seats & self._seats.get(key, set()))
            self._fresh = [one for one in self._fresh if one[0] != key or one[1] not in seats]
        now = asyncio.get_running_loop().time()
        moment = self._edge.clock.now()
        changed = {k for k in self._dirty if self._told.get(k, 0.0) + EVERY_SECONDS <= now}
        for key in changed | {k for k, over in self._overs.items() if over <= moment}:
            self._dirty.discard(key)
            self._overs.pop(key, None)  # who sees more zones than others has a later one
            self._told[key] = now
            try:
                await self._tell(self._edge, key, set(self._seats.get(key, ())))
            except (DBAPIError, InterfaceError, OSError, TimeoutError):
                self._dirty.add(key)
                raise

    async def _tell(self, edge: Edge, key: Key, seats: set[Seat]) -> None:
        """Read the play once for each reach (nearly always one) and offer it to ``seats``."""
        for reach in {seat.reach for seat in seats}:
            mine = [seat for seat in seats if seat.reach == reach]
            try:
                tree, over = await self._read(edge, key, reach)
            except NotFound as missing:
                self._drop(key, mine)
                for seat in mine:
                    seat.offer(unwatched(key[1], missing.code, missing.detail))
                continue
            mine = [seat for seat in mine if key[1] in seat.plays]  # who left while we read
            for seat in mine:
                seat.offer(told(tree, over=over))
            if over:
                self._drop(key, mine)
            elif key in self._seats:
                ends = tree.over_at + _MARGIN
                self._overs[key] = min(ends, self._overs.get(key, ends))

    async def _read(self, edge: Edge, key: Key, reach: Places | None) -> tuple[PlayTree, bool]:
        client_id, play_id = key
        actor = Actor(kind="system", id=None, client_id=client_id, label="live view")
        async with self._db.tenant(client_id, reach) as session:
            ctx = Ctx(db=session, actor=actor, now=edge.clock.now(), trace="")
            tree = await plays.tree(ctx, play_id)
            return tree, ctx.now >= tree.over_at + _MARGIN

    def _drop(self, key: Key, seats: Iterable[Seat]) -> None:
        left = self._seats.get(key, set())
        for seat in seats:
            seat.plays.discard(key[1])
            left.discard(seat)
        if not left:
            self._seats.pop(key, None)
            self._dirty.discard(key)
            self._told.pop(key, None)
            self._overs.pop(key, None)


def told(tree: PlayTree, *, over: bool) -> dict[str, Any]:
    """The message that holds a play; with ``over`` it is the last one of it."""
    return {"type": "play", "over": over, "play": tree.model_dump(mode="json")}


def unwatched(play_id: UUID, code: str = "", detail: str = "") -> dict[str, Any]:
    """The message that a play is not watched: as asked for (no ``code``), or why not."""
    return {"type": "unwatched", "play_id": str(play_id), "code": code, "detail": detail}
