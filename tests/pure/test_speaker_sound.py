"""What reaches the card: limited, faded, ducked, routed without a click; cards that return."""

from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_speaker_player import START, Booth, booth, music_of

from support.speaker_lab import Samples, media_of, noise, wav
from support.virtual_room import SECOND, Device, Seat, calm, jittery, skew
from sync2gear_broker.messages import Channels, LiveEvent
from sync2gear_broker.units import FRAME_RATE, amplitude
from sync2gear_firmware.fader import SLEW, Fader
from sync2gear_firmware.limiter import RELEASE, Limiter
from sync2gear_firmware.players.virtual import Kind
from sync2gear_firmware.resample import Frames

__all__ = ["booth"]  # the fixture
TONE = 997.0
RATES = [44_100, 48_000, 96_000]


def tone(gains: Any, rate: int = FRAME_RATE) -> Frames:
    """A tone that is as loud as ``gains``, on both channels."""
    wave = np.sin(2 * np.pi * TONE / rate * np.arange(len(gains))) * gains
    return np.stack([wave, wave], axis=1).astype(np.float32)


def beside(sound: Frames, width: float, rate: int = FRAME_RATE) -> float:
    """What is further than ``width`` Hz from the tone, in dB of all."""
    spectrum = np.abs(np.fft.rfft(sound[:, 0].astype(np.float64) * np.blackman(len(sound)))) ** 2
    hertz = np.fft.rfftfreq(len(sound), 1 / rate)
    return float(10 * np.log10(spectrum[abs(hertz - TONE) > width].sum() / spectrum.sum()))


def pushed(limiter: Limiter, frames: Frames, *sizes: int) -> Frames:
    """All of ``frames`` through a limiter in blocks of these sizes, then the rest."""
    edges = np.cumsum(sizes)
    return np.concatenate([limiter.push(part) for part in np.split(frames, edges)])


# -- the limiter ------------------------------------------------------------------------------

LOUD = st.lists(st.tuples(st.floats(0, 4), st.integers(1, 700)), min_size=1, max_size=8)
CUTS = st.lists(st.integers(0, 900), max_size=6)


@settings(deadline=None, max_examples=25)
@given(LOUD, CUTS, st.sampled_from(RATES), st.integers(0, 9))
def test_nothing_exceeds_full_scale_however_it_is_cut(
    loud: list[tuple[float, int]], cuts: list[int], rate: int, seed: int
) -> None:
    gains = np.concatenate([np.full(n, level) for level, n in loud])
    wild = np.random.default_rng(seed).uniform(-1, 1, (len(gains), 2)) * gains[:, None]
    frames = wild.astype(np.float32)
    whole = Limiter(rate).push(frames)
    assert np.abs(whole).max() <= 1
    assert np.allclose(pushed(Limiter(rate), frames, *cuts), whole, atol=1e-6)


def test_what_is_not_too_loud_passes_bit_by_bit() -> None:
    limiter = Limiter(FRAME_RATE)
    frames = np.random.default_rng(1).uniform(-1, 1, (5000, 2)).astype(np.float32)
    frames[100] = 1, -1
    out = pushed(limiter, frames, 480, 1, 7, 960)
    assert np.array_equal(out[limiter.delay :], frames[: -limiter.delay])
    assert not out[: limiter.delay].any()


