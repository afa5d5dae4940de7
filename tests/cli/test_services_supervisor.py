"""The supervisor with real child processes: restart, give up, end in order, end by force."""

import signal
import subprocess
import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest

from sync2gear_cli.services import process
from sync2gear_cli.services.merged_log import MergedLog, follow_output, readable
from sync2gear_cli.services.process import ServiceError
from sync2gear_cli.services.supervisor import Chore, Program, Supervisor


class Scene:
    """A supervisor whose programs are shell scripts, and what it said."""

    def __init__(self, limit: int = 8) -> None:
        self.lines: list[tuple[str, str]] = []
        self.children: list[subprocess.Popen[bytes]] = []
        self.supervisor = Supervisor(lambda name, line: self.lines.append((name, line)), limit)

    def program(self, name: str, script: str, rank: int = 1, *, essential: bool = True) -> Program:
        def start() -> subprocess.Popen[bytes]:
            child = process.spawn(["sh", "-c", script], log=subprocess.DEVNULL)
            self.children.append(child)
            return child

        return Program(name, rank, start, essential=essential, end_seconds=0.3)

    def check_until(self, reached: Callable[[], bool], seconds: float = 10) -> None:
        deadline = time.monotonic() + seconds
        while not reached():
            assert time.monotonic() < deadline, self.lines
            self.supervisor.check()
            time.sleep(0.01)

    def said(self, text: str) -> bool:
        return any(text in line for _, line in self.lines)


def test_a_killed_program_runs_again() -> None:
    scene = Scene()
    scene.supervisor.start(scene.program("api", "sleep 600"))
    scene.children[0].kill()
    scene.check_until(lambda: scene.said("runs again"))
    assert len(scene.children) == 2
    assert scene.children[1].poll() is None
    assert scene.said("ended (SIGKILL); starting again in 0.2 s (1 of 8)")
    scene.supervisor.end()
    assert scene.children[1].returncode == -signal.SIGTERM


def test_an_essential_program_that_never_stays_up_ends_everything() -> None:
    scene = Scene(limit=3)
    scene.supervisor.start(scene.program("api", "exit 7"))
    with pytest.raises(ServiceError, match=r"api ended .exit status 7.; given up after 3"):
        scene.check_until(lambda: False)
    assert len(scene.children) == 3


def test_a_lost_speaker_ends_nothing_else() -> None:
    scene = Scene(limit=2)
    scene.supervisor.start(scene.program("api", "sleep 600"))
    scene.supervisor.start(scene.program("speaker", "exit 1", 3, essential=False))
    scene.check_until(lambda: scene.said("given up after 2"))
    scene.supervisor.check()
    assert scene.children[0].poll() is None
    scene.supervisor.end()


def test_a_start_that_is_refused_is_tried_again() -> None:
    scene = Scene()
    free = scene.program("broker", "sleep 600")
    attempts: list[int] = []

    def start() -> subprocess.Popen[bytes]:
        attempts.append(1)
        if len(attempts) == 2:
            raise ServiceError("port 1 is in use")
        return free.start()

    scene.supervisor.start(Program("broker", 1, start))
    scene.children[0].kill()
    scene.check_until(lambda: scene.said("runs again"))
    assert scene.said("did not start: port 1 is in use; starting again in 0.4 s (2 of 8)")
    scene.supervisor.end()


def test_the_last_started_ends_first(tmp_path: Path) -> None:
    order = tmp_path / "order"
    scene = Scene()
    for rank, name in enumerate(("postgres", "api", "speaker"), 1):
        script = (
            f"trap 'echo {name} >> {order}; exit 0' TERM; touch {tmp_path / name}; "
            "while :; do sleep 0.02; done"
        )
        scene.supervisor.start(scene.program(name, script, rank))
        assert process.wait_until((tmp_path / name).exists, 5)
    scene.supervisor.end()
    assert order.read_text().split() == ["speaker", "api", "postgres"]


def test_what_does_not_end_is_killed(tmp_path: Path) -> None:
    scene = Scene()
    script = f"trap '' TERM; touch {tmp_path / 'up'}; while :; do sleep 0.05; done"
    scene.supervisor.start(scene.program("stubborn", script))
    assert process.wait_until((tmp_path / "up").exists, 5)
    scene.supervisor.end()
    assert scene.children[0].returncode == -signal.SIGKILL
    assert scene.said("did not end in 0.3 s; killed")


def test_a_second_interrupt_ends_by_force(tmp_path: Path) -> None:
    scene = Scene()
    script = f"trap '' TERM; touch {tmp_path / 'up'}; while :; do sleep 0.05; done"
    patient = scene.program("stubborn", script)
    scene.supervisor.start(Program("stubborn", 1, patient.start, end_seconds=60))
    assert process.wait_until((tmp_path / "up").exists, 5)
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        scene.supervisor.end()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
    assert scene.children[0].returncode == -signal.SIGKILL
    assert scene.said("ending by force")


def test_lines_of_children_are_merged_with_their_names() -> None:
    out = StringIO()
    log = MergedLog(out)
    log.names = {"0190": "'Bar'"}
    child = process.spawn(["sh", "-c", "echo one; echo; echo zone 0190 >&2"], log=subprocess.PIPE)
    follow_output(log, "speaker", child)
    child.wait()
    assert process.wait_until(lambda: "Bar" in out.getvalue(), 5)
    log.close()
    assert [line.split("|")[1].strip() for line in out.getvalue().splitlines()] == [
        "one",
        "zone 'Bar'",
    ]
    assert all("speaker" in line for line in out.getvalue().splitlines())


def test_a_terminal_that_stands_still_stops_nobody() -> None:
    class Stuck(StringIO):
        """A terminal in which somebody is selecting text."""

        def write(self, text: str) -> int:
            time.sleep(0.5)
            return len(text)

    log = MergedLog(Stuck())
    began = time.monotonic()
    for number in range(10_000):
        log.say("speaker", str(number))
    assert time.monotonic() - began < 0.5


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('{"event": "plays", "zone": "Bar", "level": "info", "timestamp": "x"}', "plays zone=Bar"),
        ('{"event": "late", "level": "warning", "ms": 3}', "WARNING: late ms=3"),
        ('{"no": "event"}', '{"no": "event"}'),
        ("{broken", "{broken"),
        ("[bold]text", "[bold]text"),
    ],
)
def test_structured_lines_are_shown_for_people(line: str, shown: str) -> None:
    assert readable(line) == shown


def test_a_chore_is_done_again_and_its_trouble_is_said_once() -> None:
    scene = Scene()
    done: list[int] = []

    def work() -> None:
        done.append(len(done))
        if 2 <= len(done) <= 4:
            raise ServiceError("no paper")

    scene.supervisor.chores = [Chore("print", 0.01, work)]
    scene.check_until(lambda: len(done) == 6)
    assert scene.lines == [("print", "ERROR: no paper")]
