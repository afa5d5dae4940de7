"""How a file of commands is made: plain help, which is quick and survives a pipe, with examples."""

import typer


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
