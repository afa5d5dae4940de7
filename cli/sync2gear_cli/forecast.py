"""`forecast` and `why`: what a zone will sound by its venue's clock, and what put it there."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import typer

from sync2gear_broker.units import FRAME_RATE
from sync2gear_cli import commands, instants, output
from sync2gear_cli.client import Api, open_api
from sync2gear_cli.failures import Failure
from sync2gear_cli.output import AsJson
from sync2gear_cli.zones import find_zones

app = commands.new()

Zone = Annotated[
    str,
    typer.Argument(metavar="ZONE", help="Name, beginning of a name, or id.", show_default=False),
]
At = Annotated[
    str | None,
    typer.Option("--at", help='An instant by the venue\'s clock: "sat 14:00".', metavar="WHEN"),
]

_HEADS: Final = ("from", "to", "what", "by", "why")
_UNHEARD: Final = ("at", "not heard", "reason")
_MOST_ANSWERS: Final = 20
_ROWS: Final = 200
_LOST: Final = {
    "priority": "by priority",
    "breadth": "as its target is wider",
    "weekly": "as it goes by days of the week and not by dates",
    "younger": "as it is younger",
}


@app.command(
    epilog=commands.examples(
        'sync2gear forecast bar --at "sat 14:00"',
        'sync2gear forecast bar --from "tomorrow 9:00" --to "tomorrow 12:00"',
        'sync2gear forecast bar --from 2027-12-24 --to "in 24 hours" --json',
        'sync2gear forecast bar --from monday --to "+7d" --limit 5000',
    )
)
def forecast(
    ctx: typer.Context,
    zone: Zone,
    at: At = None,
    since: Annotated[
        str | None, typer.Option("--from", help="From then on; by default now.", metavar="WHEN")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", help="Until then; by default an hour.", metavar="WHEN")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help=f"So many pieces at most; a table shows {_ROWS} by default."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a zone will sound, by its venue's clock, and why."""
    if at is not None and (since is not None or until is not None):
        raise typer.BadParameter("is one instant: leave out --from and --to", param_hint="--at")
    with open_api(ctx.obj) as api:
        (zone_id,) = find_zones(api, [zone])
        if at is not None:
            clock = _clock_of(api, zone_id)
            found = _read(api, zone_id, at=_instant("--at", at, clock).isoformat())
        else:
            most = limit if as_json else limit or _ROWS
            found = _between(api, zone_id, since, until, most)
    if as_json:
        output.emit(found)
    else:
        _show(found, instant=at is not None)


