"""One contract for everything that speaks: espeak-ng, Google over REST and gRPC, Piper."""

import io
import json
import stat
import sys
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from support import google_speech, piper_program
from support.google_speech import GoogleSpeech
from sync2gear_platform.announcements import ssml
from sync2gear_platform.announcements.adapters.espeak import Espeak
from sync2gear_platform.announcements.adapters.google import Google
from sync2gear_platform.announcements.adapters.piper import Piper
from sync2gear_platform.announcements.ports import (
    Prosody,
    Speech,
    SpeechGarbled,
    SpeechKeyRefused,
    SpeechQuota,
    SpeechTimedOut,
    SpeechTooLong,
    SpeechUnavailable,
    UnknownVoice,
)

ENGINES = ("espeak", "google rest", "google grpc", "piper")


@dataclass
class Subject:
    """An engine, a voice of it, and how it is brought into trouble."""

    engine: Speech
    voice: str
    into: Callable[[str], None]
    too_long: str
    cloud: GoogleSpeech | None = None
    key: str = google_speech.KEY

    def with_key(self, key: str) -> Speech:
        assert self.cloud is not None
        transport = "grpc" if self.cloud.endpoint in GRPC else "rest"
        return Google(key, transport=transport, endpoint=self.cloud.endpoint)


GRPC: set[str] = set()


@pytest.fixture(params=ENGINES)
async def subject(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Subject]:
    """Each engine in turn."""
    with ExitStack() as stack:
        made = make(request.param, tmp_path, monkeypatch, stack)
        yield made
        await made.engine.close()


def make(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, stack: ExitStack) -> Subject:
    if name == "espeak":
        engine = Espeak()

        def into(trouble: str) -> None:
            script = program(folder, "espeak-ng", MOODS[trouble])
            engine._programs._program = str(script)
            engine._programs._timeout = 1.0

        return Subject(engine, "en", into, "w! " * 1600)
    if name == "piper":
        voices = folder / "voices"
        voices.mkdir()
        for stem, code in (("en_GB-alan-medium", "en_GB"), ("de_DE-thorsten-low", "de_DE")):
            (voices / f"{stem}.onnx").write_bytes(b"a model")
            described = {"audio": {"sample_rate": 22050}, "language": {"code": code}}
            (voices / f"{stem}.onnx.json").write_text(json.dumps(described))
        script = program(folder, "piper", f'exec {sys.executable} {piper_program.__file__} "$@"')

        def mood(trouble: str) -> None:
            monkeypatch.setenv("S2G_TEST_PIPER", {"down": "exit"}.get(trouble, trouble))

        piper = Piper(voices, str(script), timeout=5.0)
        return Subject(piper, "en_GB-alan-medium", mood, "word " * 3000)
    service = stack.enter_context(
        google_speech.rest() if name == "google rest" else google_speech.over_grpc()
    )
    if name == "google grpc":
        GRPC.add(service.endpoint)

    def cloud(trouble: str) -> None:
        service.trouble = trouble  # type: ignore[assignment]  # one of its words

    google = Google(
        google_speech.KEY,
        transport="rest" if name == "google rest" else "grpc",
        endpoint=service.endpoint,
        timeout=5.0,
    )
    return Subject(google, "en-US-Neural2-C", cloud, "ö" * 2501, service)


MOODS = {
    "down": "exit 1",
    "hang": 'case "$*" in *--voices*) exec espeak-ng "$@";; esac; exec sleep 30',
    "garbage": 'case "$*" in *--voices*) exec espeak-ng "$@";; esac; echo "Segmentation fault"',
}


