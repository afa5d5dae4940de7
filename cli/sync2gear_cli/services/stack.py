"""What one machine runs: its environment, and each program of it as the supervisor wants it."""

import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from sync2gear_cli.services import folder as data
from sync2gear_cli.services import process
from sync2gear_cli.services.listener import TlsListener
from sync2gear_cli.services.merged_log import MergedLog, follow_output
from sync2gear_cli.services.mosquitto import Mosquitto
from sync2gear_cli.services.postgres import Postgres
from sync2gear_cli.services.process import LOOPBACK, ServiceError
from sync2gear_cli.services.supervisor import Program
from sync2gear_cli.tls import authority, names

PLATFORM: Final = (sys.executable, "-m", "sync2gear_platform")
FIRMWARE: Final = (sys.executable, "-m", "sync2gear_firmware")
_API_SECONDS: Final = 60.0
_RANK_SERVICE, _RANK_PLATFORM, _RANK_SPEAKER = 1, 2, 3
# Not the usual 5432 and 1883: the system's own services may take those at the next boot.
_POSTGRES_PORT, _DEVICE_PORT, _PLATFORM_PORT, _HTTP_PORT = 54329, 11883, 11884, 8080
_HTTPS_PORT, _TLS_PORT = 8443, 18883
_WEB: Final = Path(__file__).parents[3] / "platform" / "web" / "dist"


@dataclass(frozen=True, slots=True)
class Stack:
    """Our own services (None: it runs elsewhere) and the environment of all children.

    ``tls_folder`` is that of our own authority (None: the operator has certificates of their own).
    """

    folder: Path
    http_host: str
    http_port: int
    https_host: str
    https_port: int
    tls_folder: Path | None
    database: Postgres | None
    broker: Mosquitto | None
    environment: Mapping[str, str]

    @property
    def url(self) -> str:
        """Where browsers and devices find the platform."""
        return self.environment["S2G_PUBLIC_URL"]


