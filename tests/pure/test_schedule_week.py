"""What is forecast is what speakers play, be their platform there or dead."""

import wave
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256 as sha256_
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from support.venue import DAY, HOUR, ZONE, Platform, venue
from sync2gear_broker import timeline, topics
from sync2gear_broker.messages import Document, Programme, TimeReply, ZoneState
from sync2gear_broker.units import FRAME_RATE, frames_from_micros
from sync2gear_firmware import facts as f
from sync2gear_firmware import state as core
from sync2gear_firmware.decoder import Pool
from sync2gear_firmware.player import Player, quantised
from sync2gear_platform.schedules.compiling import WHOLE

CLIENT, DEVICE, SRC, LOG = (str(UUID(int=n)) for n in range(1, 5))
SECOND = 1_000_000
EPOCH = (1_803_945_600 + 8 * 3600) * SECOND
"""A Monday in March 2027, 08:00 UTC."""

RATE = 8_000
"""Of the files that are decoded: what they sound like does not matter."""

Starts = list[tuple[str, str, str, int, int]]


class Speaker:
    """The core of a speaker whose network is perfect and whose disk holds everything."""

    def __init__(self) -> None:
        self.now = 0
        self.state = core.State(started=0, log=LOG)
        self.score: f.Score | None = None
        self.take(f.Connected())
        for _ in range(20):
            t = EPOCH + self.now
            self.hear(topics.TIME_REPLY, TimeReply(t1=self.now, t2=t, t3=t, src=SRC))
            self.now += 50_000

    def take(self, fact: f.Fact) -> None:
        self.state, deeds = core.step(self.state, fact, self.now)
        for deed in deeds:
            if isinstance(deed, f.Perform):
                self.score = deed.score

    def hear(self, channel: topics.Channel, body: Document) -> None:
        topic = topics.build(channel, client=CLIENT, device=DEVICE)
        self.take(f.Heard(topic, body.canonical(), self.now))

    def told(self, document: ZoneState, programme: Programme) -> None:
        self.hear(topics.DEVICE_ZONE, document)
        self.take(f.ProgrammeHeld(programme.sha256(), programme))
        for media in programme.media:
            if media.sha256 not in self.state.held:
                self.take(f.MediaHeld(media.sha256))

    def run(self, until: int, step: int = 60 * SECOND) -> None:
        """Let time pass to a frame, with a tick whenever one is due, at most each minute."""
        end = until * SECOND // FRAME_RATE - EPOCH
        while self.now < end:
            self.now = min(end, max(core.due(self.state), self.now + step))
            self.take(f.Tick(0.5))

    def frame(self) -> int:
        return frames_from_micros(EPOCH + self.now)

    def starts(self, start: int, end: int) -> Starts:
        assert self.score is not None
        assert self.score.settled is not None
        return starts(self.score.settled, start, end)


def starts(settled: timeline.Settled, start: int, end: int) -> Starts:
    """Every voice of [start, end): what it is, where it begins there, and how far into it."""
    found = timeline.segments(settled, start, end, 100_000)
    return [(s.role, s.item, s.media.sha256, s.start, s.offset) for s in found]


