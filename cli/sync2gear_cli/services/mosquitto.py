"""A private Mosquitto: its configuration, its listeners, and its guard against a bad file."""

import base64
import hashlib
import os
import secrets
import shutil
import signal
import socket
import string
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sync2gear_broker import access
from sync2gear_broker.access import PLATFORM_USER
from sync2gear_cli.services import listener, process
from sync2gear_cli.services.folder import secret
from sync2gear_cli.services.listener import TlsListener
from sync2gear_cli.services.process import LOOPBACK, ServiceError, tail

MEMORY_BYTES: Final = 268_435_456
_START_SECONDS: Final = 5.0
_STOP_SECONDS: Final = 10.0
_KEPT_DAMAGED_FILES: Final = 3
_HASH_ROUNDS: Final = 101  # mosquitto_passwd's own number; the passwords are random, not chosen
_TEMPLATES: Final = (
    Path(__file__).parents[3] / "mosquitto" / "mosquitto.conf",
    Path("/etc/sync2gear/mosquitto.conf"),
)


def password_line(username: str, password: str, salt: bytes | None = None) -> str:
    """One line of a ``password_file``: PBKDF2-SHA512, type 7 (mosquitto_passwd(1))."""
    salt = secrets.token_bytes(12) if salt is None else salt
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _HASH_ROUNDS)
    encoded = [base64.b64encode(part).decode() for part in (salt, digest)]
    return f"{username}:$7${_HASH_ROUNDS}${encoded[0]}${encoded[1]}"


def render(template: str, **values: Path | str | int) -> str:
    """The configuration with every ``${name}`` filled in; KeyError for a missing one."""
    return string.Template(template).substitute({k: str(v) for k, v in values.items()})


def template(*, tls: bool = False) -> str:
    """The text of ``mosquitto/mosquitto.conf`` (``S2G_MOSQUITTO_CONF`` names another).

    With ``tls``, that of ``tls.conf`` beside it as well.
    """
    chosen = os.environ.get("S2G_MOSQUITTO_CONF")
    for path in (Path(chosen),) if chosen else _TEMPLATES:
        if path.is_file():
            more = path.with_name("tls.conf")
            if tls and not more.is_file():
                raise ServiceError(f"{more} is missing: it belongs beside {path}")
            return path.read_text() + (more.read_text() if tls else "")
    raise ServiceError("mosquitto/mosquitto.conf is missing; set S2G_MOSQUITTO_CONF to it")


