"""From an upload's bytes to what it is for: examined, kept, written down, exactly once.

Every stage may be cut off and done again. The bytes stay where they arrived until the transaction
that makes something of them; what is kept before it is named by the upload, so that housekeeping
leaves it alone, and is nobody's once the upload has failed.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlmodel import col, select

from sync2gear_platform.audit import service as audit
from sync2gear_platform.kit import events, log, rows
from sync2gear_platform.kit.blobs import Blobs, Staged, TooLarge
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.kit.context import Ctx, touch
from sync2gear_platform.kit.db import Database
from sync2gear_platform.kit.partials import Partials
from sync2gear_platform.library import covers, shelving, uploads
from sync2gear_platform.library.arrivals import Arrivals, NoDirect
from sync2gear_platform.library.probe import Unfit
from sync2gear_platform.library.prober import Finding, Prober
from sync2gear_platform.library.shelving import Candidate
from sync2gear_platform.library.tables import Folder, Media, Track, Upload
from sync2gear_platform.library.walk import Entry

logger = log.get(__name__)

Finisher = Callable[[Ctx, Upload, Media, Finding], Awaitable[UUID]]
"""Makes of an upload what its purpose says, in the transaction that ends it; the id of it."""

STAGED, EXAMINED, KEPT, DONE = 20, 70, 90, 100
"""Progress in per cent, once a stage is behind us."""

TRANSIENT: Final = frozenset({"timeout"})
"""Verdicts on a file that another day may turn out otherwise."""


@dataclass(frozen=True, slots=True)
class Kitchen:
    """What ingest works with. ``finishers`` by purpose: composition fills in other domains'."""

    db: Database
    blobs: Blobs
    partials: Partials
    prober: Prober
    finishers: Mapping[str, Finisher]
    clock: Clock

    @property
    def arrivals(self) -> Arrivals:
        """Where bytes of uploads lie."""
        return Arrivals(self.partials, self.blobs)

    @asynccontextmanager
    async def touch(self, client_id: UUID) -> AsyncIterator[Ctx]:
        """One transaction as a client, acted in by the system."""
        async with touch(self.db, client_id, self.clock.now(), "upload") as ctx:
            yield ctx


async def ingest(kitchen: Kitchen, client_id: UUID, upload_id: UUID) -> None:
    """Make of an upload what it is for, or say why not; going on after whatever cut it off.

    Raises ``NotFound`` where the upload or its client is gone, and what may pass: database and
    disk. Nothing of an upload can be heard before this has committed its last step.
    """
    async with kitchen.touch(client_id) as ctx:
        row = await rows.find(ctx, Upload, upload_id, lock=True)
        if row.state not in {"uploaded", "processing"}:
            await _sweep_up(kitchen, row)
            return
        rows.change(ctx, row, {"state": "processing"})
        await events.changed(ctx, "upload", row.id)
    code = await _work(kitchen, row)
    async with kitchen.touch(client_id) as ctx:
        row = await rows.find(ctx, Upload, upload_id, lock=True)
        if code and row.state == "processing":
            row = await uploads.fail(ctx, row, code, keep=code in TRANSIENT)
            logger.info("upload refused", upload=str(upload_id), code=code)
    await _sweep_up(kitchen, row)


async def _sweep_up(kitchen: Kitchen, row: Upload) -> None:
    if row.reserved == 0:
        await kitchen.arrivals.forget(row.id, row.via)


async def give_up(kitchen: Kitchen, client_id: UUID, upload_id: UUID) -> None:
    """The last attempt failed for a reason of ours: say so, and keep the bytes for a day."""
    async with kitchen.touch(client_id) as ctx:
        row = await rows.find(ctx, Upload, upload_id, lock=True)
        if row.state in {"uploaded", "processing"}:
            await uploads.fail(ctx, row, "interrupted", keep=True)


async def _work(kitchen: Kitchen, row: Upload) -> str:
    """All stages; a code of ``rules.REASONS`` where the file is not taken."""
    if row.size == 0:
        return "empty"
    if row.purpose not in kitchen.finishers:
        return "unsupported"
    try:
        async with kitchen.prober as prober, kitchen.arrivals.staged(row) as staged:
            if staged.size != row.size:
                return "bytes_lost"
            await _note(kitchen, row, STAGED, staged.sha256)
            finding = await prober.examine(staged.path, staged.size)
            await _note(kitchen, row, EXAMINED)
            await staged.keep()
            await _note(kitchen, row, KEPT)
            await _finish(kitchen, row, staged, finding)
    except FileNotFoundError:
        return "bytes_lost"
    except NoDirect:
        return "bytes_lost"
    except TooLarge:
        return "too_large"
    except Unfit as unfit:
        return unfit.code
    return ""


