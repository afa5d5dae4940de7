"""Full-text search of 100,000 tracks behind row-level security, beside a page without a search.

As the application's role for one of two clients, the first page of 50 in order of titles, searched
for what people type and for how they begin to. ILIKE over the same columns is shown too, and the
plan of a search for a rare and for a common word. Fails where a search takes more than ``BOUNDS``
times the page without one, of the same run and machine.
"""

import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg
from bench import Metric, quantile, report
from sqlalchemy import ColumnElement, or_, text
from sqlmodel import col, select

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.services import start_postgres
from support.world import World, cloned_database, make_settings
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.paging import Index, read_late
from sync2gear_platform.library import filters, separation
from sync2gear_platform.library.tables import Track
from sync2gear_platform.migrations.run import migrate

TRACKS: Final = 100_000
OTHERS: Final = 20_000
"""Tracks of the other client, with the same words."""

SEARCHES: Final = 200
SYLLABLES: Final = tuple(
    f"{first}{second}" for first in "bdfghjklmnprstv" for second in ("a", "é", "i", "o", "ü")
)
NAIVE: Final = 20
"""Searches that ILIKE does too."""

BOUNDS: Final = {"p50": 4.0, "p99": 6.0}
"""How many times a page without a search (its p50) a search may take."""

COLUMNS: Final = ("id", "version", "created_at", "updated_at", "client_id", "sha256", "filename",
                  "title", "artist", "album", "genre", "duration_millis", "words", "title_key",
                  "position")  # fmt: skip


def vocabulary(rng: random.Random) -> list[str]:
    """Words of which the first are used far more often than the last, as in a language."""
    words = {"".join(rng.choices(SYLLABLES, k=rng.randint(1, 4))) for _ in range(30_000)}
    return sorted(words, key=lambda word: (len(word), word))


def names(rng: random.Random, words: list[str], count: int) -> str:
    """``count`` words."""
    return " ".join(words[int(len(words) * rng.random() ** 3)] for _ in range(count))