def compose(
    folder: Path, given: Mapping[str, str], http_port: int | None = None, *, lan: bool = False
) -> Stack:
    """The stack in ``folder`` for the environment ``given``; whatever ``given`` names is kept.

    ``S2G_DATABASE_URL`` and ``S2G_MQTT_URL`` stand for services that run elsewhere. With ``lan``,
    what is encrypted listens on every address, and devices are told this machine's own.
    """
    host = given.get("S2G_HTTP_HOST") or LOOPBACK
    port = http_port or _port(given, "S2G_HTTP_PORT") or data.port(folder, "http", _HTTP_PORT)
    safe_host = given.get("S2G_HTTPS_HOST") or ("0.0.0.0" if lan else host)  # noqa: S104 - asked for
    safe_port = _port(given, "S2G_HTTPS_PORT") or data.port(folder, "https", _HTTPS_PORT)
    for one, at in ((port, host), (safe_port, safe_host)):
        if not process.is_free(one, at):
            raise ServiceError(
                f"port {one} for the dashboard is in use by another program: end it, "
                f"or choose another port with --port (make run PORT=...) or S2G_HTTPS_PORT"
            )
    reachable = LOOPBACK if host in ("0.0.0.0", "::") else host  # noqa: S104 - compared, not bound
    public = f"https://{_own_address()}:{safe_port}" if lan else f"http://{reachable}:{port}"
    public = (given.get("S2G_PUBLIC_URL") or public).rstrip("/")
    own = {
        "S2G_ENV": "dev",
        "S2G_DATA_DIR": str(folder),
        "S2G_HTTP_HOST": host,
        "S2G_HTTPS_HOST": safe_host,
        "S2G_PUBLIC_URL": public,
        "S2G_MEDIA_URL": (folder / "media").as_uri(),
        "PYTHONUNBUFFERED": "1",
    }
    if not given.get("S2G_SECRET_KEY"):
        own["S2G_SECRET_KEY"] = data.secret(folder / "secrets" / "platform")
    if not given.get("S2G_VAULT_KEYS"):
        own["S2G_VAULT_KEYS"] = data.secret(folder / "secrets" / "vault", data.new_vault_key)
    if (_WEB / "index.html").exists():
        own["S2G_WEB_DIR"] = str(_WEB)
    tls_folder = None if given.get("S2G_TLS_CERT") else folder / "tls"
    if tls_folder is not None:
        certificate, key = authority.server_files(tls_folder, "api")
        own["S2G_TLS_CERT"], own["S2G_TLS_KEY"] = str(certificate), str(key)
        own["S2G_TLS_CA"] = str(authority.trust_file(tls_folder))
    database = None
    if not given.get("S2G_DATABASE_URL"):
        database = Postgres(folder / "postgres", data.port(folder, "postgres", _POSTGRES_PORT))
        own["S2G_DATABASE_URL"] = database.application_url
        own["S2G_DATABASE_ADMIN_URL"] = database.owner_url
    broker = None
    if not given.get("S2G_MQTT_URL"):
        broker = Mosquitto(
            folder / "mosquitto",
            device_port=data.port(folder, "mqtt_devices", _DEVICE_PORT),
            platform_port=data.port(folder, "mqtt_platform", _PLATFORM_PORT),
            device_host=host,
            tls=_tls_listener(folder, given, tls_folder, safe_host),
        )
        own["S2G_MQTT_URL"] = broker.platform_url
        device_host = urlsplit(public).hostname or reachable
        own["S2G_MQTT_DEVICE_URL"] = f"mqtt://{device_host}:{broker.device_port}"
        if broker.tls is not None and urlsplit(public).scheme == "https":
            own["S2G_MQTT_DEVICE_URL"] = f"mqtts://{device_host}:{broker.tls.port}"
        own["S2G_MQTT_PASSWORD_FILE"] = str(broker.password_file)
        own["S2G_MQTT_PID_FILE"] = str(broker.pid_file)
    elif not given.get("S2G_MQTT_DEVICE_URL"):
        outside = urlsplit(given["S2G_MQTT_URL"])
        own["S2G_MQTT_DEVICE_URL"] = (
            f"{outside.scheme}://{outside.hostname}:"
            f"{outside.port or (8883 if outside.scheme == 'mqtts' else 1883)}"
        )
    environment = {**own, **{name: value for name, value in given.items() if value}}
    environment["S2G_HTTP_PORT"] = str(port)
    environment["S2G_HTTPS_PORT"] = str(safe_port)
    return Stack(
        folder, host, port, safe_host, safe_port, tls_folder, database, broker, environment
    )


def _tls_listener(
    folder: Path, given: Mapping[str, str], tls_folder: Path | None, host: str
) -> TlsListener:
    """Devices over TLS: with the broker's certificate of ours, or the one of the operator."""
    port = data.port(folder, "mqtt_tls", _TLS_PORT)
    require = given.get("S2G_MQTT_REQUIRE_CERTIFICATE", "").lower() in ("1", "true", "yes")
    ca = Path(given["S2G_TLS_CA"]) if given.get("S2G_TLS_CA") else None
    if tls_folder is None:
        if not given.get("S2G_TLS_KEY"):
            raise ServiceError("S2G_TLS_CERT is set and S2G_TLS_KEY is not: they belong together")
        if require and ca is None:
            raise ServiceError("S2G_MQTT_REQUIRE_CERTIFICATE needs S2G_TLS_CA: whose certificates?")
        certificate, key = Path(given["S2G_TLS_CERT"]), Path(given["S2G_TLS_KEY"])
    else:
        certificate, key = authority.server_files(tls_folder, "broker")
        ca = ca or authority.trust_file(tls_folder)
    return TlsListener(port, host, certificate, key, ca, require)


