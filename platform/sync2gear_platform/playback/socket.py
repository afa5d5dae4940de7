"""The live view: pushes what zones sound to browsers, whenever it changes, over WebSocket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, cast
from uuid import UUID

import psycopg
from fastapi import APIRouter, WebSocket
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlmodel import col, select
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocketDisconnect

from sync2gear_platform.kit import events, listen, log
from sync2gear_platform.kit.context import Actor, Ctx, Places
from sync2gear_platform.kit.db import Database
from sync2gear_platform.kit.errors import NotFound, Refusal
from sync2gear_platform.kit.web import NOBODY, Edge, checked_inside, edge_of, require, same_origin
from sync2gear_platform.playback import live_uploads, queries
from sync2gear_platform.playback.schemas import ClientMessage, ZoneView
from sync2gear_platform.playback.seats import Seat
from sync2gear_platform.playback.watches import Watches
from sync2gear_platform.settings import Settings
from sync2gear_platform.sites.tables import Device

logger = log.get(__name__)
router = APIRouter()

PERMISSION: Final = "playback.read"
AUTH_SECONDS: Final = 5.0
RECHECK_SECONDS: Final = 5.0
MAX_BYTES: Final = 8192
MAX_PER_SECOND: Final = 20
SEND_SECONDS: Final = 10.0
RETRY_SECONDS: Final = 1.0

NORMAL, TOO_BIG, TRY_LATER = 1000, 1009, 1013
BAD, ENDED, FORBIDDEN, SLOW_AUTH = 4400, 4401, 4403, 4408


class Closing(Exception):  # noqa: N818 - an answer, not an error
    """End this connection, saying why."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail


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


# Anybody may open the socket: who it is, the first message says (browsers can set no header).
@router.websocket("/ws/playback/", dependencies=[checked_inside(PERMISSION)])
async def watch_all(websocket: WebSocket) -> None:
    """All zones of the client."""
    await _serve(websocket, None)


@router.websocket("/ws/playback/{zone_id}/", dependencies=[checked_inside(PERMISSION)])
async def watch_one(websocket: WebSocket, zone_id: UUID) -> None:
    """One zone."""
    await _serve(websocket, zone_id)


async def _serve(websocket: WebSocket, zone_id: UUID | None) -> None:
    if not same_origin(websocket) and not _may_ask_across(websocket):
        await websocket.close(FORBIDDEN, "forbidden origin")
        return
    await websocket.accept()
    try:
        await _watch(websocket, zone_id)
    except Closing as why:
        with suppress(RuntimeError, WebSocketDisconnect):
            await websocket.send_json({"type": "error", "code": why.code, "detail": why.detail})
            await websocket.close(why.status, why.code)
    except WebSocketDisconnect:
        logger.debug("live.gone")
    except (DBAPIError, InterfaceError, OSError, TimeoutError) as error:
        logger.warning("live.failed", error=str(error)[:300])
        with suppress(RuntimeError, WebSocketDisconnect):
            await websocket.close(TRY_LATER, "try again")


async def _watch(websocket: WebSocket, zone_id: UUID | None) -> None:
    hub_ = cast("Hub", websocket.app.state.hub)
    try:
        async with asyncio.timeout(AUTH_SECONDS):
            first = await _receive(websocket)
    except TimeoutError:
        raise Closing(SLOW_AUTH, "auth_timeout", "Sign in within five seconds.") from None
    if first.type != "auth":
        raise Closing(ENDED, "unauthenticated", "Sign in first.")
    actor = await _recognise(websocket, first.token)
    if actor.client_id is None:
        raise Closing(FORBIDDEN, "forbidden", "Only members of a client may watch its zones.")
    seat = Seat(actor.client_id, zone_id, actor.reach(PERMISSION), live_uploads.seen_by(actor))
    hub_.join(seat, edge_of(websocket))
    try:
        seat.offer(await _snapshot(websocket, seat))
        async with asyncio.TaskGroup() as group:
            group.create_task(_send(websocket, seat))
            group.create_task(_answer(websocket, seat))
            group.create_task(_recheck(websocket, first.token, seat))
    except* (Closing, WebSocketDisconnect, DBAPIError, InterfaceError, OSError) as failures:
        raise _first(failures) from None
    finally:
        hub_.leave(seat)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    one: BaseException = group
    while isinstance(one, BaseExceptionGroup):
        one = one.exceptions[0]
    return one


async def _send(websocket: WebSocket, seat: Seat) -> None:
    while True:
        message = await seat.queue.get()
        if seat.overrun:
            raise Closing(TRY_LATER, "too_slow", "This connection is too slow: connect again.")
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await websocket.send_json(message)
        except TimeoutError:
            raise Closing(TRY_LATER, "too_slow", "This connection is too slow.") from None


