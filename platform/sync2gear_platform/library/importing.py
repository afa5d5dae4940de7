"""Reading a folder into the library: each file is taken, known already, or refused."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from sync2gear_platform.audit import service as audit
from sync2gear_platform.kit import events, log, rows
from sync2gear_platform.kit.blobs import Blobs, TooLarge, hash_file
from sync2gear_platform.kit.clock import Clock
from sync2gear_platform.kit.context import Actor, Ctx
from sync2gear_platform.kit.db import Database
from sync2gear_platform.kit.errors import Refusal
from sync2gear_platform.library import covers, rules, shelving
from sync2gear_platform.library.probe import Unfit
from sync2gear_platform.library.prober import Prober
from sync2gear_platform.library.shelving import Candidate
from sync2gear_platform.library.tables import Folder, Import, ImportItem, Track
from sync2gear_platform.library.walk import Entry, walk

logger = log.get(__name__)

BATCH_FILES = 50
BATCH_BYTES = 8 << 20
"""A batch, which is one transaction, ends with whichever is reached first: music soon sounds."""

Progress = Callable[[Import], None]


@dataclass(frozen=True, slots=True)
class Run:
    """One import under way."""

    db: Database
    blobs: Blobs
    clock: Clock
    client_id: UUID
    import_id: UUID

    @asynccontextmanager
    async def touch(self) -> AsyncIterator[Ctx]:
        """One transaction of this import."""
        async with touch(self.db, self.clock, self.client_id) as ctx:
            yield ctx


@asynccontextmanager
async def touch(db: Database, clock: Clock, client_id: UUID) -> AsyncIterator[Ctx]:
    """One transaction as a client, acted in by the system."""
    actor = Actor(kind="system", id=None, client_id=client_id, label="import")
    async with db.tenant(client_id) as session:
        yield Ctx(db=session, actor=actor, now=clock.now(), trace="")


async def import_folder(
    db: Database,
    blobs: Blobs,
    client_id: UUID,
    path: Path,
    folder_name: str,
    *,
    import_id: UUID | None = None,
    progress: Progress | None = None,
    prober: Prober | None = None,
) -> Import:
    """Read ``path`` into the client's music folder ``folder_name``, which is made if missing.

    Safe to repeat at any time: what is there already is not taken twice. With ``import_id`` an
    import that was begun goes on where it stopped. Raises ``OSError`` where ``path`` cannot be
    read at all; the import is then ``failed``. ``progress`` is called after every batch. Imports
    that share a ``prober`` share its processes.
    """
    clock = Clock()
    async with touch(db, clock, client_id) as ctx:
        row = await _begin(ctx, path, folder_name, import_id)
    run = Run(db, blobs, clock, client_id, row.id)
    try:
        await blobs.sweep()
        entries = await asyncio.to_thread(lambda: list(walk(path)))
        todo = await _begun(run, entries)
        async with prober or Prober() as pool:
            for batch in _batches(todo):
                row = await _take(run, pool, batch)
                if progress is not None:
                    progress(row)
        return await _end(run, "done")
    except (OSError, SQLAlchemyError, Refusal) as error:
        logger.warning("import failed", import_id=str(row.id), error=str(error)[:500])
        await _end(run, "failed")
        raise


async def _begin(ctx: Ctx, path: Path, folder_name: str, import_id: UUID | None) -> Import:
    if import_id is not None:
        row = await rows.find(ctx, Import, import_id, lock=True)
        rows.change(ctx, row, {"state": "running", "finished_at": None})
        return row
    source = rules.file_name(path.name.encode("utf-8", "surrogateescape"))
    return await begin(ctx, source=source, folder_name=folder_name)


async def begin(ctx: Ctx, *, source: str, folder_name: str) -> Import:
    """The row of a new import into the music folder ``folder_name``, which is made if missing."""
    found = select(Folder).where(
        col(Folder.client_id) == ctx.client_id,
        col(Folder.name) == folder_name,
        col(Folder.type) == "music",
        col(Folder.rules).is_(None),
    )
    folder = (await ctx.db.exec(found.order_by(col(Folder.id)).limit(1))).first()
    if folder is None:
        folder = rows.new(ctx, Folder, name=folder_name)
        await ctx.db.flush()
        audit.record(ctx, "folder.create", "folder", folder.id, after={"name": folder_name})
        await events.changed(ctx, "folder", folder.id)
    row = rows.new(ctx, Import, source=source, folder_id=folder.id)
    await ctx.db.flush()
    audit.record(ctx, "import.start", "import", row.id, after={"source": source})
    await events.changed(ctx, "import", row.id)
    return row


async def _begun(run: Run, entries: list[Entry]) -> list[Entry]:
    """Note how many there are; returns those that this import has not dealt with yet."""
    async with run.touch() as ctx:
        row = await rows.find(ctx, Import, run.import_id, lock=True)
        rows.change(ctx, row, {"found": len(entries)})
        dealt = select(ImportItem.name).where(
            col(ImportItem.client_id) == ctx.client_id, col(ImportItem.import_id) == row.id
        )
        names = set(await ctx.db.exec(dealt))
    return [e for e in entries if e.name not in names]


async def give_up(db: Database, client_id: UUID, import_id: UUID) -> None:
    """Mark an import as failed whose source is gone."""
    clock = Clock()
    async with touch(db, clock, client_id) as ctx:
        row = await rows.find(ctx, Import, import_id, lock=True)
        rows.change(ctx, row, {"state": "failed", "finished_at": ctx.now})
        await events.changed(ctx, "import", row.id)


async def _end(run: Run, state: str) -> Import:
    async with run.touch() as ctx:
        row = await rows.find(ctx, Import, run.import_id, lock=True)
        rows.change(ctx, row, {"state": state, "finished_at": ctx.now})
        await ctx.db.flush()
        counts = row.model_dump(include={"state", "found", "imported", "duplicates", "rejected"})
        audit.record(ctx, "import.finish", "import", row.id, after=counts)
        await events.changed(ctx, "import", row.id)
    return row


def _batches(entries: list[Entry]) -> Iterator[list[Entry]]:
    batch: list[Entry] = []
    size = 0
    for entry in entries:
        batch.append(entry)
        size += entry.size
        if len(batch) >= BATCH_FILES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


async def _take(run: Run, prober: Prober, batch: list[Entry]) -> Import:
    """One batch: read, examine, keep, and only then write down, in one transaction."""
    hashed = await asyncio.gather(*(_hashed(entry) for entry in batch))
    known = await _known(run, [c.sha256 for c in hashed if c.sha256])
    async with AsyncExitStack() as stack:
        seen = set(known)
        jobs = []
        for candidate in hashed:
            if candidate.code or candidate.sha256 in seen:
                jobs.append(_as_it_is(candidate))
            else:
                seen.add(candidate.sha256)
                jobs.append(_examined(run, prober, stack, candidate))
        candidates = await asyncio.gather(*jobs)
        async with run.touch() as ctx:
            apart = await shelving.told_apart(ctx, run.blobs, candidates)
            return await _write(ctx, run, await _kept(ctx, apart))


async def _as_it_is(candidate: Candidate) -> Candidate:
    return candidate


async def _hashed(entry: Entry) -> Candidate:
    if entry.code:
        return Candidate(entry, code=entry.code)
    try:
        return Candidate(entry, sha256=await asyncio.to_thread(hash_file, entry.path))
    except OSError:
        return Candidate(entry, code="unreadable")


async def _known(run: Run, digests: Sequence[str]) -> set[str]:
    """Which of these contents need no examining: the client has them, with tags, and the blob."""
    async with run.touch() as ctx:
        found = await ctx.db.exec(
            select(Track.sha256)
            .where(col(Track.client_id) == ctx.client_id, col(Track.sha256).in_(digests))
            .distinct()
        )
    return {s for s in found if await run.blobs.size(s) is not None}


async def _examined(
    run: Run, prober: Prober, stack: AsyncExitStack, candidate: Candidate
) -> Candidate:
    entry = candidate.entry
    try:
        staging = run.blobs.stage(entry.path, limit=rules.MAX_BYTES)
        staged = await stack.enter_async_context(staging)
        finding = await prober.examine(staged.path, staged.size)
        await staged.prepare()
    except TooLarge:
        return replace(candidate, code="too_large")
    except Unfit as unfit:
        return replace(candidate, code=unfit.code)
    return replace(candidate, sha256=staged.sha256, staged=staged, finding=finding)


async def _kept(ctx: Ctx, candidates: list[Candidate]) -> list[Candidate]:
    """Store what is fit, as long as the client has room for it."""
    await shelving.guard(ctx, [c.sha256 for c in candidates if c.staged is not None and not c.code])
    room = await shelving.room_left(ctx)
    kept = []
    for candidate in candidates:
        if candidate.staged is not None and not candidate.code:
            if candidate.staged.size > room:
                kept.append(replace(candidate, code="quota_exceeded"))
                continue
            await candidate.staged.keep()
            room -= candidate.staged.size
        kept.append(candidate)
    return kept


async def _write(ctx: Ctx, run: Run, candidates: list[Candidate]) -> Import:
    """Media, tracks and items of a batch; content that is in the folder already is not repeated."""
    row = await rows.find(ctx, Import, run.import_id, lock=True)
    if row.folder_id is None:
        raise Refusal("This import has no folder.", kind="conflict", code="no_folder")
    # The folder's lock makes two imports into it take turns, so that neither repeats the other.
    folder = await rows.find(ctx, Folder, row.folder_id, lock=True)
    await shelving.write_media(ctx, candidates)
    brought = {
        c.sha256: await covers.keep_embedded(ctx, run.blobs, c.finding.cover)
        for c in candidates
        if c.finding is not None and not c.code
    }
    shelf = await shelving.shelf(ctx, folder.id, candidates, brought)
    unfit = {c.sha256: c.code for c in candidates if c.code and c.sha256}
    counts = {"imported": row.imported, "duplicates": row.duplicates, "rejected": row.rejected}
    for c in candidates:
        # A second copy in the batch shares the verdict on the first; one that changed has none.
        code = c.code or unfit.get(c.sha256, "")
        if not code and c.sha256 not in shelf.described:
            code = "unreadable"
        outcome = "rejected" if code else "imported" if c.finding else "duplicate"
        counts["duplicates" if outcome == "duplicate" else outcome] += 1
        rows.new(
            ctx,
            ImportItem,
            import_id=row.id,
            name=c.entry.name,
            outcome=outcome,
            code=code,
            detail=rules.REASONS.get(code, ""),
            track_id=None if code else shelf.place(ctx, c),
        )
    rows.change(ctx, row, counts)
    await ctx.db.flush()
    await events.changed(ctx, "import", row.id)
    await events.changed(ctx, "folder", folder.id)
    return row
