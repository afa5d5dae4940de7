"""A speaker and emergencies: it obeys who has signed, keeps the latch, and hears the all-clear."""

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from test_speaker_state import CALL, OTHER, T0, ZONE, Speaker, joined, of, programme, zone

from sync2gear_broker import topics
from sync2gear_broker.messages import DeviceConfig, Emergency, ZoneState
from sync2gear_broker.units import FRAME_RATE
from sync2gear_firmware import facts as f

OLD, NEW, STRANGE = (Ed25519PrivateKey.from_private_bytes(bytes([n] * 32)) for n in (1, 2, 3))
FAULT = "emergency_unverified"


def public(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def config(rev: int, *keys: Ed25519PrivateKey) -> DeviceConfig:
    return DeviceConfig(epoch=1, rev=rev, emergency_keys=tuple(public(key) for key in keys))


def alarm(
    gen: int, key: Ed25519PrivateKey = NEW, *, of_zone: str = ZONE, **parts: Any
) -> Emergency:
    """A latch under ``key``: the call, from now on and until somebody ends it."""
    values: dict[str, Any] = {"gen": gen, "active": True, "start": T0, "media": CALL, **parts}
    latch = Emergency.model_validate(values)
    document = latch.order(of_zone).canonical()
    signature = base64.b64encode(key.sign(document)).decode()
    return latch.model_copy(update={"document": document.decode(), "signature": signature})


def told(speaker: Speaker, rev: int, latch: Emergency | None, **parts: Any) -> Emergency | None:
    """The latch in force after the zone was told under ``rev``."""
    speaker.hear(topics.DEVICE_ZONE, zone(programme(), rev=rev, emergency=latch, **parts))
    assert speaker.state.zone is not None
    return speaker.state.zone.emergency


def ready(*keys: Ed25519PrivateKey) -> Speaker:
    speaker = joined(zone(programme()), programme())
    speaker.hear(topics.DEVICE_CONFIG, config(2, *keys))
    return speaker


@pytest.mark.parametrize("key", [OLD, NEW])
def test_an_emergency_under_either_current_key_sounds(key: Ed25519PrivateKey) -> None:
    speaker = ready(NEW, OLD)
    latch = alarm(7, key, volume=90)
    assert told(speaker, 2, latch) == latch
    score = speaker.state.score
    assert score is not None
    assert score.settled is not None
    assert score.settled.alarm is not None
    assert score.settled.alarm.gen == 7
    assert score.emergency == pytest.approx(0.81)
    assert speaker.state.faults == {}


@pytest.mark.parametrize(
    "latch",
    [
        alarm(7, STRANGE),
        alarm(7, of_zone=OTHER),
        alarm(7).model_copy(update={"volume": 1}),
        alarm(7).model_copy(update={"gen": 8}),
        alarm(7).model_copy(update={"end": T0 + FRAME_RATE}),
        alarm(7).model_copy(update={"drill": True}),
        alarm(7).model_copy(update={"media": CALL.model_copy(update={"sha256": "0" * 64})}),
        alarm(7).model_copy(update={"signature": ""}),
        alarm(7).model_copy(update={"signature": "not base64"}),
        alarm(7).model_copy(update={"document": "["}),
        alarm(7).model_copy(update={"document": ""}),
    ],
    ids=[
        "stranger", "other zone", "volume", "gen", "end", "drill", "media", "unsigned",
        "no base64", "no json", "no document",
    ],
)  # fmt: skip
def test_what_nobody_has_signed_is_not_obeyed_and_said(latch: Emergency) -> None:
    speaker = ready(NEW, OLD)
    assert told(speaker, 2, latch) is None
    assert FAULT in speaker.state.faults
    assert told(speaker, 3, None) is None
    assert speaker.state.faults == {}


def test_a_key_that_comes_after_the_emergency_proves_it() -> None:
    speaker = ready()
    latch = alarm(7)
    assert told(speaker, 2, latch) is None
    assert FAULT in speaker.state.faults
    deeds = speaker.hear(topics.DEVICE_CONFIG, config(3, NEW))
    assert speaker.state.zone is not None
    assert speaker.state.zone.emergency == latch
    assert [d.zone.emergency for d in of(f.SaveZone, deeds)] == [latch]
    assert speaker.state.faults == {}


def test_the_same_document_again_is_looked_at_again() -> None:
    """After a start the keys are there and the document is not newer than the saved one."""
    latch = alarm(7)
    speaker = ready()
    assert told(speaker, 2, latch) is None
    saved = speaker.state.zone
    again = Speaker(zone=saved, config=config(3, NEW), programmes=speaker.state.programmes)
    assert told(again, 2, latch) == latch
    assert of(f.SaveZone, again.hear(topics.DEVICE_ZONE, zone(programme(), rev=2))) == []


def test_only_a_higher_generation_ends_it() -> None:
    speaker = ready(NEW)
    latch = alarm(7)
    assert told(speaker, 2, latch) == latch
    assert told(speaker, 3, None) == latch, "a document without one ends nothing"
    assert told(speaker, 4, alarm(6, active=False)) == latch
    assert told(speaker, 5, alarm(8, STRANGE, active=False)) == latch
    clear = alarm(8, active=False)
    assert told(speaker, 6, clear) == clear
    assert told(speaker, 7, latch) == clear
    score = speaker.state.score
    assert score is not None
    assert score.settled is not None
    assert score.settled.alarm is None


def test_the_latch_is_on_the_disk_and_stays_with_its_zone() -> None:
    speaker = ready(NEW)
    latch = alarm(7)
    saved = of(f.SaveZone, speaker.hear(
        topics.DEVICE_ZONE, zone(programme(), rev=2, emergency=latch)
    ))  # fmt: skip
    assert saved[-1].zone.emergency == latch
    back = Speaker(zone=ZoneState.parse(saved[-1].zone.canonical()), config=config(2, NEW))
    assert told(back, 3, None) == latch
    assert told(back, 4, None, zone=OTHER) is None
