"""Tables as CSV that no spreadsheet takes for something to calculate."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any, Final

_FORMULA: Final = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    "\0",
    "\uff1d",
    "\uff0b",
    "\uff0d",
    "\uff20",
)


def sheet(table: Iterable[Sequence[Any]]) -> bytes:
    """``table`` as CSV in UTF-8, every cell quoted; ``None`` is empty."""
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([_cell(v) for v in row] for row in table)
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    """A cell that no spreadsheet takes for a formula (ASVS 1.2.10)."""
    text = "" if value is None else str(value)
    if text[:1].isalnum():  # nearly every cell, told at once: there are half a million in an export
        return text
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
