"""What it costs that a change is written down, sealed and chained, beside the same change alone.

The change is one UPDATE of a zone in a transaction of its own, through the same door.
"""

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
from bench import Metric, quantile, report

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from sqlalchemy import text

from support.services import start_postgres
from support.world import World, cloned_database, make_settings
from sync2gear_platform.audit import service, verify
from sync2gear_platform.migrations.run import migrate

WRITES = 400
WRITERS = 8
ENTRIES = 10_000
MODES = ("bare", "unchained", "chained")


def triggers(admin_url: str, *, on: bool) -> None:
    """Let the trail be a plain table, or a chain."""
    with psycopg.connect(admin_url) as connection:
        for table in ("audit_entries", "audit_details"):
            verb = "ENABLE" if on else "DISABLE"
            connection.execute(f"ALTER TABLE {table} {verb} TRIGGER USER".encode())


async def write(world: World, client: UUID, zone: UUID, *, recorded: bool) -> float:
    """Milliseconds of one change."""
    began = time.perf_counter()
    async with world.ctx(client) as ctx:
        await ctx.db.execute(
            text("UPDATE zones SET version = version + 1 WHERE id = :id"), {"id": zone}
        )
        if recorded:
            service.record(ctx, "zone.update", "zone", zone, before={"name": "a"},
                           after={"name": "b"})  # fmt: skip
    return (time.perf_counter() - began) * 1000


async def series(
    world: World, clients: list[UUID], zones: list[UUID], count: int, *, recorded: bool
) -> tuple[list[float], float]:
    """Milliseconds of each change by as many writers as there are zones; changes a second."""

    async def writer(client: UUID, zone: UUID) -> list[float]:
        return [await write(world, client, zone, recorded=recorded) for _ in range(count)]

    began = time.perf_counter()
    parts = await asyncio.gather(*(writer(c, z) for c, z in zip(clients, zones, strict=True)))
    took = time.perf_counter() - began
    return [one for part in parts for one in part], len(zones) * count / took


async def measure(world: World, admin_url: str) -> dict[str, Metric]:
    """Every series in turn, each mode beside the other in rounds."""
    tenants = [await world.tenant(f"Client {n}") for n in range(WRITERS)]
    own = [UUID((await t.make("/zones/", name="Zone"))["id"]) for t in tenants]
    same = [UUID((await tenants[0].make("/zones/", name=f"Zone {n}"))["id"])
            for n in range(WRITERS)]  # fmt: skip
    ids = [t.id for t in tenants]
    shapes = {
        "one_writer": (ids[:1], own[:1], WRITES),
        "8_writers_of_one_client": (ids[:1] * WRITERS, same, WRITES // WRITERS),
        "8_writers_of_8_clients": (ids, own, WRITES // WRITERS),
    }
    times: dict[tuple[str, str], list[float]] = {}
    rates: dict[tuple[str, str], list[float]] = {}
    for _ in range(4):
        for mode in MODES:
            triggers(admin_url, on=mode == "chained")
            for name, (clients, zones, count) in shapes.items():
                took, rate = await series(world, clients, zones, count, recorded=mode != "bare")
                times.setdefault((name, mode), []).extend(took)
                rates.setdefault((name, mode), []).append(rate)
    triggers(admin_url, on=True)
    metrics = {}
    for name in shapes:
        for mode in MODES[1:]:
            metrics[f"{name}_{mode}_p50"] = Metric(
                quantile(times[name, mode], 0.5), "ms", quantile(times[name, "bare"], 0.5)
            )
        metrics[f"{name}_rate"] = Metric(
            max(rates[name, "chained"]), "/s", max(rates[name, "bare"])
        )
    return metrics


async def bulk(world: World) -> dict[str, Metric]:
    """Many entries in one transaction, and their verification."""
    tenant = await world.tenant("Bulk")
    each = {}
    for count in (ENTRIES // 10, ENTRIES):
        began = time.perf_counter()
        async with world.ctx(tenant.id) as ctx:
            for _ in range(count):
                service.record(ctx, "zone.update", "zone", uuid4(), after={"name": "b"})
        each[count] = (time.perf_counter() - began) * 1e6 / count
    began = time.perf_counter()
    async for step in verify.verify(lambda: world.db.tenant(tenant.id), tenant.id,
                                    anchors_file=None):  # fmt: skip
        assert step.fault is None
    took = time.perf_counter() - began
    return {
        "entry_in_a_bulk_of_10000": Metric(each[ENTRIES], "us", each[ENTRIES // 10]),
        "verified": Metric(step.place.seq / took, "entries/s"),
    }


async def main() -> None:
    """On a PostgreSQL that waits for its disk, as in production."""
    with tempfile.TemporaryDirectory() as folder:
        server = start_postgres()
        try:
            migrate(server.admin_url, server.app_url)
            with psycopg.connect(server.superuser_url, autocommit=True) as connection:
                connection.execute("ALTER SYSTEM SET fsync = on")
            server.service.settings = ("max_connections=200",)
            server.restart()
            with cloned_database(server) as (admin_url, app_url):
                settings = make_settings(Path(folder), app_url, admin_url)
                async with World.open(settings) as world:
                    metrics = {**await measure(world, admin_url), **await bulk(world)}
        finally:
            server.stop()
    report("audit", metrics, f"{os.cpu_count()} cores; baseline the same change, not written down")


if __name__ == "__main__":
    asyncio.run(main())
