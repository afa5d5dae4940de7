"""The voice that is always there: espeak-ng as a process."""

import asyncio
import io
import re
import shutil
import wave
from contextlib import suppress

from sync2gear_platform.announcements.ports import (
    SpeechTooLong,
    SpeechUnavailable,
    UnknownVoice,
    Voice,
)
from sync2gear_platform.announcements.rules import MAX_SPOKEN
from sync2gear_platform.kit import log

logger = log.get(__name__)

PROGRAM = "espeak-ng"
TIMEOUT = 20.0
"""Seconds for one text; 5,000 characters take a third of one."""

AT_ONCE = 2
WAITING = 8
"""Texts that may wait for their turn; more are refused, so that requests do not pile up."""

RATE = 22_050
HEADER = 44
"""Bytes before the samples: a canonical WAV header (whose lengths a pipe cannot know)."""

_OTHERS = re.compile(r"\((\S+) \d+\)")

MAX_BYTES = HEADER + MAX_SPOKEN * RATE // 48_000 * 2


class Espeak:
    """Speech by espeak-ng, which gets its text by a pipe and its voice from its own list."""

    def __init__(self, program: str = PROGRAM) -> None:
        self._program = program
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._voices: dict[str, Voice] = {}

    async def voices(self) -> list[Voice]:
        """See :class:`~sync2gear_platform.announcements.ports.Speech`."""
        if not self._voices:
            listed = await self._run(["--voices"], b"", 1 << 20)
            self._voices = {voice.id: voice for voice in _parse(listed.decode("utf-8", "replace"))}
        return list(self._voices.values())

    async def render(self, text: str, voice: str) -> bytes:
        """See :class:`~sync2gear_platform.announcements.ports.Speech`."""
        await self.voices()
        known = self._voices.get(voice)
        if known is None:
            raise UnknownVoice
        # -b 1: the text is UTF-8. Never an argument: it could be taken for an option.
        arguments = ["-v", known.id, "-b", "1", "--stdin", "--stdout"]
        return _as_wav(await self._run(arguments, text.encode(), MAX_BYTES))

    async def _run(self, arguments: list[str], text: bytes, limit: int) -> bytes:
        if self._waiting >= WAITING:
            raise SpeechUnavailable("Too many texts wait to be spoken: try again shortly.")
        self._waiting += 1
        try:
            async with asyncio.timeout(TIMEOUT), self._turn:
                return await self._spoken(arguments, text, limit)
        except TimeoutError as error:
            raise SpeechUnavailable from error
        finally:
            self._waiting -= 1

    async def _spoken(self, arguments: list[str], text: bytes, limit: int) -> bytes:
        program = shutil.which(self._program)
        if program is None:
            logger.error("no espeak-ng", program=self._program)
            raise SpeechUnavailable("espeak-ng is not installed on this server.")
        process = await asyncio.create_subprocess_exec(
            program,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            output, _ = await asyncio.gather(_read(process, limit), _write(process, text))
            code = await process.wait()
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if code != 0:
            logger.error("espeak-ng failed", exit=code)
            raise SpeechUnavailable
        return output


async def _write(process: asyncio.subprocess.Process, text: bytes) -> None:
    if process.stdin is None:
        raise RuntimeError("espeak-ng has pipes")
    with suppress(BrokenPipeError, ConnectionResetError):  # its exit status says what happened
        # A process that is over already has no pipe; uvloop raises RuntimeError at a write then.
        if not process.stdin.is_closing():
            process.stdin.write(text)
            await process.stdin.drain()
    process.stdin.close()


async def _read(process: asyncio.subprocess.Process, limit: int) -> bytes:
    if process.stdout is None:
        raise RuntimeError("espeak-ng has pipes")
    output = bytearray()
    while data := await process.stdout.read(1 << 16):
        output += data
        if len(output) > limit:
            raise SpeechTooLong
    return bytes(output)


def _as_wav(output: bytes) -> bytes:
    """What espeak-ng wrote to a pipe as a WAV file that knows its length."""
    samples = output[HEADER:]
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(int.from_bytes(output[24:28], "little") or RATE)
        writer.writeframes(samples[: len(samples) // 2 * 2])
    return file.getvalue()


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
