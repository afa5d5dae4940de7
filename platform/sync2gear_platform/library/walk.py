"""What lies in a folder: every plain file once, in a person's order, and nothing outside it."""

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sync2gear_platform.library import rules

_DIGITS = re.compile(r"([0-9]+)")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file to take, or with a ``code`` of ``rules.REASONS`` one that is not taken.

    ``name`` is the path below the folder and ``filename`` its last part, both as inert text.
    """

    path: Path
    name: str
    filename: str
    size: int = 0
    code: str = ""


def walk(
    root: Path, *, max_files: int = rules.MAX_FILES, max_depth: int = rules.MAX_DEPTH
) -> Iterator[Entry]:
    """Every entry below ``root`` that is not hidden; ``OSError`` where ``root`` cannot be read."""
    top = root.resolve(strict=True)
    for count, entry in enumerate(_below(top, "", max_depth)):
        if count >= max_files:
            yield _entry(top, "", code="too_many")
            return
        yield entry


def _below(top: Path, inside: str, depth: int) -> Iterator[Entry]:
    try:
        with os.scandir(top / inside) as found:
            children = sorted((e for e in found if not e.name.startswith(".")), key=_natural)
    except OSError:
        if not inside:
            raise
        yield _entry(top, inside, code="unreadable")
        return
    for child in children:
        relative = f"{inside}/{child.name}" if inside else child.name
        try:
            status = child.stat(follow_symlinks=False)
        except OSError:
            yield _entry(top, relative, code="unreadable")
            continue
        if stat.S_ISDIR(status.st_mode):
            if depth > 1:
                yield from _below(top, relative, depth - 1)
            else:
                yield _entry(top, relative, code="too_deep")
        elif stat.S_ISREG(status.st_mode):
            yield _entry(top, relative, size=status.st_size)
        else:
            yield _entry(top, relative, code="not_a_file")


def _entry(top: Path, relative: str, *, size: int = 0, code: str = "") -> Entry:
    if not code and size == 0:
        code = "empty"
    if not code and size > rules.MAX_BYTES:
        code = "too_large"
    return Entry(
        path=top / relative,
        name=rules.file_name(os.fsencode(relative)) or ".",
        filename=rules.file_name(os.fsencode(relative.rpartition("/")[2])),
        size=size,
        code=code,
    )


def _natural(entry: os.DirEntry[str]) -> tuple[tuple[tuple[int, str], ...], str]:
    """Track 2 before track 10, whatever the case; the name itself where that is equal."""
    parts = _DIGITS.split(entry.name.lower())
    key = tuple(
        (int(part), "") if part.isdigit() and len(part) < 20 else (-1, part) for part in parts
    )
    return key, entry.name
