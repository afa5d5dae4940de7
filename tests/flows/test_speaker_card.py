"""The speaker on a sound card: a private PulseAudio's null sink, recorded and compared."""

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from support.services import MosquittoServer
from support.sound import NULL_SINK, SoundServer, sound_server
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
from sync2gear_cli.services.stack import way_to_sound
from sync2gear_firmware.machine import local
from sync2gear_firmware.players.sound_server import SoundServerError, Stream

SPK = NULL_SINK.format("spk")
WAYS = pytest.mark.parametrize("way", ["card", "pulse"])
"""To the same sink: through PortAudio and ALSA, or as the server's own client."""


@dataclass
class Card:
    """A virtual card: its server, and what is heard on it with the frame of each arrival."""

    server: SoundServer
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


@contextmanager
def opened(tmp_path: Path, *sinks: str) -> Iterator[Card]:
    """A server with these sinks; the first is recorded, each is an ALSA device by its name."""
    name = next(w.removeprefix("sink_name=") for w in sinks[0].split() if "sink_name=" in w)
    with sound_server(tmp_path, sinks) as server, recorded(Card(server), name) as card:
        yield card


@contextmanager
def recorded(card: Card, name: str = "spk") -> Iterator[Card]:
    """The same card as it is heard from now on."""
    card = Card(card.server)
    recorder = subprocess.Popen(
        ["parec", "-d", f"{name}.monitor", "--rate=48000", "--channels=2", "--format=s16le",
         "--latency-msec=10"],
        env={**os.environ, **card.server.where},
        stdout=subprocess.PIPE,
    )  # fmt: skip
    reader = threading.Thread(target=_read, args=(recorder, card))
    reader.start()
    try:
        yield card
    finally:
        recorder.terminate()
        recorder.wait(10)
        reader.join(10)
        assert recorder.stdout is not None
        recorder.stdout.close()


@pytest.fixture
def card(tmp_path: Path) -> Iterator[Card]:
    with opened(tmp_path, SPK) as card:
        yield card


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


@WAYS
def test_a_card_plays_music_a_call_and_music_again_on_the_zone_clock(
    mosquitto: MosquittoServer, card: Card, tmp_path: Path, way: str
) -> None:
    with open_lab(mosquitto, tmp_path) as lab:
        _play(lab, card, card.server.where | {"S2G_SPEAKER_SINK": way})


def _play(lab: Lab, card: Card, environment: dict[str, str]) -> None:
    music, voice = hum(21, 40), hum(22, 1)
    track = lab.offer(wav(music), len(music))
    call = lab.offer(wav(voice), len(voice), kind="announcement")
    zone = lab.publish_music((track,))
    assert zone.anchor is not None
    lab.speak(
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


def test_what_sounds_here_is_found_out(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in card.server.where.items():
        monkeypatch.setenv(name, value)
    assert way_to_sound() == "pulse"
    monkeypatch.setenv("PULSE_SERVER", "unix:/nowhere")
    assert way_to_sound() != "pulse"


def test_a_stream_that_was_closed_says_so(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in card.server.where.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SoundServerError, match="nowhere"):
        Stream("nowhere", 4800, 960, local)
    stream = Stream("spk", 4800, 960, local)
    assert stream.ready
    stream.close()
    stream.close()
    for use in (stream.ask, lambda: stream.write(np.zeros((480, 2), np.float32))):
        with pytest.raises(SoundServerError, match="closed"):
            use()


@WAYS
def test_two_speakers_sound_as_one(mosquitto: MosquittoServer, tmp_path: Path, way: str) -> None:
    """Each plays to one ear of a sink, so that one recording hears both on one clock."""
    ears = [
        f"module-remap-sink sink_name={name} master=room channels=1 channel_map=mono "
        f"master_channel_map=front-{name} remix=no"
        for name in ("left", "right")
    ]
    folder = tmp_path / "sound"
    folder.mkdir()
    music = hum(31, 30)
    music[:, 1] = music[:, 0]
    with ExitStack() as stack:
        card = stack.enter_context(opened(folder, NULL_SINK.format("room"), *ears))
        start = zone_frame()
        labs = []
        for name in ("left", "right"):
            place = tmp_path / name
            place.mkdir()
            lab = stack.enter_context(open_lab(mosquitto, place))
            lab.publish_music((lab.offer(wav(music), len(music)),), start)
            lab.speak(S2G_SPEAKER_SINK=way, S2G_SPEAKER_CARD=name, **card.server.where)
            labs.append(lab)
        for lab in labs:
            eventually(lambda lab=lab: "ready" in lab.log())
        begun = len(card.heard())
        eventually(lambda: len(card.heard()) > begun + 8 * FRAME_RATE)
        heard = card.heard()[begun + 2 * FRAME_RATE : begun + 8 * FRAME_RATE]
    around = np.concatenate([music, music])
    for second in range(5):
        piece = heard[second * FRAME_RATE : second * FRAME_RATE + FRAME_RATE // 2]
        places = [find(piece[:, ear : ear + 1], around) for ear in (0, 1)]
        assert min(like for _, like in places) > 0.9
        lag = (places[0][0] - places[1][0]) % len(music)  # the track lies there twice
        assert min(lag, len(music) - lag) <= FRAME_RATE // 50
