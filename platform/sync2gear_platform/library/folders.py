"""Use cases of folders: a tree of lists, some of which choose their tracks by rules."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlmodel import col, select

from sync2gear_platform.audit import service as audit
from sync2gear_platform.kit import events, rows
from sync2gear_platform.kit.context import Ctx
from sync2gear_platform.kit.errors import Refusal
from sync2gear_platform.library import uses
from sync2gear_platform.library.tables import Folder, Track

MAX_DEPTH: Final = 8
"""How deep folders nest, the outermost counted."""

MAX_ORDERED: Final = 50_000
"""The most tracks that one folder may be put in order with at once."""


class WrongOrder(Refusal):
    """The order must name every track of this folder exactly once."""

    kind = "conflict"
    code = "wrong_order"


class SystemFolder(Refusal):
    """This folder belongs to the product and stays as it is."""

    kind = "conflict"
    code = "system_folder"


class FolderInItself(Refusal):
    """A folder cannot be moved into itself, nor into a folder that it contains."""

    kind = "conflict"
    code = "folder_cycle"


class FoldersTooDeep(Refusal):
    """Folders nest at most eight deep: choose one further out."""

    kind = "conflict"
    code = "folders_too_deep"


class WrongParent(Refusal):
    """A folder is in a folder of the same type, and not in a smart one."""

    kind = "conflict"
    code = "wrong_parent"


class WrongFolder(Refusal):
    """This folder is of another kind: music and announcements do not mix."""

    code = "wrong_folder"


class SmartFolder(Refusal):
    """This folder's rules choose what is in it: change the rules instead."""

    kind = "conflict"
    code = "smart_folder"


async def create(ctx: Ctx, values: dict[str, Any]) -> Folder:
    """A new folder, empty unless its rules choose."""
    await _take_turns(ctx, values)
    actor = ctx.actor.id if ctx.actor.kind == "user" else None
    row = rows.new(ctx, Folder, **values, created_by=actor)
    if row.parent_id is not None:
        await _fit(ctx, row, row.parent_id)
    await ctx.db.flush()
    audit.record(ctx, "folder.create", "folder", row.id, after=values)
    await events.changed(ctx, "folder", row.id)
    return row


async def update(ctx: Ctx, folder_id: UUID, values: dict[str, Any], if_match: str | None) -> Folder:
    """Rename a folder, describe it anew, move it, or change by what it chooses."""
    await _take_turns(ctx, values)
    row = await rows.find(ctx, Folder, folder_id, lock=True)
    rows.match(row, if_match)
    if row.is_system:
        raise SystemFolder
    if ("rules" in values and (values["rules"] is None) != (row.rules is None)) or (
        row.rules is None and values.get("most") is not None
    ):
        raise SmartFolder("A folder is made smart or not; that does not change.")
    if values.get("parent_id") is not None:
        await _fit(ctx, row, values["parent_id"])
    before = rows.change(ctx, row, values)
    await ctx.db.flush()
    audit.record(ctx, "folder.update", "folder", row.id, before=before, after=values)
    await events.changed(ctx, "folder", row.id)
    return row


async def _take_turns(ctx: Ctx, values: dict[str, Any]) -> None:
    """Where folders nest: two moves at once could put two folders into each other."""
    if values.get("parent_id") is not None:
        await rows.take_turns(ctx, "folders")


async def _fit(ctx: Ctx, row: Folder, parent_id: UUID) -> None:
    """Refuse a place in the tree that ``row`` cannot have."""
    parent = await rows.find(ctx, Folder, parent_id)
    if parent.type != row.type or parent.rules is not None:
        raise WrongParent
    listed = select(col(Folder.id), col(Folder.parent_id)).where(
        col(Folder.client_id) == ctx.client_id
    )
    above: dict[UUID, UUID | None] = dict((await ctx.db.exec(listed)).all())
    above[row.id] = parent_id
    outwards = _outwards(above, row.id)
    if row.id in outwards:
        raise FolderInItself
    paths = (_outwards(above, one) for one in above)
    inside = max((len(path) + 1 for path in paths if row.id in path), default=0)
    if max(len(outwards) + 1, inside) > MAX_DEPTH:
        raise FoldersTooDeep


def _outwards(above: dict[UUID, UUID | None], folder_id: UUID) -> list[UUID]:
    """The folders around one, the nearest first; ends where it would go in a circle."""
    path: list[UUID] = []
    at = above.get(folder_id)
    while at is not None and at not in path:
        path.append(at)
        at = above.get(at)
    return path


async def remove(ctx: Ctx, folder_id: UUID, if_match: str | None, *, force: bool = False) -> None:
    """Remove a folder: its tracks stay without one, its folders move to where it was.

    What plays plays on. Without ``force``, refused while something uses it.
    """
    row = await rows.find(ctx, Folder, folder_id, lock=True)
    rows.match(row, if_match)
    if row.is_system:
        raise SystemFolder
    if not force:
        await uses.refuse(ctx, "folder", folder_id)
    inside = select(Folder).where(
        col(Folder.client_id) == ctx.client_id, col(Folder.parent_id) == folder_id
    )
    for child in await ctx.db.exec(inside.with_for_update()):
        rows.change(ctx, child, {"parent_id": row.parent_id})
    audit.record(ctx, "folder.delete", "folder", row.id, before=row.model_dump(mode="json"))
    await ctx.db.flush()
    await ctx.db.delete(row)
    await ctx.db.flush()
    await events.changed(ctx, "folder", folder_id)


async def reorder(
    ctx: Ctx, folder_id: UUID, track_ids: Sequence[UUID], if_match: str | None
) -> Folder:
    """Put all tracks of a folder into this order."""
    row = await rows.find(ctx, Folder, folder_id, lock=True)
    rows.match(row, if_match)
    if row.rules is not None:
        raise SmartFolder
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


async def find(ctx: Ctx, folder_id: UUID) -> Folder:
    """The folder; ``NotFound`` for none."""
    return await rows.find(ctx, Folder, folder_id)


async def of_type(ctx: Ctx, folder_id: UUID, kind: str) -> Folder:
    """A folder of music or of announcements; :class:`WrongFolder` where it is the other."""
    row = await rows.find(ctx, Folder, folder_id)
    if row.type != kind:
        raise WrongFolder
    return row


async def open_for_tracks(ctx: Ctx, folder_id: UUID) -> Folder:
    """The folder, locked, that tracks are put into.

    Raises :class:`WrongFolder` for one of announcements, :class:`SmartFolder` where rules choose.
    """
    row = await rows.find(ctx, Folder, folder_id, lock=True)
    if row.type != "music":
        raise WrongFolder
    if row.rules is not None:
        raise SmartFolder
    return row
