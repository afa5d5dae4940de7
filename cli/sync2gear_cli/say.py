"""`say`: speak a text or a template in zones now."""

import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from sync2gear_cli import commands, names, output, places
from sync2gear_cli.client import Api, open_api
from sync2gear_cli.output import AsJson

app = commands.new()

_MOST_CHARACTERS: Final = 20_000


class Mode(StrEnum):
    """What the music does meanwhile."""

    PAUSE = "pause"
    DUCK = "duck"


ModeOption = Annotated[Mode | None, typer.Option("--mode", help="What the music does meanwhile.")]


@app.command(
    epilog=commands.examples(
        'sync2gear say "We close in ten minutes" --all',
        'sync2gear say "Table four, please" --zone bar --zone terrace --mode duck',
        "sync2gear say - --location harbour < notice.txt",
        "sync2gear say --template call --var name=Kim --var place='till two' --floor ground",
    )
)
def say(
    ctx: typer.Context,
    text: Annotated[
        str | None,
        typer.Argument(help="What to say; - reads it from stdin.", show_default=False),
    ] = None,
    template: Annotated[
        str | None, typer.Option(help="A template instead of a text, by name or id.")
    ] = None,
    var: Annotated[
        list[str] | None,
        typer.Option(help="What the template is filled with.", metavar="NAME=VALUE"),
    ] = None,
    language: Annotated[
        list[str] | None,
        typer.Option(help="Of the template, only this; several times. Of a text, its own."),
    ] = None,
    zone: places.Zones = None,
    floor: places.Floors = None,
    location: places.Locations = None,
    everywhere: places.Everywhere = False,
    voice: Annotated[str | None, typer.Option(help="Another voice than the usual one.")] = None,
    title: Annotated[str | None, typer.Option(help="A name for this announcement.")] = None,
    mode: ModeOption = None,
    as_json: AsJson = False,
) -> None:
    """Speak an announcement now; the music goes on after it."""
    where = places.Where(zone, floor, location, everywhere=everywhere)
    if (text is None) == (template is None):
        raise typer.BadParameter("say what: a text, or --template NAME")
    given: dict[str, Any] = {"mode": mode.value if mode else None}
    if template is None:
        given |= _text(text or "", var, language, voice, title)
    else:
        if voice is not None or title is not None:
            raise typer.BadParameter("a template has its own --voice and --title")
        given |= {"variables": variables(var or ()), "languages": language}
    body = {key: value for key, value in given.items() if value is not None}
    with open_api(ctx.obj) as api:
        ids, known = where.found(api)
        if template is None:
            path = "/announcements/say/"
        else:
            found = names.find("template", list(api.pages("/announcements/templates/")), template)
            path = f"/announcements/templates/{found['id']}/say/"
        answer = api.post(path, {**body, **ids}, patient=True)
    if as_json:
        output.emit(answer)
    else:
        for one in answer["results"] if template is not None else [answer]:
            show_plays(one["plays"], known)


def _text(
    text: str,
    var: Sequence[str] | None,
    language: Sequence[str] | None,
    voice: str | None,
    title: str | None,
) -> dict[str, Any]:
    if var:
        raise typer.BadParameter("only a template has variables", param_hint="--var")
    if language and len(language) > 1:
        raise typer.BadParameter("a text has one language", param_hint="--language")
    spoken = sys.stdin.read(_MOST_CHARACTERS) if text == "-" else text
    tongue = language[0] if language else None
    return {"text": spoken, "voice": voice, "title": title, "language": tongue}


def variables(given: Sequence[str]) -> dict[str, str]:
    """``["name=Kim", ...]`` as a mapping; wrong usage where one is no pair, or comes twice."""
    found: dict[str, str] = {}
    for one in given:
        name, sign, value = one.partition("=")
        if not sign or not name.strip():
            raise typer.BadParameter(f"{one!r} is not NAME=VALUE", param_hint="--var")
        if name.strip() in found:
            raise typer.BadParameter(f"{name.strip()} is given twice", param_hint="--var")
        found[name.strip()] = value
    return found


def show_plays(plays: Sequence[dict[str, Any]], known: dict[str, str]) -> None:
    """Where something sounds from when on, and by which id to learn what becomes of it."""
    for play in plays:
        begins = output.local_time(play["starts_at"])
        output.line(f"{known.get(play['zone_id'], play['zone_id'])}: from {begins}")
    for play_id in dict.fromkeys(play["play_id"] for play in plays):
        output.note(f"what becomes of it: sync2gear plays show {play_id} --watch")


def play_where(
    api: Api, path: str, where: places.Where, body: dict[str, Any]
) -> tuple[Any, dict[str, str]]:
    """Let something sound: the platform's answer, and the names of zones by their ids."""
    ids, known = where.found(api)
    return api.post(path, {**body, **ids}, patient=True), known
