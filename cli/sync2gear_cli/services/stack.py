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
from sync2gear_cli.services.merged_log import MergedLog, follow_output
from sync2gear_cli.services.mosquitto import Mosquitto
from sync2gear_cli.services.postgres import Postgres
from sync2gear_cli.services.process import LOOPBACK, ServiceError
from sync2gear_cli.services.supervisor import Program

PLATFORM: Final = (sys.executable, "-m", "sync2gear_platform")
FIRMWARE: Final = (sys.executable, "-m", "sync2gear_firmware")
_API_SECONDS: Final = 60.0
_RANK_SERVICE, _RANK_PLATFORM, _RANK_SPEAKER = 1, 2, 3
# Not the usual 5432 and 1883: the system's own services may take those at the next boot.
_POSTGRES_PORT, _DEVICE_PORT, _PLATFORM_PORT, _HTTP_PORT = 54329, 11883, 11884, 8080
_WEB: Final = Path(__file__).parents[3] / "platform" / "web" / "dist"


@dataclass(frozen=True, slots=True)
class Stack:
    """Our own services (None: it runs elsewhere) and the environment of all children."""

    folder: Path
    http_host: str
    http_port: int
    database: Postgres | None
    broker: Mosquitto | None
    environment: Mapping[str, str]

    @property
    def url(self) -> str:
        """Where browsers and devices find the platform."""
        return self.environment["S2G_PUBLIC_URL"]


def compose(folder: Path, given: Mapping[str, str], http_port: int | None = None) -> Stack:
    """The stack in ``folder`` for the environment ``given``; whatever ``given`` names is kept.

    ``S2G_DATABASE_URL`` and ``S2G_MQTT_URL`` stand for services that run elsewhere.
    """
    host = given.get("S2G_HTTP_HOST") or LOOPBACK
    wish = given.get("S2G_HTTP_PORT") or "0"
    if not wish.isdecimal() or int(wish) > 65535:
        raise ServiceError(f"S2G_HTTP_PORT is {wish!r}; it must be a port number")
    port = http_port or int(wish) or data.port(folder, "http", _HTTP_PORT)
    if not process.is_free(port, host):
        raise ServiceError(
            f"port {port} for the dashboard is in use by another program: end it, "
            f"or choose another port with --port (make run PORT=...)"
        )
    reachable = LOOPBACK if host in ("0.0.0.0", "::") else host  # noqa: S104 - compared, not bound
    public = (given.get("S2G_PUBLIC_URL") or f"http://{reachable}:{port}").rstrip("/")
    own = {
        "S2G_ENV": "dev",
        "S2G_DATA_DIR": str(folder),
        "S2G_HTTP_HOST": host,
        "S2G_PUBLIC_URL": public,
        "S2G_MEDIA_URL": (folder / "media").as_uri(),
        "PYTHONUNBUFFERED": "1",
    }
    if not given.get("S2G_SECRET_KEY"):
        own["S2G_SECRET_KEY"] = data.secret(folder / "secrets" / "platform")
    if (_WEB / "index.html").exists():
        own["S2G_WEB_DIR"] = str(_WEB)
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
        )
        own["S2G_MQTT_URL"] = broker.platform_url
        device_host = urlsplit(public).hostname or reachable
        own["S2G_MQTT_DEVICE_URL"] = f"mqtt://{device_host}:{broker.device_port}"
        own["S2G_MQTT_PASSWORD_FILE"] = str(broker.password_file)
        own["S2G_MQTT_PID_FILE"] = str(broker.pid_file)
    elif not given.get("S2G_MQTT_DEVICE_URL"):
        outside = urlsplit(given["S2G_MQTT_URL"])
        own["S2G_MQTT_DEVICE_URL"] = f"mqtt://{outside.hostname}:{outside.port or 1883}"
    environment = {**own, **{name: value for name, value in given.items() if value}}
    environment["S2G_HTTP_PORT"] = str(port)
    return Stack(folder, host, port, database, broker, environment)


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
        if not process.is_free(stack.http_port, stack.http_host):
            raise ServiceError(f"port {stack.http_port} is in use by another program")
        child = _child(stack, log, "api", [*PLATFORM, "api"], {})
        process.wait_until(
            lambda: child.poll() is not None or process.owns_port(child.pid, stack.http_port),
            _API_SECONDS,
            every=0.05,
        )
        if child.poll() is None and process.owns_port(child.pid, stack.http_port):
            return child
        if child.poll() is not None:
            raise ServiceError(f"the API ended with status {child.returncode}: see the lines above")
        process.stop(child, signal.SIGTERM, 5)
        raise ServiceError(f"the API does not listen on port {stack.http_port}")

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


def has_sound_card() -> bool:
    """Whether this machine's default sound device can be opened, asked in a process of its own.

    PortAudio lists devices that cannot be opened and prints to stderr while it looks.
    """
    question = "import sounddevice as s; s.OutputStream(samplerate=48000, channels=2).close()"
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
