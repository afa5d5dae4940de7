"""The renderer: the same frames however they are cut, edges without clicks, nothing lost."""

import io
import wave
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.speaker_lab import Samples, media_of, noise, read_wav, wav
from sync2gear_broker import timeline
from sync2gear_broker.messages import (
    Anchor,
    Block,
    LiveEvent,
    Media,
    Programme,
    ProgrammeRef,
    Window,
    ZoneState,
)
from sync2gear_broker.units import FRAME_RATE
from sync2gear_firmware.decoder import CHUNK, Pool, Undecodable, decode
from sync2gear_firmware.facts import Score, Sounding
from sync2gear_firmware.fader import SLEW
from sync2gear_firmware.player import RAMP, Player, quantised
from sync2gear_firmware.players.file import WavLog, sidecar

ZONE = "0" * 8 + "-0000-4000-8000-" + "0" * 12
START = 10**9


class Booth:
    """A player on a disk of its own, decoding at once; keeps what it tells."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.broken: list[str] = []
        self.told: list[Sounding] = []
        self.pool = Pool(self._find, lambda sha, _: self.broken.append(sha))
        self.player = Player(self.pool, self.told.append)
        self.media: dict[str, Media] = {}

    def _find(self, sha256: str) -> Path | None:
        path = self.folder / sha256
        return path if path.exists() else None

    def hold(self, data: bytes, frames: int, **about: Any) -> Media:
        media = media_of(data, frames, **about)
        (self.folder / media.sha256).write_bytes(data)
        self.media[media.sha256] = media
        return media

    def score(self, state: ZoneState, *programmes: Programme, **more: Any) -> None:
        held = frozenset(self.media)
        music = tuple(m for s, m in sorted(self.media.items()) if m.kind == "music")
        values = {"volume": 1.0, "held": held, "evergreens": music, **more}
        settled = timeline.settle({p.sha256(): p for p in programmes}, state)
        self.player.perform(Score(settled, **values))

    def render(self, at: int, *sizes: int) -> Samples:
        blocks = []
        self.player.look_ahead(at)
        while self.pool.fill():
            continue
        for n in sizes:
            blocks.append(quantised(self.player.mix(at, n)))
            at += n
        return np.concatenate(blocks)


def music_of(*media: Media, **parts: Any) -> tuple[ZoneState, Programme]:
    block = Block(id="b", source="s", at=START, items=tuple(range(len(media))))
    programme = Programme(media=media, blocks=(block,))
    ref = ProgrammeRef.model_validate({"sha256": programme.sha256(), "from": 0})
    anchor = Anchor(at=START, block="b", pos=0)
    values = {"zone": ZONE, "epoch": 1, "rev": 1, "programmes": (ref,), "anchor": anchor, **parts}
    return ZoneState.model_validate(values), programme


@pytest.fixture
def booth(tmp_path: Path) -> Booth:
    return Booth(tmp_path)


SIZES = st.lists(st.integers(1, 5000), min_size=1, max_size=12)


@settings(max_examples=12, deadline=None)
@given(sizes=SIZES)
def test_the_same_frames_however_they_are_cut(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int]
) -> None:
    def played(*cuts: int) -> Samples:
        booth = Booth(tmp_path_factory.mktemp("booth"))
        a, b = noise(1, 0.2), noise(2, 4)
        call = noise(3, 0.1)
        voice = booth.hold(wav(call), len(call), kind="announcement")
        live = LiveEvent(id="e", start=START + 3000, media=voice, mode="duck", fade_in=400)
        music = [booth.hold(wav(n), len(n)) for n in (a, b)]
        booth.score(*music_of(*music, live=(live,)))
        return booth.render(START, *cuts)

    total = sum(sizes)
    whole = played(*[500] * (total // 500 + 1))[:total]
    # rounding may differ by the last bit where a gain is cut in two
    assert np.abs(played(*sizes).astype(int) - whole).max() <= 1


def test_music_is_the_file_bit_by_bit_and_items_meet_without_a_gap(booth: Booth) -> None:
    a, b = noise(4, 0.7), noise(5, 0.7)
    media = [booth.hold(wav(n), len(n)) for n in (a, b)]
    booth.score(*music_of(*media))
    out = booth.render(START, *[960] * 100)
    want = np.concatenate([a, b, a])[: len(out)]
    assert np.array_equal(out, want)
    first, second, third = booth.told
    assert [s.media for s in first.sounds] == [media[0]]
    assert (second.at, third.at) == (START + len(a), START + len(a) + len(b))


def test_a_pause_fades_for_a_few_milliseconds_and_moves_no_frame(booth: Booth) -> None:
    track = noise(6, 1)
    hold = Window.model_validate({"from": START + 5000, "until": START + 9000})
    booth.score(*music_of(booth.hold(wav(track), len(track)), hold=hold))
    out = booth.render(START, *[960] * 20)
    assert np.array_equal(out[:5000], track[:5000])
    tail = out[5000 : 5000 + RAMP].astype(float)
    assert np.abs(tail).max() > 0
    assert np.abs(tail[-10:]).max() < np.abs(track[5230:5240]).max()
    assert not out[5000 + RAMP : 9000].any()
    assert np.array_equal(out[9000 + RAMP :], track[5000 + RAMP : len(out) - 4000])
    rise = out[9000:9010].astype(float)
    assert np.abs(rise).max() < np.abs(track[5000:5010]).max()


def test_a_new_volume_is_reached_by_a_named_slew(booth: Booth) -> None:
    track = np.full((FRAME_RATE, 2), 10_000, np.int16)
    state, programme = music_of(booth.hold(wav(track), len(track)))
    booth.score(state, programme)
    before = booth.render(START, 960)
    booth.score(state, programme, volume=0.25)
    after = booth.render(START + 960, *[480] * 10)
    assert before[-1, 0] == 10_000
    assert 9990 < after[0, 0] < 10_000
    reached = round(0.75 / SLEW * FRAME_RATE)
    assert after[reached - 10, 0] > 2500
    assert (after[reached + 1 :] == 2500).all()
    assert np.abs(np.diff(after[:, 0].astype(int))).max() <= 10_000 * SLEW / FRAME_RATE + 1


def test_an_emergency_has_its_own_volume(booth: Booth) -> None:
    alarm = np.full((1000, 2), 8000, np.int16)
    state, programme = music_of(
        booth.hold(wav(noise(7, 1)), FRAME_RATE),
        emergency={
            "gen": 1,
            "active": True,
            "start": START,
            "media": booth.hold(wav(alarm), 1000, kind="announcement").model_dump(),
        },
    )
    booth.score(state, programme, volume=0.0, emergency=0.5)
    assert booth.render(START, 960)[500, 0] == 4000


def test_too_much_at_once_is_limited_and_does_not_wrap(booth: Booth) -> None:
    loud = np.full((4800, 2), 30_000, np.int16)
    voice = booth.hold(wav(loud), len(loud), kind="announcement")
    live = LiveEvent(id="e", start=START, media=voice, mode="mix")
    booth.score(*music_of(booth.hold(wav(loud + 1), len(loud)), live=(live,)))
    assert (booth.render(START, 960)[RAMP:] == 32_767).all()
    assert booth.player.level() == 5.3
    booth.render(START - FRAME_RATE, 960, 960)
    booth.player.level()
    booth.player.mix(START - FRAME_RATE + 1920, 960)
    assert booth.player.level() is None


def test_what_is_lacking_is_replaced_in_its_slot_by_a_looped_track(booth: Booth) -> None:
    short = noise(8, 0.3)
    lacking = media_of(b"nowhere", FRAME_RATE)
    have = booth.hold(wav(short), len(short))
    booth.score(*music_of(lacking, have))
    out = booth.render(START, *[960] * 60)
    want = np.concatenate([short, short, short, short])[:FRAME_RATE]
    assert np.array_equal(out[:FRAME_RATE], want)
    joined = out[FRAME_RATE + RAMP :]
    assert np.array_equal(joined, short[RAMP : RAMP + len(joined)])
    (first, *_) = booth.told
    assert [(s.lacking, s.stand_in) for s in first.sounds] == [("not_held", False), ("", True)]


def test_a_track_that_arrives_in_its_slot_is_joined_at_the_next_item(booth: Booth) -> None:
    there, late = noise(9, 0.5), noise(10, 0.5)
    have = booth.hold(wav(there), len(there))
    missing = media_of(wav(late), len(late))
    state, programme = music_of(missing, have)
    booth.score(state, programme)
    booth.render(START, 960)
    booth.hold(wav(late), len(late))
    booth.score(state, programme)
    out = booth.render(START + 960, 960)
    assert np.array_equal(out, there[960:1920])


def test_an_announcement_that_arrives_late_is_joined_in_step(booth: Booth) -> None:
    track, voice = noise(11, 1), noise(12, 0.5)
    call = media_of(wav(voice), len(voice), kind="announcement")
    live = LiveEvent(id="e", start=START + 960, media=call)
    state, programme = music_of(booth.hold(wav(track), len(track)), live=(live,))
    booth.score(state, programme)
    out = booth.render(START, 960, 960)
    assert out[960:].any(), "another track fills the slot"
    booth.hold(wav(voice), len(voice), kind="announcement")
    booth.score(state, programme)
    out = booth.render(START + 1920, 960)
    assert np.array_equal(out[RAMP:], voice[960 + RAMP : 1920])


def test_a_file_that_is_no_audio_is_told_as_broken_and_one_that_is_short_is_padded(
    booth: Booth,
) -> None:
    short = noise(13, 0.1)
    bad = booth.hold(b"this is no audio" * 100, FRAME_RATE)
    padded = booth.hold(wav(short), 2 * len(short))
    booth.score(*music_of(padded, bad))
    out = booth.render(START, *[960] * 60)
    assert np.array_equal(out[: len(short)], short)
    assert not out[len(short) : 2 * len(short)].any()
    assert booth.broken == [bad.sha256]
    empty = booth.hold(wav(noise(0, 0)), 4800)
    booth.score(*music_of(empty))
    booth.render(START, 960)
    assert booth.broken[-1] == empty.sha256
    booth.pool.retry(empty.sha256)
    booth.render(START, 960)
    assert booth.broken[-2:] == [empty.sha256, empty.sha256]


def test_a_jump_back_decodes_anew_and_memory_stays_bounded(tmp_path: Path) -> None:
    booth = Booth(tmp_path)
    booth.pool = Pool(booth._find, lambda *_: None, budget=8 * CHUNK * 4)
    track = noise(14, 20)
    media = booth.hold(wav(track), len(track))
    for number in (0, 30, 5, 39):
        booth.pool.want([(media, number)])
        while booth.pool.fill():
            continue
        at = number * CHUNK
        pcm, whole = booth.pool.read(media, at, 1000)
        assert whole
        assert np.array_equal(pcm, track[at : at + 1000])
    assert sum(booth.pool.has(media, n) for n in range(40)) <= 8
    assert not booth.pool.read(media, len(track) - 10, 20)[0][10:].any()


@pytest.mark.parametrize(
    ("form", "codec", "rate"),
    [("ogg", "libopus", 48_000), ("mp3", "libmp3lame", 44_100), ("flac", "flac", 22_050)],
)
def test_compressed_files_of_other_rates_become_48_khz_stereo(
    tmp_path: Path, form: str, codec: str, rate: int
) -> None:
    path = tmp_path / f"a.{form}"
    seconds = 2
    tone = np.sin(2 * np.pi * 440 * np.arange(rate * seconds) / rate) * 12_000
    with av.open(str(path), "w", format=form) as out:
        stream = out.add_stream(codec, rate=rate, layout="mono")
        fifo = av.AudioFifo()
        frame = av.AudioFrame.from_ndarray(tone.astype(np.int16)[None], "s16", "mono")
        frame.sample_rate = rate
        fifo.write(frame)
        while (part := fifo.read(960, partial=True)) is not None:
            out.mux(stream.encode(part))
        out.mux(stream.encode(None))
    pcm = np.concatenate(list(decode(path)))
    assert pcm.dtype == np.int16
    assert pcm.shape[1] == 2
    assert abs(len(pcm) - seconds * FRAME_RATE) < FRAME_RATE // 5
    middle = pcm[FRAME_RATE // 2 : FRAME_RATE // 2 + 4800, 0].astype(float)
    peak = np.argmax(np.abs(np.fft.rfft(middle * np.hanning(4800))))
    assert peak * 10 == 440


def test_what_is_not_audio_at_all_cannot_be_decoded(tmp_path: Path) -> None:
    path = tmp_path / "a"
    for data in (b"", b"RIFF", b"<html>" * 50, b"#EXTM3U\nhttp://127.0.0.1:9/a.mp3\n"):
        path.write_bytes(data)
        with pytest.raises(Undecodable):
            list(decode(path))


def test_a_tone_is_mixed_in_and_ends(booth: Booth) -> None:
    booth.player.tone("test_tone")
    assert booth.player.mix(START, FRAME_RATE).any()
    assert booth.player.mix(START + FRAME_RATE, FRAME_RATE).any()
    assert not booth.player.mix(START + 2 * FRAME_RATE, FRAME_RATE).any()
    booth.player.tone("identify")
    assert booth.player.mix(START + 3 * FRAME_RATE, FRAME_RATE).any()


# -- sinks ------------------------------------------------------------------------------------


def test_a_recording_is_readable_at_any_moment_and_says_where_frames_are_not_contiguous(
    tmp_path: Path,
) -> None:
    path = tmp_path / "heard.wav"
    log = WavLog(path)
    pcm = noise(15, 0.1)
    log.write(1000, pcm)
    log.write(1000 + len(pcm), pcm)
    assert np.array_equal(read_wav(path), np.concatenate([pcm, pcm]))
    log.write(500_000, pcm)
    log.close()
    about = sidecar(path).read_text()
    assert '"first_frame":1000' in about
    assert f'"segments":[[0,1000],[{2 * len(pcm)},500000]]' in about
    again = WavLog(path)
    again.write(7, pcm)
    again.close()
    assert len(read_wav(tmp_path / "heard.1.wav")) == 3 * len(pcm)
    assert '"first_frame":1000' in sidecar(tmp_path / "heard.1.wav").read_text()
    with wave.open(io.BytesIO(path.read_bytes())) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (48_000, 2, 2)