@pytest.mark.parametrize("rate", RATES)
def test_the_gain_falls_before_a_peak_and_rises_after_it_without_a_click(rate: int) -> None:
    swell = 0.5 + 1.5 * np.hanning(rate)
    limiter = Limiter(rate)
    out = pushed(limiter, tone(swell, rate), *[rate // 100] * 100)
    assert 0.98 < np.abs(out).max() <= 1
    assert beside(out, 100, rate) < -60
    assert beside(np.clip(tone(swell, rate), -1, 1), 100, rate) > -30, "what a hard clip would do"
    flat = np.ones((rate, 2), np.float32)
    flat[rate // 4] = 2
    gains = pushed(limiter := Limiter(rate), flat)[limiter.delay :, 0]
    assert np.abs(np.diff(np.delete(gains, rate // 4))).max() < 1.01 / limiter.delay
    assert gains[rate // 4] == pytest.approx(1)
    assert gains[rate // 4 - 1] == pytest.approx(0.5, abs=0.02)
    assert (gains[rate // 4 + limiter.delay * 2 + round(RELEASE * rate / 2) :] == 1).all()


# -- the fader --------------------------------------------------------------------------------


@settings(deadline=None, max_examples=25)
@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.sampled_from(["stereo", "mono", "left", "right"])),
        min_size=2,
        max_size=6,
    ),
    st.integers(1, 9000),
)
def test_no_gain_changes_faster_than_the_slew(course: list[tuple[float, Channels]], n: int) -> None:
    fader, ones = Fader(), np.ones((n, 2), np.float32)
    blocks = [fader.apply(ones.copy(), volume, channels) for volume, channels in course]
    # one source channel in one output changes by the slew; two of them are heard in each
    assert np.abs(np.diff(np.concatenate(blocks), axis=0)).max() < 2.01 * SLEW / FRAME_RATE
    for volume, channels in [course[-1]] * 2:
        settled = [fader.apply(ones.copy(), volume, channels) for _ in range(4801 // n + 1)]
    assert np.allclose(settled[-1][-1], volume, atol=1e-6)


def test_a_tone_that_is_turned_down_and_up_stays_a_tone(booth: Booth) -> None:
    steady = (tone(np.full(2 * FRAME_RATE, 0.5)) * 32768).round().astype(np.int16)
    state, programme = music_of(booth.hold(wav(steady), len(steady)))
    heard = []
    for number, volume in enumerate((1.0, 1.0, 0.1, 0.1, 0.0, 0.9, 0.9, 0.3)):
        booth.score(state, programme, volume=volume)
        heard.append(booth.render(START + number * 4000, *[400] * 10))
    sound = np.concatenate(heard)[4000:].astype(np.float32) / 32768
    assert np.abs(sound[-400:]).max() < 0.5
    assert beside(sound, 200) < -55
    jumps = np.repeat([0.5, 0.05, 0.05, 0.0, 0.45, 0.45, 0.15], 4000)
    assert beside(tone(jumps), 200) > -30, "what steps would do"


@pytest.mark.parametrize(
    ("channels", "left", "right"),
    [("stereo", 8000, 2000), ("mono", 5000, 5000), ("left", 8000, 8000), ("right", 2000, 2000)],
)
def test_a_device_sounds_its_channels(
    booth: Booth, channels: Channels, left: int, right: int
) -> None:
    track = np.tile(np.array([8000, 2000], np.int16), (FRAME_RATE, 1))
    state, programme = music_of(booth.hold(wav(track), len(track)))
    booth.score(state, programme, channels=channels)
    assert (booth.render(START, 960) == [left, right]).all()
    booth.score(state, programme)
    back = booth.render(START + 960, *[960] * 10)
    assert (back[-960:] == [8000, 2000]).all()
    most = 10_000 * SLEW / FRAME_RATE + 1
    assert np.abs(np.diff(back.astype(int), axis=0)).max() <= most


# -- ducking, slots ---------------------------------------------------------------------------


def test_music_ducks_by_its_depth_in_its_attack_and_comes_back_in_its_release(booth: Booth) -> None:
    level, attack, release, depth = 20_000, 4800, 14_400, amplitude(-1800)
    track = np.full((3 * FRAME_RATE, 2), level, np.int16)
    music = booth.hold(wav(track), len(track))
    silent = np.zeros((9600, 2), np.int16)
    voice = booth.hold(wav(silent), len(silent), kind="announcement")
    live = LiveEvent(
        id="e", start=START + 24_000, media=voice, mode="duck", duck=-1800,
        fade_in=attack, fade_out=release,
    )  # fmt: skip
    booth.score(*music_of(music, live=(live,)))
    heard = booth.render(START, *[480] * 130)[:, 0] / level
    at = np.arange(len(heard))
    down, up = 24_000, 24_000 + len(silent)
    want = np.interp(at, [down - attack, down, up, up + release], [1, depth, depth, 1])
    assert np.abs(heard - want).max() < 2 / level + 1e-4


def test_what_stands_in_never_doubles_at_the_edges_of_its_slot(booth: Booth) -> None:
    level = 12_000
    before, green, after = (np.full((9600 + k, 2), level, np.int16) for k in range(3))
    have = [booth.hold(wav(one), len(one)) for one in (before, green, after)]
    lacking = media_of(b"nowhere", 9600)
    items = (have[0], lacking, have[2])
    state, programme = music_of(*items)
    booth.score(state, programme, evergreens=(have[1],))
    heard = booth.render(START, *[700] * 60)
    assert heard.max() <= level + 1
    edge = len(before) + 9600
    assert heard[edge - 100 : edge + 400].min() > level - 2, "and nothing is missing either"


# -- cards ------------------------------------------------------------------------------------


class Hum:
    """A tone on the zone clock."""

    def __init__(self, trim: int = 0) -> None:
        self.trim = trim

    def look_ahead(self, at: int) -> None:
        """It is always at hand."""

    def ready(self, at: int) -> bool:
        return at > 0

    def mix(self, at: int, n: int) -> Frames:
        wave = 0.5 * np.sin(2 * np.pi * TONE / FRAME_RATE * (np.arange(at, at + n) % FRAME_RATE))
        return np.stack([wave, wave], axis=1).astype(np.float32)


class Shout(Hum):
    """Twice too loud."""

    def mix(self, at: int, n: int) -> Frames:
        return 4 * super().mix(at, n)


def test_what_a_card_is_given_is_limited() -> None:
    seat = Seat(Device(card=Kind(ppm=50)), 3, Shout())
    seat.run(5 * SECOND)
    sound = np.concatenate(seat.played)
    assert 0.98 < np.abs(sound).max() <= 1


def test_cards_of_all_rates_are_in_step() -> None:
    chance = Random(4)
    seats = []
    for k, rate in enumerate([*RATES, 48_000]):
        kind = Kind(ppm=chance.uniform(-100, 100), rate=rate, block=rate // 100)
        seats.append(Seat(Device(chance.uniform(-50, 50), 1e6, kind, calm, calm), k))
    for seat in seats:
        seat.run(20 * SECOND)
    assert skew(seats, 10 * SECOND, 20 * SECOND) < 0.3
    assert max(abs(seat.off[-1]) for seat in seats) < 0.3


@pytest.mark.parametrize("trim", [-4800, 96])
def test_a_trim_makes_the_output_early_and_a_new_one_is_reached(trim: int) -> None:
    seat = Seat(Device(card=Kind(ppm=-70)), 5, source := Hum(trim))
    seat.run(4 * SECOND)
    assert seat.off[-1] == pytest.approx(trim / 48, abs=0.4)
    source.trim = 0
    seat.run(15 * SECOND)
    assert seat.off[-1] == pytest.approx(0, abs=0.3)
    assert seat.pace.jumps == (1 if abs(trim) > 720 else 0)


@pytest.mark.parametrize("way", [calm, jittery])
def test_a_card_that_is_lost_keeps_time_and_returns_in_step(way: Any) -> None:
    device = Device(80, 2e6, Kind(ppm=-90), way, way)
    lost, other = Seat(device, 0, Hum()), Seat(device, 1)
    lost.run(15 * SECOND)
    before = len(lost.played)
    lost.restart(25 * SECOND)
    first = len(lost.at)
    lost.run(33 * SECOND)
    other.run(33 * SECOND)
    assert lost.at[first] < 27 * SECOND, "it sounds again soon"
    assert max(abs(off) for off in lost.off[first:]) < 3.0, "and where the zone is"
    assert lost.pace.jumps == 0
    assert skew([lost, other], 27 * SECOND, 33 * SECOND) < 2.0
    again = np.concatenate(lost.played[before:])[:, 0].astype(np.float64)
    again = again[np.flatnonzero(again)[0] + 480 :]
    assert np.abs(np.diff(again, 2)).max() < 0.53 * (2 * np.pi * TONE / FRAME_RATE) ** 2


def test_the_noise_of_the_limiter_and_the_fader_is_none_where_nothing_is_to_do(
    booth: Booth,
) -> None:
    track: Samples = noise(5, 1, 0.99)
    booth.score(*music_of(booth.hold(wav(track), len(track))))
    assert np.array_equal(booth.render(START, *[960] * 40), track[: 960 * 40])


@pytest.mark.parametrize(
    ("lost", "within", "off", "jumps"),
    [(50, 7, 0.3, 0), (82, 7, 0.3, 0), (150, 2, 0.6, 1), (500, 2, 0.6, 1)],
)
def test_what_a_card_lost_is_made_up_for_in_seconds_and_only_jumped_if_it_is_much(
    lost: int, within: int, off: float, jumps: int
) -> None:
    seat = Seat(Device(card=Kind(ppm=60)), 7)
    seat.run(20 * SECOND)
    seat.card.lose(lost)
    seat.run(32 * SECOND)
    late = [o for at, o in zip(seat.at, seat.off, strict=True) if at > (20 + within) * SECOND]
    assert max(abs(o) for o in late) < off
    assert seat.pace.jumps == jumps
