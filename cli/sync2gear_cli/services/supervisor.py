"""Keeps programs running: starts them in order, again when they die, ends them in reverse."""

import contextlib
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from sync2gear_cli.services.process import ServiceError

FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 20.0
STEADY_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.1

Say = Callable[[str, str], None]


@dataclass(slots=True)
class Chore:
    """What is done again every ``seconds`` while all runs; a ServiceError of it is said, once."""

    name: str
    seconds: float
    do: Callable[[], None]
    again_at: float = 0.0
    said: str = ""


@dataclass(frozen=True, slots=True)
class Program:
    """What runs as one child process.

    ``start`` returns the running child (ServiceError when it cannot); ``rank`` orders the end: the
    highest first, equals together; the end of an ``essential`` one for good ends everything.
    """

    name: str
    rank: int
    start: Callable[[], subprocess.Popen[bytes]]
    essential: bool = True
    end: signal.Signals = signal.SIGTERM
    force: signal.Signals = signal.SIGKILL
    end_seconds: float = 10.0


@dataclass(slots=True)
class _Running:
    program: Program
    child: subprocess.Popen[bytes] | None
    started: float
    failures: int = 0
    again_at: float | None = None


@dataclass
class Supervisor:
    """The programs that run now. ``say(name, line)`` tells a person what happens to them.

    A program that fails ``limit`` times in a row, never steady for a minute, is given up.
    """

    say: Say
    limit: int = 8
    chores: list[Chore] = field(default_factory=list)
    _running: list[_Running] = field(default_factory=list)

    def start(self, program: Program) -> None:
        """Start ``program`` and keep it running; ServiceError when it does not start at all."""
        child = program.start()
        self._running.append(_Running(program, child, time.monotonic()))

    def watch(self) -> None:
        """Keep all running until KeyboardInterrupt; ServiceError when an essential one is lost."""
        while True:
            self.check()
            time.sleep(_POLL_SECONDS)

    def check(self) -> None:
        """One round of ``watch``."""
        for running in list(self._running):
            if running.again_at is not None:
                if time.monotonic() >= running.again_at:
                    self._start_again(running)
            elif running.child is None or running.child.poll() is not None:
                status = running.child.returncode if running.child else None
                self._failed(running, f"ended ({_status(status)})")
        for chore in self.chores:
            if time.monotonic() >= chore.again_at:
                chore.again_at = time.monotonic() + chore.seconds
                try:
                    chore.do()
                    chore.said = ""
                except ServiceError as error:
                    if chore.said != str(error):
                        self.say(chore.name, f"ERROR: {error}")
                    chore.said = str(error)

    def end(self) -> None:
        """End all, the last started first; a KeyboardInterrupt meanwhile ends them by force."""
        for _, group in groupby(
            sorted(self._running, key=lambda r: r.program.rank, reverse=True),
            key=lambda r: r.program.rank,
        ):
            rank = list(group)
            try:
                self._end_together(rank)
            except KeyboardInterrupt:
                self.say("up", "ending by force")
                self._force()
                break
        self._running.clear()

    def _start_again(self, running: _Running) -> None:
        running.again_at = None
        try:
            running.child = running.program.start()
        except ServiceError as error:
            running.child = None
            self._failed(running, f"did not start: {error}")
        else:
            running.started = time.monotonic()
            self.say(running.program.name, "runs again")

    def _failed(self, running: _Running, what: str) -> None:
        now = time.monotonic()
        steady = running.child is not None and now - running.started > STEADY_SECONDS
        running.failures = 1 if steady else running.failures + 1
        if running.failures >= self.limit:
            self._running.remove(running)
            message = f"{what}; given up after {running.failures} failures in a row"
            if running.program.essential:
                raise ServiceError(f"{running.program.name} {message}")
            self.say(running.program.name, message)
            return
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (running.failures - 1))
        running.again_at = now + pause
        self.say(
            running.program.name,
            f"{what}; starting again in {pause:g} s ({running.failures} of {self.limit})",
        )

    def _end_together(self, rank: list[_Running]) -> None:
        alive = list(_alive(rank))
        for program, child in alive:
            child.send_signal(program.end)
        for program, child in alive:
            try:
                child.wait(program.end_seconds)
            except subprocess.TimeoutExpired:
                self.say(program.name, f"did not end in {program.end_seconds:g} s; killed")
                child.kill()
                child.wait()

    def _force(self) -> None:
        alive = list(_alive(self._running))
        for program, child in alive:
            child.send_signal(program.force)
        for _, child in alive:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(5)


def _alive(running: Iterable[_Running]) -> Iterable[tuple[Program, subprocess.Popen[bytes]]]:
    for one in running:
        if one.child is not None and one.child.poll() is None:
            yield one.program, one.child


def _status(code: int | None) -> str:
    if code is None:
        return "not running"
    if code >= 0:
        return f"exit status {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
