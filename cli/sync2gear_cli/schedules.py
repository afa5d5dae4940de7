"""`schedules` and `conflicts`: what is planned, switched on and off, and what gets in its way."""

from typing import Annotated, Any, Final

import typer

from sync2gear_cli import commands, names, output
from sync2gear_cli.client import Api, open_api
from sync2gear_cli.output import AsJson
from sync2gear_cli.zones import find_zones

app = commands.new()
group = commands.new("What is planned: list and show schedules, switch them on and off.")
app.add_typer(group, name="schedules")

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_HEADS: Final = ("name", "on", "plays", "when", "where", "priority", "id")
_MET: Final = ("what", "heard", "instead of", "decided by", "first", "times", "zones")
_CONTENT: Final = {
    "channel": ("channel_id", "/channels/"),
    "folder": ("folder_id", "/music/folders/"),
    "announcement": ("announcement_id", "/announcements/"),
}

Schedules = Annotated[
    list[str],
    typer.Argument(
        metavar="SCHEDULE...", help="Name, beginning of a name, or id.", show_default=False
    ),
]


@group.command(
    "list",
    epilog=commands.examples(
        "sync2gear schedules list", "sync2gear schedules list --zone bar --type announcement"
    ),
)
def list_(
    ctx: typer.Context,
    zone: Annotated[
        str | None, typer.Option("--zone", "-z", help="Only those that hold there.", metavar="NAME")
    ] = None,
    kind: Annotated[
        str | None, typer.Option("--type", help="Only 'music' or 'announcement'.")
    ] = None,
    active: Annotated[
        bool | None, typer.Option("--on/--off", help="Only those that are on, or off.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List schedules, by name."""
    if kind not in {None, "music", "announcement"}:
        raise typer.BadParameter("is music or announcement", param_hint="--type")
    asked = {} if kind is None else {"type": kind}
    if active is not None:
        asked["is_active"] = "true" if active else "false"
    with open_api(ctx.obj) as api:
        if zone is not None:
            asked["zone_id"] = find_zones(api, [zone])[0]
        found = list(api.pages("/schedules/", **asked))
        rows = [] if as_json else _rows(api, found)
    if as_json:
        output.emit({"results": found})
    else:
        output.show(_HEADS, rows, "No schedules.")


@group.command(epilog=commands.examples('sync2gear schedules show "Closing call"'))
def show(
    ctx: typer.Context,
    schedule: Annotated[
        str, typer.Argument(metavar="SCHEDULE", help="Name, beginning, or id.", show_default=False)
    ],
    as_json: AsJson = False,
) -> None:
    """Show a schedule: what it plays, when, where, and how it takes the zone."""
    with open_api(ctx.obj) as api:
        one = names.find("schedule", list(api.pages("/schedules/")), schedule)
        told = [] if as_json else _told(api, one)
    if as_json:
        output.emit(one)
    else:
        output.show(("what", "is"), told, "")


@group.command(epilog=commands.examples('sync2gear schedules on "Closing call"'))
def on(ctx: typer.Context, schedules: Schedules, as_json: AsJson = False) -> None:
    """Switch schedules on; those that are on stay so."""
    _switch(ctx, schedules, active=True, as_json=as_json)


@group.command(epilog=commands.examples('sync2gear schedules off "Closing call" Christmas'))
def off(ctx: typer.Context, schedules: Schedules, as_json: AsJson = False) -> None:
    """Switch schedules off; those that are off stay so."""
    _switch(ctx, schedules, active=False, as_json=as_json)


@app.command(
    epilog=commands.examples("sync2gear conflicts", "sync2gear conflicts --zone bar --days 31")
)
def conflicts(
    ctx: typer.Context,
    zone: Annotated[
        str | None, typer.Option("--zone", "-z", help="Only in this zone.", metavar="NAME")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=62, help="In so many coming days.")] = 14,
    as_json: AsJson = False,
) -> None:
    """List schedules of one priority that meet: what somebody may not have meant."""
    asked: dict[str, str | int] = {"days": days}
    with open_api(ctx.obj) as api:
        if zone is not None:
            asked["zone_id"] = find_zones(api, [zone])[0]
        found = api.get("/schedules/conflicts/", **asked)
    if as_json:
        output.emit(found)
        return
    rows = [
        (
            one["kind"],
            one["winner"]["name"],
            one["loser"]["name"],
            one["decided_by"],
            output.local_time(one["starts_at"], day=True),
            one["times"],
            one["zone_count"],
        )
        for one in found["results"]
    ]
    output.show(_MET, rows, "No two of them meet.")
    if found["truncated"]:
        output.note("there are more: ask for one zone, or for fewer days")


def span_text(one: dict[str, Any], parts: dict[str, dict[str, Any]]) -> str:
    """When a schedule holds, in few words: ``Mon Tue 09:00-17:00 every 20 min``.

    ``parts`` are the day-parts by id: the hours of one stand in the place of its own.
    """
    days = " ".join(DAYS[day] for day in one["days_of_week"]) or "daily"
    part = parts.get(str(one["day_part_id"]))
    hours = part or one
    starts, ends = hours["start_time"][:5], hours["end_time"][:5]
    span = "" if starts == ends else f" {starts}-{ends}"
    span += f" ({part['name']})" if part else ""
    dates = "".join(
        f" {word} {one[name]}"
        for word, name in (("from", "first_date"), ("until", "last_date"))
        if one[name]
    )
    recurring = f" {one['recurrence']}" if one["recurrence"] else ""
    named = " by calendar" if one["only_calendar_ids"] or one["special_days"] else ""
    return f"{days}{span}{_when(one['when'])}{recurring}{dates}{named}"


def _when(when: dict[str, Any] | None) -> str:
    if when is None:
        return ""
    if when["kind"] == "at":
        return f" at {' '.join(at[:5] for at in when['times'])}"
    if when["kind"] == "minutes":
        return f" at minute {' '.join(str(minute) for minute in when['minutes'])}"
    if when["kind"] == "share":
        return f" {when['seconds_per_hour']} seconds of each hour"
    if when["kind"] == "every":
        return f" every {when['minutes']} min"
    return f" after {when['tracks']} tracks"


def where_text(one: dict[str, Any]) -> str:
    """Where a schedule holds, in few words: ``2 zones, #lobby, not 1 zone``."""
    if one["everywhere"]:
        return f"everywhere{_less(one['exceptions'])}"
    return f"{_places(one)}{_less(one['exceptions'])}"


def _places(one: dict[str, Any]) -> str:
    counted = [
        f"{len(one[name])} {noun}{'' if len(one[name]) == 1 else 's'}"
        for name, noun in (
            ("location_ids", "location"), ("floor_ids", "floor"), ("zone_ids", "zone"),
        )
        if one[name]
    ]  # fmt: skip
    return ", ".join([*counted, *(f"#{tag}" for tag in one["tags"])])


def _less(exceptions: dict[str, Any]) -> str:
    without = _places(exceptions)
    return f", not {without}" if without else ""


def _rows(api: Api, found: list[dict[str, Any]]) -> list[tuple[object, ...]]:
    subjects = _names(api, {one["content_type"] for one in found})
    parts = _parts(api, found)
    return [
        (
            one["name"],
            "on" if one["is_active"] else "off",
            _subject(one, subjects),
            span_text(one, parts),
            where_text(one),
            one["effective_priority"],
            one["id"],
        )
        for one in found
    ]


def _names(api: Api, kinds: set[str | None]) -> dict[str, str]:
    """Names of all that schedules play, by id."""
    named: dict[str, str] = {}
    for kind, (_, path) in _CONTENT.items():
        if kind in kinds:
            named |= {str(o["id"]): str(o.get("name") or o.get("title")) for o in api.pages(path)}
    return named


def _parts(api: Api, found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Day-parts by id, where one of the schedules goes by one."""
    if not any(one["day_part_id"] for one in found):
        return {}
    return {str(part["id"]): part for part in api.pages("/day-parts/")}


def _subject(one: dict[str, Any], subjects: dict[str, str]) -> str:
    if one["content_type"] is None:
        return "gone"
    id_ = str(one[_CONTENT[one["content_type"]][0]])
    return f"{one['content_type']} {subjects.get(id_, id_)}"


def _told(api: Api, one: dict[str, Any]) -> list[tuple[str, str]]:
    subjects = _names(api, {one["content_type"]})
    start, limits = one["start"], one["limits"]
    told = [
        ("name", one["name"]),
        ("on", "on" if one["is_active"] else "off"),
        ("plays", _subject(one, subjects)),
        ("when", span_text(one, _parts(api, [one]))),
        ("where", where_text(one)),
        ("priority", str(one["effective_priority"])),
        ("clock put forward", one["gap"]),
        ("clock put back", one["fold"]),
    ]
    if one["type"] == "music":
        told += [("begins", one["begin"]), ("after an interruption", one["on_end"])]
    else:
        late = start["late_by_millis"]
        told += [
            ("starts", f"{start['mode']}, {start['mix']}"),
            ("dropped when late by", "never" if late is None else f"{late / 1000:g} s"),
        ]
        told += [(name, str(value)) for name, value in limits.items() if value]
    return [*told, ("id", one["id"])]


def _switch(ctx: typer.Context, wanted: list[str], *, active: bool, as_json: bool) -> None:
    with open_api(ctx.obj) as api:
        found = names.find_all("schedule", list(api.pages("/schedules/")), wanted)
        changed = [
            one
            if one["is_active"] == active
            else api.patch(f"/schedules/{one['id']}/", {"is_active": active})
            for one in found
        ]
    if as_json:
        output.emit({"results": changed})
        return
    for one in changed:
        output.line(f"{one['name']} is {'on' if active else 'off'}")