class Shelf:
    """Noise of its own for each piece of media, made when it is decoded, for the real renderer."""

    def __init__(self, folder: Path, lasts: dict[str, int]) -> None:
        self._folder, self._lasts = folder, lasts

    def find(self, sha256: str) -> Path:
        path = self._folder / sha256
        if not path.exists():
            frames = self._lasts[sha256] * RATE // FRAME_RATE
            noise = np.random.default_rng(int(sha256, 16)).integers(-9000, 9000, frames)
            with wave.open(str(path), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(RATE)
                file.writeframes(noise.astype("<i2").tobytes())
        return path

    def minute(self, score: f.Score, start: int) -> bytes:
        """The digest of a minute of PCM as a speaker renders it into an unpaced sink."""
        broken: list[str] = []
        pool = Pool(self.find, lambda sha256, _: broken.append(sha256))
        player = Player(pool, lambda _: None)
        player.perform(score)
        digest = sha256_()
        loud = 0
        for at in range(start, start + 60 * FRAME_RATE, FRAME_RATE):
            player.look_ahead(at)
            while pool.fill():
                continue
            block = quantised(player.mix(at, FRAME_RATE))
            loud = max(loud, int(np.abs(block).max()))
            digest.update(block.tobytes())
        assert not broken
        sounds = bool(timeline.segments(score.settled, start, start + 60 * FRAME_RATE))
        assert (loud > 1000) == sounds, "quiet hours are silent, and nothing else"
        return digest.digest()


def played(
    platform: Platform,
    hours: int,
    meanwhile: Callable[[Speaker], None],
    folder: Path,
    minutes: int = 10,
) -> tuple[Starts, Starts]:
    """What the forecast of the first hour says of these hours, and what the speaker plays.

    ``minutes`` of them, spread evenly, are rendered and compared as PCM besides.
    """
    speaker = Speaker()
    document, programme = platform.publish(speaker.frame(), WHOLE if hours > 24 else 2 * DAY)
    forecast = timeline.settle({programme.sha256(): programme}, document)
    speaker.told(document, programme)
    first = speaker.frame() + 2 * FRAME_RATE
    speaker.run(first)
    expected: Starts = []
    heard: Starts = []
    shelf = Shelf(folder, {media.sha256: media.frames for media in programme.media})
    sampled = {round(k * hours / minutes) for k in range(minutes)}
    for hour in range(hours):
        a, b = first + hour * HOUR, first + (hour + 1) * HOUR
        expected += starts(forecast, a, b)
        heard += speaker.starts(a, b)
        if hour in sampled:
            assert speaker.score is not None
            # in the middle of it: calls at :35 and between songs, and fades, are among the minutes
            since = a + 34 * 60 * FRAME_RATE + 30 * FRAME_RATE
            foretold = shelf.minute(replace(speaker.score, settled=forecast), since)
            assert shelf.minute(speaker.score, since) == foretold, hour
        speaker.run(b)
        meanwhile(speaker)
    return expected, heard


@pytest.mark.parametrize("hours", [6, pytest.param(7 * 24, marks=pytest.mark.soak)])
@pytest.mark.timeout(1800)
def test_every_start_is_the_forecasts_frame_while_the_platform_compiles_again(
    hours: int, tmp_path: Path
) -> None:
    platform = Platform(venue())
    passed = iter(range(1, 1000))

    def meanwhile(speaker: Speaker) -> None:
        if next(passed) % (2 if hours < 24 else 11) == 0:
            reach = (8 if hours > 24 else 3) * DAY - (speaker.frame() % DAY)
            document, programme = platform.publish(speaker.frame(), reach)
            speaker.told(document, programme)
            speaker.run(speaker.frame() + 2 * FRAME_RATE)

    expected, heard = played(platform, hours, meanwhile, tmp_path, 10 if hours > 24 else 0)
    assert len(platform.facts.schedules) == 40
    assert heard == expected
    assert sum(one[0] == "event" for one in heard) > 3 * hours
    assert platform.state.zone == str(ZONE)


@pytest.mark.parametrize("hours", [6, pytest.param(7 * 24, marks=pytest.mark.soak)])
@pytest.mark.timeout(1800)
def test_every_start_is_the_forecasts_frame_when_the_platform_is_dead_after_an_hour(
    hours: int, tmp_path: Path
) -> None:
    platform = Platform(venue())

    def meanwhile(speaker: Speaker) -> None:
        if speaker.state.connected:
            speaker.take(f.Disconnected("gone"))

    expected, heard = played(platform, hours, meanwhile, tmp_path, 10 if hours > 24 else 1)
    assert heard == expected
    assert sum(one[0] == "event" for one in heard) > 3 * hours
