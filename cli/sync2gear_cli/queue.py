"""`queue`: the announcements that sound and wait in a zone, and ending all of them."""

from typing import Annotated, Any, Final

import typer

from sync2gear_cli import commands, output
from sync2gear_cli.client import Api, open_api
from sync2gear_cli.failures import Failure
from sync2gear_cli.output import AsJson
from sync2gear_cli.zones import find_zones

app = commands.new()

_HEADS: Final = ("zone", "announcement", "state", "priority", "begins in", "id")
_RATE: Final = 48_000


@app.command(
    epilog=commands.examples(
        "sync2gear queue", "sync2gear queue bar --clear", "sync2gear queue --cancel ID"
    )
)
def queue(
    ctx: typer.Context,
    zones: Annotated[
        list[str] | None,
        typer.Argument(help="Zones; by default all.", metavar="[ZONE]...", show_default=False),
    ] = None,
    clear: Annotated[
        bool, typer.Option("--clear", help="End all of them, in the zones that are named.")
    ] = False,
    cancel: Annotated[
        str | None,
        typer.Option(
            "--cancel",
            help="End this one, in these zones or all.",
            metavar="ID",
            callback=commands.an_id("`sync2gear plays list`"),
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what is announced and what waits for its turn, or end all of it."""
    if clear and not zones:
        raise typer.BadParameter("name the zones", param_hint="ZONE")
    if clear and cancel is not None:
        raise typer.BadParameter("ends all of them: leave out --cancel", param_hint="--clear")
    with open_api(ctx.obj) as api:
        ids = find_zones(api, zones) if zones else []
        if clear:
            api.post("/playback/queue/clear/", {"zone_ids": ids})
        if cancel is not None:
            _cancel(api, cancel, ids)
        found = api.get("/playback/queue/")
    shown = [one for one in found["results"] if not ids or one["zone_id"] in ids]
    if as_json:
        output.emit({"frame": found["frame"], "results": shown})
    elif clear:
        output.line(f"nothing is announced any more in {len(ids)} zones")
    else:
        rows = [_row(found["frame"], one["name"], e) for one in shown for e in one["entries"]]
        output.show(_HEADS, rows, "Nothing is announced.")


def _cancel(api: Api, wanted: str, zones: list[str]) -> None:
    """End one announcement wherever it sounds or waits; its id is that of the play, too."""
    event = wanted.strip().replace("-", "").casefold()
    there = [
        one["zone_id"]
        for one in api.get("/playback/queue/")["results"]
        if (not zones or one["zone_id"] in zones) and event in {e["id"] for e in one["entries"]}
    ]
    if not there:
        raise Failure(f"nothing with the id {wanted!r} is announced there", "no_such_event")
    for zone in there:
        api.post("/playback/cancel/", {"zone_id": zone, "event_id": event})


def _row(frame: int, zone: str, entry: dict[str, Any]) -> tuple[object, ...]:
    begins = entry["begins"]
    if entry["state"] == "sounding":
        when = "now"
    else:
        when = "?" if begins is None else f"{max(0, begins - frame) / _RATE:.0f} s"
    return zone, entry["title"], entry["state"], entry["priority"], when, entry["id"]
