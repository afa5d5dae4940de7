"""Writing down what an import found: media, and the tracks that a folder shows of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, func, text, union_all
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from sync2gear_broker.units import millis_from_frames
from sync2gear_platform.identity.tables import Client
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.blobs import Blobs, Staged
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import Refusal
from sync2gear_platform.library import rules
from sync2gear_platform.library.prober import Finding
from sync2gear_platform.library.sound import Sound
from sync2gear_platform.library.tables import Cover, Media, MediaPeaks, Track, Upload
from sync2gear_platform.library.tagging import Tags
from sync2gear_platform.library.walk import Entry

GIGABYTE: Final = 1_000_000_000


class QuotaExceeded(Refusal):
    """The client's storage is full: remove something, or ask for more."""

    kind = "conflict"
    code = "quota_exceeded"


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
    """How many bytes the client may still store, beside media, covers and what is being sent.

    Whoever asks takes turns with everybody who stores for this client, until its transaction has
    ended: what it was told stays true.
    """
    await rows.take_turns(ctx, "storage")
    client = await ctx.db.get_one(Client, ctx.client_id)
    used = await stored(ctx, col(Client.id) == ctx.client_id)
    return client.max_storage_gb * GIGABYTE - used.get(ctx.client_id, 0)


async def stored(ctx: Ctx, *clients: ColumnElement[bool]) -> dict[UUID, int]:
    """What counts against the limits of these clients, in bytes; who stores nothing is left out."""
    held = union_all(
        *(
            select(col(table.client_id).label("client_id"), col(size).label("bytes"))
            for table, size in (
                (Media, Media.bytes), (Cover, Cover.bytes), (Upload, Upload.reserved),
            )
        )
    ).subquery()  # fmt: skip
    summed = (
        select(col(Client.id), func.sum(held.c.bytes))
        .join(held, held.c.client_id == col(Client.id))
        .where(*clients)
        .group_by(col(Client.id))
        .having(func.sum(held.c.bytes) > 0)
    )
    return {client_id: int(size) for client_id, size in (await ctx.db.execute(summed)).all()}


async def told_apart(ctx: Ctx, blobs: Blobs, candidates: list[Candidate]) -> list[Candidate]:
    """Whatever sounds exactly like music that is there, or like another one of these, is that.

    It is then a candidate with that content and no finding: nothing of it is stored. Two at once
    with one sound take turns, before anything else that a transaction waits for.
    """
    sounds = [c.finding.sound.pcm_sha256 for c in candidates if c.finding]
    await guard(ctx, sounds)
    known = await _twins(ctx, sounds)
    same = {p: s for p, s in known.items() if await blobs.size(s) is not None}
    apart = []
    for c in candidates:
        first = same.setdefault(c.finding.sound.pcm_sha256, c.sha256) if c.finding else c.sha256
        if first != c.sha256:
            apart.append(replace(c, sha256=first, staged=None, finding=None))
        else:
            apart.append(c)
    return apart


async def _twins(ctx: Ctx, pcm_digests: Sequence[str]) -> dict[str, str]:
    """Which music the client has already that sounds exactly so: ``sha256`` by ``pcm_sha256``."""
    known = (
        select(col(Media.pcm_sha256), col(Media.sha256))
        .join(
            Track,
            (col(Track.client_id) == col(Media.client_id))
            & (col(Track.sha256) == col(Media.sha256)),
        )
        .where(col(Media.client_id) == ctx.client_id, col(Media.pcm_sha256).in_(pcm_digests))
        .order_by(col(Media.created_at).desc(), col(Media.sha256))
    )
    return {pcm: sha256 for pcm, sha256 in (await ctx.db.execute(known)).all() if pcm}


async def write_media(ctx: Ctx, candidates: list[Candidate]) -> None:
    """The media rows of what was kept; what the client has already stays as it is."""
    await insert_media(
        ctx,
        [
            (c.staged.sha256, c.staged.size, c.finding.sound)
            for c in candidates
            if c.staged is not None and c.finding is not None and not c.code
        ],
    )


async def insert_media(ctx: Ctx, pieces: Sequence[tuple[str, int, Sound]]) -> None:
    """Rows of media, and their waveforms, for digest, bytes and sound of each; once only."""
    if not pieces:
        return
    media = [
        {
            "client_id": ctx.client_id,
            "sha256": sha256,
            "bytes": size,
            "frames": sound.frames,
            "codec": sound.codec,
            "loudness": sound.loudness,
            "true_peak": sound.true_peak,
            "gain": rules.gain_of(sound.loudness, sound.true_peak),
            "lead": sound.lead,
            "tail": sound.tail,
            "pcm_sha256": sound.pcm_sha256,
            "created_at": ctx.now,
        }
        for sha256, size, sound in pieces
    ]
    peaks = [
        {
            "client_id": ctx.client_id,
            "sha256": sha256,
            "frames_per_peak": sound.peak_frames,
            "peaks": sound.peaks,
        }
        for sha256, _, sound in pieces
    ]
    await ctx.db.execute(insert(Media).values(media).on_conflict_do_nothing())
    await ctx.db.execute(insert(MediaPeaks).values(peaks).on_conflict_do_nothing())


@dataclass
class Shelf:
    """The folder as a batch fills it.

    ``described`` says for each content what a track of it is called; ``present`` names the track
    of each content that is in the folder; ``position`` is the last one's.
    """

    folder_id: UUID | None
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


async def shelf(
    ctx: Ctx, folder_id: UUID | None, candidates: list[Candidate], covers: dict[str, UUID | None]
) -> Shelf:
    """The folder as it stands, and how tracks of these candidates would be described.

    ``covers`` names the cover that each new content brought along.
    """
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
    described.update(
        {
            c.sha256: {
                **description(c.entry.filename, c.finding),
                "cover_id": covers.get(c.sha256),
            }
            for c in candidates
            if c.finding
        }
    )
    return Shelf(
        folder_id=folder_id,
        described=described,
        present={t.sha256: t.id for t in tracks if t.folder_id == folder_id},
        position=0 if position is None else position,
    )


_DESCRIPTION = {
    "title", "artist", "album", "genre", "year", "isrc", "composer", "duration_millis",
    "cover_id",
}  # fmt: skip


def description(filename: str, finding: Finding) -> dict[str, object]:
    """What a track of a file of this name is called and how long it is, as its row holds it."""
    tags: Tags = finding.tags
    stem = rules.label(filename.rpartition(".")[0], 255)
    return {
        "title": tags.title or stem or filename,
        "artist": tags.artist,
        "album": tags.album,
        "genre": tags.genre,
        "year": tags.year,
        "isrc": tags.isrc,
        "composer": tags.composer,
        "duration_millis": millis_from_frames(finding.sound.frames),
    }
