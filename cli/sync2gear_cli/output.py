"""What commands write: tables and lines for people, one JSON document for programs."""

import json
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sync2gear_cli.failures import Failure

AsJson = Annotated[bool, typer.Option("--json", help="Write one JSON document on stdout.")]

_WIDE: Final = 200
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_NUMBERS: Final = frozenset(
    {
        "volume",
        "speakers",
        "tracks",
        "length",
        "found",
        "imported",
        "known",
        "rejected",
        "devices",
        "online",
        "members",
        "storage",
    }
)
STATUS_STYLES: Final = {"playing": "green", "paused": "yellow", "stopped": "red"}


def local_time(stamp: str, *, day: bool = False) -> str:
    """An ISO 8601 instant of the API as this machine's clock shows it, to the tenth of a second."""
    at = datetime.fromisoformat(stamp).astimezone()
    if day:
        return f"{at:%Y-%m-%d %H:%M:%S}"
    return f"{at:%H:%M:%S}.{at.microsecond // 100_000}"


def clean(value: object) -> str:
    """``value`` as text that cannot steer a terminal: one line without control characters.

    A track's title comes from a file that anybody may have made.
    """
    text = str(value)
    if text.isascii() and text.isprintable():
        return text
    return "".join("\ufffd" if unicodedata.category(c) in _INVISIBLE else c for c in text)


def console(*, stderr: bool = False) -> Console:
    """A terminal in its width and colours; anything else gets wide lines without colour."""
    file = sys.stderr if stderr else sys.stdout
    width = None if file.isatty() else _WIDE
    return Console(file=file, width=width, highlight=False, markup=False, emoji=False)


def emit(document: Any) -> None:
    """The one JSON document of a command."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def line(text: str) -> None:
    """One line for a person."""
    sys.stdout.write(clean(text) + "\n")


def note(text: str) -> None:
    """One line for a person that is no result: on stderr, so that pipes stay clean."""
    sys.stderr.write(clean(text) + "\n")


def pour(pieces: Iterator[bytes], target: Path | None) -> None:
    """``pieces`` into a new file, or to stdout. A file is whole or is not there."""
    if target is None:
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        return
    first = next(pieces, b"")  # a refusal must not leave an empty file
    try:
        with target.open("xb") as file:
            try:
                file.writelines(chain((first,), pieces))
            except BaseException:  # what breaks off: the network, the disk, Ctrl-C
                target.unlink()
                raise
    except OSError as error:
        raise Failure(f"{target}: {error.strerror}", "not_written") from error


def save(content: bytes, target: Path) -> None:
    """``content`` in the place of what ``target`` was, which it stays until all is written."""
    part = target.with_name(f".{target.name}.part")
    try:
        part.write_bytes(content)
        part.replace(target)
    except OSError as error:
        raise Failure(f"cannot write {target}: {error.strerror}", "not_written") from error


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A plain table; a cell that names a status takes its colour."""
    made = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for head in heads:
        numeric = head in _NUMBERS
        made.add_column(
            head,
            justify="right" if numeric else "left",
            no_wrap=numeric or head == "status",
            overflow="fold",
        )
    for row in rows:
        made.add_row(*(_cell(value) for value in row))
    return made


def show(heads: Sequence[str], rows: Sequence[Sequence[object]], empty: str) -> None:
    """A table on stdout, or the sentence ``empty`` when it would have no rows."""
    if rows:
        console().print(table(heads, rows))
    else:
        line(empty)


def _cell(value: object) -> Text:
    text = clean(value)
    return Text(text, style=STATUS_STYLES.get(text, ""))
