"""Writing down what an import found: media, and the tracks that a folder shows of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import func, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from sync2gear_broker.units import millis_from_frames
from sync2gear_platform.identity.tables import Client
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.blobs import Staged
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.library import rules
from sync2gear_platform.library.probe import Tags
from sync2gear_platform.library.prober import Finding
from sync2gear_platform.library.tables import Media, Track
from sync2gear_platform.library.walk import Entry

GIGABYTE: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry on its way: its content once read, what a probe found, or why it is not taken."""

    entry: Entry
    sha256: str = ""
    staged: Staged | None = None
    finding: Finding | None = None
    code: str = ""


async def guard(ctx: Ctx, digests: Sequence[str]) -> None:
    """Keep housekeeping off these blobs until this transaction, which names them, has ended."""
    # Sorted: two transactions that name the same blobs must not wait for each other.
    await ctx.db.execute(
        text(
            "SELECT pg_advisory_xact_lock(hashtextextended(d, 0))"
            " FROM unnest(CAST(:digests AS text[])) AS d"
        ),
        {"digests": sorted(set(digests))},
    )


async def room_left(ctx: Ctx) -> int:
    """How many bytes of media the client may still store."""
    client = await ctx.db.get_one(Client, ctx.client_id)
    used = await ctx.db.execute(
        select(func.coalesce(func.sum(Media.bytes), 0)).where(col(Media.client_id) == ctx.client_id)
    )
    return client.max_storage_gb * GIGABYTE - int(used.scalar_one())


async def write_media(ctx: Ctx, candidates: list[Candidate]) -> None:
    """The media rows of what was kept; what the client has already stays as it is."""
    values = [
        {
            "client_id": ctx.client_id,
            "sha256": c.staged.sha256,
            "bytes": c.staged.size,
            "frames": c.finding.sound.frames,
            "codec": c.finding.sound.codec,
            "loudness": c.finding.sound.loudness,
            "true_peak": c.finding.sound.true_peak,
            "gain": rules.gain_of(c.finding.sound.loudness, c.finding.sound.true_peak),
            "created_at": ctx.now,
        }
        for c in candidates
        if c.staged is not None and c.finding is not None and not c.code
    ]
    if values:
        await ctx.db.execute(insert(Media).values(values).on_conflict_do_nothing())


@dataclass
class Shelf:
    """The folder as a batch fills it.

    ``described`` says for each content what a track of it is called; ``present`` names the track
    of each content that is in the folder; ``position`` is the last one's.
    """

    folder_id: UUID
    described: dict[str, dict[str, object]]
    present: dict[str, UUID]
    position: int

    def place(self, ctx: Ctx, candidate: Candidate) -> UUID:
        """The track of this content in the folder, a new one where there is none."""
        sha256 = candidate.sha256
        if sha256 not in self.present:
            self.position += 1
            track = rows.new(
                ctx,
                Track,
                **self.described[sha256],
                sha256=sha256,
                filename=candidate.entry.filename,
                folder_id=self.folder_id,
                position=self.position,
            )
            self.present[sha256] = track.id
        return self.present[sha256]


async def shelf(ctx: Ctx, folder_id: UUID, candidates: list[Candidate]) -> Shelf:
    """The folder as it stands, and how tracks of these candidates would be described."""
    owned = select(Track).where(col(Track.client_id) == ctx.client_id)
    same = owned.where(col(Track.sha256).in_({c.sha256 for c in candidates}))
    tracks = list(await ctx.db.exec(same.order_by(col(Track.id))))
    last = select(func.max(col(Track.position))).where(
        col(Track.client_id) == ctx.client_id, col(Track.folder_id) == folder_id
    )
    position = (await ctx.db.execute(last)).scalar_one()
    described: dict[str, dict[str, object]] = {
        t.sha256: t.model_dump(include=_DESCRIPTION) for t in tracks
    }
    described.update({c.sha256: _described(c, c.finding) for c in candidates if c.finding})
    return Shelf(
        folder_id=folder_id,
        described=described,
        present={t.sha256: t.id for t in tracks if t.folder_id == folder_id},
        position=0 if position is None else position,
    )


_DESCRIPTION = {"title", "artist", "album", "genre", "year", "duration_millis"}


def _described(candidate: Candidate, finding: Finding) -> dict[str, object]:
    tags: Tags = finding.tags
    stem = rules.label(candidate.entry.filename.rpartition(".")[0], 255)
    return {
        "title": tags.title or stem or candidate.entry.filename,
        "artist": tags.artist,
        "album": tags.album,
        "genre": tags.genre,
        "year": tags.year,
        "duration_millis": millis_from_frames(finding.sound.frames),
    }
