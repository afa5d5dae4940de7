"""SIGKILL at random moments: downloads, the outbox, another plan, a file that rots meanwhile."""

import random
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from support.services import MosquittoServer
from support.speaker_lab import Lab, Samples, eventually, noise, open_lab, read_wav, wav
from sync2gear_broker.messages import Media
from sync2gear_broker.units import FRAME_RATE

SECONDS = 3


@pytest.fixture
def lab(mosquitto: MosquittoServer, tmp_path: Path) -> Iterator[Lab]:
    with open_lab(mosquitto, tmp_path) as opened:
        yield opened


def sounds(lab: Lab) -> bool:
    """Whether the recording that is being made has anything but silence."""
    try:
        return bool(lab.recording()[0].any())
    except (FileNotFoundError, EOFError):
        return False


def rot(lab: Lab, chance: random.Random, evil: bytes) -> None:
    """One of the files on the disk, whole or in part, becomes another of the same length."""
    files = sorted((lab.folder / "data" / "media").glob("*"))
    if files:
        file = chance.choice(files)
        file.write_bytes(evil[: file.stat().st_size])


def contains(recording: Samples, evil: Samples) -> bool:
    """Whether any stretch of a fifth of a second of ``evil`` was recorded."""
    heard, step = recording.tobytes(), FRAME_RATE // 10
    return any(evil[k : k + 64].tobytes() in heard for k in range(0, len(evil) - 64, step))


def fresh(lab: Lab) -> set[Path]:
    """Downloads under way."""
    return {p for p in (lab.folder / "data").rglob("*") if p.name.endswith(".part")}


def outbox(lab: Lab) -> int:
    """What changes with every write to the outbox."""
    try:
        return (lab.folder / "data" / "spool.sqlite-wal").stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def await_moment(lab: Lab, moment: str, chance: random.Random, tracks: list[Media]) -> None:
    """Let the speaker come to ``moment``, and for a random while into it."""
    if moment == "any":
        time.sleep(chance.uniform(0, 2))
    elif moment == "download":
        eventually(lambda: fresh(lab), 30)
        time.sleep(chance.uniform(0, 0.3))
    elif moment == "outbox":
        eventually(lambda: sounds(lab), 30)
        before = outbox(lab)
        eventually(lambda: outbox(lab) != before, 30)
        time.sleep(chance.uniform(0, 0.01))
    else:
        eventually(lambda: sounds(lab), 30)
        lab.publish_music(tuple(chance.sample(tracks, 3)))
        time.sleep(chance.uniform(0, 0.4))


MOMENTS = ("download", "outbox", "switch", "any")


def killed(lab: Lab, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    evil = noise(900, SECONDS)
    tracks = [lab.offer(wav(noise(n, SECONDS)), SECONDS * FRAME_RATE) for n in range(60, 68)]
    lab.publish_music(tuple(tracks[:3]))
    for n in range(kills):
        moment = MOMENTS[n % len(MOMENTS)]
        if n and chance.random() < 0.3:
            rot(lab, chance, wav(evil))
        if moment == "download":
            wanted = chance.sample(tracks, 3)
            for track in wanted:
                (lab.folder / "data" / "media" / track.sha256).unlink(missing_ok=True)
            lab.publish_music(tuple(wanted))
        for track in chance.sample(tracks, 2):
            path = f"/api/v1/media/{track.sha256}/"
            lab.shelf.cut_once[path] = chance.randrange(len(lab.shelf.bodies[path]))
        lab.acknowledges = chance.random() < 0.7
        (lab.folder / "heard.wav").unlink(missing_ok=True)
        process = lab.speak(S2G_SPEAKER_FETCH_RATE="1000000")
        await_moment(lab, moment, chance, tracks)
        process.kill()
        process.wait()
        if (lab.folder / "heard.wav").exists():
            assert not contains(read_wav(lab.folder / "heard.wav"), evil), "it played what rotted"
    lab.acknowledges = True
    (lab.folder / "heard.wav").unlink(missing_ok=True)
    told = len(lab.plays())
    lab.speak()
    eventually(lambda: sounds(lab), 30)
    eventually(lambda: len(lab.plays()) > told + 2, 30)
    events = lab.plays()
    assert [e.seq for e in events] == list(range(1, len(events) + 1)), "none is lost"
    assert len({e.id for e in events}) == len(events)
    starts = [(e.item, e.media, e.planned) for e in events if e.kind == "started"]
    ends = [(e.item, e.media, e.planned) for e in events if e.kind == "finished"]
    assert len(set(starts)) == len(starts), "nothing is told twice"
    assert len(set(ends)) == len(ends)
    assert set(ends) <= set(starts)
    assert len(starts) - len(ends) <= 1, "only what sounds now is open"
    assert len({log for log, _ in lab.events}) == 1
    assert np.any(lab.recording()[0])


def test_kills_at_random_moments_leave_sound_and_a_true_account(lab: Lab) -> None:
    killed(lab, 4, seed=1)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(2, 6))
def test_two_hundred_kills_leave_sound_and_a_true_account(lab: Lab, seed: int) -> None:
    killed(lab, 50, seed)