async def _note(kitchen: Kitchen, row: Upload, progress: int, sha256: str = "") -> None:
    """Say how far it is. A content that is named here is safe from housekeeping from now on."""
    async with kitchen.touch(row.client_id) as ctx:
        if sha256:
            await shelving.guard(ctx, [sha256])
        now = await rows.find(ctx, Upload, row.id, lock=True)
        if now.state != "processing":
            return
        rows.change(ctx, now, {"progress": progress, **({"sha256": sha256} if sha256 else {})})
        await events.changed(ctx, "upload", row.id)


async def _finish(kitchen: Kitchen, row: Upload, staged: Staged, finding: Finding) -> None:
    """Write it all down: media, what the upload is for, and that it is done."""
    candidate = _candidate(row, staged.sha256, staged, finding)
    async with kitchen.touch(row.client_id) as ctx:
        if row.purpose == "track":
            [candidate] = await shelving.told_apart(ctx, kitchen.blobs, [candidate])
        # Also makes two uploads of one content take turns, so that neither repeats the other.
        await shelving.guard(ctx, [staged.sha256])
        now = await rows.find(ctx, Upload, row.id, lock=True)
        if now.state != "processing":
            return  # cancelled meanwhile: what was kept is nobody's now
        now.reserved = 0  # what it was held for is written down now
        await shelving.write_media(ctx, [candidate])
        media = await ctx.db.get_one(Media, (ctx.client_id, candidate.sha256))
        made = await kitchen.finishers[now.purpose](ctx, now, media, finding)
        result = "track_id" if now.purpose == "track" else "announcement_id"
        values = {"state": "ready", "progress": DONE, result: made}
        rows.change(ctx, now, values)
        await ctx.db.flush()
        await events.changed(ctx, "upload", now.id)


def _candidate(
    row: Upload, sha256: str, staged: Staged | None, finding: Finding | None
) -> Candidate:
    entry = Entry(path=Path(), name=row.filename, filename=row.filename, size=row.size)
    return Candidate(entry, sha256=sha256, staged=staged, finding=finding)


def track_finisher(blobs: Blobs) -> Finisher:
    """Makes tracks of uploads."""

    async def finish(ctx: Ctx, upload: Upload, media: Media, finding: Finding) -> UUID:
        """A track at the end of its folder; the one that is there already, where it is the same.

        What the client has already is called what its tracks are called, not what this file says;
        ``duplicate_of`` names the oldest of them.
        """
        if upload.folder_id is not None:
            await rows.find(ctx, Folder, upload.folder_id, lock=True)
        candidate = _candidate(upload, media.sha256, None, None)
        shelf = await shelving.shelf(ctx, upload.folder_id, [candidate], {})
        upload.duplicate_of = await _first_track(ctx, media.sha256)
        if upload.duplicate_of is None:
            cover_id = await covers.keep_embedded(ctx, blobs, finding.cover)
            described = shelving.description(upload.filename, finding)
            shelf.described[media.sha256] = {**described, "cover_id": cover_id}
        if upload.title:
            shelf.described[media.sha256]["title"] = upload.title
        is_new = media.sha256 not in shelf.present
        track_id = shelf.place(ctx, candidate)
        await ctx.db.flush()
        if is_new:
            after = {"title": shelf.described[media.sha256]["title"], "upload": str(upload.id)}
            audit.record(ctx, "track.create", "track", track_id, after=after)
        if upload.folder_id is not None:
            await events.changed(ctx, "folder", upload.folder_id)
        await events.tell(ctx, "tracks", ctx.client_id)
        return track_id

    return finish


async def _first_track(ctx: Ctx, sha256: str) -> UUID | None:
    """The client's oldest track of this content."""
    same = select(Track.id).where(
        col(Track.client_id) == ctx.client_id, col(Track.sha256) == sha256
    )
    return (await ctx.db.exec(same.order_by(col(Track.id)).limit(1))).first()
