"""What 1,000 zones that merely play cost the platform, beside the same platform with none."""

import os
import sys
import time
from pathlib import Path

from bench import Metric, report

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.stack import Stack, wait_until

ZONES = 1000
MINUTE = 60.0
TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and its children so far (proc(5), stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(fields[i]) for i in (11, 12, 13, 14)) / TICK


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(p for child in children for p in family(int(child)))]


def minute(stack: Stack) -> dict[str, float]:
    """CPU seconds of each server over one minute of nobody doing anything."""
    pids = {
        name: family(pid)
        for name, pid in (
            ("api", stack["api"].child.pid if stack["api"].child else 0),
            ("worker", stack["worker"].child.pid if stack["worker"].child else 0),
            ("postgres", stack.postgres.pid),
            ("mosquitto", stack.mosquitto.pid),
        )
    }
    before = {name: sum(map(cpu_seconds, of)) for name, of in pids.items()}
    began = time.monotonic()
    time.sleep(MINUTE)
    span = time.monotonic() - began
    return {
        name: (sum(map(cpu_seconds, of)) - before[name]) * 60 / span for name, of in pids.items()
    }


def populate(stack: Stack) -> None:
    """Make the zones and let each play."""
    with stack.http() as http:
        folder = http.get("/api/v1/music/folders/").json()["results"][0]["id"]
        ids = [
            http.post("/api/v1/zones/", json={"name": f"Zone {n}"}).raise_for_status().json()["id"]
            for n in range(ZONES)
        ]
        for n in range(0, ZONES, 100):
            body = {"zone_ids": ids[n : n + 100], "folder_id": folder}
            http.post("/api/v1/playback/play/", json=body).raise_for_status()
        wait_until(
            lambda: http.get("/api/v1/health/ready/").json()["outbox_waiting"] == 0,
            "every zone's state is published",
            120,
        )
    time.sleep(5)


def main() -> None:
    """Measure with none, then with all, in the same run."""
    stack = Stack.start(sinks=())
    try:
        with stack.http() as http:
            ids = [zone["id"] for zone in stack.zones]
            http.post("/api/v1/playback/pause/", json={"zone_ids": ids}).raise_for_status()
        time.sleep(5)
        idle = minute(stack)
        populate(stack)
        playing = minute(stack)
    finally:
        stack.stop()
    platform = playing["api"] + playing["worker"]
    report(
        "idle",
        {
            "platform_cpu": Metric(platform, "s/min", idle["api"] + idle["worker"]),
            **{f"{name}_cpu": Metric(playing[name], "s/min", idle[name]) for name in playing},
        },
        f"{ZONES} zones that play; baseline none",
    )


if __name__ == "__main__":
    main()
