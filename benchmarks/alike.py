"""Whether the time of an answer tells who has an account: a known e-mail beside an unknown one.

Signing in with a wrong password, signing up, and asking for a new password, taking turns between
the two. A ratio near 1 tells nothing; the spread of either is what hides the rest.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from bench import Metric, quantile, report

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import httpx2
from sqlalchemy import text

from support.services import start_postgres
from support.world import PASSWORD, World, cloned_database, make_settings
from sync2gear_platform.migrations.run import migrate

ROUNDS = 150
QUESTIONS = {
    "sign-in": ("login", {"password": "a wrong guess of mine"}),
    "sign-up": ("signup", {"password": PASSWORD, "name": "Kim", "company": "Bakery"}),
    "password reset": ("password-reset", {}),
}


async def ask(http: httpx2.AsyncClient, path: str, body: dict[str, str], email: str) -> float:
    """Milliseconds of one answer."""
    began = time.perf_counter()
    answer = await http.post(f"/api/v1/auth/{path}/", json={**body, "email": email})
    assert answer.status_code in {202, 401}, answer.text
    return (time.perf_counter() - began) * 1000


async def compare(world: World) -> dict[str, Metric]:
    """Median of known over median of unknown, per question."""
    known = (await world.tenant()).email
    http = await world.http()
    metrics = {}
    for name, (path, body) in QUESTIONS.items():
        times: dict[bool, list[float]] = {True: [], False: []}
        for number in range(ROUNDS * 2):
            if number % 8 == 0:  # so that guessing is not stopped
                async with world.ctx() as ctx:
                    await ctx.db.execute(text("DELETE FROM sign_in_attempts"))
            is_known = number % 2 == 0
            email = known if is_known else "unknown@example.test"
            times[is_known].append(await ask(http, path, body, email))
        for q, label in ((0.5, "p50"), (0.95, "p95")):
            metrics[f"{name} {label}"] = Metric(
                quantile(times[True], q), "ms, beside an unknown e-mail", quantile(times[False], q)
            )
    return metrics


async def main() -> None:
    """Run it on a database of its own."""
    server = start_postgres()
    try:
        migrate(server.admin_url, server.app_url)
        with cloned_database(server) as (admin_url, app_url), tempfile.TemporaryDirectory() as home:
            async with World.open(make_settings(Path(home), app_url, admin_url)) as world:
                metrics = await compare(world)
        report("alike", metrics, f"{ROUNDS} answers each")
    finally:
        server.stop()


if __name__ == "__main__":
    asyncio.run(main())
