"""A bar for what takes long, where somebody looks: on stderr, and gone when it is done."""

from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from sync2gear_cli import output


def bar(doing: str) -> Progress:
    """So much of so much, behind the word ``doing``."""
    return Progress(
        TextColumn(doing),
        BarColumn(),
        MofNCompleteColumn(),
        console=output.console(stderr=True),
        transient=True,
    )


def bytes_bar() -> Progress:
    """Bytes that go over a line: how many, how fast, and how long it will take."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=output.console(stderr=True),
        transient=True,
    )
