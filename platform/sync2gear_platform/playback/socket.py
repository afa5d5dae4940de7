"""The live view: pushes what zones sound to browsers, whenever it changes, over WebSocket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, cast
from uuid import UUID

from fastapi import APIRouter, WebSocket
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, InterfaceError
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocketDisconnect

from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.kit import log
from sync2gear_platform.kit.context import Actor, Ctx
from sync2gear_platform.kit.errors import NotFound, Refusal
from sync2gear_platform.kit.web import NOBODY, checked_inside, edge_of, require, same_origin
from sync2gear_platform.playback import live_uploads, orders, queries
from sync2gear_platform.playback.happenings import Story
from sync2gear_platform.playback.hub import Hub, changed, snapshot
from sync2gear_platform.playback.schemas import ClientMessage, ZoneView
from sync2gear_platform.playback.seats import Seat
from sync2gear_platform.settings import Settings

logger = log.get(__name__)
router = APIRouter()

PERMISSION: Final = "playback.read"
AUTH_SECONDS: Final = 5.0
RECHECK_SECONDS: Final = 5.0
MAX_BYTES: Final = 8192
MAX_PER_SECOND: Final = 20
SEND_SECONDS: Final = 10.0

NORMAL, TOO_BIG, TRY_LATER = 1000, 1009, 1013
BAD, ENDED, FORBIDDEN, SLOW_AUTH = 4400, 4401, 4403, 4408


class Closing(Exception):  # noqa: N818 - an answer, not an error
    """End this connection, saying why."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail


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
            group.create_task(_answer(websocket, first.token, seat))
            group.create_task(_narrate(websocket, seat))
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


async def _answer(websocket: WebSocket, token: str, seat: Seat) -> None:
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
        elif message.type == "command":
            await _command(websocket, token, seat, message)
        elif message.type == "events":
            await _events(websocket, seat, on=message.on)
        elif message.type == "more":
            wanted = message.zone_id or seat.zone_id
            if wanted is None or seat.zone_id not in {None, wanted}:
                raise Closing(BAD, "bad_message", "Name the zone.")
            for view in await _views(websocket, seat, wanted):
                seat.offer(changed(view))


async def _command(websocket: WebSocket, token: str, seat: Seat, message: ClientMessage) -> None:
    """Do what the browser orders, and answer what came of it."""
    body = message.body
    if seat.zone_id is not None and not {"zone_id", "zone_ids"} & set(body):
        body = {**body, "zone_id": str(seat.zone_id)}
    try:
        found = await orders.carried_out(_as(websocket, token), message.command, body)
    except Refusal as refusal:
        if refusal.kind == "unauthenticated":
            raise Closing(ENDED, refusal.code, refusal.detail) from refusal
        refused = {"code": refusal.code, "detail": refusal.detail}
        seat.offer({"type": "refused", "id": message.id, **refused})
        return
    frame = edge_of(websocket).clock.frames()
    zones = [view.model_dump(mode="json") for view in found]
    seat.offer({"type": "done", "id": message.id, "frame": frame, "zones": zones})


async def _events(websocket: WebSocket, seat: Seat, *, on: bool) -> None:
    """Begin to tell what happens, or no more; said twice it begins anew."""
    seat.story = None
    if on:
        story = Story(edge_of(websocket).clock.frames())
        for view in await _views(websocket, seat, seat.zone_id):
            story.learn(view.model_dump(mode="json"))
        seat.story = story
    seat.moved.set()
    seat.offer({"type": "events", "events": []})


async def _narrate(websocket: WebSocket, seat: Seat) -> None:
    """Tell what happens when it does, for ever. Costs nothing while nobody asked."""
    clock = edge_of(websocket).clock
    while True:
        story, pause = seat.story, None
        seat.moved.clear()
        if story is not None:
            if happened := story.passed(clock.frames()):
                seat.offer({"type": "events", "events": happened})
            if ended := [UUID(zone) for zone in story.ended()]:
                await _look_again(websocket, seat, story, ended)
            ahead = story.next()
            pause = None if ahead is None else max(0, ahead - clock.frames()) / FRAME_RATE
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await seat.moved.wait()


async def _look_again(websocket: WebSocket, seat: Seat, story: Story, zones: list[UUID]) -> None:
    """Read on where a story ends; zones that are gone are told of no more."""
    async with _touch(websocket, seat) as ctx:
        found = await queries.existing_views(ctx, zones, ctx.frame)
    story.forget({str(zone) for zone in zones} - {str(view.zone_id) for view in found})
    happened = [one for view in found for one in story.learn(view.model_dump(mode="json"))]
    if happened:
        seat.offer({"type": "events", "events": happened})


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
    connection, edge = _as(websocket, token), edge_of(websocket)
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


def _as(websocket: WebSocket, token: str) -> HTTPConnection:
    """The connection as a request with that token, or with the cookie of a page of our own.

    It is counted as a command, whenever it is counted.
    """
    if not token and not same_origin(websocket):
        raise Closing(ENDED, "session_ended", "A page of another origin signs in by a token.")
    headers = [(k, v) for k, v in websocket.scope["headers"] if k != b"authorization"]
    if token:
        headers.append((b"authorization", b"Bearer " + token.encode("utf-8", "replace")))
    state = {**websocket.scope.get("state", {}), "traffic": "command"}
    return HTTPConnection({**websocket.scope, "headers": headers, "state": state})


async def _snapshot(websocket: WebSocket, seat: Seat) -> dict[str, Any]:
    found = await _views(websocket, seat, seat.zone_id)
    return snapshot(edge_of(websocket).clock.frames(), found)


async def _views(websocket: WebSocket, seat: Seat, zone_id: UUID | None) -> list[ZoneView]:
    async with _touch(websocket, seat) as ctx:
        try:
            return await queries.views(ctx, None if zone_id is None else [zone_id], ctx.frame)
        except NotFound as missing:
            raise Closing(FORBIDDEN, missing.code, missing.detail) from missing


@asynccontextmanager
async def _touch(websocket: WebSocket, seat: Seat) -> AsyncIterator[Ctx]:
    """A transaction that reads what a seat may see."""
    edge = edge_of(websocket)
    actor = Actor(kind="system", id=None, client_id=seat.client_id, label="live view")
    async with edge.db.tenant(seat.client_id, seat.reach) as session:
        yield Ctx(db=session, actor=actor, now=edge.clock.now(), trace="")


def _may_ask_across(websocket: WebSocket) -> bool:
    """Whether the operator lets pages of that origin ask (with a token, never by cookie)."""
    settings = cast("Settings", websocket.app.state.settings)
    return websocket.headers.get("origin") in settings.cors_origins