def _port(given: Mapping[str, str], name: str) -> int:
    """The port that ``given`` names, 0 for none."""
    wish = given.get(name) or "0"
    if not wish.isdecimal() or int(wish) > 65535:
        raise ServiceError(f"{name} is {wish!r}; it must be a port number")
    return int(wish)


def _own_address() -> str:
    address = names.outward()
    if address is None:
        raise ServiceError("--lan needs a network: this machine has no address but its own")
    return str(address)


def services(stack: Stack) -> list[Program]:
    """The private services of ``stack``, in the order in which they start."""
    programs = []
    if stack.database:
        programs.append(
            Program(
                "postgres", _RANK_SERVICE, stack.database.start,
                end=signal.SIGINT, force=signal.SIGQUIT, end_seconds=20,
            )
        )  # fmt: skip
    if stack.broker:
        programs.append(Program("mosquitto", _RANK_SERVICE, stack.broker.start))
    return programs


def api(stack: Stack, log: MergedLog) -> Program:
    """The REST API; it has started when it listens on its port."""

    def start() -> subprocess.Popen[bytes]:
        ports = {stack.http_port: stack.http_host, stack.https_port: stack.https_host}
        for port, host in ports.items():
            if not process.is_free(port, host):
                raise ServiceError(f"port {port} is in use by another program")
        child = _child(stack, log, "api", [*PLATFORM, "api"], {})

        def listens() -> bool:
            return all(process.owns_port(child.pid, port) for port in ports)

        process.wait_until(lambda: child.poll() is not None or listens(), _API_SECONDS, every=0.05)
        if child.poll() is None and listens():
            return child
        if child.poll() is not None:
            raise ServiceError(f"the API ended with status {child.returncode}: see the lines above")
        process.stop(child, signal.SIGTERM, 5)
        raise ServiceError(f"the API does not listen on ports {', '.join(map(str, ports))}")

    return Program("api", _RANK_PLATFORM, start)


def worker(stack: Stack, log: MergedLog) -> Program:
    """The worker: jobs, and one leader's MQTT and timers."""
    return Program(
        "worker", _RANK_PLATFORM, lambda: _child(stack, log, "worker", [*PLATFORM, "worker"], {})
    )


def speaker(stack: Stack, log: MergedLog, name: str, credential: Path, sink: str) -> Program:
    """A software speaker with its own folder; losing one does not end the machine."""
    folder = stack.folder / "speakers" / credential.stem
    environment = {
        "S2G_SPEAKER_CREDENTIAL": str(credential),
        "S2G_SPEAKER_DATA_DIR": str(folder),
        "S2G_SPEAKER_SINK": sink,
    }
    if sink == "file":
        environment["S2G_SPEAKER_FILE"] = str(folder / "played.wav")

    def start() -> subprocess.Popen[bytes]:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return _child(stack, log, name, list(FIRMWARE), environment)

    return Program(name, _RANK_SPEAKER, start, essential=False)


def way_to_sound() -> str:
    """The sink that is heard here: ``pulse``, ``card`` or, where there is neither, ``null``.

    Each is opened in a process of its own: PortAudio prints to stderr while it looks, and lists
    what cannot be opened; a sound server that hangs would be waited for.
    """
    return next((way for way, question in _HEARD.items() if _works(question)), "null")


_HEARD = {
    "pulse": "from sync2gear_firmware.players.sound_server import Stream; "
    "Stream('', 4800, 960, lambda: 0).close()",
    "card": "import sounddevice as s; s.OutputStream(samplerate=48000, channels=2).close()",
}


def _works(question: str) -> bool:
    try:
        answer = subprocess.run(
            [sys.executable, "-c", question], capture_output=True, timeout=15, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return answer.returncode == 0


def _child(
    stack: Stack, log: MergedLog, name: str, command: list[str], more: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    child = process.spawn(command, log=subprocess.PIPE, env={**stack.environment, **more})
    follow_output(log, name, child)
    return child
