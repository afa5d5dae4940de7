"""`announce`: what is kept to be said: list it, send it, let it be heard, remove it."""

from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

import typer

from sync2gear_cli import commands, names, output, places, sending, tus
from sync2gear_cli.client import Api, open_api
from sync2gear_cli.failures import Failure
from sync2gear_cli.output import AsJson
from sync2gear_cli.say import Delay, ModeOption, Priority, Timeout, play_where, show_plays, turn

app = commands.new()
group = commands.new("What is kept to be said: list, send, play, try again and remove it.")
app.add_typer(group, name="announce")

_HEADS: Final = ("title", "kind", "state", "length", "language", "id")
Which = Annotated[
    str,
    typer.Argument(help="Title, beginning of a title, or id.", metavar="ANNOUNCEMENT"),
]
Folder = Annotated[str | None, typer.Option(help="A folder for announcements, by name or id.")]


@group.command(
    "list",
    epilog=commands.examples(
        "sync2gear announce list --kind recording",
        "sync2gear announce list --state failed --json",
    ),
)
def list_(
    ctx: typer.Context,
    folder: Folder = None,
    kind: Annotated[str, typer.Option(help="Only tts, recording or upload.")] = "",
    state: Annotated[str, typer.Option(help="Only rendering, ready or failed.")] = "",
    language: Annotated[str, typer.Option(help="Only in this language, such as de.")] = "",
    tag: Annotated[str, typer.Option(help="Only what has this tag.")] = "",
    search: Annotated[str, typer.Option(help="Only with this in title or text.")] = "",
    as_json: AsJson = False,
) -> None:
    """List announcements, the newest first."""
    given: dict[str, str | int] = {
        "kind": kind, "state": state, "language": language, "tag": tag, "search": search,
    }  # fmt: skip
    asked = {name: value for name, value in given.items() if value}
    with open_api(ctx.obj) as api:
        if folder is not None:
            asked["folder_id"] = _folder(api, folder)
        found = list(api.pages("/announcements/", **asked))
    if as_json:
        output.emit({"results": found})
    else:
        output.show(_HEADS, [_row(one) for one in found], "There are no such announcements.")


@group.command(epilog=commands.examples("sync2gear announce show 'Closing time'"))
def show(ctx: typer.Context, announcement: Which, as_json: AsJson = False) -> None:
    """Show an announcement: its words, who spoke them, how it sounds, and why it failed."""
    with open_api(ctx.obj) as api:
        one = find(api, announcement)
    if as_json:
        output.emit(one)
        return
    for name, value in _lines(one):
        if value:
            output.line(f"{name:<10} {value}")


