"""`users`, `invite`, `tokens`: who belongs to this client, and keys for programs."""

from typing import Annotated, Any

import typer

from sync2gear_cli import commands, names, output
from sync2gear_cli.client import Api, open_api
from sync2gear_cli.output import AsJson
from sync2gear_cli.zones import find_zones

app = commands.new()
group = commands.new("Keys for programs: list, make and revoke them.")
app.add_typer(group, name="tokens")

ZoneName = Annotated[str | None, typer.Option("--zone", help="Only in this zone.", metavar="NAME")]


@app.command(epilog=commands.examples("sync2gear users"))
def users(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the people of this client and their roles."""
    with open_api(ctx.obj) as api:
        found = list(api.pages("/users/"))
    if as_json:
        output.emit({"results": found})
    else:
        heads = ("e-mail", "name", "roles", "status", "id")
        output.show(heads, [_person(one) for one in found], "Nobody belongs to this client.")


def _person(one: dict[str, Any]) -> tuple[object, ...]:
    roles = ", ".join(f"{role['role']}{_place(role)}" for role in one["roles"])
    return one["email"], one["name"], roles, "active" if one["is_active"] else "disabled", one["id"]


def _place(row: dict[str, Any]) -> str:
    for kind in ("location", "facility", "floor", "zone"):
        if row[f"{kind}_id"]:
            return f" ({kind} {row[f'{kind}_id']})"
    return ""


@app.command(
    epilog=commands.examples(
        "sync2gear invite kim@example.com",
        "sync2gear invite lee@example.com --role floor --zone bar",
    )
)
def invite(
    ctx: typer.Context,
    email: Annotated[str, typer.Argument(help="Whom.")],
    role: Annotated[str, typer.Option(help="As what, such as client, floor, technician.")] = (
        "client"
    ),
    zone: ZoneName = None,
    floor: Annotated[str | None, typer.Option(help="Only on this floor.", metavar="NAME")] = None,
    location: Annotated[str | None, typer.Option(help="Only there.", metavar="NAME")] = None,
    locale: Annotated[str, typer.Option(help="The language of the letter.")] = "en",
    as_json: AsJson = False,
) -> None:
    """Invite somebody to this client by e-mail."""
    body: dict[str, Any] = {"email": email, "role": role, "locale": locale}
    with open_api(ctx.obj) as api:
        for noun, named in (("floor", floor), ("location", location)):
            if named is not None:
                listed = list(api.pages(f"/{noun}s/"))
                body[f"{noun}_id"] = names.find(noun, listed, named)["id"]
        if zone is not None:
            body["zone_id"] = find_zones(api, [zone])[0]
        made = api.post("/invitations/", body)
    if as_json:
        output.emit(made)
    else:
        until = output.local_time(made["expires_at"], day=True)
        output.line(f"{made['email']} is invited as {made['role']}{_place(made)} until {until}.")


@group.command("list", epilog=commands.examples("sync2gear tokens list"))
def list_(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the keys: what each may do, until when, when it was last used."""
    with open_api(ctx.obj) as api:
        found = list(api.pages("/tokens/"))
    if as_json:
        output.emit({"results": found})
    else:
        heads = ("name", "may", "until", "last used", "id")
        output.show(heads, [_token(one) for one in found], "There are no tokens.")


def _token(one: dict[str, Any]) -> tuple[object, ...]:
    until, used = (
        output.local_time(one[name], day=True) if one[name] else "-"
        for name in ("expires_at", "last_used_at")
    )
    return one["name"], " ".join(one["permissions"]) + _place(one), until, used, one["id"]


@group.command(
    epilog=commands.examples(
        "sync2gear tokens create till --may zones.read --may playback.control --zone bar",
        "sync2gear tokens create robot --may announce.now --expires 2027-01-01T00:00:00Z",
    )
)
def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="What it is for.")],
    may: Annotated[
        list[str], typer.Option(help="A permission, such as zones.read.", metavar="PERMISSION")
    ],
    zone: ZoneName = None,
    expires: Annotated[
        str | None, typer.Option(help="Until when; without it for ever.", metavar="TIME")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key for a program; it is shown now and never again."""
    body: dict[str, Any] = {"name": name, "permissions": may}
    if expires is not None:
        body["expires_at"] = expires
    with open_api(ctx.obj) as api:
        if zone is not None:
            body["zone_id"] = find_zones(api, [zone])[0]
        made = api.post("/tokens/", body)
    if as_json:
        output.emit(made)
    else:
        output.note(f"{made['name']} may {' '.join(made['permissions'])}; keep this, once:")
        output.line(made["token"])


@group.command(epilog=commands.examples("sync2gear tokens revoke till --yes"))
def revoke(
    ctx: typer.Context,
    token: Annotated[str, typer.Argument(help="Name, beginning of a name, or id.")],
    yes: commands.Yes = False,
    as_json: AsJson = False,
) -> None:
    """Revoke a key: it is worthless at once."""
    with open_api(ctx.obj) as api:
        found = _find(api, token)
        commands.ask(f"Revoke {found['name']}?", yes=yes)
        api.delete(f"/tokens/{found['id']}/")
    if as_json:
        output.emit({"revoked": found["id"], "name": found["name"]})
    else:
        output.line(f"{found['name']} is revoked.")


def _find(api: Api, wanted: str) -> dict[str, Any]:
    return names.find("token", list(api.pages("/tokens/")), wanted)
