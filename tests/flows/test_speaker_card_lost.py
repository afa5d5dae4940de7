"""A sound card that is pulled out and put back: the speaker keeps time and returns in step."""

import os
import signal
import subprocess
from pathlib import Path

import numpy as np
from test_speaker_card import SPK, Card, find, hum, opened, recorded

from support.services import MosquittoServer
from support.speaker_lab import Samples, eventually, open_lab, wav
from sync2gear_broker.units import FRAME_RATE


def pactl(card: Card, *words: str) -> str:
    """What PulseAudio's control program answers."""
    return subprocess.run(
        ["pactl", *words],
        env={**os.environ, **card.server.where},
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def in_step(card: Card, music: Samples, since: int, start: int) -> None:
    """What is heard half a second later is the music of that time."""
    eventually(lambda: len(card.heard()) > since + FRAME_RATE)
    piece = card.heard()[since + FRAME_RATE // 2 : since + FRAME_RATE * 3 // 4]
    at, like = find(piece, np.concatenate([music, music]))
    assert like > 0.9
    # what the recorder gives is what was heard some tens of milliseconds ago
    late = (card.arrived_at(since + FRAME_RATE // 2) - start - at) % len(music)
    assert late < FRAME_RATE // 2 or len(music) - late < FRAME_RATE // 50, late


def test_a_card_that_comes_late_is_lost_and_comes_back_plays_in_step(
    mosquitto: MosquittoServer, tmp_path: Path
) -> None:
    music = hum(41, 60)
    folder = tmp_path / "sound"
    folder.mkdir()
    with opened(folder, SPK) as card, open_lab(mosquitto, tmp_path) as lab:
        zone = lab.publish_music((lab.offer(wav(music), len(music)),))
        assert zone.anchor is not None
        names = folder / ".asoundrc"
        names.rename(folder / "unplugged")
        lab.speak(S2G_SPEAKER_SINK="card", S2G_SPEAKER_CARD="spk", **card.server.where)
        eventually(lambda: "card.failed" in lab.log())
        (folder / "unplugged").rename(names)
        eventually(lambda: "card.open" in lab.log())
        eventually(lambda: card.heard()[-FRAME_RATE // 2 :].any())
        in_step(card, music, len(card.heard()), zone.anchor.at)
        (line,) = (m for m in pactl(card, "list", "short", "modules").splitlines() if "null" in m)
        failures = lab.log().count("card.failed")
        pactl(card, "unload-module", line.split()[0])
        eventually(lambda: lab.log().count("card.failed") > failures)
        pactl(card, "load-module", *SPK.split())
        with recorded(card) as again:
            eventually(lambda: again.heard()[-FRAME_RATE // 2 :].any(), 30)
            in_step(again, music, len(again.heard()), zone.anchor.at)
        assert lab.log().count("card.open") == 2


def test_a_sound_server_that_loses_its_sink_ends_or_hangs_is_found_again_and_played_to_in_step(
    mosquitto: MosquittoServer, tmp_path: Path
) -> None:
    music = hum(42, 120)
    folder = tmp_path / "sound"
    folder.mkdir()
    with open_lab(mosquitto, tmp_path) as lab:
        zone = lab.publish_music((lab.offer(wav(music), len(music)),))
        assert zone.anchor is not None
        start = zone.anchor.at
        with opened(folder, SPK) as card:
            lab.speak(S2G_SPEAKER_SINK="pulse", S2G_SPEAKER_CARD="spk", **card.server.where)
            eventually(lambda: card.heard()[-FRAME_RATE // 2 :].any())
            in_step(card, music, len(card.heard()), start)
            modules = pactl(card, "list", "short", "modules").splitlines()
            (line,) = (module for module in modules if "null" in module)
            pactl(card, "unload-module", line.split()[0])
            eventually(lambda: "card.failed" in lab.log())
            pactl(card, "load-module", *SPK.split())
            with recorded(card) as again:
                eventually(lambda: again.heard()[-FRAME_RATE // 2 :].any(), 30)
                in_step(again, music, len(again.heard()), start)
        failures = lab.log().count("card.failed")
        eventually(lambda: lab.log().count("card.failed") > failures)
        with opened(folder, SPK) as card:
            eventually(lambda: card.heard()[-FRAME_RATE // 2 :].any(), 30)
            in_step(card, music, len(card.heard()), start)
            failures = lab.log().count("card.failed")
            card.server.process.send_signal(signal.SIGSTOP)
            eventually(lambda: "does not answer" in lab.log())
            eventually(lambda: lab.log().count("card.failed") > failures, 20)
            card.server.process.send_signal(signal.SIGCONT)
            opens = lab.log().count("card.open")
            eventually(lambda: lab.log().count("card.open") > opens, 20)
            since = len(card.heard())
            eventually(lambda: card.heard()[since:][-FRAME_RATE // 2 :].any(), 20)
            in_step(card, music, len(card.heard()), start)
        assert "Traceback" not in lab.log()
