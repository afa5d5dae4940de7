"""The voice that is always there: espeak-ng as a process."""

import re

from sync2gear_platform.announcements import ssml
from sync2gear_platform.announcements.adapters import sound
from sync2gear_platform.announcements.adapters.programs import Programs
from sync2gear_platform.announcements.ports import (
    PLAIN,
    Prosody,
    Said,
    SpeechGarbled,
    UnknownVoice,
    Voice,
)
from sync2gear_platform.announcements.rules import MAX_SPOKEN

PROGRAM = "espeak-ng"
TIMEOUT = 20.0
"""Seconds for one text; 5,000 characters take a third of one."""

RATE = 22_050
WORDS_A_MINUTE = 175
"""espeak-ng's own pace."""

_OTHERS = re.compile(r"\((\S+) \d+\)")

MAX_BYTES = sound.HEADER + MAX_SPOKEN * RATE // 48_000 * 2


class Espeak:
    """Speech by espeak-ng, which gets its text by a pipe and its voice from its own list."""

    def __init__(self, program: str = PROGRAM) -> None:
        self._programs = Programs(program, TIMEOUT)
        self._voices: dict[str, Voice] = {}

    async def voices(self) -> list[Voice]:
        """See :class:`~sync2gear_platform.announcements.ports.Speech`."""
        if not self._voices:
            listed = await self._programs.run(["--voices"], b"", 1 << 20)
            self._voices = {voice.id: voice for voice in _parse(listed.decode("utf-8", "replace"))}
        return list(self._voices.values())

    async def render(self, said: Said, voice: str, prosody: Prosody = PLAIN) -> bytes:
        """See :class:`~sync2gear_platform.announcements.ports.Speech`."""
        await self.voices()
        known = self._voices.get(voice)
        if known is None:
            raise UnknownVoice
        # -b 1: the text is UTF-8. Never an argument: it could be taken for an option.
        arguments = ["-v", known.id, "-b", "1", "--stdin", "--stdout", *_manner(prosody)]
        if isinstance(said, ssml.Markup):
            arguments.append("-m")
            said = ssml.write(said.root, _own_words)
        output = await self._programs.run(arguments, said.encode(), MAX_BYTES)
        if output and not output.startswith(b"RIFF"):
            raise SpeechGarbled
        samples = output[sound.HEADER :]
        rate = int.from_bytes(output[24:28], "little") or RATE
        return sound.written(rate, samples[: len(samples) // 2 * 2])

    def price(self, said: Said) -> int:
        """See :class:`~sync2gear_platform.announcements.ports.Speech`."""
        return len(said.canonical if isinstance(said, ssml.Markup) else said)

    async def close(self) -> None:
        """See :class:`~sync2gear_platform.announcements.ports.Speech`."""


def _manner(prosody: Prosody) -> list[str]:
    """Options for the pace, the pitch (50 steps are an octave) and the loudness (100: as it is)."""
    return [
        f"-s{round(WORDS_A_MINUTE * prosody.rate / 100)}",
        f"-p{max(0, min(99, round(50 + 50 * prosody.pitch / 12)))}",
        f"-a{max(0, min(200, round(100 * 10 ** (prosody.volume / 20))))}",
    ]


def _own_words(element: ssml.Element) -> ssml.Element:
    """``lang`` is unknown to espeak-ng, a voice of that language is not; nor does it know IPA."""
    if element.name != "lang":
        return ssml.without_phonemes(element)
    return ssml.Element("voice", element.attributes, element.children)


def _parse(listed: str) -> list[Voice]:
    """The lines of ``espeak-ng --voices`` but the first: priority, language, sex, name, file.

    At a line's end stand further languages that the voice speaks, as ``(en 2)``.
    """
    voices: dict[str, Voice] = {}
    further: dict[str, Voice] = {}
    for line in listed.splitlines()[1:]:
        fields = line.split(maxsplit=5)
        # MBROLA voices are listed whether or not their own program is there.
        if len(fields) < 5 or fields[4].startswith("mb/"):
            continue
        language, name = fields[1], fields[3].replace("_", " ")
        voices.setdefault(language, Voice(language, language, name))
        for other in _OTHERS.findall(fields[5]) if len(fields) > 5 else ():
            further.setdefault(other, Voice(other, other, name))
    return sorted({**further, **voices}.values(), key=lambda voice: voice.id)
