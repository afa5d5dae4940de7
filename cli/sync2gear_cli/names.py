"""Finding the one thing that a person means: by id, by name, or by the beginning of its name."""

from collections.abc import Sequence
from typing import Any, Final
from unicodedata import combining, normalize

from sync2gear_cli.failures import Failure

_SHOWN: Final = 10


def find(
    noun: str, rows: Sequence[dict[str, Any]], wanted: str, *, key: str = "id"
) -> dict[str, Any]:
    """The row of ``rows`` (with ``name`` and ``key``) that ``wanted`` means.

    An id wins over a name and a whole name over a beginning. Case and accents do not matter where
    no name has them just so. Failure ``<noun>_unknown`` or ``<noun>_ambiguous``, naming the
    candidates.
    """
    spelled = wanted.strip()
    folded = spelled.casefold()
    if not folded:
        raise Failure(f"which {noun}? The name is empty", f"{noun}_unknown")
    by_name = [(str(row["name"]).casefold(), row) for row in rows]
    plain = [(_unaccented(name), row) for name, row in by_name]
    for found in (
        [row for row in rows if str(row[key]) == folded],
        [row for row in rows if str(row["name"]) == spelled],
        [row for name, row in by_name if name == folded],
        [row for name, row in by_name if name.startswith(folded)],
        [row for name, row in plain if name == folded],
        [row for name, row in plain if name.startswith(folded)],
    ):
        if len(found) == 1:
            return found[0]
        if found:
            raise Failure(
                f"{wanted!r} may be {_listed(found, key)}: say more of the name, or the id",
                f"{noun}_ambiguous",
            )
    known = f"; there is {_listed(rows, key)}" if rows else ""
    raise Failure(f"there is no {noun} {wanted!r}{known}", f"{noun}_unknown")


def _unaccented(name: str) -> str:
    """``café`` as it is typed where there is no é."""
    return "".join(one for one in normalize("NFKD", name) if not combining(one))


def find_all(
    noun: str, rows: Sequence[dict[str, Any]], wanted: Sequence[str], *, key: str = "id"
) -> list[dict[str, Any]]:
    """:func:`find` for several; one that is named twice is meant once."""
    found = [find(noun, rows, one, key=key) for one in wanted]
    return list({str(row[key]): row for row in found}.values())


def _listed(rows: Sequence[dict[str, Any]], key: str) -> str:
    """Names of at most ten rows; with ids where a name alone would not tell."""
    names = [str(row["name"]) for row in rows]
    shown = [
        f"{name} [{row[key]}]" if names.count(name) > 1 else name
        for name, row in sorted(zip(names, rows, strict=True), key=lambda pair: pair[0].casefold())
    ]
    more = len(shown) - _SHOWN
    return ", ".join(shown[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
