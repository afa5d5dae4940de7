"""Use cases of the library: folders, tracks, and the faces that playback and announcements see."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select

from sync2gear_broker import messages
from sync2gear_platform.audit import service as audit
from sync2gear_platform.kit import events, rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import NotFound, Refusal
from sync2gear_platform.library import folders, rules, smart, uses
from sync2gear_platform.library.importing import begin, import_folder
from sync2gear_platform.library.shelving import QuotaExceeded, guard, insert_media, room_left
from sync2gear_platform.library.sound import Sound
from sync2gear_platform.library.tables import Folder, Import, Media, Track

__all__ = [
    "QuotaExceeded",
    "add_media",
    "begin_import",
    "folder_media",
    "import_folder",
    "media",
    "remove_track",
    "remove_tracks",
    "tracks_media",
    "update_track",
    "update_tracks",
    "wire_media",
]


class NoImports(Refusal):
    """This installation has no folder to import from: set S2G_IMPORT_DIR."""

    kind = "conflict"
    code = "import_disabled"


class NoSuchSource(Refusal):
    """There is no such folder to import from."""

    code = "no_such_source"


MAX_PLAYED = 50_000
"""The most tracks that a smart folder plays."""


async def folder_media(ctx: Ctx, folder_id: UUID) -> list[tuple[Track, Media]]:
    """The tracks of a folder in order, with their media; ``NotFound`` for no such folder."""
    folder = await rows.find(ctx, Folder, folder_id)
    if folder.rules is not None:
        chosen = (await ctx.db.exec(smart.choice(ctx, folder).limit(MAX_PLAYED))).all()
        return await tracks_media(ctx, [track.id for track in chosen])
    in_order = (col(Track.position), col(Track.id))
    return await _with_media(ctx, col(Track.folder_id) == folder_id, in_order)


async def tracks_media(ctx: Ctx, track_ids: Sequence[UUID]) -> list[tuple[Track, Media]]:
    """These tracks in this order, repetitions included; ``NotFound`` where one is not here."""
    found = await _with_media(ctx, col(Track.id).in_(set(track_ids)), ())
    by_id = {track.id: (track, media) for track, media in found}
    missing = [i for i in track_ids if i not in by_id]
    if missing:
        raise NotFound(f"There is no such track here: {missing[0]}.")
    return [by_id[i] for i in track_ids]


async def _with_media(
    ctx: Ctx, condition: Any, order: tuple[Any, ...]
) -> list[tuple[Track, Media]]:
    statement = (
        select(Track, Media)
        .join(
            Media,
            (col(Media.client_id) == col(Track.client_id))
            & (col(Media.sha256) == col(Track.sha256)),
        )
        .where(col(Track.client_id) == ctx.client_id, condition)
        .order_by(*order)
    )
    return [(track, media) for track, media in await ctx.db.exec(statement)]


def wire_media(track: Track, media: Media) -> messages.Media:
    """A track as programmes and zone states name it."""
    return messages.Media(
        sha256=media.sha256,
        bytes=media.bytes,
        frames=media.frames,
        gain=media.gain,
        kind="music",
        title=rules.label(track.title, 200),
        artist=rules.label(track.artist, 200),
    )


async def media(ctx: Ctx, sha256: str) -> Media:
    """The media row of this client; ``NotFound`` alike for what is unknown, foreign, no digest."""
    row = await ctx.db.get(Media, (ctx.client_id, sha256[:64]))
    if row is None:
        raise NotFound("There is no such media here.")
    return row


async def add_media(ctx: Ctx, *, sha256: str, size: int, sound: Sound) -> Media:
    """Media that another domain made and keeps in this transaction; once, however often added."""
    await guard(ctx, [sha256])
    existing = await ctx.db.get(Media, (ctx.client_id, sha256))
    if existing is not None:
        return existing
    if size > await room_left(ctx):
        raise QuotaExceeded
    await insert_media(ctx, [(sha256, size, sound)])
    return await media(ctx, sha256)


async def update_tracks(ctx: Ctx, track_ids: Sequence[UUID], values: dict[str, Any]) -> list[Track]:
    """Change the same of many tracks, all or none of them; another folder gets them at its end."""
    found = await _many(ctx, track_ids)
    end = await _end_of(ctx, values["folder_id"]) if values.get("folder_id") else 0
    touched = {track.folder_id for track in found}
    for place, track in enumerate(found):
        moved = "folder_id" in values and values["folder_id"] != track.folder_id
        position = {"position": end + place if end else 0} if moved else {}
        before = rows.change(ctx, track, {**values, **position})
        audit.record(ctx, "track.update", "track", track.id, before=before, after=values)
    await ctx.db.flush()
    await _changed(ctx, touched | {track.folder_id for track in found})
    return found


async def remove_tracks(ctx: Ctx, track_ids: Sequence[UUID], *, force: bool = False) -> int:
    """Remove many tracks, all or none of them; how many. Refused as :func:`remove_track` is."""
    found = await _many(ctx, track_ids)
    if not force:
        await uses.refuse(ctx, "track", *(track.id for track in found))
    for track in found:
        audit.record(ctx, "track.delete", "track", track.id, before=track.model_dump(mode="json"))
        await ctx.db.delete(track)
    await ctx.db.flush()
    await _changed(ctx, {track.folder_id for track in found})
    return len(found)


async def _many(ctx: Ctx, track_ids: Sequence[UUID]) -> list[Track]:
    """These tracks, locked, in the order in which they were named; ``NotFound`` for any other."""
    wanted = select(Track).where(
        col(Track.client_id) == ctx.client_id, col(Track.id).in_(set(track_ids))
    )
    # By id: two that name the same tracks must not wait for each other.
    found = {t.id: t for t in await ctx.db.exec(wanted.order_by(col(Track.id)).with_for_update())}
    missing = [i for i in track_ids if i not in found]
    if missing:
        raise NotFound(f"There is no such track here: {missing[0]}.")
    return [found[i] for i in dict.fromkeys(track_ids)]


async def _changed(ctx: Ctx, folder_ids: set[UUID | None]) -> None:
    for folder_id in sorted(f for f in folder_ids if f is not None):
        await events.changed(ctx, "folder", folder_id)
    await events.tell(ctx, "tracks", ctx.client_id)


async def update_track(
    ctx: Ctx, track_id: UUID, values: dict[str, Any], if_match: str | None
) -> Track:
    """Change what a track is called, or move it to the end of another folder."""
    row = await rows.find(ctx, Track, track_id, lock=True)
    rows.match(row, if_match)
    if "folder_id" in values and values["folder_id"] != row.folder_id:
        values = {**values, "position": await _end_of(ctx, values["folder_id"])}
    left = row.folder_id
    before = rows.change(ctx, row, values)
    await ctx.db.flush()
    audit.record(ctx, "track.update", "track", row.id, before=before, after=values)
    await _changed(ctx, {left, row.folder_id})
    return row


async def _end_of(ctx: Ctx, folder_id: UUID | None) -> int:
    if folder_id is None:
        return 0
    await folders.open_for_tracks(ctx, folder_id)
    last = select(func.max(col(Track.position))).where(
        col(Track.client_id) == ctx.client_id, col(Track.folder_id) == folder_id
    )
    return ((await ctx.db.execute(last)).scalar_one() or 0) + 1


async def remove_track(
    ctx: Ctx, track_id: UUID, if_match: str | None, *, force: bool = False
) -> None:
    """Remove a track. Its media stays while anything else refers to it, so what plays plays on.

    Without ``force``, refused while something uses it.
    """
    row = await rows.find(ctx, Track, track_id, lock=True)
    rows.match(row, if_match)
    if not force:
        await uses.refuse(ctx, "track", track_id)
    audit.record(ctx, "track.delete", "track", row.id, before=row.model_dump())
    folder_id = row.folder_id
    await ctx.db.delete(row)
    await ctx.db.flush()
    await _changed(ctx, {folder_id})


async def begin_import(ctx: Ctx, import_dir: Path | None, *, folder: str, name: str) -> Import:
    """The row of a new import of the folder ``folder``, which lies directly in ``import_dir``."""
    source(import_dir, folder)
    return await begin(ctx, source=folder, folder_name=name or folder)


def source(import_dir: Path | None, folder: str) -> Path:
    """The folder named, if it really lies directly in ``import_dir`` and is no link."""
    if import_dir is None:
        raise NoImports
    inside = folder not in {"", ".", ".."} and "/" not in folder and "\0" not in folder
    path = import_dir / folder if inside else None
    if path is None or path.is_symlink() or not path.is_dir():
        raise NoSuchSource
    return path
