"""`play`, `pause`, `resume`, `stop`, `next`, `previous`, `seek`, `volume`: hands on the music."""

import re
from typing import Annotated, Any, Final

import typer

from sync2gear_cli import commands, names, output
from sync2gear_cli.client import open_api
from sync2gear_cli.output import AsJson
from sync2gear_cli.zones import find_zones

app = commands.new()

Zones = Annotated[
    list[str],
    typer.Argument(metavar="ZONE...", help="Name, beginning of a name, or id.", show_default=False),
]
Zone = Annotated[
    str,
    typer.Argument(metavar="ZONE", help="Name, beginning of a name, or id.", show_default=False),
]
_POSITION: Final = re.compile(
    r"(?:(?:(\d{1,4}):)?([0-5]?\d):([0-5]?\d)|(\d{1,7}))(?:\.(\d{1,3}))?", re.ASCII
)


@app.command(
    epilog=commands.examples(
        "sync2gear play bar", "sync2gear play bar terrace --folder Jazz --shuffle"
    )
)
def play(
    ctx: typer.Context,
    zones: Zones,
    folder: Annotated[
        str | None, typer.Option(help="Play this folder; without it what was played before.")
    ] = None,
    shuffle: Annotated[bool, typer.Option("--shuffle", help="In a random order.")] = False,
    channel: Annotated[str | None, typer.Option(help="Play this channel instead.")] = None,
    as_json: AsJson = False,
) -> None:
    """Play music."""
    if channel is not None and (folder is not None or shuffle):
        raise typer.BadParameter("a channel has its own music and order", param_hint="--channel")
    if channel is not None:
        with open_api(ctx.obj) as api:
            meant = names.find("channel", list(api.pages("/channels/")), channel)
        _command(ctx, "channel", zones, {"channel_id": meant["id"]}, as_json)
        return
    body: dict[str, Any] = {"shuffle": True} if shuffle else {}
    if folder is not None:
        with open_api(ctx.obj) as api:
            found = names.find("folder", list(api.pages("/music/folders/")), folder)
        body["folder_id"] = found["id"]
    _command(ctx, "play", zones, body, as_json)


@app.command()
def pause(ctx: typer.Context, zones: Zones, as_json: AsJson = False) -> None:
    """Pause the music; announcements still sound."""
    _command(ctx, "pause", zones, {}, as_json)


@app.command()
def resume(ctx: typer.Context, zones: Zones, as_json: AsJson = False) -> None:
    """Go on where the music was paused."""
    _command(ctx, "resume", zones, {}, as_json)


@app.command()
def stop(ctx: typer.Context, zones: Zones, as_json: AsJson = False) -> None:
    """Silence a zone, announcements included."""
    _command(ctx, "stop", zones, {}, as_json)


@app.command("next")
def next_(ctx: typer.Context, zones: Zones, as_json: AsJson = False) -> None:
    """Go to the next track."""
    _command(ctx, "next", zones, {}, as_json)


@app.command()
def previous(ctx: typer.Context, zones: Zones, as_json: AsJson = False) -> None:
    """Go to the track before."""
    _command(ctx, "previous", zones, {}, as_json)


@app.command(epilog=commands.examples("sync2gear seek bar 1:30", "sync2gear seek bar 90.5"))
def seek(
    ctx: typer.Context,
    zone: Zone,
    position: Annotated[
        str, typer.Argument(help="Minutes:seconds or seconds.", show_default=False)
    ],
    as_json: AsJson = False,
) -> None:
    """Go to a position in the track."""
    _command(ctx, "seek", [zone], {"position_millis": parse_position(position)}, as_json)


@app.command(epilog=commands.examples("sync2gear volume bar 40", "sync2gear volume bar 40 --mute"))
def volume(
    ctx: typer.Context,
    zone: Zone,
    percent: Annotated[
        int, typer.Argument(metavar="0-100", min=0, max=100, help="Percent.", show_default=False)
    ],
    mute: Annotated[
        bool | None, typer.Option("--mute/--unmute", help="Make silent or audible.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Set the volume of a zone."""
    body: dict[str, Any] = {"volume": percent}
    if mute is not None:
        body["mute"] = mute
    _command(ctx, "volume", [zone], body, as_json)


def parse_position(text: str) -> int:
    """Milliseconds of ``[[h:]m:]s[.fraction]``; a usage error for anything else."""
    match = _POSITION.fullmatch(text.strip())
    if match is None:
        raise typer.BadParameter(f"{text!r} is not a position such as 1:30 or 90.5")
    hours, minutes, seconds, plain, fraction = match.groups()
    whole = int(plain or 0) + int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    return whole * 1000 + int((fraction or "0").ljust(3, "0"))


def _command(
    ctx: typer.Context, verb: str, zones: list[str], body: dict[str, Any], as_json: bool
) -> None:
    with open_api(ctx.obj) as api:
        answer = api.post(f"/playback/{verb}/", {"zone_ids": find_zones(api, zones), **body})
    if as_json:
        output.emit(answer)
        return
    for view in answer["results"]:
        muted = ", muted" if view["mute"] else ""
        output.line(f"{view['name']}: {view['status']}, volume {view['volume']}{muted}")
