"""Who watches live in this process: told of what changes, each zone read once for all of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID

import psycopg
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlmodel import col, select

from sync2gear_platform.kit import events, listen, log
from sync2gear_platform.kit.context import Actor, Ctx, Places
from sync2gear_platform.kit.db import Database
from sync2gear_platform.kit.web import Edge
from sync2gear_platform.playback import live_uploads, queries
from sync2gear_platform.playback.schemas import ZoneView
from sync2gear_platform.playback.seats import Seat
from sync2gear_platform.playback.watches import Watches
from sync2gear_platform.sites.tables import Device

logger = log.get(__name__)

RETRY_SECONDS: Final = 1.0


class Hub:
    """Who watches in this process, and what they must be told. One connection listens for all."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.plays = Watches(db)
        self._seats: dict[UUID, set[Seat]] = {}
        self._dirty: dict[tuple[UUID, str, UUID], None] = {}
        self._woken = asyncio.Event()
        self._edge: Edge | None = None

    def join(self, seat: Seat, edge: Edge) -> None:
        """``seat`` is told of changes from now on."""
        self._edge = edge
        self._seats.setdefault(seat.client_id, set()).add(seat)

    def leave(self, seat: Seat) -> None:
        """``seat`` is told nothing more."""
        self.plays.leave(seat)
        seats = self._seats.get(seat.client_id, set())
        seats.discard(seat)
        if not seats:
            self._seats.pop(seat.client_id, None)

    async def listen(self) -> None:
        """Hear what changes, for ever; after a break everybody gets everything afresh."""
        while True:
            try:
                async with await listen.connect(self._db.url) as connection:
                    await listen.listen(connection, events.CHANNEL)
                    self._refresh_all()
                    async for _, payload in listen.signals(connection):
                        self._heard(payload)
            except (psycopg.OperationalError, OSError) as error:
                logger.warning("hub.deaf", error=str(error).strip()[:300])
            await asyncio.sleep(RETRY_SECONDS)

    def _heard(self, payload: str) -> None:
        try:
            client, noun, subject = payload.split(" ")
            key = UUID(client), noun, UUID(subject)
        except ValueError:
            logger.warning("hub.unreadable", payload=payload[:200])
            return
        if noun == "play":
            self.plays.heard(key[0], key[2])
        elif noun in {"zone", "device", "upload", live_uploads.SPOKEN} and key[0] in self._seats:
            self._dirty[key] = None
            self._woken.set()

    def _refresh_all(self) -> None:
        self.plays.refresh()
        for client_id, seats in self._seats.items():
            if seats:
                self._dirty[client_id, "client", client_id] = None
        self._woken.set()

    async def tell(self) -> None:
        """Build each changed zone once and offer it to all who watch it, for ever."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            dirty, self._dirty = self._dirty, {}
            for client_id in {client for client, _, _ in dirty}:
                subjects = {(noun, s) for c, noun, s in dirty if c == client_id}
                try:
                    await self._tell_client(client_id, subjects)
                except (DBAPIError, InterfaceError, OSError, TimeoutError) as error:
                    logger.warning("hub.not_told", error=str(error)[:300])
                    self._dirty |= {(client_id, noun, s): None for noun, s in subjects}
                    self._woken.set()
                    await asyncio.sleep(RETRY_SECONDS)

    async def _tell_client(self, client_id: UUID, subjects: set[tuple[str, UUID]]) -> None:
        if self._edge is None or client_id not in self._seats:
            return
        seats = list(self._seats.get(client_id, ()))
        uploads = {s for noun, s in subjects if noun == "upload"}
        if uploads:
            found = await live_uploads.found(self._db, self._edge, client_id, uploads)
            for seat in seats:
                if seat.zone_id is None and (told := live_uploads.message(found, seat.may)):
                    seat.offer(told)
            subjects = {one for one in subjects if one[0] != "upload"}
        if spoken := {s for noun, s in subjects if noun == live_uploads.SPOKEN}:
            for seat in seats:
                if seat.zone_id is None and (told := live_uploads.changed(spoken, seat.may)):
                    seat.offer(told)
            subjects = {one for one in subjects if one[0] != live_uploads.SPOKEN}
        if not subjects:
            return
        for reach in {seat.reach for seat in seats}:  # nearly always one: the whole client
            mine = [seat for seat in seats if seat.reach == reach]
            await self._tell_seats(self._edge, client_id, subjects, reach, mine)

    async def _tell_seats(
        self,
        edge: Edge,
        client_id: UUID,
        subjects: set[tuple[str, UUID]],
        reach: Places | None,
        seats: list[Seat],
    ) -> None:
        everything = any(noun == "client" for noun, _ in subjects)
        async with self._db.tenant(client_id, reach) as session:
            actor = Actor(kind="system", id=None, client_id=client_id, label="live view")
            ctx = Ctx(db=session, actor=actor, now=edge.clock.now(), trace="")
            zones = None if everything else await _zones_of(ctx, subjects)
            found = await queries.existing_views(ctx, zones, ctx.frame)
            if zones is not None and len(found) < len(zones):  # one was removed, or is out of reach
                everything, found = True, await queries.existing_views(ctx, None, ctx.frame)
        for seat in seats:
            seen = [v for v in found if seat.zone_id in {None, v.zone_id}]
            if everything:
                seat.offer(snapshot(ctx.frame, seen))
            else:
                for view in seen:
                    seat.offer(changed(view))


async def _zones_of(ctx: Ctx, subjects: set[tuple[str, UUID]]) -> list[UUID]:
    """The zones among ``subjects``, and those of the devices among them."""
    devices = [s for noun, s in subjects if noun == "device"]
    zones = {s for noun, s in subjects if noun == "zone"}
    if devices:
        statement = select(Device.zone_id).where(
            col(Device.client_id) == ctx.client_id, col(Device.id).in_(devices)
        )
        zones |= {z for z in (await ctx.db.exec(statement)).all() if z is not None}
    return sorted(zones)


@asynccontextmanager
async def hub(db: Database) -> AsyncIterator[Hub]:
    """A hub that listens until the end."""
    made = Hub(db)
    async with asyncio.TaskGroup() as group:
        telling = made.listen(), made.tell(), made.plays.tell()
        tasks = [group.create_task(one) for one in telling]
        try:
            yield made
        finally:
            for task in tasks:
                task.cancel()


def snapshot(frame: int, found: list[ZoneView]) -> dict[str, Any]:
    """The message that holds every zone that a browser watches."""
    zones = [view.model_dump(mode="json") for view in found]
    return {"type": "snapshot", "frame": frame, "zones": zones}


def changed(view: ZoneView) -> dict[str, Any]:
    """The message that holds one zone."""
    return {"type": "zone", "frame": view.frame, "zone": view.model_dump(mode="json")}
