"""The speaker as a process, on a real broker: what sounds, what is told, what survives."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from support.services import MosquittoServer
from support.speaker_lab import Lab, eventually, noise, open_lab, wav, zone_frame
from sync2gear_broker import topics
from sync2gear_broker.messages import DeviceState, DeviceStatus, LiveEvent
from sync2gear_broker.units import FRAME_RATE


@pytest.fixture
def lab(mosquitto: MosquittoServer, tmp_path: Path) -> Iterator[Lab]:
    with open_lab(mosquitto, tmp_path) as opened:
        yield opened


def test_music_an_announcement_and_music_resumed_on_the_very_frame(lab: Lab) -> None:
    music, voice = noise(1, 30), noise(2, 1)
    track = lab.offer(wav(music), len(music), title="Noise", artist="Seed 1")
    call = lab.offer(wav(voice), len(voice), kind="announcement", title="Hello")
    zone = lab.publish_music((track,))
    process = lab.speak()
    eventually(lambda: "ready" in lab.log())
    start = zone_frame() + FRAME_RATE
    assert zone.anchor is not None
    live = LiveEvent(id="call", start=start, media=call)
    lab.publish_zone(programmes=zone.programmes, anchor=zone.anchor, live=(live,))
    eventually(lambda: lab.recorded_until(start + 3 * FRAME_RATE))
    process.terminate()
    assert process.wait(10) == 0

    at = start - zone.anchor.at
    before = lab.heard_at(start - 4800, 4800)
    assert np.array_equal(before, music[at - 4800 : at])
    during = lab.heard_at(start + 480, len(voice) - 480)
    assert np.array_equal(during, voice[480:])
    after = lab.heard_at(start + len(voice) + 480, 48000)
    assert np.array_equal(after, music[at + 480 : at + 48480])
    kinds = [(e.kind, e.item) for e in lab.plays()]
    assert kinds == [("started", "b1"), ("started", "call"), ("finished", "call")]
    said = lab.plays()
    assert said[1].at == start
    assert said[2].frames == len(voice)
    assert lab.said(topics.DEVICE_STATUS, DeviceStatus)[-1].state == "bye"
    state = lab.said(topics.DEVICE_STATE, DeviceState)[-1]
    assert state.applied == (1, 2)
    assert state.cache_24h == 100
    assert state.clock == "synced"
