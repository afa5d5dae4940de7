"""Days without servers, by an accelerated clock: always music, every announcement on its frame."""

from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from support.speaker_lab import Samples, media_of, noise, wav
from sync2gear_broker import timeline
from sync2gear_broker.messages import (
    Anchor,
    Block,
    Event,
    Media,
    Programme,
    ProgrammeRef,
    ZoneState,
)
from sync2gear_broker.units import FRAME_RATE, frames_from_micros
from sync2gear_firmware import facts as f
from sync2gear_firmware import state
from sync2gear_firmware.clock import Clock, Line
from sync2gear_firmware.decoder import Pool
from sync2gear_firmware.player import Player, quantised

ZONE, LOG, SRC = (str(UUID(int=n)) for n in range(1, 4))
SECOND = 1_000_000
HOUR = 3600 * FRAME_RATE
EPOCH = 1_790_000_000 * SECOND
T0 = frames_from_micros(EPOCH)
LENGTH = 20


@dataclass
class Alone:
    """A speaker with a disk and a clock, and nobody to speak to."""

    folder: Path
    held: frozenset[str]
    programme: Programme
    now: int = 0
    score: f.Score = field(default_factory=f.Score)
    broken: list[str] = field(default_factory=list)
    events: list[f.Record] = field(default_factory=list)

    def __post_init__(self) -> None:
        sha = self.programme.sha256()
        refs = (ProgrammeRef.model_validate({"sha256": sha, "from": 0}),)
        zone = ZoneState(
            zone=ZONE, epoch=1, rev=1, volume=100, programmes=refs,
            anchor=Anchor(at=T0, block="music", pos=0),
        )  # fmt: skip
        self.state = state.State(
            started=0, log=LOG, zone=zone, programmes={sha: self.programme}, held=self.held,
            clock=Clock(line=Line(SRC, 0, float(EPOCH))),
        )  # fmt: skip
        self.pool = Pool(self._find, lambda sha, _: self.broken.append(sha))
        self.player = Player(self.pool, lambda told: self.take(told))
        self.take(f.Tick(0.5))

    def _find(self, sha256: str) -> Path | None:
        path = self.folder / sha256
        return path if path.exists() else None

    def take(self, fact: f.Fact) -> None:
        self.state, deeds = state.step(self.state, fact, self.now)
        for deed in deeds:
            match deed:
                case f.Perform(score):
                    self.score = score
                    self.player.perform(score)
                case f.Keep(records):
                    self.events += records

    def to(self, frame: int) -> None:
        """Let time pass until ``frame``, a tick whenever one is due but hours at a time."""
        until = (frame - T0) * SECOND // FRAME_RATE
        while self.now < until:
            self.now = min(until, max(state.due(self.state), self.now + 600 * SECOND))
            self.take(f.Tick(0.5))

    def unheard(self, a: int, b: int) -> list[int]:
        """Where in [a, b) nothing would sound, by what is planned and what is here."""
        assert self.score.settled is not None
        return [
            piece.start
            for piece in timeline.plan(self.score.settled, a, b)
            if not any(v.media.sha256 in self.score.held for v in piece.voices)
            and not (piece.voices and self.score.evergreens)
        ]

    def starts(self, a: int, b: int) -> dict[str, int]:
        """When in [a, b) each announcement begins."""
        assert self.score.settled is not None
        found: dict[str, int] = {}
        for piece in timeline.plan(self.score.settled, a, b):
            for voice in piece.voices:
                if voice.role == "event":
                    found.setdefault(voice.item, piece.start)
        return found

    def _decode(self, at: int) -> None:
        self.player.look_ahead(at)
        while self.pool.fill():
            continue

    def hear(self, at: int, seconds: int) -> Samples:
        """The sound of ``seconds`` from frame ``at`` on, decoded as fast as it goes."""
        out = []
        for n in range(2 * seconds):
            here = at + n * FRAME_RATE // 2
            self._decode(here)
            for sha in set(self.broken) - self.state.broken:
                self.take(f.MediaBroken(sha, "no codec"))
                self._decode(here)  # what fills in for it
            out.append(quantised(self.player.mix(here, FRAME_RATE // 2)))
        return np.concatenate(out)


def shelf(folder: Path, count: int) -> tuple[tuple[Media, ...], dict[str, Samples]]:
    media, sounds = [], {}
    for n in range(count):
        sound = noise(n, LENGTH)
        one = media_of(wav(sound), len(sound), title=f"t{n}")
        (folder / one.sha256).write_bytes(wav(sound))
        media.append(one)
        sounds[one.sha256] = sound
    return tuple(media), sounds


def with_codec(file: bytes, tag: int) -> bytes:
    """The same WAV as if it were of another codec, by its number (here: Sony's of minidiscs)."""
    at = file.index(b"fmt ") + 8
    return file[:at] + tag.to_bytes(2, "little") + file[at + 2 :]


def silences(sound: Samples) -> int:
    """How many stretches of 20 ms are silent."""
    blocks = sound[: len(sound) // 960 * 960].reshape(-1, 960 * 2)
    return int((np.abs(blocks).max(axis=1) == 0).sum())


def a_day_alone(folder: Path, minutes: int) -> None:
    """Eight tracks, one of a codec that nobody here has and one not here, and a call every hour."""
    tracks, _ = shelf(folder, 6)
    unknown = with_codec(wav(noise(50, LENGTH)), 0x0270)
    nonsense = media_of(unknown, LENGTH * FRAME_RATE, title="no codec for it")
    (folder / nonsense.sha256).write_bytes(unknown)
    lacking = media_of(b"elsewhere", LENGTH * FRAME_RATE, title="lacking")
    voice = noise(99, 3)
    call = media_of(wav(voice), len(voice), kind="announcement", title="call")
    (folder / call.sha256).write_bytes(wav(voice))
    media = (*tracks[:3], nonsense, lacking, *tracks[3:], call)
    hours = [T0 + n * HOUR + 7 for n in range(1, 24)]
    events = tuple(
        Event(id=f"e{n}", start=at, when="cut", mode="pause", media=len(media) - 1)
        for n, at in enumerate(hours)
    )
    programme = Programme(
        media=media,
        blocks=(Block(id="music", source="s", at=T0, items=tuple(range(len(media) - 1))),),
        events=events,
    )
    here = frozenset(m.sha256 for m in media) - {lacking.sha256}
    alone = Alone(folder, here, programme)
    chance = np.random.default_rng(7)
    for at in sorted(T0 + int(s) * FRAME_RATE for s in chance.integers(60, 86_000, minutes)):
        alone.to(at)
        assert silences(alone.hear(at, 60)) == 0
    alone.to(hours[-1] - FRAME_RATE)
    heard = alone.hear(hours[-1] - FRAME_RATE, 5)
    assert np.array_equal(heard[FRAME_RATE + 480 : 4 * FRAME_RATE], voice[480:])
    alone.to(T0 + 24 * HOUR)
    assert alone.broken == [nonsense.sha256]
    assert alone.unheard(T0, T0 + 24 * HOUR) == []
    assert alone.starts(T0, T0 + 24 * HOUR) == {f"e{n}": at for n, at in enumerate(hours)}
    # the renderer was asked for some minutes only: of the rest it says that it did not play them
    assert {record.reason for record in alone.events if record.kind == "missed"} <= {
        "not_held", "undecodable", "not_played",
    }  # fmt: skip
    assert silences(heard) == 0


def test_a_day_without_servers_is_never_silent_and_every_call_is_on_its_frame(
    tmp_path: Path,
) -> None:
    a_day_alone(tmp_path, 10)


def with_one_track(folder: Path, days: int, minutes: int) -> None:
    """A programme of a week of which one track is here; after the week it goes round."""
    tracks, _ = shelf(folder, 1)
    others = tuple(media_of(bytes([n]), LENGTH * FRAME_RATE, title=f"o{n}") for n in range(40))
    media = (*others[:20], *tracks, *others[20:])
    programme = Programme(
        media=media,
        blocks=(Block(id="music", source="s", at=T0, items=tuple(range(len(media)))),),
    )
    alone = Alone(folder, frozenset(t.sha256 for t in tracks), programme)
    assert [m.sha256 for m in alone.state.evergreens] == [tracks[0].sha256]
    end = T0 + days * 24 * HOUR
    chance = np.random.default_rng(8)
    for at in sorted(T0 + int(s) * FRAME_RATE for s in chance.integers(0, days * 86_400, minutes)):
        alone.to(at)
        sound = alone.hear(at, 60)
        assert silences(sound) == 0
    alone.to(end)
    assert alone.unheard(T0, end + HOUR) == []


def test_with_one_track_here_a_programme_is_never_silent(tmp_path: Path) -> None:
    with_one_track(tmp_path, 1, 1)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_with_one_track_here_a_week_and_what_comes_after_are_never_silent(tmp_path: Path) -> None:
    with_one_track(tmp_path, 9, 10)
