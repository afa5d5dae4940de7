"""`watch`: the zones live over the platform's WebSocket."""

import contextlib
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

import typer
from rich.live import Live
from rich.table import Table
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.sync.client import ClientConnection, connect

from sync2gear_broker.units import FRAME_RATE
from sync2gear_cli import commands, output, session
from sync2gear_cli.client import Api, open_api
from sync2gear_cli.failures import REFUSED, SIGNED_OUT, UNREACHABLE, Failure
from sync2gear_cli.session import Connection
from sync2gear_cli.zones import HEADS, find_zones, row

app = commands.new()

_OPEN_SECONDS: Final = 10.0
_REDRAW_SECONDS: Final = 0.25
_MESSAGE_BYTES: Final = 8_000_000
_AHEAD_FRAMES: Final = 5 * FRAME_RATE
_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 5.0
_CLOSED: Final = {4400: REFUSED, 4401: SIGNED_OUT, 4403: REFUSED, 4408: REFUSED}


@dataclass
class Picture:
    """What the platform said of the zones, and how its clock runs against ours."""

    views: dict[str, dict[str, Any]] = field(default_factory=dict)
    frame: int = 0
    heard_at: float = 0.0
    asked: set[str] = field(default_factory=set)

    def take(self, message: dict[str, Any], now: float) -> None:
        """Read a ``snapshot`` or ``zone`` message that came at monotonic time ``now``."""
        kind = message.get("type")
        if kind == "snapshot":
            self.views = {view["zone_id"]: view for view in message["zones"]}
            self.asked.clear()
        elif kind == "zone":
            view = message["zone"]
            self.views[view["zone_id"]] = view
            self.asked.discard(view["zone_id"])
        if "frame" in message:
            self.frame, self.heard_at = message["frame"], now

    def frame_at(self, now: float) -> int:
        """The zone clock at monotonic time ``now``."""
        return self.frame + int((now - self.heard_at) * FRAME_RATE)

    def running_out(self, now: float) -> list[str]:
        """Zones whose known segments end soon and that were not asked about yet."""
        limit = self.frame_at(now) + _AHEAD_FRAMES
        found = [
            key
            for key, view in self.views.items()
            if key not in self.asked and view.get("until") is not None and view["until"] < limit
        ]
        self.asked.update(found)
        return found

    def table(self, now: float) -> Table:
        """The zones as they are at ``now``."""
        frame = self.frame_at(now)
        views = sorted(self.views.values(), key=lambda view: str(view["name"]).casefold())
        return output.table(HEADS, [row(view, frame) for view in views])


@app.command(
    epilog=commands.examples(
        "sync2gear watch",
        "sync2gear watch bar",
        "sync2gear watch --json --for 10 | jq .type",
    )
)
def watch(
    ctx: typer.Context,
    zone: Annotated[
        str | None, typer.Argument(help="Only this one.", metavar="[ZONE]", show_default=False)
    ] = None,
    seconds: Annotated[
        float | None, typer.Option("--for", min=0.1, help="End after so many seconds.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write every message as one line of JSON.")
    ] = False,
) -> None:
    """Show what the zones do, live, until Ctrl-C."""
    connection = session.connect(ctx.obj)
    path = "/ws/playback/"
    if zone is not None:
        with open_api(ctx.obj) as api:
            path += f"{find_zones(api, [zone])[0]}/"
    until = None if seconds is None else time.monotonic() + seconds
    picture = Picture()
    messages = (
        message
        for socket in _connections(connection, path, until)
        for message in _messages(socket, picture, until)
    )
    if as_json:
        for message in messages:
            if message is not None:
                sys.stdout.write(json.dumps(message, ensure_ascii=False) + "\n")
                sys.stdout.flush()
    else:
        _draw(picture, messages)


def _draw(picture: Picture, messages: Iterator[dict[str, Any] | None]) -> None:
    """The zones drawn over themselves on a terminal; elsewhere once, as they were at the end."""
    screen = output.console()
    live = Live(console=screen, auto_refresh=False)
    with contextlib.ExitStack() as stack:
        for _ in messages:
            if screen.is_terminal and not live.is_started:
                stack.enter_context(live)
            live.update(picture.table(time.monotonic()), refresh=live.is_started)
    if not screen.is_terminal and picture.heard_at:
        screen.print(picture.table(time.monotonic()))


def _over(until: float | None) -> bool:
    return until is not None and time.monotonic() >= until


def _connections(
    connection: Connection, path: str, until: float | None
) -> Iterator[ClientConnection]:
    """Authenticated sockets, one after another: a lost connection is made again.

    The first one must come about; later ones are tried for ever, with growing pauses.
    """
    address = "ws" + connection.url.removeprefix("http") + path
    pause, first = _FIRST_PAUSE, True
    while not _over(until):
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
        if not _over(until):
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


def _messages(
    socket: ClientConnection, picture: Picture, until: float | None
) -> Iterator[dict[str, Any] | None]:
    """The platform's messages, and between them None a few times a second, until it is lost.

    Failure when the platform says that we may not listen. A session that ended while we listened
    may only need its next token: the next connection tells.
    """
    refused: dict[str, Any] = {}
    heard = False
    while not _over(until):
        try:
            text = socket.recv(timeout=_REDRAW_SECONDS)
            message = json.loads(text)
            now = time.monotonic()
            picture.take(message, now)
            if message.get("type") == "error":
                refused = message
            else:
                heard = True
                yield message
            for key in picture.running_out(now):
                socket.send(json.dumps({"type": "more", "zone_id": key}))
        except TimeoutError:
            if picture.heard_at:
                yield None
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else 0
            if code in _CLOSED and not (heard and _CLOSED[code] == SIGNED_OUT):
                detail = str(refused.get("detail") or "the platform closed the connection")
                raise Failure(
                    detail, str(refused.get("code") or f"closed_{code}"), _CLOSED[code]
                ) from None
            return
