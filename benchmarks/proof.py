"""Lists, sums, reports and exports of a million lines of proof of play, over HTTP.

One client of 50 zones with 46 days of lines, beside another one with a tenth of that; filters for
what is common, rare, and never there. The baseline of each is the same question in the same run
before the indexes ``TESTED`` are made. ``--explain`` prints the plans of the statements that take
longest. Fails where a page takes more than ``BOUND`` milliseconds.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg
from bench import Metric, quantile, report
from sqlalchemy import event

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.services import start_postgres
from support.world import Tenant, World, cloned_database, make_settings
from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.migrations.run import migrate

LINES: Final = 1_000_000
ZONES: Final = 50
WORKS: Final = 1_500
"""Tracks that are played, each about ten times in a zone and a month."""

REPEATS: Final = 3
EVERY: Final = 200
"""Seconds from one line of a zone to the next."""

BOUND: Final = 150.0
"""Milliseconds of a page of a list, whatever it is filtered by, on a machine of two cores."""

TESTED: Final = ("ix_proof_lines_client_unusual", "ix_proof_lines_client_schedule")
"""Indexes for what people look for among all the other lines: what do they gain?"""

RARE: Final = UUID(int=0x5EED)
"""A schedule that put fifty lines there, the oldest."""

FILL: Final = """
INSERT INTO proof_lines (client_id, id, zone_id, day, begins, ends, frames, kind, manner, source,
    item, sha256, subject, schedule_id, announcement_id, why, silenced, outcome, reason, began,
    heard, heard_by, speakers)
SELECT %(client)s, gen_random_uuid(),
    ('00000000-0000-0000-0001-' || lpad(zone::text, 12, '0'))::uuid,
    (to_timestamp(begins / 48000))::date, begins, begins + 9600000, 9600000,
    CASE WHEN word THEN 'announcement' ELSE 'music' END,
    CASE WHEN n %% 9973 = 0 THEN 'stand_in' WHEN n %% 4999 = 0 THEN 'unplanned' ELSE 'planned' END,
    CASE WHEN n %% 499 = 0 THEN 'call' ELSE 'schedule' END,
    'item' || n, subject, subject,
    CASE WHEN n > %(lines)s - 50 THEN %(rare)s
         ELSE ('00000000-0000-0000-0000-' || lpad((turn %% 40)::text, 12, '0'))::uuid END,
    NULL, '', '',
    CASE WHEN n %% 211 = 0 THEN 'missed' WHEN n %% 307 = 0 THEN 'late'
         WHEN n %% 1511 = 0 THEN 'unknown' ELSE 'played' END,
    '', begins, 9600000, 1, '{}'
FROM (
    SELECT n, turn, zone, (turn + zone) %% 20 = 0 AS word,
        %(now)s - turn * %(every)s * 48000 - zone AS begins,
        encode(sha256(int8send(CASE WHEN (turn + zone) %% 20 = 0 THEN %(works)s + turn %% 30
            ELSE (turn * 7919 + zone * 31) %% %(works)s END)), 'hex') AS subject
    FROM (
        SELECT n, n / %(zones)s AS turn, n %% %(zones)s AS zone
        FROM generate_series(1::bigint, %(lines)s) AS n
    ) AS counted
) AS made
"""
"""Every zone plays its way through all works; one line of twenty is an announcement."""

REST: Final = (
    """
INSERT INTO proof_works (client_id, subject, kind, title, artist, album, isrc, frames, seen_on)
SELECT DISTINCT client_id, subject, kind, 'Song ' || left(subject, 6),
    'Artist ' || right(subject, 2), '', 'DEA0100' || right(subject, 5), 9600000, current_date
FROM proof_lines WHERE client_id = %(client)s
""",
    """
INSERT INTO proof_zones (client_id, zone_id, name, timezone, since_frame, until_frame, looked_frame)
SELECT DISTINCT client_id, zone_id, 'Zone ' || right(zone_id::text, 3), 'UTC', 0, 0, 0
FROM proof_lines WHERE client_id = %(client)s
""",
    """
INSERT INTO proof_days (client_id, zone_id, day, kind, planned, played, late, missed, unknown,
    pending, heard)
