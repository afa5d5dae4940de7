"""Loudness, peaks, lengths and digests against definitions and against others' implementations."""

import hashlib
import io
import os
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import soundfile

from support import audio, signals
from support.corpus import silent_flac
from sync2gear_firmware import decoder
from sync2gear_platform.library import rules
from sync2gear_platform.library.sound import measure_bytes


@pytest.mark.parametrize("case", signals.INTEGRATED)
def test_ebu_tech_3341_integrated_loudness(case: int) -> None:
    samples, wanted = signals.INTEGRATED[case]
    loudness = measure_bytes(signals.flac(samples)).loudness
    assert loudness is not None
    assert abs(loudness / 100 - wanted) <= 0.1, loudness


@pytest.mark.parametrize("case", signals.TRUE_PEAKS)
def test_ebu_tech_3341_true_peak(case: int) -> None:
    samples, wanted = signals.TRUE_PEAKS[case]
    peak = measure_bytes(signals.flac(samples)).true_peak
    assert peak is not None
    assert -0.4 <= peak / 100 - wanted <= 0.2, peak


def test_five_channels_are_measured_as_the_stereo_that_plays() -> None:
    """Case 6 of Tech 3341 wants -23 of the five channels; a speaker has two, so it is theirs."""
    at = np.sin(2 * np.pi * 1000 * np.arange(20 * signals.RATE) / signals.RATE)
    levels = (-28, -28, -24, -30, -30)  # left, right, centre, surrounds
    five = np.stack([at * signals.level(db) for db in levels], axis=1)
    sound = measure_bytes(signals.flac(five))
    half = 2**-0.5
    down = (five[:, 0] + half * five[:, 2] + half * five[:, 3]) / (1 + 2 * half)
    wanted = pyloudnorm.Meter(signals.RATE).integrated_loudness(np.stack([down, down], axis=1))
    assert sound.loudness is not None
    assert abs(sound.loudness / 100 - wanted) <= 0.1, (sound.loudness, wanted)


def test_ten_tracks_are_as_loud_as_pyloudnorm_says() -> None:
    tracks = signals.tracks()
    assert len(tracks) == 10
    for name, samples in tracks.items():
        wanted = pyloudnorm.Meter(signals.RATE).integrated_loudness(samples)
        loudness = measure_bytes(signals.flac(samples)).loudness
        assert loudness is not None
        assert abs(loudness / 100 - wanted) <= 0.1, (name, loudness, wanted)


def test_tracks_of_44100_hz_are_as_loud() -> None:
    tracks = signals.tracks(4.0)
    # These are full of what is beyond 20 kHz, which a resampler rightly takes away.
    del tracks["white noise"], tracks["words and silence"]
    for name, samples in tracks.items():
        wanted = pyloudnorm.Meter(44_100).integrated_loudness(samples)
        loudness = measure_bytes(signals.flac(samples, 44_100)).loudness
        assert loudness is not None
        assert abs(loudness / 100 - wanted) <= 0.1, (name, loudness, wanted)


def music() -> list[Path]:
    """Real pieces of ``S2G_MUSIC``, if there are any, ten at most."""
    found = os.environ.get("S2G_MUSIC")
    return sorted(Path(found).rglob("*.ogg"))[:10] if found else []


@pytest.mark.soak
def test_real_music_is_as_loud_as_pyloudnorm_says() -> None:
    for path in music():
        samples, rate = soundfile.read(path, always_2d=True)
        wanted = pyloudnorm.Meter(rate).integrated_loudness(samples)
        sound = measure_bytes(path.read_bytes())
        assert sound.loudness is not None
        assert abs(sound.loudness / 100 - wanted) <= 0.1, (path.name, sound.loudness, wanted)
        if rate == signals.RATE:
            assert sound.frames == len(samples), path.name


@pytest.mark.parametrize("suffix", ["wav", "flac", "aiff", "mp3", "opus", "ogg"])
def test_lengths_and_peaks_are_another_decoders(suffix: str, tmp_path: Path) -> None:
    """libsndfile's (with mpg123 for MP3): the same frames, and the largest sample in each peak."""
    rng = np.random.default_rng(2)
    wave = (rng.standard_normal(100_003) * 9000).clip(-32768, 32767) * np.sin(
        np.arange(100_003) / 9000
    )
    path = audio.encode(tmp_path / f"a.{suffix}", wave.astype(np.int16))
    sound = measure_bytes(path.read_bytes())
    samples, rate = soundfile.read(path, always_2d=True)
    assert rate == signals.RATE
    assert sound.frames == len(samples)
    level = np.abs(samples[:, 0]) * 2**-0.5  # one channel plays on both sides
    starts = np.arange(0, len(samples), sound.peak_frames)
    wanted = np.maximum.reduceat(level, starts) * 255
    assert len(sound.peaks) == starts.size
    # lossy decoders may differ in a sample's last bits
    assert np.abs(np.frombuffer(sound.peaks, np.uint8) - wanted).max() <= 1.1
    if suffix in {"wav", "flac", "aiff"}:
        assert sound.frames == 100_003


def test_the_digest_is_of_what_a_speaker_plays(tmp_path: Path) -> None:
    tune = audio.sine(3, 441, rate=44_100)
    digests = set()
    for suffix in ("flac", "wav", "aiff", "mka"):
        path = audio.encode(tmp_path / f"a.{suffix}", tune, rate=44_100)
        sound = measure_bytes(path.read_bytes())
        played = np.concatenate(list(decoder.decode(path)))
        assert sound.frames == len(played)
        assert sound.pcm_sha256 == hashlib.sha256(played.tobytes()).hexdigest(), suffix
        digests.add(sound.pcm_sha256)
    assert len(digests) == 1
    louder = audio.encode(tmp_path / "b.wav", tune + 1, rate=44_100)
    assert measure_bytes(louder.read_bytes()).pcm_sha256 not in digests


@pytest.mark.parametrize(
    ("lead", "tail"), [(0, 0), (1, 0), (0, 1), (479, 481), (24_000, 7), (100_000, 50_000)]
)
def test_silence_is_found_to_the_frame(lead: int, tail: int) -> None:
    loud = np.full((1000, 2), 33 / 32768)
    loud[400:600] = rules.SILENCE / 32768  # a rest within is no end
    quiet = [np.full((n, 2), rules.SILENCE / 32768) for n in (lead, tail)]
    sound = measure_bytes(signals.flac(np.concatenate([quiet[0], loud, quiet[1]])))
    assert (sound.lead, sound.tail) == (lead, tail)
    assert sound.frames == lead + 1000 + tail


def test_silence_throughout_is_lead() -> None:
    sound = measure_bytes(silent_flac(0.01, declared=True))
    assert (sound.lead, sound.tail, sound.loudness) == (sound.frames, 0, None)
    assert set(sound.peaks) == {0}


@pytest.mark.parametrize("seconds", [0.001, 0.01, 1, 10.24, 10.25, 50])
def test_a_waveform_is_never_long_nor_coarse(seconds: float) -> None:
    samples = np.zeros((round(seconds * signals.RATE), 2))
    samples[-1] = -1.0
    out = io.BytesIO()
    soundfile.write(out, samples, signals.RATE, format="WAV", subtype="PCM_16")
    sound = measure_bytes(out.getvalue())
    count = len(sound.peaks)
    assert count == -(-sound.frames // sound.peak_frames) <= rules.MAX_PEAKS
    assert count > rules.MAX_PEAKS // 2 or sound.peak_frames == rules.PEAK_FRAMES
    assert list(sound.peaks) == [0] * (count - 1) + [255]
