"""Fixtures of every tier: real services, one fresh database a test."""

import gc
import os
import shutil
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from support.services import (
    MosquittoServer,
    PostgresServer,
    open_folder,
    start_mosquitto,
    start_postgres,
)

if TYPE_CHECKING:
    from support.bucket import Buckets
    from support.world import World

SHOWN_LINES = 40
FIRST_PORT, PORTS_EACH = 21_000, 1_500

hypothesis_settings.register_profile(
    "test",
    derandomize=True,
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
hypothesis_settings.register_profile(
    "soak", parent=hypothesis_settings.get_profile("test"), derandomize=False, max_examples=3000
)
hypothesis_settings.load_profile(os.environ.get("S2G_HYPOTHESIS", "test"))


def pytest_configure() -> None:
    """Each process that tests chooses ports of its own: one is bound some time after its choice."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker.startswith("gw"):
        first = FIRST_PORT + PORTS_EACH * int(worker[2:])
        os.environ["S2G_PORTS"] = f"{first}-{first + PORTS_EACH - 1}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave soak tests out unless they were asked for by ``-m soak``."""
    if "soak" in (config.option.markexpr or ""):
        return
    kept = [item for item in items if "soak" not in item.keywords]
    config.hook.pytest_deselected(items=[item for item in items if "soak" in item.keywords])
    items[:] = kept


def pytest_collection_finish() -> None:
    """What was imported stays: looking through it again and again took a sixth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure shows the end of what was logged: the start would push other failures away."""
    report = yield
    report.sections = [(title, end_of(text)) for title, text in report.sections]
    return report


def end_of(text: str) -> str:
    lines = text.splitlines()
    left_out = len(lines) - SHOWN_LINES
    return "\n".join([f"({left_out} lines before)", *lines[left_out:]]) if left_out > 0 else text


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A private PostgreSQL whose database ``sync2gear`` is migrated and only ever cloned."""
    from sync2gear_platform.migrations.run import migrate

    place = open_folder("postgres", database=True)
    server = start_postgres(place)
    migrate(server.admin_url, server.app_url)
    yield server
    server.stop()
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="session")
def mosquitto() -> Iterator[MosquittoServer]:
    """A private Mosquitto."""
    place = open_folder("mosquitto")
    server = start_mosquitto(place)
    yield server
    server.stop()
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="session")
def bucket_server() -> Iterator["Buckets"]:
    """A private S3."""
    from support.bucket import buckets  # boto3 takes a while to load: only for who needs it

    with buckets() as server:
        yield server


@pytest.fixture
def s3(bucket_server: "Buckets", monkeypatch: pytest.MonkeyPatch) -> "Buckets":
    """The private S3, with its credentials in the environment."""
    from support.bucket import ACCOUNT

    for name, value in ACCOUNT.items():
        monkeypatch.setenv(name, value)
    return bucket_server


@pytest.fixture
async def world(postgres: PostgresServer, tmp_path: Path) -> AsyncIterator["World"]:
    """The platform's API on a database of its own, without a broker."""
    # The platform takes seconds to load: not for pure tests, nor for who hands tests to workers.
    from support.world import World, cloned_database, make_settings

    with cloned_database(postgres) as (admin_url, app_url):
        async with World.open(make_settings(tmp_path, app_url, admin_url)) as opened:
            yield opened