SELECT client_id, zone_id, day, kind, count(*), count(*) FILTER (WHERE outcome = 'played'),
    count(*) FILTER (WHERE outcome = 'late'), count(*) FILTER (WHERE outcome = 'missed'), 0, 0,
    sum(heard)
FROM proof_lines WHERE client_id = %(client)s GROUP BY 1, 2, 3, 4
""",
    """
INSERT INTO proof_months (client_id, zone_id, month, kind, subject, planned, played, late, missed,
    unknown, pending, heard)
SELECT client_id, zone_id, date_trunc('month', day), kind, subject, count(*),
    count(*) FILTER (WHERE outcome = 'played'), count(*) FILTER (WHERE outcome = 'late'),
    count(*) FILTER (WHERE outcome = 'missed'), 0, 0, sum(heard)
FROM proof_lines WHERE client_id = %(client)s GROUP BY 1, 2, 3, 4, 5
""",
)


def fill(superuser_url: str, counts: dict[UUID, int], now: int) -> list[str]:
    """So many lines of each client, with all that belongs to them; how ``TESTED`` are made.

    Lines are written without the table's further indexes, which are made afterwards: row by row
    they take most of the time.
    """
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        found = connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes"
            " WHERE tablename = 'proof_lines' AND indexdef NOT LIKE 'CREATE UNIQUE%'"
        ).fetchall()
        indexes = dict(found)
        for name in indexes:
            connection.execute(f"DROP INDEX {name}")
        connection.execute("SET session_replication_role = replica")
        for client, count in counts.items():
            values = {
                "client": client, "lines": count, "zones": ZONES, "works": WORKS,
                "every": EVERY, "now": now, "rare": RARE,
            }  # fmt: skip
            for statement in (FILL, *REST):
                connection.execute(statement, values)
        for name, made in indexes.items():
            if name not in TESTED:
                connection.execute(made)
        connection.execute("VACUUM ANALYZE")
        return [indexes[name] for name in TESTED]


def questions(world: World) -> dict[str, tuple[str, dict[str, str]]]:
    """What people ask, by a name that begins with what it is."""
    now = world.clock.now()

    def days(first: int, last: int) -> dict[str, str]:
        given = [(now - timedelta(days=one)).date().isoformat() for one in (first, last)]
        return dict(zip(("first_day", "last_day"), given, strict=True))

    month = now.date().replace(day=1) - timedelta(days=1)
    whole = {"first_day": month.replace(day=1).isoformat(), "last_day": month.isoformat()}
    zone = "00000000-0000-0000-0001-000000000007"
    usual = "00000000-0000-0000-0000-000000000007"
    past = {"from": (now - timedelta(days=40)).isoformat(),
            "to": (now - timedelta(days=39)).isoformat()}  # fmt: skip
    lists: dict[str, dict[str, str]] = {
        "all": {},
        "zone": {"zone": zone},
        "past": past,
        "announcements": {"kind": "announcement"},
        "missed": {"outcome": "missed"},
        "missed_zone": {"outcome": "missed", "zone": zone},
        "unknown": {"outcome": "unknown"},
        "pending": {"outcome": "pending"},
        "stand_ins": {"manner": "stand_in"},
        "calls": {"source": "call"},
        "emergencies": {"source": "emergency"},
        "schedule": {"schedule": usual},
        "schedule_rare": {"schedule": str(RARE)},
        "schedule_none": {"schedule": str(uuid4())},
        "missed_rare": {"schedule": str(RARE), "outcome": "missed"},
        "search": {"search": "Song 7c"},
        "search_none": {"search": "Nobody"},
    }
    return {
        **{f"list_{name}": ("/proof/", asked) for name, asked in lists.items()},
        "sums_track_week": ("/proof/summary/", {"by": "track", **days(7, 1)}),
        "sums_track_zone": ("/proof/summary/", {"by": "track", "zone": zone, **days(7, 1)}),
        "sums_track_month": ("/proof/summary/", {"by": "track", **whole}),
        "sums_day_month": ("/proof/summary/", {"by": "day", **whole}),
        "report_work_month": ("/proof/report/", {"report": "usage-by-work", **whole}),
        "report_venue_month": ("/proof/report/", {"report": "usage-by-venue", **whole}),
        "export_day": ("/proof/export/", {"format": "csv", **past}),
        "export_emergencies": (
            "/proof/export/", {"format": "csv", "source": "emergency", "from": past["from"]},
        ),
    }  # fmt: skip


async def timed(tenant: Tenant, path: str, asked: dict[str, str]) -> float:
    """Milliseconds of one answer, read to its end."""
    began = time.perf_counter()
    answer = await tenant.http.get(f"/api/v1{path}", params=asked, timeout=120)
    assert answer.is_success, (path, asked, answer.text[:300])
    return (time.perf_counter() - began) * 1000


class Slowest:
    """The statements that took longest, to be explained."""

    def __init__(self, world: World) -> None:
        self.found: list[tuple[float, str, Any]] = []
        engine = world.db.engine.sync_engine
        event.listen(engine, "before_cursor_execute", self._before)
        event.listen(engine, "after_cursor_execute", self._after)

    def _before(self, connection: Any, *_: Any) -> None:
        connection.info["began"] = time.perf_counter()

    def _after(self, connection: Any, _: Any, statement: str, values: Any, *__: Any) -> None:
        took = time.perf_counter() - connection.info["began"]
        if statement.lstrip().startswith("SELECT"):
            self.found.append((took, statement, values))

    def explain(self, superuser_url: str, most: int = 1) -> None:
        """Print how the slowest are answered, without row-level security."""
        for took, statement, values in sorted(self.found, key=lambda one: -one[0])[:most]:
            print(f"\n{took * 1000:.0f} ms: {values}")
            with psycopg.connect(superuser_url) as connection:
                lines = connection.execute(
                    f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {statement}", values
                )
                print(*(line for (line,) in lines), sep="\n")
        self.found.clear()


async def measure(world: World, superuser_url: str, *, explain: bool) -> dict[str, Metric]:
    """Each question, without the indexes that are looked at and with them."""
    one, other = await world.tenant("One"), await world.tenant("Other")
    now = world.clock.frames() - 3600 * FRAME_RATE
    missing = fill(superuser_url, {other.id: LINES // 10, one.id: LINES}, now)
    asked = questions(world)
    slowest = Slowest(world)
    before = {
        name: quantile([await timed(one, *question) for _ in range(REPEATS)], 0.5)
        for name, question in asked.items()
        if name.startswith("list_")
    }
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        for made in missing:
            connection.execute(made)
        connection.execute("ANALYZE proof_lines")
    metrics = {}
    for name, question in asked.items():
        slowest.found.clear()
        took = [await timed(one, *question) for _ in range(REPEATS)]
        metrics[name] = Metric(quantile(took, 0.5), "ms", before.get(name))
        if explain and metrics[name].value > BOUND / 3:
            print(f"\n== {name}")
            slowest.explain(superuser_url)
    return metrics


def beyond(metrics: dict[str, Metric]) -> Sequence[str]:
    """The pages that take longer than they may."""
    return [
        f"{name} takes {metric.value:.0f} ms, more than {BOUND:g}"
        for name, metric in metrics.items()
        if name.startswith("list_") and metric.value > BOUND
    ]


async def main() -> int:
    """On a private PostgreSQL."""
    with tempfile.TemporaryDirectory() as folder:
        server = start_postgres()
        try:
            migrate(server.admin_url, server.app_url)
            with cloned_database(server) as (admin_url, app_url):
                settings = make_settings(Path(folder), app_url, admin_url)
                database = admin_url.rpartition("/")[2]
                superuser_url = f"{server.superuser_url.rpartition('/')[0]}/{database}"
                async with World.open(settings) as world:
                    metrics = await measure(
                        world, superuser_url, explain="--explain" in sys.argv[1:]
                    )
        finally:
            server.stop()
    report("proof", metrics, f"{LINES:,} lines; the baseline is without {', '.join(TESTED)}")
    slow = beyond(metrics)
    print(*slow, sep="\n")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