@group.command(
    epilog=commands.examples(
        "sync2gear announce upload jingle.wav --title 'Jingle'",
        "sync2gear announce upload *.mp3 --folder closing",
        "sync2gear announce upload take3.webm --recording",
    )
)
def upload(
    ctx: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="Files of sound.")],
    title: Annotated[
        str | None, typer.Option(help="What a single file is called; else as its tags or name.")
    ] = None,
    folder: Folder = None,
    recording: Annotated[
        bool, typer.Option("--recording", help="Cut the silence at its ends.")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait until the platform is through with it.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Send files to be said; called again after whatever broke it off, it goes on."""
    if title is not None and len(files) > 1:
        raise typer.BadParameter("is for one file", param_hint="--title")
    told = {"title": title or "", "purpose": "recording" if recording else "announcement"}
    found = list(sending.found(files))
    if not found:
        raise Failure("there is no sound in that", "nothing_found")
    with open_api(ctx.obj) as api:
        if folder is not None:
            told["folder_id"] = _folder(api, folder)
        goal = sending.Goal(tus.ANNOUNCEMENTS, told)
        results = sending.send_all(api, found, goal)
        if wait:
            sending.follow(api, results, goal)
    sending.report(results, as_json=as_json)


@group.command(epilog=commands.examples("sync2gear announce templates"))
def templates(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List templates: their languages, and what each is filled with."""
    with open_api(ctx.obj) as api:
        found = list(api.pages("/announcements/templates/"))
    if as_json:
        output.emit({"results": found})
        return
    rows = [
        (
            one["name"],
            ", ".join(text["language"] for text in one["texts"]),
            ", ".join(_variable(variable) for variable in one["variables"]) or "-",
            one["id"],
        )
        for one in found
    ]
    output.show(("name", "languages", "filled with", "id"), rows, "There are no templates.")


@group.command(
    epilog=commands.examples(
        "sync2gear announce play 'Closing time' --all",
        "sync2gear announce play jingle --floor ground --mode duck",
    )
)
def play(
    ctx: typer.Context,
    announcement: Which,
    zone: places.Zones = None,
    floor: places.Floors = None,
    location: places.Locations = None,
    everywhere: places.Everywhere = False,
    mode: ModeOption = None,
    priority: Priority = None,
    delay: Delay = None,
    timeout: Timeout = None,
    as_json: AsJson = False,
) -> None:
    """Let an announcement be heard now; the music goes on after it."""
    where = places.Where(zone, floor, location, everywhere=everywhere)
    body = turn(mode, priority, delay, timeout)
    with open_api(ctx.obj) as api:
        found = find(api, announcement)
        path = f"/announcements/{found['id']}/play-instant/"
        answer, known = play_where(api, path, where, body)
        if not as_json:
            show_plays(api, answer["plays"], known)
    if as_json:
        output.emit(answer)


@group.command(epilog=commands.examples("sync2gear announce retry 'Opening hours'"))
def retry(ctx: typer.Context, announcement: Which, as_json: AsJson = False) -> None:
    """Have an announcement spoken again that failed."""
    with open_api(ctx.obj) as api:
        found = find(api, announcement)
        answer = api.post(f"/announcements/{found['id']}/retry/", {})
    if as_json:
        output.emit(answer)
    else:
        output.line(f"{answer['title']}: {answer['state']}")


@group.command(epilog=commands.examples("sync2gear announce delete 'Summer sale' --yes"))
def delete(
    ctx: typer.Context,
    announcement: Which,
    force: Annotated[bool, typer.Option("--force", help="Although it is used.")] = False,
    yes: commands.Yes = False,
    as_json: AsJson = False,
) -> None:
    """Remove an announcement; what sounds already sounds to its end."""
    with open_api(ctx.obj) as api:
        found = find(api, announcement)
        commands.ask(f"Remove {found['title']}?", yes=yes)
        api.delete(f"/announcements/{found['id']}/?force={str(force).lower()}")
    if as_json:
        output.emit({"removed": found["id"], "title": found["title"]})
    else:
        output.line(f"{found['title']} is removed.")


def find(api: Api, wanted: str) -> dict[str, Any]:
    """The announcement that is meant; an id is asked for itself, since there may be thousands."""
    try:
        by_id = str(UUID(wanted.strip()))
    except ValueError:
        by_id = ""
    if by_id:
        found: dict[str, Any] = api.get(f"/announcements/{by_id}/")
        return found
    listed = api.pages("/announcements/", search=wanted.strip())
    # a text that has these words is no title that begins with them
    rows = [{**one, "name": one["title"]} for one in listed]
    return names.find("announcement", rows, wanted)


def _folder(api: Api, wanted: str) -> str:
    listed = list(api.pages("/music/folders/", type="announcement"))
    return str(names.find("folder", listed, wanted)["id"])


def _kind(one: dict[str, Any]) -> str:
    return "tts" if one["is_tts"] else "recording" if one["is_recording"] else "upload"


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    return (
        one["title"], _kind(one), one["state"], _length(one), one["language"] or "-", one["id"],
    )  # fmt: skip


def _length(one: dict[str, Any]) -> str:
    minutes, seconds = divmod(round(one["duration_millis"] / 1000), 60)
    return f"{minutes}:{seconds:02d}"


def _variable(one: dict[str, Any]) -> str:
    needed = "" if one["required"] and not one["default"] else "?"
    kind = "|".join(one["choices"]) if one["type"] == "choice" else one["type"]
    return f"{one['name']}{needed} ({kind})"


def _lines(one: dict[str, Any]) -> list[tuple[str, str]]:
    failed = f": {one['failure']} ({one['failure_code']})" if one["failure"] else ""
    spoken = f"{one['spoken_voice']} of {one['spoken_provider']}" if one["spoken_voice"] else ""
    return [
        ("title", one["title"]),
        ("kind", _kind(one)),
        ("state", f"{one['state']}{failed}"),
        ("length", _length(one)),
        ("text", one["text"]),
        ("language", one["language"]),
        ("voice", spoken),
        ("tags", ", ".join(one["tags"])),
        ("made", output.local_time(one["created_at"], day=True)),
        ("id", one["id"]),
    ]
