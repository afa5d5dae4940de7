"""The whole product as its own processes, each killable: database, broker, platform, speakers."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx2

from support.services import (
    MosquittoServer,
    PostgresServer,
    open_folder,
    start_mosquitto,
    start_postgres,
)
from support.world import SECRET
from sync2gear_cli.services import process

T = TypeVar("T")

READY_SECONDS = 120.0


@dataclass
class Program:
    """One of our programs, its command and its log file."""

    name: str
    command: list[str]
    env: dict[str, str]
    log: Path
    child: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it; what it says is appended to its log."""
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(
                self.command, env=self.env, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM, as an operator would; kill -9 after 10 seconds."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self.child is None:
            return
        self.child.send_signal(number)
        try:
            self.child.wait(10)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self.child = None

    @property
    def running(self) -> bool:
        """Whether it has been started and has not ended by itself."""
        return self.child is not None and self.child.poll() is None

    def tail(self, lines: int = 40) -> str:
        """The end of its log."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])


@dataclass
class Stack:
    """A whole installation with its demonstration data (two zones, three speakers)."""

    folder: Path
    postgres: PostgresServer
    mosquitto: MosquittoServer
    env: dict[str, str]
    base_url: str
    programs: dict[str, Program] = field(default_factory=dict)
    email: str = ""
    password: str = ""
    zones: list[dict[str, str]] = field(default_factory=list)
    speakers: list[dict[str, str]] = field(default_factory=list)

    @classmethod
    def start(
        cls,
        *,
        music: Path | None = None,
        sinks: tuple[str, ...] = ("null", "null", "null"),
        extra: dict[str, str] | None = None,
    ) -> "Stack":
        """Start everything; ``sinks`` are those of the three speakers in order."""
        folder = open_folder("stack")
        postgres = start_postgres(_sub(folder, "postgres"))
        mosquitto = start_mosquitto(_sub(folder, "mosquitto"))
        port = process.free_port()
        base_url = f"http://127.0.0.1:{port}"
        env = {
            **os.environ,
            "S2G_ENV": "dev",
            "S2G_DATA_DIR": str(_sub(folder, "data")),
            "S2G_SECRET_KEY": SECRET,
            "S2G_DATABASE_URL": postgres.app_url,
            "S2G_DATABASE_ADMIN_URL": postgres.admin_url,
            "S2G_MQTT_URL": mosquitto.platform_url,
            "S2G_MQTT_DEVICE_URL": mosquitto.device_url,
            "S2G_MQTT_PASSWORD_FILE": str(mosquitto.password_file),
            "S2G_MQTT_PID_FILE": str(mosquitto.pid_file),
            "S2G_HTTP_PORT": str(port),
            "S2G_PUBLIC_URL": base_url,
            "S2G_ARGON2_MEMORY_KIB": "1024",
            "S2G_LOG_LEVEL": "info",
            # tests and benchmarks poll, populate and sign in faster than people and programs may
            "S2G_RATE_SIGN_IN": "off",
            "S2G_RATE_READS": "off",
            "S2G_RATE_COMMANDS": "off",
            "PYTHONUNBUFFERED": "1",
            **(extra or {}),
        }
        stack = cls(folder, postgres, mosquitto, env, base_url)
        try:
            stack._run("migrate")
            stack.add_platform("api")
            stack.add_platform("worker")
            wait_until(stack.answers, "the api answers")
            arguments = ["--music", str(music)] if music else []
            seeded = json.loads(stack._run("seed", *arguments).splitlines()[-1])
            stack.email, stack.password = seeded["email"], seeded["password"]
            stack.zones, stack.speakers = seeded["zones"], seeded["speakers"]
            for speaker, sink in zip(stack.speakers, sinks, strict=False):
                stack.add_speaker(speaker["name"], Path(speaker["credential_file"]), sink)
        except BaseException:
            stack.stop()
            raise
        return stack

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "sync2gear_platform", *arguments],
            env=self.env,
            capture_output=True,
            timeout=300,
            text=True,
            check=False,
        )
        if done.returncode:
            raise AssertionError(f"{arguments[0]} failed:\n{done.stderr[-4000:]}")
        return done.stdout

    def add_platform(self, verb: str, name: str | None = None) -> Program:
        """Start ``python -m sync2gear_platform VERB``."""
        return self._add(name or verb, [sys.executable, "-m", "sync2gear_platform", verb], {})

    def add_speaker(self, name: str, credential: Path, sink: str) -> Program:
        """Start a speaker; a file sink writes ``played.wav`` into its folder."""
        home = _sub(self.folder, f"speaker-{_slug(name)}")
        return self._add(
            name,
            [sys.executable, "-m", "sync2gear_firmware"],
            {
                "S2G_SPEAKER_CREDENTIAL": str(credential),
                "S2G_SPEAKER_DATA_DIR": str(home),
                "S2G_SPEAKER_SINK": sink,
                "S2G_SPEAKER_FILE": str(home / "played.wav"),
            },
        )

    def played(self, name: str) -> Path:
        """The WAV of what a file-sink speaker played."""
        return self.folder / f"speaker-{_slug(name)}" / "played.wav"

    def _add(self, name: str, command: list[str], more: dict[str, str]) -> Program:
        program = Program(name, command, {**self.env, **more}, self.folder / f"{_slug(name)}.log")
        self.programs[name] = program
        program.start()
        return program

    def __getitem__(self, name: str) -> Program:
        """A program by its name: ``api``, ``worker`` or a speaker's."""
        return self.programs[name]

    def answers(self) -> bool:
        """Whether the api serves."""
        try:
            return httpx2.get(f"{self.base_url}/api/v1/health/", timeout=2).is_success
        except httpx2.HTTPError:
            return False

    @contextmanager
    def http(self) -> Iterator[httpx2.Client]:
        """A client of the API, signed in as the manager."""
        with httpx2.Client(base_url=self.base_url, timeout=15) as client:
            answer = client.post(
                "/api/v1/auth/login/", json={"email": self.email, "password": self.password}
            )
            assert answer.status_code == 200, answer.text
            client.headers["Authorization"] = f"Bearer {answer.json()['access']}"
            yield client

    def logs(self) -> str:
        """The end of every program's log, for a failing test's message."""
        return "\n".join(f"== {p.name}\n{p.tail()}" for p in self.programs.values())

    def stop(self) -> None:
        """Stop everything and remove the folder."""
        for program in reversed(self.programs.values()):
            program.stop()
        for service in (self.mosquitto, self.postgres):
            if service.service.child is not None:
                service.stop()
        if not os.environ.get("S2G_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)


def _sub(folder: Path, name: str) -> Path:
    path = folder / name
    path.mkdir(exist_ok=True)
    path.chmod(0o755)
    return path


def _slug(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name)


def wait_until(
    condition: Callable[[], T], what: str, seconds: float = READY_SECONDS, every: float = 0.05
) -> T:
    """Poll until ``condition()`` is true and return it; AssertionError after ``seconds``."""
    deadline = time.monotonic() + seconds
    while True:
        if result := condition():
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(every)


async def eventually(
    condition: Callable[[], Awaitable[Any]],
    what: str,
    seconds: float = READY_SECONDS,
    every: float = 0.05,
) -> Any:
    """The same for coroutines."""
    deadline = time.monotonic() + seconds
    while True:
        if result := await condition():
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        await asyncio.sleep(every)
