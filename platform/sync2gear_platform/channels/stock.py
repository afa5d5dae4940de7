"""What the library has for channels: tracks by themselves and by folder, as pieces.

Speakers keep what is planned for days ahead, so a track that may not be kept is left out, as is
one whose licence leaves out the venue's country (``library/separation.py`` decides both).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, literal, or_, union_all
from sqlalchemy import select as select_columns
from sqlmodel import col, select

from sync2gear_broker.messages import Media as WireMedia
from sync2gear_platform.channels.model import Piece
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.library import separation, smart
from sync2gear_platform.library.rules import label
from sync2gear_platform.library.service import MAX_PLAYED
from sync2gear_platform.library.tables import Folder, Media, Track

_COLUMNS: Final = (
    col(Track.id), col(Track.folder_id), col(Track.title), col(Track.artist),
    col(Track.artist_keys), col(Track.title_key), col(Track.regions), col(Track.offline_allowed),
    col(Track.valid_from), col(Track.valid_until), col(Media.sha256), col(Media.bytes),
    col(Media.frames), col(Media.gain),
)  # fmt: skip


@dataclass(slots=True)
class Licence:
    """What of a track says when and where it may be played (``separation.Licensed``)."""

    valid_from: date | None
    valid_until: date | None
    regions: list[str]
    offline_allowed: bool


@dataclass(frozen=True, slots=True)
class Stock:
    """Pieces by track, and the tracks of each folder in its order."""

    pieces: Mapping[UUID, Piece] = field(default_factory=dict)
    licences: Mapping[UUID, Licence] = field(default_factory=dict)
    folders: Mapping[UUID, Sequence[UUID]] = field(default_factory=dict)

    @property
    def is_regional(self) -> bool:
        """Whether any track asks in which country it is played."""
        return any(licence.regions for licence in self.licences.values())

    def track(self, track_id: UUID, country: str) -> tuple[Piece, ...]:
        """The piece of a track, if it may be played there at all; its days are the piece's own."""
        return self._allowed((track_id,), country)

    def folder(self, folder_id: UUID, country: str) -> tuple[Piece, ...]:
        """The pieces of a folder that may be played there."""
        return self._allowed(self.folders.get(folder_id, ()), country)

    def _allowed(self, track_ids: Iterable[UUID], country: str) -> tuple[Piece, ...]:
        return tuple(
            self.pieces[one]
            for one in track_ids
            if one in self.pieces and is_allowed(self.licences[one], country)
        )


def is_allowed(licence: Licence, country: str) -> bool:
    """Whether a track may be planned ahead in a country ("": the venue does not say)."""
    timeless = Licence(None, None, licence.regions, licence.offline_allowed)
    why = separation.unplayable(timeless, on=date.min, region=country, offline=True)
    return why is None


async def take(ctx: Ctx, track_ids: Collection[UUID], folder_ids: Collection[UUID]) -> Stock:
    """These tracks, and all of these folders, in four queries at most; who is not here is not."""
    mine = (col(Folder.client_id) == ctx.client_id, col(Folder.id).in_(folder_ids))
    folders = (await ctx.db.exec(select(Folder).where(*mine))).all() if folder_ids else ()
    smart_ones = [folder for folder in folders if folder.rules is not None]
    plain = [folder.id for folder in folders if folder.rules is None]
    pieces: dict[UUID, Piece] = {}
    licences: dict[UUID, Licence] = {}
    inside: dict[UUID, list[UUID]] = {folder.id: [] for folder in folders}
    wanted = _tracks(ctx).where(or_(col(Track.id).in_(track_ids), col(Track.folder_id).in_(plain)))
    rows = list((await ctx.db.execute(wanted.order_by(col(Track.position), col(Track.id)))).all())
    for row in rows:
        if row.folder_id in inside and row.folder_id in plain:
            inside[row.folder_id].append(row.id)
    if smart_ones:
        chosen = (await ctx.db.execute(_chosen(ctx, smart_ones))).all()
        for row in chosen:
            inside[row.smart].append(row.id)
        rows += chosen
    for row in rows:
        if row.id not in pieces:
            pieces[row.id] = _piece(row)
            licences[row.id] = Licence(None, None, row.regions, row.offline_allowed)
    return Stock(pieces, licences, inside)


def _tracks(ctx: Ctx) -> Any:
    return (
        select_columns(*_COLUMNS)
        .join(
            Media,
            (col(Media.client_id) == col(Track.client_id))
            & (col(Media.sha256) == col(Track.sha256)),
        )
        .where(col(Track.client_id) == ctx.client_id)
    )


def _chosen(ctx: Ctx, folders: Sequence[Folder]) -> Any:
    """The tracks of all of these smart folders, each in its order, as one statement."""
    parts = []
    for folder in folders:
        rank = func.row_number().over(order_by=smart.ordering(folder)).label("rank")
        most = min(folder.most or MAX_PLAYED, MAX_PLAYED)
        picked = (
            smart.choice(ctx, folder)
            .limit(most)
            .with_only_columns(col(Track.id).label("track"), rank)
            .subquery()
        )
        parts.append(select(literal(folder.id).label("smart"), picked.c.track, picked.c.rank))
    union = union_all(*parts).subquery()
    return (
        _tracks(ctx)
        .add_columns(union.c.smart)
        .join(union, union.c.track == col(Track.id))
        .order_by(union.c.smart, union.c.rank)
    )


def _piece(row: Any) -> Piece:
    media = WireMedia(
        sha256=row.sha256,
        bytes=row.bytes,
        frames=row.frames,
        gain=row.gain,
        kind="music",
        title=label(row.title, 200),
        artist=label(row.artist, 200),
    )
    return Piece(
        str(row.id), media, tuple(row.artist_keys), row.title_key, row.valid_from, row.valid_until
    )
