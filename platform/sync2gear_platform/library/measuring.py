"""Measuring what was taken in before there were waveforms, digests of sound and silence at ends."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import exists, or_, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from sync2gear_platform.kit import log
from sync2gear_platform.kit.blobs import Blobs
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.kit.context import touch
from sync2gear_platform.kit.db import Database
from sync2gear_platform.library import rules
from sync2gear_platform.library.probe import Unfit
from sync2gear_platform.library.prober import Prober
from sync2gear_platform.library.sound import Sound
from sync2gear_platform.library.tables import Media, MediaPeaks

logger = log.get(__name__)

SOME: Final = 100
"""Media that are looked up at once."""

BUDGET_SECONDS: Final = 1800.0
"""How long one run goes on; the next one does what is left."""

Content = tuple[str, UUID]
"""Digest and client."""


class Measured(NamedTuple):
    """How many media got what they lacked, and how many could not be read."""

    media: int
    failed: int


async def measure(
    db: Database,
    blobs: Blobs,
    prober: Prober,
    clock: Clock,
    *,
    elapsed: Callable[[], float],
    first: str = "",
) -> Measured:
    """Fill in what media of all clients lack: waveform, digest, silent ends, loudness and gain.

    What is known stays. It goes by digest, from ``first`` on and around, so that files that cannot
    be read keep nobody waiting for ever where each run begins elsewhere. ``elapsed`` are seconds
    of this run.
    """
    done = failed = 0
    async with prober:
        for start, stop in ((first, ""), ("", first)) if first else (("", ""),):
            after: Content | None = None
            while some := await _lacking(db, start, stop, after):
                for sha256, client_id in some:
                    if elapsed() > BUDGET_SECONDS:
                        return Measured(done, failed)
                    sound = await _sound(blobs, prober, sha256)
                    if sound is None:
                        failed += 1
                    else:
                        await _fill(db, clock, client_id, sha256, sound)
                        done += 1
                after = some[-1]
    if done or failed:
        logger.info("library.measured", media=done, failed=failed)
    return Measured(done, failed)


async def _lacking(db: Database, start: str, stop: str, after: Content | None) -> list[Content]:
    """Some media of digests from ``start`` to before ``stop`` that lack something."""
    drawn = exists().where(
        col(MediaPeaks.client_id) == col(Media.client_id),
        col(MediaPeaks.sha256) == col(Media.sha256),
    )
    statement = (
        select(Media.sha256, Media.client_id)
        .where(
            col(Media.sha256) >= start,
            or_(col(Media.pcm_sha256).is_(None), col(Media.lead).is_(None), ~drawn),
        )
        .order_by(col(Media.sha256), col(Media.client_id))
        .limit(SOME)
    )
    if stop:
        statement = statement.where(col(Media.sha256) < stop)
    if after is not None:
        statement = statement.where(tuple_(col(Media.sha256), col(Media.client_id)) > after)
    async with db.system() as session:
        return [(sha256, client) for sha256, client in (await session.exec(statement)).all()]


async def _sound(blobs: Blobs, prober: Prober, sha256: str) -> Sound | None:
    try:
        async with blobs.local(sha256) as path:
            return (await prober.examine(path, path.stat().st_size)).sound
    except (Unfit, OSError) as error:
        code = error.code if isinstance(error, Unfit) else "bytes_lost"
        logger.warning("library.not_measured", sha256=sha256, code=code)
        return None


async def _fill(db: Database, clock: Clock, client_id: UUID, sha256: str, sound: Sound) -> None:
    """Write what is not known yet, in a transaction as the client."""
    row: dict[str, Any] = {"client_id": client_id, "sha256": sha256}
    this = col(Media.client_id) == client_id, col(Media.sha256) == sha256
    async with touch(db, client_id, clock.now(), "measuring") as ctx:
        media = await ctx.db.get(Media, (client_id, sha256), with_for_update=True)
        if media is None:
            return  # forgotten meanwhile
        values: dict[str, Any] = {}
        if media.pcm_sha256 is None:
            values["pcm_sha256"] = sound.pcm_sha256
        if media.lead is None:
            values |= {"lead": sound.lead, "tail": sound.tail}
        if media.loudness is None and sound.loudness is not None:
            gain = rules.gain_of(sound.loudness, sound.true_peak)
            values |= {"loudness": sound.loudness, "true_peak": sound.true_peak, "gain": gain}
        if values:
            await ctx.db.execute(update(Media).where(*this).values(values))
        peaks = {**row, "frames_per_peak": sound.peak_frames, "peaks": sound.peaks}
        await ctx.db.execute(insert(MediaPeaks).values(peaks).on_conflict_do_nothing())
