"""A private PostgreSQL: its cluster in our folder, its own port and socket, three passwords."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sync2gear_cli.services import process
from sync2gear_cli.services.folder import secret
from sync2gear_cli.services.process import LOOPBACK, ServiceError, tail

DATABASE: Final = "sync2gear"
SUPERUSER: Final = "sync2gear_superuser"
OWNER: Final = "sync2gear_owner"
APPLICATION: Final = "sync2gear_app"
_OLDEST: Final = 15
_START_SECONDS: Final = 60.0  # crash recovery after a power cut may take this long
_STOP_SECONDS: Final = 20.0
_SOCKET_PATH_BYTES: Final = 107  # unix(7), sun_path without its final zero
_DEFAULTS: Final = ("shared_buffers=32MB", "max_connections=100", "jit=off", "timezone=UTC")

_ROLES: Final = """
\\set ON_ERROR_STOP on
\\set owner '{owner}'
SELECT 'CREATE ROLE {OWNER}' WHERE NOT EXISTS
    (SELECT FROM pg_roles WHERE rolname = '{OWNER}') \\gexec
ALTER ROLE {OWNER} LOGIN CREATEROLE CREATEDB PASSWORD :'owner';
SELECT 'CREATE DATABASE {DATABASE} OWNER {OWNER}' WHERE NOT EXISTS
    (SELECT FROM pg_database WHERE datname = '{DATABASE}') \\gexec
