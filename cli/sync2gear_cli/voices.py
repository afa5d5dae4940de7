"""`voices`: who can speak, and how it sounds."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote

import typer

from sync2gear_cli import commands, names, output
from sync2gear_cli.client import Api, open_api
from sync2gear_cli.output import AsJson

app = commands.new()
group = commands.new("Voices that can speak: list them, hear one.")
app.add_typer(group, name="voices")

Provider = Annotated[
    str | None, typer.Option(help="Only of this provider, by name or id.", metavar="NAME")
]


@group.command("list", epilog=commands.examples("sync2gear voices list --language de"))
def list_(
    ctx: typer.Context,
    language: Annotated[
        str | None, typer.Option(help="Only of this language, such as de or en-GB.")
    ] = None,
    provider: Provider = None,
    as_json: AsJson = False,
) -> None:
    """List the voices that can speak."""
    with open_api(ctx.obj) as api:
        params = {"language": language} if language else {}
        if provider is not None:
            params["provider"] = _provider(api, provider)
        answer = api.get("/announcements/voices/", **params)
    if as_json:
        output.emit(answer)
        return
    heads = ("voice", "language", "name", "provider")
    rows = [tuple(one[h if h != "voice" else "id"] for h in heads) for one in answer["results"]]
    output.show(heads, rows, "There are no voices.")
    for name in answer["silent"]:
        output.note(f"{output.clean(name)} does not answer now.")


@group.command(
    epilog=commands.examples(
        "sync2gear voices preview de --to de.wav",
        'sync2gear voices preview en-gb --text "Good evening" --to evening.wav',
    )
)
def preview(
    ctx: typer.Context,
    voice: Annotated[str, typer.Argument(help="A voice, as `voices list` has it.")],
    to: Annotated[Path, typer.Option(help="The file to write the sound into.")],
    text: Annotated[
        str | None, typer.Option(help="What it says; by default a sentence in its language.")
    ] = None,
    provider: Provider = None,
    as_json: AsJson = False,
) -> None:
    """Have a voice say a sentence, into a file; the same again costs nothing."""
    given: dict[str, Any] = {"voice": voice}
    if text is not None:
        given["text"] = text
    with open_api(ctx.obj) as api:
        if provider is not None:
            given["provider_id"] = _provider(api, provider)
        answer = api.fetch("/announcements/voices/preview/", given)
    output.save(answer.content, to)
    spoken = {
        "file": str(to),
        "voice": unquote(answer.headers.get("X-Spoken-Voice", "")),
        "provider": unquote(answer.headers.get("X-Spoken-Provider", "")),
        "bytes": len(answer.content),
    }
    if as_json:
        output.emit(spoken)
    else:
        output.line(f"{spoken['voice']} of {spoken['provider']} is in {to}.")


def _provider(api: Api, wanted: str) -> str:
    return str(names.find("provider", list(api.pages("/ai-providers/")), wanted)["id"])
