"""`say`: speak a text or a template in zones now."""

import contextlib
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from sync2gear_broker.units import FRAME_RATE
from sync2gear_cli import commands, names, output, places
from sync2gear_cli.client import Api, open_api
from sync2gear_cli.failures import Failure
from sync2gear_cli.output import AsJson

app = commands.new()

_MOST_CHARACTERS: Final = 20_000


class Mode(StrEnum):
    """What the music does meanwhile."""

    PAUSE = "pause"
    DUCK = "duck"


ModeOption = Annotated[Mode | None, typer.Option("--mode", help="What the music does meanwhile.")]
Priority = Annotated[
    int | None,
    typer.Option(
        min=0, max=100, help="A higher one cuts a lower one, equal ones wait; usually 50."
    ),
]
Delay = Annotated[
    float | None,
    typer.Option(min=0, max=60, help="Begin so many seconds later, to take it back unheard."),
]
Timeout = Annotated[
    float | None,
    typer.Option(min=0, max=3600, help="Give up where it would wait for more seconds than that."),
]


@app.command(
    epilog=commands.examples(
        'sync2gear say "We close in ten minutes" --all',
        'sync2gear say "Table four, please" --zone bar --zone terrace --mode duck',
        'sync2gear say "Doctor to room 2" --all --priority 80 --timeout 30',
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
    priority: Priority = None,
    delay: Delay = None,
    timeout: Timeout = None,
    as_json: AsJson = False,
) -> None:
    """Speak an announcement now; the music goes on after it."""
    where = places.Where(zone, floor, location, everywhere=everywhere)
    if (text is None) == (template is None):
        raise typer.BadParameter("say what: a text, or --template NAME")
    given: dict[str, Any] = turn(mode, priority, delay, timeout)
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
        if not as_json:
            for one in answer["results"] if template is not None else [answer]:
                show_plays(api, one["plays"], known)
    if as_json:
        output.emit(answer)


def turn(
    mode: Mode | None, priority: int | None, delay: float | None, timeout: float | None
) -> dict[str, Any]:
    """How it takes its turn, for a request's body; what was not given is left to the platform."""
    given: dict[str, Any] = {} if mode is None else {"mode": mode.value}
    if priority is not None:
        given["priority"] = priority
    for name, seconds in (("delay_millis", delay), ("timeout_millis", timeout)):
        if seconds is not None:
            given[name] = round(seconds * 1000)
    return given


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


def show_plays(api: Api, plays: Sequence[dict[str, Any]], known: dict[str, dict[str, Any]]) -> None:
    """Where something sounds from when on, and by which id to learn what becomes of it."""
    queued: dict[tuple[str, str], dict[str, Any]] = {}
    with contextlib.suppress(Failure):  # it is said already: nobody is to say it again
        for one in api.get("/playback/queue/")["results"]:
            queued |= {(one["zone_id"], entry["id"]): entry for entry in one["entries"]}
    for play in plays:
        zone = known.get(play["zone_id"], {})
        when = _when(play, queued.get((play["zone_id"], play["event_id"])), zone)
        output.line(f"{zone.get('name', play['zone_id'])}: {when}")
    for play_id in dict.fromkeys(play["play_id"] for play in plays):
        output.note(f"what becomes of it: sync2gear plays show {play_id} --watch")


def _when(play: dict[str, Any], entry: dict[str, Any] | None, zone: dict[str, Any]) -> str:
    """From when on it is heard, or why it is not: ``zone`` is as it was before it was said."""
    if zone.get("status") == "stopped":
        return "stopped, nothing is heard there until its music goes on"
    unheard = ", but not heard: muted" if zone.get("mute") or zone.get("volume") == 0 else ""
    if entry is not None and entry["begins"] is None:
        return f"as soon as what stands above it is over{unheard}"
    waits = entry["begins"] - play["start_frame"] if entry is not None else 0
    begins = datetime.fromisoformat(play["starts_at"]) + timedelta(seconds=waits / FRAME_RATE)
    behind = ", behind what is announced there" if waits > 0 else ""
    return f"from {output.local_time(begins.isoformat())}{behind}{unheard}"


def play_where(
    api: Api, path: str, where: places.Where, body: dict[str, Any]
) -> tuple[Any, dict[str, dict[str, Any]]]:
    """Let something sound: the platform's answer, and the views of zones by their ids."""
    ids, known = where.found(api)
    return api.post(path, {**body, **ids}, patient=True), known
