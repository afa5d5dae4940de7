"""The api dies in the middle of a request with a key: repeated, it is done exactly once."""

import os
import random
import sys
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import psycopg
import pytest

from support.killing import gate, waiting
from support.stack import Program, wait_until
from support.world import SECRET, Tenant, World
from sync2gear_cli.services import process

ROUTE = "/api/v1/locations/"

PHASES = {
    "claimed, nothing done": "BEFORE INSERT ON locations FOR EACH ROW",
    "done, the answer not kept": "BEFORE UPDATE ON kept_answers FOR EACH ROW",
    "committing": "AFTER INSERT ON locations DEFERRABLE INITIALLY DEFERRED FOR EACH ROW",
}
"""Where a trigger holds the transaction up, in the order in which a request comes by."""


class Api:
    """One api process on the database of a world, killable."""

    def __init__(self, world: World, folder: Path, tenant: Tenant) -> None:
        port = process.free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.headers = {"Authorization": tenant.http.headers["authorization"]}
        settings = world.settings
        assert settings.database_admin_url is not None
        self.admin_url = settings.database_admin_url.get_secret_value()
        self.app_url = settings.database_url.get_secret_value()
        env = {
            **os.environ,
            "S2G_ENV": "dev",
            "S2G_DATA_DIR": str(folder),
            "S2G_SECRET_KEY": SECRET,
            "S2G_DATABASE_URL": self.app_url,
            "S2G_HTTP_PORT": str(port),
            "S2G_PUBLIC_URL": "http://platform.test",
        }
        command = [sys.executable, "-m", "sync2gear_platform", "api"]
        self.program = Program("api", command, env, folder / "api.log")

    def start(self) -> None:
        self.program.start()
        wait_until(self.answers, "the api answers")

    def answers(self) -> bool:
        try:
            return httpx2.get(f"{self.url}/api/v1/health/", timeout=2).is_success
        except httpx2.HTTPError:
            return False

    def ask(self, address: str, key: str | None) -> httpx2.Response:
        headers = {**self.headers, **({"Idempotency-Key": key} if key else {})}
        body = {"name": "Shop", "address": address}
        return httpx2.post(f"{self.url}{ROUTE}", json=body, headers=headers, timeout=30)

    def effects(self, address: str) -> int:
        with psycopg.connect(self.app_url) as connection:
            connection.execute("SET role sync2gear_system")
            counted = "SELECT count(*) FROM locations WHERE address = %s"
            row = connection.execute(counted, [address]).fetchone()
            assert row is not None
            return int(row[0])


@pytest.fixture
async def api(world: World, tmp_path: Path) -> AsyncIterator[Api]:
    """An api process, started."""
    made = Api(world, tmp_path, await world.tenant())
    made.start()
    yield made
    made.program.kill()


def killed_in(api: Api, phase: str, key: str | None) -> None:
    """Ask, kill the api while the request is in ``phase``, and start another."""
    with ThreadPoolExecutor(1) as pool, gate(api.admin_url, PHASES[phase]):
        asked = pool.submit(api.ask, phase, key)
        wait_until(lambda: waiting(api.admin_url), f"the request waits: {phase}")
        api.program.kill()
        assert isinstance(asked.exception(30), httpx2.TransportError)
        api.start()


def test_killed_between_two_phases_it_is_still_done_once(api: Api) -> None:
    for number, phase in enumerate(PHASES):
        key = f"key-{number}"
        killed_in(api, phase, key)
        answer = api.ask(phase, key)
        assert answer.status_code == 201, answer.text
        assert answer.json()["address"] == phase
        # the database commits what was asked of it, although nobody waits for it any more
        assert ("idempotency-replayed" in answer.headers) == (phase == "committing")
        assert api.ask(phase, key).json() == answer.json()
        assert api.effects(phase) == 1, phase


def test_the_count_would_notice_a_request_without_a_key(api: Api) -> None:
    killed_in(api, "committing", None)
    assert api.ask("committing", None).status_code == 201
    assert api.effects("committing") == 2


def killed_at_random(api: Api, kills: int, dice: random.Random) -> None:
    """Ask for one thing after the other from three sides, and kill the api meanwhile."""
    number = 0
    for _ in range(kills):
        with ThreadPoolExecutor(6) as pool:
            keys = [f"k{n}" for n in range(number, number + 12)]
            number += 12
            asked = [pool.submit(api.ask, key, key) for key in keys * 3]
            time.sleep(dice.uniform(0.0, 0.25))  # the moment of the kill is what is tried out
            api.program.kill()
            for one in asked:
                one.exception(30)
        api.start()
        answers = [api.ask(key, key) for key in keys]
        assert [a.status_code for a in answers] == [201] * 12
        assert [api.effects(key) for key in keys] == [1] * 12


def test_killed_at_any_moment_everything_is_done_once(api: Api) -> None:
    killed_at_random(api, 2, random.Random(4711))


@pytest.mark.soak
def test_killed_a_hundred_times_everything_is_done_once(api: Api) -> None:
    killed_at_random(api, 100, random.Random())
