"""Programs that speak: a text by a pipe in, sound by a pipe out, with limits of time and size."""

import asyncio
import shutil
from contextlib import suppress
from typing import Final

from sync2gear_platform.announcements.ports import (
    SpeechTimedOut,
    SpeechTooLong,
    SpeechUnavailable,
)
from sync2gear_platform.kit import log

logger = log.get(__name__)

AT_ONCE: Final = 2
WAITING: Final = 8
"""Texts that may wait for their turn; more are refused, so that requests do not pile up."""


class Programs:
    """One program, run for each text; a few at once, and some more that wait."""

    def __init__(self, program: str, timeout: float) -> None:
        self._program = program
        self._timeout = timeout
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def run(self, arguments: list[str], text: bytes, limit: int) -> bytes:
        """What the program says to ``text``; :class:`SpeechTooLong` beyond ``limit`` bytes."""
        if self._waiting >= WAITING:
            raise SpeechUnavailable("Too many texts wait to be spoken: try again shortly.")
        self._waiting += 1
        try:
            async with asyncio.timeout(self._timeout), self._turn:
                return await self._spoken(arguments, text, limit)
        except TimeoutError as error:
            raise SpeechTimedOut from error
        finally:
            self._waiting -= 1

    async def _spoken(self, arguments: list[str], text: bytes, limit: int) -> bytes:
        program = shutil.which(self._program)
        if program is None:
            logger.error("no such program", program=self._program)
            raise SpeechUnavailable(f"{self._program} is not installed on this server.")
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
            logger.error("a program that speaks failed", program=self._program, exit=code)
            raise SpeechUnavailable
        return output


async def _write(process: asyncio.subprocess.Process, text: bytes) -> None:
    if process.stdin is None:
        raise RuntimeError("the program has pipes")
    with suppress(BrokenPipeError, ConnectionResetError):  # its exit status says what happened
        # A process that is over already has no pipe; uvloop raises RuntimeError at a write then.
        if not process.stdin.is_closing():
            process.stdin.write(text)
            await process.stdin.drain()
    process.stdin.close()


async def _read(process: asyncio.subprocess.Process, limit: int) -> bytes:
    if process.stdout is None:
        raise RuntimeError("the program has pipes")
    output = bytearray()
    while data := await process.stdout.read(1 << 16):
        output += data
        if len(output) > limit:
            raise SpeechTooLong
    return bytes(output)
