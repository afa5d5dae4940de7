"""The speaker as a process on machines whose clocks err: 1970, steps of hours, suspension."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from support import odd_machine
from support.services import MosquittoServer
from support.speaker_lab import Lab, eventually, noise, open_lab, wav, zone_frame
from sync2gear_broker import topics
from sync2gear_broker.messages import DeviceState, Heartbeat, ZoneState
from sync2gear_broker.units import FRAME_RATE

HOUR = 3600.0


@pytest.fixture
def lab(mosquitto: MosquittoServer, tmp_path: Path) -> Iterator[Lab]:
    with open_lab(mosquitto, tmp_path) as opened:
        yield opened


def start(lab: Lab, wall: float) -> Path:
    """A speaker on a machine whose clock on the wall is off; the file that says so."""
    clocks = lab.folder / "clocks"
    odd_machine.write(clocks, wall)
    lab.speak(program=(odd_machine.__file__,), **{odd_machine.ODDITIES: str(clocks)})
    return clocks


def music(lab: Lab, seed: int) -> tuple[ZoneState, np.ndarray]:
    sound = noise(seed, 120)
    return lab.publish_music((lab.offer(wav(sound), len(sound)),)), sound


def steps(lab: Lab, clocks: Path, wall: float) -> None:
    """The clock on the wall is set, and the speaker notices."""
    before = lab.log().count("clock.wall_stepped")
    odd_machine.write(clocks, wall)
    eventually(lambda: lab.log().count("clock.wall_stepped") > before)


def behind(lab: Lab) -> float:
    """How many seconds what was recorded last lies behind the platform's time."""
    samples, about = lab.recording()
    sample, at = about["segments"][-1]
    now = zone_frame() + lab.time_offset * FRAME_RATE // 1_000_000
    return (now - (at + len(samples) - sample)) / FRAME_RATE


def test_a_clock_of_1970_that_is_set_and_set_back_by_hours_is_not_heard(lab: Lab) -> None:
    zone, sound = music(lab, 70)
    assert zone.anchor is not None
    clocks = start(lab, -time.time() + 60)
    eventually(lambda: "ready" in lab.log(), 30)
    assert "1970-01-01T00:01" in lab.log(), "its log says what its clock shows"
    assert "clock.wall_differs" in lab.log(), "and by how much that is wrong"
    eventually(lambda: lab.said(topics.DEVICE_STATE, DeviceState))
    since = zone_frame()
    for step in (0.0, 5 * HOUR, -7 * HOUR):
        steps(lab, clocks, step)
        time.sleep(1)
    until = zone_frame()
    eventually(lambda: lab.recorded_until(until))
    _, about = lab.recording()
    assert len(about["segments"]) == 1, "it never lost its place"
    at = since - zone.anchor.at
    assert np.array_equal(lab.heard_at(since, until - since), sound[at : at + until - since])
    assert abs(behind(lab)) < 0.5
    assert lab.said(topics.DEVICE_STATE, DeviceState)[-1].clock == "synced"
    assert lab.said(topics.DEVICE_STATE, DeviceState)[-1].faults == ()
    beat = eventually(lambda: lab.said(topics.HEARTBEAT, Heartbeat)[1:], 60)[-1]
    assert beat.wall_error == pytest.approx(-7 * HOUR * 1000, abs=1000)


def test_after_a_suspension_that_it_miscounted_it_is_right_within_seconds(lab: Lab) -> None:
    zone, sound = music(lab, 71)
    assert zone.anchor is not None
    clocks = start(lab, 0.0)
    eventually(lambda: "ready" in lab.log(), 30)
    eventually(lambda: abs(behind(lab)) < 0.5)
    # ten minutes passed, of which the machine's clock knows all but three seconds
    lab.time_offset += 600_000_000
    odd_machine.write(clocks, 600.0, 597.0)
    woke = time.monotonic()
    eventually(lambda: "clock.woke" in lab.log())
    eventually(lambda: abs(behind(lab)) < 0.5, 10)
    assert time.monotonic() - woke < 5
    now = zone_frame() + 600 * FRAME_RATE
    eventually(lambda: lab.recorded_until(now + FRAME_RATE))
    at = (now - zone.anchor.at) % len(sound)
    again = np.concatenate([sound, sound])[at : at + FRAME_RATE]
    assert np.array_equal(lab.heard_at(now, FRAME_RATE), again)
    eventually(lambda: lab.log().count("link.up") == 2)
    state = lab.said(topics.DEVICE_STATE, DeviceState)[-1]
    assert (state.clock, state.faults) == ("synced", ())
