"""Piper as a process, with voices (ONNX models) that the deployment put into one folder.

A voice is ``NAME.onnx`` with ``NAME.onnx.json`` beside it, directly in the folder. Piper is told
the model, gets a text by a pipe, one utterance a line, and writes a WAV file to its output.
"""

import asyncio
import json
import re
from pathlib import Path
from typing import Any, Final

from sync2gear_broker.units import FRAME_RATE
from sync2gear_platform.announcements import ssml
from sync2gear_platform.announcements.adapters import sound
from sync2gear_platform.announcements.adapters.programs import Programs
from sync2gear_platform.announcements.ports import (
    PLAIN,
    Prosody,
    Said,
    SpeechTooLong,
    SpeechUnavailable,
    UnknownVoice,
    Voice,
)
from sync2gear_platform.announcements.rules import MAX_SPOKEN

PROGRAM: Final = "piper"
TIMEOUT: Final = 60.0
MAX_BYTES: Final = sound.HEADER + MAX_SPOKEN * 2
MAX_DESCRIPTION: Final = 1 << 20

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+-]{0,63}")


class Piper:
    """Speech by Piper with the models in ``folder``; any other path is no voice."""

    def __init__(
        self, folder: Path | None, program: str = PROGRAM, timeout: float = TIMEOUT
    ) -> None:
        self._folder = folder
        self._programs = Programs(program, timeout)

    async def voices(self) -> list[Voice]:
        """See :class:`~sync2gear_platform.announcements.ports.Speech`."""
        return await asyncio.to_thread(self._listed)

    def _listed(self) -> list[Voice]:
        folder = self._home()
        try:
            models = sorted(folder.glob("*.onnx"))
        except OSError as error:
            raise SpeechUnavailable("The folder of Piper's voices cannot be read.") from error
        found = [_described(path) for path in models if self._is_ours(path)]
        return [voice for voice in found if voice is not None]

    def _home(self) -> Path:
        if self._folder is None or not self._folder.is_dir():
            raise SpeechUnavailable("There is no folder of Piper voices: set S2G_PIPER_VOICES.")
        return self._folder.resolve()

    def _is_ours(self, path: Path) -> bool:
        """A plain file of the folder itself: no link leads out of it."""
        return _NAME.fullmatch(path.stem) is not None and path.is_file() and not path.is_symlink()

    async def render(self, said: Said, voice: str, prosody: Prosody = PLAIN) -> bytes:
        """See :class:`~sync2gear_platform.announcements.ports.Speech`."""
        model = await asyncio.to_thread(self._model, voice)
        pieces = ssml.pieces(said) if isinstance(said, ssml.Markup) else [said]
        rate, samples = 0, b""
        pauses: list[int] = []
        for piece in pieces:
            if isinstance(piece, int):
                pauses.append(piece)
                continue
            rate, spoken = await self._said(model, piece, prosody)
            samples += b"".join(sound.silence(rate, one) for one in pauses) + spoken
            pauses = []
            if len(samples) // 2 * FRAME_RATE > MAX_SPOKEN * rate:
                raise SpeechTooLong
        samples += b"".join(sound.silence(rate, one) for one in pauses)
        return sound.written(rate or 22_050, sound.louder(samples, prosody.volume))

    async def _said(self, model: Path, text: str, prosody: Prosody) -> tuple[int, bytes]:
        arguments = ["--model", str(model), "--output_file", "-"]
        if prosody.rate != 100:
            arguments += ["--length_scale", f"{100 / prosody.rate:.3f}"]
        # One line: Piper would write a file for each.
        line = " ".join(text.split()) + "\n"
        return sound.read(await self._programs.run(arguments, line.encode(), MAX_BYTES))

    def _model(self, voice: str) -> Path:
        path = self._home() / f"{voice}.onnx"
        if not _NAME.fullmatch(voice) or not self._is_ours(path):
            raise UnknownVoice
        return path

    def price(self, said: Said) -> int:
        """See :class:`~sync2gear_platform.announcements.ports.Speech`."""
        return len(said.canonical if isinstance(said, ssml.Markup) else said)

    async def close(self) -> None:
        """See :class:`~sync2gear_platform.announcements.ports.Speech`."""


def _described(path: Path) -> Voice | None:
    """A voice by the description beside its model; ``None`` where that is none."""
    try:
        description = path.with_name(path.name + ".json")
        if description.stat().st_size > MAX_DESCRIPTION:
            return None
        told: Any = json.loads(description.read_bytes())
        language = str(told["language"]["code"]).replace("_", "-")
        name = str(told.get("dataset") or path.stem)[:100]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return Voice(path.stem, language[:35], name)
