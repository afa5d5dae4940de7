"""The speaker on a sound card: a private PulseAudio's null sink, recorded and compared."""

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from support.services import MosquittoServer
from support.speaker_lab import (
    Lab,
    Samples,
    eventually,
    noise,
    open_lab,
    wav,
    zone_frame,
)
from sync2gear_broker.messages import LiveEvent
from sync2gear_broker.units import FRAME_RATE


@dataclass
class Card:
    """A virtual card: its environment, and what is heard on it with the frame of each arrival."""

    environment: dict[str, str]
    chunks: list[tuple[int, bytes]] = field(default_factory=list)

    def heard(self) -> Samples:
        data = b"".join(chunk for _, chunk in list(self.chunks))
        return np.frombuffer(data[: len(data) // 4 * 4], "<i2").reshape(-1, 2)

    def arrived_at(self, sample: int) -> int:
        """The zone frame at which a sample had come out of the recorder."""
        total = 0
        for frame, chunk in list(self.chunks):
            total += len(chunk) // 4
            if total > sample:
                return frame
        raise AssertionError("not recorded")


@pytest.fixture
def card(tmp_path: Path) -> Iterator[Card]:
    socket = tmp_path / "pulse.socket"
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "PULSE_RUNTIME_PATH": str(tmp_path / "pulse"),
        "PULSE_SERVER": f"unix:{socket}",
    }
    (tmp_path / ".asoundrc").write_text("pcm.spk { type pulse device spk }\n")
    options = ["-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1"]
    modules = [
        f"module-native-protocol-unix auth-anonymous=1 socket={socket}",
        "module-null-sink sink_name=spk rate=48000 channels=2 format=s16le",
    ]
    server = subprocess.Popen(
        ["pulseaudio", *options, *(word for m in modules for word in ("-L", m))],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    eventually(socket.exists)
    recorder = subprocess.Popen(
        ["parec", "-d", "spk.monitor", "--rate=48000", "--channels=2", "--format=s16le",
         "--latency-msec=10"],
        env=environment,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    opened = Card(environment)
    reader = threading.Thread(target=_read, args=(recorder, opened))
    reader.start()
    yield opened
    for process in (recorder, server):
        process.terminate()
        process.wait(10)
    reader.join(10)
    assert recorder.stdout is not None
    recorder.stdout.close()


def _read(recorder: "subprocess.Popen[bytes]", card: Card) -> None:
    assert recorder.stdout is not None
    while chunk := os.read(recorder.stdout.fileno(), 65536):
        card.chunks.append((zone_frame(), chunk))


def hum(seed: int, seconds: float) -> Samples:
    """Noise below some 500 Hz: a frame more or less now and then does not make it another."""
    raw = noise(seed, seconds, 0.9).astype(np.float64)
    window = np.hanning(96)
    smooth = [np.convolve(raw[:, k], window / window.sum(), "same") for k in range(2)]
    return (3 * np.stack(smooth, axis=1)).astype(np.int16)


def find(needle: Samples, hay: Samples) -> tuple[int, float]:
    """Where ``needle`` lies in ``hay``, by cross-correlation, and how alike they are (0..1)."""
    a, b = (x[:, 0].astype(np.float64) for x in (needle, hay))
    size = 1 << (len(a) + len(b)).bit_length()
    lags = np.fft.irfft(np.fft.rfft(b, size) * np.conj(np.fft.rfft(a, size)), size)
    at = int(np.argmax(lags[: len(b) - len(a)]))
    piece = b[at : at + len(a)]
    return at, float(np.dot(a, piece) / (np.linalg.norm(a) * np.linalg.norm(piece) + 1e-9))


def test_a_card_plays_music_a_call_and_music_again_on_the_zone_clock(
    mosquitto: MosquittoServer, card: Card, tmp_path: Path
) -> None:
    with open_lab(mosquitto, tmp_path) as lab:
        names = ("HOME", "PULSE_RUNTIME_PATH", "PULSE_SERVER")
        environment = {name: card.environment[name] for name in names}
        _play(lab, card, environment)


def _play(lab: Lab, card: Card, environment: dict[str, str]) -> None:
    music, voice = hum(21, 40), hum(22, 1)
    track = lab.offer(wav(music), len(music))
    call = lab.offer(wav(voice), len(voice), kind="announcement")
    zone = lab.publish_music((track,))
    assert zone.anchor is not None
    lab.speak(
        S2G_SPEAKER_SINK="card",
        S2G_SPEAKER_CARD="spk",
        S2G_SPEAKER_LOG_LEVEL="DEBUG",
        **environment,
    )
    eventually(lambda: "ready" in lab.log())
    start = zone_frame() + 5 * FRAME_RATE // 2
    lab.publish_zone(
        programmes=zone.programmes,
        anchor=zone.anchor,
        live=(LiveEvent(id="call", start=start, media=call),),
    )
    while zone_frame() < start + 3 * FRAME_RATE:
        time.sleep(0.05)
    heard = card.heard()
    at, half = start - zone.anchor.at, FRAME_RATE // 2

    before, like = find(music[at - half : at - half // 2], heard)
    assert like > 0.9
    during, like = find(voice[half // 2 : half], heard)
    assert like > 0.9
    after, like = find(music[at + half : at + 2 * half], heard)
    assert like > 0.9
    # the card's own position may be corrected by a frame now and then
    assert abs((during - half // 2) - (before + half)) <= 48
    assert abs((after - half) - (during - half // 2 + len(voice))) <= 48
    # what the recorder gives is what was heard some tens of milliseconds ago
    late = card.arrived_at(during) - (start + half // 2)
    assert -FRAME_RATE // 50 < late < FRAME_RATE // 2, late
