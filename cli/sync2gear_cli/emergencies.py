"""`emergency`: prepared messages that go above everything else, and the all-clear."""

import contextlib
from typing import Annotated, Any, Final
from uuid import UUID

import typer

from sync2gear_cli import announce, commands, names, output
from sync2gear_cli.client import Api, open_api
from sync2gear_cli.commands import Yes
from sync2gear_cli.failures import Failure
from sync2gear_cli.output import AsJson
from sync2gear_cli.zones import find_zones

app = commands.new()
group = commands.new("Messages that go above everything else, and the all-clear.")
app.add_typer(group, name="emergency")

_HEADS: Final = ("name", "what", "raised", "zones", "over", "id")
_MESSAGES: Final = ("name", "volume", "id")
MOST: Final = 200


@group.command(
    "list",
    epilog=commands.examples("sync2gear emergency list --active", "sync2gear emergency list"),
)
def list_(
    ctx: typer.Context,
    active: Annotated[bool, typer.Option("--active", help="Only those that sound now.")] = False,
    as_json: AsJson = False,
) -> None:
    """List emergencies and drills, the latest first."""
    with open_api(ctx.obj) as api:
        found = _raised(api, active=active)
    if as_json:
        output.emit({"results": found})
    else:
        output.show(_HEADS, [_row(one) for one in found], "None.")


@group.command(epilog=commands.examples("sync2gear emergency messages --json"))
def messages(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List what can be raised."""
    with open_api(ctx.obj) as api:
        found = api.get("/emergencies/messages/", page_size=MOST)["results"]
    if as_json:
        output.emit({"results": found})
        return
    rows = [(one["name"], one["volume"], one["id"]) for one in found]
    output.show(_MESSAGES, rows, "No message is prepared: sync2gear emergency prepare.")


@group.command(
    epilog=commands.examples('sync2gear emergency prepare Evacuate "Leave the building"')
)
def prepare(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="What it is raised by.")],
    announcement: announce.Which,
    volume: Annotated[int, typer.Option(min=1, max=100, help="Above that of the zones.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Prepare a message; speakers fetch it now."""
    with open_api(ctx.obj) as api:
        said = announce.find(api, announcement)
        body = {"name": name, "announcement_id": said["id"], "volume": volume}
        made = api.post("/emergencies/messages/", body)
    if as_json:
        output.emit(made)
    else:
        output.line(f"{made['name']} can be raised")


@group.command(
    "raise",
    epilog=commands.examples(
        "sync2gear emergency raise evacuate --everywhere",
        "sync2gear emergency raise evacuate --zone bar --drill --minutes 5 --yes",
    ),
)
def raise_(
    ctx: typer.Context,
    message: Annotated[str, typer.Argument(help="Its name, or the beginning of it.")],
    zones: Annotated[
        list[str] | None, typer.Option("--zone", "-z", help="There; may be repeated.")
    ] = None,
    everywhere: Annotated[bool, typer.Option("--everywhere", help="In every zone.")] = False,
    drill: Annotated[bool, typer.Option("--drill", help="Heard alike, recorded as one.")] = False,
    minutes: Annotated[
        int | None, typer.Option(min=1, max=1440, help="It ends by itself after so many.")
    ] = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Raise a message: it loops above everything else until its all-clear."""
    if everywhere == bool(zones):
        raise typer.BadParameter("say either --zone or --everywhere", param_hint="--zone")
    with open_api(ctx.obj) as api:
        known = api.get("/emergencies/messages/", page_size=MOST)["results"]
        chosen = names.find("message", known, message)
        there: dict[str, Any] = {"everywhere": True}
        if zones:
            there = {"zone_ids": find_zones(api, zones)}
        where = "everywhere" if everywhere else f"in {len(there['zone_ids'])} zones"
        kind = "drill" if drill else "emergency"
        commands.ask(f"Raise the {kind} {chosen['name']!r} {where}?", yes=yes)
        body = {"message_id": chosen["id"], "drill": drill, "minutes": minutes, **there}
        raised = api.post("/emergencies/", body)
    if as_json:
        output.emit(raised)
    else:
        output.line(f"{raised['name']} sounds in {len(raised['zone_ids'])} zones: {raised['id']}")


@group.command(
    epilog=commands.examples("sync2gear emergency clear", "sync2gear emergency clear evacuate")
)
def clear(
    ctx: typer.Context,
    emergency: Annotated[
        str | None,
        typer.Argument(help="Its name or id; by default the only one.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Give the all-clear."""
    with open_api(ctx.obj) as api:
        over = api.post(f"/emergencies/{_meant(api, emergency)}/clear/", {})
    if as_json:
        output.emit(over)
    else:
        output.line(f"{over['name']} is over")


def _meant(api: Api, wanted: str | None) -> str:
    """The id of what is to be cleared; one that is no longer active is left to the platform."""
    if wanted is not None:
        with contextlib.suppress(ValueError):
            return str(UUID(wanted.strip()))
    found = _raised(api, active=True)
    if not found:
        raise Failure("none is active", "not_found")
    if wanted is not None:
        return str(names.find("emergency", found, wanted)["id"])
    if len(found) > 1:
        listed = ", ".join(f"{_kind(one)} {one['name']!r} [{one['id']}]" for one in found)
        raise Failure(f"several are active, say which: {listed}", "emergency_ambiguous")
    return str(found[0]["id"])


def _kind(one: dict[str, Any]) -> str:
    return "drill" if one["drill"] else "emergency"


def _raised(api: Api, *, active: bool) -> list[dict[str, Any]]:
    asked = {"active": "true"} if active else {}
    found: list[dict[str, Any]] = api.get("/emergencies/", page_size=MOST, **asked)["results"]
    return found


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    ended = one["cleared_at"] or (None if one["active"] else one["ends_at"])
    return (
        one["name"],
        _kind(one),
        output.local_time(one["created_at"], day=True),
        len(one["zone_ids"]),
        output.local_time(ended, day=True) if ended else "no",
        one["id"],
    )
