"""Folders as playlists: written for other programs, and read from them by what is here already."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select

from sync2gear_platform.audit import service as audit
from sync2gear_platform.kit import events, rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.library import folders, playlists, separation, service
from sync2gear_platform.library.tables import Track

SOME = 500
"""Names that one statement asks for."""

DESCRIBED = {
    "sha256", "filename", "title", "artist", "album", "genre", "year", "isrc", "composer",
    "duration_millis", "cover_id", "explicit", "tags", "licence", "regions", "offline_allowed",
    "valid_from", "valid_until",
}  # fmt: skip
"""What a track in another folder has in common with the one it is like."""


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one line, counted from 1; ``track_id`` in the folder it was read into."""

    line: int
    name: str
    outcome: Literal["matched", "ambiguous", "missing"]
    track_id: UUID | None


async def export(ctx: Ctx, folder_id: UUID, kind: playlists.Format) -> tuple[str, str]:
    """The folder's name, and its tracks as a playlist."""
    folder = await folders.find(ctx, folder_id)
    held = [track for track, _ in await service.folder_media(ctx, folder_id)]
    entries = (
        playlists.Entry(
            filename=track.filename,
            title=track.title,
            artist=track.artist,
            seconds=track.duration_millis // 1000,
            sha256=track.sha256,
        )
        for track in held
    )
    return folder.name, playlists.write(kind, folder.name, entries)


async def read_into(ctx: Ctx, folder_id: UUID, data: bytes) -> list[Line]:
    """Put what a playlist names, and is here, at the end of a folder; a line for each of its lines.

    A track that is elsewhere stays there: the folder gets one of the same audio, stored once.
    """
    entries = playlists.read(data)
    folder = await folders.open_for_tracks(ctx, folder_id)
    known = await _candidates(ctx, entries)
    last = select(func.max(col(Track.position))).where(
        col(Track.client_id) == ctx.client_id, col(Track.folder_id) == folder_id
    )
    position = (await ctx.db.execute(last)).scalar_one() or 0
    lines: list[Line] = []
    for number, entry in enumerate(entries, start=1):
        name = entry.filename or entry.title
        found = _found(entry, known)
        if len(found) != 1:
            lines.append(Line(number, name, "ambiguous" if found else "missing", None))
            continue
        position += 1
        like = next(iter(found.values()))
        row = rows.new(
            ctx, Track, **like.model_dump(include=DESCRIBED), folder_id=folder_id, position=position
        )
        lines.append(Line(number, name, "matched", row.id))
    matched = sum(line.outcome == "matched" for line in lines)
    rows.change(ctx, folder, {})
    await ctx.db.flush()
    after = {"lines": len(lines), "matched": matched}
    audit.record(ctx, "folder.import_playlist", "folder", folder_id, after=after)
    await events.changed(ctx, "folder", folder_id)
    return lines


Known = dict[tuple[str, ...], dict[str, Track]]
"""Tracks, one for each audio, by what a line may say of them."""


async def _candidates(ctx: Ctx, entries: list[playlists.Entry]) -> Known:
    known: Known = defaultdict(dict)
    wanted = (
        (Track.sha256, {e.sha256 for e in entries if e.sha256}),
        (Track.filename, {e.filename for e in entries if e.filename}),
        (Track.title_key, {separation.title_key(e.title) for e in entries if e.title}),
    )
    for column, values in wanted:
        asked = sorted(values)
        for begin in range(0, len(asked), SOME):
            some = select(Track).where(
                col(Track.client_id) == ctx.client_id,
                col(column).in_(asked[begin : begin + SOME]),
            )
            for track in await ctx.db.exec(some.order_by(col(Track.id))):
                for key in _keys(track):
                    known[key].setdefault(track.sha256, track)
    return known


def _keys(track: Track) -> list[tuple[str, ...]]:
    return [
        ("sha256", track.sha256),
        ("filename", track.filename),
        ("title", track.title_key, *track.artist_keys),
        ("title", track.title_key),
    ]


def _found(entry: playlists.Entry, known: Known) -> dict[str, Track]:
    """What a line may mean, by the surest that it says."""
    title = separation.title_key(entry.title)
    asked = (
        ("sha256", entry.sha256),
        ("filename", entry.filename),
        ("title", title, *separation.artist_keys(entry.artist)),
    )
    for key in asked:
        if key[1] and (found := known.get(key)):
            return found
    return {}