\\connect {DATABASE}
CREATE EXTENSION IF NOT EXISTS btree_gist;
"""


def programs(version: int | None = None) -> Path:
    """The folder of PostgreSQL's programs: ``S2G_PG_BIN``, the newest packaged one, or PATH's.

    With ``version``, the one of that major version, because a cluster is bound to it.
    """
    found: list[Path] = []
    if chosen := os.environ.get("S2G_PG_BIN"):
        found = [Path(chosen)]
    else:
        found = sorted(
            (
                path
                for path in Path("/usr/lib/postgresql").glob("*/bin")
                if (path / "initdb").exists()
            ),
            key=lambda path: int(path.parent.name),
            reverse=True,
        )
        if on_path := shutil.which("initdb"):
            found.append(Path(on_path).resolve().parent)
    if not found:
        raise ServiceError("PostgreSQL is not installed; run: apt-get install postgresql")
    majors = [(_major(path), path) for path in found]
    for major, path in majors:
        if major == version or (version is None and major >= _OLDEST):
            return path
    have = ", ".join(str(major) for major, _ in majors)
    if version is None:
        raise ServiceError(f"PostgreSQL {_OLDEST} or newer is needed; found {have}")
    raise ServiceError(f"the data was made by PostgreSQL {version}, found only {have}; install it")


def _major(folder: Path) -> int:
    version = subprocess.run(
        [folder / "postgres", "--version"], capture_output=True, text=True, timeout=10, check=False
    )
    number = re.search(r"(\d+)", version.stdout)
    return int(number[1]) if number else 0


@dataclass
class Postgres:
    """One private server in ``folder``, listening on 127.0.0.1 ``port``.

    ``settings`` are further ``name=value`` pairs of postgresql.conf.
    """

    folder: Path
    port: int
    settings: Sequence[str] = ()
    child: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._account = process.account("postgres")
        self._cluster = self.folder / "cluster"
        self._marker = self.folder / "prepared"
        self.log = self.folder / "postgres.log"

    @property
    def owner_url(self) -> str:
        """The address for migrations: the database's owner."""
        return self._url(OWNER)

    @property
    def application_url(self) -> str:
        """The address for the platform: a role that owns nothing (``migrate`` creates it)."""
        return self._url(APPLICATION)

    @property
    def superuser_url(self) -> str:
        """The address for set-up and for tests that end other people's connections."""
        return self._url(SUPERUSER)

    def start(self) -> subprocess.Popen[bytes]:
        """Start the server, make the cluster and database first if new; returns when ready.

        A server that an earlier run left on the same data is ended first.
        """
        process.make_folder(self.folder, None, 0o755)
        process.check_reachable(self._cluster, self._account)
        self._end_leftover()
        if not process.is_free(self.port):
            raise ServiceError(
                f"port {self.port} for the database is in use by another program: end it, "
                f"or remove its line from ports.json for a new port"
            )
        if not (self._cluster / "PG_VERSION").exists():
            self._initialise()
        child = self._spawn()
        self.child = child
        ready = process.wait_until(
            lambda: child.poll() is not None or self._is_ready(), _START_SECONDS
        )
        if not ready or child.poll() is not None:
            self.stop()
            raise ServiceError(f"PostgreSQL did not start:\n{tail(self.log)}")
        if not self._marker.exists():
            self._prepare()
        return child

    def stop(self) -> None:
        """Fast shutdown: connections are cut, committed work is kept."""
        if self.child:
            process.stop(self.child, signal.SIGINT, _STOP_SECONDS)
            self.child = None

    def _url(self, role: str) -> str:
        password = secret(self.folder / "secrets" / role)
        return f"postgresql://{role}:{quote(password, safe='')}@{LOOPBACK}:{self.port}/{DATABASE}"

    def _bin(self, name: str) -> str:
        version_file = self._cluster / "PG_VERSION"
        version = int(version_file.read_text()) if version_file.exists() else None
        return str(programs(version) / name)

    def _initialise(self) -> None:
        """Make the cluster beside its final place, so that a half-made one is never used."""
        half_made = self.folder / "cluster.new"
        if half_made.exists():
            shutil.rmtree(half_made)
        process.make_folder(half_made, self._account, 0o700)
        password_file = self.folder / "password.new"
        process.write_file(
            password_file, secret(self.folder / "secrets" / SUPERUSER), owner=self._account
        )
        command = [
            self._bin("initdb"), f"--pgdata={half_made}", f"--username={SUPERUSER}",
            f"--pwfile={password_file}", "--auth=scram-sha-256", "--encoding=UTF8",
            "--locale=C.UTF-8", "--no-instructions", "--no-sync",
        ]  # fmt: skip
        with process.open_log(self.log) as log:
            status = process.spawn(
                command, log=log, run_as=self._account, folder=self.folder
            ).wait()
        password_file.unlink()
        if status:
            raise ServiceError(f"initdb failed:\n{tail(self.log)}")
        self._marker.unlink(missing_ok=True)
        half_made.rename(self._cluster)

    def _spawn(self) -> subprocess.Popen[bytes]:
        sockets = process.make_folder(self.folder / "socket", self._account, 0o700)
        if len(str(sockets)) + len(f"/.s.PGSQL.{self.port}.lock") > _SOCKET_PATH_BYTES:
            socket_folder = ""
        else:
            socket_folder = str(sockets)
        settings = (
            f"port={self.port}", f"listen_addresses={LOOPBACK}",
            f"unix_socket_directories={socket_folder}", *_DEFAULTS, *self.settings,
        )  # fmt: skip
        arguments = [part for setting in settings for part in ("-c", setting)]
        with process.open_log(self.log) as log:
            return process.spawn(
                [self._bin("postgres"), "-D", str(self._cluster), *arguments],
                log=log,
                run_as=self._account,
                folder=self.folder,
                death_signal=signal.SIGINT,  # fast shutdown (postgres(1))
            )

    def _pid_file(self) -> list[str]:
        """Lines of postmaster.pid: process id, data folder, start, port, ..., status."""
        try:
            return (self._cluster / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []

    def _is_ready(self) -> bool:
        """Our own child wrote that it is ready: it cannot be a stranger on the port."""
        lines = self._pid_file()
        return (
            self.child is not None
            and len(lines) >= 8
            and lines[0].strip() == str(self.child.pid)
            and lines[7].strip() == "ready"
        )

    def _end_leftover(self) -> None:
        lines = self._pid_file()
        if not lines or not lines[0].strip().isdigit():
            return
        pid = int(lines[0])
        # The number may have been given to another program since.
        if process.is_alive(pid) and str(self._cluster) in process.command_line(pid):
            process.end(pid, signal.SIGINT, _STOP_SECONDS)
        # A server that was killed leaves its children, who notice when they next look up and have
        # its port and memory until then. Killed too, they lose no more than the crash did.
        for orphan in process.working_in(self._cluster.resolve(), "postgres"):
            process.end(orphan, signal.SIGKILL, _STOP_SECONDS)

    def _prepare(self) -> None:
        script = _ROLES.format(
            OWNER=OWNER, DATABASE=DATABASE, owner=secret(self.folder / "secrets" / OWNER)
        )
        secret(self.folder / "secrets" / APPLICATION)
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "PGPASSWORD": secret(self.folder / "secrets" / SUPERUSER),
            "PGHOST": LOOPBACK, "PGPORT": str(self.port), "PGUSER": SUPERUSER,
            "PGDATABASE": "postgres", "PGCONNECT_TIMEOUT": "10",
        }  # fmt: skip
        done = subprocess.run(
            [self._bin("psql"), "--no-psqlrc", "--quiet", "--file=-"],
            input=script, env=environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        if done.returncode:
            raise ServiceError(f"the database could not be prepared:\n{done.stderr.strip()}")
        self._marker.touch()
