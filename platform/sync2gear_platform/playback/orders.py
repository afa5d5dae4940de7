"""Commands over the WebSocket: the bodies, the permission and the effects of those over HTTP."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import DBAPIError, InterfaceError
from starlette.requests import HTTPConnection

from sync2gear_platform.kit import log
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import Refusal, Unavailable
from sync2gear_platform.kit.web import touch
from sync2gear_platform.playback import queue, service
from sync2gear_platform.playback.schemas import (
    CancelIn,
    PlayIn,
    SeekIn,
    ShuffleIn,
    StopIn,
    Target,
    VolumeIn,
    ZoneView,
)

logger = log.get(__name__)

PERMISSION: Final = "playback.control"
Deed = Callable[[Ctx, Any], Awaitable[list[ZoneView]]]


class UnknownCommand(Refusal):
    """There is no such command: see ``docs/live.md``."""

    code = "unknown_command"


class InvalidCommand(Refusal):
    """The body is not what this command takes over HTTP."""

    code = "invalid_request"


async def _play(ctx: Ctx, body: PlayIn) -> list[ZoneView]:
    return await service.play(
        ctx,
        zone_ids=body.zones,
        folder_id=body.folder_id,
        track_ids=body.track_ids,
        shuffle=body.shuffle,
        crossfade_millis=body.crossfade_millis,
        until=body.until,
        rev=body.rev,
    )


async def _pause(ctx: Ctx, body: Target) -> list[ZoneView]:
    return await service.pause(ctx, zone_ids=body.zones, rev=body.rev)


async def _resume(ctx: Ctx, body: Target) -> list[ZoneView]:
    return await service.resume(ctx, zone_ids=body.zones, rev=body.rev)


async def _stop(ctx: Ctx, body: StopIn) -> list[ZoneView]:
    return await service.stop(ctx, zone_ids=body.zones, until=body.until, rev=body.rev)


async def _next(ctx: Ctx, body: Target) -> list[ZoneView]:
    return await service.skip_forward(ctx, zone_ids=body.zones, rev=body.rev)


async def _previous(ctx: Ctx, body: Target) -> list[ZoneView]:
    return await service.skip_back(ctx, zone_ids=body.zones, rev=body.rev)


async def _seek(ctx: Ctx, body: SeekIn) -> list[ZoneView]:
    return await service.seek(
        ctx, zone_ids=body.zones, position_millis=body.position_millis, rev=body.rev
    )


async def _volume(ctx: Ctx, body: VolumeIn) -> list[ZoneView]:
    return await service.set_volume(
        ctx, zone_ids=body.zones, volume=body.volume, mute=body.mute, rev=body.rev
    )


async def _shuffle(ctx: Ctx, body: ShuffleIn) -> list[ZoneView]:
    return await service.shuffle(ctx, zone_ids=body.zones, shuffle=body.shuffle, rev=body.rev)


async def _cancel(ctx: Ctx, body: CancelIn) -> list[ZoneView]:
    return await service.cancel(ctx, zone_id=body.zone_id, event_id=body.event_id)


async def _clear(ctx: Ctx, body: Target) -> list[ZoneView]:
    return await queue.clear(ctx, body.zones, body.rev)


COMMANDS: Final[dict[str, tuple[type[BaseModel], Deed]]] = {
    "play": (PlayIn, _play),
    "pause": (Target, _pause),
    "resume": (Target, _resume),
    "stop": (StopIn, _stop),
    "next": (Target, _next),
    "previous": (Target, _previous),
    "seek": (SeekIn, _seek),
    "volume": (VolumeIn, _volume),
    "shuffle": (ShuffleIn, _shuffle),
    "cancel": (CancelIn, _cancel),
    "clear": (Target, _clear),
}
"""Commands by the last word of their address; domains above add theirs (:func:`offer`)."""


def offer(command: str, body: type[BaseModel], deed: Deed) -> None:
    """Let a domain above add a command; said twice, the last counts."""
    COMMANDS[command] = body, deed


async def carried_out(
    connection: HTTPConnection, command: str, body: dict[str, Any]
) -> list[ZoneView]:
    """Do a command in one transaction, as whoever the connection says asks.

    Raises :class:`Refusal`: what the same request over HTTP would be refused with.
    """
    if command not in COMMANDS:
        raise UnknownCommand
    model, deed = COMMANDS[command]
    try:
        parsed = model.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidCommand(f"{where or 'body'}: {first['msg']}"[:500]) from error
    try:
        async with touch(connection, PERMISSION) as ctx:
            return await deed(ctx, parsed)
    except (DBAPIError, InterfaceError, OSError, TimeoutError) as error:
        logger.warning("live.command_failed", error=str(error)[:300])
        raise Unavailable from error
