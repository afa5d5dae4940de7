"""From the API call to the first announcement sample of a cached speaker, beside a bare MQTT trip.

The speaker says in its play event at which zone frame the first sample sounds; the zone clock is
the wall clock of this one machine, so that the call's own instant compares with it. By itself it
plays to `null`, which holds nothing ahead; with ``--sink pulse`` to a PulseAudio's null sink.
Each play is heard to its end before the next, two to four seconds: some five minutes in all.
"""

import argparse
import queue
import sys
import tempfile
import time
from contextlib import ExitStack
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
from support.sound import NULL_SINK, sound_server
from support.stack import Stack, wait_until
from sync2gear_broker.messages.device import PREFIX_DIGITS

BEGAN = time.monotonic()


def say(what: str) -> None:
    """A line of progress: who waits for minutes wants to see that it goes on."""
    print(f"{time.monotonic() - BEGAN:5.0f} s  {what}", file=sys.stderr, flush=True)


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


def again(stack: Stack, calls: int) -> list[Sample]:
    """One announcement, heard again and again."""
    samples = []
    with stack.http() as http:
        zone = stack.zones[0]["id"]
        announcement = made(http, "Till two, please.", prefetch=False)["id"]
        for number in range(calls + 3):  # the first three fetch the media
            samples.append(played(http, announcement, zone))
            if number % 10 == 2:
                say(f"cached: {number - 2} of {calls}")
    return samples[3:]


def first_time(stack: Stack, firsts: int, *, prefetch: bool) -> list[Sample]:
    """Announcements that nobody has heard before, each once; prefetched ones once all hold them."""
    samples = []
    with stack.http() as http, psycopg.connect(stack.postgres.superuser_url) as database:
        database.autocommit = True
        zone = stack.zones[0]["id"]

        def holders(sha256: str) -> int:
            query = "SELECT count(*) FROM device_presence WHERE state->'prefetched' ? %s"
            found = database.execute(query, (sha256[:PREFIX_DIGITS],)).fetchone()
            return int(found[0]) if found else 0

        noun = "prefetched" if prefetch else "not prefetched"
        texts = (
            f"Number {number}, {'till' if prefetch else 'office'} two, please."
            for number in range(firsts)
        )
        ones = [made(http, text, prefetch=prefetch) for text in texts]
        if prefetch:
            for one in ones:
                sha256 = one["sha256"]
                wait_until(lambda sha256=sha256: holders(sha256) == 3, "all hold it", 60)
        say(f"first plays, {noun}: {firsts} are ready")
        for number, one in enumerate(ones, 1):
            samples.append(played(http, one["id"], zone))
            if number % 5 == 0:
                say(f"first plays, {noun}: {number} of {firsts}")
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
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--calls", type=int, default=60, help="plays of the cached one")
    parser.add_argument("--firsts", type=int, default=20, help="first plays of each kind")
    parser.add_argument("--sink", choices=["null", "pulse"], default="null")
    given = parser.parse_args()
    say("starting the installation")
    with ExitStack() as later:
        extra = None
        if given.sink == "pulse":
            folder = Path(later.enter_context(tempfile.TemporaryDirectory()))
            server = sound_server(folder, (NULL_SINK.format("card"),), first=True)
            extra = later.enter_context(server).where
        stack = Stack.start(sinks=(given.sink,) * 3, extra=extra)
        later.callback(stack.stop)
        say("bare round trips")
        trips = bare_trip()
        known = again(stack, given.calls)
        ahead = first_time(stack, given.firsts, prefetch=True)
        behind = first_time(stack, given.firsts, prefetch=False)
        trips += bare_trip()
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
                sum(s.late for s in ahead), f"of {given.firsts}", sum(s.late for s in behind)
            ),
        },
        f"{given.calls} announcements to a zone of two cached speakers ({given.sink}) beside a "
        f"bare MQTT round trip; {given.firsts} first plays, prefetched beside not",
    )


if __name__ == "__main__":
    main()
