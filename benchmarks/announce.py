"""From the API call to the first announcement sample of a cached speaker, beside a bare MQTT trip.

The speaker says in its play event at which zone frame the first sample was handed to its sink; the
zone clock is the wall clock of this one machine, so that the call's own instant compares with it.
"""

import queue
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench import Metric, quantile, report
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.services import start_mosquitto
from support.stack import Stack, wait_until

CALLS = 60


def announce(stack: Stack) -> tuple[list[float], list[float], int]:
    """Milliseconds to the first sample and of the call, of each; and how many joined late."""
    sounded, answered, late = [], [], 0
    with stack.http() as http:
        zone = stack.zones[0]["id"]
        made = http.post("/api/v1/announcements/tts/", json={"text": "Till two, please."})
        announcement = made.raise_for_status().json()["id"]
        for number in range(CALLS + 3):
            called = time.time_ns() / 1e6
            answer = http.post(
                f"/api/v1/announcements/{announcement}/play-instant/", json={"zone_ids": [zone]}
            )
            took = time.time_ns() / 1e6 - called
            event = answer.raise_for_status().json()["plays"][0]["event_id"]

            def started(event: str = event) -> list[dict[str, Any]]:
                page = http.get("/api/v1/playback/events/", params={"page_size": 50}).json()
                mine = [e for e in page["results"] if e["item"] == event]
                ended = [e for e in mine if e["kind"] == "finished"]
                return mine if len(ended) == 2 else []

            events = wait_until(started, "both speakers have said it", 20, every=0.1)
            started_at = [e for e in events if e["kind"] == "started"]
            first = max(e["at_frame"] / 48 for e in started_at)
            if number >= 3:  # the first ones fetch the media
                sounded.append(first - called)
                answered.append(took)
                late += any(e["at_frame"] > e["planned_frame"] for e in started_at)
    return sounded, answered, late


def bare_trip() -> list[float]:
    """Milliseconds of QoS 1 round trips through an idle broker of the same configuration."""
    broker = start_mosquitto()
    try:
        url = urlsplit(broker.platform_url)
        heard: queue.SimpleQueue[int] = queue.SimpleQueue()
        client = Client(CallbackAPIVersion.VERSION2)
        client.username_pw_set(url.username, url.password)
        client.on_socket_open = lambda _c, _u, s: s.setsockopt(6, 1, 1)
        client.on_message = lambda _c, _u, _m: heard.put(time.perf_counter_ns())
        client.connect(url.hostname or "", url.port or 0)
        client.loop_start()
        client.subscribe("s2g/1/_sys/gen", 1)
        time.sleep(0.5)
        trips = []
        for _ in range(300):
            began = time.perf_counter_ns()
            client.publish("s2g/1/_sys/gen", b"x" * 900, 1)
            trips.append((heard.get(timeout=5) - began) / 1e6)
            time.sleep(0.002)
        client.disconnect()
        client.loop_stop()
        return trips
    finally:
        broker.stop()


def main() -> None:
    """Measure both in the same minutes."""
    stack = Stack.start()
    try:
        trips = bare_trip()
        sounded, answered, late = announce(stack)
        trips += bare_trip()
    finally:
        stack.stop()
    report(
        "announce",
        {
            "call_to_first_sample_p50": Metric(quantile(sounded, 0.5), "ms", quantile(trips, 0.5)),
            "call_to_first_sample_p99": Metric(
                quantile(sounded, 0.99), "ms", quantile(trips, 0.99)
            ),
            "api_call_p50": Metric(quantile(answered, 0.5), "ms"),
            "api_call_p99": Metric(quantile(answered, 0.99), "ms"),
            "joined_late": Metric(late, "of all"),
        },
        f"{CALLS} announcements to a zone of two cached speakers; baseline bare MQTT round trip",
    )


if __name__ == "__main__":
    main()
