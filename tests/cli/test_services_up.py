"""`sync2gear up` as a person runs it: everything starts, everything ends, a crash is survived."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from support.services import open_folder
from sync2gear_cli.services import process
from sync2gear_cli.up import sinks

SYNC2GEAR = str(Path(sys.executable).with_name("sync2gear"))


@dataclass
class Up:
    """A running `sync2gear up --json` and what it said."""

    child: "subprocess.Popen[bytes]"
    said: dict[str, Any]

    def children(self) -> dict[int, str]:
        """Process id and command line of its direct children."""
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:  # it ended meanwhile
                continue
            if parent == self.child.pid:
                found[int(entry.name)] = " ".join(process.command_line(int(entry.name)))
        return found

    def child_like(self, text: str) -> int:
        return next(pid for pid, line in self.children().items() if text in line)

    def end(self, how: signal.Signals = signal.SIGINT) -> int:
        self.child.send_signal(how)
        return self.child.wait(30)


def environment(folder: Path, **more: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("S2G_")}
    return {**clean, "S2G_DATA_DIR": str(folder), "S2G_UP_SINK": "null", **more}


def run_up(folder: Path, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [SYNC2GEAR, "up", *arguments],
        env=environment(folder, **more), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def start_up(folder: Path) -> Up:
    with (folder / "up.log").open("ab") as log:
        child = subprocess.Popen(
            [SYNC2GEAR, "up", "--json"], env=environment(folder), stdout=subprocess.PIPE, stderr=log
        )
    assert child.stdout is not None
    with child.stdout:
        line = child.stdout.readline()
    assert line, (folder / "up.log").read_text()[-3000:]
    return Up(child, json.loads(line))


@pytest.fixture(scope="module")
def folder() -> Path:
    return open_folder("up")


@pytest.fixture
def launch(folder: Path) -> Iterator[Callable[[], Up]]:
    """Starts `up` in the module's folder; what a failed test leaves running is killed."""
    started: list[Up] = []

    def start() -> Up:
        started.append(start_up(folder))
        return started[-1]

    yield start
    for up in started:
        if up.child.poll() is None:
            up.end(signal.SIGKILL)


def is_healthy(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/api/v1/health/", timeout=2).status_code == 200
    except httpx2.HTTPError:
        return False


@pytest.mark.timeout(300)
def test_everything_runs_heals_and_ends(launch: Callable[[], Up], folder: Path) -> None:
    up = launch()
    assert is_healthy(up.said["url"])
    assert len(up.said["zones"]) == 2
    assert {one["sink"] for one in up.said["speakers"]} == {"null"}
    children = up.children()
    for part in ("postgres", "mosquitto", "sync2gear_platform api", "sync2gear_platform worker"):
        assert any(part in line for line in children.values()), part
    speakers = [line for line in children.values() if "sync2gear_firmware" in line]
    assert len(speakers) == len(up.said["speakers"])

    for part in ("sync2gear_platform api", "mosquitto"):
        killed = up.child_like(part)
        os.kill(killed, signal.SIGKILL)
        process.wait_until(lambda pid=killed: pid not in up.children(), 5)  # type: ignore[misc]  # bound
        assert process.wait_until(
            lambda text=part: any(text in line for line in up.children().values()),  # type: ignore[misc]  # bound
            60,
        )
    assert process.wait_until(lambda: is_healthy(up.said["url"]), 60, 0.1)

    refused = run_up(folder)
    assert refused.returncode == 1
    assert f"in use by another `sync2gear up` (process {up.child.pid})" in refused.stdout

    children = up.children()
    assert up.end() == 0
    assert process.wait_until(lambda: not any(map(process.is_alive, children)), 5)
    assert all(process.is_free(port) for port in up.said["ports"].values())


@pytest.mark.timeout(300)
def test_a_killed_up_leaves_nothing_and_starts_again_as_it_was(launch: Callable[[], Up]) -> None:
    first = launch()
    children = first.children()
    first.end(signal.SIGKILL)
    assert process.wait_until(lambda: not any(map(process.is_alive, children)), 30)
    again = launch()
    assert again.said == first.said
    assert again.end(signal.SIGTERM) == 0


def test_a_taken_port_is_named_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server((process.LOOPBACK, 0)) as stranger:
        port = str(stranger.getsockname()[1])
        done = run_up(tmp_path, "--port", port)
    assert done.returncode == 1
    assert f"port {port} for the dashboard is in use by another program" in done.stdout
    assert "--port" in done.stdout
    assert not (tmp_path / "postgres").exists()


def test_music_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    done = run_up(tmp_path, "--music", str(tmp_path / "missing"))
    assert done.returncode == 1
    assert "is not a folder" in done.stdout


def test_an_unknown_sink_is_refused(tmp_path: Path) -> None:
    done = run_up(tmp_path, S2G_UP_SINK="loud")
    assert done.returncode == 1
    assert "S2G_UP_SINK is 'loud'; it must be one of auto, card, pulse, file, null" in done.stdout


def test_one_speaker_of_each_zone_is_heard() -> None:
    speakers = [{"zone": zone} for zone in ("bar", "bar", "shop")]
    assert sinks(speakers, "file") == ["file", "null", "file"]
    assert sinks(speakers, "null") == ["null", "null", "null"]
