"""`plays`: what was asked to be heard, and what became of it on every speaker."""

import contextlib
import json
import sys
import time
from collections.abc import Iterator
from typing import Annotated, Any, Final

import typer
from rich.console import Group
from rich.live import Live
from rich.text import Text
from websockets.exceptions import ConnectionClosed

from sync2gear_cli import commands, live, output, session
from sync2gear_cli.client import open_api
from sync2gear_cli.failures import Failure
from sync2gear_cli.forecast import explained
from sync2gear_cli.output import AsJson
from sync2gear_cli.zones import find_zones

app = commands.new()
group = commands.new("What was asked to be heard, and what became of it.")
app.add_typer(group, name="plays")

_HEADS: Final = ("title", "at", "zones", "id")
_TREE: Final = ("zone", "speaker", "state", "reason", "received", "cached", "started", "finished")
_SETTLED: Final = frozenset({"finished", "missed"})


@group.command(
    "list",
    epilog=commands.examples(
        "sync2gear plays list --zone bar --limit 5",
        "sync2gear plays list --from 'yesterday 18:00' --json",
    ),
)
def list_(
    ctx: typer.Context,
    zone: Annotated[
        str | None, typer.Option("--zone", "-z", help="Only in this zone.", metavar="NAME")
    ] = None,
    announcement: Annotated[
        str | None, commands.only_of("announcement", "`sync2gear announce list`")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--from", help="Only from then on.", metavar="TIME")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="So many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List what was asked to be heard, the latest first."""
    begin = commands.moment("--from", since)
    given: dict[str, str | int | None] = {"announcement": announcement, "from": begin}
    asked = {name: value for name, value in given.items() if value is not None}
    with open_api(ctx.obj) as api:
        if zone is not None:
            asked["zone"] = find_zones(api, [zone])[0]
        found = api.get("/plays/", page_size=limit, **asked)["results"]
    if as_json:
        output.emit({"results": found})
        return
    rows = [
        (
            one["title"],
            output.local_time(one["created_at"], day=True),
            len(one["zone_ids"]),
            one["id"],
        )
        for one in found
    ]
    output.show(_HEADS, rows, "Nothing was asked to be heard.")


@group.command(
    epilog=commands.examples(
        "sync2gear plays show",
        "sync2gear plays show ID --watch",
        "sync2gear plays show ID --watch --json | jq .play.counts",
    )
)
def show(
    ctx: typer.Context,
    play: Annotated[
        str | None,
        typer.Argument(
            help="Its id; by default the latest.",
            metavar="[PLAY]",
            show_default=False,
            callback=commands.an_id("`sync2gear plays list`"),
        ),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Until every speaker has played or missed it.")
    ] = False,
    seconds: Annotated[
        float | None, typer.Option("--for", min=0.1, help="Watch so many seconds at most.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what became of a play: each speaker's receipts, or why it missed it."""
    if seconds is not None and not watch:
        raise typer.BadParameter("goes with --watch", param_hint="--for")
    with open_api(ctx.obj) as api:
        if play is None:
            latest = api.get("/plays/", page_size=1)["results"]
            if not latest:
                raise Failure("nothing was asked to be heard", "not_found")
            play = str(latest[0]["id"])
        tree = api.get(f"/plays/{play}/")
    if watch:
        until = None if seconds is None else time.monotonic() + seconds
        _watch(_trees(session.connect(ctx.obj), tree["id"], until), as_json=as_json)
    elif as_json:
        output.emit(tree)
    else:
        output.console().print(_drawn(tree))


@group.command(epilog=commands.examples("sync2gear plays why ID", "sync2gear plays why ID --json"))
def why(
    ctx: typer.Context,
    play: Annotated[
        str,
        typer.Argument(
            help="Of a call, or of a line of `proof list`.",
            metavar="PLAY",
            show_default=False,
            callback=commands.an_id("`sync2gear plays list` or `sync2gear proof list`"),
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Explain why something was heard: a schedule and those it beat, or who asked for it."""
    with open_api(ctx.obj) as api:
        told = api.get(f"/plays/{play}/why/")
    if as_json:
        output.emit(told)
        return
    for line in explained(told):
        output.line(line)
    for name in ("announcement", "sound"):
        one = told[name]
        if one is not None:
            voice = f", voice {one['voice']} of {one['provider']}" if one["voice"] else ""
            output.line(f"{name} {one['title']!r}{voice}")
    if told["outcome"]:
        output.line(" ".join(filter(None, (told["outcome"], told["reason"].replace("_", " ")))))


def _watch(trees: Iterator[dict[str, Any]], *, as_json: bool) -> None:
    """Messages as lines of JSON; a tree over itself on a terminal, elsewhere as it ended."""
    screen = output.console()
    last: dict[str, Any] | None = None
    drawn = Live(console=screen, auto_refresh=False)
    with contextlib.ExitStack() as stack:
        for message in trees:
            last = message["play"]
            if as_json:
                sys.stdout.write(json.dumps(message, ensure_ascii=False) + "\n")
                sys.stdout.flush()
            elif screen.is_terminal:
                if not drawn.is_started:
                    stack.enter_context(drawn)
                drawn.update(_drawn(last), refresh=True)
    if last is not None and not as_json and not screen.is_terminal:
        screen.print(_drawn(last))


def _trees(
    connection: session.Connection, play_id: str, until: float | None
) -> Iterator[dict[str, Any]]:
    """Messages with what became of the play, until it is over or no speaker has more to say."""
    for socket in live.connections(connection, live.PATH, until):
        asked = False
        for message in live.messages(socket, until):
            if not asked and message is not None:  # signed in: the first one is a snapshot
                with contextlib.suppress(ConnectionClosed):  # what comes next tells
                    socket.send(json.dumps({"type": "watch", "play_id": play_id}))
                asked = True
            if message is None or message.get("type") not in {"play", "unwatched"}:
                continue
            if message["type"] == "unwatched":
                raise Failure(message["detail"], message["code"])
            yield message
            counts = message["play"]["counts"]
            if message["over"] or (counts and set(counts) <= _SETTLED):
                return


def _drawn(tree: dict[str, Any]) -> Group:
    counts = ", ".join(f"{number} {state}" for state, number in sorted(tree["counts"].items()))
    begun = output.local_time(tree["created_at"], day=True)
    head = f"{tree['title']}, asked for at {begun}: {counts or 'no speaker'}"
    rows = [
        (zone["name"], *_receipt(one)) for zone in tree["zones"] for one in zone["speakers"] or [{}]
    ]
    return Group(Text(output.clean(head)), output.table(_TREE, rows))


def _receipt(one: dict[str, Any]) -> tuple[object, ...]:
    if not one:
        return ("-",) * (len(_TREE) - 1)
    late = f" ({one['late_millis']} ms late)" if one["late_millis"] else ""
    times = (
        output.local_time(one[f"{name}_at"]) if one[f"{name}_at"] else "-"
        for name in ("received", "cached", "started", "finished")
    )
    return one["name"], one["state"], f"{one['reason']}{late}".strip() or "-", *times
