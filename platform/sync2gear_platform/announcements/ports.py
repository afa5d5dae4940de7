"""What announcements ask of strangers: a voice."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

from sync2gear_platform.announcements.ssml import Markup
from sync2gear_platform.kit.errors import Refusal

Kind = Literal["espeak", "google", "piper"]
"""The engines that there are adapters for."""


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice by the name that it is asked for with; ``language`` is a BCP 47 tag."""

    id: str
    language: str
    name: str


@dataclass(frozen=True, slots=True)
class Prosody:
    """How a text is spoken: ``rate`` in percent, ``pitch`` in semitones, ``volume`` in dB.

    What an engine cannot do is left out of what it is asked (docs/announcements.md has the table).
    """

    rate: int = 100
    pitch: int = 0
    volume: int = 0

    def document(self) -> dict[str, Any]:
        """As it is stored."""
        return asdict(self)


PLAIN = Prosody()

Said = str | Markup
"""What is said: words, or SSML that was understood."""


class SpeechUnavailable(Refusal):
    """No voice can speak now: try again shortly."""

    kind = "unavailable"
    code = "tts_unavailable"

    billed = False
    """Whether it may have been paid for all the same."""


class SpeechTimedOut(SpeechUnavailable):
    """The voice did not answer in time: try again shortly."""

    billed = True


class SpeechGarbled(SpeechUnavailable):
    """The voice answered something that is no sound: try again, or choose another."""

    billed = True


class SpeechQuota(SpeechUnavailable):
    """The provider takes no more texts from us now: try again later, or choose another."""

    code = "tts_quota"


class SpeechKeyRefused(SpeechUnavailable):
    """The provider refuses our key: put a valid one into its settings."""

    code = "tts_key_refused"


class SpeechTooLong(Refusal):
    """Spoken, this text would be longer than ten minutes: say it in parts."""

    code = "speech_too_long"


class UnknownVoice(Refusal):
    """There is no such voice: /announcements/voices/ lists them."""

    code = "voice_unknown"


class Speech(Protocol):
    """Text to speech. A class of its own for each engine, opened by ``adapters/opening.py``."""

    async def voices(self) -> list[Voice]:
        """Every voice; raises :class:`SpeechUnavailable`."""
        ...

    async def render(self, said: Said, voice: str, prosody: Prosody = PLAIN) -> bytes:
        """``said`` spoken, as a WAV file of 16-bit samples; without a sample for nothing said.

        Raises :class:`UnknownVoice`, :class:`SpeechTooLong` and :class:`SpeechUnavailable`.
        """
        ...

    def price(self, said: Said) -> int:
        """The characters that the engine counts of ``said``."""
        ...

    async def close(self) -> None:
        """Let connections go."""
        ...


class Opener(Protocol):
    """How a provider's row becomes something that speaks."""

    def __call__(self, kind: Kind, settings: Mapping[str, Any], key: str) -> Speech:
        """The engine of ``kind`` with its settings and its key, which is empty for none."""
        ...
