"""A private PostgreSQL: roles, adoption after a crash, strangers, accounts, damage."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from support.services import FAST, PostgresServer, open_folder, start_postgres
from sync2gear_cli.services import process
from sync2gear_cli.services.mosquitto import template
from sync2gear_cli.services.postgres import Postgres, programs
from sync2gear_cli.services.process import ServiceError

NOBODY = 65534
HOLDER = """
import encodings.idna, os, sys, time  # idna: sockets load it late, from a closed folder
from pathlib import Path
from sync2gear_cli.services.postgres import Postgres
from sync2gear_cli.services.mosquitto import Mosquitto
folder, account, a, b, c = Path(sys.argv[1]), *map(int, sys.argv[2:])
if account:
    os.setgroups([])
    os.setgid(account)
    os.setuid(account)
print(Postgres(folder / "p", a).start().pid, Mosquitto(folder / "m", b, c).start().pid, flush=True)
time.sleep(600)
"""


def all_gone(pids: list[int]) -> bool:
    """Whether these processes end."""
    return process.wait_until(lambda: not any(map(process.is_alive, pids)), 30)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    server = start_postgres()
    yield server
    server.stop()


def test_the_owner_owns_the_database_and_is_no_superuser(server: PostgresServer) -> None:
    with psycopg.connect(server.admin_url) as owner:
        row = owner.execute(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, current_database() "
            "FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        assert row == (False, False, True, "sync2gear")
        extensions = owner.execute("SELECT extname FROM pg_extension").fetchall()
        assert ("btree_gist",) in extensions
        settings = owner.execute("SELECT datcollate FROM pg_database WHERE datname = 'sync2gear'")
        assert settings.fetchone() == ("C.UTF-8",)


def test_nobody_enters_without_the_password(server: PostgresServer) -> None:
    address = f"host=127.0.0.1 port={server.service.port} dbname=postgres"
    for user in ("postgres", "sync2gear_owner", "sync2gear_superuser"):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(f"{address} user={user} password=guess")
    sockets = server.service.folder / "socket"
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(f"host={sockets} port={server.service.port} user=sync2gear_owner")


def test_committed_rows_survive_kill_9(server: PostgresServer) -> None:
    with psycopg.connect(server.admin_url) as owner:
        owner.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
        owner.execute("INSERT INTO kept VALUES (1)")
    server.kill()
    server.start()
    with psycopg.connect(server.admin_url) as owner:
        assert owner.execute("SELECT count(*) FROM kept").fetchone() == (1,)


def test_a_child_that_outlives_a_killed_server_does_not_hinder_the_next(
    server: PostgresServer,
) -> None:
    with closing(psycopg.connect(server.superuser_url)) as open_connection:
        row = open_connection.execute("SELECT pg_backend_pid()").fetchone()
        assert row is not None
        os.kill(row[0], signal.SIGSTOP)  # it can neither notice nor end by itself
        server.kill()
        server.start()
        assert process.wait_until(lambda: not process.is_alive(row[0]), 30)
    with psycopg.connect(server.superuser_url) as superuser:
        assert superuser.execute("SELECT 1").fetchone() == (1,)


def test_a_leftover_of_a_crash_is_replaced_on_the_same_data() -> None:
    place = open_folder()
    port = process.free_port()
    crashed = Postgres(place, port, FAST)
    leftover = crashed.start()
    heir = Postgres(place, port, FAST)
    child = heir.start()
    assert leftover.wait(30) == 0
    assert child.pid != leftover.pid
    with psycopg.connect(heir.owner_url) as owner:
        assert owner.execute("SELECT 1").fetchone() == (1,)
    heir.stop()


def test_a_pid_file_that_names_another_program_harms_nobody() -> None:
    place = open_folder()
    service = Postgres(place, process.free_port(), FAST)
    service.start()
    bystander = process.spawn(["sleep", "600"], log=subprocess.DEVNULL)
    assert service.child is not None
    service.child.kill()
    service.child.wait()
    pid_file = place / "cluster" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(bystander.pid), *lines[1:]]) + "\n")
    service.start()
    assert bystander.poll() is None
    process.stop(bystander, signal.SIGTERM, 30)
    service.stop()


def test_a_stranger_on_the_port_is_refused() -> None:
    with socket.create_server((process.LOOPBACK, 0)) as stranger:
        port = stranger.getsockname()[1]
        with pytest.raises(ServiceError, match=rf"port {port} .* in use"):
            Postgres(open_folder(), port, FAST).start()
        stranger.setblocking(False)
        with pytest.raises(BlockingIOError):
            stranger.accept()


def test_a_half_made_cluster_is_made_again() -> None:
    place = open_folder()
    (place / "cluster.new").mkdir()
    (place / "cluster.new" / "PG_VERSION").write_text("15\n")
    service = Postgres(place, process.free_port(), FAST)
    service.start()
    assert not (place / "cluster.new").exists()
    service.stop()


def test_a_server_that_cannot_start_says_why() -> None:
    service = Postgres(open_folder(), process.free_port(), ("shared_buffers=nonsense",))
    with pytest.raises(ServiceError, match=r"did not start(.|\n)*shared_buffers"):
        service.start()
    assert service.child is None


def test_data_of_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ServiceError, match="made by PostgreSQL 9, found only 1"):
        programs(9)
    monkeypatch.setenv("S2G_PG_BIN", str(programs()))
    assert programs() == Path(os.environ["S2G_PG_BIN"])


def test_a_path_too_long_for_a_socket_still_serves_tcp() -> None:
    place = open_folder() / ("d" * 90)
    service = Postgres(place, process.free_port(), FAST)
    service.start()
    with psycopg.connect(service.superuser_url) as superuser:
        assert superuser.execute("SHOW unix_socket_directories").fetchone() == ("",)
    service.stop()


def hold(
    place: Path, ports: list[int], account: int = 0
) -> tuple[subprocess.Popen[bytes], list[int]]:
    """A process that runs both services (as ``account`` if given), and their process ids."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(place), str(account), *map(str, ports)],
        stdout=subprocess.PIPE,
        cwd=place,
    )
    assert holder.stdout is not None
    with holder.stdout:
        children = [int(word) for word in holder.stdout.readline().split()]
    assert len(children) == 2
    return holder, children


def test_kill_9_of_the_holder_ends_both_services_and_both_start_again() -> None:
    place = open_folder()
    ports = [process.free_port() for _ in range(3)]
    for _ in range(2):
        holder, children = hold(place, ports)
        holder.kill()
        holder.wait()
        assert all_gone(children)
    assert "database system is shut down" in (place / "p" / "postgres.log").read_text()
    assert (place / "m" / "store" / "mosquitto.db").stat().st_size > 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_it_runs_for_a_user_without_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    place = open_folder()
    os.chown(place, NOBODY, NOBODY)
    # The checkout may be closed to others (root's home is), the data folder is not.
    (place / "mosquitto.conf").write_text(template())
    monkeypatch.setenv("S2G_MOSQUITTO_CONF", str(place / "mosquitto.conf"))
    holder, children = hold(place, [process.free_port() for _ in range(3)], NOBODY)
    assert {Path(f"/proc/{pid}").stat().st_uid for pid in children} == {NOBODY}
    holder.kill()
    holder.wait()
    assert all_gone(children)
