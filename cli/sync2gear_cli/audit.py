"""`audit`: who did what, taking it away, and whether nobody has changed it since."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from sync2gear_cli import commands, output, progress
from sync2gear_cli.client import Api, open_api
from sync2gear_cli.failures import Failure
from sync2gear_cli.output import AsJson

app = commands.new()
group = commands.new("See who did what, and verify that nobody changed it since.")
app.add_typer(group, name="audit")

_HEADS: Final = ("at", "who", "action", "subject", "from")

_AN_ID = commands.an_id("`sync2gear audit list --json`")
Actor = Annotated[
    str,
    typer.Option(help="Only what this user or device did.", metavar="ID", callback=_AN_ID),
]
Action = Annotated[str, typer.Option(help="Only actions that begin so, e.g. 'zone.'.")]
Subject = Annotated[
    str, typer.Option(help="Only what was done to this.", metavar="ID", callback=_AN_ID)
]
Since = Annotated[
    str, typer.Option("--from", help="Not before, e.g. 'yesterday 8:00'.", metavar="TIME")
]
Until = Annotated[str, typer.Option("--to", help="Only before.", metavar="TIME")]
Search = Annotated[str, typer.Option(help="Only what mentions this.")]


def _filters(**given: str) -> dict[str, str | int]:
    asked: dict[str, str | int] = {
        name.rstrip("_"): value for name, value in given.items() if value
    }
    for name in asked.keys() & {"from", "to"}:
        asked[name] = commands.moment(f"--{name}", str(asked[name])) or ""
    return asked


@group.command("list", epilog=commands.examples("sync2gear audit list --action zone. --limit 20"))
def list_(
    ctx: typer.Context,
    actor: Actor = "",
    action: Action = "",
    subject: Subject = "",
    since: Since = "",
    until: Until = "",
    search: Search = "",
    limit: Annotated[int, typer.Option(help="How many, the newest first.", min=1)] = 50,
    as_json: AsJson = False,
) -> None:
    """List what was done, the newest first."""
    wanted = _filters(
        actor_id=actor, action=action, subject_id=subject, from_=since, to=until, search=search
    )
    found: list[dict[str, Any]] = []
    with open_api(ctx.obj) as api:
        for one in api.pages("/audit/", page_size=min(limit, 200), **wanted):
            found.append(one)
            if len(found) == limit:
                break
    if as_json:
        output.emit({"results": found})
    else:
        output.show(_HEADS, [_row(one) for one in found], "Nothing was written down yet.")


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    who = "(erased)" if one["erased"] else one["actor"]["label"] or one["actor"]["kind"]
    subject = f"{one['subject_type']} {one['subject_id'] or ''}".strip()
    return output.local_time(one["at"], day=True), who, one["action"], subject, one["address"]


@group.command(epilog=commands.examples("sync2gear audit export --format csv --output audit.csv"))
def export(
    ctx: typer.Context,
    actor: Actor = "",
    action: Action = "",
    subject: Subject = "",
    since: Since = "",
    until: Until = "",
    search: Search = "",
    form: Annotated[
        str, typer.Option("--format", help="csv for people, jsonl with hashes for verifying.")
    ] = "jsonl",
    target: Annotated[
        Path | None, typer.Option("--output", help="A new file; by default stdout.")
    ] = None,
) -> None:
    """Take the trail away, in the order in which it was written."""
    wanted = _filters(
        actor_id=actor, action=action, subject_id=subject, from_=since, to=until, search=search
    )
    with open_api(ctx.obj) as api:
        output.pour(api.stream("/audit/export/", format=form, **wanted), target)


@group.command(epilog=commands.examples("sync2gear audit verify", "sync2gear audit verify --all"))
def verify(
    ctx: typer.Context,
    everything: Annotated[
        bool, typer.Option("--all", help="Every client's chain; for the installation's people.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Have every entry hashed anew and compared with what is remembered elsewhere."""
    with open_api(ctx.obj) as api:
        chains: list[str | None] = [None]
        if everything:
            chains = [one["client_id"] for one in api.get("/audit/chains/")["results"]]
        verdicts = [_follow(api, chain) for chain in chains]
    faults = [one for one in verdicts if one["fault"]]
    if as_json:
        output.emit({"ok": not faults, "results": verdicts})
    else:
        for one in verdicts:
            output.line(_sentence(one))
    if any(one["anchored"] is None and not one["fault"] for one in verdicts):
        output.note("no anchors are kept: a chain that was rewritten as a whole would not be found")
    if faults:
        raise Failure("the audit trail was changed", "audit_broken")


def _follow(api: Api, chain: str | None) -> dict[str, Any]:
    """Slice after slice to the end or to the first fault, with a bar where somebody looks."""
    body: dict[str, Any] = {} if chain is None else {"client_id": chain}
    with progress.bar("verifying") as bar:
        task = bar.add_task("", total=None)
        while True:
            verdict: dict[str, Any] = api.post("/audit/verify/", body, patient=True)
            bar.update(task, total=verdict["head"] or None, completed=verdict["seq"])
            if verdict["done"]:
                return verdict
            body |= {"after": verdict["seq"], "hash": verdict["hash"]}


def _sentence(verdict: dict[str, Any]) -> str:
    fault = verdict["fault"]
    if fault:
        where = f"entry {fault['seq']}" if fault["seq"] else fault["entry_id"] or "the chain"
        return f"{verdict['chain']}: FAULT at {where}: {fault['detail']} ({fault['kind']})"
    anchored = verdict["anchored"]
    known = f", {anchored['compared']} anchors agree" if anchored else ""
    return f"{verdict['chain']}: {verdict['seq']} entries, unbroken{known}"
