"""A private PostgreSQL and Mosquitto for tests, started by the product's own code."""

import atexit
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from sync2gear_cli.services import folder, process
from sync2gear_cli.services.mosquitto import Mosquitto
from sync2gear_cli.services.postgres import APPLICATION, DATABASE, Postgres

Service = TypeVar("Service", Postgres, Mosquitto)

# A test's data need not survive a power cut; what was committed still survives kill -9.
FAST = ("fsync=off", "full_page_writes=off", "max_connections=200")

MEMORY = Path("/dev/shm")
GIB = 1 << 30


def _has_memory() -> bool:
    """Whether databases fit into memory, where copying the hundreds of files of one is quick."""
    try:
        known = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        free = shutil.disk_usage(MEMORY).free
    except OSError:
        return False
    available = int(known.get("MemAvailable", "0 kB").split()[0]) * 1024
    return os.access(MEMORY, os.W_OK) and free > 4 * GIB and available > 8 * GIB


IN_MEMORY = _has_memory()
# How CREATE DATABASE copies: files cost least in memory, the write-ahead log on a disk.
STRATEGY = "FILE_COPY" if IN_MEMORY else "WAL_LOG"


def open_folder(name: str = "services", *, database: bool = False) -> Path:
    """A new folder that the services' own accounts can reach (pytest's tmp_path is closed).

    It is removed when the tests end. One for a ``database`` is in memory if there is enough.
    """
    where = MEMORY if database and IN_MEMORY else None
    path = Path(tempfile.mkdtemp(prefix=f"s2g-{name}-", dir=where))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    path.chmod(0o755)
    return path


@dataclass
class Server(Generic[Service]):
    """What tests start, stop and kill."""

    service: Service

    @property
    def pid(self) -> int:
        assert self.service.child is not None
        return self.service.child.pid

    def start(self) -> None:
        self.service.start()

    def stop(self) -> None:
        self.service.stop()

    def kill(self) -> None:
        """kill -9: nothing is saved; children of the server are left to themselves."""
        child = self.service.child
        assert child is not None
        child.kill()
        child.wait()
        self.service.child = None

    def restart(self) -> None:
        self.stop()
        self.start()


class PostgresServer(Server[Postgres]):
    """A running PostgreSQL. Addresses are ``postgresql://user:password@127.0.0.1:port/sync2gear``.

    ``admin_url`` is the owner's (may create databases and roles), ``app_url`` the application
    role's (made by ``migrate``), ``superuser_url`` for ending other people's connections.
    """

    @property
    def admin_url(self) -> str:
        return self.service.owner_url

    @property
    def app_url(self) -> str:
        return self.service.application_url

    @property
    def superuser_url(self) -> str:
        return self.service.superuser_url

    def for_database(self, name: str) -> tuple[str, str]:
        """``(admin_url, app_url)`` of another database of this server."""
        return (
            self.admin_url.removesuffix(DATABASE) + name,
            self.app_url.removesuffix(DATABASE) + name,
        )


class MosquittoServer(Server[Mosquitto]):
    """A running Mosquitto with a listener for devices and one for the platform."""

    @property
    def platform_url(self) -> str:
        """``mqtt://platform:secret@127.0.0.1:port``."""
        return self.service.platform_url

    @property
    def device_url(self) -> str:
        """``mqtt://127.0.0.1:port``, without an account."""
        return self.service.device_url

    @property
    def password_file(self) -> Path:
        """Device accounts: written by the platform (rename over, mode 0640), then SIGHUP."""
        return self.service.password_file

    @property
    def pid_file(self) -> Path:
        return self.service.pid_file

    @property
    def store(self) -> Path:
        """Where the broker keeps retained messages and sessions."""
        return self.service.folder / "store" / "mosquitto.db"

    def reload(self) -> None:
        """SIGHUP: read accounts again."""
        os.kill(self.pid, signal.SIGHUP)


def start_postgres(directory: Path | None = None) -> PostgresServer:
    """A new server in ``directory`` (which the account ``postgres`` must reach when root)."""
    place = directory or open_folder("postgres")
    server = PostgresServer(Postgres(place, process.free_port(), FAST))
    folder.secret(place / "secrets" / APPLICATION)
    server.start()
    return server


def start_mosquitto(directory: Path | None = None) -> MosquittoServer:
    """A new broker in ``directory`` (which the account ``mosquitto`` must reach when root)."""
    place = directory or open_folder("mosquitto")
    server = MosquittoServer(Mosquitto(place, process.free_port(), process.free_port()))
    server.start()
    return server


@contextmanager
def running(command: list[str], **options: Any) -> Iterator["subprocess.Popen[bytes]"]:
    """A process for the time of a block."""
    child = subprocess.Popen(command, **options)
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(15)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait(15)