@app.command(
    epilog=commands.examples(
        "sync2gear why bar",
        'sync2gear why bar --at "sat 14:00"',
        "sync2gear why bar ITEM  # of a forecast or of the proof of play",
    )
)
def why(
    ctx: typer.Context,
    zone: Zone,
    item: Annotated[
        str | None,
        typer.Argument(metavar="[ITEM]", help="By default what sounds then.", show_default=False),
    ] = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Explain why a zone sounds something: the schedule that put it there, and those it beat."""
    if item is not None and at is not None:
        raise typer.BadParameter("an item is one thing: leave out --at", param_hint="--at")
    with open_api(ctx.obj) as api:
        (zone_id,) = find_zones(api, [zone])
        if item is None:
            clock = _clock_of(api, zone_id)
            instant = _instant("--at", at or "now", clock)
            pieces = _read(api, zone_id, at=instant.isoformat())["pieces"]
            if not pieces:
                raise Failure("nothing sounds there then", "nothing_sounds")
            foremost = max(pieces, key=lambda one: one["role"] != "music")
            item, told = str(foremost["item"]), foremost["why"]
            title = str(foremost["title"])
        else:
            title, told = "", api.get(f"/zones/{zone_id}/why/{item}/")
    if as_json:
        output.emit({"item": item, "title": title, "why": told})
        return
    for line in (f"{title or item}: {item}" if title else item, *explained(told)):
        output.line(line)


def explained(told: dict[str, Any] | None) -> list[str]:
    """An explanation in sentences; nothing explains what was asked for at once."""
    if told is not None and told["source"] == "call":
        at = told.get("asked_at")
        return [f"people called it out at {output.local_time(at, day=True)}" if at else "by hand"]
    if told is not None and told["source"] == "emergency":
        return ["an emergency or a drill"]
    if told is None or told["source"] == "hand":
        return ["people chose it"]
    if told["source"] == "base":
        return ["no schedule wants this time: what people chose last goes on"]
    if told["source"] in {"call", "emergency"}:
        what = "somebody called it" if told["source"] == "call" else "an emergency was raised"
        asked = told.get("asked_at")
        return [
            f"{what}: {told['name']!r}"
            + (f" at {output.local_time(asked, day=True)}" if asked else "")
        ]
    name, limit = told["name"], told["limited_by"]
    lines = [f"schedule {name!r} put it there"]
    if limit:
        lines = [f"schedule {name!r} wants it, but a limit keeps it out: {limit}"]
    lines += [f"it beat {one['name']!r}, {_LOST[one['lost_by']]}" for one in told["rivals"]]
    return lines


def _clock_of(api: Api, zone_id: str) -> tzinfo:
    """The clock on the wall of the zone's venue."""
    location = api.get(f"/zones/{zone_id}/")["location_id"]
    return ZoneInfo(str(api.get(f"/locations/{location}/")["timezone"]))


def _instant(option: str, words: str, clock: tzinfo, base: datetime | None = None) -> datetime:
    try:
        return instants.parse(words, clock, datetime.now(UTC), base)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def _between(
    api: Api, zone_id: str, since: str | None, until: str | None, most: int | None
) -> dict[str, Any]:
    """A stretch as one answer, however many the platform gives it in; ``most`` pieces of it."""
    if since is None and until is None:
        return _first(_read(api, zone_id), most)
    clock = _clock_of(api, zone_id)
    start = _instant("--from", since or "now", clock)
    end = start + timedelta(hours=1)
    if until is not None:
        end = _instant("--to", until, clock, start)
    if end <= start:
        raise typer.BadParameter("is before it begins", param_hint="--to")
    found = _read(api, zone_id, **{"from": start.isoformat(), "to": end.isoformat()})
    for _ in range(_MOST_ANSWERS):
        reached = _moment(found["end"])
        if reached >= end - timedelta(milliseconds=1):
            break
        if most is not None and len(found["pieces"]) > most:
            break
        more = _read(api, zone_id, **{"from": reached.isoformat(), "to": end.isoformat()})
        found["end"] = more["end"]
        found["pieces"] += more["pieces"]
        found["unheard"] += more["unheard"]
    return _first(found, most)


def _first(found: dict[str, Any], most: int | None) -> dict[str, Any]:
    """The same as far as its first ``most`` pieces go: ``end`` is where the next one begins."""
    if most is None or len(found["pieces"]) <= most:
        return found
    following = found["pieces"][most]
    until = datetime.fromisoformat(following["starts_at"])
    unheard = [o for o in found["unheard"] if datetime.fromisoformat(o["starts_at"]) < until]
    pieces = found["pieces"][:most]
    return {**found, "end": following["start"], "pieces": pieces, "unheard": unheard,
            "goes_on_at": following["starts_at"]}  # fmt: skip


def _moment(frame: int) -> datetime:
    """The first microsecond that is not before a frame: read back, it is the frame."""
    micros = -(-frame * 1_000_000 // FRAME_RATE)
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=micros)


def _read(api: Api, zone_id: str, **asked: str) -> dict[str, Any]:
    answer: dict[str, Any] = api.get(f"/zones/{zone_id}/forecast/", **asked)
    return answer


def _show(found: dict[str, Any], *, instant: bool) -> None:
    rows = [
        (
            _local(one["starts_at"]),
            *(() if instant else (_local(one["ends_at"])[11:],)),
            one["title"] or one["sha256"][:12],
            one["artist"] or "-",
            _cause(one),
        )
        for one in found["pieces"]
    ]
    # of an instant the platform tells what sounds in that second, not how long it does
    output.show(("at", *_HEADS[2:]) if instant else _HEADS, rows, "Silence.")
    if found["unheard"]:
        missed = [(_local(o["starts_at"]), o["name"], o["reason"]) for o in found["unheard"]]
        output.line("")
        output.show(_UNHEARD, missed, "")
    output.note(f"by the clock of {found['timezone']}")
    if goes_on := found.get("goes_on_at"):
        output.note(
            f"these are the first {len(rows)}: go on with --from {_local(goes_on)!r},"
            " or show more with --limit"
        )


def _cause(piece: dict[str, Any]) -> str:
    why_ = piece["why"]
    if why_ is None:
        return "by hand" if piece["role"] == "event" else "-"
    named = {"hand": "by hand", "call": "by hand", "base": "nothing scheduled"}
    return named.get(str(why_["source"]), str(why_["name"]) or str(why_["source"]))


def _local(stamp: str) -> str:
    """``2027-12-24 14:00:00`` as the venue's clock shows it: the API's stamp has its offset."""
    return f"{datetime.fromisoformat(stamp):%Y-%m-%d %H:%M:%S}"
