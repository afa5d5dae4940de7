"""How a file of commands is made: plain help, which is quick and survives a pipe, with examples."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import typer

from sync2gear_cli import instants

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


def moment(option: str, words: str | None) -> str | None:
    """An instant behind us for the platform: "yesterday 18:00", by the clock of this machine."""
    if words is None:
        return None
    try:
        return instants.past(words, datetime.now(UTC)).isoformat()
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def day(option: str, words: str | None) -> str | None:
    """A day for the platform: "2026-12-24", "today", "yesterday"."""
    if words is None:
        return None
    try:
        return instants.day(words, datetime.now().astimezone()).isoformat()
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def an_id(shown_by: str) -> Callable[[str | None], str | None]:
    """For an argument that is an id: anything else is wrong usage, and who shows ids is said."""

    def check(value: str | None) -> str | None:
        try:
            return str(UUID(value.strip())) if value else value
        except ValueError:
            raise typer.BadParameter(f"{value!r} is no id: {shown_by} shows them") from None

    return check


def only_of(what: str, shown_by: str) -> Any:
    """An option that leaves what is not of this one: its id, which ``shown_by`` shows."""
    return typer.Option(help=f"Only of this {what}.", metavar="ID", callback=an_id(shown_by))


def ask(question: str, *, yes: bool) -> None:
    """Go on where a person agrees or ``yes`` was given; wrong usage where nobody can be asked."""
    if yes:
        return
    from sync2gear_cli import output  # help needs none of it

    if not sys.stdin.isatty():
        raise typer.BadParameter("needed where nobody can be asked", param_hint="--yes")
    typer.confirm(output.clean(question), abort=True, err=True)
