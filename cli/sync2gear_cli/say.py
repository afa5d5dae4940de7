"""`say` and `voices`: speak an announcement into zones now."""

import sys
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from sync2gear_cli import commands, output
from sync2gear_cli.client import open_api
from sync2gear_cli.output import AsJson
from sync2gear_cli.zones import find_zones, read_state

app = commands.new()

_MOST_CHARACTERS: Final = 20_000


class Mode(StrEnum):
    """What the music does meanwhile."""

    PAUSE = "pause"
    DUCK = "duck"


@app.command(
    epilog=commands.examples(
        'sync2gear say "We close in ten minutes" --all',
        'sync2gear say "Table four, please" --zone bar --zone terrace --mode duck',
        "sync2gear say - --zone bar < notice.txt",
    )
)
def say(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(help="What to say; - reads it from stdin.")],
    zone: Annotated[
        list[str] | None, typer.Option("--zone", "-z", help="Where; may be given several times.")
    ] = None,
    everywhere: Annotated[bool, typer.Option("--all", help="In every zone.")] = False,
    voice: Annotated[str | None, typer.Option(help="Another voice than the usual one.")] = None,
    title: Annotated[str | None, typer.Option(help="A name for this announcement.")] = None,
    mode: Annotated[Mode | None, typer.Option(help="What the music does meanwhile.")] = None,
    as_json: AsJson = False,
) -> None:
    """Speak an announcement now; the music goes on after it."""
    if everywhere == bool(zone):
        raise typer.BadParameter("say where: --zone NAME (several times) or --all")
    spoken = sys.stdin.read(_MOST_CHARACTERS) if text == "-" else text
    given = {"voice": voice, "title": title, "mode": mode.value if mode else None}
    body: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    with open_api(ctx.obj) as api:
        views = {view["zone_id"]: view["name"] for view in read_state(api)["results"]}
        where = list(views) if everywhere else find_zones(api, zone or [])
        answer = api.post(
            "/announcements/say/", {"text": spoken, "zone_ids": where, **body}, patient=True
        )
    if as_json:
        output.emit(answer)
        return
    for play in answer["plays"]:
        begins = output.local_time(play["starts_at"])
        output.line(f"{views.get(play['zone_id'], play['zone_id'])}: from {begins}")


@app.command()
def voices(
    ctx: typer.Context,
    language: Annotated[
        str | None, typer.Option(help="Only of this language, such as de or en-GB.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the voices that can speak."""
    with open_api(ctx.obj) as api:
        params = {"language": language} if language else {}
        answer = api.get("/announcements/voices/", **params)
    found = answer["results"]
    if as_json:
        output.emit(answer)
    else:
        heads = ("voice", "language", "name", "provider")
        rows = [tuple(one[head if head != "voice" else "id"] for head in heads) for one in found]
        output.show(heads, rows, "There are no voices.")
        for name in answer["silent"]:
            output.note(f"{output.clean(name)} does not answer now.")
