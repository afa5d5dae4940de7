"""The probe's processes: at most a few, kept for many files, replaced when one is stuck or dies."""

import asyncio
import json
import os
import signal
import sys
from base64 import b64decode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sync2gear_platform.kit import log
from sync2gear_platform.library import rules
from sync2gear_platform.library.probe import Sound, Tags, Unfit

logger = log.get(__name__)

MAX_ANSWER = 4 << 20
"""Bytes of one answer: mostly the cover's, each size at most a megabyte."""

SLACK = 15.0
"""Seconds beyond the time limit (which is of computing) for starting and for a busy machine."""


def patience(size: int) -> float:
    """Seconds to wait for the answer about a file of ``size`` bytes."""
    return rules.time_limit(size) * 2 + SLACK


@dataclass(frozen=True, slots=True)
class Finding:
    """What a probe says of a file that is fit; ``cover`` in the sizes of ``rules.COVER_SIDES``."""

    sound: Sound
    tags: Tags
    cover: tuple[bytes, ...] | None = None


def finding_of(answer: dict[str, Any]) -> Finding:
    """What a probe wrote, read back."""
    sound = {**answer["sound"], "peaks": b64decode(answer["sound"]["peaks"])}
    cover = tuple(b64decode(image) for image in answer["cover"])
    return Finding(Sound(**sound), Tags(**answer["tags"]), cover or None)


class Prober:
    """A pool of confined processes that examine files, started when first needed.

    An async context manager, which may be entered many times: the last to leave ends them.
    """

    def __init__(self, size: int = 2, patience: Callable[[int], float] = patience) -> None:
        self._patience = patience
        self._idle: asyncio.LifoQueue[_Child] = asyncio.LifoQueue()
        self._children = [_Child() for _ in range(size)]
        for child in self._children:
            self._idle.put_nowait(child)
        self._users = 0

    async def __aenter__(self) -> Self:
        self._users += 1
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._users -= 1
        if self._users == 0:
            await asyncio.gather(*(child.end() for child in self._children))

    async def examine(self, path: Path, size: int) -> Finding:
        """The sound, tags and cover of a file of ``size`` bytes; raises ``Unfit``."""
        child = await self._idle.get()
        try:
            # A process that died may have been ended for another reason: the file has two chances.
            answer = await child.ask(path, self._patience(size)) or await child.ask(
                path, self._patience(size)
            )
        finally:
            self._idle.put_nowait(child)
        if answer is None:
            raise Unfit("decoder_error")
        if "code" in answer:
            raise Unfit(answer["code"])
        return finding_of(answer)


class _Child:
    """One process, started when first asked."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None

    async def ask(self, path: Path, seconds: float) -> dict[str, Any] | None:
        """The answer about ``path``, ``None`` from a process that died; a stuck one is ended."""
        process = self._process = self._process or await _start()
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("a probe has pipes")
        done = False
        try:
            process.stdin.write(json.dumps(str(path)).encode() + b"\n")
            async with asyncio.timeout(seconds):
                line = await process.stdout.readline()
            if line.endswith(b"\n"):
                done = True
                answer: dict[str, Any] = json.loads(line)
                return answer
            code = await process.wait()
        except TimeoutError:
            logger.warning("a probe was stuck", file=path.name)
            return {"code": "timeout"}
        else:
            logger.warning("a probe died", exit=code, file=path.name)
            return {"code": "timeout"} if code == -signal.SIGPROF else None
        finally:
            if not done:
                await self.end(0)

    async def end(self, seconds: float = 2) -> None:
        """End the process, if there is one: by the end of its input, after a while by force."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(seconds):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
        await process.communicate()


async def _start() -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sync2gear_platform.library.probe",
        "--serve",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=MAX_ANSWER,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # its threads reserve address space
    )
