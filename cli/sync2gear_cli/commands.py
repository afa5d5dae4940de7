"""How a file of commands is made: plain help, which is quick and survives a pipe, with examples."""

import sys
from typing import Annotated

import typer

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def new(text: str | None = None) -> typer.Typer:
    """An empty list of commands; ``text`` is its help where it is a noun with verbs of its own."""
    return typer.Typer(
        help=text,
        no_args_is_help=text is not None,
        rich_markup_mode=None,
        add_completion=False,
    )


def examples(*lines: str) -> str:
    """An epilog that shows ``lines`` as they are typed."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def ask(question: str, *, yes: bool) -> None:
    """Go on where a person agrees or ``yes`` was given; wrong usage where nobody can be asked."""
    if yes:
        return
    from sync2gear_cli import output  # help needs none of it

    if not sys.stdin.isatty():
        raise typer.BadParameter("needed where nobody can be asked", param_hint="--yes")
    typer.confirm(output.clean(question), abort=True, err=True)
