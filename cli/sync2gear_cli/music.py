"""`folders` and `music`: what there is to play and how it came in."""

import time
from typing import Annotated, Any, Final

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from sync2gear_cli import commands, output
from sync2gear_cli.client import Api, open_api
from sync2gear_cli.failures import Failure
from sync2gear_cli.output import AsJson

app = commands.new()
group = commands.new("Bring music in, and see how that went.")
app.add_typer(group, name="music")

_POLL_SECONDS: Final = 0.5
_HEADS: Final = ("folder", "state", "found", "imported", "known", "rejected", "id")
_REJECTED_SHOWN: Final = 20


@app.command()
def folders(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the music folders."""
    with open_api(ctx.obj) as api:
        found = list(api.pages("/music/folders/", type="music"))
    if as_json:
        output.emit({"results": found})
    else:
        rows = [(one["name"], one["tracks"], _hours(one), one["id"]) for one in found]
        output.show(("folder", "tracks", "length", "id"), rows, "There are no folders yet.")


@group.command()
def imports(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List what was brought in, and how many files were refused."""
    with open_api(ctx.obj) as api:
        found = list(api.pages("/music/imports/"))
    if as_json:
        output.emit({"results": found})
    else:
        output.show(_HEADS, [_row(one) for one in found], "Nothing was imported yet.")


@group.command(
    "import", epilog=commands.examples("sync2gear music import jazz --name 'Evening jazz'")
)
def import_(
    ctx: typer.Context,
    folder: Annotated[str, typer.Argument(help="A folder below the platform's S2G_IMPORT_DIR.")],
    name: Annotated[
        str | None, typer.Option(help="What to call it, by default as the folder.")
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait for the end, showing progress.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Read a folder of audio files that lies on the platform's machine."""
    body = {"folder": folder} if name is None else {"folder": folder, "name": name}
    with open_api(ctx.obj) as api:
        begun = api.post("/music/imports/", body)
        ended = _follow(api, begun["id"]) if wait else begun
        refused = list(api.pages(f"/music/imports/{begun['id']}/items/", outcome="rejected"))
    if as_json:
        output.emit({**ended, "rejected_items": refused})
    else:
        output.show(_HEADS, [_row(ended)], "")
        for item in refused[:_REJECTED_SHOWN]:
            output.note(f"rejected {item['name']}: {item['detail']} ({item['code']})")
    if ended["state"] == "failed":
        raise Failure(f"{folder} could not be imported", "import_failed")


def _follow(api: Api, import_id: str) -> dict[str, Any]:
    """Poll an import to its end, with a bar where somebody looks (on stderr)."""
    bar = Progress(
        TextColumn("importing"),
        BarColumn(),
        MofNCompleteColumn(),
        console=output.console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task("", total=None)
        while True:
            current: dict[str, Any] = api.get(f"/music/imports/{import_id}/")
            treated = current["imported"] + current["duplicates"] + current["rejected"]
            bar.update(task, total=current["found"] or None, completed=treated)
            if current["state"] != "running":
                return current
            time.sleep(_POLL_SECONDS)


def _hours(folder: dict[str, Any]) -> str:
    minutes = folder["duration_millis"] // 60_000
    return f"{minutes // 60} h {minutes % 60:02d} min"


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    return (
        one["source"],
        one["state"],
        one["found"],
        one["imported"],
        one["duplicates"],
        one["rejected"],
        one["id"],
    )
