"""A speaker process and an emergency: heard by who comes late, kept over a kill, and ended."""

import base64
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from support.services import MosquittoServer
from support.speaker_lab import Lab, eventually, noise, open_lab, wav, zone_frame
from sync2gear_broker import topics
from sync2gear_broker.messages import DeviceConfig, DeviceState, Emergency
from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.fleet import signing

KEY = Ed25519PrivateKey.generate()
QUARTER = FRAME_RATE // 4


@pytest.fixture
def lab(mosquitto: MosquittoServer, tmp_path: Path) -> Iterator[Lab]:
    with open_lab(mosquitto, tmp_path) as opened:
        key = base64.b64encode(KEY.public_key().public_bytes_raw()).decode()
        opened.send(topics.DEVICE_CONFIG, DeviceConfig(epoch=1, rev=1, emergency_keys=(key,)))
        yield opened


def test_it_is_heard_late_and_after_a_kill_and_music_goes_on_as_if_it_had_not_been(
    lab: Lab,
) -> None:
    music, voice = noise(1, 120), noise(2, 1)
    zone = lab.publish_music((lab.offer(wav(music), len(music)),))
    assert zone.anchor is not None
    alarm = lab.offer(wav(voice), len(voice), kind="announcement", title="Leave")
    start = zone_frame()
    latch = signing.signed(
        KEY, UUID(lab.zone), Emergency(gen=1, active=True, start=start, media=alarm)
    )
    parts = {"programmes": zone.programmes, "anchor": zone.anchor}
    lab.publish_zone(**parts, mute=True, emergency=latch)

    def rounds(file: str) -> bool:
        """Whether the voice is heard from its first frame on, at the full volume."""
        if not (lab.folder / f"{file}.json").exists():
            return False
        try:
            samples, about = lab.recording()
        except (FileNotFoundError, EOFError):  # the one before was moved away, this one begins
            return False
        first = about["first_frame"]
        begins = -(-(first + QUARTER - start) // len(voice)) * len(voice) + start - first
        heard = samples[begins : begins + len(voice)]
        return len(heard) == len(voice) and np.array_equal(heard, voice)

    process = lab.speak()  # it comes after the call
    eventually(lambda: rounds("heard.wav"), 60)
    process.kill()
    process.wait()
    lab.publish_zone(**parts, mute=True)  # a document without one ends nothing
    process = lab.speak()
    eventually(lambda: rounds("heard.1.wav"), 60)

    forged = latch.model_copy(update={"gen": 2, "active": False, "end": zone_frame()})
    lab.publish_zone(**parts, mute=False, emergency=forged)
    eventually(
        lambda: [f.code for s in lab.said(topics.DEVICE_STATE, DeviceState) for f in s.faults]
    )
    end = zone_frame() + FRAME_RATE
    over = latch.model_copy(update={"gen": 2, "active": False, "end": end})
    lab.publish_zone(**parts, mute=False, emergency=signing.signed(KEY, UUID(lab.zone), over))
    after = end + 2 * FRAME_RATE
    eventually(lambda: lab.recorded_until(after + FRAME_RATE), 60)
    at = after - zone.anchor.at
    assert np.array_equal(lab.heard_at(after, FRAME_RATE // 2), music[at : at + FRAME_RATE // 2])
    last = lab.said(topics.DEVICE_STATE, DeviceState)[-1]
    assert last.faults == ()
    assert {f.code for s in lab.said(topics.DEVICE_STATE, DeviceState) for f in s.faults} == {
        "emergency_unverified"
    }
