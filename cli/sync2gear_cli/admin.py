"""`admin`: all clients of the installation, for its own people."""

from typing import Annotated, Any

import typer

from sync2gear_cli import commands, output
from sync2gear_cli.client import open_api
from sync2gear_cli.output import AsJson

app = commands.new()
group = commands.new("All clients, for the installation's own people.")
app.add_typer(group, name="admin")

_MB = 1_000_000


@group.command(epilog=commands.examples("sync2gear admin stats", "sync2gear admin stats --json"))
def stats(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Count clients, people, devices, storage, plays and API usage of the installation."""
    with open_api(ctx.obj) as api:
        found = api.get("/admin/stats/")
    if as_json:
        output.emit(found)
        return
    for name, value in _lines(found):
        output.line(f"{name:<14}{value}")


def _lines(found: dict[str, Any]) -> list[tuple[str, str]]:
    clients, users, devices = found["clients"], found["users"], found["devices"]
    lines = [
        ("clients", ", ".join(f"{number} {name}" for name, number in clients.items())),
        ("people", f"{users['total']}, {users['active']} active, {users['staff']} staff"),
        ("devices", f"{devices['online']} online of {devices['total']}"),
        ("storage", _size(found["storage"]["bytes"])),
    ]
    for name, plays in (("last 24 h", found["plays_24h"]), ("last 7 days", found["plays_7d"])):
        sounded = f"{plays['music']} tracks, {plays['announcements']} announcements"
        lines.append((name, f"{sounded}, {plays['missed']} missed"))
    use = found["api_7d"]["total"]
    lines.append(("API, 7 days", f"{use['requests']} requests, {use['errors']} errors"))
    lines += [("  most stored", f"{one['client']} {_size(one['bytes'])}")
              for one in found["storage"]["top"][:3]]  # fmt: skip
    lines += [("  most asked", f"{one['client']} {one['requests']} ({one['errors']} errors)")
              for one in found["api_7d"]["top"][:3]]  # fmt: skip
    return lines


def _size(size: int) -> str:
    return f"{size / _MB:,.1f} MB"


@group.command(epilog=commands.examples("sync2gear admin clients --search bakery"))
def clients(
    ctx: typer.Context,
    search: Annotated[str, typer.Option(help="Only whose name or e-mail has this.")] = "",
    deleted: Annotated[bool, typer.Option("--deleted", help="Those that can be restored.")] = False,
    as_json: AsJson = False,
) -> None:
    """List every client: standing, people, devices, storage."""
    wanted = {"search": search, "deleted": str(deleted).lower()}
    with open_api(ctx.obj) as api:
        found = list(api.pages("/admin/clients/", **wanted))
    if as_json:
        output.emit({"results": found})
    else:
        heads = ("name", "standing", "tier", "members", "devices", "online", "storage", "id")
        output.show(heads, [_client(one) for one in found], "There are no such clients.")


def _client(one: dict[str, Any]) -> tuple[object, ...]:
    return (
        one["name"],
        one["standing"],
        one["subscription_tier"],
        one["members"],
        one["devices"],
        one["devices_online"],
        _size(one["storage_bytes"]),
        one["id"],
    )