@dataclass
class Mosquitto:
    """One private broker in ``folder``: a listener for devices and one for the platform.

    With ``tls``, devices have one over TLS too.
    """

    folder: Path
    device_port: int
    platform_port: int
    device_host: str = LOOPBACK
    tls: TlsListener | None = None
    child: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._account = process.account("mosquitto")
        self._store = self.folder / "store"
        self._configuration = self.folder / "mosquitto.conf"
        self.log = self.folder / "mosquitto.log"
        self.password_file = self.folder / "accounts" / "devices"
        self.pid_file = self.folder / "run" / "pid"

    @property
    def platform_url(self) -> str:
        """The platform's own listener, with its account."""
        return f"mqtt://{PLATFORM_USER}:{self._secret()}@{LOOPBACK}:{self.platform_port}"

    @property
    def device_url(self) -> str:
        """What devices are told."""
        return f"mqtt://{self.device_host}:{self.device_port}"

    def start(self) -> subprocess.Popen[bytes]:
        """Start the broker; returns when it lets the platform in.

        A broker that an earlier run left is ended first. If it does not come up on the store that
        it finds, the store is moved aside once and it starts empty: the database is the truth.
        """
        self._lay_files()
        self._end_leftover()
        for port, host in self._addresses():
            if not process.is_free(port, host):
                raise ServiceError(
                    f"port {port} for the broker is in use by another program: end it, "
                    f"or remove its line from ports.json for a new port"
                )
        child = self._spawn_until_ready()
        if child is None and self._move_store_aside():
            child = self._spawn_until_ready()
        if child is None:
            raise ServiceError(f"Mosquitto did not start:\n{tail(self.log)}")
        return child

    def refresh(self) -> bool:
        """Take up a renewed certificate, for connections made from now on; whether there was one.

        Mosquitto reads it again at SIGHUP and keeps who is connected (mosquitto(8)). ServiceError
        where certificate and key do not fit; the broker then goes on with those before.
        """
        if self.tls is None or not self.tls.lay(self.password_file.parent, self._account):
            return False
        if self.child is not None and self.child.poll() is None:
            self.child.send_signal(signal.SIGHUP)
        return True

    def stop(self) -> None:
        """Clean stop: the broker saves what it holds."""
        if self.child:
            process.stop(self.child, signal.SIGTERM, _STOP_SECONDS)
            self.child = None

    def _secret(self) -> str:
        return secret(self.folder / "secrets" / PLATFORM_USER)

    def _lay_files(self) -> None:
        """Folders, accounts, access rules and configuration, readable by the broker's account.

        The folder of device accounts passes its group on (set-group-id), so that a file that the
        platform writes there with mode 0640 can be read by the broker.
        """
        process.make_folder(self.folder, None, 0o755)
        process.check_reachable(self._store, self._account)
        process.make_folder(self._store, self._account, 0o700)
        process.make_folder(self.pid_file.parent, self._account, 0o755)
        accounts = process.make_folder(self.password_file.parent, self._account, 0o2750)
        platform_passwords = accounts / "platform"
        line = password_line(PLATFORM_USER, self._secret())
        process.write_file(platform_passwords, f"{line}\n", 0o640, self._account)
        if not self.password_file.exists():
            process.write_file(self.password_file, "", 0o640, self._account)
        acl = accounts / "acl"
        rules = access.acl_file([PLATFORM_USER])
        if not acl.exists() or not acl.read_text(errors="replace").startswith(rules):
            # What follows in a file that stands is the platform's: a section per integration.
            process.write_file(acl, rules, 0o640, self._account)
        over_tls: dict[str, str | int] = {
            "tls_port": 0,
            "tls_host": "",
            "require_certificate": "false",
        }
        if self.tls is not None:
            self.tls.lay(accounts, self._account)
            require = str(self.tls.require_certificate).lower()
            over_tls = {
                "tls_port": self.tls.port, "tls_host": self.tls.host, "require_certificate": require
            }  # fmt: skip
        text = render(
            template(tls=self.tls is not None),
            persistence=self._store, pid_file=self.pid_file, memory_limit=MEMORY_BYTES,
            device_port=self.device_port, device_host=self.device_host,
            device_passwords=self.password_file, platform_port=self.platform_port,
            platform_host=LOOPBACK, platform_passwords=platform_passwords, acl=acl,
            tls_pair=listener.pair_file(accounts), tls_trust=listener.trust_file(accounts),
            **over_tls,
        )  # fmt: skip
        process.write_file(self._configuration, text, 0o644)

    def _spawn_until_ready(self) -> subprocess.Popen[bytes] | None:
        """A running child that owns its ports and knows the platform's password, or None."""
        program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if program is None:
            raise ServiceError("Mosquitto is not installed; run: apt-get install mosquitto")
        with process.open_log(self.log) as log:
            child = process.spawn(
                [program, "-c", str(self._configuration)],
                log=log, run_as=self._account, folder=self.folder, death_signal=signal.SIGTERM,
            )  # fmt: skip
        self.child = child
        process.wait_until(lambda: child.poll() is not None or self._listens(child), _START_SECONDS)
        # Ask only what is proved to be our own child: a stranger must not see the password.
        if child.poll() is None and self._listens(child):
            code = connect_code(self.platform_port, PLATFORM_USER, self._secret())
            if code == 0:
                return child
        self.stop()
        return None

    def _listens(self, child: subprocess.Popen[bytes]) -> bool:
        return all(process.owns_port(child.pid, port) for port, _ in self._addresses())

    def _addresses(self) -> list[tuple[int, str]]:
        over_tls = [(self.tls.port, self.tls.host)] if self.tls else []
        return [(self.platform_port, LOOPBACK), (self.device_port, self.device_host), *over_tls]

    def _end_leftover(self) -> None:
        try:
            pid = int(self.pid_file.read_text())
        except (OSError, ValueError):
            return
        if process.is_alive(pid) and str(self._configuration) in process.command_line(pid):
            process.end(pid, signal.SIGTERM, _STOP_SECONDS)
        self.pid_file.unlink(missing_ok=True)  # its number may soon be another program's

    def _move_store_aside(self) -> bool:
        store = self._store / "mosquitto.db"
        if not store.exists():
            return False
        store.rename(store.with_name(f"mosquitto.db.damaged-{time.time_ns()}"))
        damaged = sorted(self._store.glob("mosquitto.db.damaged-*"))
        for old in damaged[:-_KEPT_DAMAGED_FILES]:
            old.unlink()
        with process.open_log(self.log) as log:
            log.write(b"sync2gear: the store could not be read; moved aside, starting empty\n")
        return True


def connect_code(port: int, username: str, password: str, client_id: str = "probe") -> int | None:
    """The broker's answer to CONNECT: 0 accepted, 4 or 5 refused; None without an answer.

    MQTT 3.1.1, sections 3.1 and 3.2.
    """
    fields = [part.encode() for part in (client_id, username, password)]
    body = b"\x00\x04MQTT\x04\xc2\x00\x0a" + b"".join(
        len(part).to_bytes(2, "big") + part for part in fields
    )
    if len(body) > 127:
        length = bytes([len(body) % 128 | 0x80, len(body) // 128])
    else:
        length = bytes([len(body)])
    try:
        with socket.create_connection((LOOPBACK, port), timeout=5) as link:
            link.sendall(b"\x10" + length + body)
            answer = link.recv(4)
            link.sendall(b"\xe0\x00")
    except OSError:
        return None
    return answer[3] if len(answer) == 4 and answer[0] == 0x20 else None