def program(folder: Path, name: str, line: str) -> Path:
    path = folder / f"a {name}"
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def seconds(wav: bytes) -> float:
    with wave.open(io.BytesIO(wav)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        return file.getnframes() / file.getframerate()


async def test_it_lists_its_voices(subject: Subject) -> None:
    voices = await subject.engine.voices()
    languages = {voice.language.partition("-")[0] for voice in voices}
    assert subject.voice in {voice.id for voice in voices}
    assert {"en", "de"} <= languages
    assert len({voice.id for voice in voices}) == len(voices)


async def test_it_speaks_words_slower_and_with_pauses(subject: Subject) -> None:
    text = "Dear customers, we close in ten minutes."
    usual = seconds(await subject.engine.render(text, subject.voice))
    slow = seconds(await subject.engine.render(text, subject.voice, Prosody(rate=50)))
    assert 1.0 < usual < 6.0
    assert slow > 1.5 * usual
    quiet = await subject.engine.render(text, subject.voice, Prosody(volume=-12, pitch=4))
    assert seconds(quiet) > 1.0
    markup = ssml.parse(f"<speak>{text}<break time='2s'/><sub alias='Bye'>B</sub></speak>")
    assert seconds(await subject.engine.render(markup, subject.voice)) > usual + 1.0
    assert subject.engine.price(text) == len(text)
    assert subject.engine.price(markup) == len(markup.canonical)


@pytest.mark.parametrize("voice", ["nobody", "--help", "../secret", "en-XX-Nobody-A"])
async def test_it_knows_which_voices_it_has(subject: Subject, voice: str) -> None:
    with pytest.raises(UnknownVoice):
        await subject.engine.render("hello", voice)


async def test_it_refuses_what_is_too_long(subject: Subject) -> None:
    with pytest.raises(SpeechTooLong):
        await subject.engine.render(subject.too_long, subject.voice)


async def test_it_says_when_it_is_away(subject: Subject) -> None:
    subject.into("down")
    with pytest.raises(SpeechUnavailable) as refused:
        await subject.engine.render("hello", subject.voice)
    assert not refused.value.billed


async def test_it_does_not_wait_for_ever(subject: Subject) -> None:
    await subject.engine.render("hello", subject.voice)
    for patience in ("_timeout", "_programs"):
        held = getattr(subject.engine, patience, None)
        if isinstance(held, float):
            subject.engine._timeout = 0.5  # type: ignore[attr-defined]  # Google's
        elif held is not None:
            held._timeout = 0.5
    subject.into("hang")
    with pytest.raises(SpeechTimedOut) as refused:
        await subject.engine.render("hello", subject.voice)
    assert refused.value.billed


async def test_it_takes_no_nonsense_for_sound(subject: Subject) -> None:
    await subject.engine.voices()
    subject.into("garbage")
    with pytest.raises(SpeechGarbled) as refused:
        await subject.engine.render("hello", subject.voice)
    assert refused.value.billed


async def test_it_tells_a_quota_and_a_wrong_key_apart(subject: Subject) -> None:
    if subject.cloud is None:
        assert subject.key  # a program of this machine has neither
        return
    subject.into("quota")
    with pytest.raises(SpeechQuota) as refused:
        await subject.engine.render("hello", subject.voice)
    assert not refused.value.billed
    subject.into("")
    for key in ("AIza-wrong", ""):
        other = subject.with_key(key)
        for asked in (other.voices(), other.render("hello", subject.voice)):
            with pytest.raises(SpeechKeyRefused):
                await asked
        await other.close()


async def test_a_link_out_of_the_folder_is_no_voice(tmp_path: Path) -> None:
    (tmp_path / "voices").mkdir()
    (tmp_path / "secret.onnx").write_bytes(b"x")
    (tmp_path / "secret.onnx.json").write_text("{}")
    (tmp_path / "voices" / "link.onnx").symlink_to(tmp_path / "secret.onnx")
    piper = Piper(tmp_path / "voices")
    assert await piper.voices() == []
    for voice in ("link", "../secret", str(tmp_path / "secret"), "a/b", ".", ""):
        with pytest.raises(UnknownVoice):
            await piper.render("hello", voice)
    with pytest.raises(SpeechUnavailable):
        await Piper(None).voices()