async def _answer(websocket: WebSocket, seat: Seat) -> None:
    """Answer what the browser asks, so often at most."""
    loop = asyncio.get_running_loop()
    edge = edge_of(websocket)
    window, count = loop.time(), 0
    while True:
        message = await _receive(websocket)
        if loop.time() - window >= 1.0:
            window, count = loop.time(), 0
        count += 1
        if count > MAX_PER_SECOND:
            raise Closing(BAD, "too_many_messages", "That is too much at once.")
        if message.type == "ping":
            seat.offer({"type": "pong", "t": message.t, "frame": edge.clock.frames()})
        elif message.type in {"watch", "unwatch"}:
            _follow(websocket, seat, message)
        elif message.type == "more":
            wanted = message.zone_id or seat.zone_id
            if wanted is None or seat.zone_id not in {None, wanted}:
                raise Closing(BAD, "bad_message", "Name the zone.")
            for view in await _views(websocket, seat, wanted):
                seat.offer(changed(view))


def _follow(websocket: WebSocket, seat: Seat, message: ClientMessage) -> None:
    """Begin or end to watch a play."""
    if message.play_id is None:
        raise Closing(BAD, "bad_message", "Name the play.")
    watches = cast("Hub", websocket.app.state.hub).plays
    if message.type == "watch":
        watches.watch(seat, edge_of(websocket), message.play_id)
    else:
        watches.unwatch(seat, message.play_id)


async def _recheck(websocket: WebSocket, token: str, seat: Seat) -> None:
    """End the connection soon after its session has ended, or may see something else."""
    while True:
        await asyncio.sleep(RECHECK_SECONDS)
        try:
            actor = await _recognise(websocket, token)
            now = actor.client_id, actor.reach(PERMISSION), live_uploads.seen_by(actor)
            if now != (seat.client_id, seat.reach, seat.may):
                raise Closing(TRY_LATER, "rights_changed", "What you may see changed: come back.")
        except (DBAPIError, InterfaceError, OSError, TimeoutError) as error:
            logger.info("live.recheck_failed", error=str(error)[:300])


async def _receive(websocket: WebSocket) -> ClientMessage:
    message = await websocket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message["code"])
    text = message.get("text")
    if text is None:
        raise Closing(BAD, "bad_message", "This protocol speaks text, not bytes.")
    if len(text) > MAX_BYTES:
        raise Closing(TOO_BIG, "too_large", "That message is too large.")
    try:
        return ClientMessage.model_validate_json(text)
    except ValidationError as error:
        raise Closing(BAD, "bad_message", "That is no message of this protocol.") from error


async def _recognise(websocket: WebSocket, token: str) -> Actor:
    """Who the token speaks for, by the same rules as a request with it; without, the cookie."""
    headers = [(k, v) for k, v in websocket.scope["headers"] if k != b"authorization"]
    if not token and not same_origin(websocket):
        raise Closing(ENDED, "session_ended", "A page of another origin signs in by a token.")
    if token:
        headers.append((b"authorization", b"Bearer " + token.encode("utf-8", "replace")))
    connection = HTTPConnection({**websocket.scope, "headers": headers})
    edge = edge_of(websocket)
    try:
        async with edge.db.system() as session:
            ctx = Ctx(db=session, actor=NOBODY, now=edge.clock.now(), trace="")
            actor = await edge.authenticate(connection, ctx)
    except Refusal as refusal:
        raise Closing(ENDED, refusal.code, refusal.detail) from refusal
    try:
        require(actor, PERMISSION)
    except Refusal as refusal:
        raise Closing(FORBIDDEN, refusal.code, refusal.detail) from refusal
    return actor


async def _snapshot(websocket: WebSocket, seat: Seat) -> dict[str, Any]:
    found = await _views(websocket, seat, seat.zone_id)
    return snapshot(edge_of(websocket).clock.frames(), found)


async def _views(websocket: WebSocket, seat: Seat, zone_id: UUID | None) -> list[ZoneView]:
    edge = edge_of(websocket)
    actor = Actor(kind="system", id=None, client_id=seat.client_id, label="live view")
    async with edge.db.tenant(seat.client_id, seat.reach) as session:
        ctx = Ctx(db=session, actor=actor, now=edge.clock.now(), trace="")
        try:
            return await queries.views(ctx, None if zone_id is None else [zone_id], ctx.frame)
        except NotFound as missing:
            raise Closing(FORBIDDEN, missing.code, missing.detail) from missing


def _may_ask_across(websocket: WebSocket) -> bool:
    """Whether the operator lets pages of that origin ask (with a token, never by cookie)."""
    settings = cast("Settings", websocket.app.state.settings)
    return websocket.headers.get("origin") in settings.cors_origins
