"""The platform's WebSocket: connections that are made again, and the messages that they bring."""

import json
import time
from collections.abc import Iterator
from typing import Any, Final

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.sync.client import ClientConnection, connect

from sync2gear_cli import output
from sync2gear_cli.client import Api
from sync2gear_cli.failures import REFUSED, SIGNED_OUT, UNREACHABLE, Failure
from sync2gear_cli.session import Connection

PATH: Final = "/ws/playback/"
BETWEEN_SECONDS: Final = 0.25
"""How often there is a pause in which to draw while nothing comes."""

_OPEN_SECONDS: Final = 10.0
_MESSAGE_BYTES: Final = 8_000_000
_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 5.0
_CLOSED: Final = {4400: REFUSED, 4401: SIGNED_OUT, 4403: REFUSED, 4408: REFUSED}


def over(until: float | None) -> bool:
    """Whether the monotonic time ``until`` has come; ``None`` never does."""
    return until is not None and time.monotonic() >= until


def connections(
    connection: Connection, path: str, until: float | None
) -> Iterator[ClientConnection]:
    """Authenticated sockets, one after another: a lost connection is made again.

    The first one must come about; later ones are tried for ever, with growing pauses.
    """
    address = "ws" + connection.url.removeprefix("http") + path
    pause, first = _FIRST_PAUSE, True
    while not over(until):
        connection = _fresh(connection, first=first)
        try:
            with connect(
                address, open_timeout=_OPEN_SECONDS, close_timeout=1, max_size=_MESSAGE_BYTES
            ) as socket:
                socket.send(json.dumps({"type": "auth", "token": connection.token}))
                yield socket
                pause, first = _FIRST_PAUSE, False
        except (OSError, InvalidHandshake, InvalidURI) as error:
            if first:
                raise Failure(
                    f"cannot reach {connection.url}: {error}", "unreachable", UNREACHABLE
                ) from None
        if not over(until):
            output.note("connection lost; trying again")
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)


def _fresh(connection: Connection, *, first: bool) -> Connection:
    """``connection`` with a token that is still good for a while, where it can be renewed."""
    try:
        with Api(connection) as api:
            api.renew()
            return api.connection
    except Failure as failure:
        if first or failure.status != UNREACHABLE:
            raise
        return connection


def messages(socket: ClientConnection, until: float | None) -> Iterator[dict[str, Any] | None]:
    """The platform's messages, and between them None a few times a second, until it is lost.

    Failure when the platform says that we may not listen. A session that ended while we listened
    may only need its next token: the next connection tells.
    """
    refused: dict[str, Any] = {}
    heard = False
    while not over(until):
        try:
            message = json.loads(socket.recv(timeout=BETWEEN_SECONDS))
        except TimeoutError:
            yield None
            continue
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else 0
            if code in _CLOSED and not (heard and _CLOSED[code] == SIGNED_OUT):
                detail = str(refused.get("detail") or "the platform closed the connection")
                raise Failure(
                    detail, str(refused.get("code") or f"closed_{code}"), _CLOSED[code]
                ) from None
            return
        if message.get("type") == "error":
            refused = message
        else:
            heard = True
            yield message
