"""`plan`, `apply` and `export`: schedules as one document, what it would change, and that done."""

import difflib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from sync2gear_cli import commands, documents, output
from sync2gear_cli.client import Api, open_api
from sync2gear_cli.commands import Yes
from sync2gear_cli.documents import Document
from sync2gear_cli.failures import Failure
from sync2gear_cli.output import AsJson
from sync2gear_cli.zones import find_zones

app = commands.new()

CHANGES: Final = 2
"""The exit status of a plan with changes, where it was asked for."""

_SIGNS: Final = {"create": "+", "change": "~", "adopt": "=", "remove": "-"}
_EFFECTS: Final = {"added": "+", "moved": "~", "dropped": "-"}
_DONE: Final = {"create": "made", "change": "changed", "adopt": "adopted", "remove": "removed"}
_MOST_HEARD: Final = 12

File = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="A YAML document.", show_default=False, dir_okay=False),
]
Adopt = Annotated[
    bool, typer.Option("--adopt", help="Take over what has a name of the document's already.")
]
Zones = Annotated[
    list[str] | None,
    typer.Option("--zone", "-z", help="Listen there; may be repeated.", metavar="NAME"),
]


@app.command(
    epilog=commands.examples(
        "sync2gear plan shops.yaml",
        "sync2gear plan shops.yaml --zone bar",
        "sync2gear plan shops.yaml --detailed-exitcode || echo there is something to do",
    )
)
def plan(
    ctx: typer.Context,
    file: File,
    adopt: Adopt = False,
    zones: Zones = None,
    detailed: Annotated[
        bool, typer.Option("--detailed-exitcode", help="2 where there are changes, 0 where none.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what a document would change, and what would be heard otherwise; nothing is done."""
    document = documents.load(file)
    with open_api(ctx.obj) as api:
        found = _planned(api, document, adopt=adopt, zones=zones)
        named = {} if as_json else _zone_names(api)
    if as_json:
        output.emit(found)
    else:
        _show(found, named)
    if detailed and found["changes"]:
        raise typer.Exit(CHANGES)


@app.command(
    epilog=commands.examples("sync2gear apply shops.yaml", "sync2gear apply shops.yaml --yes")
)
def apply(
    ctx: typer.Context,
    file: File,
    adopt: Adopt = False,
    zones: Zones = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Make it so: all that a document says, in one step or not at all."""
    document = documents.load(file)
    with open_api(ctx.obj) as api:
        planned = _planned(api, document, adopt=adopt, zones=zones)
        if not planned["changes"]:
            if as_json:
                output.emit(planned)
            else:
                _show(planned, {})
            return
        if not yes:
            _show(planned, _zone_names(api), to=output.note)
        commands.ask("Do this?", yes=yes)
        body = {"document": document.values, "adopt": adopt}
        try:
            done = api.post(
                "/schedules/document/apply/", body, patient=True, if_match=planned["digest"]
            )
        except Failure as failure:
            raise _placed(document, failure) from None
    if as_json:
        output.emit(done)
        return
    for change in done["changes"]:
        noun = change["noun"].replace("_", " ")
        output.line(f"{noun} {change['name']} is {_DONE[change['action']]}")


@app.command(
    epilog=commands.examples(
        "sync2gear export > all.yaml", "sync2gear export --document shops --to shops.yaml"
    )
)
def export(
    ctx: typer.Context,
    document: Annotated[
        str | None, typer.Option(help="Only what this document owns.", metavar="NAME")
    ] = None,
    to: Annotated[
        Path | None, typer.Option(help="Into this file.", metavar="FILE", dir_okay=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the schedules that are there, and all that they need, as a document."""
    asked = {} if document is None else {"document": document}
    with open_api(ctx.obj) as api:
        found = api.get("/schedules/document/", **asked)
    if as_json:
        output.emit(found)
        return
    text = documents.dump(found["document"])
    if to is None:
        typer.echo(text, nl=False)
        return
    output.save(text.encode(), to)
    output.note(f"written to {to}")


def _planned(
    api: Api, document: Document, *, adopt: bool, zones: list[str] | None
) -> dict[str, Any]:
    body: dict[str, Any] = {"document": document.values, "adopt": adopt}
    if zones:
        body["zone_ids"] = find_zones(api, zones)
    try:
        found: dict[str, Any] = api.post("/schedules/document/plan/", body, patient=True)
    except Failure as failure:
        raise _placed(document, failure) from None
    return found


def _placed(document: Document, failure: Failure) -> Failure:
    """The failure with where in the file its cause stands."""
    place = failure.extra.get("path")
    if isinstance(place, list):
        where = document.at(tuple(place))
        return Failure(f"{where}: {failure.detail}", failure.code, failure.status)
    errors = failure.extra.get("errors")
    if isinstance(errors, list) and errors:
        told = [_error(document, one) for one in errors[:5]]
        return Failure("; ".join(told), failure.code, failure.status)
    return failure


def _error(document: Document, error: dict[str, Any]) -> str:
    parts = str(error["field"]).split(".")
    inside = tuple(int(part) if part.isdecimal() else part for part in parts[1:])
    return f"{document.at(inside)}: {'.'.join(parts[1:])}: {error['message']}"


def _zone_names(api: Api) -> dict[str, str]:
    return {str(one["id"]): str(one["name"]) for one in api.pages("/zones/")}


def _show(found: dict[str, Any], named: dict[str, str], to: Any = output.line) -> None:
    if not found["changes"]:
        to(f"Nothing to do: {found['unchanged']} objects are as {found['document']!r} says.")
        return
    for change in found["changes"]:
        noun = change["noun"].replace("_", " ")
        to(f"{_SIGNS[change['action']]} {noun} {change['name']}")
        for line in _fields(change["fields"], new=change["action"] == "create"):
            to(f"    {line}")
    if found["zone_count"]:
        _heard(found, named, to)
    counts = {
        verb: sum(one["action"] == verb for one in found["changes"])
        for verb in ("create", "change", "adopt", "remove")
    }
    told = ", ".join(f"{number} to {verb}" for verb, number in counts.items() if number)
    to(f"{found['document']}: {told}, {found['unchanged']} as they are.")


def _heard(found: dict[str, Any], named: dict[str, str], to: Any) -> None:
    first, last = (output.local_time(found[at], day=True) for at in ("starts_at", "ends_at"))
    if not found["audible"]:
        to(f"Heard otherwise from {first} to {last}: nothing.")
    for zone in found["audible"]:
        to(f"Heard otherwise in {named.get(zone['zone_id'], zone['zone_id'])} "
           f"from {first} to {last}:")  # fmt: skip
        for one in zone["differences"][:_MOST_HEARD]:
            to(f"    {_EFFECTS[one['effect']]} {_stretch(one, first[:10])}")
        more = len(zone["differences"]) - _MOST_HEARD
        if more > 0 or zone["truncated"]:
            to(f"    and {more}{'+' if zone['truncated'] else ''} more")
    others = found["zone_count"] - len(found["audible"])
    if others > 0:
        to(f"{found['zone_count']} zones are worked out anew.")


def _stretch(one: dict[str, Any], day: str) -> str:
    heard, before = one["heard"], one["before"]
    text = f"{_span(heard, day)} {heard['name'] or 'music that nobody scheduled'}"
    return f"{text} (was {_span(before, day)})" if before else text


def _span(heard: dict[str, Any], day: str) -> str:
    """From when to when: ``18:00:00-23:00:00`` of ``day``, any other day is said.

    ``22:00:00 to 2026-12-02 06:00:00`` begins on ``day`` and ends on the next.
    """
    told = []
    for at in ("starts_at", "ends_at"):
        date, time = output.local_time(heard[at], day=True).split()
        told.append(time if date == day else f"{date} {time}")
        day = date
    return ("-" if " " not in told[1] else " to ").join(told)


def _fields(fields: list[dict[str, Any]], *, new: bool) -> Iterator[str]:
    for one in fields:
        old, value = one["old"], one["new"]
        if (isinstance(value, list) and value) or (isinstance(old, list) and old):
            yield f"{one['field']}:"
            yield from (f"  {line}" for line in _lists(old or [], value or []))
        elif new:
            yield f"{one['field']}: {_text(value)}"
        else:
            yield f"{one['field']}: {_text(old)} -> {_text(value)}"


def _lists(old: list[Any], new: list[Any]) -> Iterable[str]:
    """What leaves a list and what comes into it, in order."""
    before, after = ([_text(one) for one in several] for several in (old, new))
    told = (line for line in difflib.ndiff(before, after) if line[0] in "+-")
    return told if before != after else ()


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(one)}" for name, one in value.items() if one is not None)
    if isinstance(value, list):
        return " ".join(_text(one) for one in value) or "none"
    if value is None or isinstance(value, bool):
        return "none" if value is None else "yes" if value else "no"
    return str(value)
