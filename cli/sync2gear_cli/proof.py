"""`proof`: what was planned beside what was heard, its sums, and files of both."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from sync2gear_cli import commands, names, output
from sync2gear_cli.client import Api, open_api
from sync2gear_cli.output import AsJson
from sync2gear_cli.zones import find_zones

app = commands.new()
group = commands.new("What was planned beside what was heard: lines, sums, reports, files.")
app.add_typer(group, name="proof")

Zone = Annotated[
    str | None, typer.Option("--zone", "-z", help="Only in this zone.", metavar="NAME")
]
Since = Annotated[str | None, typer.Option("--from", help="Only from then on.", metavar="TIME")]
Until = Annotated[str | None, typer.Option("--to", help="Only until then.", metavar="TIME")]
First = Annotated[
    str | None, typer.Option("--from", help="The first day; by default a week.", metavar="DAY")
]
Last = Annotated[
    str | None,
    typer.Option("--to", help="The last day, included; by default today.", metavar="DAY"),
]
Outcome = Annotated[
    str | None,
    typer.Option(help="played, late, missed, pending or unknown.", metavar="OUTCOME"),
]
Track = Annotated[str | None, commands.only_of("track", "`sync2gear music search`")]
Announcement = Annotated[str | None, commands.only_of("announcement", "`sync2gear announce list`")]
Form = Annotated[str, typer.Option("--format", help="csv or json.")]
Target = Annotated[
    Path | None, typer.Option("--output", help="A new file; by default stdout.", metavar="FILE")
]

_OWN: Final = "/proof/templates/"
_HEADS: Final = ("planned", "zone", "title", "artist", "outcome", "reason", "late", "id")
_NOTHING: Final = (
    "Nothing was planned or heard then. What sounds is listed five to twenty minutes later."
)
_SUMS: Final = ("planned", "played", "late", "missed", "unknown", "pending", "zones")


def _asked(api: Api, zone: str | None, **given: str | None) -> dict[str, str | int]:
    """The parameters that were given; a zone by its id."""
    asked: dict[str, str | int] = {
        name.rstrip("_"): value for name, value in given.items() if value is not None
    }
    if zone is not None:
        asked["zone"] = find_zones(api, [zone])[0]
    return asked


def _days(first: str | None, last: str | None) -> dict[str, str | None]:
    return {"first_day": commands.day("--from", first), "last_day": commands.day("--to", last)}


@group.command(
    "list",
    epilog=commands.examples(
        "sync2gear proof list --zone bar --outcome missed",
        "sync2gear proof list --from yesterday --to 'today 9:00' --json",
    ),
)
def list_(
    ctx: typer.Context,
    zone: Zone = None,
    outcome: Outcome = None,
    track: Track = None,
    announcement: Announcement = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="So many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List what was planned and what became of it, the latest first."""
    with open_api(ctx.obj) as api:
        asked = _asked(
            api, zone,
            outcome=outcome, track=track, announcement=announcement,
            from_=commands.moment("--from", since), to=commands.moment("--to", until),
        )  # fmt: skip
        found = api.get("/proof/", page_size=limit, **asked)["results"]
    if as_json:
        output.emit({"results": found})
        return
    output.show(_HEADS, [_row(one) for one in found], _NOTHING)


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    late = one["late_millis"]
    return (
        output.local_time(one["planned_at"], day=True), one["zone_name"], one["title"],
        one["artist"], one["outcome"], one["reason"],
        f"{late / 1000:.1f} s" if late is not None and one["outcome"] == "late" else "", one["id"],
    )  # fmt: skip


@group.command(
    "sum",
    epilog=commands.examples(
        "sync2gear proof sum --by track --from 2026-12-01 --to 2026-12-31",
        "sync2gear proof sum --by day --zone bar --json",
    ),
)
def sum_(
    ctx: typer.Context,
    by: Annotated[str, typer.Option(help="zone, track, announcement or day.")] = "zone",
    zone: Zone = None,
    first: First = None,
    last: Last = None,
    as_json: AsJson = False,
) -> None:
    """Add up what was planned and what became of it; days are by the venues' clocks."""
    with open_api(ctx.obj) as api:
        asked = _asked(api, zone, by=by, **_days(first, last))
        found = api.get("/proof/summary/", **asked)
    if as_json:
        output.emit(found)
        return
    rows = [
        (one["title"] or one["subject"], one["artist"], *(one[name] for name in _SUMS))
        for one in [*found["results"], {**found["total"], "title": "all"}]
    ]
    output.show((by, "artist", *_SUMS), rows, "Nothing was planned or heard then.")
    if found["truncated"]:
        output.note("There are more: these are the most played.")


@group.command(
    epilog=commands.examples("sync2gear proof export --zone bar --output plays.csv"),
)
def export(
    ctx: typer.Context,
    zone: Zone = None,
    outcome: Outcome = None,
    track: Track = None,
    announcement: Announcement = None,
    since: Since = None,
    until: Until = None,
    form: Form = "csv",
    target: Target = None,
) -> None:
    """Take plays away, the earliest first; by default of the last seven days."""
    with open_api(ctx.obj) as api:
        asked = _asked(
            api, zone,
            outcome=outcome, track=track, announcement=announcement,
            from_=commands.moment("--from", since), to=commands.moment("--to", until), format=form,
        )  # fmt: skip
        output.pour(api.stream("/proof/export/", **asked), target)


@group.command(
    epilog=commands.examples(
        "sync2gear proof report",
        "sync2gear proof report usage-by-work --from 2026-12-01 --to 2026-12-31 --output r.csv",
    ),
)
def report(
    ctx: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(help="By default they are listed.", metavar="[REPORT]", show_default=False),
    ] = None,
    zone: Zone = None,
    first: First = None,
    last: Last = None,
    form: Form = "csv",
    target: Target = None,
    as_json: AsJson = False,
) -> None:
    """Fill a report, of the product or one's own, with what was played."""
    with open_api(ctx.obj) as api:
        built_in = api.get("/proof/reports/")["results"]
        if name is None:
            own = list(api.pages(_OWN))
            _list([*built_in, *own], as_json=as_json)
            return
        asked = _asked(api, zone, **_days(first, last), format=form)
        own = [] if name in {one["name"] for one in built_in} else list(api.pages(_OWN))
        meant = names.find(
            "report", [{"id": one["name"], **one} for one in [*built_in, *own]], name
        )
        path = f"{_OWN}{meant['id']}/report/" if meant in own else "/proof/report/"
        if meant not in own:
            asked["report"] = meant["name"]
        output.pour(api.stream(path, **asked), target)


def _list(found: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        output.emit({"results": found})
        return
    rows = [
        (
            one.get("id", one["name"]),
            one.get("title", one["name"]),
            ", ".join(column["heading"] or column["key"] for column in one["columns"]),
        )
        for one in found
    ]
    output.show(("report", "title", "columns"), rows, "There are no reports.")