def fill(
    superuser_url: str, client: UUID, count: int, rng: random.Random, words: list[str]
) -> None:
    """``count`` tracks of one client, which share one piece of audio."""
    artists = [names(rng, words, 2).title() for _ in range(max(1, count // 20))]
    with psycopg.connect(superuser_url) as connection:
        connection.execute(
            "INSERT INTO media (client_id, sha256, bytes, frames, codec, gain, created_at)"
            " VALUES (%s, %s, 1, 1, 'flac', 0, now())",
            (client, "a" * 64),
        )
        into = f"COPY tracks ({', '.join(COLUMNS)}) FROM STDIN".encode()
        with connection.cursor().copy(into) as copy:
            for _ in range(count):
                title, artist = names(rng, words, 3).title(), rng.choice(artists)
                album, genre = names(rng, words, 2).title(), rng.choice(words[:40])
                file = f"{title}.flac"
                found = " ".join(separation.words(title, artist, album, genre, file))
                copy.write_row(
                    (uuid4(), 1, "now", "now", client, "a" * 64, file, title, artist, album, genre,
                     180_000, found, separation.title_key(title), 0)
                )  # fmt: skip
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE tracks")
        connection.execute("VACUUM ANALYZE track_words")


def alike(needle: str) -> ColumnElement[bool]:
    """The naive search: each word anywhere in any of the columns."""
    columns = (Track.title, Track.artist, Track.album, Track.genre, Track.filename)
    either: list[Any] = [
        or_(*(col(c).ilike(f"%{word}%") for c in columns)) for word in needle.split()
    ]
    for more in either[1:]:
        either[0] &= more
    found: ColumnElement[bool] = either[0]
    return found


def first_page(ctx: Ctx, *conditions: ColumnElement[bool], index: Index | None = None) -> Any:
    """What a list asks for."""
    order = [col(Track.title), col(Track.id)]
    mine = select(Track).where(col(Track.client_id) == ctx.client_id, *conditions)
    found = index or Index(mine, *order)
    wanted = found.statement.order_by(found.key, found.tiebreak).limit(51)
    return read_late(wanted, found.tiebreak, col(Track.id), order) if conditions else wanted


async def timed(world: World, client: UUID, needle: str | None, *, naive: bool = False) -> float:
    """Milliseconds of a page in a transaction of its own, rows read; ``None``: of no search."""
    async with world.ctx(client) as ctx:
        began = time.perf_counter()
        if needle is None:
            statement = first_page(ctx)
        elif naive:
            statement = first_page(ctx, alike(needle))
        else:
            statement = await search(ctx, needle)
        (await ctx.db.exec(statement)).all()
        return (time.perf_counter() - began) * 1000


async def search(ctx: Ctx, needle: str) -> Any:
    """What a list of tracks asks when it is searched."""
    indexes = await filters.prepare(ctx, needle)
    return first_page(ctx, filters.matching(ctx, needle), index=indexes.get("title"))


async def explain(world: World, client: UUID, needle: str) -> None:
    """Print how a search is answered."""
    async with world.ctx(client) as ctx:
        plan = (await search(ctx, needle)).compile(
            dialect=world.db.engine.dialect, compile_kwargs={"literal_binds": True}
        )
        lines = await ctx.db.execute(text(f"EXPLAIN (ANALYZE, COSTS OFF) {plan}"))
        print(f"\n{needle}:", *(line for (line,) in lines), sep="\n")


def needles(rng: random.Random, words: list[str]) -> dict[str, list[str]]:
    """What people type: one word's beginning, two of them, and the two letters at the start."""

    def some(least: int) -> str:
        word = rng.choice([w for w in rng.choices(words, k=200) if len(w) >= least])
        return word[: rng.randint(least, len(word))]

    return {
        "prefix": [some(4) for _ in range(SEARCHES)],
        "two_words": [f"{some(4)} {some(3)}" for _ in range(SEARCHES)],
        "whole_title": [names(rng, words, 3) for _ in range(SEARCHES)],
        "three_letters": [some(3)[:3] for _ in range(SEARCHES)],
        "two_letters": [some(2)[:2] for _ in range(SEARCHES)],
        "one_letter": [some(1)[:1] for _ in range(SEARCHES)],
    }


async def measure(world: World, superuser_url: str) -> dict[str, Metric]:
    """Each search, in turn with a page without one."""
    rng = random.Random(4)
    words = vocabulary(rng)
    one, other = await world.tenant("One"), await world.tenant("Other")
    fill(superuser_url, other.id, OTHERS, rng, words)
    fill(superuser_url, one.id, TRACKS, rng, words)
    took: dict[str, list[float]] = {}
    ilike: dict[str, list[float]] = {}
    plain: list[float] = []
    for kind, asked in needles(rng, words).items():
        for needle in asked:
            plain.append(await timed(world, one.id, None))
            took.setdefault(kind, []).append(await timed(world, one.id, needle))
        ilike[kind] = [await timed(world, one.id, n, naive=True) for n in asked[:NAIVE]]
    page = quantile(plain, 0.5)
    metrics = {
        f"{kind}_{name}": Metric(quantile(times, q), "ms", page)
        for kind, times in took.items()
        for name, q in (("p50", 0.5), ("p99", 0.99))
    }
    metrics |= {
        f"ilike_{kind}_p50": Metric(quantile(times, 0.5), "ms") for kind, times in ilike.items()
    }
    await explain(world, one.id, f"{words[5000][:5]} {words[9000][:4]}")
    await explain(world, one.id, words[5000][:3])
    await explain(world, one.id, words[0][:1])
    return metrics


def beyond(metrics: dict[str, Metric]) -> list[str]:
    """The figures that are worse than they may be."""
    return [
        f"{key} is {metric.ratio:.1f} times a page without a search, more than {bound}"
        for key, metric in metrics.items()
        for name, bound in BOUNDS.items()
        if key.endswith(name) and metric.ratio is not None and metric.ratio > bound
    ]


async def main() -> int:
    """On a private PostgreSQL."""
    with tempfile.TemporaryDirectory() as folder:
        server = start_postgres()
        try:
            migrate(server.admin_url, server.app_url)
            with cloned_database(server) as (admin_url, app_url):
                settings = make_settings(Path(folder), app_url, admin_url)
                place = server.superuser_url.rpartition("/")[0]
                superuser = f"{place}/{admin_url.rpartition('/')[2]}"
                async with World.open(settings) as world:
                    metrics = await measure(world, superuser)
        finally:
            server.stop()
    report(
        "search",
        metrics,
        f"{TRACKS} tracks of one client, {OTHERS} of another; baseline: a page without a search",
    )
    worse = beyond(metrics)
    print(*worse, sep="\n", file=sys.stderr)
    return len(worse) > 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
