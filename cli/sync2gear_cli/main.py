"""The `sync2gear` command: its list of verbs."""

import typer

from sync2gear_cli.up import up

app = typer.Typer(no_args_is_help=True, help="Runs and operates sync2gear.")


@app.callback()
def _root() -> None:
    """Keep `up` a verb even while it is the only one."""


app.command()(up)
