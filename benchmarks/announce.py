"""From the API call to the first announcement sample of a cached speaker, beside a bare MQTT trip.

The speaker says in its play event at which zone frame the first sample was handed to its sink; the
zone clock is the wall clock of this one machine, so that the call's own instant compares with it.
"""

import queue
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import psycopg
from bench import Metric, quantile, report
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.services import start_mosquitto
from support.stack import Stack, wait_until
from sync2gear_broker.messages.device import PREFIX_DIGITS

CALLS = 60
FIRSTS = 20


@dataclass(frozen=True)
class Sample:
    """Milliseconds from the call to the first sample and of the call itself; who joined late."""

    sounded: float
    answered: float
    late: bool


def played(http: httpx2.Client, announcement: str, zone: str) -> Sample:
    """One play of an announcement in a zone of two speakers."""
    called = time.time_ns() / 1e6
    answer = http.post(
        f"/api/v1/announcements/{announcement}/play-instant/", json={"zone_ids": [zone]}
    )
    took = time.time_ns() / 1e6 - called
    event = answer.raise_for_status().json()["plays"][0]["event_id"]

    def started() -> list[dict[str, Any]]:
        page = http.get("/api/v1/playback/events/", params={"page_size": 50}).json()
        mine = [e for e in page["results"] if e["item"] == event]
        ended = [e for e in mine if e["kind"] == "finished"]
        return mine if len(ended) == 2 else []

    events = wait_until(started, "both speakers have said it", 30, every=0.1)
    started_at = [e for e in events if e["kind"] == "started"]
    first = max(e["at_frame"] / 48 for e in started_at)
    late = any(e["at_frame"] > e["planned_frame"] for e in started_at)
    return Sample(first - called, took, late)


def made(http: httpx2.Client, text: str, *, prefetch: bool) -> dict[str, Any]:
    """A new announcement."""
    body = {"text": text, "prefetch": prefetch}
    answer = http.post("/api/v1/announcements/tts/", json=body)
    return dict(answer.raise_for_status().json())


def again(stack: Stack) -> list[Sample]:
    """One announcement, heard again and again."""
    with stack.http() as http:
        zone = stack.zones[0]["id"]
        announcement = made(http, "Till two, please.", prefetch=False)["id"]
        # the first ones fetch the media
        return [played(http, announcement, zone) for _ in range(CALLS + 3)][3:]


def first_time(stack: Stack, *, prefetch: bool) -> list[Sample]:
    """Announcements that nobody has heard before, each once; prefetched ones once all hold them."""
    samples = []
    with stack.http() as http, psycopg.connect(stack.postgres.superuser_url) as database:
        database.autocommit = True
        zone = stack.zones[0]["id"]

        def holders(sha256: str) -> int:
            query = "SELECT count(*) FROM device_presence WHERE state->'prefetched' ? %s"
            found = database.execute(query, (sha256[:PREFIX_DIGITS],)).fetchone()
            return int(found[0]) if found else 0

        for number in range(FIRSTS):
            text = f"Number {number}, {'till' if prefetch else 'office'} two, please."
            one = made(http, text, prefetch=prefetch)
            if prefetch:
                wait_until(lambda sha256=one["sha256"]: holders(sha256) == 3, "all hold it", 60)
            samples.append(played(http, one["id"], zone))
    return samples


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
    """Measure all of it in the same minutes."""
    stack = Stack.start()
    try:
        trips = bare_trip()
        known = again(stack)
        ahead, behind = first_time(stack, prefetch=True), first_time(stack, prefetch=False)
        trips += bare_trip()
    finally:
        stack.stop()
    sounded, answered = [s.sounded for s in known], [s.answered for s in known]
    held, fetched = [s.sounded for s in ahead], [s.sounded for s in behind]
    report(
        "announce",
        {
            "call_to_first_sample_p50": Metric(quantile(sounded, 0.5), "ms", quantile(trips, 0.5)),
            "call_to_first_sample_p99": Metric(
                quantile(sounded, 0.99), "ms", quantile(trips, 0.99)
            ),
            "api_call_p50": Metric(quantile(answered, 0.5), "ms"),
            "api_call_p99": Metric(quantile(answered, 0.99), "ms"),
            "joined_late": Metric(sum(s.late for s in known), "of all"),
            # the baseline of what speakers hold ahead: the same without
            "first_play_prefetched_p50": Metric(quantile(held, 0.5), "ms", quantile(fetched, 0.5)),
            "first_play_prefetched_max": Metric(max(held), "ms", max(fetched)),
            "first_play_joined_late": Metric(
                sum(s.late for s in ahead), f"of {FIRSTS}", sum(s.late for s in behind)
            ),
        },
        f"{CALLS} announcements to a zone of two cached speakers beside a bare MQTT round trip; "
        f"{FIRSTS} first plays, prefetched beside not",
    )


if __name__ == "__main__":
    main()
