"""`vault`: keys for the platform's stored secrets."""

import time
from typing import Annotated, Any, Final

import typer

from sync2gear_cli import commands, output, progress
from sync2gear_cli.client import Api, open_api
from sync2gear_cli.failures import Failure
from sync2gear_cli.output import AsJson
from sync2gear_cli.services.folder import new_vault_key

app = commands.new()
group = commands.new("Make keys for stored secrets, and put the secrets under the newest one.")
app.add_typer(group, name="vault")

_POLL_SECONDS: Final = 0.5


@group.command(epilog=commands.examples("sync2gear vault new-key"))
def new_key(as_json: AsJson = False) -> None:
    """Make a key for S2G_VAULT_KEYS, from this machine's randomness."""
    key = new_vault_key()
    if as_json:
        output.emit({"key": key})
    else:
        output.line(key)


@group.command(epilog=commands.examples("sync2gear vault rotate"))
def rotate(
    ctx: typer.Context,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait for the end, showing progress.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Put every stored secret under the first key of the platform's S2G_VAULT_KEYS.

    Nobody notices; killed half-way it goes on. Afterwards older keys can be removed.
    """
    with open_api(ctx.obj) as api:
        begun = api.post("/admin/vault/rotate/", {})
        ended = _follow(api, begun["id"]) if wait else begun
    if as_json:
        output.emit(ended)
    elif ended["state"] == "done":
        output.line(f"{ended['resealed']} resealed; nothing is left under older keys.")
    elif ended["state"] == "running":
        output.line(f"Rotation {ended['id']} has begun.")
    if ended["state"] == "incomplete":
        raise Failure(
            f"{ended['remaining']} secrets still lie under older keys; "
            f"{ended['unreadable']} of them are opened by no key of S2G_VAULT_KEYS",
            "rotation_incomplete",
        )


def _follow(api: Api, rotation_id: str) -> dict[str, Any]:
    """Poll a rotation to its end, with a bar where somebody looks (on stderr)."""
    with progress.bar("rotating") as bar:
        task = bar.add_task("", total=None)
        while True:
            current: dict[str, Any] = api.get(f"/admin/vault/rotations/{rotation_id}/")
            bar.update(task, total=current["total"] or None, completed=current["resealed"])
            if current["state"] != "running":
                return current
            time.sleep(_POLL_SECONDS)
