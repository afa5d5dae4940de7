"""Child processes: they die with their parent, and a port is known to be theirs or a stranger's."""

import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sync2gear_cli.services import folder, process
from sync2gear_cli.services.process import Account, ServiceError

ORPHANS = """
import subprocess, sys, time
from sync2gear_cli.services import process
children = [process.spawn(["sleep", "600"], log=subprocess.DEVNULL) for _ in range(2)]
print(*(child.pid for child in children), flush=True)
time.sleep(600)
"""


def test_children_die_when_the_parent_is_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", ORPHANS], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    with parent.stdout:
        children = [int(word) for word in parent.stdout.readline().split()]
    assert all(process.is_alive(pid) for pid in children)
    parent.kill()
    parent.wait()
    assert process.wait_until(lambda: not any(map(process.is_alive, children)), 30)


def test_a_child_outlives_the_thread_that_asked_for_it() -> None:
    started: list[subprocess.Popen[bytes]] = []
    thread = threading.Thread(
        target=lambda: started.append(process.spawn(["sleep", "600"], log=subprocess.DEVNULL))
    )
    thread.start()
    thread.join()
    with pytest.raises(subprocess.TimeoutExpired):
        started[0].wait(0.3)
    assert process.stop(started[0], signal.SIGTERM, 30) == -signal.SIGTERM


def test_stop_kills_what_does_not_want_to_end() -> None:
    child = process.spawn(
        ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"], log=subprocess.PIPE
    )
    assert child.stdout is not None
    with child.stdout:
        assert child.stdout.readline() == b"ready\n"
        assert process.stop(child, signal.SIGTERM, 0.2) == -signal.SIGKILL


def test_a_port_belongs_to_the_process_that_listens_on_it() -> None:
    with socket.create_server((process.LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        assert not process.is_free(port)
        assert process.owns_port(os.getpid(), port)
        bystander = process.spawn(["sleep", "600"], log=subprocess.DEVNULL)
        assert not process.owns_port(bystander.pid, port)
        process.stop(bystander, signal.SIGTERM, 30)
    assert process.is_free(port)
    assert not process.answers(port)


def test_a_chosen_port_is_never_lent_to_an_outgoing_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("S2G_PORTS", raising=False)
    lent, _ = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    assert all(process.free_port() < max(lent, 32_768) for _ in range(20))


def test_a_port_is_chosen_once_and_from_those_that_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = process.free_port()
    monkeypatch.setenv("S2G_PORTS", f"{first}-{first + 3}")
    other = process.free_port()
    assert other in range(first + 1, first + 4)
    monkeypatch.setenv("S2G_PORTS", f"{other}-{other}")
    with pytest.raises(ServiceError, match="no free port between"):
        process.free_port()


@pytest.mark.parametrize("named", ["20000", "a-b", "30000-20000", "80-90", "60000-70000"])
def test_ports_that_cannot_be_are_refused(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2G_PORTS", named)
    with pytest.raises(ServiceError, match="first-last"):
        process.free_port()


def test_a_zombie_is_not_alive() -> None:
    child = process.spawn(["true"], log=subprocess.DEVNULL)
    assert process.wait_until(lambda: not process.is_alive(child.pid), 30)
    assert child.wait() == 0


def test_a_long_log_is_set_aside(tmp_path: Path) -> None:
    log = tmp_path / "service.log"
    log.write_bytes(b"x" * 10_000_001)
    with process.open_log(log) as file:
        file.write(b"new")
    assert log.read_bytes() == b"new"
    assert (tmp_path / "service.log.1").stat().st_size == 10_000_001


def test_a_closed_folder_above_is_named(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    stranger = Account("somebody", 54321, 54321)
    with pytest.raises(ServiceError, match=r"somebody.*S2G_DATA_DIR"):
        process.check_reachable(closed / "data", stranger)
    process.check_reachable(closed / "data", None)


def test_the_data_folder_has_one_holder(tmp_path: Path) -> None:
    first = folder.hold(tmp_path)
    with pytest.raises(ServiceError, match=f"process {os.getpid()}.*S2G_DATA_DIR"):
        folder.hold(tmp_path)
    os.close(first)
    os.close(folder.hold(tmp_path))


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ServiceError, match=r"file/data cannot be used .*S2G_DATA_DIR"):
        folder.hold(tmp_path / "file" / "data")


def test_the_data_folder_follows_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("S2G_DATA_DIR", str(tmp_path))
    assert folder.data_folder() == tmp_path
    monkeypatch.delenv("S2G_DATA_DIR")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert folder.data_folder() == Path("/var/lib/sync2gear")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert folder.data_folder() == tmp_path / "sync2gear"


def test_a_secret_is_made_once_and_kept_closed(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "one"
    made = folder.secret(path)
    assert len(made) >= 43
    assert folder.secret(path) == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_chosen_port_is_free_and_remembered(tmp_path: Path) -> None:
    with socket.create_server((process.LOOPBACK, 0)) as server:
        taken = server.getsockname()[1]
        chosen = folder.port(tmp_path, "http", taken)
        other = folder.port(tmp_path, "mqtt", chosen)
    assert len({taken, chosen, other}) == 3
    assert folder.port(tmp_path, "http", taken) == chosen


def test_a_damaged_port_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text("{")
    with pytest.raises(ServiceError, match=r"ports\.json is damaged"):
        folder.port(tmp_path, "http", 8080)
