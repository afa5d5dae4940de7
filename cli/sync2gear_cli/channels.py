"""`channels`: lists of music and announcements, what they are made of, and what they play next."""

from typing import Annotated, Any, Final

import typer

from sync2gear_cli import commands, names, output
from sync2gear_cli.client import Api, open_api
from sync2gear_cli.output import AsJson

app = commands.new()
group = commands.new("Music and announcements in one list: list, show and preview channels.")
app.add_typer(group, name="channels")

_HEADS: Final = ("name", "order", "loop", "crossfade", "id")
_LINES: Final = ("line", "what", "plays", "weight", "order", "heard")
_NEXT: Final = ("at", "title", "artist", "length", "what")
_SUBJECTS: Final = (
    ("track_id", "track", "/music/files/"),
    ("folder_id", "folder", "/music/folders/"),
    ("announcement_id", "announcement", "/announcements/"),
    ("inner_channel_id", "channel", "/channels/"),
)

Channel = Annotated[
    str, typer.Argument(metavar="CHANNEL", help="Name, beginning, or id.", show_default=False)
]


@group.command("list", epilog=commands.examples("sync2gear channels list --json"))
def list_(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List channels, by name."""
    with open_api(ctx.obj) as api:
        found = list(api.pages("/channels/"))
    if as_json:
        output.emit({"results": found})
        return
    rows = [
        (
            one["name"],
            one["mode"],
            "for ever" if one["loop"] else "once",
            f"{one['crossfade_millis'] / 1000:g} s" if one["crossfade_millis"] else "gapless",
            one["id"],
        )
        for one in found
    ]
    output.show(_HEADS, rows, "No channels.")


@group.command(epilog=commands.examples("sync2gear channels show lounge"))
def show(ctx: typer.Context, channel: Channel, as_json: AsJson = False) -> None:
    """Show the lines of a channel, in their order."""
    with open_api(ctx.obj) as api:
        one = api.get(f"/channels/{_find(api, channel)}/")
        rows = [] if as_json else _lines(api, one["items"])
    if as_json:
        output.emit(one)
    else:
        output.show(_LINES, rows, "It has no lines.")


@group.command(
    epilog=commands.examples(
        "sync2gear channels preview lounge", "sync2gear channels preview lounge --count 50"
    )
)
def preview(
    ctx: typer.Context,
    channel: Channel,
    count: Annotated[int, typer.Option(min=1, max=200, help="So many pieces.")] = 20,
    location: Annotated[
        str | None, typer.Option(help="Where: licences leave out countries.", metavar="NAME")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a channel would play, from nothing heard on."""
    asked: dict[str, str | int] = {"count": count}
    with open_api(ctx.obj) as api:
        channel_id = _find(api, channel)
        if location is not None:
            places = list(api.pages("/locations/"))
            asked["location_id"] = str(names.find("location", places, location)["id"])
        found = api.get(f"/channels/{channel_id}/preview/", **asked)
    if as_json:
        output.emit(found)
        return
    rows = [
        (
            output.local_time(one["starts_at"], day=True),
            one["title"],
            one["artist"] or "-",
            _length(one["duration_millis"]),
            one["kind"],
        )
        for one in found["results"]
    ]
    output.show(_NEXT, rows, "There is nothing that it could play.")


def _find(api: Api, wanted: str) -> str:
    return str(names.find("channel", list(api.pages("/channels/")), wanted)["id"])


def _lines(api: Api, items: list[dict[str, Any]]) -> list[tuple[object, ...]]:
    named: dict[str, str] = {}
    for column, noun, path in _SUBJECTS:
        ids = {str(one[column]) for one in items if one[column]}
        if noun == "track":  # there may be tens of thousands: ask for these alone
            read = [api.get(f"{path}{id_}/") for id_ in sorted(ids)]
        else:
            read = list(api.pages(path)) if ids else []
        named |= {str(one["id"]): str(one.get("name") or one.get("title")) for one in read}
    rows: list[tuple[object, ...]] = []
    for number, one in enumerate(items, start=1):
        column, noun = next((c, n) for c, n, _ in _SUBJECTS if one[c])
        id_ = str(one[column])
        rows.append((number, noun, named.get(id_, id_), one["weight"], one["order"], _heard(one)))
    return rows


def _heard(one: dict[str, Any]) -> str:
    often = [
        f"{one[name]} {noun}"
        for name, noun in (("after_tracks", "tracks"), ("after_minutes", "min"))
        if one[name]
    ]
    return f"after {' or '.join(often)}" if often else "in turn"


def _length(millis: int) -> str:
    minutes, seconds = divmod(round(millis / 1000), 60)
    return f"{minutes}:{seconds:02d}"
