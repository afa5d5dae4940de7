"""`folders` and `music`: what there is to play and how it came in."""

import time
from typing import Annotated, Any, Final

import typer

from sync2gear_cli import commands, output, progress
from sync2gear_cli.client import Api, open_api
from sync2gear_cli.failures import Failure
from sync2gear_cli.output import AsJson

app = commands.new()
group = commands.new("Bring music in, find it, describe it, and exchange playlists.")
app.add_typer(group, name="music")

_POLL_SECONDS: Final = 0.5
_HEADS: Final = ("folder", "state", "found", "imported", "known", "rejected", "id")
_REJECTED_SHOWN: Final = 20


@app.command()
def folders(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Show the music folders, each below the one that it is in."""
    with open_api(ctx.obj) as api:
        found = list(api.pages("/music/folders/", type="music"))
    if as_json:
        output.emit({"results": found})
    else:
        rows = [
            ("  " * depth + one["name"], _tracks(one), _hours(one), one["id"])
            for one, depth in nested(found)
        ]
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
    with progress.bar("importing") as bar:
        task = bar.add_task("", total=None)
        while True:
            current: dict[str, Any] = api.get(f"/music/imports/{import_id}/")
            treated = current["imported"] + current["duplicates"] + current["rejected"]
            bar.update(task, total=current["found"] or None, completed=treated)
            if current["state"] != "running":
                return current
            time.sleep(_POLL_SECONDS)


def nested(found: list[dict[str, Any]]) -> list[tuple[dict[str, Any], int]]:
    """Folders with how deep each lies, each after the one that it is in; none is left out."""
    inside: dict[str | None, list[dict[str, Any]]] = {}
    known = {one["id"] for one in found}
    for one in found:
        parent = one["parent_id"] if one["parent_id"] in known else None
        inside.setdefault(parent, []).append(one)

    def walk(parent: str | None, depth: int) -> list[tuple[dict[str, Any], int]]:
        here = inside.get(parent, ())
        return [row for one in here for row in ((one, depth), *walk(one["id"], depth + 1))]

    return walk(None, 0)


def _tracks(folder: dict[str, Any]) -> object:
    return "-" if folder["tracks"] is None else folder["tracks"]


def _hours(folder: dict[str, Any]) -> str:
    if folder["duration_millis"] is None:  # a smart one: lists do not count what its rules choose
        return "smart"
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
