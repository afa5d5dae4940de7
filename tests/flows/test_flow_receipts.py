"""What became of an announcement when a speaker is away and the worker is killed on the way."""

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from websockets.sync.client import connect

from support.stack import Stack, wait_until

pytestmark = pytest.mark.timeout(300)

TEXT = "Ladies and gentlemen, we close in ten minutes. Please bring what you want to the till. " * 3
"""Some fifteen seconds: long enough that a worker comes back while it sounds."""


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Two zones and three silent speakers, one of which is switched off."""
    running = Stack.start()
    try:
        with running.http() as http:
            wait_until(lambda: len(online(http)) == 3, "all speakers are online")
            running[away(running)].kill()
            # Whoever the broker has just met counts as lost after 72 s at the earliest.
            wait_until(lambda: len(online(http)) == 2, "one is seen to be away", 150)
        yield running
    except BaseException as error:
        error.add_note(running.logs())
        raise
    finally:
        running.stop()


def away(stack: Stack) -> str:
    """The name of the speaker that is switched off."""
    return stack.speakers[-1]["name"]


def online(http: httpx2.Client) -> set[str]:
    listed = http.get("/api/v1/devices/").raise_for_status().json()["results"]
    return {one["name"] for one in listed if one["is_online"]}


def begin(stack: Stack, http: httpx2.Client) -> str:
    """The id of a play in all zones."""
    zones = [zone["id"] for zone in stack.zones]
    answer = http.post("/api/v1/announcements/say/", json={"text": TEXT, "zone_ids": zones})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["plays"][0]["play_id"])


def tree_of(http: httpx2.Client, play: str) -> dict[str, Any]:
    tree: dict[str, Any] = http.get(f"/api/v1/plays/{play}/").raise_for_status().json()
    return tree


def outcomes(tree: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """``(state, reason)`` of each speaker."""
    return {
        one["name"]: (one["state"], one["reason"])
        for zone in tree["zones"]
        for one in zone["speakers"]
    }


def last_told(stack: Stack, http: httpx2.Client, play: str) -> dict[str, Any]:
    """What whoever watches is told at the end."""
    token = http.headers["Authorization"].split()[1]
    with connect(f"{stack.base_url.replace('http', 'ws')}/ws/playback/") as socket:
        for message in ({"type": "auth", "token": token}, {"type": "watch", "play_id": play}):
            socket.send(json.dumps(message))
        while True:
            told: dict[str, Any] = json.loads(socket.recv(timeout=60))
            assert told["type"] != "error", told
            if told["type"] == "play" and told["over"]:
                return told


@pytest.mark.parametrize("moment", ["asked", "sounding"])
def test_the_tree_ends_with_who_heard_it_and_why_others_did_not(stack: Stack, moment: str) -> None:
    names = {one["name"] for one in stack.speakers}
    with stack.http() as http:
        play = begin(stack, http)
        if moment == "sounding":
            wait_until(
                lambda: tree_of(http, play)["counts"].get("started") == 2, "two have begun", 30
            )
        stack["worker"].kill()
        stack["worker"].start()
        told = last_told(stack, http, play)["play"]
        heard = dict.fromkeys(names - {away(stack)}, ("finished", ""))
        assert outcomes(told) == {**heard, away(stack): ("missed", "offline")}
        assert told["counts"] == {"finished": 2, "missed": 1}
        assert tree_of(http, play) == told
        receipts = [one for zone in told["zones"] for one in zone["speakers"]]
        for one in receipts:
            times = [one["received_at"], one["started_at"], one["finished_at"]]
            if one["name"] == away(stack):
                assert times == [None, None, None]
            else:
                assert None not in times
                assert times[1] < times[2]
