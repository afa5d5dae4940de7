"""Child processes that die with us: start, readiness, stop, and who owns a port."""

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

LOOPBACK: Final = "127.0.0.1"
_LOG_BYTES: Final = 10_000_000
_PORTS_FROM: Final = 20_000
_LENT_FROM: Final = 32_768  # Linux' own first port of outgoing connections (ip(7))
_PORT_TRIES: Final = 1000
_chosen: Final[set[int]] = set()


class ServiceError(Exception):
    """A service cannot run here; the message says why and what to do about it."""


@dataclass(frozen=True, slots=True)
class Account:
    """The operating system's account that a service runs as."""

    name: str
    uid: int
    gid: int


def account(*names: str) -> Account | None:
    """The first existing account of ``names`` (then ``nobody``); None unless we are root."""
    if os.geteuid() != 0:
        return None
    for name in (*names, "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise ServiceError(f"none of the accounts {', '.join(names)}, nobody exists; create one")


def make_folder(path: Path, owner: Account | None, mode: int) -> Path:
    """Make ``path`` (and what is above it) with exactly this mode, owned by ``owner``."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(mode)
    if owner:
        os.chown(path, owner.uid, owner.gid)
        path.chmod(mode)  # chown drops the set-group-id bit
    return path


def check_reachable(path: Path, who: Account | None) -> None:
    """ServiceError if a folder above ``path`` is closed to ``who`` (root's home is 0700)."""
    if who is None:
        return
    for folder in path.absolute().parents:
        entry = folder.stat()
        shift = 6 if entry.st_uid == who.uid else 3 if entry.st_gid == who.gid else 0
        if not entry.st_mode >> shift & 1:
            raise ServiceError(
                f"{folder} is closed to the account {who.name}, which runs a service below it; "
                f"set S2G_DATA_DIR to a folder that every account can reach"
            )


def write_file(path: Path, text: str, mode: int = 0o600, owner: Account | None = None) -> None:
    """Replace ``path`` in one step by a file of this text, mode and owner."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        os.fchmod(file.fileno(), mode)
        if owner:
            os.fchown(file.fileno(), owner.uid, owner.gid)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def open_log(path: Path) -> IO[bytes]:
    """The log of a service, opened to append; one that grew too long becomes ``NAME.1``."""
    if path.exists() and path.stat().st_size > _LOG_BYTES:
        path.replace(path.with_name(f"{path.name}.1"))
    return path.open("ab")


class _Spawner:
    """The one thread that forks, because PR_SET_PDEATHSIG follows the thread that forked.

    prctl(2): "the parent" is the *thread* that created the child. A child started from a
    short-lived thread would be killed when that thread ends, so all come from this one, which
    lives as long as the process.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._pid = 0

    def run(self, start: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._pool is None or self._pid != os.getpid():
                self._pool = ThreadPoolExecutor(1, thread_name_prefix="spawner")
                self._pid = os.getpid()
            return self._pool.submit(start).result()


_SPAWNER = _Spawner()


def spawn(
    command: Sequence[str],
    *,
    log: IO[bytes] | int,
    errors: IO[bytes] | int = subprocess.STDOUT,
    run_as: Account | None = None,
    env: Mapping[str, str] | None = None,
    folder: Path | None = None,
    death_signal: signal.Signals = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Start ``command`` in its own process group; it gets ``death_signal`` when we die.

    Its own group, so that Ctrl-C reaches only us and we stop the children in our order. util-linux'
    setpriv sets the death signal after the change of account (a change of account clears it), and
    the shell then makes sure that we had not died before it was set. Only what keeps data on disk
    needs a gentler one: a program that ends gracefully might wait for services that die with it.
    """
    wrapper: list[str] = []
    if setpriv := shutil.which("setpriv"):
        wrapper = [setpriv, f"--pdeathsig={death_signal.name.removeprefix('SIG')}"]
        if run_as:
            wrapper += [f"--reuid={run_as.uid}", f"--regid={run_as.gid}", "--clear-groups"]
        wrapper += ["--", "/bin/sh", "-c", '[ "$PPID" = "$0" ] && exec "$@"', str(os.getpid())]
    elif run_as:
        raise ServiceError(
            "setpriv (package util-linux) is missing; install it or do not run as root"
        )
    return _SPAWNER.run(
        lambda: subprocess.Popen(
            [*wrapper, *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=errors,
            env=dict(os.environ if env is None else env),
            cwd=folder,
            process_group=0,
        )
    )


def stop(process: subprocess.Popen[bytes], how: signal.Signals, seconds: float) -> int:
    """Ask ``process`` to end, kill it after ``seconds``; its exit status."""
    if process.poll() is None:
        process.send_signal(how)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


def wait_until(ready: Callable[[], bool], seconds: float, every: float = 0.01) -> bool:
    """Poll ``ready`` until it is true; False when ``seconds`` have passed."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True


def is_alive(pid: int) -> bool:
    """Whether a process of this id runs (a zombie does not)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return Path("/proc/self").exists() is False
    return state not in "ZX"


def command_line(pid: int) -> list[str]:
    """The arguments of a running process; empty if it is gone or the system does not tell."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def working_in(folder: Path, program: str) -> list[int]:
    """Processes of ``program`` whose current folder is ``folder``; none where there is no /proc.

    One that is ending counts until it has let go of its ports and memory (a zombie has).
    """
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it is gone, or another account's
            name = (entry / "comm").read_text().strip()
            if name == program and (entry / "cwd").readlink() == folder:
                found.append(int(entry.name))
    return found


def end(pid: int, how: signal.Signals, seconds: float) -> None:
    """End a process that is not our child: ask, wait ``seconds``, kill."""
    for ask in (how, signal.SIGKILL):
        try:
            os.kill(pid, ask)
        except ProcessLookupError:
            return
        if wait_until(lambda: not is_alive(pid), seconds):
            return
    raise ServiceError(f"process {pid} of an earlier run does not end; end it by hand")


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether we could listen on ``port`` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free_port(host: str = LOOPBACK) -> int:
    """A port that nobody listens on, and that this process was not given before.

    ``S2G_PORTS`` (``20000-20999``) says from which; several programs that choose on one machine
    at a time each have their own, since a port is bound some time after it is chosen. Otherwise
    it is below those that the system lends to outgoing connections: one of those could be lent
    to anybody while its service restarts.
    """
    candidates = _candidates()
    for _ in range(_PORT_TRIES):
        port = secrets.choice(candidates)
        if port not in _chosen and is_free(port, host):
            _chosen.add(port)
            return port
    raise ServiceError(f"no free port between {candidates.start} and {candidates.stop - 1}")


def _candidates() -> range:
    named = os.environ.get("S2G_PORTS")
    if named:
        first, _, last = named.partition("-")
        if not (first.isdecimal() and last.isdecimal() and 1023 < int(first) <= int(last) < 65536):
            raise ServiceError(f"S2G_PORTS is {named!r}: say first-last, such as 20000-20999")
        return range(int(first), int(last) + 1)
    try:
        lent = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except OSError:
        lent = _LENT_FROM
    return range(_PORTS_FROM, max(lent, _LENT_FROM))


def owns_port(pid: int, port: int) -> bool:
    """Whether process ``pid`` itself listens on ``port`` (proc(5): /proc/net/tcp, /proc/PID/fd).

    Where the system has no /proc the answer is that of the connection alone.
    """
    tables = [path for path in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")) if path.exists()]
    if not tables:
        return answers(port)
    listening = set()
    for table in tables:
        for line in table.read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                listening.add(f"socket:[{fields[9]}]")
    held = set()
    with contextlib.suppress(OSError):  # the process is gone
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):  # closed since it was listed
                held.add(str(entry.readlink()))
    return bool(listening & held)


def answers(port: int, host: str = LOOPBACK) -> bool:
    """Whether somebody accepts connections on ``port``."""
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def tail(path: Path, lines: int = 8) -> str:
    """The last lines of a log, for a message to a person."""
    try:
        text = path.read_text(errors="replace")
    except OSError:
        return "(no log)"
    return "\n".join(text.splitlines()[-lines:])
