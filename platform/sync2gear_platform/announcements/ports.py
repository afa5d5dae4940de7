"""What announcements ask of strangers: a voice."""

from dataclasses import dataclass
from typing import Protocol

from sync2gear_platform.kit.errors import Refusal


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice by the name that it is asked for with; ``language`` is a BCP 47 tag."""

    id: str
    language: str
    name: str


class SpeechUnavailable(Refusal):
    """No voice can speak now: try again shortly."""

    kind = "unavailable"
    code = "tts_unavailable"


class SpeechTooLong(Refusal):
    """Spoken, this text would be longer than ten minutes: say it in parts."""

    code = "speech_too_long"


class UnknownVoice(Refusal):
    """There is no such voice: /announcements/voices/ lists them."""

    code = "voice_unknown"


class Speech(Protocol):
    """Text to speech. A class of its own for each engine, chosen by ``app.py``."""

    async def voices(self) -> list[Voice]:
        """Every voice; raises :class:`SpeechUnavailable`."""
        ...

    async def render(self, text: str, voice: str) -> bytes:
        """``text`` spoken, as a WAV file of 16-bit samples; without a sample for nothing said.

        Raises :class:`UnknownVoice`, :class:`SpeechTooLong` and :class:`SpeechUnavailable`.
        """
        ...
