"""Use cases of the library: folders, tracks, and the faces that playback and announcements see."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from sync2gear_broker import messages
from sync2gear_platform.audit import service as audit
from sync2gear_platform.kit import events, rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import NotFound, Refusal
from sync2gear_platform.library import rules
from sync2gear_platform.library.importing import begin, import_folder
from sync2gear_platform.library.probe import Sound
from sync2gear_platform.library.shelving import guard, room_left
from sync2gear_platform.library.tables import Folder, Import, Media, Track

__all__ = [
    "add_media",
    "begin_import",
    "create_folder",
    "folder_media",
    "import_folder",
    "media",
    "remove_folder",
    "remove_track",
    "reorder",
    "tracks_media",
    "update_folder",
    "update_track",
    "wire_media",
]

MAX_ORDERED = 50_000
"""The most tracks that one folder may be put in order with at once."""


class WrongOrder(Refusal):
    """The order must name every track of this folder exactly once."""

    kind = "conflict"
    code = "wrong_order"


class SystemFolder(Refusal):
    """This folder belongs to the product and stays."""

    kind = "conflict"
    code = "system_folder"


class QuotaExceeded(Refusal):
    """The client's storage is full: remove something, or ask for more."""

    kind = "conflict"
    code = "quota_exceeded"


class NoImports(Refusal):
    """This installation has no folder to import from: set S2G_IMPORT_DIR."""

    kind = "conflict"
    code = "import_disabled"


class NoSuchSource(Refusal):
    """There is no such folder to import from."""

    code = "no_such_source"


async def folder_media(ctx: Ctx, folder_id: UUID) -> list[tuple[Track, Media]]:
    """The tracks of a folder in order, with their media; ``NotFound`` for no such folder."""
    await rows.find(ctx, Folder, folder_id)
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
    values = {
        "client_id": ctx.client_id,
        "sha256": sha256,
        "bytes": size,
        "frames": sound.frames,
        "codec": sound.codec,
        "loudness": sound.loudness,
        "true_peak": sound.true_peak,
        "gain": rules.gain_of(sound.loudness, sound.true_peak),
        "created_at": ctx.now,
    }
    await ctx.db.execute(insert(Media).values(values).on_conflict_do_nothing())
    return await media(ctx, sha256)


async def create_folder(ctx: Ctx, values: dict[str, Any]) -> Folder:
    """A new, empty folder."""
    row = rows.new(ctx, Folder, **values)
    await ctx.db.flush()
    audit.record(ctx, "folder.create", "folder", row.id, after=values)
    await events.changed(ctx, "folder", row.id)
    return row


async def update_folder(
    ctx: Ctx, folder_id: UUID, values: dict[str, Any], if_match: str | None
) -> Folder:
    """Rename a folder or describe it anew."""
    row = await rows.find(ctx, Folder, folder_id, lock=True)
    rows.match(row, if_match)
    before = rows.change(ctx, row, values)
    await ctx.db.flush()
    audit.record(ctx, "folder.update", "folder", row.id, before=before, after=values)
    await events.changed(ctx, "folder", row.id)
    return row


async def remove_folder(ctx: Ctx, folder_id: UUID, if_match: str | None) -> None:
    """Remove a folder; its tracks stay in the library without one. What plays plays on."""
    row = await rows.find(ctx, Folder, folder_id, lock=True)
    rows.match(row, if_match)
    if row.is_system:
        raise SystemFolder
    audit.record(ctx, "folder.delete", "folder", row.id, before=row.model_dump())
    await ctx.db.delete(row)
    await ctx.db.flush()
    await events.changed(ctx, "folder", folder_id)


async def reorder(
    ctx: Ctx, folder_id: UUID, track_ids: Sequence[UUID], if_match: str | None
) -> Folder:
    """Put all tracks of a folder into this order."""
    row = await rows.find(ctx, Folder, folder_id, lock=True)
    rows.match(row, if_match)
    held = select(Track).where(
        col(Track.client_id) == ctx.client_id, col(Track.folder_id) == folder_id
    )
    tracks = {t.id: t for t in await ctx.db.exec(held.with_for_update())}
    if len(track_ids) != len(tracks) or set(track_ids) != set(tracks):
        raise WrongOrder
    for position, track_id in enumerate(track_ids, start=1):
        if tracks[track_id].position != position:
            rows.change(ctx, tracks[track_id], {"position": position})
    rows.change(ctx, row, {})
    await ctx.db.flush()
    audit.record(ctx, "folder.reorder", "folder", row.id, after={"tracks": len(track_ids)})
    await events.changed(ctx, "folder", folder_id)
    return row


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
    for folder_id in {left, row.folder_id}:
        if folder_id is not None:
            await events.changed(ctx, "folder", folder_id)
    return row


async def _end_of(ctx: Ctx, folder_id: UUID | None) -> int:
    if folder_id is None:
        return 0
    await rows.find(ctx, Folder, folder_id, lock=True)
    last = select(func.max(col(Track.position))).where(
        col(Track.client_id) == ctx.client_id, col(Track.folder_id) == folder_id
    )
    return ((await ctx.db.execute(last)).scalar_one() or 0) + 1


async def remove_track(ctx: Ctx, track_id: UUID, if_match: str | None) -> None:
    """Remove a track. Its media stays while anything else refers to it, so what plays plays on."""
    row = await rows.find(ctx, Track, track_id, lock=True)
    rows.match(row, if_match)
    audit.record(ctx, "track.delete", "track", row.id, before=row.model_dump())
    folder_id = row.folder_id
    await ctx.db.delete(row)
    await ctx.db.flush()
    if folder_id is not None:
        await events.changed(ctx, "folder", folder_id)


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
