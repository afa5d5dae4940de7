"""What a list of tracks can be narrowed to, and how words are searched for."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Query
from sqlalchemy import ColumnElement, and_, false, func, or_, type_coerce
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.paging import Index
from sync2gear_platform.library import separation
from sync2gear_platform.library.tables import Folder, Media, Track, TrackWord

MAX_TERMS: Final = 8
"""Words of a search; those after them are left out."""

COMMON: Final = 500
"""A word's beginning that has more tracks than this is common."""

BEGINNING: Final = 2
"""Letters of ``TrackWord.begins``."""

LAST: Final = "\U0010ffff"
"""Sorts after whatever a word may go on with."""

_Name = Annotated[str, Query(max_length=255)]
_Number = Annotated[int | None, Query(ge=0, le=1_000_000)]


@dataclass(frozen=True, slots=True)
class TrackFilter:
    """Parameters of a list of tracks; together they all have to hold."""

    folder_id: Annotated[UUID | None, Query()] = None
    subfolders: Annotated[bool, Query()] = False
    artist: _Name = ""
    album: _Name = ""
    genre: _Name = ""
    tag: _Name = ""
    licence: _Name = ""
    year_from: _Number = None
    year_to: _Number = None
    longer_than: _Number = None
    shorter_than: _Number = None
    added_from: Annotated[datetime | None, Query()] = None
    added_to: Annotated[datetime | None, Query()] = None
    explicit: Annotated[bool | None, Query()] = None
    offline_allowed: Annotated[bool | None, Query()] = None
    valid_on: Annotated[date | None, Query()] = None
    duplicates: Annotated[bool, Query()] = False


def conditions(ctx: Ctx, asked: TrackFilter) -> list[ColumnElement[bool]]:
    """The conditions of ``asked`` on ``tracks``, the folder's apart."""
    found: list[ColumnElement[bool]] = [
        func.lower(getattr(Track, name)) == func.lower(getattr(asked, name))
        for name in ("artist", "album", "genre", "licence")
        if getattr(asked, name)
    ]
    if asked.tag:
        found.append(type_coerce(Track.tags, JSONB).contains([asked.tag]))
    bounds: tuple[tuple[Any, Any, Any], ...] = (
        (col(Track.year), asked.year_from, asked.year_to),
        (col(Track.duration_millis), _millis(asked.longer_than), _millis(asked.shorter_than)),
        (col(Track.created_at), _aware(asked.added_from), _aware(asked.added_to)),
    )
    for column, least, most in bounds:
        if least is not None:
            found.append(column >= least)
        if most is not None:
            found.append(column <= most)
    if asked.explicit is not None:
        found.append(col(Track.explicit).is_(asked.explicit))
    if asked.offline_allowed is not None:
        found.append(col(Track.offline_allowed).is_(asked.offline_allowed))
    if asked.valid_on is not None:
        found.append(
            and_(
                or_(col(Track.valid_from).is_(None), col(Track.valid_from) <= asked.valid_on),
                or_(col(Track.valid_until).is_(None), col(Track.valid_until) >= asked.valid_on),
            )
        )
    if asked.duplicates:
        found.append(_sounds_alike(ctx))
    return found


def _millis(seconds: int | None) -> int | None:
    return None if seconds is None else seconds * 1000


def _aware(moment: datetime | None) -> datetime | None:
    """What says no time zone is meant in UTC, as everything here."""
    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=UTC)


def _sounds_alike(ctx: Ctx) -> ColumnElement[bool]:
    """Another track has the same bytes, or decodes to the same sound."""
    mine = col(Track.client_id) == ctx.client_id
    sound = func.coalesce(col(Media.pcm_sha256), col(Media.sha256))
    heard = (
        select(sound)
        .join(Track, (col(Track.sha256) == col(Media.sha256)) & mine)
        .where(col(Media.client_id) == ctx.client_id)
        .group_by(sound)
        .having(func.count() > 1)
    )
    alike = select(Media.sha256).where(col(Media.client_id) == ctx.client_id, sound.in_(heard))
    return col(Track.sha256).in_(alike)


async def prepare(ctx: Ctx, search: str) -> dict[str, Index]:
    """Have the rest of this transaction planned for the very words that are asked for.

    A plan kept for any word would be wrong for many, pages of an index are not read from a disk one
    by one, and helpers take longer to start than a search takes (ADR 0032). Returns where the
    tracks that match ``search`` are found by title, if it is one word. Of a rare one: all that
    have it, sorted. Of a common one: among the words with its first two letters, which an index
    has in the order of titles, until the page is full. Nearly every title has a single letter.
    """
    terms = separation.words(search)
    having: list[ColumnElement[bool]] = [false()]
    if len(terms) == 1:
        having = _beginning(ctx, terms[0])
    some = select(TrackWord.track_id).where(*having).limit(COMMON + 1).subquery()
    counted = select(func.count()).select_from(some).scalar_subquery()
    told = (await ctx.db.execute(select(counted, *_FOR_SEARCHES))).one()
    if len(terms) != 1:
        return {}
    if told[0] > COMMON:
        if len(terms[0]) < BEGINNING:
            return {}
        having.append(col(TrackWord.begins) == terms[0][:BEGINNING])
    title, track = col(TrackWord.title), col(TrackWord.track_id)
    found = select(title, track).where(*having).group_by(title, track)
    return {"title": Index(found, title, track)}


_FOR_SEARCHES: Final = (
    func.set_config("plan_cache_mode", "force_custom_plan", True),
    func.set_config("random_page_cost", "1.1", True),
    func.set_config("max_parallel_workers_per_gather", "0", True),
)


def matching(ctx: Ctx, search: str) -> ColumnElement[bool]:
    """Tracks that have a word beginning with each word of ``search``, without case and accents."""
    terms = separation.words(search)[:MAX_TERMS]
    if not terms:
        return false()
    return and_(*(_has(ctx, term) for term in terms))


def _has(ctx: Ctx, term: str) -> ColumnElement[bool]:
    return col(Track.id).in_(select(TrackWord.track_id).where(*_beginning(ctx, term)))


def _beginning(ctx: Ctx, term: str) -> list[ColumnElement[bool]]:
    return [
        col(TrackWord.client_id) == ctx.client_id,
        col(TrackWord.word) >= term,
        col(TrackWord.word) < term + LAST,
    ]


def below(ctx: Ctx, folder_id: UUID) -> Any:
    """The ids of a folder and of all folders in it, as a subquery."""
    tree = (
        select(col(Folder.id).label("id"))
        .where(col(Folder.client_id) == ctx.client_id, col(Folder.id) == folder_id)
        .cte("below", recursive=True)
    )
    child = aliased(Folder)
    # UNION, not UNION ALL: ends also where folders would contain each other.
    tree = tree.union(
        select(child.id).where(child.client_id == ctx.client_id, child.parent_id == tree.c.id)
    )
    return select(tree.c.id)
