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
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from sync2gear_broker.units import FRAME_RATE
from sync2gear_cli import commands, live, output, session
from sync2gear_cli.client import open_api
from sync2gear_cli.zones import HEADS, find_zones, row

app = commands.new()

_AHEAD_FRAMES: Final = 5 * FRAME_RATE


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
    path = live.PATH
    if zone is not None:
        with open_api(ctx.obj) as api:
            path += f"{find_zones(api, [zone])[0]}/"
    until = None if seconds is None else time.monotonic() + seconds
    picture = Picture()
    messages = (
        message
        for socket in live.connections(connection, path, until)
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
    drawn = Live(console=screen, auto_refresh=False)
    with contextlib.ExitStack() as stack:
        for _ in messages:
            if screen.is_terminal and not drawn.is_started:
                stack.enter_context(drawn)
            drawn.update(picture.table(time.monotonic()), refresh=drawn.is_started)
    if not screen.is_terminal and picture.heard_at:
        screen.print(picture.table(time.monotonic()))


def _messages(
    socket: ClientConnection, picture: Picture, until: float | None
) -> Iterator[dict[str, Any] | None]:
    """The messages of a connection as the picture takes them; None when it may be drawn again."""
    for message in live.messages(socket, until):
        if message is None:
            if picture.heard_at:
                yield None
            continue
        now = time.monotonic()
        picture.take(message, now)
        yield message
        with contextlib.suppress(ConnectionClosed):  # what comes next tells
            for key in picture.running_out(now):
                socket.send(json.dumps({"type": "more", "zone_id": key}))
