"""Parts of a speaker's process that hang, each a thread stopped for real: what goes on."""

import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from support.freezing import frozen, threads
from support.services import MosquittoServer
from support.speaker_lab import Lab, Samples, eventually, noise, open_lab, wav, zone_frame
from sync2gear_broker.messages import ZoneState
from sync2gear_broker.units import FRAME_RATE


@pytest.fixture
def lab(mosquitto: MosquittoServer, tmp_path: Path) -> Iterator[Lab]:
    with open_lab(mosquitto, tmp_path) as opened:
        yield opened


def begin(lab: Lab, seed: int, **more: str) -> tuple[ZoneState, Samples, int]:
    """A speaker that plays noise: its zone, the noise, its process."""
    sound = noise(seed, 60)
    zone = lab.publish_music((lab.offer(wav(sound), len(sound)),))
    process = lab.speak(**more)
    eventually(lambda: "ready" in lab.log(), 30)
    return zone, sound, process.pid


def played(lab: Lab, zone: ZoneState, sound: Samples, a: int, b: int) -> bool:
    """Whether zone frames [a, b) were recorded as they should sound."""
    assert zone.anchor is not None
    at = (a - zone.anchor.at) % len(sound)
    return np.array_equal(lab.heard_at(a, b - a), np.concatenate([sound, sound])[at : at + b - a])


def renewed(lab: Lab, part: str) -> bool:
    return f"supervisor.hung part={part} action=renew" in lab.log()


def test_a_sink_that_hangs_is_begun_again_and_the_sound_is_back_in_step(lab: Lab) -> None:
    zone, sound, pid = begin(lab, 80)
    with frozen(pid, threads(pid)["sink"]):
        stood = zone_frame()
        eventually(lambda: renewed(lab, "render"), 30)
        back = zone_frame()
        eventually(lambda: lab.recorded_until(back + 2 * FRAME_RATE))
    assert back - stood < 25 * FRAME_RATE
    assert played(lab, zone, sound, back + FRAME_RATE, back + 2 * FRAME_RATE)
    later = zone_frame()
    eventually(lambda: lab.recorded_until(later + 2 * FRAME_RATE))
    assert played(lab, zone, sound, later, later + 2 * FRAME_RATE), "the one that stood is gone"
    assert "Traceback" not in lab.log()


def test_a_decoder_that_hangs_is_begun_again_before_anybody_hears_it(lab: Lab) -> None:
    zone, sound, pid = begin(lab, 81)
    time.sleep(3)  # it has decoded ahead, and stands over no file
    since = zone_frame()
    with frozen(pid, threads(pid)["decode"]):
        eventually(lambda: renewed(lab, "decode"), 60)
        until = zone_frame()
        eventually(lambda: lab.recorded_until(until + FRAME_RATE))
    assert played(lab, zone, sound, since, until)


def test_a_process_whose_main_loop_hangs_is_not_fed_for_and_sounds_after_systemd_killed_it(
    lab: Lab,
) -> None:
    """The unit says WatchdogSec=30 and Restart=always; here the test is systemd."""
    told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    told.bind(str(lab.folder / "notify"))
    told.settimeout(20)
    zone, sound, pid = begin(lab, 82, NOTIFY_SOCKET=str(lab.folder / "notify"))
    while told.recv(64) != b"WATCHDOG=1":
        continue
    since = zone_frame()
    with frozen(pid, pid):
        told.settimeout(11)  # it was fed every 5 s
        with pytest.raises(TimeoutError):
            told.recv(64)
        until = zone_frame()
        eventually(lambda: lab.recorded_until(until + FRAME_RATE))
    assert played(lab, zone, sound, since, until), "music goes on while the watchdog waits"
    process = lab.processes[-1]
    process.send_signal(signal.SIGABRT)
    assert process.wait(10) == -signal.SIGABRT
    lab.speak()
    again = zone_frame()
    eventually(lambda: lab.log().count("ready") == 2, 30)
    eventually(lambda: lab.recorded_until(again + 2 * FRAME_RATE))
    told.close()
    assert len(eventually(lambda: lab.plays("started"))) == 1, "one start, for it went on"


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_a_link_and_a_fetcher_that_hang_are_begun_again_one_after_the_other(lab: Lab) -> None:
    zone, sound, pid = begin(lab, 83)
    names = threads(pid)
    since = zone_frame()
    other = noise(84, 5)
    with frozen(pid, names["link"]), frozen(pid, names["fetch"]):
        began = time.monotonic()
        eventually(lambda: renewed(lab, "link"), 180)
        eventually(lambda: lab.log().count("link.up") == 2, 30)
        until = zone_frame()
        eventually(lambda: lab.recorded_until(until + FRAME_RATE))
        assert played(lab, zone, sound, until - 50 * FRAME_RATE, until)
        assert until - since > 100 * FRAME_RATE
        lab.publish_music((lab.offer(wav(other), len(other)),))
        eventually(lambda: renewed(lab, "fetch"), 400)
        assert time.monotonic() - began < 340
        eventually(lambda: len({e.media for e in lab.plays("started")}) == 2, 30)
    assert "Traceback" not in lab.log()
