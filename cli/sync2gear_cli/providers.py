"""`providers`: services that speak, with their keys, which are never arguments."""

import sys
from typing import Annotated, Any

import typer

from sync2gear_cli import commands, names, output
from sync2gear_cli.client import open_api
from sync2gear_cli.failures import Failure
from sync2gear_cli.output import AsJson

app = commands.new()
group = commands.new("Services that speak: list them, add, change, try and remove one.")
app.add_typer(group, name="providers")

Installation = Annotated[
    bool, typer.Option("--installation", help="Those offered to all clients; for staff.")
]
Provider = Annotated[str, typer.Argument(help="Name, beginning of a name, or id.")]


def _path(installation: bool) -> str:
    return "/admin/ai-providers/" if installation else "/ai-providers/"


@group.command("list", epilog=commands.examples("sync2gear providers list"))
def list_(ctx: typer.Context, installation: Installation = False, as_json: AsJson = False) -> None:
    """List the providers in the order in which they are asked."""
    with open_api(ctx.obj) as api:
        found = list(api.pages(_path(installation)))
    if as_json:
        output.emit({"results": found})
    else:
        heads = ("name", "kind", "whose", "priority", "status", "key", "id")
        output.show(heads, [_row(one) for one in found], "There are no providers.")


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    status = "default" if one["is_default"] else "active" if one["is_active"] else "off"
    key = f"...{one['api_key_end']}" if one["api_key_end"] else "-"
    whose = "installation" if one["is_offered"] else "own"
    return one["name"], one["kind"], whose, one["priority"], status, key, one["id"]


@group.command(
    epilog=commands.examples(
        "sync2gear providers add google --name Google --default",
        "sync2gear providers add google --name Google --price 16 < key.txt",
        "sync2gear providers add piper --name Piper --installation",
    )
)
def add(
    ctx: typer.Context,
    kind: Annotated[str, typer.Argument(help="espeak, google or piper.")],
    name: Annotated[str, typer.Option(help="What it is called.")],
    transport: Annotated[str, typer.Option(help="Google's: rest or grpc.")] = "rest",
    priority: Annotated[int, typer.Option(help="Lower ones are asked first.")] = 100,
    price: Annotated[int, typer.Option(help="Of a million characters, in currency units.")] = 0,
    characters: Annotated[
        int | None, typer.Option(help="The most characters of a client in a month.")
    ] = None,
    default: Annotated[bool, typer.Option("--default", help="Ask it before all others.")] = False,
    installation: Installation = False,
    as_json: AsJson = False,
) -> None:
    """Add a provider. A key (Google's) is asked for, or read as one line from stdin."""
    body: dict[str, Any] = {
        "kind": kind, "name": name, "priority": priority, "unit_price": price,
        "is_default": default, "monthly_characters": characters,
    }  # fmt: skip
    if kind == "google":
        body |= {"settings": {"transport": transport}, "api_key": _key()}
    with open_api(ctx.obj) as api:
        made = api.post(_path(installation), body)
    if as_json:
        output.emit(made)
    else:
        output.line(f"{made['name']} ({made['kind']}) is added.")


def _key() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("API key", hide_input=True, err=True))
    read = sys.stdin.readline(1000).strip()
    if not read:
        raise typer.BadParameter("write it to stdin, as one line", param_hint="API key")
    return read


@group.command("test", epilog=commands.examples("sync2gear providers test Google"))
def try_(
    ctx: typer.Context,
    provider: Provider,
    installation: Installation = False,
    as_json: AsJson = False,
) -> None:
    """Ask a provider for its voices, which costs nothing."""
    path = _path(installation)
    with open_api(ctx.obj) as api:
        found = names.find("provider", list(api.pages(path)), provider)
        trial = api.post(f"{path}{found['id']}/test/", {}, patient=True)
    if as_json:
        output.emit(trial)
    elif trial["ok"]:
        output.line(f"{found['name']} answers: {trial['voices']} voices.")
    else:
        output.line(f"{found['name']}: {trial['detail']} ({trial['code']})")
    if not trial["ok"]:
        raise typer.Exit(1)


@group.command(
    "set",
    epilog=commands.examples(
        "sync2gear providers set Google --priority 10 --default",
        "sync2gear providers set Google --key < key.txt",
        "sync2gear providers set Google --off",
    ),
)
def set_(
    ctx: typer.Context,
    provider: Provider,
    name: Annotated[str | None, typer.Option(help="What it is called from now on.")] = None,
    transport: Annotated[str | None, typer.Option(help="Google's: rest or grpc.")] = None,
    priority: Annotated[int | None, typer.Option(help="Lower ones are asked first.")] = None,
    price: Annotated[
        int | None, typer.Option(help="Of a million characters, in currency units.")
    ] = None,
    characters: Annotated[
        int | None, typer.Option(help="The most characters of a client in a month; -1: no limit.")
    ] = None,
    default: Annotated[
        bool | None, typer.Option("--default/--no-default", help="Ask it before all others.")
    ] = None,
    on: Annotated[bool | None, typer.Option("--on/--off", help="Whether it is asked.")] = None,
    key: Annotated[
        bool, typer.Option("--key", help="Give it another key, asked for or read from stdin.")
    ] = False,
    installation: Installation = False,
    as_json: AsJson = False,
) -> None:
    """Change a provider, or give it another key."""
    given: dict[str, Any] = {
        "name": name, "priority": priority, "unit_price": price, "is_default": default,
        "is_active": on,
    }  # fmt: skip
    body = {field: value for field, value in given.items() if value is not None}
    if characters is not None:
        body["monthly_characters"] = None if characters < 0 else characters
    if key:
        body["api_key"] = _key()
    if not body and transport is None:
        raise Failure("say what to change, e.g. --priority 10", "nothing_to_change")
    path = _path(installation)
    with open_api(ctx.obj) as api:
        found = names.find("provider", list(api.pages(path)), provider)
        if transport is not None:
            body["settings"] = {**found["settings"], "transport": transport}
        changed = api.patch(f"{path}{found['id']}/", body)
    if as_json:
        output.emit(changed)
    else:
        output.line(f"{changed['name']} is changed.")


@group.command(epilog=commands.examples("sync2gear providers remove Google --yes"))
def remove(
    ctx: typer.Context,
    provider: Provider,
    yes: commands.Yes = False,
    installation: Installation = False,
    as_json: AsJson = False,
) -> None:
    """Remove a provider with its key; what it spoke stays."""
    path = _path(installation)
    with open_api(ctx.obj) as api:
        found = names.find("provider", list(api.pages(path)), provider)
        commands.ask(f"Remove {found['name']}?", yes=yes)
        api.delete(f"{path}{found['id']}/")
    if as_json:
        output.emit({"removed": found["id"], "name": found["name"]})
    else:
        output.line(f"{found['name']} is removed.")
