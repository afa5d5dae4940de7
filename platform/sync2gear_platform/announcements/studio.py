"""What announcements are made with: voices, blobs, and processes that join pieces of audio."""

import asyncio
import hashlib
import json
import signal
import sys
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from sync2gear_platform.announcements import chimes
from sync2gear_platform.announcements.speech import Booth
from sync2gear_platform.announcements.text_tables import Joined
from sync2gear_platform.kit import events, log
from sync2gear_platform.kit.blobs import Blobs
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import NotFound, Refusal
from sync2gear_platform.kit.ids import uuid7
from sync2gear_platform.library import probe
from sync2gear_platform.library import service as library
from sync2gear_platform.library.tables import Media

logger = log.get(__name__)

VERSION: Final = 1
"""Raised when the same parts are to be joined anew, because it sounds different now."""

NOTED: Final = timedelta(days=1)
"""How often it is noted that a join is still in use."""

AT_ONCE: Final = 2
WAITING: Final = 16
SECONDS: Final = 60.0
CHIME: Final = "chime:"
"""What a part's source begins with that is a chime of our own."""


class CannotJoin(Refusal):
    """Chime and announcement cannot be joined now: try again, or play it without a chime."""

    kind = "unavailable"
    code = "join_failed"


class JoinedTooLong(Refusal):
    """Together with its chimes this would be longer than half an hour."""

    code = "announcement_too_long"


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a blob, of a chime of our own (``CHIME``), or without a source of silence.

    ``start`` and ``stop`` in frames of 48 kHz, ``gain`` in hundredths of dB.
    """

    source: str = ""
    start: int = 0
    stop: int | None = None
    gain: int = 0


class Splicer:
    """Processes that join audio, a few at once."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def splice(self, blobs: Blobs, parts: Sequence[Part], folder: Path) -> Path:
        """``parts`` as one file in ``folder``, in which their own are laid too."""
        if self._waiting >= WAITING:
            raise CannotJoin
        self._waiting += 1
        try:
            async with asyncio.timeout(SECONDS), self._turn:
                pieces = [await _laid(blobs, part, folder) for part in parts]
                out = folder / "joined.flac"
                await _run({"pieces": pieces, "out": str(out)})
                return out
        except TimeoutError as error:
            raise CannotJoin from error
        finally:
            self._waiting -= 1


@dataclass(frozen=True, slots=True)
class Studio:
    """Passed to the use cases that make sound; ``clock`` says what time it is by now."""

    booth: Booth
    blobs: Blobs
    splicer: Splicer
    clock: Callable[[], datetime]


async def join(ctx: Ctx, blobs: Blobs, splicer: Splicer, parts: Sequence[Part]) -> Media:
    """``parts`` one behind the other as one piece of media; joined once, then kept.

    One piece, because then a programme holds one sound with one length: every speaker plays it to
    the same frame, whatever it has cached of anything else.
    """
    key = key_of(parts)
    kept = await _kept(ctx, blobs, key)
    if kept is not None:
        return kept
    with TemporaryDirectory(prefix="s2g-join-") as folder:
        out = await splicer.splice(blobs, parts, Path(folder))
        # What we encoded ourselves needs no confined process; a thread keeps the loop free.
        sound = await asyncio.to_thread(_measured, out)
        async with blobs.stage(out) as staged:
            media = await library.add_media(
                ctx, sha256=staged.sha256, size=staged.size, sound=sound
            )
            await staged.keep()
    await _remember(ctx, key, media.sha256)
    await events.tell(ctx, "joined", ctx.client_id)
    return media


def _measured(path: Path) -> probe.Sound:
    return probe.measure_bytes(path.read_bytes())


def key_of(parts: Sequence[Part]) -> str:
    """The name of what these parts are together, which is joined once."""
    asked = json.dumps([VERSION, [asdict(part) for part in parts]], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()


async def _kept(ctx: Ctx, blobs: Blobs, key: str) -> Media | None:
    used = (
        update(Joined)
        .where(col(Joined.client_id) == ctx.client_id, col(Joined.key) == key)
        .values(used_at=ctx.now)
        .returning(col(Joined.sha256))
    )
    sha256 = (await ctx.db.execute(used)).scalar_one_or_none()
    if sha256 is None or await blobs.size(sha256) is None:
        return None
    return await library.media(ctx, sha256)


async def _remember(ctx: Ctx, key: str, sha256: str) -> None:
    """Keep that ``key`` is ``sha256``; two may join the same at once, and what is lost is new."""
    row = Joined(
        id=uuid7(), client_id=ctx.client_id, created_at=ctx.now, updated_at=ctx.now,
        key=key, sha256=sha256, used_at=ctx.now,
    )  # fmt: skip
    await ctx.db.execute(
        insert(Joined)
        .values(row.model_dump())
        .on_conflict_do_update(
            index_elements=["client_id", "key"],
            set_={"sha256": sha256, "used_at": ctx.now, "updated_at": ctx.now},
        )
    )


async def joined(ctx: Ctx, keys: Collection[str]) -> dict[str, str]:
    """The sounds (``sha256``) of those of these joins that were made, by key; they stay in use.

    Nothing is made here. A use is noted once a day, by whoever comes first.
    """
    mine = (col(Joined.client_id) == ctx.client_id, col(Joined.key).in_(keys))
    stale = (
        select(col(Joined.id))
        .where(*mine, col(Joined.used_at) < ctx.now - NOTED)
        .order_by(col(Joined.id))
        .with_for_update(skip_locked=True)
    )
    if not keys:
        return {}
    await ctx.db.execute(update(Joined).where(col(Joined.id).in_(stale)).values(used_at=ctx.now))
    found = select(col(Joined.key), col(Joined.sha256)).where(*mine)
    return {row.key: row.sha256 for row in (await ctx.db.execute(found)).all()}


async def forget_joins(ctx: Ctx, before: datetime) -> int:
    """Forget joins that nobody used since ``before``; how many. ``ctx`` is the system's."""
    old = delete(Joined).where(col(Joined.used_at) < before).returning(col(Joined.id))
    return len((await ctx.db.execute(old)).all())


async def _laid(blobs: Blobs, part: Part, folder: Path) -> dict[str, object]:
    """``part`` as the process takes it, its bytes in ``folder``."""
    piece: dict[str, object] = {"start": part.start, "stop": part.stop, "gain": part.gain}
    if not part.source:
        return {**piece, "path": ""}
    path = folder / part.source.replace(":", "-")
    if not path.exists():
        if part.source.startswith(CHIME):
            wav = await asyncio.to_thread(chimes.sound, part.source.removeprefix(CHIME))
            await asyncio.to_thread(path.write_bytes, wav)
        else:
            await _fetch(blobs, part.source, path)
    return {**piece, "path": str(path)}


async def _fetch(blobs: Blobs, sha256: str, path: Path) -> None:
    try:
        file = await asyncio.to_thread(path.open, "xb")
        try:
            async for data in blobs.read(sha256):
                await asyncio.to_thread(file.write, data)
        finally:
            await asyncio.to_thread(file.close)
    except FileNotFoundError:
        raise NotFound("The audio of this announcement is gone.", code="audio_lost") from None


async def _run(asked: dict[str, object]) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sync2gear_platform.announcements.splicing",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        output, _ = await process.communicate(json.dumps(asked).encode())
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        await process.wait()
    answer = json.loads(output) if output else {"code": "died"}
    if answer.get("code") == "too_long":
        raise JoinedTooLong
    if "code" in answer:
        logger.error("announcement.not_joined", code=answer["code"], exit=process.returncode)
        raise CannotJoin
