"""What becomes of every kind of file, as docs/library.md says; bombs are refused soon and small."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.corpus import Piece, pieces
from support.probes import cost, probes
from sync2gear_platform.library import rules
from sync2gear_platform.library.prober import Finding, Prober
from sync2gear_platform.library.rules import Unfit

DOCUMENT = Path(__file__).parents[2] / "docs" / "library.md"
ROW = re.compile(r"^\| `([^`]+)` \| (.+?) \| (taken|taken, with its cover|`\w+`) \|$", re.MULTILINE)
PIECES = {piece.name: piece for piece in pieces()}


def said(piece: Piece) -> str:
    """What becomes of it, in the words of the page."""
    return f"`{piece.code}`" if piece.code else "taken, with its cover" if piece.cover else "taken"


def test_the_page_lists_every_file() -> None:
    rows = {name: (what, outcome) for name, what, outcome in ROW.findall(DOCUMENT.read_text())}
    assert rows == {name: (p.what, said(p)) for name, p in PIECES.items()}


def test_the_page_explains_every_code() -> None:
    listed = dict(re.findall(r"^- `(\w+)`: (.+)$", DOCUMENT.read_text(), re.MULTILINE))
    assert listed == rules.REASONS


def size_of(path: Path) -> int:
    """Bytes of a file."""
    return path.stat().st_size


async def examined(prober: Prober, path: Path) -> Finding | str:
    """What the probe says: a finding, or why not."""
    try:
        return await prober.examine(path, size_of(path))
    except Unfit as unfit:
        return unfit.code


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A folder for one file after the other."""
    yield tmp_path
    for path in tmp_path.iterdir():
        path.unlink()


async def test_every_file_becomes_what_the_page_says(place: Path) -> None:
    async with Prober(1) as prober:
        fine = place / "fine"
        PIECES["fine.wav"].make(fine)
        await examined(prober, fine)
        _, at_first = cost()
        for piece in PIECES.values():
            path = place / "file"
            before = cost()[0] if probes() else 0.0
            piece.make(path)
            found = await examined(prober, path)
            assert (found if isinstance(found, str) else "") == piece.code, piece.name
            if isinstance(found, Finding):
                assert bool(found.cover) == piece.cover, piece.name
                assert abs(found.sound.frames - 288_000) < 4_000 or piece.name == "cut.opus"
            if probes():
                spent, held = cost()
                assert spent - before < 5, (piece.name, spent - before)
                assert held - at_first < 200, (piece.name, held)
            path.unlink()
