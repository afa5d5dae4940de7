"""`music make-folder`, `change-folder` and `remove-folder`: the tree that music lies in."""

from typing import Annotated, Any

import typer

from sync2gear_cli import commands, names, output
from sync2gear_cli.client import Api, open_api
from sync2gear_cli.failures import Failure
from sync2gear_cli.output import AsJson
from sync2gear_cli.sending import app, group

__all__ = ["app", "folder_of", "group"]

Folder = Annotated[str, typer.Argument(help="A folder, by name or id.")]
Inside = Annotated[str | None, typer.Option("--in", help="The folder to put it in.")]


def folder_of(api: Api, wanted: str) -> str:
    """The id of the folder that is meant."""
    return str(names.find("folder", list(api.pages("/music/folders/")), wanted)["id"])


@group.command(
    "make-folder", epilog=commands.examples("sync2gear music make-folder Swing --in Jazz")
)
def make_folder(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="What to call it.")],
    inside: Inside = None,
    as_json: AsJson = False,
) -> None:
    """Make a folder, in another one or in none."""
    with open_api(ctx.obj) as api:
        body: dict[str, Any] = {"name": name}
        if inside is not None:
            body["parent_id"] = folder_of(api, inside)
        _shown(api.post("/music/folders/", body), "made", as_json=as_json)


@group.command(
    "change-folder",
    epilog=commands.examples(
        "sync2gear music change-folder swing --name 'Swing and jump'",
        "sync2gear music change-folder swing --out",
    ),
)
def change_folder(
    ctx: typer.Context,
    folder: Folder,
    name: Annotated[str | None, typer.Option(help="What to call it from now on.")] = None,
    inside: Inside = None,
    out: Annotated[bool, typer.Option("--out", help="Out of every folder.")] = False,
    as_json: AsJson = False,
) -> None:
    """Call a folder something else, or move it with all that is in it."""
    if out and inside is not None:
        raise Failure("a folder goes in another one or out of all: not both", "conflicting_options")
    changes: dict[str, Any] = {}
    if name is not None:
        changes["name"] = name
    if out:
        changes["parent_id"] = None
    with open_api(ctx.obj) as api:
        if inside is not None:
            changes["parent_id"] = folder_of(api, inside)
        if not changes:
            raise Failure("say what to change: --name, --in or --out", "nothing_to_change")
        changed = api.patch(f"/music/folders/{folder_of(api, folder)}/", changes)
        _shown(changed, "changed", as_json=as_json)


@group.command(
    "remove-folder", epilog=commands.examples("sync2gear music remove-folder swing --force")
)
def remove_folder(
    ctx: typer.Context,
    folder: Folder,
    force: Annotated[bool, typer.Option("--force", help="Although it is used.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove a folder; its tracks stay in the library, its folders move to where it was."""
    with open_api(ctx.obj) as api:
        found = names.find("folder", list(api.pages("/music/folders/")), folder)
        api.delete(f"/music/folders/{found['id']}/?force={str(force).lower()}")
        _shown(found, "removed", as_json=as_json)


def _shown(folder: dict[str, Any], what: str, *, as_json: bool) -> None:
    if as_json:
        output.emit(folder)
    else:
        output.line(f"{folder['name']} {what}")
